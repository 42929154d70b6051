#!/usr/bin/env bash
# mutants.sh GREMLINS [FLAG...] runs mutation tests of package rollout and of policy, version and phrase
# below it: it changes one operator at a time and runs the tests of its package and of rollout. A mutant that passes them survives: a test is missing, or the
# change makes no difference. It fails if 3 % survive, or if a mutant is in code that no test runs.
#
# Gremlins calls "go test" without flags for each mutant. This script is also the go that it calls: it
# runs the fast tests first, so that most mutants cost a compilation and a tenth of a second.
set -euo pipefail

# mutate runs gremlins on a copy of the package. Gremlins copies the whole module for each worker.
mutate() {
	local gremlins
	gremlins=$(realpath "$1")
	shift
	cd "$(dirname "$0")/.."
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	mkdir "$work/bin" "$work/source"
	ln -s "$PWD/scripts/mutants.sh" "$work/bin/go"
	cp -r go.mod go.sum rollout "$work/source"
	rm -rf "$work/source/rollout/forecast" # calendar is needed, but not mutated
	MUTANTS_GO=$(command -v go)
	export MUTANTS_GO TMPDIR=$work PATH=$work/bin:$PATH COREROLLER_TEST_FLEETS=200
	cd "$work/source/rollout"
	go test -failfast . || { echo "mutants: the tests fail without a mutant" >&2 && exit 1; }
	cd ..
	# Invert-bitwise stays off: almost every & takes an address, and | does not compile there. So does
	# invert-negatives: arithmetic-base changes each - to + already. A large timeout, because try has its own.
	"$gremlins" unleash --exclude-files '^calendar/' --timeout-coefficient 100 --output-statuses lct \
		--invert-negatives=false --invert-logical --invert-assignments --remove-self-assignments --invert-loopctrl \
		--threshold-efficacy 97 --threshold-mcover 99.9 "$@" ./rollout
}

# cover runs all tests with coverage. Go's blocks omit the conditions of switch cases and constants. So each
# block is extended back to the end of the previous one: a condition is covered if its case is.
cover() {
	local profile
	profile=$(sed -E 's/.* -coverprofile ([^ ]+) .*/\1/' <<<"$*")
	"$MUTANTS_GO" "$@" -count=1
	{
		echo 'mode: set'
		sed -nE 's/^(.+):([0-9]+)\.([0-9]+),([0-9]+)\.([0-9]+) ([0-9]+) ([0-9]+)$/\1 \2 \3 \4 \5 \6 \7/p' "$profile" |
			sort -k 1,1 -k 2,2n -k 3,3n | awk '
				$1 != file { file = $1; line = 1; column = 1 }
				{ from = $2 "." $3 }
				$2 > line || $2 == line && $3 > column { from = line "." column }
				{ print $1 ":" from "," $4 "." $5, $6, ($7 > 0) }
				$4 > line || $4 == line && $5 > column { line = $4; column = $5 }'
	} >"$profile.extended"
	mv "$profile.extended" "$profile"
}

# try compiles a mutant and runs the tests of its package, then those of rollout, with the same random
# numbers for each mutant. Gremlins counts exit status 1 as killed and 2 as not viable. Compiling without
# optimisation takes two thirds of the time. An endless loop ends by timeout or lack of memory.
try() {
	local package=${*: -1}
	binary=$(mktemp) # not local: the trap runs after the function
	trap 'rm -f "$binary"' EXIT
	ulimit -v 8000000
	run_tests "$package"
	[[ $package == */rollout ]] || run_tests "${package%/*}"
}

run_tests() {
	local slow='EveryState|NoRandomFleet|RandomHistories|DecideNextAgrees|P4_|P1_Any|LedgerAgrees'
	"$MUTANTS_GO" test -c -ldflags='-s -w' -gcflags='-N -l -dwarf=false' -o "$binary" "$1" || exit 2
	cd "$("$MUTANTS_GO" list -f '{{.Dir}}' "$1")" # the tests read testdata
	run() { "$binary" -test.failfast -rapid.seed=1 -rapid.shrinktime=0s -rapid.nofailfile "$@" || exit 1; }
	if [[ $1 != */rollout ]]; then
		"$binary" -test.failfast -test.timeout 60s || exit 1 # without rapid's flags
		return
	fi
	run -test.timeout 60s -test.skip "$slow"
	run -test.timeout 10m -test.run "$slow"
}

case "$(basename "$0") $*" in
go*' -coverprofile '*) cover "$@" ;;
go*' -failfast '*) try "$@" ;;
'go '*) exec "$MUTANTS_GO" "$@" ;;
*) mutate "$@" ;;
esac
