# livemon: `make demo` to see it, `make test` to prove it. Needs Python 3.13 (with venv) or uv, and make; nothing else.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

UV_VERSION := 0.13.9
UV := $(shell command -v uv || echo .tools/uv/bin/uv)
BIN := .venv/bin
export UV_NO_PROGRESS := 1
# Tests start livemon hundreds of times: half of each start would go into compiling where nothing compiled may be kept.
unexport PYTHONDONTWRITEBYTECODE

ROOMS ?= 2000
SPEED ?= 10
SEED ?= 1
FOR ?=

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: .venv/.ready ## a rehearsal of the event week, watched by the real monitor: ROOMS= SPEED= SEED= FOR=seconds
	@exec $(BIN)/livemon rehearse --data-dir var-demo --rooms $(ROOMS) --speed $(SPEED) --seed $(SEED) $(if $(FOR),--for $(FOR))

demo-rtmp: .venv/.ready ## real nginx-rtmp and ffmpeg on loopback, watched by the monitor (Debian packages: tests/tools.sh)
	@exec $(BIN)/python -m monitor.rehearsal.demo_rtmp $(if $(FOR),--for $(FOR))

test: .venv/.ready-dev ## everything: lint, types, imports, all tests with real servers
	@$(MAKE) --no-print-directory -j2 -O static tools
	bash tests/run.sh

tools:
	bash tests/tools.sh

check: static ## what takes a minute: format, lint, types, imports, tests without real servers
	$(BIN)/pytest -m "not real and not slow" -q

static: .venv/.ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: .venv/.ready-dev ## the benchmarks as tables, and bench.json; history at 1 %, all of it with HISTORY=full (45 GB, half an hour)
	$(BIN)/python -m tests.bench

format: .venv/.ready-dev ## format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

boards: .venv/.ready-dev ## the Grafana boards anew, from grafana/boards
	$(BIN)/python -m grafana.boards

pictures: .venv/.ready-dev ## the pictures of docs/boards.md anew, in four minutes (Chromium and npm: tests/tools.sh)
	$(BIN)/python -m tests.boards.draw -o docs/pictures --since now-5m --after 45

parquet: .venv/.ready requirements-dev.lock ## what livemon export needs to write Parquet: pyarrow, 165 MB (in the tests' tools already)
	@VIRTUAL_ENV=.venv $(UV) pip install -q -c requirements-dev.lock pyarrow

lock: $(UV) ## the lock files anew, from pyproject.toml
	$(UV) pip compile -q pyproject.toml --group build --universal --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --python-version 3.13 -o requirements.lock
	$(UV) pip compile -q pyproject.toml --group dev --universal --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --python-version 3.13 -c requirements.lock -o requirements-dev.lock
	$(UV) pip compile -q pyproject.toml --group build --all-extras --universal --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --python-version 3.13 -c requirements.lock -c requirements-dev.lock -o requirements-extras.lock

# --- set-up: a private uv where none is installed, then a private environment from the lock files ---------------------

.tools/uv/bin/uv:
	@python=$$(command -v python3.13 || command -v python3) || { \
		echo "livemon needs Python 3.13 or uv; neither is here. Debian, Ubuntu: apt install python3 python3-venv" >&2; exit 1; }; \
	rm -rf .tools/uv; \
	"$$python" -m venv .tools/uv || { \
		echo "$$python cannot make a virtual environment. Debian, Ubuntu: apt install python3-venv" >&2; exit 1; }; \
	.tools/uv/bin/pip install -q --disable-pip-version-check uv==$(UV_VERSION)

.venv/bin/python: | $(UV)
	@$(UV) venv -q --python 3.13 .venv || { \
		echo "no Python 3.13 is here and none could be fetched. Debian 13: apt install python3; others: uv python install 3.13" >&2; exit 1; }

.venv/.ready: .venv/bin/python requirements.lock pyproject.toml
	@echo "setting up .venv (once)"
	@VIRTUAL_ENV=.venv $(UV) pip install -q --require-hashes -r requirements.lock
	@VIRTUAL_ENV=.venv $(UV) pip install -q --no-deps --no-build-isolation -e .
	@touch $@

.venv/.ready-dev: .venv/.ready requirements-dev.lock
	@echo "setting up the tools of the tests (once)"
	@VIRTUAL_ENV=.venv $(UV) pip install -q --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: help demo demo-rtmp test tools check static bench format boards pictures parquet lock
