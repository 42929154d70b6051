#!/usr/bin/env bash
# verify.sh CMD... runs a generator and fails if it changes, adds or removes a file. It compares the
# work tree before and after, so it also works with uncommitted changes.
set -euo pipefail
cd "$(git rev-parse --show-toplevel)"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/objects"
objects=$(realpath "$(git rev-parse --git-path objects)")
index=$(git rev-parse --git-path index)

# A separate index and object folder, so that the snapshots leave nothing in the repository.
export GIT_OBJECT_DIRECTORY=$scratch/objects GIT_ALTERNATE_OBJECT_DIRECTORIES=$objects
snapshot() {
	if [ -f "$index" ]; then cp "$index" "$scratch/index"; fi
	GIT_INDEX_FILE=$scratch/index git add --all .
	GIT_INDEX_FILE=$scratch/index git write-tree
}

before=$(snapshot)
env -u GIT_OBJECT_DIRECTORY -u GIT_ALTERNATE_OBJECT_DIRECTORIES "$@"
after=$(snapshot)
[ "$before" = "$after" ] && exit 0

echo >&2
git --no-pager diff --stat=120 "$before" "$after" >&2
# --text, because .gitattributes hides the differences of generated files.
git --no-pager diff --text "$before" "$after" >"$scratch/difference"
head -n 100 "$scratch/difference" >&2
echo "Generated files are out of date: run \"make generate\" and commit the result." >&2
exit 1
