#!/usr/bin/env bash
# compare.sh NFPM RELEASE VERSION builds a release again, as `make release` does, from a copy of the
# source in another folder, with empty caches of npm's packages, the page and the compiler, and another
# time zone, language and umask. It fails if a byte differs from the folder RELEASE.
set -euo pipefail
cd "$(dirname "$0")/../.."
nfpm=$(realpath "$1") release=$(realpath "$2") version=$3

copy=$(mktemp -d)/another/folder/with/a/longer/name
trap 'rm -rf "${copy%/another/*}"' EXIT
mkdir -p "$copy"
git ls-files -co --exclude-standard -z | { xargs -0 ls -d 2>/dev/null || true; } | tar -cf - -T - | tar -C "$copy" -xf -
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH GOCACHE=$copy/.gocache TZ=Asia/Kathmandu LANG=tr_TR.UTF-8
umask 077
npm --prefix "$copy/frontend" ci >/dev/null
npm --prefix "$copy/frontend" run build >/dev/null
npm --prefix "$copy/docs/site" ci >/dev/null
npm --prefix "$copy/docs/site" run build >/dev/null
"$copy/scripts/packaging/release.sh" "$nfpm" "$copy/build/release" "$version"

if ! diff -r "$release" "$copy/build/release"; then
	echo "compare.sh: two builds of the same source differ" >&2
	exit 1
fi
echo "compare.sh: $(wc -l <"$release/SHA256SUMS") files are the same, byte for byte"
