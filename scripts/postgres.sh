#!/usr/bin/env bash
# A throwaway PostgreSQL cluster for tests and benchmarks.
#
#   scripts/postgres.sh run [-durable] CMD [ARG...]   start one, run CMD with COREROLLER_TEST_POSTGRES
#                                                     naming it, remove it whatever happens
#   scripts/postgres.sh start [-durable]              start one that stays; prints its folder and URL
#   scripts/postgres.sh stop [FOLDER]                 remove that one, or all that `start` left
#
# Each cluster has its own folder, port and password, so that any number can run side by side and
# none touches a PostgreSQL that the machine already runs. Without -durable nothing is synced to
# disk, which is right for tests and wrong for measuring.
set -euo pipefail

prefix=/tmp/coreroller-pg # not TMPDIR: the socket's path must stay under 100 characters and
                          # every parent must be searchable by the postgres user

die() {
	printf 'postgres.sh: %s\n' "$*" >&2
	exit 1
}

# bin_folder prints where the server's programs are. Debian keeps them out of PATH.
bin_folder() {
	local found
	found=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
	[ -x "$found" ] || found=$(command -v initdb) || die "no PostgreSQL server here; scripts/install-deps.sh postgresql installs one"
	dirname "$(readlink -f "$found")"
}

# as_server replaces this (sub)shell with a command under a user PostgreSQL accepts: it refuses root.
as_server() {
	local switch=()
	if [ "$(id -u)" = 0 ]; then
		switch=(setpriv --reuid=postgres --regid=postgres --init-groups)
	fi
	cd / # that user may not be allowed into ours, and initdb insists
	# C for the messages that this script and the tests read.
	exec "${switch[@]}" env -u PGDATA -u PGPORT -u PGHOST LC_ALL=C "$@"
}

# remove stops the server of a cluster's folder if it runs, and deletes the folder.
remove() {
	local folder=$1 pid
	pid=$(head -n 1 "$folder/data/postmaster.pid" 2>/dev/null || true)
	# The name is checked because a number may have been given to another process since.
	if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null || ps -o comm= -p "$pid" 2>/dev/null)" = postgres ]; then
		(as_server "$bin/pg_ctl" -D "$folder/data" -m immediate -w -t 30 stop) >/dev/null 2>&1 || true
	fi
	rm -rf "$folder"
}

# sweep removes what killed runs left: folders of ours whose owner no longer lives.
sweep() {
	local folder owner
	for folder in "$prefix".*; do
		[ -O "$folder/owner" ] || continue
		owner=$(cat "$folder/owner" 2>/dev/null) || continue
		[ "$owner" = nobody ] || kill -0 "$owner" 2>/dev/null || remove "$folder"
	done
}

# create makes a cluster, starts its server and sets folder and url. The server dies with this
# process (even a killed one) unless the first argument is "stays".
create() {
	local life=$1 durable=$2 password attempt port options=() guard=()
	folder=$(mktemp -d "$prefix.XXXXXX")
	# The owner stays ours, so that sweep can tell our folders from another user's.
	if [ "$life" = stays ]; then echo nobody; else echo $$; fi >"$folder/owner"
	mkdir "$folder/data"
	password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	echo "$password" >"$folder/password"
	if [ "$(id -u)" = 0 ]; then
		id postgres >/dev/null 2>&1 || die "root cannot run PostgreSQL and there is no user postgres to switch to"
		chown postgres "$folder" "$folder/data" "$folder/password"
	fi

	# The network needs a password: trust would make every user of the machine a superuser of it.
	(as_server "$bin/initdb" -D "$folder/data" -U postgres -E UTF8 --locale=C --no-sync --no-instructions \
		--auth-local=trust --auth-host=scram-sha-256 --pwfile="$folder/password") >"$folder/log" 2>&1 ||
		die "initdb failed: $(tail -n 20 "$folder/log")"

	if $durable; then
		# As docs/performance.md advises for a million machines; nothing of it makes a commit less durable.
		options=(-c shared_buffers=2GB -c max_wal_size=8GB -c checkpoint_timeout=15min -c wal_compression=lz4)
	else
		options=(-c shared_buffers=128MB -c fsync=off -c synchronous_commit=off -c full_page_writes=off)
	fi
	# Room for many test databases, each with its pools and a listener, at the same time.
	options+=(-c max_connections=400 -c "unix_socket_directories=$folder/data"
		-c listen_addresses=127.0.0.1 -c timezone=UTC -c log_checkpoints=off)
	if [ "$life" != stays ] && setpriv --help 2>/dev/null | grep -q -- --pdeathsig; then
		guard=(setpriv --pdeathsig INT) # INT is PostgreSQL's fast shutdown
	fi

	for attempt in 1 2 3 4 5 6 7 8 9 10; do
		port=$((20000 + RANDOM % 12000)) # below the ports the kernel hands out
		: >"$folder/log"
		(as_server "${guard[@]}" "$bin/postgres" -D "$folder/data" -p "$port" "${options[@]}") </dev/null >>"$folder/log" 2>&1 &
		server=$!
		if ready; then
			url="postgres://postgres:$password@127.0.0.1:$port/postgres?sslmode=disable"
			return
		fi
		kill "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
		# Somebody else may have the port; anything else will not get better by trying again.
		grep -q 'could not create any TCP/IP sockets' "$folder/log" || break
	done
	die "PostgreSQL does not start (attempt $attempt): $(tail -n 20 "$folder/log")"
}

# ready waits until the server says so in its pid file; false when it has ended instead.
ready() {
	local tries
	for ((tries = 0; tries < 1200; tries++)); do
		kill -0 "$server" 2>/dev/null || return 1
		[ "$(sed -n '8s/ *$//p' "$folder/data/postmaster.pid" 2>/dev/null)" = ready ] && return 0
		sleep 0.05
	done
	return 1
}

# interrupted ends the command, then this script, and so (by its EXIT trap) the cluster.
interrupted() {
	if [ -n "$command" ]; then
		kill -TERM "$command" 2>/dev/null || true
		wait "$command" || true
	fi
	exit "$1"
}

verb=${1:-}
[ $# -gt 0 ] && shift
durable=false
if [ "${1:-}" = -durable ]; then
	durable=true
	shift
fi
folder='' url='' server='' command=''

case $verb in
run)
	[ $# -gt 0 ] || die "run needs a command"
	bin=$(bin_folder)
	sweep
	trap '[ -z "$folder" ] || remove "$folder"' EXIT
	trap 'interrupted 129' HUP
	trap 'interrupted 130' INT
	trap 'interrupted 143' TERM
	create "ends with us" $durable
	export COREROLLER_TEST_POSTGRES=$url
	# In the background, so that a signal is obeyed at once and not after the command's end.
	# An interrupt from the keyboard reaches the command by itself once it no longer ignores it.
	(
		trap - INT
		exec "$@"
	) <&0 &
	command=$!
	status=0
	wait "$command" || status=$?
	exit $status
	;;
start)
	bin=$(bin_folder)
	sweep
	trap '[ -z "$folder" ] || remove "$folder"' EXIT
	create stays $durable
	trap - EXIT
	printf '%s\n%s\n' "$folder" "$url"
	;;
stop)
	bin=$(bin_folder)
	if [ $# -gt 0 ]; then
		[ -f "$1/owner" ] || die "$1 is not a folder that start printed"
		remove "$1"
	else
		for folder in "$prefix".*; do
			[ -O "$folder/owner" ] && [ "$(cat "$folder/owner")" = nobody ] && remove "$folder"
		done
	fi
	sweep
	;;
*)
	sed -n '2,12s/^# \{0,1\}//p' "$0"
	exit 2
	;;
esac
