#!/bin/bash
# Replaces a server of an older revision by one of this tree on the same PostgreSQL, both
# under load, and recounts. Call it through with-postgres, after `make bin/coreroller`:
#   scripts/with-postgres scripts/upgrade-test.sh REVISION
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
revision=${1:?name the older revision: make upgrade-test OLD=revision}
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; git -C "$root" worktree remove --force "$work/tree" 2>/dev/null || true; rm -rf "$work"' EXIT

git -C "$root" worktree add --quiet --detach "$work/tree" "$revision"
cp -r "$root/frontend/dist" "$work/tree/frontend/" # its page is not part of the test
(cd "$work/tree" && CGO_ENABLED=0 go build -o "$work/old" ./cmd/coreroller)
new=$root/bin/coreroller

database=upgrade_$$
psql "$COREROLLER_TEST_POSTGRES" -qc "CREATE DATABASE $database"
url=${COREROLLER_TEST_POSTGRES/\/postgres?/\/$database?}

serve() { # PROGRAM NAME; sets server and port
  "$1" serve --database-url "$url" --data-dir "$work/data-$2" --listen 127.0.0.1:0 >"$work/$2.log" 2>&1 &
  server=$!
  until port=$(grep -o -m1 'update URL http://127.0.0.1:[0-9]*' "$work/$2.log" | grep -o '[0-9]*$'); do
    kill -0 "$server" || { cat "$work/$2.log"; exit 1; }
    sleep 0.1
  done
}
ask() { curl -sf -u admin:admin "http://127.0.0.1:$1/graphql" -H 'content-type: application/json' -d "$2"; }
made() { ask "$1" "$2" | grep -o '"id":"[^"]*"' | cut -d'"' -f4; }
machines() { # PORT SEED SECONDS
  "$new" simulate --url "http://127.0.0.1:$1" --app "$app" --track t --kind program --machines 1500 --seed "$2" --speed 600 --duration "$3s" >"$work/machines$2.log" 2>&1
}

serve "$work/old" old
old_server=$server old_port=$port
app=$(made "$old_port" '{"query":"mutation { createApplication(input: {name: \"Upgrade\"}) { application { id } } }"}')
package=$(made "$old_port" "{\"query\":\"mutation { createPackage(input: {applicationId: \\\"$app\\\", type: OTHER, version: \\\"2.0.0\\\", url: \\\"https://example.com/\\\", filename: \\\"a\\\", size: 4096, sha1: \\\"qZk+NkcGgWq6PiVxeFDCbJzQ2J0=\\\", sha256: \\\"$(printf 'a%.0s' {1..64})\\\"}) { package { id } } }\"}")
channel=$(made "$old_port" "{\"query\":\"mutation { createChannel(input: {applicationId: \\\"$app\\\", name: \\\"stable\\\", packageId: \\\"$package\\\"}) { channel { id } } }\"}")
made "$old_port" "{\"query\":\"mutation { createGroup(input: {applicationId: \\\"$app\\\", channelId: \\\"$channel\\\", name: \\\"g\\\", track: \\\"t\\\", policy: {safeMode: false, maxUpdatesPerPeriod: 100000, maxConcurrentUpdates: 200, haltFailureShare: 0}}) { group { id } } }\"}" >/dev/null

machines "$old_port" 1 30 &
first=$!
sleep 8
serve "$new" new
echo "the new server serves beside the old one"
machines "$port" 2 35 &
second=$!
wait "$first"
kill "$old_server"
wait "$old_server" || true
echo "the old server has stopped"
wait "$second"
kill "$server"
wait "$server" || true
status=0
for seed in 1 2; do
  grep -E 'requests, including|updates|unanswered|WRONG' "$work/machines$seed.log" | tail -4
  grep -q 'unanswered  0 ' "$work/machines$seed.log" || { echo "a request of the machines with seed $seed was not answered"; status=1; }
  if grep -q WRONG "$work/machines$seed.log"; then status=1; fi
done
"$new" verify --database-url "$url" --data-dir "$work/data-new" || status=1
exit "$status"
