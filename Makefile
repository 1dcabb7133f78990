# Two commands do everything: make demo, make test. Python >= 3.11 and make are all that is needed.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
CORE := $(VENV)/core.installed
TEST := $(VENV)/test.installed
BENCH := $(VENV)/bench.installed

.PHONY: demo test check bench bench-auto bench-classical bench-deep bench-demo bench-censoring bench-censoring-effect bench-reconcile bench-vn2 bench-vn2-forecast bench-m5 bench-m5-peers bench-online-retail bench-retail-peers bench-simulate bench-yardsticks bench-zipkin bench-learned clean help

help:
	@echo "make demo    the whole loop on a built-in shop; says where the report is"
	@echo "make test    all tests"
	@echo "make check   format, lint, types, import directions"
	@echo "make bench   benchmarks on the data in SHELFWISE_DATA"

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(CORE): $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(TEST): $(CORE) pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --editable '.[test]'
	@touch $@

$(BENCH): $(TEST)
	$(PIP) install --constraint constraints.txt --editable '.[test,bench]'
	@touch $@

demo: $(CORE)
	$(BIN)/shelfwise demo

# One worker a core; threads that wait must not spin, or the workers starve each other.
test: $(TEST)
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest --numprocesses auto

check: $(TEST)
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_imports.py

bench: bench-simulate bench-yardsticks bench-zipkin bench-learned bench-auto bench-classical bench-deep bench-demo bench-censoring bench-censoring-effect bench-reconcile bench-vn2 bench-vn2-forecast bench-online-retail bench-retail-peers bench-m5 bench-m5-peers

bench-simulate: $(BENCH)
	$(BIN)/python -m benchmarks.bench_simulate
bench-yardsticks: $(BENCH)
	$(BIN)/python -m benchmarks.bench_yardsticks
bench-zipkin: $(BENCH)
	$(BIN)/python -m benchmarks.bench_zipkin
bench-deep: $(BENCH)
	$(BIN)/python -m benchmarks.bench_deep
bench-auto: $(BENCH)
	$(BIN)/python -m benchmarks.bench_auto
bench-learned: $(BENCH)
	$(BIN)/python -m benchmarks.bench_learned
bench-classical: $(BENCH)
	$(BIN)/python -m benchmarks.bench_classical
bench-demo: $(BENCH)
	$(BIN)/python -m benchmarks.bench_demo
bench-censoring: $(BENCH)
	$(BIN)/python -m benchmarks.bench_censoring
bench-censoring-effect: $(BENCH)
	$(BIN)/python -m benchmarks.bench_censoring_effect
bench-reconcile: $(BENCH)
	$(BIN)/python -m benchmarks.bench_reconcile
bench-vn2: $(BENCH)
	$(BIN)/python -m benchmarks.bench_vn2
bench-vn2-forecast: $(BENCH)
	$(BIN)/python -m benchmarks.bench_vn2_forecast
bench-m5: $(BENCH)
	$(BIN)/python -m benchmarks.bench_m5
bench-m5-peers: $(BENCH)
	$(BIN)/python -m benchmarks.bench_m5_peers
bench-online-retail: $(BENCH)
	$(BIN)/python -m benchmarks.bench_online_retail
bench-retail-peers: $(BENCH)
	$(BIN)/python -m benchmarks.bench_retail_peers

clean:
	rm -rf $(VENV) build dist shelfwise-demo benchmarks/work
