# Two commands on a machine with Python 3.11+ and make: `make run` and `make test`.
# Everything is installed into .venv beside this file; nothing else on the machine is touched.

# The first one that is new enough; `make PYTHON=/path/to/python3.12 run` names another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
            $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PORT   ?=
ARGS   ?=

# Always `python -m`: scripts in .venv/bin name this folder by its path, and it may be moved.
PY     := .venv/bin/python
PIP    := $(PY) -m pip --disable-pip-version-check --no-input install --quiet

# Stamps: newer than pyproject.toml once its dependencies are in. A broken install leaves none.
# No target holds the path of this folder, so that path may contain spaces.
VENV_READY  := .venv/.made
RUN_READY   := .venv/.installed-run
DEV_READY   := .venv/.installed-dev
BENCH_READY := .venv/.installed-bench

.DEFAULT_GOAL := help
.PHONY: help run test test-browser test-slow check format generate bench clean

help:
	@echo 'make run    start Unisono with a demo room on http://127.0.0.1:8000 (PORT=8001, ARGS="--data-dir /tmp/x")'
	@echo 'make test   run the tests against their own Postgres and Redis (ARGS="-k queue")'
	@echo 'make check  linters, types, architecture, generated files'
	@echo 'make bench  the benchmarks with their peers'
	@echo 'make test-browser, make test-slow, make format, make generate, make clean'

# exec: a signal to the shell that make started is a signal to the server.
run: $(RUN_READY)
	@exec $(PY) -m roomserver serve --demo $(if $(PORT),--port $(PORT)) $(ARGS)

test: $(DEV_READY)
	$(PY) -m pytest -m "not browser and not slow" -n 2 --dist loadfile $(ARGS)

test-browser: $(DEV_READY)
	$(PY) -m pytest -m browser $(ARGS)

test-slow: $(DEV_READY)
	$(PY) -m pytest -m slow $(ARGS)

check: $(DEV_READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -m protocol.generate --check
	$(PY) -m pytest -q tests/architecture

format: $(DEV_READY)
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

generate: $(DEV_READY)
	$(PY) -m protocol.generate
	$(PY) -m tests.architecture.features

bench: $(BENCH_READY)
	$(PY) -m tests.bench $(ARGS)

$(VENV_READY):
	@[ -n "$(PYTHON)" ] || { \
	  echo 'Unisono needs Python 3.11 or newer, and found none on PATH.' >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'Unisono needs Python 3.11 or newer: $(PYTHON) is older, or is no Python.' >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo '$(PYTHON) cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@echo 'Installing into .venv (once; a minute or two) ...'
	@"$(PYTHON)" -m venv .venv
	@touch $@

$(RUN_READY): pyproject.toml $(VENV_READY)
	@$(PIP) --editable .
	@touch $@

$(DEV_READY): pyproject.toml $(VENV_READY)
	@$(PIP) --editable '.[dev]'
	@touch $@ $(RUN_READY)

$(BENCH_READY): pyproject.toml $(VENV_READY)
	@$(PIP) --editable '.[dev,bench]'
	@touch $@ $(DEV_READY) $(RUN_READY)

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
