# The tasks of the project; CI runs exactly these.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8080
STORE ?= store
QUADS ?= 1000000

.PHONY: run test check bench bench-http bench-bulk bench-validation clean

# Build the store from data/ if anything differs from it, and serve it.
run: $(VENV)/.installed
	$(BIN)/kg build --store $(STORE)
	$(BIN)/kg serve --store $(STORE) --port $(PORT)

test: $(VENV)/.installed
	$(BIN)/pytest

# Lint, formats, types, floors, and our own project through its gate.
check: $(VENV)/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell src tests docs benchmarks ontology data README.md CHANGELOG.md
	$(BIN)/kg check

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/default_graph.py
	$(BIN)/python benchmarks/commit_and_deadline.py
	$(BIN)/python benchmarks/gate.py
	PYTHONPATH=tests $(BIN)/python benchmarks/point_query.py

# Beside `oxigraph serve`, which the extra `bench` installs.
bench-http: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[bench]'
	PYTHONPATH=tests $(BIN)/python benchmarks/over_http.py
	$(BIN)/pytest -q -s tests/web/test_hostile.py | grep "hostile clients"

# Beside pyshacl as it comes; the fast engine is that of the extra `fast`.
bench-validation: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[fast]'
	PYTHONPATH=tests $(BIN)/python benchmarks/validation.py

# Ten times as much: make bench-bulk QUADS=10000000. With the gate a million quads take minutes.
bench-bulk: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python benchmarks/bulk.py --quads $(QUADS) --gate

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,dev]'
	@touch $@

clean:
	rm -rf $(VENV) build dist store
