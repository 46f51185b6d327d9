#!/bin/bash
# Stops exactly the processes up.sh started (by recorded pid and start time, and their own process groups).
#   down.sh          keep all state: up.sh brings the same cloud back
#   down.sh --wipe   also remove the state, and the taps and bridges made here
set -uo pipefail
cd "$(dirname "$0")" || exit 1
. ./lib.sh
need_root

remove_devices() {
  local t b
  for t in "$LAB_STATE"/taps/*; do [ -e "$t" ] && ip link del "$(basename "$t")" 2>/dev/null; done
  # The agent's own names; nothing else on a machine that runs this lab should be called so.
  for b in $(ls /sys/class/net | grep -E '^(brq[0-9a-f]{8}-[0-9a-f]{2}|vxlan-[0-9]+)$'); do ip link del "$b" 2>/dev/null; done
}

for s in $FRONT; do alive "$s" && kill -TERM "$(pid_of "$s")"; done # all at once: each may take seconds
for s in $FRONT rabbitmq epmd mariadb; do stop_one "$s"; done
if [ "${1:-}" = --wipe ] && [ -e "$MARKER" ]; then
  remove_devices
  rm -rf -- "$LAB_STATE"
fi
log "OpenStack is down"
