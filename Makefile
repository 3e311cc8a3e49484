# Everything a person needs to know is said by `make help`. It needs Python 3.11 and a package index; uv is
# taken from the PATH or fetched into .tools/, the project's environment is .venv/.

export UV_PROJECT_ENVIRONMENT := .venv
UV_VERSION := 0.13.9
UV := $(shell command -v uv)
ifeq ($(UV),)
UV := .tools/uv/bin/uv
FETCHED_UV := $(UV)
endif

BIN := .venv/bin
READY := .venv/.ready
EXPORT := export --quiet --frozen --all-extras --no-extra demo --no-default-groups --no-emit-project --no-header --no-annotate
PUBLIC_INDEX := https://(pypi\.org|files\.pythonhosted\.org)
PYTEST_ARGS ?= -n auto --maxprocesses 4

.DEFAULT_GOAL := help
.PHONY: help demo test check lint fmt docs bench

help: ## say what there is to do
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## make, deliver and announce real reports over real data, on this machine alone
	@$(BIN)/reportbus demo

test: $(READY) ## run the tests; PYTEST_ARGS="tests/core -x" runs some of them
	@$(BIN)/pytest $(PYTEST_ARGS)

check: lint test ## everything that has to be clean before a commit

lint: $(READY) ## all of check but the tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(UV) lock --check
	@$(UV) $(EXPORT) | diff requirements.txt - || { echo "requirements.txt is not what uv.lock says: make fmt"; exit 1; }
	@! grep -oE 'https?://[^/"]+' uv.lock | sort -u | grep -vxE '$(PUBLIC_INDEX)' || { echo "uv.lock names other hosts than the public index"; exit 1; }

fmt: $(READY) ## put code, imports and requirements.txt in order
	$(BIN)/ruff check --fix --exit-zero --quiet
	$(BIN)/ruff format
	$(UV) $(EXPORT) --output-file requirements.txt

docs: $(READY) ## write the reference pages anew, from the code
	$(BIN)/python docs/generate.py

bench: $(READY) ## measure the line; the figures go to build/bench.json
	PYTHONPATH=tests $(BIN)/python benchmarks/line.py

$(READY): pyproject.toml uv.lock $(FETCHED_UV)
	$(UV) sync --quiet --frozen --all-extras
	@touch $@

.tools/uv/bin/uv:
	@scripts/fetch-uv.sh $(UV_VERSION)
