#!/bin/bash
# bench-api.sh [RUNS]: the management API over loopback on SQLite and on PostgreSQL, each on an empty database with the
# settings that it comes with (fsync on). Median of 7 runs unless said otherwise; about three minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh cargo cc initdb
cargo build --quiet --release -p multinic-management-api --example measure
measure=$PWD/${CARGO_TARGET_DIR:-target}/release/examples/measure
[ -x "$measure" ] || measure=${CARGO_TARGET_DIR:-}/release/examples/measure
programs=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
folder=$(mktemp -d)
as_postgres=()
if [ "$(id -u)" = 0 ]; then
  # PostgreSQL refuses to run as root.
  chown postgres "$folder"
  as_postgres=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
finish() {
  (cd / && "${as_postgres[@]}" "$programs/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1) || true
  rm -rf "$folder"
}
trap finish EXIT
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# 1,000 watches are two descriptors each.
ulimit -n 8192

echo "SQLite"
mkdir -m 700 "$folder/sqlite"
"$measure" "sqlite://$folder/sqlite/api.db" "${1:-7}"
echo
echo "PostgreSQL over TCP"
(
  cd /
  "${as_postgres[@]}" "$programs/initdb" -D "$folder/data" -U multinic -A trust -E UTF8 >/dev/null
  "${as_postgres[@]}" "$programs/pg_ctl" -D "$folder/data" -l "$folder/log" -w start \
    -o "-k $folder -c listen_addresses=127.0.0.1 -p $port" >/dev/null
)
"$programs/createdb" -h 127.0.0.1 -p "$port" -U multinic multinic
"$measure" "postgres://multinic@127.0.0.1:$port/multinic" "${1:-7}"
