#!/usr/bin/env bash
# install-deps.sh NAME... (see "present" below) installs missing programs that the tests need, from Debian's
# packages. If all are present it does nothing and needs neither network nor root.
set -euo pipefail

present() {
	case $1 in
	# Debian keeps the server's programs out of PATH; psql belongs to the client.
	postgresql) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null ;;
	chromium) command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null ;;
	systemd) command -v systemd-analyze >/dev/null ;;
	# Debian keeps these out of the PATH of users.
	haproxy | nginx-light) PATH=$PATH:/usr/sbin command -v "${1%-light}" >/dev/null ;;
	prometheus | prometheus-alertmanager | caddy | lintian | strace) command -v "$1" >/dev/null ;;
	*)
		echo "install-deps.sh: $1 is not known" >&2
		exit 2
		;;
	esac
}

missing=()
for name in "$@"; do
	present "$name" || missing+=("$name")
done
[ ${#missing[@]} -gt 0 ] || exit 0

by_hand="Please install by hand: ${missing[*]}."
if ! command -v apt-get >/dev/null; then
	echo "install-deps.sh: apt-get not found. $by_hand" >&2
	exit 1
fi
as_root=()
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null || { [ ! -t 0 ] && ! sudo -n true 2>/dev/null; }; then
		echo "install-deps.sh: needs root or sudo. $by_hand" >&2
		exit 1
	fi
	as_root=(sudo)
fi

packages=()
for name in "${missing[@]}"; do
	case $name in
	chromium) packages+=(chromium-headless-shell fonts-liberation) ;; # it cannot draw text without a font
	*) packages+=("$name") ;;
	esac
done

echo "Installing ${packages[*]} ..."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# RUNLEVEL=1 stops Debian from starting the package's server; the tests start their own.
if ! {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
		"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
			apt-get install -y -q --no-install-recommends "${packages[@]}"
} >"$log" 2>&1 </dev/null; then
	tail -n 30 "$log" >&2
	echo "install-deps.sh: apt-get failed. $by_hand" >&2
	exit 1
fi

for name in "${missing[@]}"; do
	present "$name" || {
		echo "install-deps.sh: $name is still missing after installation. $by_hand" >&2
		exit 1
	}
done
