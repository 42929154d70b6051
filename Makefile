# CoreRoller: `make help` lists the targets. They need Go, Node, gcc, git and make, and install the
# rest themselves.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:

# The same flags for every step: a step with other flags would compile everything again. Only the race
# detector needs cgo.
export GOFLAGS := -trimpath -buildvcs=false
export CGO_ENABLED := 0

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 60s
BENCHTIME ?= 1s
# Measures the whole server; empty to skip. ARGS="-machines 10000" is faster.
BENCH_SERVER ?= go run ./bench
ARGS ?=

GOLANGCI_VERSION := 2.15.0
GOLANGCI := build/tools/golangci-lint-$(GOLANGCI_VERSION)
GOVULNCHECK_VERSION := 1.9.0
GOVULNCHECK := build/tools/govulncheck-$(GOVULNCHECK_VERSION)
GREMLINS_VERSION := 0.6.0
GREMLINS := build/tools/gremlins-$(GREMLINS_VERSION)
NFPM_VERSION := 2.48.0
NFPM := build/tools/nfpm-$(NFPM_VERSION)

##@ Use

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: bin/coreroller ## build and start the server with the embedded database on port 8000 (ARGS="--flag ...")
	exec bin/coreroller serve $(ARGS)

.PHONY: demo
demo: bin/coreroller ## the same with a simulated fleet
	exec bin/coreroller demo $(ARGS)

.PHONY: build
build: bin/coreroller ## build bin/coreroller, the only file to deploy

.PHONY: release
release: $(NFPM) frontend/dist/docs/index.html ## build all files of a release in build/release: programs, Debian packages, chart, SBOMs, checksums (VERSION=v1.2.3)
	scripts/packaging/release.sh $(NFPM) build/release $(VERSION)

##@ Develop

.PHONY: dev
dev: bin/coreroller ## run the server and the dashboard's dev server with hot reload
	@bin/coreroller serve $(ARGS) & server=$$!; trap 'kill $$server 2>/dev/null || true' EXIT; \
		npm --prefix frontend run dev

.PHONY: generate
generate: frontend/node_modules/.installed ## write all generated files, in the required order: ent, gqlgen, the dashboard's types
	go run ./ent/entc.go
	go tool gqlgen generate
	npm --prefix frontend run generate

.PHONY: migration
migration: install-postgresql ## write the next migration for both databases from ent's schema (name=what_changes)
	@[[ "$(name)" =~ ^[a-z0-9_]+$$ ]] || { echo 'usage: make migration name=what_changes' >&2; exit 2; }
	scripts/with-postgres go run ./store/makemigration $(name)

.PHONY: bench
bench: install-postgresql ## measure the engine, the protocol and the whole server (BENCHTIME=1s), on a durable PostgreSQL
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./rollout/... ./omaha
	$(if $(BENCH_SERVER),scripts/with-postgres -durable $(BENCH_SERVER) $(ARGS))

.PHONY: measure
measure: bin/coreroller bin/bench e2e/node_modules/.installed install-chromium ## measure the dashboard in Chromium: sizes, times, memory (MACHINES=1000000 MINUTES=60)
	cd e2e && npx playwright test -c playwright.measure.config.ts $(ARGS)

.PHONY: screenshots
screenshots: bin/coreroller e2e/node_modules/.installed install-chromium ## take the pictures of docs/dashboard.md from the demo fleet
	cd e2e && npx playwright test -c playwright.screenshots.config.ts

.PHONY: fuzz
fuzz: ## run every fuzz test for FUZZTIME=60s
	scripts/fuzz.sh $(FUZZTIME)

.PHONY: mutants
mutants: $(GREMLINS) ## change the engine one operator at a time and list the changes that no test notices
	scripts/mutants.sh $(GREMLINS) $(ARGS)

.PHONY: clean
clean: ## remove build results (not data/)
	rm -rf bin build frontend/node_modules e2e/node_modules docs/site/node_modules
	find frontend/dist -mindepth 1 ! -name .keep -delete

##@ Check

# The targets of a group run at once. verify rewrites generated files, and the dashboard's tests are the
# only ones that do not read them. A prerequisite here is installed before two targets of a group need it.
.PHONY: test
test: frontend/node_modules/.installed ## run all checks below except audit and soak, as CI does
	@scripts/stages.sh 'verify test-frontend' 'lint test-go' e2e

.PHONY: verify
verify: frontend/node_modules/.installed ## check that generated files and go.mod match their sources
	scripts/verify.sh $(MAKE) --no-print-directory generate
	go mod tidy -diff

.PHONY: lint
lint: $(GOLANGCI) frontend/node_modules/.installed ## check formatting, vet, golangci-lint, the word list, the dashboard's linters and types
	@unformatted=$$(git ls-files -co --exclude-standard '*.go' | { xargs -r ls -d 2>/dev/null || true; } | xargs -r gofmt -l); \
		if [ -n "$$unformatted" ]; then printf 'not gofmt-ed:\n%s\n' "$$unformatted" >&2; exit 1; fi
	go vet ./...
	go test -count=1 -run '^TestEnglish' .
	$(GOLANGCI) run ./...
	npm --prefix frontend run lint
	npm --prefix frontend run check
	npm --prefix frontend run check-documents
	frontend/node_modules/.bin/prettier --check docs/site

.PHONY: audit
audit: $(GOVULNCHECK) frontend/node_modules/.installed e2e/node_modules/.installed docs/site/node_modules/.installed ## look for known vulnerabilities of the dependencies; not part of test, because the result changes with time
	scripts/audit.sh $(GOVULNCHECK)

.PHONY: licenses
licenses: ## write docs/licenses.md; fails on a licence that may not be shipped (test-go checks both)
	go test -count=1 -run '^TestLicensesAreAllowed$$' . -update-licenses

.PHONY: test-go
test-go: install-for-test-go ## run Go tests on SQLite and PostgreSQL with the race detector, a few without it
	scripts/with-postgres $(SHELL) $(.SHELLFLAGS) ' \
		COREROLLER_TEST_SOAK=1 go test -run "$(WITHOUT_RACE_TESTS)" $(WITHOUT_RACE) | tee /dev/stderr | if grep "no tests to run" >/dev/null; then exit 1; fi; \
		COREROLLER_TEST_FLEETS=300 CGO_ENABLED=1 go test -race -timeout 20m $(WITHOUT_DETECTOR:%=-gcflags=%=-race=false) $$(go list ./... | grep -vE "$(GENERATED_PACKAGES)")'

.PHONY: soak
soak: install-postgresql install-prometheus-alertmanager ## run the long tests in full size, for instance with 1,000,000 machines
	COREROLLER_TEST_SOAK=1 COREROLLER_TEST_FLEETS=1000000 scripts/with-postgres go test -count 1 -timeout 4h $(SOAK)

CHAOS := TestDatabaseIsLostAndFound|TestTerminatedConnectionsAreNotNoticed|TestPostgresFails|TestOneServerIsCutOff|TestNotificationsAreLost|TestServerIsKilledAtEachStep|TestServerIsFrozenInATransaction
CHAOS := $(CHAOS)|TestDiskOfTheEmbeddedDatabaseFails|TestEmbeddedServerIsKilledAtAWrite|TestDeletedDatabaseFileIsNoticed|TestDamagedDatabaseIsNoticed|TestReadOnlyFolderIsRefused|TestFullDisk|TestSecondServerOnAFolderIsRefused|TestProcess

.PHONY: chaos
chaos: install-postgresql install-strace ## disturb servers and databases under load and print what was seen (docs/reliability.md); needs root
	@mkdir -p build
	COREROLLER_TEST_CHAOS=1 scripts/with-postgres go test -count 1 -v ./cmd/coreroller -run '^($(CHAOS))$$' >build/chaos.log 2>&1; \
	status=$$?; grep -E '^ *--- |FAIL|_test.go:[0-9]+: [^|]' build/chaos.log; \
	printf '\nCommit %s\n\n' "$$(git describe --always --dirty)"; sed -n 's/^.*_test.go:[0-9]*: \(| .*\)/\1/p' build/chaos.log; exit $$status

.PHONY: upgrade-test
upgrade-test: install-postgresql bin/coreroller ## run a server of an older revision and this one on one PostgreSQL under load (OLD=revision)
	scripts/with-postgres scripts/upgrade-test.sh $(OLD)

.PHONY: year
year: install-postgresql ## run the server through a simulated year (ARGS="-database postgres -machines 100000 -days 365")
	scripts/with-postgres go run ./bench year $(ARGS)

.PHONY: package-test
package-test: release install-lintian install-strace install-systemd ## check the files of a release, compare with a second build, install the package; needs root
	cd scripts/packaging && go mod tidy -diff && go vet ./... && go test -count 1 ./... && \
		go test -count 1 -run '^TestChart' . -args -chart $$(echo $(abspath build/release)/coreroller-chart-*.tgz)
	scripts/packaging/debian/test.sh build/release/coreroller_*_$$(go env GOARCH).deb
	scripts/packaging/compare.sh $(NFPM) build/release $(VERSION)

.PHONY: test-frontend
test-frontend: frontend/node_modules/.installed ## run the dashboard's unit tests
	npm --prefix frontend test

.PHONY: e2e
e2e: bin/coreroller bin/bench e2e/node_modules/.installed install-postgresql install-chromium ## test the real binary in a real browser (SCREENS=1 saves pictures in build/screens)
	scripts/with-postgres npm --prefix e2e test

# Tests that the race detector makes meaningless (it changes allocations) or too slow (10,000 machines, 10,000 fleets).
WITHOUT_RACE := ./omaha ./acceptance ./rollout
WITHOUT_RACE_TESTS := ^(TestCheckAllocatesAtMost8Times|TestCase25_WavesGrowByBucket|TestNoRandomFleetWaitsInSilence)$$

# Libraries that the race detector leaves out: password hashing, and SQLite with its C library, which are C
# translated to Go. They compute on memory of their own; watching each access doubled the time of the tests.
WITHOUT_DETECTOR := golang.org/x/crypto/argon2 modernc.org/libc/... modernc.org/sqlite/lib

# Packages with tests whose size depends on COREROLLER_TEST_SOAK.
SOAK := ./acceptance ./rest ./rollout ./server/payloads ./store

# Generated packages have no tests; vetting them under the race detector takes minutes.
GENERATED_PACKAGES := /ent/db|/graph/generated|/graph/model$$

# Prerequisites of the targets above.

# At once, because each call reads the lists of packages again.
.PHONY: install-for-test-go
install-for-test-go:
	@scripts/install-deps.sh postgresql prometheus prometheus-alertmanager systemd haproxy nginx-light caddy

INSTALLED := $(addprefix install-,postgresql chromium prometheus prometheus-alertmanager systemd lintian strace)
.PHONY: $(INSTALLED)
$(INSTALLED):
	@scripts/install-deps.sh $(@:install-%=%)

# The stamp is inside the folder that it stands for, so that both are deleted together.
%/node_modules/.installed: %/package.json %/package-lock.json
	npm --prefix $* ci
	@mkdir -p $(@D) && touch $@

FRONTEND_SOURCES := $(shell find frontend \( -name node_modules -o -path frontend/dist \) -prune -o -type f -print 2>/dev/null)

frontend/dist/index.html: frontend/node_modules/.installed $(FRONTEND_SOURCES)
	npm --prefix frontend run build

# vite empties frontend/dist first, so the documentation is built after it.
DOCS_SOURCES := $(shell find docs graph/schema \( -name node_modules -o -name .installed \) -prune -o -type f -print 2>/dev/null)

frontend/dist/docs/index.html: frontend/dist/index.html docs/site/node_modules/.installed $(DOCS_SOURCES)
	npm --prefix docs/site run build

# Always runs: go itself checks in a second whether anything changed.
.PHONY: bin/coreroller
bin/coreroller: frontend/dist/docs/index.html
	go build -ldflags '-s -w -X main.version=$(VERSION)' -o $@ ./cmd/coreroller

.PHONY: bin/bench
bin/bench:
	go build -o $@ ./bench

# Not tools of go.mod: their modules would be listed there too, golangci-lint's 200.
$(GOLANGCI):
	@mkdir -p $(@D)
	GOBIN=$(abspath $(@D)) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(GOLANGCI_VERSION)
	mv $(@D)/golangci-lint $@

$(GOVULNCHECK):
	@mkdir -p $(@D)
	GOBIN=$(abspath $(@D)) go install golang.org/x/vuln/cmd/govulncheck@v$(GOVULNCHECK_VERSION)
	mv $(@D)/govulncheck $@

$(NFPM):
	@mkdir -p $(@D)
	GOBIN=$(abspath $(@D)) go install github.com/goreleaser/nfpm/v2/cmd/nfpm@v$(NFPM_VERSION)
	mv $(@D)/nfpm $@

$(GREMLINS):
	@mkdir -p $(@D)
	GOBIN=$(abspath $(@D)) go install github.com/go-gremlins/gremlins/cmd/gremlins@v$(GREMLINS_VERSION)
	mv $(@D)/gremlins $@
