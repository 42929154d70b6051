#!/usr/bin/env bash
# fuzz.sh TIME [PACKAGE...] runs every fuzz test of the packages (default: all) for TIME each. Go
# writes a failing input to the package's testdata/fuzz; commit it together with the fix.
set -euo pipefail
time=$1
shift
[ $# -gt 0 ] || set -- ./...

failed=0
count=0
while read -r package target; do
	count=$((count + 1))
	echo "== $package $target, $time"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" </dev/null || failed=$((failed + 1))
done < <(
	for package in $(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' "$@"); do
		go test -list '^Fuzz' "$package" | sed -n "s|^Fuzz.*|$package &|p"
	done
)
echo "$((count - failed)) passed, $failed failed"
[ $failed = 0 ]
