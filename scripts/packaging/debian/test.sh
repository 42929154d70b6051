#!/usr/bin/env bash
# test.sh PACKAGE checks a Debian package with lintian, installs it on this machine, runs the service's
# command as its user, upgrades, removes and purges the package. It needs root, lintian and strace, and
# refuses a machine that has CoreRoller.
set -euo pipefail
package=$(realpath "$1")
say() { printf 'debian/test.sh: %s\n' "$*"; }
die() { say "$*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || die "needs root"
if [ -e /var/lib/coreroller ] || [ -e /usr/bin/coreroller ] || getent passwd coreroller >/dev/null; then
	die "this machine has CoreRoller: test on another"
fi

lintian --allow-root --fail-on error,warning --tag-display-limit 0 "$package"
say "lintian has no error and no warning"

log=$(mktemp -d)
server=
clean() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	dpkg --purge coreroller >/dev/null 2>&1 || true
	rm -rf /var/lib/coreroller "$log"
	if getent passwd coreroller >/dev/null; then deluser --quiet coreroller >/dev/null 2>&1; fi
}
trap clean EXIT

dpkg -i "$package" >"$log/dpkg" 2>&1 || { cat "$log/dpkg" >&2; die "the installation failed"; }
[ "$(stat -c '%U %G %a' /var/lib/coreroller)" = 'coreroller coreroller 700' ] || die "owner of /var/lib/coreroller"
[ "$(stat -c '%U %G %a' /etc/coreroller/credentials)" = 'root root 700' ] || die "owner of the credentials"
systemd-analyze verify coreroller.service || die "systemd-analyze verify"
say "installed; systemd accepts the unit"

# What systemd would do, without its restrictions: the user, the variables, the command.
unit=/lib/systemd/system/coreroller.service
command=$(sed -n 's/^ExecStart=//p' "$unit")
mapfile -t variables < <(sed -n 's/^Environment=//p' "$unit"; grep -v '^#' /etc/coreroller/coreroller.env | grep .)
start() {
	# shellcheck disable=SC2086 # the command has several parts
	(cd /var/lib/coreroller && umask 077 && exec env -i "${variables[@]}" COREROLLER_LISTEN=127.0.0.1:0 \
		"$(command -v strace)" -f -c -S name -U name -o "$log/calls" \
		"$(command -v setpriv)" --reuid=coreroller --regid=coreroller --init-groups --no-new-privs $command) >"$log/out" 2>"$log/err" &
	server=$!
	for _ in $(seq 300); do
		url=$(sed -n 's/.*dashboard \(http:[^ ]*\)\/ .*/\1/p' "$log/out")
		[ -z "$url" ] || return 0
		kill -0 "$server" 2>/dev/null || break
		sleep 0.2
	done
	cat "$log/err" >&2
	die "the server does not start"
}
start
coreroller health --url "$url" >/dev/null
coreroller simulate --url "$url" --app e96281a6-d1af-4bde-9a0a-97b76e56dc57 --machines 3 --duration 1s >/dev/null 2>&1 || true
kill -TERM "$(pgrep -P "$server")"
wait "$server" || { cat "$log/err" >&2; die "the server did not end in order"; }
server=
[ "$(stat -c '%U %a' /var/lib/coreroller/coreroller.db)" = 'coreroller 600' ] || die "owner of the database"
say "the service's command served and ended in order, as the user coreroller"

# The calls that the unit's filter refuses. setpriv makes the first few before the server starts.
expand() {
	systemd-analyze syscall-filter "$1" | sed 's/^ *//; /^#/d; 1d' | while read -r name; do
		case $name in
		@*) expand "$name" ;;
		*) echo "$name" ;;
		esac
	done
}
{ expand @system-service | sort -u; echo capset; echo setgroups; echo setresgid; echo setresuid; } | sort -u >"$log/granted"
{ expand @privileged; expand @resources; } | grep -vxE 'capset|setgroups|setresgid|setresuid' | sort -u >"$log/refused"
sed '1,2d' "$log/calls" | awk '$1 ~ /^[a-z]/ && $1 != "total" {print $1}' | sort -u >"$log/made"
[ "$(wc -l <"$log/made")" -gt 30 ] || { cat "$log/calls" >&2; die "strace counted no system calls"; }
refused=$(comm -23 "$log/made" <(comm -23 "$log/granted" "$log/refused") | tr '\n' ' ')
[ -z "$refused" ] || die "the unit's SystemCallFilter refuses system calls of the server: $refused"
say "SystemCallFilter permits the $(wc -l <"$log/made") system calls that the server made"

echo '# kept' >>/etc/coreroller/coreroller.env
dpkg -i "$package" >"$log/dpkg" 2>&1 || { cat "$log/dpkg" >&2; die "the upgrade failed"; }
tail -n 1 /etc/coreroller/coreroller.env | grep -qx '# kept' || die "the upgrade lost a change of the settings"
dpkg -r coreroller >"$log/dpkg" 2>&1 || { cat "$log/dpkg" >&2; die "the removal failed"; }
[ ! -e /usr/bin/coreroller ] && [ -e /etc/coreroller/coreroller.env ] && [ -e /var/lib/coreroller/coreroller.db ] || die "the removal"
dpkg -P coreroller >"$log/dpkg" 2>&1 || { cat "$log/dpkg" >&2; die "the purge failed"; }
[ ! -e /etc/coreroller ] && [ -e /var/lib/coreroller/coreroller.db ] || die "the purge"
say "upgrade keeps settings, removal keeps settings and data, purge keeps data only"
