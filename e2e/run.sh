#!/bin/bash
# make e2e: brings a real OpenStack up, builds, runs the checks against it, takes it down again.
#   run.sh          all of it; KEEP=1 leaves OpenStack running for the next time
#   run.sh up       only bring it up and fill it
#   run.sh check …  build and run the checks, or only the named groups of them, against what is up already
#   run.sh exec …   run a command where its servers are reachable
#   run.sh down     stop it and forget its state
# Everything runs in a network namespace of its own ($LAB_NETNS, default multinic-e2e), so that no port clashes with
# a server of this machine; where namespaces are not allowed, or with LAB_NETNS=host, it runs on the host's loopback.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
lab=$PWD/e2e/openstack
. "$lab/lib.sh"
need_root
netns=${LAB_NETNS:-multinic-e2e}

inside() {
  if [ "$netns" = host ]; then "$@"; else ip netns exec "$netns" "$@"; fi
}

namespace() {
  [ "$netns" = host ] && return 0
  if [ ! -e "/run/netns/$netns" ] && ! ip netns add "$netns" 2>/dev/null; then
    log "no network namespaces here: using the host's loopback"
    netns=host
    return 0
  fi
  ip -n "$netns" link set lo up
}

bring_up() { inside "$lab/up.sh" && inside "$lab/seed.sh"; }

up() {
  mkdir -p "$LAB_STATE"
  scripts/need.sh cc openssl curl initdb && "$lab/up.sh" install || return 1
  namespace || return 1
  bring_up && return 0
  log "OpenStack did not come up; once more"
  inside "$lab/down.sh"
  bring_up
}

down() {
  [ "$netns" = host ] || [ -e "/run/netns/$netns" ] || netns=host
  inside "$lab/down.sh" --wipe
  [ "$netns" = host ] || ip netns del "$netns"
}

check() {
  log "building"
  cargo build -q -p multinic -p multinic-e2e || return 1
  log "checking"
  inside "${CARGO_TARGET_DIR:-target}/debug/multinic-e2e" "$@"
}

case ${1:-} in
  '')
    [ -n "${KEEP:-}" ] || trap down EXIT
    scripts/need.sh cargo cc && up && check
    ;;
  up) up ;;
  check) shift; namespace && check "$@" ;;
  exec) shift; namespace && inside "$@" ;;
  down) down ;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
