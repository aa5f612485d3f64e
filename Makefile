# The tasks of the project; CI runs exactly these.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8080
STORE ?= store
QUADS ?= 1000000
UI := $(shell find src/kg/web/ui -name node_modules -prune -o -type f -print)
ISLANDS := src/kg/web/static/ui/.sources

.PHONY: run test check ui bench bench-http bench-bulk bench-pages bench-validation clean

# Build the store from data/ if anything differs from it, and serve it.
run: $(VENV)/.installed $(ISLANDS)
	$(BIN)/kg build --store $(STORE)
	$(BIN)/kg serve --store $(STORE) --port $(PORT)

test: $(VENV)/.installed $(ISLANDS)
	$(BIN)/pytest

# The parts of the pages that run in a browser: made where their sources changed.
ui: $(ISLANDS)

# Lint, formats, types, floors, and our own project through its gate.
check: $(VENV)/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell src tests docs benchmarks ontology data hatch_build.py README.md CHANGELOG.md
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

# The server's time for each page, over a million quads and very large nodes.
bench-pages: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python benchmarks/pages.py --quads $(QUADS)

# Ten times as much: make bench-bulk QUADS=10000000. With the gate a million quads take minutes.
bench-bulk: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python benchmarks/bulk.py --quads $(QUADS) --gate

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,dev]'
	@touch $@

# The install made it; it needs Node.js and the npm registry only where the sources are others now.
$(ISLANDS): $(VENV)/.installed $(UI)
	$(BIN)/python hatch_build.py
	@touch $@

clean:
	rm -rf $(VENV) build dist store src/kg/web/static/ui src/kg/web/ui/node_modules
