#!/bin/bash
# schemathesis.sh [EXAMPLES [SEED]]: all checks of schemathesis over /openapi.json, against a server on SQLite and one on
# PostgreSQL. Under a minute with 40 examples an operation. Its Python packages are kept in a cache folder.
set -euo pipefail
cd "$(dirname "$0")/.."
examples=${1:-40} seed=${2:-20260108}
scripts/need.sh cargo cc python3 curl initdb
python3 -c 'import ensurepip, venv' 2>/dev/null || scripts/need.sh python3-venv

venv=${XDG_CACHE_HOME:-$HOME/.cache}/multinic/schemathesis
if ! "$venv/bin/schemathesis" --version >/dev/null 2>&1; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet 'schemathesis==4.32.5'
fi

cargo build --quiet -p multinic
program=$(realpath "${CARGO_TARGET_DIR:-target}/debug/multinic") config=$PWD/scripts/schemathesis.toml
work=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  [ -d "$work/postgresql" ] && postgres pg_ctl -D "$work/postgresql" -m immediate stop >/dev/null 2>&1
  rm -rf "$work"
}
trap finish EXIT

# As another user than root, who must not run PostgreSQL.
postgres() {
  local bin
  bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
  if [ "$(id -u)" = 0 ]; then
    (cd / && setpriv --reuid=postgres --regid=postgres --init-groups env PATH="$bin:$PATH" "$@")
  else
    PATH=${bin:+$bin:}$PATH "$@"
  fi
}

start_postgresql() {
  mkdir "$work/postgresql" "$work/socket"
  chmod 755 "$work"
  [ "$(id -u)" = 0 ] && chown postgres "$work/postgresql" "$work/socket"
  postgres initdb -D "$work/postgresql" -U multinic --auth=trust -E UTF8 --locale=C >/dev/null
  postgres pg_ctl -D "$work/postgresql" -w -l "$work/postgresql/log" \
    -o "-c listen_addresses='' -c unix_socket_directories=$work/socket" start >/dev/null
  postgres createdb -h "$work/socket" -U multinic api
}

token=$(head -c 24 /dev/urandom | base64 | tr -d '+/=')
digest=$(printf %s "$token" | sha256sum | cut -d' ' -f1)
printf 'tokens:\n- {name: schemathesis, role: operator, providers: ["*"], sha256: %s}\n' "$digest" >"$work/tokens.yaml"

examine() {
  local name=$1 database=$2 url=''
  "$program" api --database "$database" --tokens "$work/tokens.yaml" --listen 127.0.0.1:0 2>"$work/$name.log" &
  pids+=($!)
  for _ in $(seq 100); do
    url=$(sed -n 's/^listening on //p' "$work/$name.log")
    [ -n "$url" ] && curl -fs "$url/readyz" >/dev/null && break
    sleep 0.1
  done
  echo "== $name" >&2
  # It leaves files of its own in the folder that it runs in.
  (cd "$work" && "$venv/bin/schemathesis" --config-file "$config" run "$url/openapi.json" \
    --header "Authorization: Bearer $token" --max-examples "$examples" --seed "$seed") || { tail -20 "$work/$name.log" >&2; return 1; }
}

start_postgresql
examine sqlite "sqlite://$work/api.db"
examine postgresql "postgres://multinic@$(printf %s "$work/socket" | sed 's,/,%2F,g')/api"
echo "schemathesis: no error of the server, no violation of the contract" >&2
