# `make run` and `make test` are all that a fresh machine needs: each sets up .venv by itself.
# Everything is started as `python -m`, by a relative path: a folder may have any name, also one that
# the first line of an installed script cannot hold.
PYTHON ?= python3
TIER ?= laptop
CORES ?= all
CONFIG ?=
PROFILE ?= default
WORKERS ?= auto
PY := .venv/bin/python
FOR_RUN := .venv/.installed-run
FOR_TEST := .venv/.installed-test
FOR_SLURM := .venv/.installed-slurm
# The locks are complete, so that nothing is looked for beyond them.
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r

.PHONY: run test site sabotage lint format benchmark lock browser clean

# `make run PROFILE=slurm`: the same jobs through a cluster's queue (docs/cluster.md).
run: $(if $(filter slurm,$(PROFILE)),$(FOR_SLURM),$(FOR_RUN))
	$(PY) -m snakemake $(if $(filter default,$(PROFILE)),--cores $(CORES),--workflow-profile profiles/$(PROFILE)) --config tier=$(TIER) $(CONFIG)

test: $(FOR_TEST) browser
	$(PY) -m pytest -n $(WORKERS) --dist worksteal $(PYTEST)

# The static site of the largest tier that has run, in site/: findings, papers, claims, documents.
site: $(FOR_RUN)
	$(PY) -m workflow.page.site

# For tests/browser, where it may be installed; elsewhere they are skipped with the reason.
browser:
	bash tests/browser/install.sh

# Whether the suite notices the faults of workflow/trust/sabotage/faults.yaml that are marked for
# it; with SABOTAGE=--brief all of them (about an hour).
SABOTAGE ?= --ci
sabotage: $(FOR_TEST)
	$(PY) -m workflow.trust.sabotage $(SABOTAGE) $(if $(filter-out all,$(CORES)),--cores $(CORES))

lint: $(FOR_TEST)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m snakefmt --check Snakefile workflow
	$(PY) -m snakemake --lint

format: $(FOR_TEST)
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	$(PY) -m snakefmt Snakefile workflow

# The peer runs in an environment of its own (2 GB, made once); PEER: another place for it.
PEER ?= .env-neural-tangents
benchmark: $(FOR_TEST) $(PEER)/.installed
	PEER_PYTHON=$(PEER)/bin/python $(PY) -m benchmarks.run $(BENCHMARK)

$(PEER)/.installed: benchmarks/make_peer_environment.sh
	bash benchmarks/make_peer_environment.sh $(PEER)
	touch $@

# After an upgrade of single packages in .venv: pin what is there now (five minutes).
lock: $(FOR_TEST)
	$(PY) .ci/lock.py

clean:
	rm -rf .venv .snakemake results/smoke results/laptop results/paper

# torch for CPUs where pip finds it. The index's for Linux is another build, which does not load
# without the libraries of CUDA (5 GB).
$(FOR_RUN): requirements.lock requirements-cpu.lock requirements-cuda.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed")'
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(INSTALL) requirements-cpu.lock 2>/dev/null || echo "pip finds no torch for CPUs alone; the index's is taken"
	$(INSTALL) requirements.lock
	$(PY) -c 'import torch' 2>/dev/null || { $(INSTALL) requirements-cuda.lock && $(PY) -c 'import torch'; }
	touch $@

$(FOR_SLURM): $(FOR_RUN) requirements-slurm.lock
	$(INSTALL) requirements-slurm.lock
	touch $@

$(FOR_TEST): $(FOR_RUN) requirements-test.lock
	$(INSTALL) requirements-test.lock
	touch $@
