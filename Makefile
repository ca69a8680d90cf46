# `make help` lists what there is. Everything a machine needs beyond make itself is installed or named in one line.
SHELL := /bin/sh
PYTHON := .venv/bin/python
VENV := .venv/.complete
WEB := tests/web/node_modules/.complete
NPM_OPTIONS := --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000
HOST := sh builder/host-packages.sh
BUILT := armv7 x86_64# what the tests run; `make dist` builds all targets

.DEFAULT_GOAL := help
.PHONY: help setup web demo test test-servers test-all-else test-quick soak conformance check format dist bench lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  make %-11s %s\n' "$$name" "$$text"; done

setup: $(VENV) ## Python environment with the pinned packages

$(VENV): tests/requirements.txt
	@$(HOST) setup
	@echo "Setting up .venv"
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, this is `python3 --version`"; exit 1; }
	@python3 -m venv .venv
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/requirements.txt
	@touch $@

web: $(WEB) ## the web reader's own library, pinned, and a browser to run it in
	@$(HOST) web

$(WEB): tests/web/package.json tests/web/package-lock.json
	@$(HOST) npm
	@echo "Setting up tests/web/node_modules"
	@cd tests/web && npm ci $(NPM_OPTIONS) >/dev/null
	@touch $@

demo: $(VENV) ## a reading of a real book, from page turn to server, and what arrived [PICTURE=file.png]
	@$(HOST) demo $(if $(PICTURE),web)
	@$(MAKE) --no-print-directory $(WEB) 2>/dev/null || true # without it the demo says what it cannot show
	@$(PYTHON) -m tests.demo $(if $(PICTURE),--screenshot "$(PICTURE)")

test: check $(WEB) ## everything, with the static ARM executable under qemu (first run builds it: about 15 minutes)
	@$(HOST) test build web
	@$(PYTHON) -m builder build $(BUILT:%=--target %)
	@$(MAKE) --no-print-directory -j2 --output-sync=line test-servers test-all-else

test-servers: # two halves that take as long as each other: every machine that builds has two processors
	@$(PYTHON) -m pytest tests/contract

test-all-else:
	@$(PYTHON) -m pytest --ignore=tests/contract

test-quick: $(VENV) ## the tests that need no cross build; without a browser, if `make web` has not been run
	@$(HOST) test
	@$(PYTHON) -m pytest -m "not built$(if $(wildcard $(WEB)),, and not web)"

soak: check ## the long version of what `make test` tries a bounded number of: power cuts, kills, a lying server, highlights in two places (hours)
	@$(HOST) test build
	@$(PYTHON) -m builder build $(BUILT:%=--target %)
	@BOOKLORESYNC_SOAK=1 $(PYTHON) -m pytest -s tests/crash tests/lying tests/unit tests/annotations tests/contract/test_full_disk.py tests/contract/test_history_repeated.py tests/contract/test_rebuild.py

conformance: $(VENV) $(WEB) ## are highlights at the right words? DATA=folder of ground truth [PROGRAM=executable] [SAMPLE=n]
	@$(HOST) web $(if $(PROGRAM),test)
	@test -n "$(DATA)" || { echo "Say where the ground truth is: make conformance DATA=folder"; exit 1; }
	@$(PYTHON) -m tests.conformance "$(DATA)" $(if $(PROGRAM),--program "$(PROGRAM)") $(if $(SAMPLE),--sample $(SAMPLE))

check: $(VENV) ## ruff, mypy --strict, the restricted subset, luacheck, generated files
	@$(HOST) test
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@$(PYTHON) -m builder.subset device
	@$(PYTHON) -m builder.ca_list --check
	@luacheck --quiet device/launcher tests/launcher

format: $(VENV) ## lay the Python code out
	@$(PYTHON) -m ruff check --fix --quiet .
	@$(PYTHON) -m ruff format .

dist: $(VENV) ## executables, ledgers, SBOMs and the plugin's zip for all targets, into dist/
	@$(HOST) build
	@$(PYTHON) -m builder dist

bench: $(VENV) ## instructions, memory, sizes and requests against the budgets
	@$(HOST) test build bench
	@$(PYTHON) -m builder build $(BUILT:%=--target %)
	@$(PYTHON) -m tests.bench

lock: ## renew tests/requirements.txt from requirements.in (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --quiet tests/requirements.in -o tests/requirements.txt

clean: ## remove everything that can be made again, except downloaded and compiled libraries in .cache
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
