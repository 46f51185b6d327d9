#!/bin/bash
# Fills the lab.   seed.sh                    the fixed, named objects; summary in $LAB_STATE/seed.json
#                  seed.sh --clone N          N more servers with 4 ports each, by copying database rows (seconds)
#                  seed.sh --unclone          remove those
#                  seed.sh --tap up|down ID   plug or unplug a port's tap by hand (ACTIVE / DOWN)
set -uo pipefail
cd "$(dirname "$0")" || exit 1
. ./lib.sh
case ${1:-} in
  --clone | --unclone) exec $PY "$LAB_DIR/clone.py" "$@" ;;
  *) exec $PY "$LAB_DIR/seed.py" "$@" ;;
esac
