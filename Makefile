VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DO_NOT_TRACK := 1
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: help setup run test coverage check format mlflow viz viz-build docs clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

$(VENV)/installed: pyproject.toml requirements.lock
	@echo "installing into $(VENV): some minutes, 2.5 GB"
	python3 -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --quiet --constraint requirements.lock --editable '.[dev]'
	touch $@

setup: $(VENV)/installed  ## install everything into .venv (again only when a requirement changed)

run: setup  ## run the whole chain on the built-in dataset, quickly
	$(BIN)/kedro run --env quick

test: setup  ## run the tests, two processes at a time
	$(BIN)/pytest $(COVERAGE) --numprocesses 2 --dist loadfile --no-loadscope-reorder

coverage: COVERAGE := --cov
coverage: test  ## run the tests and measure which lines they run: half as long again

check: setup  ## check format, lint, import rules and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

format: setup  ## format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

mlflow: setup  ## serve the tracking store and MLflow on 127.0.0.1:5000
	$(BIN)/kedro tracking serve

viz: setup  ## open the pipelines in kedro viz
	$(BIN)/kedro viz

viz-build: setup  ## build the pipelines' pictures as a static site in build/
	$(BIN)/kedro viz build --include-previews

docs: setup  ## build the pages as a site in site/, links checked
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo open site/index.html

clean:  ## remove the virtual environment and caches, keep data
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache .viz build site
