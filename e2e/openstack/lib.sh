# Paths, knobs and process keeping, shared by the scripts of this folder. Source it; do not run it.
# shellcheck shell=bash

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_STATE=${LAB_STATE:-${TMPDIR:-/tmp}/multinic-openstack}
ETC=$LAB_STATE/etc LOGS=$LAB_STATE/logs PIDS=$LAB_STATE/pids
MARKER=$LAB_STATE/.multinic-openstack  # only a folder that holds this file is ever wiped
PY=/usr/bin/python3                    # Debian's interpreter: the services live in its dist-packages
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
export PYTHONDONTWRITEBYTECODE=1 LAB_STATE PATH

DB_PORT=${LAB_DB_PORT:-3306}
ADMIN_PASSWORD=${LAB_ADMIN_PASSWORD:-lab-admin}
SVC_PASSWORD=lab-service
RABBIT_USER=openstack RABBIT_PASSWORD=lab-rabbit
TOKEN_TTL=${LAB_TOKEN_TTL:-3600}       # seconds a Keystone token lives
NOVA_MAX_LIMIT=${LAB_NOVA_MAX_LIMIT:-1000}
COMPUTE_HOST=compute-1
T0=${T0:-$(date +%s.%N)}
export ADMIN_PASSWORD SVC_PASSWORD T0

# Every service, in start order; those behind stop last.
BEHIND="mariadb epmd rabbitmq"
FRONT="keystone placement glance neutron-server linuxbridge-agent nova-conductor nova-scheduler nova-api nova-compute"

log() { printf '[%6.1fs] %s\n' "$(echo "$(date +%s.%N) - $T0" | bc 2>/dev/null || echo 0)" "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; return 1; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
need_root() {
  [ "$(id -u)" = 0 ] && return 0
  fail "needs root: it installs Debian packages and makes network devices (try: sudo -E make e2e)"
  exit 1
}

# A process is ours while its pid and its start time are the recorded ones: after a reboot the pid may be anybody's.
start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
alive() {
  local pid since
  [ -s "$PIDS/$1" ] || return 1
  read -r pid since <"$PIDS/$1"
  [ -n "$since" ] && [ "$(start_time "$pid")" = "$since" ]
}
pid_of() { cut -d' ' -f1 "$PIDS/$1"; }

# spawn NAME CMD...: runs in its own session (pid == process group).
spawn() {
  local name=$1 pid
  shift
  alive "$name" && return 0
  setsid "$@" >>"$LOGS/$name.log" 2>&1 </dev/null &
  pid=$!
  echo "$pid $(start_time $pid)" >"$PIDS/$name"
}

# stop_one NAME: TERM to the recorded process, then KILL to what is left of its own group.
stop_one() {
  local name=$1 pid i
  if alive "$name"; then
    pid=$(pid_of "$name")
    kill -TERM "$pid" 2>/dev/null
    for i in $(seq 150); do alive "$name" || break; sleep 0.1; done
    kill -KILL -- "-$pid" 2>/dev/null
  fi
  rm -f "$PIDS/$name"
  return 0
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
answers() { curl -s -o /dev/null --max-time 5 "$1"; }

# wait_until NAME WHAT CMD...: until CMD succeeds, for as long as the service lives, at most a minute.
wait_until() {
  local name=$1 what=$2 i
  shift 2
  for i in $(seq 300); do
    alive "$name" || { fail "$name died; see $LOGS/$name.log"; return 1; }
    "$@" && return 0
    sleep 0.2
  done
  fail "$name: $what did not come up within a minute; see $LOGS/$name.log"
}
