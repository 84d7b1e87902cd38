# `make reproduce` is the main job, `make test` checks everything; both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
ORACLES := .venv-oracles
OUT ?= runs/reproduce

.PHONY: reproduce test test-slow lint docs oracles bench clean

reproduce: $(VENV)/.installed
	$(BIN)/attractory reproduce --out $(OUT)

test: $(VENV)/.installed-test
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

# with real servers where they are installed (PostgreSQL's, sshd, libfaketime), else without; programs
# are compiled as users' are, which `make test` does not do: it would take longer
test-slow: $(VENV)/.installed-test
	XLA_FLAGS= $(BIN)/python -m pytest -m slow

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/docstrings.py

# the pages hold no output of their own: their code is run, their links are followed
docs: $(VENV)/.installed-test
	XLA_FLAGS= $(BIN)/python -m pytest -m 'slow or not slow' tests/test_docs.py

# measures and distances of populations beside the field's own packages
oracles: $(ORACLES)/.installed
	$(ORACLES)/bin/python -m pytest tests/oracles -rs

# the tables and the figure of docs/speed.md; everything beside the peers' libraries, in turn
bench: $(VENV)/.installed-test $(PEERS)/.installed $(ORACLES)/.installed
	$(BIN)/python benchmarks/generate_trials.py
	$(BIN)/python benchmarks/fixed_points.py
	$(BIN)/python benchmarks/training_step.py
	$(BIN)/python benchmarks/gpu_step.py
	$(BIN)/python benchmarks/growth.py
	$(BIN)/python benchmarks/time_to_trained.py
	$(BIN)/python benchmarks/reservoir.py
	$(BIN)/python benchmarks/force_step.py
	$(ORACLES)/bin/python benchmarks/population_distances.py
	$(BIN)/python benchmarks/speed_page.py

clean:
	rm -rf $(VENV) $(PEERS) $(ORACLES) build dist

$(VENV)/bin/pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	$(BIN)/python -m attractory.kernels
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps neurogym
	touch $@

# Keras, TensorFlow, torch and reservoirpy, which Attractory is timed beside, in an environment of their own
$(PEERS)/.installed: benchmarks/constraints.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -c benchmarks/constraints.txt tensorflow-cpu keras jax torch numpy reservoirpy
	touch $@

# rsatoolbox, POT, scikit-dimension, dsa-metric, lyapynov and dPCA beside Attractory, in one process
$(ORACLES)/.installed: pyproject.toml constraints.txt benchmarks/population_constraints.txt
	$(PYTHON) -m venv $(ORACLES)
	$(ORACLES)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -c benchmarks/population_constraints.txt -e '.[population-peers]' pytest hypothesis
	touch $@
