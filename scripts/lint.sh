#!/bin/bash
# make lint: format, clippy, licenses and sources of the dependencies, syntax of the scripts.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh cargo cc python3 cargo-deny

cargo fmt --all --check
cargo clippy --quiet --workspace --all-targets -- -D warnings
cargo deny --log-level error check bans licenses sources

git ls-files --cached --others --exclude-standard '*.sh' .ci/run | while read -r script; do bash -n "$script"; done
git ls-files --cached --others --exclude-standard '*.py' | while read -r module; do
  python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$module"
done
echo "lint: clean"
