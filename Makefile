# Everything that is done with this repository. The first call makes .venv from the locks.
PYTHON ?= python3
BIN := .venv/bin
# Another PYTHON makes .venv anew.
ifneq ($(origin PYTHON),file)
$(shell wanted=$$($(PYTHON) -V) && test "$$($(BIN)/python -V 2>&1)" = "$$wanted" || { test -z "$$wanted" || rm -rf .venv; })
endif
CODE := src tests $(wildcard bench examples)

# Two workers, a file of tests to each in turn; then what measures time or needs the machine alone.
TOGETHER := --numprocesses 2 --dist loadfile -m "not alone"
ALONE := -m alone
NONE_CHOSEN := 5  # What pytest ends with if ARGS chose no test of a phase.

.PHONY: run test check demo bench sim mutants crash release-check spec docs clean

run: .venv/run.stamp  ## Start the twin; options in ARGS="--port 9000".
	@$(BIN)/kavach serve $(ARGS)

test: check  ## Everything that CI checks, in at most 8 minutes on 2 cores; options for pytest in ARGS.
	$(BIN)/pytest $(TOGETHER) $(ARGS) || [ $$? -eq $(NONE_CHOSEN) ]
	$(BIN)/pytest $(ALONE) $(ARGS) || [ $$? -eq $(NONE_CHOSEN) ]

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
	$(if $(ARGS),,HYPOTHESIS_PROFILE=deep RUNS=$(or $(RUNS),500) $(BIN)/pytest tests/simulation/property tests/unit/core/money tests/e2e/test_soak.py \
		$(if $(SEED),--hypothesis-seed=$(SEED)))

mutants: .venv/test.stamp  ## Code broken on purpose: SAMPLE=200 SEED=7 draws changes; else every rule of a list.
	$(BIN)/python -m $(if $(SAMPLE),tests.tidy.mutants --sample $(SAMPLE) --seed $(or $(SEED),1),tests.simulation.mutants) $(ARGS)
	$(if $(SAMPLE)$(ARGS),,$(BIN)/python -m tests.unit.core.cell_mutants)

crash: .venv/test.stamp  ## Every crash point, and fifty kills of a loaded server; see docs/reliability.md.
	CRASH_EVERY=1 CRASH_KILLS=50 $(BIN)/pytest --capture=no tests/reliability/crash $(ARGS)

release-check: .venv/test.stamp  ## What needs a package registry or a second build; before a release.
	rm -rf build/release && mkdir -p build/release/clone && git archive HEAD | tar -x -C build/release/clone
	$(MAKE) -C build/release/clone test
	build/release/clone/$(BIN)/python -m flit_core.wheel --outdir build/release build/release/clone
	$(PYTHON) -m venv build/release/venv
	build/release/venv/bin/pip install --quiet --require-hashes --requirement requirements/run.txt
	build/release/venv/bin/pip install --quiet --no-deps build/release/kavach_oms-*.whl
	build/release/venv/bin/kavach demo
	$(PYTHON) -m venv build/release/tools
	build/release/tools/bin/pip install --quiet --require-hashes --requirement requirements/release.txt
	# The machines of others: every wheel is there for each, so that nothing needs a compiler.
	set -e; for platform in windows x86_64-apple-darwin aarch64-apple-darwin linux; do for python in 3.11 3.12 3.13 3.14; do \
		build/release/tools/bin/uv pip install --quiet --only-binary :all: --python-platform $$platform --python-version $$python \
			--target build/release/$$platform-$$python "$$(echo build/release/kavach_oms-*.whl)[server]"; done; done
	$(PYTHON) -m venv build/release/client
	build/release/client/bin/pip install --quiet build/release/kavach_oms-*.whl
	build/release/client/bin/python -c "import kavach.sdk"
	$(MAKE) docs
	build/release/tools/bin/uvx --from "build/release/clone[server]" kavach --version
	! build/release/client/bin/kavach serve

spec: .venv/run.stamp  ## The state tables of docs/spec, printed from the code.
	@$(BIN)/python -m kavach.core.print_spec

docs: .venv/test.stamp .venv/docs.stamp  ## The documents as a site, in build/site; strict.
	rm -rf build/pages && mkdir -p build/pages
	git ls-files -z | tar --null --files-from - --create --file - | tar --extract --file - --directory build/pages
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --config-file docs/mkdocs.yml

clean:  ## Forget everything made here but the data.
	rm -rf .venv build .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

.venv/%.stamp: requirements/%.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("kavach needs Python 3.11 or newer; set PYTHON=")'
	@echo "Installing the $$(grep -c == $<) packages of $< into .venv, where they stay; this takes a minute or so."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --progress-bar on --require-hashes --requirement $<
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
