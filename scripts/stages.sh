#!/usr/bin/env bash
# stages.sh GROUP... runs groups of make targets in order, and prints the time of each target. The
# targets of a group ("lint test-go") run at once; the output of each is printed when it ends. It
# stops after the first group with a failure; in CI (CI=true) it continues, so that one run shows
# all failures.
set -uo pipefail

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
trap 'trap "" TERM; kill 0; exit 130' INT TERM # a background job ignores Ctrl-C

run() {
	local log=$logs/$1.log start=$SECONDS result=ok
	printf '\n==== %s\n' "$1" >"$log"
	make --no-print-directory "$1" >>"$log" 2>&1 || result=FAILED
	printf '%-14s %5d s  %s\n' "$1" $((SECONDS - start)) $result >>"$logs/table"
	flock "$logs" cat "$log"
}

for group in "$@"; do
	for target in $group; do run "$target" & done
	wait
	if [ "${CI:-}" != true ] && grep -q FAILED "$logs/table"; then break; fi
done

printf '\n'
cat "$logs/table"
printf '%-14s %5d s\n' all $SECONDS
if grep -q FAILED "$logs/table"; then
	echo "Failed: $(awk '/FAILED/ { print $1 }' "$logs/table" | xargs)" >&2
	exit 1
fi
