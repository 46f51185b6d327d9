#!/bin/bash
# soak.sh [MINUTES [SEED]]: two replicas of the operator under random faults, 10 minutes unless said otherwise.
# PROFILE=dev: unoptimised. Exits with 1 on any difference, any interface that moved, any growth.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh cargo cc
profile=${PROFILE:-release}
cargo build --quiet --profile "$profile" -p multinic -p multinic-e2e
[ "$profile" = dev ] && profile=debug
exec "${CARGO_TARGET_DIR:-target}/$profile/soak" "$@"
