# `make repro` and `make test` need only Python >= 3.11, git and make.

PYTHON ?= python3
ENVIRONMENT := .venv
INSTALLED := $(ENVIRONMENT)/installed
# Each process begins with half of the tests, in order; who is done takes over from the other.
PARALLEL := --numprocesses 2 --dist worksteal
# Images of containers often set it. Each process would then compile all of Foldwise anew.
unexport PYTHONDONTWRITEBYTECODE
export PATH := $(CURDIR)/$(ENVIRONMENT)/bin:$(PATH)

.PHONY: repro final check forecast advise experiments bench test test-all lint environment local-config clean

repro: $(INSTALLED)  ## compare the candidates of params.yaml; JOBS=2 trains two folds in parallel
	@foldwise run $(if $(JOBS),--jobs $(JOBS))

final: $(INSTALLED)  ## train the choice on all images, test it once and export it
	@foldwise final $(if $(JOBS),--jobs $(JOBS))

check: $(INSTALLED)  ## report the errors in params.yaml, one on each line
	@foldwise check

forecast: $(INSTALLED)  ## measure how long the comparison takes, before anything trains
	dvc repro build
	@dvc repro --single-item --force forecast

advise: $(INSTALLED)  ## propose architectures for the images; WRITE=1 writes them to params.yaml
	dvc repro prepare
	@foldwise advise $(if $(WRITE),--write)

# Of HEAD and of each commit from which an experiment began: refs/exps/01/23.../NAME. All commits
# (--all-commits) would take minutes.
BEGAN = git for-each-ref --format='%(refname)' refs/exps | sed -n 's|^refs/exps/\(..\)/\(.\{38\}\)/.*|--rev \1\2|p'
experiments: $(INSTALLED)  ## a table of the experiments: changed parameters and results
	@dvc exp show --rev HEAD $$($(BEGAN) | sort -u) --only-changed --drop '.*/.*|params.yaml|stages' --keep 'model|mean|std|verdict'

# Holds fashion-mnist/*.gz and cifar10-jpg.zip; without them, the benchmark uses the digits.
DATA ?= ../shared/data
bench: $(INSTALLED)  ## speed compared with plain PyTorch, skorch and Lightning: 1 to 2 hours, on an idle machine
	@python -m benchmarks --params params.yaml --data "$(DATA)" --folder data/bench \
	--output reports/bench.md

test: $(INSTALLED)  ## the fast tests: about five minutes
	python -m pytest -m "not slow" $(PARALLEL)

test-all: $(INSTALLED)  ## every test
	python -m pytest $(PARALLEL)

lint: $(INSTALLED)  ## style, types and import layers
	ruff check
	ruff format --check
	mypy
	lint-imports

environment: $(INSTALLED)  ## only install everything

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: $(PYTHON) is Python " \
	+ sys.version.split()[0] + "; expected 3.11 or newer: make PYTHON=python3.12 ...")'
	@echo "Installing into $(ENVIRONMENT): about 6 GB, most of it PyTorch, one to a few minutes ..."
	$(PYTHON) -m venv $(ENVIRONMENT)
	@# pip would compile all 20,000 files on one core. A few of them are templates, not Python.
	python -m pip install --quiet --disable-pip-version-check --no-compile \
	--constraint constraints.txt --editable '.[dev]'
	@python -m compileall -qq -j 0 -x '/tests?/' $(ENVIRONMENT)/lib || true
	@# DVC's page loads Vega from the network; this one holds it.
	python .dvc/plots/offline.py
	@$(MAKE) --no-print-directory local-config
	@touch $(INSTALLED)

# DVC keeps pickle files in the site cache: not in /var/tmp, where other users may write. This is no
# `dvc config`, which fails if the path of this folder is not ASCII.
local-config:
	@python -c "import sys, configobj; \
	config = configobj.ConfigObj('.dvc/config.local', encoding='utf-8'); \
	config.setdefault('core', {})['site_cache_dir'] = sys.argv[1]; \
	config.setdefault('plots', {})['html_template'] = 'plots/offline.html'; \
	config.write()" "$$PWD/.dvc/tmp/site"

clean:  ## remove the environment and caches of tools; keep data and reports
	rm -rf $(ENVIRONMENT) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache *.egg-info
