#!/usr/bin/env bash
# stages.sh TARGET... makes the targets one after the other and says how long each took. It stops at
# the first that fails; in CI (CI=true) it goes on, so that one run shows all that is wrong.
set -uo pipefail

table=()
failed=()
began=$SECONDS
for target in "$@"; do
	printf '\n==== %s\n' "$target"
	start=$SECONDS
	if make --no-print-directory "$target"; then word=ok; else
		word=FAILED
		failed+=("$target")
	fi
	table+=("$(printf '%-14s %5d s  %s' "$target" $((SECONDS - start)) $word)")
	if [ $word = FAILED ] && [ "${CI:-}" != true ]; then break; fi
done

printf '\n'
printf '%s\n' "${table[@]}"
printf '%-14s %5d s\n' all $((SECONDS - began))
if [ ${#failed[@]} -gt 0 ]; then
	echo "Failed: ${failed[*]}" >&2
	exit 1
fi
