# The commands of Vitrine. `make help` prints them.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
GROWN ?=
LOCK := $(if $(GROWN),requirements/grown.txt,requirements/run.txt)
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 8000
DATA ?= var/demo
SEED ?= 1
VERSION ?=

.DEFAULT_GOAL := help
.PHONY: help run test coverage check venv vendor bench load docs changelog demo-app lock clean

help: ## This list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 12

run: venv ## Start the whole product with the demonstration on http://127.0.0.1:8000
	@exec $(BIN)/vitrine serve --demo --data $(DATA) --host $(HOST) --port $(PORT)

venv: $(VENV)/.run ## Build .venv from the hashed locks (GROWN=1: with PostgreSQL and object stores)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Vitrine needs Python 3.11 or newer (PYTHON=... make)."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/.run: $(VENV)/bin/python $(LOCK) pyproject.toml package-lock.json tools/vendor.sh
	@echo "Installing what the server needs ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@sh tools/vendor.sh $(BIN)
	@touch $@

$(VENV)/.test: $(VENV)/.run requirements/test.txt package-lock.json
	@echo "Installing what the tests need ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	@sh tools/browser.sh
	@sh tools/nginx.sh
	@sh tools/php.sh
	@$(BIN)/python tools/corpus.py
	@PATH="$$PATH:$(CURDIR)/$(BIN)" npm ci --silent --ignore-scripts --omit=optional
	@touch $@

vendor: $(VENV)/bin/python ## Fetch again what the pages take from npm (the viewer of PDFs)
	@sh tools/vendor.sh $(BIN)

check: $(VENV)/.test ## The quick gates: format, lint, types, import contracts
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache >/dev/null || { $(BIN)/lint-imports --no-cache; exit 1; }

# Workers and each server that a test starts read what the first process compiled.
test coverage load: export PYTHONDONTWRITEBYTECODE :=

test: check ## Everything that guards a merge (SEED=… draws another order of the tests)
	@$(BIN)/pytest -n 2 -m 'not nightly' --randomly-seed=$(SEED) --hypothesis-seed=$(SEED)

coverage: $(VENV)/.test ## Which lines the tests run; fails below the floor of pyproject.toml
	@$(BIN)/pytest -n 2 -m 'not nightly and not browser' --randomly-seed=$(SEED) --hypothesis-seed=$(SEED) --cov --cov-report=term:skip-covered --cov-report=html

bench: $(VENV)/.test ## Measure, print ratios and bars, keep the results
	@sh tools/wrk.sh
	@VIPS_CONCURRENCY=1 $(BIN)/python -m benchmarks.run

load: $(VENV)/.test ## Load and fault tests that take longer
	@$(BIN)/pytest tests/load -m 'slow or nightly'

docs: $(VENV)/.test ## Write the generated reference pages
	@$(BIN)/python tools/reference.py
	@$(BIN)/python tools/clauses.py

changelog: $(VENV)/.test ## Put the fragments into CHANGELOG.md (VERSION=0.2.0) and remove them
	@test -n "$(VERSION)" || { echo "Which version? make changelog VERSION=0.2.0"; exit 1; }
	@$(BIN)/towncrier build --yes --version $(VERSION)

demo-app: $(VENV)/.test ## Run the example application against `make run`
	@exec $(BIN)/python examples/web/run.py $(DATA)/demo.json

lock: $(VENV)/.test ## Compile the locks anew
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra build pyproject.toml -o requirements/run.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra build --extra grown pyproject.toml -o requirements/grown.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra build --extra grown --extra test pyproject.toml -o requirements/test.txt
	@sh tools/npm-lock.sh
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-deps requirements/demo.in -o requirements/demo.txt

clean: ## Remove what was built here; the data in var/ stays
	@rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage htmlcov artefacts
