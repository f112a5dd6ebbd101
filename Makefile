# Everything that can be done from a checkout. `make help` lists it.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?=
AGENTS ?= 2
VENV := .venv
BIN := $(VENV)/bin
# The locks are whole. Left to find dependencies itself, an old pip takes the newest `coverage[toml]`
# beside the pinned `coverage` and then refuses it.
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
PEERS := build/peers
TESTS ?=
TASKS ?= 10000
KILLS ?= 50
ENGINES ?= sqlite mysql
FAULT ?=
ROUNDS ?=
LASTING ?=
WITHIN ?=
# One more than there are cores: many tests wait for processes. WORKERS=0 runs them in one process.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
export FLASK_APP := wsgi:app

.PHONY: help install run serve migrate seed test test-drills cover lint format docs bench scale peers-lock drill drill-cluster check wheel lock clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY) ## Make .venv with what the service needs

run: $(READY) ## Start the service with demonstration data (HOST, PORT, AGENTS=0 for no agents)
	@exec $(BIN)/python -m app.starting run --host '$(HOST)' --port '$(PORT)' --agents '$(AGENTS)'

serve: $(READY) ## Serve the database as it is: no migration, no demonstration data
	@exec $(BIN)/python -m app.starting serve --host '$(HOST)' --port '$(PORT)'

migrate: $(READY) ## Bring the database to the newest migration
	@$(BIN)/flask db upgrade

seed: $(READY) ## Add demonstration data
	@$(BIN)/flask demo

test: $(READY_DEV) ## Run the test suite, on both engines (TESTS='...' for pytest's own arguments)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m 'not drill' $(TESTS)

test-drills: $(READY_DEV) ## Small drills: real processes are killed, by chance and against the clock
	@$(BIN)/python -m pytest -n 0 -m drill $(TESTS)

cover: $(READY_DEV) ## Run the test suite with branch coverage of app
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m 'not drill' --cov --cov-report=term --cov-fail-under=95 $(TESTS)

lint: $(READY_DEV) ## Style, types and import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(READY_DEV) ## Rewrite the code in the house's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(READY_DEV) ## Write the generated tables of the README anew
	@$(BIN)/python docs/generate.py

bench: $(READY_DEV) ## Measure, and print each figure against its bound (BENCH=part; see benches/__main__.py)
	@$(BIN)/python -m benches $(BENCH)

scale: $(READY_DEV) ## Measure growth and peers, write docs/benchmarks.md (SIZES=100k,1M,10M ENGINES PARTS)
	@$(MAKE) -s $(PEERS)/.ready || echo "The peers cannot be installed here: they are not measured." >&2
	@$(BIN)/python -m benches.scale

peers-lock: ## Refresh the pins of the frameworks that we are compared with
	@PYTHON='$(PYTHON)' scripts/lock peers

drill: $(READY_DEV) ## Kill everything while tasks are carried out (TASKS, KILLS, ENGINES, FAULT=fence, transaction or death)
	@TASKS='$(TASKS)' KILLS='$(KILLS)' WITHIN='$(WITHIN)' ENGINES='$(ENGINES)' FAULT='$(FAULT)' $(BIN)/python tests/drills/drill.py

drill-cluster: $(READY_DEV) ## Let one of three Galera servers fail at a time under load (ROUNDS, LASTING)
	@ROUNDS='$(ROUNDS)' LASTING='$(LASTING)' $(BIN)/python tests/drills/cluster.py

check: lint ## Everything that CI checks
	@$(BIN)/python docs/generate.py --check
	@$(MAKE) cover
	@$(MAKE) test-drills

wheel: $(READY_DEV) ## Build a wheel into dist/
	@$(BIN)/python -m build --wheel --outdir dist . >/dev/null && ls dist/*.whl

lock: ## Refresh the pinned requirements from setup.cfg
	@PYTHON='$(PYTHON)' scripts/lock

clean: ## Remove .venv and everything that was built (not the data in instance/)
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed (make PYTHON=... names another)." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "Python cannot make a virtual environment: on Debian, apt install python3-venv." >&2; exit 1; }

# The stamps carry the time of the last install: while the lock is older, nothing is looked at.
$(READY): requirements.txt | $(BIN)/python
	@echo "Installing what the service needs into $(VENV) ..."
	@$(PIP) -r requirements.txt
	@touch $@

# The C driver for MySQL needs a compiler and the client library's headers; PyMySQL is there anyway.
$(READY_DEV): requirements-dev.txt requirements-mysql.txt | $(READY)
	@echo "Installing what the tests need into $(VENV) ..."
	@$(PIP) -r requirements-dev.txt
	@$(PIP) -r requirements-mysql.txt 2>/dev/null \
	  || echo "mysqlclient cannot be built here: PyMySQL is used." >&2
	@touch $@

# Frameworks to be compared with, in an environment of their own: the project does not need them.
$(PEERS)/.ready: benches/peers/requirements.txt
	@echo "Installing the peers into $(PEERS) ..."
	@rm -rf $(PEERS) && $(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r $<
	@touch $@
