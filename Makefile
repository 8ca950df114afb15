# Everything a developer or a first-time user runs. `make help` lists the targets.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS := .peers
DATA ?= $(or $(STATIONDAY_DATA),../shared/data)

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-slurm check fuzz peers bench docs clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]' --constraint constraints.txt
	@touch $@

demo: $(STAMP)  ## Set up, run the main job on a synthetic network, and say where to look
	$(BIN)/stationday demo demo

# Two at a time, a file in one process: fixtures of modules are made once, and a cluster of tests is one of four.
test: $(STAMP)  ## Set up and run the tests (at most 10 minutes on 2 cores)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

test-all: $(STAMP)  ## Also the slow and the destructive tests
	HYPOTHESIS_PROFILE=explore $(BIN)/python -m pytest -m "not (gpu or slurm)" --timeout 3600

test-slurm: $(STAMP)  ## Start a SLURM on this machine, ingest through it, stop it (as root, on Debian)
	$(BIN)/python -m pytest -m slurm --timeout 1800 tests/cluster

fuzz: $(STAMP)  ## Damage files at random for a quarter of an hour, and read them
	$(BIN)/python tests/fuzz/fuzz.py --seconds 900 --seed $${SEED:-1}

check: $(STAMP)  ## Formatting, lint, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/join.py --check

$(PEERS)/.installed: tests/benchmarks/peers.txt
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --requirement tests/benchmarks/peers.txt
	@touch $@

peers: $(PEERS)/.installed  ## Make the environment of the peers that benchmarks run beside ours

bench: $(STAMP) $(PEERS)/.installed  ## Measure against the peers and the floors, and write docs/benchmarks (half an hour)
	$(BIN)/python -m tests.benchmarks

docs: $(STAMP)  ## Join docs/changes and docs/benchmarks into CHANGELOG.md and docs/benchmarks.md
	$(BIN)/python docs/join.py

clean:  ## Remove what make made
	rm -rf $(VENV) $(PEERS) build dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
