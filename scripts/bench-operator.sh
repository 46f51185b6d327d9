#!/bin/bash
# bench-operator.sh [PROJECTS CLUSTERS CONFIGS]: the operator at scale, on the lab's simulators and a real RabbitMQ. About ten minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh cargo cc rabbitmq-server
cargo build --quiet --release -p multinic -p multinic-e2e
"${CARGO_TARGET_DIR:-target}/release/bench-operator" "$@"
