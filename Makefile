# Two commands on a machine with Python 3.11+ and make: `make run` and `make test`.
# Everything is installed into .venv beside this file; nothing else on the machine is touched.

# The first one that is new enough; `make PYTHON=/path/to/python3.12 run` names another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
            $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PORT   ?=
ARGS   ?=

# What pytest ends with where ARGS chose none of the tests: those who measure have a run of their own.
NOTHING_CHOSEN := 5

# Always `python -m`: scripts in .venv/bin name this folder by its path, and it may be moved.
PY     := .venv/bin/python
PIP    := $(PY) -m pip --disable-pip-version-check --no-input install --quiet

# Stamps: newer than pyproject.toml once its dependencies are in. A broken install leaves none.
# No target holds the path of this folder, so that path may contain spaces.
VENV_READY  := .venv/.made
RUN_READY   := .venv/.installed-run
DEV_READY   := .venv/.installed-dev
BENCH_READY := .venv/.installed-bench

# Two at a time, then one by one those that need the machine for themselves. It fails if either fails,
# or if neither chose a test.
define two_runs
$(PY) -m pytest -m "$(1) and not alone" -n 2 $(2) $(ARGS); one=$$?; \
  [ $$one = 0 ] || [ $$one = $(NOTHING_CHOSEN) ] || exit $$one; \
  $(PY) -m pytest -m "$(1) and alone" $(ARGS); two=$$?; \
  [ $$two = 0 ] || [ $$two$$one = $(NOTHING_CHOSEN)0 ] || exit $$two
endef

.DEFAULT_GOAL := help
.PHONY: help run test test-browser test-slow check format generate lock bench bench-sync clean

help:
	@echo 'make run    start Unisono with a demo room on http://127.0.0.1:8000 (PORT=8001, ARGS="--data-dir /tmp/x")'
	@echo 'make test   run the tests against their own Postgres and Redis (ARGS="-k queue")'
	@echo 'make check  linters, types, architecture, generated files'
	@echo 'make bench  the benchmarks with their peers'
	@echo 'make bench-sync  record what listeners hear in real browsers (needs chromium, pulseaudio, faketime)'
	@echo 'make test-browser, make test-slow, make format, make generate, make lock, make clean'

# exec: a signal to the shell that make started is a signal to the server. $$PPID is make: the server
# ends with it, also when it is killed.
run: $(RUN_READY)
	@exec $(PY) -m roomserver serve --demo --parent $$PPID $(if $(PORT),--port $(PORT)) $(ARGS)

test: $(DEV_READY)
	$(PY) -m pytest -m "not browser and not slow" -n 2 --dist loadfile $(ARGS)

# The first run may choose nothing, then the second must: `make test-slow ARGS=tests/faults`.
test-browser: $(DEV_READY)
	$(call two_runs,browser,--dist worksteal)

test-slow: $(DEV_READY)
	$(call two_runs,slow,--dist loadfile)

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
	$(PY) -m tests.architecture.permissions
	$(PY) -m tests.architecture.metrics

# What the container installs, with the hash of every file: after a change of the dependencies, and now
# and then for their newer releases.
lock: $(VENV_READY)
	$(PIP) uv
	echo 'setuptools>=77' | $(PY) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	  --generate-hashes --custom-compile-command 'make lock' pyproject.toml - -o requirements.lock

bench: $(BENCH_READY)
	$(PY) -m tests.bench $(ARGS)

bench-sync: $(BENCH_READY)
	$(PY) -m tests.bench_sync --write $(ARGS)

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
