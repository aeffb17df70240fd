# Everything installs into this folder (.venv/, .local/); a machine needs python3, make and git.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

LOCAL := .local
PYTHON := .venv/bin/python
UV := $(shell command -v uv || echo '$(LOCAL)/uv/bin/uv')
INSTALLED := .venv/installed
AZURITE := $(LOCAL)/azurite/installed
# Of the tests, for two processors: those that break a house, start programs or drive a browser wait for a third of their time.
WORKERS ?= 3
# A Python that uv has to fetch stays in this folder too.
export UV_PYTHON_INSTALL_DIR := $(CURDIR)/.local/python
# Whoever starts many processes compiles each module once, not once for each of them.
export PYTHONDONTWRITEBYTECODE :=
COMPILE := $(UV) pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links

# What of deploy/kubernetes/ is whole by itself; a kustomization is kustomize's.
MANIFESTS := $(filter-out %/kustomization.yaml,$(wildcard deploy/kubernetes/base/*.yaml deploy/kubernetes/overlays/*/*.yaml))
# Types take as long as all the others.
LINTS := lint-types lint-style lint-contracts

QUICK := not process and not browser and not matrix and not flow and not long

.PHONY: help demo up test quick pages chaos drill bench-console openapi screenshots lint $(LINTS) fmt lock audit

help: ## This list
	@echo 'Usage: make TARGET [ARGS="…"]'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(INSTALLED) ## One lease for every outcome, live in the terminal (ARGS=--json for one JSON document)
	@$(PYTHON) manage.py demo $(ARGS)

up: $(INSTALLED) ## The console with demo data on this machine, until Ctrl-C (ARGS="--port 9000 --workers 2")
	@$(PYTHON) manage.py up $(ARGS)

test: $(INSTALLED) ## Linters, types, import contracts and all tests (ARGS="tests/core -k name")
	@$(MAKE) --no-print-directory --jobs=3 $(LINTS) $(AZURITE)
	@echo 'lint: clean'
	@$(PYTHON) -m pytest -n $(WORKERS) --dist loadgroup $(or $(ARGS),--cov --cov-report=term --cov-fail-under=95)

quick: $(INSTALLED) ## The tests without programs, pages, browser, matrices, whole ways and what takes long, and without coverage (ARGS="tests/core -k name": of these, with pages)
	@$(PYTHON) -m pytest -q -n 2 --dist loadgroup -m '$(QUICK)$(if $(ARGS),, and not page)' $(ARGS)

pages: $(INSTALLED) ## Of what `quick` leaves out, what asks for pages of the console (ARGS="tests/leases")
	@$(PYTHON) -m pytest -q -n 2 --dist loadgroup -m '$(QUICK) and page' $(ARGS)

chaos: $(INSTALLED) ## Break everything for some minutes and see what is lost (SEED=7 for another run than the first)
	@$(PYTHON) -m tests.chaos --seed $(or $(SEED),1)
	@$(PYTHON) -m tests.chaos --seed $(or $(SEED),1) --profile long-hosts
	@$(PYTHON) -m tests.chaos --seed $(or $(SEED),1) --profile long-upgrade
	@$(PYTHON) -m tests.chaos.cups --seed $(or $(SEED),1)
	@$(PYTHON) -m tests.chaos.archives --seed $(or $(SEED),1)
	@$(PYTHON) -m tests.chaos.documents --seed $(or $(SEED),1)

drill: $(INSTALLED) ## Back up under load, destroy everything, restore it and see what is lost, and how long it takes (ARGS=--json)
	@$(PYTHON) -m tests.chaos.drill $(ARGS)

bench-console: $(INSTALLED) ## How fast the console is with 200,000 leases and 2,000,000 transitions (ARGS=--json)
	@$(PYTHON) -m bench.console $(ARGS)

openapi: $(INSTALLED) ## Write the description of the interface anew, docs/openapi.json, unless that breaks clients unawares
	@$(PYTHON) -m tests.api.description

screenshots: $(INSTALLED) ## Make the pictures in docs/images anew, in the machine's Chromium
	@$(PYTHON) -m pytest -q tests/browser/screenshots.py

lint: $(INSTALLED) ## Only what needs no server: style, types, import contracts, the compose file, the manifests
	@$(MAKE) --no-print-directory --jobs=2 $(LINTS)
	@echo 'lint: clean'

lint-types: $(INSTALLED)
	@.venv/bin/mypy --no-error-summary .

lint-style: $(INSTALLED)
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --check --quiet . || { echo 'Run "make fmt" to format these files:'; .venv/bin/ruff format --check .; exit 1; }

lint-contracts: $(INSTALLED)
	@contracts=$$(.venv/bin/lint-imports --no-logo) || { echo "$$contracts"; exit 1; }
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml deploy/postgres/archiving.yml deploy/postgres/replica.yml
	@.venv/bin/kubernetes-validate --quiet --strict $(MANIFESTS)

fmt: $(INSTALLED) ## Format the code and mend what a tool can mend
	@.venv/bin/ruff check --fix --quiet .
	@.venv/bin/ruff format .

# What a package of the tests or of a place for documents cannot go with, production does not have either.
lock: $(UV) ## Resolve pyproject.toml again into all requirements files
	@$(COMPILE) pyproject.toml --all-extras --output-file requirements-dev.txt
	@$(COMPILE) pyproject.toml --constraints requirements-dev.txt --output-file requirements.txt
	@$(COMPILE) pyproject.toml --extra s3 --extra azure --extra gcs --constraints requirements-dev.txt --output-file requirements-objects.txt

# An index that knows nothing of a package is no proof that it is sound: --strict makes a failure of it.
audit: $(INSTALLED) ## Whether a locked package has a known hole (asks a package index, so not part of `test`)
	@.venv/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off --requirement requirements-dev.txt $(ARGS)

# What installation says goes to standard error: `make demo ARGS=--json` prints a document and nothing else.
$(INSTALLED): requirements-dev.txt .python-version | $(UV)
	@mkdir -p '$(LOCAL)'
	@echo 'Installing Python $(shell cat .python-version) and the locked packages into .venv …' >&2
	@[ -x $(PYTHON) ] || $(UV) venv --quiet --allow-existing .venv >&2 \
	|| { echo 'There is no Python $(shell cat .python-version) on the PATH and uv could not fetch one: install it, and repeat.' >&2; exit 1; }
	@$(UV) pip sync --quiet --compile-bytecode --require-hashes --python $(PYTHON) requirements-dev.txt >&2
	@touch $@

# An Azure Blob Storage on loopback, for the contract of the back-ends, and a client of tus; where they cannot be had, that part is skipped and says so.
$(AZURITE): tests/storage/azurite/package.json tests/storage/azurite/package-lock.json tests/storage/azurite/.npmrc
	@mkdir -p '$(@D)'
	@if command -v npm > '$(LOCAL)/azurite.log' 2>&1; then \
	    echo 'Installing Azurite into $(@D) …' >&2; \
	    cp $^ '$(@D)' && cd '$(@D)' && npm ci --ignore-scripts --no-progress > ../azurite.log 2>&1 < /dev/null && touch installed \
	    || echo 'Azurite could not be installed, so its tests are skipped; see .local/azurite.log.' >&2; \
	else echo 'There is no npm, so the tests of Azure Blob Storage are skipped (Debian: apt-get install npm).' >&2; fi

# python3 may lack venv's pip (Debian without python3-venv), or pip, but hardly both.
$(LOCAL)/uv/bin/uv:
	@echo 'Installing uv into .local/uv …' >&2
	@mkdir -p '$(LOCAL)'
	@( python3 -m venv '$(LOCAL)/uv' && '$(LOCAL)/uv/bin/python' -m pip install --quiet uv ) > '$(LOCAL)/uv.log' 2>&1 \
	|| ( rm -rf '$(LOCAL)/uv' && python3 -m pip install --quiet --target '$(LOCAL)/uv' uv ) >> '$(LOCAL)/uv.log' 2>&1 \
	|| { echo 'uv could not be installed: python3 needs its venv or pip module (Debian: apt-get install python3-venv) and a package index it can reach; see .local/uv.log.' >&2; exit 1; }
