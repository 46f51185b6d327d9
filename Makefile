# Everything a contributor needs; each target sets up what it needs by itself.
.DEFAULT_GOAL := help
.PHONY: help demo test test-kubernetes e2e bench soak durability schemathesis lint generate

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## from the custom resource to the object in the cluster, on this machine: simulated cloud, operator, management API; nothing to install
	@scripts/need.sh cargo cc
	cargo run -q -p multinic -- demo --once

test: ## unit, property and integration tests, and the examples in the documentation
	@scripts/test.sh

test-kubernetes: ## the operator's stories on a real kube-apiserver, built from Debian 12's source package (root; 15 minutes, once)
	@scripts/need.sh cargo cc cargo-nextest
	scripts/kubernetes.sh run cargo nextest run -p multinic-operator --test engine --no-fail-fast

e2e: ## against a real OpenStack from Debian's packages (root; KEEP=1 leaves it running)
	@e2e/run.sh

bench: ## the planner alone, `multinic plan` against curl, the operator with 1,000 OpenstackConfigs, the management API, a backlog of notifications (17 minutes)
	@scripts/need.sh cargo cc curl python3
	cargo bench -q -p multinic-planner
	scripts/bench-plan.sh
	scripts/bench-operator.sh
	scripts/bench-api.sh
	scripts/bench-notifications.sh

soak: ## two replicas of the operator under random faults for MINUTES=10
	scripts/soak.sh $(or $(MINUTES),10)

durability: ## the management API under kill -9 while clients post: ROUNDS=200 on SQLite and as many on PostgreSQL
	scripts/durability-api.sh $(or $(ROUNDS),200)

schemathesis: ## the management API's contract, fuzzed against running servers on SQLite and PostgreSQL (1 minute; Python packages from PyPI)
	scripts/schemathesis.sh

lint: ## format, clippy, licenses of the dependencies, syntax of the scripts
	@scripts/lint.sh

generate: ## write deploy/crds and docs/openapi.json from the types
	@scripts/need.sh cargo cc
	cargo run -q -p multinic-model --example write_crds -- deploy/crds
	cargo run -q -p multinic-management-api --example write_openapi -- docs/openapi.json
