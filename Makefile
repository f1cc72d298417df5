# Two commands from nothing but Python >= 3.11, git and make: `make repro` and `make test`.

PYTHON ?= python3
ENVIRONMENT := .venv
INSTALLED := $(ENVIRONMENT)/installed
# A file of tests stays with one of the two, so that what its tests share is made once.
TWO_AT_A_TIME := --numprocesses 2 --dist loadfile
export PATH := $(CURDIR)/$(ENVIRONMENT)/bin:$(PATH)

.PHONY: repro check advise experiments bench test test-all lint environment clean

repro: check  ## compare the candidates of params.yaml; JOBS=2 trains two folds at a time
	$(if $(JOBS),foldwise run --jobs $(JOBS),dvc repro)

check: $(INSTALLED)  ## say in one line each what is wrong in params.yaml
	@foldwise check

advise: $(INSTALLED)  ## propose what to compare on the images of params.yaml; WRITE=1 puts it there
	dvc repro prepare
	@foldwise advise $(if $(WRITE),--write)

experiments: $(INSTALLED)  ## every experiment in one row, with what differs between them
	@dvc exp show --only-changed --drop '.*/.*|params.yaml|stages' --keep 'model|mean|std|verdict'

# fashion-mnist/*.gz and cifar10-jpg.zip; where they are not, the digits are raced on.
DATA ?= ../shared/data
bench: $(INSTALLED)  ## how fast it is, beside other ways to do the same: an hour or two, alone
	@python -m benchmarks --params params.yaml --data "$(DATA)" --folder data/bench \
	--output reports/bench.md

test: $(INSTALLED)  ## the tests that take minutes at most
	python -m pytest -m "not slow" $(TWO_AT_A_TIME)

test-all: $(INSTALLED)  ## every test
	python -m pytest $(TWO_AT_A_TIME)

lint: $(INSTALLED)  ## style, types, and the arrows between packages
	ruff check
	ruff format --check
	mypy
	lint-imports

environment: $(INSTALLED)  ## everything installed, nothing run

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: $(PYTHON) is Python " \
	+ sys.version.split()[0] + "; expected 3.11 or newer: make PYTHON=python3.12 ...")'
	@echo "Installing into $(ENVIRONMENT): about 6 GB, most of it PyTorch, one to a few minutes ..."
	$(PYTHON) -m venv $(ENVIRONMENT)
	python -m pip install --quiet --disable-pip-version-check \
	--constraint constraints.txt --editable '.[dev]'
	@# Where DVC keeps pickles of its own: not in /var/tmp, which other users may write to.
	dvc config --local core.site_cache_dir "$(CURDIR)/.dvc/tmp/site"
	@touch $(INSTALLED)

clean:  ## the environment and what tools left; data and reports stay
	rm -rf $(ENVIRONMENT) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache *.egg-info
