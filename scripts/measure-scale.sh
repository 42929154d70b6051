#!/bin/bash
# Fills a PostgreSQL with machines, starts a server on it, and prints sizes, memory and the
# times of what the pages ask; see docs/scaling.md. Call it through with-postgres:
#   scripts/with-postgres -durable scripts/measure-scale.sh 10000000
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
machines=$1
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT

psql "$COREROLLER_TEST_POSTGRES" -qc 'CREATE DATABASE scale'
url=${COREROLLER_TEST_POSTGRES/\/postgres?/\/scale?}
began=$SECONDS
group=$("$root/bin/bench" fill -url "$url" -machines "$machines" | grep -o '"groupId":"[^"]*"' | cut -d'"' -f4)
echo "filled in $((SECONDS - began)) s"
psql "$url" -Atc "SELECT 'database ' || pg_size_pretty(pg_database_size('scale')) || ', machines ' || pg_size_pretty(pg_table_size('instances')) || ', their indexes ' || pg_size_pretty(pg_indexes_size('instances'))"

began=$(date +%s%N)
"$root/bin/coreroller" serve --database-url "$url" --data-dir "$work/data" --listen 127.0.0.1:0 >"$work/log" 2>&1 &
server=$!
until port=$(grep -o -m1 'update URL http://127.0.0.1:[0-9]*' "$work/log" | grep -o '[0-9]*$') && curl -sf -o /dev/null "http://127.0.0.1:$port/readyz"; do
  kill -0 "$server"
  sleep 0.05
done
echo "ready after $((($(date +%s%N) - began) / 1000000)) ms"
for after in 1 10 30 60; do
  while ((($(date +%s%N) - began) / 1000000000 < after)); do sleep 0.2; done
  echo "memory after $after s: $(awk '/VmRSS/ {print int($2 / 1024)}' "/proc/$server/status") MiB"
done

timed() { # NAME QUERY: the median and the highest of 21 answers
  for _ in {1..21}; do
    curl -sf -o "$work/answer" -w '%{time_total}\n' -u admin:admin "http://127.0.0.1:$port/graphql" -H 'content-type: application/json' -d "{\"query\":\"$2\"}"
    ! grep -q '"errors"' "$work/answer"
  done | sort -n | awk -v name="$1" '{t[NR] = $1 * 1000} END {printf "%s: %.1f ms median, %.1f ms highest of %d\n", name, t[11], t[NR], NR}'
}
timed 'fleet page' '{ fleet { total onTarget waiting attention { kind } } applications { id name groups { id name state numbers { total byVersion { version machines } } } } }'
timed 'group page' "{ group(id: \\\"$group\\\") { name state currentHold { sentence } numbers { total active onTarget inFlight waiting failed byVersion { version machines } heldByReason { reason machines } } rollout { version projectedEnd waves { state } } } }"
timed 'first 50 machines' "{ instances(filter: { groupId: \\\"$group\\\" }, first: 50) { nodes { machineId version } totalCount } }"
timed 'search' '{ instances(filter: { search: \"abc\" }, first: 20) { nodes { machineId } } }'
