# A fresh machine needs Python 3.9 to 3.12 (3.11 is what this is run with), make and g++.
#
#   make demo    rewrite the masked-LM sample, train it on ONNX Runtime, prove it equal to eager
#   make test    the whole test suite
#   make benchmarks   ortwrap rewrite beside other tools that rewrite source, minutes
#   make docs    build the site of docs/ into site/, warnings are errors
#   make lint types setup clean
#
# The first run makes .venv and builds ORTModule's extensions; later runs only do what they are for.

PYTHON ?= $(shell for p in python3.11 python3; do $$p -c '' 2>/dev/null && echo $$p && break; done)
# Without a version, pip takes the newest torch with several gigabytes of CUDA packages.
TORCH ?= torch==2.13.0
SAMPLE ?= samples/masked_lm.py
STEPS ?= 20
# Tests run in so many processes.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n > 4 ? 4 : n)))

VENV := .venv
BIN := $(VENV)/bin

# What was installed depends on these alone: another content or another choice is another name.
KEY := $(shell { cat pyproject.toml; echo '$(PYTHON) $(TORCH)'; } | cksum | cut -d ' ' -f 1)
INSTALLED := $(VENV)/.installed-$(KEY)

EXTENSIONS_FIT := from ortwrap.runtime import extensions; exit(not extensions.is_installed())

# Only what is installed in .venv counts, whatever the machine or the user has beside it.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
export PYTHONNOUSERSITE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test benchmarks docs lint types clean

help:
	@sed -n 's/^#   //p' Makefile

# Asked each time: the extensions also go out of date with ortwrap's own patches, or are undone.
setup: $(INSTALLED)
	@$(BIN)/python -c '$(EXTENSIONS_FIT)' || $(BIN)/ortwrap doctor --fix

$(INSTALLED):
	@test -n '$(PYTHON)' || { echo 'neither python3.11 nor python3 is on PATH' >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet '$(TORCH)' --editable '.[runtime-cpu,dev,docs]'
	@rm -f $(VENV)/.installed-* && touch $@

demo: setup
	$(BIN)/ortwrap rewrite $(SAMPLE)
	$(BIN)/ortwrap verify $(SAMPLE) --steps $(STEPS)

test: setup
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

benchmarks: setup
	$(BIN)/python -m pip install --quiet torchfix pyupgrade
	$(BIN)/python -m benchmarks.rewrite --tree

# Its makers' notices are not ours, and would hide warnings.
docs: $(INSTALLED)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build dist site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
