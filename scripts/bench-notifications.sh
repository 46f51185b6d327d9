#!/bin/bash
# bench-notifications.sh [MESSAGES] [RUNS]: how long a backlog of recorded notifications takes from a real RabbitMQ, and the memory.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh cargo cc rabbitmq-server
cargo run --quiet --release -p multinic-notifications --example drain -- "$@"
