# make demo    solve the NAFEMS T4 cooling plate into runs/nafems_t4
# make test    lint, types, tests, and the quick validation suite
# make lint    lint and types
# make clean   remove what was made, the environment too

VENV := .venv
BIN := $(VENV)/bin
CORE := $(VENV)/.installed-core
TEST := $(VENV)/.installed-test
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
CHROMIUM := /usr/bin/chromium

.PHONY: demo test lint clean chromium
.DEFAULT_GOAL := test

demo: $(CORE)
	$(BIN)/pinnsolve solve nafems_t4 --out runs/nafems_t4

# One thread to a worker: two workers on two cores do not get in each other's way.
test: export OMP_NUM_THREADS = 1
test: lint chromium
	$(BIN)/python -m pytest -n 2 tests validation/test_mutants.py
	$(BIN)/pinnsolve validate --suite quick

lint: $(TEST)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build dist runs pinnsolve.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache

# A stamp is touched only after its installation succeeded.
$(CORE): pyproject.toml constraints.txt | $(BIN)/pip
	$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(TEST): pyproject.toml constraints.txt | $(BIN)/pip
	$(PIP) install --constraint constraints.txt --editable '.[test]'
	@touch $(CORE) $@

# pip is the last thing that venv puts in place: where it is, the environment is whole.
$(BIN)/pip:
	@for candidate in python3.11 python3 python3.12 python3.13 python3.14; do \
	    if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	        echo "$$candidate -m venv $(VENV)"; \
	        exec $$candidate -m venv --clear $(VENV); \
	    fi; \
	done; \
	echo "pinnsolve needs Python 3.11 or newer, and none was found: install it" >&2; exit 1

# The report is looked at in a browser. Without one its tests are skipped and say so.
chromium:
	@if [ ! -x $(CHROMIUM) ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing chromium"; \
	    { apt-get -qq update && \
	      DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install chromium; \
	    } </dev/null >/dev/null 2>&1 || true; \
	fi
	@[ -x $(CHROMIUM) ] || echo "no $(CHROMIUM): tests that need a browser are skipped"
