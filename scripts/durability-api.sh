#!/bin/bash
# durability-api.sh [ROUNDS [SEED]]: kill -9 of the management API while clients post, 200 rounds on SQLite and 200 on
# PostgreSQL unless said otherwise. Prints what was acknowledged; fails if anything of it is not there.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh cargo cc initdb
export MULTINIC_DURABILITY_ROUNDS=${1:-200} MULTINIC_DURABILITY_SEED=${2:-4711}
profile=${PROFILE:-dev}
exec cargo test --quiet --profile "$profile" -p multinic --test durability -- --nocapture --test-threads=1
