#!/usr/bin/env bash
# stages.sh TARGET... runs make targets in order and prints the time of each. It stops at the first
# failure; in CI (CI=true) it continues, so that one run shows all failures.
set -uo pipefail

table=()
failed=()
began=$SECONDS
for target in "$@"; do
	printf '\n==== %s\n' "$target"
	start=$SECONDS
	if make --no-print-directory "$target"; then result=ok; else
		result=FAILED
		failed+=("$target")
	fi
	table+=("$(printf '%-14s %5d s  %s' "$target" $((SECONDS - start)) $result)")
	if [ $result = FAILED ] && [ "${CI:-}" != true ]; then break; fi
done

printf '\n'
printf '%s\n' "${table[@]}"
printf '%-14s %5d s\n' all $((SECONDS - began))
if [ ${#failed[@]} -gt 0 ]; then
	echo "Failed: ${failed[*]}" >&2
	exit 1
fi
