#!/usr/bin/env bash
# release.sh NFPM OUT VERSION builds the files of a release into the folder OUT: programs for Linux and
# macOS, Debian packages, the Helm chart, lists of contents (SBOM), checksums. The pages must be built. Same source, same
# Go and same Node, same bytes: times come from SOURCE_DATE_EPOCH, by default that of the last commit.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# = 3 ] || { echo "usage: release.sh NFPM OUT VERSION" >&2; exit 2; }
nfpm=$(realpath "$1") out=$(realpath -m "$2") version=$3
PLATFORMS=${PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64}

[ -f frontend/dist/docs/index.html ] || { echo "release.sh: build the pages first: make frontend/dist/docs/index.html" >&2; exit 1; }
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH GOFLAGS="-trimpath -buildvcs=false" CGO_ENABLED=0 LC_ALL=C TZ=UTC
umask 022

# A version of Debian begins with a digit, and sorts: a candidate before its release, a commit after the
# release that it follows. Without a tag it is the time of the commit.
plain=${version#v}
if [[ $plain =~ ^([0-9]+\.[0-9]+\.[0-9]+)(-[0-9]+-g[0-9a-f]+)?(-dirty)?$ ]]; then
	DEBIAN_VERSION=${BASH_REMATCH[1]}$(tr - . <<<"${BASH_REMATCH[2]/#-/+}${BASH_REMATCH[3]/#-/+}")
elif [[ $plain =~ ^[0-9]+\.[0-9]+\.[0-9]+- ]]; then
	DEBIAN_VERSION=$(tr - . <<<"${plain/-/\~}")
else
	DEBIAN_VERSION=0~$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S).$(tr -c 'a-zA-Z0-9.+~\n' . <<<"$version")
fi
DEBIAN_VERSION+=-1
export DEBIAN_VERSION

# Charts need a semantic version.
chart_version=$plain
[[ $plain =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || chart_version=0.0.0-g$(tr -c 'a-zA-Z0-9\n' - <<<"$version")

stages=$(mktemp -d)
trap 'rm -rf "$stages"' EXIT
rm -rf "$out" && mkdir -p "$out"
# Without GOOS and GOARCH of the caller: these run here.
for name in coreroller:./cmd/coreroller inventory:./inventory; do
	folder=.
	[ "${name%%:*}" = coreroller ] || folder=scripts/packaging
	(cd $folder && env -u GOOS -u GOARCH go build -o "$stages/${name%%:*}" "${name#*:}")
done

# archive FOLDER NAME FILE packs FOLDER/NAME with fixed owner, order and times.
archive() {
	tar -C "$1" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$SOURCE_DATE_EPOCH" --format=gnu -cf - "$2" |
		gzip -9n >"$3"
}

mkdir "$stages/charts" && cp -R scripts/packaging/helm/coreroller "$stages/charts/"
sed -i "s/^version: .*/version: $chart_version/; s|^appVersion: .*|appVersion: \"$version\"|" "$stages/charts/coreroller/Chart.yaml"
archive "$stages/charts" coreroller "$out/coreroller-chart-$chart_version.tgz"

for platform in $PLATFORMS; do
	export GOOS=${platform%/*} GOARCH=${platform#*/}
	name=coreroller_${plain}_${GOOS}_$GOARCH
	export STAGE=$stages/$name
	mkdir "$STAGE"
	go build -ldflags "-s -w -X main.version=$version" -o "$STAGE/coreroller" ./cmd/coreroller
	"$stages/inventory" sbom "$STAGE/coreroller" "$plain" >"$STAGE/sbom.json"
	"$stages/inventory" licenses "$STAGE/coreroller" >"$STAGE/third-party-licenses"
	cp "$STAGE/sbom.json" "$out/$name.cdx.json"

	mkdir "$stages/$name/$name"
	cp "$STAGE/coreroller" LICENSE README.md CHANGELOG.md "$STAGE/third-party-licenses" "$STAGE/$name/"
	[ "$GOOS" != linux ] || cp scripts/packaging/systemd/coreroller.service scripts/packaging/debian/coreroller.env "$STAGE/$name/"
	archive "$STAGE" "$name" "$out/$name.tar.gz"

	if [ "$GOOS" = linux ]; then
		gzip -9nc scripts/packaging/debian/coreroller.1 >"$STAGE/coreroller.1.gz"
		gzip -9nc CHANGELOG.md >"$STAGE/changelog.gz"
		printf 'coreroller (%s) unstable; urgency=medium\n\n  * See changelog.gz.\n\n -- %s  %s\n' "$DEBIAN_VERSION" \
			"$(sed -n 's/^maintainer: //p' scripts/packaging/nfpm.yaml)" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" |
			gzip -9n >"$STAGE/changelog.Debian.gz"
		gzip -9n "$STAGE/third-party-licenses"
		"$stages/coreroller" completion bash >"$STAGE/completion.bash"
		"$nfpm" package --config scripts/packaging/nfpm.yaml --packager deb --target "$out/coreroller_${DEBIAN_VERSION}_$GOARCH.deb" >/dev/null
	fi
done
(cd "$out" && sha256sum -- * >SHA256SUMS)
