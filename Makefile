# Everything that is done with this repository. The first call makes .venv from the locks.
PYTHON ?= python3
BIN := .venv/bin
CODE := src tests $(wildcard bench examples)

.PHONY: run test check demo bench sim mutants crash spec clean

run: .venv/run.stamp  ## Start the twin; options in ARGS="--port 9000".
	@$(BIN)/kavach serve $(ARGS)

test: check  ## Everything that CI checks; options for pytest in ARGS.
	$(BIN)/pytest $(ARGS)

check: .venv/test.stamp  ## Format, lint, types, import directions.
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports

demo: .venv/run.stamp  ## The story of a cover order, on the terminal.
	@$(BIN)/kavach demo $(ARGS)

bench: .venv/bench.stamp  ## How fast and how big; see docs/benchmarks.md.
	$(BIN)/python -m bench $(ARGS)

sim: .venv/test.stamp  ## Worlds from seeds, then the property tests at length: RUNS=10000 SEED=7.
	$(BIN)/python -m tests.simulation $(if $(RUNS),--runs $(RUNS)) $(if $(SEED),--seed $(SEED)) $(ARGS)
	$(if $(ARGS),,HYPOTHESIS_PROFILE=deep RUNS=$(RUNS) $(BIN)/pytest tests/property $(if $(SEED),--hypothesis-seed=$(SEED)))

mutants: .venv/test.stamp  ## Rules broken on purpose, one at a time: each must be noticed.
	$(BIN)/python -m tests.simulation.mutants $(ARGS)
	$(BIN)/python -m tests.property.mutations

crash: .venv/test.stamp  ## Every crash point, and fifty kills of a loaded server; see docs/reliability.md.
	CRASH_EVERY=1 CRASH_KILLS=50 $(BIN)/pytest --capture=no tests/crash $(ARGS)

spec: .venv/run.stamp  ## The state tables of docs/spec, printed from the code.
	@$(BIN)/python -m kavach.core.print_spec

clean:  ## Forget everything made here but the data.
	rm -rf .venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

.venv/%.stamp: requirements/%.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("kavach needs Python 3.11 or newer; set PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement $<
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@
