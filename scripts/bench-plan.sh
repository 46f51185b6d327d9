#!/bin/bash
# bench-plan.sh [VMS]: time of `multinic plan` against the same requests issued by curl, on the lab's simulator.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh cargo cc curl python3
cargo build --quiet --release -p multinic -p multinic-e2e
"${CARGO_TARGET_DIR:-target}/release/bench-plan" "$@"
