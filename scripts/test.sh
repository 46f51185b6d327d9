#!/bin/bash
# make test: unit, property and integration tests, then the examples in the documentation. Needs no network and no root.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh cargo cc openssl kubectl initdb rabbitmq-server

if command -v cargo-nextest >/dev/null || scripts/need.sh cargo-nextest; then
  cargo nextest run --workspace --no-fail-fast "$@"
else
  echo "cargo-nextest could not be installed: going on with cargo test" >&2
  cargo test --workspace --all-targets --no-fail-fast "$@"
fi
cargo test --quiet --workspace --doc
