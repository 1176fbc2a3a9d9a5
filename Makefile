# make demo | data | test | check | docs | parity | wheel | lowest | validate | health | chaos | bench | pages: each installs
# what it needs into .venv first.
#   make TORCH=torch==2.13.0 demo     another build of torch (a CPU build is about 1 GB, a CUDA build 5 GB)
#   make PYTHON=python3.12 test       another Python (3.11 or newer)

PYTHON ?= python3
TORCH ?= torch
VENV ?= .venv
WORKERS ?=
BIN = $(VENV)/bin

.PHONY: demo data smoke test check docs parity wheel lowest validate health chaos format bench pages clean

demo: data
	$(BIN)/coequal run demo --out runs/demo $(if $(WORKERS),--workers $(WORKERS))

# Fashion-MNIST out of the distribution's package, where it is not here yet and there is apt-get. Elsewhere, and if that
# fails, coequal downloads it when it is wanted. With COEQUAL_OFFLINE the first line only looks whether it is here.
data: $(VENV)/.ready
	@COEQUAL_OFFLINE=1 $(BIN)/python -c "$(DATA); load_dataset('fashion_mnist', data_folder())" 2>/dev/null \
	  || ! command -v apt-get >/dev/null \
	  || sh scripts/fashion_mnist_from_debian.sh "$$($(BIN)/python -c '$(DATA); print(data_folder())')/fashion_mnist" \
	  || echo "The package could not be had; coequal will try to download Fashion-MNIST."

DATA = from coequal.datasets._loading import data_folder, load_dataset

smoke: $(VENV)/.ready
	$(BIN)/coequal run smoke --out runs/smoke

test: $(VENV)/.ready
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: $(VENV)/.ready docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32
	$(BIN)/deptry src
	$(BIN)/python -m pytest -q tests/test_layers.py

# The documentation site, into build/docs: open build/docs/index.html. Every warning is an error; links are checked.
docs: $(VENV)/.ready
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --nitpicky --jobs auto \
	  --doctree-dir build/doctrees docs build/docs
	@echo "The site: $(CURDIR)/build/docs/index.html"

# Side by side with the metric libraries, which it installs beside coequal.
parity: $(VENV)/.parity
	$(BIN)/python -m pytest -q tests/encoders tests/metrics

$(VENV)/.parity: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --group parity --editable ".[efficientnet,transformers]"
	@touch $@

# Builds sdist and wheel, and runs a study with the wheel in an environment of its own.
wheel: $(VENV)/.packaging
	$(BIN)/python scripts/try_wheel.py $(WHEEL)

# The tests that use every dependency, with the lowest versions that pyproject.toml allows, in .venv-lowest, which takes
# another 5 GB. LOWEST=tests runs all tests.
lowest: $(VENV)/.packaging
	$(BIN)/python scripts/try_lowest.py $(LOWEST)

$(VENV)/.packaging: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --group packaging
	@touch $@

# Do the intervals cover what they promise? Are polygons found? Writes docs/explanation/validation.md. Twenty-five minutes.
validate: $(VENV)/.ready
	$(BIN)/python benchmarks/validate.py

# Are the verdicts of training health right? 180 runs that fail or not by construction, made anew: half an hour.
health: $(VENV)/.ready
	$(BIN)/python benchmarks/health.py make --out runs/failing
	$(BIN)/python benchmarks/health.py pack --out runs/failing
	$(BIN)/python benchmarks/health.py table

# Workers and coordinators killed at random, and the table equal to that of an undisturbed run.
chaos: $(VENV)/.ready
	COEQUAL_CHAOS=1 $(BIN)/python -m pytest -q -s tests/runner/test_chaos.py

# Every kind of page from the published results, with pictures at three widths, light and dark, in runs/pages; needs
# Chromium. PAGES=--docs makes those of docs/images/pages anew. Five minutes.
pages: $(VENV)/.ready
	$(BIN)/python scripts/pages.py $(PAGES)

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.parity
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/metrics.py
	$(BIN)/python benchmarks/score.py --images 100 --rounds 2
	$(BIN)/python benchmarks/neighbours.py
	$(BIN)/python benchmarks/manifold.py
	$(BIN)/python benchmarks/monitor.py
	$(BIN)/python benchmarks/page_weight.py

clean:
	rm -rf $(VENV) .venv-lowest build .pytest_cache .mypy_cache .ruff_cache

# Dependency groups need pip 25.1; the pip that comes with Python 3.11 is older.
$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "coequal needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Installing into $(VENV) (once; torch is 1 GB as a CPU build, 5 GB with CUDA) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet "$(TORCH)" --editable . --group dev --group docs
	@touch $@
