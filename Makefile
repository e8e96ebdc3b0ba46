# childflow: every target does its own set-up; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

OUT ?= out
CHILDREN ?= 20000
SEED ?= 20241101
AS_OF ?= $(shell TZ=Asia/Shanghai date +%F)
LINKAGE_ROWS ?= 100000 1000000 3000000
INBOX ?= $(OUT)/city/inbox
REGISTER ?= $(OUT)/register.duckdb
SCALES ?= 0.02 0.2 $(SCALE)
BIN := .venv/bin
READY := .venv/ready
# the first interpreter here that runs and is of a supported version
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] < (3,14))' >/dev/null 2>&1 && { echo $$p; break; }; done)

.PHONY: help setup run test check sample evaluate simulate bench bench-rules bench-parts test-slow cover bench-linkage clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "childflow needs Python 3.11, 3.12 or 3.13: install one, or say 'make PYTHON=/path/to/python3.11'"; exit 2; }
	@echo "Setting up .venv with $(PYTHON) (once; a minute or two)"
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

setup: $(READY) ## the virtual environment with the locked dependencies

sample: $(READY) ## write the made-up city (CHILDREN=20000 SEED=20241101)
	@test ! -e $(OUT)/city/city.json || { echo "$(OUT)/city holds a city already: remove it with 'make clean', or write another with 'make run OUT=somewhere'"; exit 2; }
	@$(BIN)/childflow sample --children $(CHILDREN) --seed $(SEED) --out $(OUT)/city --as-of $(AS_OF)

run: sample ## the made-up city, then the nightly run over it
	@$(BIN)/childflow run --inbox $(INBOX) --register $(REGISTER) --as-of $(AS_OF)

evaluate: $(READY) ## compare the register of `make run` with the truth
	@$(BIN)/childflow evaluate --register $(REGISTER) --truth $(OUT)/city/truth

test: $(READY) ## the tests
	@$(BIN)/python -m pytest -n 2

cover: $(READY) ## every branch of rules/ is run by its own tests
	@$(BIN)/python -m pytest -n 2 tests/rules --cov=rules --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=100

test-slow: $(READY) ## the tests that take minutes: 100,000 random lives against the plain reading of the rule, random nights against full ones
	@$(BIN)/python -m pytest -n 2 -m slow tests/rules tests/journey/test_unchanged.py

check: $(READY) ## ruff, mypy --strict, the import law
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

simulate: $(READY) ## four quarters of weekly nights on a moving city of 20,000, checked against a register kept by hand
	@SIMULATE_CHILDREN=$(CHILDREN) $(BIN)/python -m pytest -s -m slow tests/journey/test_simulation.py

bench-rules: $(READY) ## the rule over a million children: seconds, CPU and memory
	@$(BIN)/python -m benchmarks.rules --children 1000000 --work $(OUT)/bench-rules

bench: $(READY) ## a night at scale 0.02 and 0.2, with SCALE=1.0 at five million children too: docs/benchmarks.md
	@$(BIN)/python -m benchmarks.night --scales $(SCALES) --work $(OUT)/bench

bench-parts: $(READY) ## what a part of each station costs on one core: docs/benchmarks/parts.md
	@POLARS_MAX_THREADS=1 $(BIN)/python -m benchmarks.parts --work $(OUT)/bench-parts

bench-linkage: $(READY) ## linkage beside Splink 5 (LINKAGE_ROWS="100000 1000000 3000000"): docs/benchmarks/linkage.md
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --upgrade --target $(OUT)/bench-linkage/peer -r benchmarks/linkage/requirements.txt
	@PYTHONPATH=$(OUT)/bench-linkage/peer $(BIN)/python -m benchmarks.linkage.run --rows $(LINKAGE_ROWS) --work $(OUT)/bench-linkage

clean: ## remove what `make run` wrote
	@rm -rf $(OUT)
