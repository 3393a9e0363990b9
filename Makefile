# make demo   build .venv from the lock, score a sample article, train on the corpus, score again
# make test   run the fast tests
# make test-slow   the long ones; make coverage   all of them, with branch coverage
# make lint   ruff, mypy, spelling and the contract of imports
# make figures   compute the figures of datasets/framing.md; with MODELS=1 those of models, too
# make bench   measure speed beside peers and write benchmarks/RESULTS.md; those that are not installed are left out
#   (for all of them: .venv/bin/pip install '.[benchmarks]'); ONLY=scoring measures one section and writes nothing
# make notebooks   execute the notebooks in place; make notebooks-check   copies of them, on a sample
# make commands   write docs/commands.md from the commands' own help
# make lock   pin every dependency again

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
JUPYTER := $(VENV)/.jupyter
FUZZ := $(VENV)/.fuzz

.PHONY: demo test test-slow coverage lint figures bench notebooks notebooks-check commands lock clean

demo: $(READY)
	@echo "A sample article, scored with the model that comes with the package (its first use compiles for some seconds):"
	$(BIN)/framing score datasets/examples/transit.txt --format table --explain 3
	@$(MAKE) --no-print-directory demo/framing/model.json
	@echo "The same article with the model just trained:"
	$(BIN)/framing score datasets/examples/transit.txt --model demo/framing --format table --explain 3

demo/framing/model.json: $(READY) datasets/framing.csv datasets/codebook.toml
	@echo "Training on the corpus and measuring by nested cross-validation: two to four minutes on two cores."
	$(BIN)/framing train datasets/framing.csv --output demo/framing

test: $(READY)
	$(BIN)/python -m pytest -n auto -m "not slow"

test-slow: $(FUZZ)
	$(BIN)/python -m pytest -m slow

coverage: $(FUZZ)
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered --cov-fail-under=90

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

figures: $(READY)
	$(BIN)/python -m benchmarks.corpus_figures $(if $(MODELS),--models)

bench: $(READY)
	$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY),--output benchmarks/RESULTS.md)

notebooks: $(JUPYTER)
	$(BIN)/python notebooks/execute.py

notebooks-check: $(JUPYTER)
	$(BIN)/python notebooks/execute.py --check

# The package itself is installed without its dependencies: the lock has them all, with hashes.
$(READY): requirements.lock setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# Jupyter is large and only the notebooks need it, so it has a lock and a stamp of its own.
$(JUPYTER): $(READY) requirements-notebooks.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--requirement requirements-notebooks.lock
	touch $@

# Only the slow tests need a fuzzer, and it has no wheels for every platform.
$(FUZZ): $(READY) requirements-fuzz.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-fuzz.lock
	touch $@

commands: $(READY)
	$(BIN)/python -m benchmarks.command_reference

lock:
	uv pip compile --quiet setup.cfg --extra all --extra test --extra lint --extra build --universal --python-version 3.11 \
		--generate-hashes --no-strip-extras --no-emit-index-url --no-header --output-file requirements.lock
	# Older pips cannot tell an extra that is asked for in two spellings; what it brings is pinned by itself.
	sed -i.bak 's/^lxml\[html-clean\]==/lxml==/' requirements.lock && rm requirements.lock.bak
	uv pip compile --quiet setup.cfg --extra notebooks --constraint requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-strip-extras --no-emit-index-url --no-header --output-file requirements-notebooks.lock
	uv pip compile --quiet setup.cfg --extra fuzz --constraint requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-strip-extras --no-emit-index-url --no-header --output-file requirements-fuzz.lock

clean:
	rm -rf $(VENV) demo build dist *.egg-info
