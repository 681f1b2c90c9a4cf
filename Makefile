SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3.11
BIN := .venv/bin
PIP := $(BIN)/pip install -q --disable-pip-version-check -c constraints.txt
ONE := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OMP_WAIT_POLICY=passive
SETUP := pyproject.toml constraints.txt
.PHONY: help setup run test lint bench claims docs pages serve fix clean

help: ## Show this list.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1|/' | column -t -s '|'

.venv/core: $(SETUP)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing (torch first: minutes, once) …"
	@$(PIP) torch==2.13.0 2>&1 | { grep -v '^WARNING: Location' || true; }; exit $${PIPESTATUS[0]}
	@$(PIP) -e . 2>&1 | { grep -v '^WARNING: Location' || true; }; exit $${PIPESTATUS[0]}
	@touch $@

.venv/serve: .venv/core
	@$(PIP) -e '.[serve]' 2>&1 | { grep -v '^WARNING: Location' || true; }; exit $${PIPESTATUS[0]}
	@touch $@

.venv/dev: .venv/core
	@$(PIP) -e '.[dev]' 2>&1 | { grep -v '^WARNING: Location' || true; }; exit $${PIPESTATUS[0]}
	@test -x /usr/bin/chromium || { apt-get update && apt-get install -y chromium; } >/dev/null 2>&1 || echo "Chromium could not be installed: the browser tests will be skipped."
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { apt-get update && apt-get install -y --no-install-recommends postgresql; } >/dev/null 2>&1 || echo "PostgreSQL could not be installed: its tests will be skipped."
	@command -v bwrap >/dev/null || { apt-get update && apt-get install -y --no-install-recommends bubblewrap; } >/dev/null 2>&1 || echo "Bubblewrap could not be installed: its tests will be skipped."
	@touch $@

setup: .venv/dev ## Install everything into .venv; does nothing when nothing changed.

run: .venv/core ## Train on MovieLens-small, recommend, write a report.
	@$(BIN)/tastemaker run

lint: .venv/dev ## Format check, ruff, mypy, imports.
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q . && $(BIN)/mypy --no-error-summary && $(BIN)/lint-imports --no-cache >/dev/null || { $(BIN)/lint-imports --no-cache; exit 1; }

docs: .venv/dev ## Build the pages into site/.
	@$(BIN)/zensical build --clean --strict >.venv/docs.log 2>&1 || { cat .venv/docs.log; exit 1; }

test: lint docs ## The whole gate: lint, types, imports, docs, tests, coverage.
	@rm -f .coverage .coverage.* && $(ONE) $(BIN)/pytest -n 2 -q --durations=10 --cov --cov-report=

bench: .venv/dev ## Run the benchmarks and write results/bench-*.json.
	@for file in benchmarks/*.py; do $(ONE) $(BIN)/python $$file || exit 1; done; $(BIN)/python recipes/render.py

claims: .venv/dev ## List the recipes; NAME=x runs one again; SLOW=1 runs the slow tests.
	@$(if $(SLOW),$(ONE) $(BIN)/pytest -q -m slow,$(if $(NAME),$(ONE) $(BIN)/python recipes/$(NAME).py && $(BIN)/python recipes/render.py,ls recipes/*.py | sed 's/recipes.//; s/.py$$//'))

serve: .venv/serve ## Serve the embedded data at 127.0.0.1:8000, trained once.
	@test -f runs/serve/manifest.json || $(BIN)/tastemaker run --data movielens-small --out runs/serve $$(test -d runs/serve && echo --resume)
	@$(BIN)/tastemaker serve runs/serve

pages: docs ## Read the pages at 127.0.0.1:8000.
	@$(BIN)/python -m http.server 8000 --bind 127.0.0.1 --directory site

fix: .venv/dev ## Format and mend what ruff can mend.
	@$(BIN)/ruff format -q . && $(BIN)/ruff check -q --fix .

clean: ## Remove what can be made again.
	@rm -rf .venv site build .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
