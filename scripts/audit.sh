#!/usr/bin/env bash
# audit.sh GOVULNCHECK looks for known vulnerabilities and other defects of the dependencies. Its result
# changes with time, so no other target runs it. VULNDB is a folder with the Go vulnerability database;
# without it the newest copy comes through Go's module proxy. The standard library is checked as well: that
# of go.mod's toolchain, because the shipped program is built with it, or else that of the installed Go.
#
# Exit status: 0 everything was checked and is clean, 1 something was found, 3 nothing was found, but
# not everything could be checked, 2 wrong use.
set -uo pipefail
govulncheck=${1:?usage: audit.sh GOVULNCHECK}
cd "$(dirname "$0")/.." || exit 2

clean=() found=() unchecked=()
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# verdict NAME STATUS sorts the result of a check: 0 is clean, 1 a finding, all others mean not checked.
verdict() {
	case $2 in
	0) clean+=("$1") ;;
	1) found+=("$1") ;;
	*) unchecked+=("$1") ;;
	esac
}

printf '==== Go: vulnerabilities of the program\n'
name='Go vulnerabilities' database=${VULNDB:-}
if [ -z "$database" ]; then
	# Data only: the module is not compiled, and GOTOOLCHAIN keeps Go from fetching the one that it asks for.
	copy=$(cd / && GOTOOLCHAIN=local go mod download -json golang.org/x/vulndb@latest 2>&1) &&
		database=$(sed -nE 's/^\t"Dir": "(.*)",?$/\1/p' <<<"$copy")/data/osv
fi
if compgen -G "$database/*.json" >/dev/null || [ -e "$database/index/modules.json" ]; then
	toolchain=$(go mod edit -json | sed -nE 's/^\t"Toolchain": "(.*)",?$/\1/p')
	# Only if the module proxy has it.
	if [ -z "$toolchain" ] || ! GOTOOLCHAIN=$toolchain go version >"$log" 2>&1; then
		toolchain=local
		cat "$log"
	fi
	name+=" ($(GOTOOLCHAIN=$toolchain go env GOVERSION), $database)"
	GOTOOLCHAIN=$toolchain "$govulncheck" -db "file://$(realpath "$database")" ./cmd/coreroller >"$log" 2>&1
	status=$?
	grep -v '^      #' "$log" # the calls that lead there: hundreds of lines
	case $status in
	3) verdict "$name" 1 ;;
	0) grep -q '^No vulnerabilities found' "$log"; verdict "$name" $((2 * $?)) ;;
	*) verdict "$name" 2 ;;
	esac
else
	echo 'no vulnerability database: set VULNDB to a folder with one'
	verdict "$name" 2
fi

printf '\n==== Go: contents of the modules\n'
go mod download && go mod verify >"$log" 2>&1
status=$?
cat "$log"
if grep -q 'has been modified' "$log"; then status=1; elif [ $status != 0 ]; then status=2; fi
verdict 'go mod verify' $status

printf '\n==== Go: retracted, deprecated and newer versions\n'
# Only modules that the program or its tests use. Newer versions are printed, but are not findings.
if go list -e -m -u -retracted -f '{{if not .Main}}{{$m := .Path}}{{with .Retracted}}RETRACTED {{$m}}: {{.}}{{"\n"}}{{end}}{{with .Deprecated}}DEPRECATED {{$m}}: {{.}}{{"\n"}}{{end}}{{with .Error}}UNKNOWN {{$m}}: {{.Err}}{{"\n"}}{{end}}{{with .Update}}{{$m}} {{$.Version}} {{with $.Time}}({{.Format "2006-01"}}) {{end}}-> {{.Version}}{{end}}{{end}}' \
	$(go list -deps -test -f '{{with .Module}}{{.Path}}{{end}}' ./... | sort -u) >"$log" 2>&1; then
	sed '/^$/d' "$log"
	status=0
	if grep -q ^UNKNOWN "$log"; then status=2; fi
	if grep -qE '^(RETRACTED|DEPRECATED)' "$log"; then status=1; fi
else
	cat "$log"
	status=2
fi
verdict 'retracted and deprecated Go modules' $status

for folder in frontend e2e docs/site; do
	printf '\n==== npm: vulnerabilities of %s\n' $folder
	npm --prefix $folder audit --json >"$log" 2>/dev/null
	node -e '
		const answer = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8") || "{}");
		if (!answer.metadata?.vulnerabilities) { console.log("npm: " + (answer.message ?? "no answer")); process.exit(2); }
		for (const v of Object.values(answer.vulnerabilities)) console.log(v.severity, v.name, v.range);
		process.exit(answer.metadata.vulnerabilities.total > 0 ? 1 : 0);' "$log"
	verdict "npm vulnerabilities of $folder" $?

	printf '\n==== npm: signatures of %s\n' $folder
	(cd $folder && npm audit signatures --json) >"$log" 2>/dev/null
	node -e '
		const answer = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8") || "{}");
		if (!answer.invalid || !answer.missing) { console.log("npm: the signatures could not be checked"); process.exit(2); }
		for (const p of [...answer.invalid, ...answer.missing]) console.log("invalid or missing:", p.name, p.version);
		process.exit(answer.invalid.length + answer.missing.length > 0 ? 1 : 0);' "$log"
	verdict "npm signatures of $folder" $?

	printf '\n==== npm: missing and extraneous packages of %s\n' $folder
	if npm --prefix $folder ls --all >"$log" 2>&1; then echo none && verdict "npm ls of $folder" 0; else
		grep -E 'npm error|extraneous|missing|invalid' "$log"
		verdict "npm ls of $folder" 1
	fi
done

printf '\n==== summary\n'
[ ${#clean[@]} = 0 ] || printf 'checked, clean: %s\n' "${clean[@]}"
[ ${#found[@]} = 0 ] || printf 'FOUND: %s\n' "${found[@]}"
[ ${#unchecked[@]} = 0 ] || printf 'NOT CHECKED: %s\n' "${unchecked[@]}"
[ ${#found[@]} = 0 ] || exit 1
[ ${#unchecked[@]} = 0 ] || exit 3
