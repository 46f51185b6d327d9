# Everything a contributor needs; each target sets up what it needs by itself.
.DEFAULT_GOAL := help
.PHONY: help demo test e2e bench lint generate

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## the whole pipeline on this machine over HTTP, nothing to install (a minute after the build)
	@scripts/need.sh cargo cc
	cargo run -q -p multinic -- demo --once

test: ## unit, property and integration tests, and the examples in the documentation
	@scripts/test.sh

e2e: ## against a real OpenStack from Debian's packages (root; KEEP=1 leaves it running)
	@e2e/run.sh

bench: ## the planner alone, then `multinic plan` against the same requests issued by curl
	@scripts/need.sh cargo cc curl python3
	cargo bench -q -p multinic-planner
	scripts/bench-plan.sh

lint: ## format, clippy, licenses of the dependencies, syntax of the scripts
	@scripts/lint.sh

generate: ## write deploy/crds and docs/openapi.json from the types
	@scripts/need.sh cargo cc
	cargo run -q -p multinic-model --example write_crds -- deploy/crds
	cargo run -q -p multinic-management-api --example write_openapi -- docs/openapi.json
