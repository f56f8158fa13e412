# `make run` and `make test` are all that a fresh machine needs: each sets up .venv by itself.
PYTHON ?= python3
TIER ?= laptop
CORES ?= all
CONFIG ?=
WORKERS ?= auto
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: run test sabotage lint format benchmark lock browser clean

run: $(STAMP)
	$(BIN)/snakemake --cores $(CORES) --config tier=$(TIER) $(CONFIG)

test: $(STAMP) browser
	$(BIN)/python -m pytest -n $(WORKERS) $(PYTEST)

# For tests/browser, where it may be installed; elsewhere they are skipped with the reason.
browser:
	bash tests/browser/install.sh

# Whether the suite notices the faults of workflow/trust/sabotage/faults.yaml that are marked for it.
sabotage: $(STAMP)
	$(BIN)/python -m workflow.trust.sabotage --ci $(if $(filter-out all,$(CORES)),--cores $(CORES))

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

benchmark: $(STAMP)
	$(BIN)/python -m benchmarks.run

# After an upgrade of single packages in .venv: pin what is there now.
lock: $(STAMP)
	{ sed -n '/^#/p' requirements.lock; $(BIN)/pip freeze | grep -v '^mup==' | sed 's/+cpu$$//'; } \
	  > requirements.lock.new && mv requirements.lock.new requirements.lock

clean:
	rm -rf .venv .snakemake results/smoke results/laptop results/paper

$(STAMP): requirements.lock requirements-nodeps.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements-nodeps.lock
	touch $@
