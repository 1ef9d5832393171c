# Everything runs in .venv, which is made on first use. `make` lists what there is.

# The distribution's own comes first: it was optimised when it was built, and one that was compiled at home mostly was not.
# Python code runs half again as fast there.
ifndef PYTHON
PYTHON := $(shell for each in /usr/bin/python3.11 python3.11 python3; do \
	$$each -c 'import ensurepip, venv' 2>/dev/null && command -v $$each && break; done || echo python3)
endif
TORCH_FROM ?=
FUZZ_SECONDS ?= 60
PAGES ?=
MODULE ?=
WORKERS ?= 2
# A file's tests stay together: they share fixtures, and some a sandbox. A worker that died is not replaced, because
# pytest-xdist 3.8 may wait for ever afterwards (its issue 1323).
IN_PARALLEL := -n $(WORKERS) --dist loadfile --no-loadscope-reorder --max-worker-restart 0

BIN := .venv/bin
INSTALLED := .venv/.installed
CHECKED_DATABASE := .venv/check.db

.DEFAULT_GOAL := help
.PHONY: help assets screenshots demo serve test client-test exercises check fuzz api-test mutate compose-test bench load lock audit clean

help: ## this list
	@echo "Backprop Dojo. Needs Python 3.11 or newer, make and a package index."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  PYTHON=…      the Python to use; now $(PYTHON)"
	@echo "  TESTS=…       the tests to run, as pytest takes them, such as TESTS='-x --pdb tests/server'"
	@echo "  WORKERS=…     the processes that share all tests; now $(WORKERS)"
	@echo "  PAGES=…       the pages to photograph, by the names of tests/pages/pages.py; all without it"
	@echo "  FUZZ_SECONDS=… how long each fuzzer runs; now $(FUZZ_SECONDS)"
	@echo "  MODULE=…      the module to mutate, such as compare; --again tries only what survived the last time"
	@echo "  TORCH_FROM=…  extra pip arguments for torch alone. On Linux a plain install may bring the CUDA build,"
	@echo "                gigabytes that are not used here: TORCH_FROM='--index-url ADDRESS', with the address"
	@echo "                of PyTorch's CPU builds, brings some 200 MB."

demo: $(INSTALLED) ## grade a right and a wrong answer on a server of its own, print the tables, stop
	$(BIN)/python -m server demo

serve: $(INSTALLED) ## run a server; prints its address, the instructor's token and the join code
	$(BIN)/python -m server quickstart

test: $(INSTALLED) ## all tests, in WORKERS processes; those that TESTS names in one
	$(BIN)/python -m pytest -q $(or $(TESTS),$(IN_PARALLEL))

client-test: $(INSTALLED) ## the client alone, in an empty environment of each Python that is here; minutes
	$(BIN)/python -m pytest -rs -s tests/client/pythons.py

exercises: $(INSTALLED) ## prove every exercise of this repository, and write docs/exercises.md; a minute
	$(BIN)/python -m author prove --all --quick --jobs $(WORKERS) --page docs/exercises.md

check: $(INSTALLED) ## style, types, layers, and migrations that match the models
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@rm -f $(CHECKED_DATABASE)
	DOJO_DATABASE_URL=sqlite:///$(CHECKED_DATABASE) $(BIN)/alembic -q upgrade head
	DOJO_DATABASE_URL=sqlite:///$(CHECKED_DATABASE) $(BIN)/alembic check

fuzz: $(INSTALLED) ## fuzz the readers of untrusted bytes and the diagnosis, FUZZ_SECONDS each (needs a wheel of atheris)
	$(BIN)/pip install -q --only-binary atheris -c constraints.txt -e '.[fuzz]'
	$(BIN)/python -m tests.fuzz result -max_total_time=$(FUZZ_SECONDS)
	$(BIN)/python -m tests.fuzz tensors -max_total_time=$(FUZZ_SECONDS)
	$(BIN)/python -m tests.fuzz_answers $(FUZZ_SECONDS)

api-test: $(INSTALLED) ## ask every route as every role: no 500, and no answer that is not documented (installs schemathesis)
	$(BIN)/pip install -q -c constraints.txt -e '.[api]'
	$(BIN)/python -m tests.api

mutate: $(INSTALLED) ## change MODULE, or each module that matters, and print what no test notices; hours
	$(BIN)/pip install -q -c constraints.txt -e '.[mutation]'
	$(BIN)/python -m tests.mutation $(MODULE)

compose-test: $(INSTALLED) ## the compose files for real: build, up, join, submit, progress, down; once more with workers
	TORCH_FROM='$(TORCH_FROM)' deploy/trial.sh
	TORCH_FROM='$(TORCH_FROM)' deploy/trial.sh workers

bench: $(INSTALLED) ## how fast it grades on this machine, and how many bytes a page is
	$(BIN)/python -m bench
	$(BIN)/python -m bench.pages
	$(BIN)/python -m bench.training

load: $(INSTALLED) ## a deadline evening on both engines: how long everybody waits, and that nothing is lost
	$(BIN)/python -m bench.load

# Torch comes first and alone (TORCH_FROM), so its own builds, CUDA's libraries among them, have no place in the lock.
KEEP_TESTED = BEGIN { tested["setuptools"] = 1 } NR == FNR { split($$1, part, "=="); name = tolower(part[1]); gsub("_", "-", name); \
  tested[name] = name != "torch"; next } /^[^ ]/ { split($$1, part, "=="); keep = tested[part[1]] } keep

# The "+cpu" of a torch build is cut off, so that any build of that version fits.
lock: ## newest versions of everything, into constraints.txt, with hashes into requirements.lock (then: make check test)
	@echo "==> resolving in .venv-lock, without constraints"
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --no-deps $(TORCH_FROM) "$$(grep -o 'torch==[0-9.]*' pyproject.toml)"
	.venv-lock/bin/pip install -e '.[dev]' -e ./client
	{ echo "# What was tested together. Made by: make lock"; \
	  .venv-lock/bin/pip freeze --exclude-editable | sed 's/+.*//'; } > constraints.txt
	.venv-lock/bin/pip install -q uv pip-licenses
	.venv-lock/bin/uv pip compile -q pyproject.toml -c constraints.txt --generate-hashes --python-version 3.11 \
	  --no-header --no-annotate | awk '$(KEEP_TESTED)' constraints.txt - > requirements.lock
	{ printf '# Licences\n\nWhat a server consists of, beside its own code. What its pages load\nhas its licences in `server/pages/static/licences.txt`. Made by: make lock\n\n'; \
	  .venv-lock/bin/pip-licenses --from=mixed --format=markdown --order=name --packages torch \
	  $$(grep -o '^[^= ]*==' requirements.lock | tr -d =); } > docs/licences.md
	rm -rf .venv-lock

assets: ## build what pages load from server/pages/assets (needs node and npm; only for who changes it)
	cd server/pages/assets && npm ci --no-fund --no-audit && npm run --silent build

screenshots: $(INSTALLED) ## photograph every page of a class of 60 into docs/screenshots (needs Chromium; installs pillow; minutes)
	$(BIN)/pip install -q -c constraints.txt -e '.[pictures]'
	$(BIN)/python -m tests.pages.screenshots $(PAGES)

audit: $(INSTALLED) ## ask the package index whether a version that is installed has a known hole
	$(BIN)/pip install -q -c constraints.txt pip-audit
	$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements.lock

clean: ## remove .venv and caches; a server's data in var/ stays
	rm -rf .venv .venv-lock .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis .fuzz .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf *.egg-info client/src/*.egg-info

$(INSTALLED): pyproject.toml client/pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, and this is \
	%d.%d. Name one: make PYTHON=/path/to/python3.11" % sys.version_info[:2])'
	@echo "==> 1 of 3: a virtual environment in .venv"
	$(PYTHON) -m venv .venv
	@echo "==> 2 of 3: torch (the largest part; see TORCH_FROM in make help)"
	$(BIN)/pip install --no-deps $(TORCH_FROM) -c constraints.txt torch
	@echo "==> 3 of 3: everything else"
	$(BIN)/pip install -c constraints.txt -e '.[dev]' -e ./client
	@touch $@
