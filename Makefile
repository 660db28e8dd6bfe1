# Each target works from a bare clone: it makes .venv first, once, and installs nothing the second time.
.DEFAULT_GOAL := help
# Images set it. The tests start a thousand processes, and each would compile every module that it imports again.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
PY := $(VENV)/bin/python
# What the endpoint is measured beside has an environment of its own: some of it changes Python for whoever imports it.
VENV_BENCH := .venv-bench
# Set PYTHON=/path/to/python to choose the interpreter yourself.
PYTHONS := $(PYTHON) python3.13 python3.14 python3 python $(wildcard $(HOME)/.pyenv/versions/3.1[3-9]*/bin/python)

# Microsoft's own Functions host, where there is one: FUNCTIONS_HOST names the program that starts it (tests/functions_host).
VENV_HOST := .venv-host
# Python and pip alone: building the wheel, and a project from it, needs nothing else.
VENV_WHEEL := .venv-wheel
VENV_SITE := .venv-site

.PHONY: help selftest test test-claims test-waits stress nightly nightly-starters nightly-foreign nightly-tests parity \
  check format compile wheel new package release bicep docs site bench .venv .venv-bench .venv-host .venv-wheel .venv-site

help: ## show the targets
	@grep -hE '^[a-z.-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z.-]+):.*## /  make \1\t/' | expand -t 20

selftest: .venv ## call the endpoint on this machine as Entra does, and give the verdict
	@$(PY) -m selftest run --strict

# Three processes on two processors, because many tests wait. A file stays in one process: its tests share what is slow
# to start. The endpoint's own tests cover all of it; watching the others, too, would make each of them slower. What
# measures time runs alone; what mostly waits runs with its like, and the endpoint's own tests take the time that it
# leaves. The order is that of tests/conftest.py: the longest files first.
PARALLEL := $(PY) -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder
# Collecting all tests takes as long as many of these.
MARKED = $$(grep -rl --include='test_*.py' 'mark\.$(1)' tests)
test: .venv ## run the tests; TESTS=tests/selftest/judge runs a part of them
ifdef TESTS
	@$(PY) -m pytest $(TESTS)
else
	@$(PARALLEL) -m "not quiet and not waits" --ignore=tests/claims
	@$(MAKE) --no-print-directory -j 2 test-claims test-waits
	@$(PY) -m pytest -q -m quiet $(call MARKED,quiet)
endif

# The properties come after, without the measurement, which makes their many examples three times as slow.
test-claims:
	@nice -n 19 $(PARALLEL) -m "not quiet and not waits and not hypothesis" tests/claims \
	  --cov --cov-report=term --cov-fail-under=100
	@nice -n 19 $(PY) -m pytest -q -n 2 --dist loadfile -m hypothesis tests/claims

# What it prints comes as a whole, after the other's dots.
test-waits:
	@printed=$$($(PARALLEL) -m waits $(call MARKED,waits) 2>&1); code=$$?; echo "$$printed"; exit $$code

stress: .venv ## memory with every provider, and every fault for 30 s at 50 a second (27 minutes)
	@STRESS_DURATION_S=30 $(PY) -m pytest -q -s tests/app/test_memory.py tests/selftest/checks/test_faults_under_load.py

parity: .venv $(if $(FUNCTIONS_HOST),.venv-host) ## compare the local host with Microsoft's (FUNCTIONS_HOST), 10 minutes
	@PARITY=all $(PY) -m pytest -q tests/parity tests/functions_host

# Each part runs, whatever became of those before it; the last one wants the machine for itself.
nightly: .venv ## what CI has no time for: those, every provider's starter, every foreign endpoint (90 minutes)
	@$(MAKE) --no-print-directory -k nightly-starters nightly-foreign nightly-tests parity stress bench

nightly-starters: .venv
	@NIGHTLY=1 STARTER_PROVIDERS=all $(PY) -m pytest -q tests/starter/test_copy.py

nightly-foreign: .venv
	@FOREIGN=all $(PY) -m pytest -q -n 3 tests/foreign

nightly-tests: .venv .venv-site
	@NIGHTLY=1 $(PARALLEL) -m nightly --ignore=tests/starter/test_copy.py

bench: .venv-bench $(if $(HOST),.venv-host) ## measure the endpoint beside its peers (27 minutes); HOST=…: also on Microsoft's host
	@HOST=$(HOST) $(VENV_BENCH)/bin/python -m benchmarks

check: .venv ## lint, format check, spelling, types, dead code
	@$(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m codespell_lib && $(PY) -m mypy && $(PY) -m vulture

format: .venv ## rewrite the code in the house format
	@$(PY) -m ruff check --fix . ; $(PY) -m ruff format .

BUILT = $$(ls -t dist/entra_selftest-*.whl | head -1)
wheel: .venv-wheel ## build dist/entra_selftest-*.whl, the tool for any folder and any endpoint
	@$(VENV_WHEEL)/bin/python -m pip wheel -q --disable-pip-version-check --no-deps --wheel-dir dist .
	@echo "built  $(BUILT)"

new: wheel ## make a project of your own: make new DIR=../contoso-claims [NEW="--provider graph"]
	@$(VENV_WHEEL)/bin/python -m selftest new $(DIR) --wheel "$(BUILT)" $(NEW)

package: .venv ## build build/package.zip, the deployable zip, reproducibly; EXTRA=shared-cache adds Redis' client
	@$(PY) -m infra.package $(if $(EXTRA),--extra $(EXTRA))

# The wheel's version has to be the tag's, and the changelog has to have its notes.
release: wheel package ## make release VERSION=v1.0.0: wheel, package, bill of materials, notes, into build/release/
	@rm -rf build/release && mkdir -p build/release/files
	@cp dist/entra_selftest-$(VERSION:v%=%)-py3-none-any.whl build/package.zip build/release/files
	@$(PY) -m uv run -q --no-project --with-requirements requirements-release.txt cyclonedx-py requirements \
	  --output-reproducible --output-file build/release/files/package.cdx.json requirements.txt
	@awk '/^## /{found = $$2 == "$(VERSION:v%=%)"; next} found' CHANGELOG.md > build/release/notes.md
	@grep -q . build/release/notes.md || { echo "CHANGELOG.md has no notes under ## $(VERSION:v%=%)" >&2; exit 2; }

bicep: .venv ## compile and lint infra/, and write what the preflight knows of main.bicep
	@$(PY) -m infra.bicep

docs: .venv ## generate docs/codes.md, docs/infra-checks.md, docs/host.md, docs/architecture.md's pictures and README's counts
	@$(PY) -m selftest explain --markdown > docs/codes.md
	@$(PY) -m tests.test_docs
	@$(PY) -m tests.infra.checks_page > docs/infra-checks.md
	@$(PY) -m tests.parity.page > docs/host.md
	@$(PY) -m tests.architecture
	@$(PY) -m tests.foreign.table

site: .venv-site ## build the docs as a site, into build/site/index.html
	@$(VENV_SITE)/bin/python -m sphinx -q -E -n -W --keep-going -c docs/site -d build/site-cache . build/site

# Each is compiled within the pins of the one before.
COMPILE = $(PY) -m uv pip compile -q --universal --python-version 3.13 --generate-hashes --no-annotate \
  --custom-compile-command 'make compile'
compile: .venv ## compile requirements*.txt from the dependency groups of pyproject.toml
	@$(COMPILE) --group app -o requirements.txt
	@$(COMPILE) --group telemetry -c requirements.txt -o requirements-telemetry.txt
	@$(COMPILE) --group shared-cache -c requirements.txt -o requirements-shared-cache.txt
	@$(COMPILE) --all-extras --group dev -c requirements.txt -o requirements-dev.txt pyproject.toml
	@$(COMPILE) --group install -c requirements-dev.txt -o requirements-install.txt
	@$(COMPILE) --group starter -c requirements-dev.txt -o requirements-starter.txt pyproject.toml
	@$(COMPILE) --group host -c requirements.txt -o requirements-host.txt
	@$(COMPILE) --group release -o requirements-release.txt
	@$(COMPILE) --all-extras --group bench -c requirements-dev.txt -o requirements-bench.txt pyproject.toml
	@$(COMPILE) --group site -o requirements-site.txt

.venv: $(VENV)/bin/entra-selftest ## make the environment and nothing else

.venv-bench: $(VENV_BENCH)/ready ## make the environment of the benchmarks and nothing else

.venv-host: $(VENV_HOST)/ready ## make the Python of Microsoft's host and nothing else

.venv-wheel: $(VENV_WHEEL)/ready

.venv-site: $(VENV_SITE)/ready ## make the environment of the site and nothing else

# The tool as it is in this checkout, by the name that it has where it is installed.
$(VENV)/bin/entra-selftest: $(VENV)/ready
	@printf '#!%s\nimport sys\n\nsys.path.insert(0, "%s")\nfrom selftest.__main__ import main\n\nsys.exit(main())\n' \
	  "$(CURDIR)/$(PY)" "$(CURDIR)" > $@ && chmod +x $@

$(VENV)/ready: requirements-dev.txt
$(VENV_BENCH)/ready: requirements-bench.txt
$(VENV_HOST)/ready: requirements-host.txt
$(VENV_WHEEL)/ready: Makefile
$(VENV_SITE)/ready: requirements-site.txt

# uv installs the same files in a third of pip's time, from PyPI. Where pip is configured with another index, or uv
# fails, pip installs. Python compiles a module when it is first imported: most of what is installed never is.
PIP = $(@D)/bin/python -m pip install -q --disable-pip-version-check --no-compile --require-hashes
define INSTALL
if ! $(@D)/bin/python -m pip config list | grep -q '[.]index-url=' && $(PIP) -r requirements-install.txt && \
  $(@D)/bin/python -m uv pip install -q --python $(@D) --require-hashes -r $<; then :; else $(PIP) -r $<; fi
endef

$(VENV)/ready $(VENV_BENCH)/ready $(VENV_HOST)/ready $(VENV_WHEEL)/ready $(VENV_SITE)/ready:
	@for python in $(PYTHONS); do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 13))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Python 3.13 or newer is needed and none was found (tried: $(PYTHONS))." >&2; \
	  echo "Install it, or name one: make PYTHON=/path/to/python3.13 $(MAKECMDGOALS)" >&2; exit 2; \
	fi; \
	echo "installing into $(@D) with $$($$found --version) ..." >&2; \
	$$found -m venv --clear $(@D)$(if $(filter %.txt,$<), && { $(INSTALL); })
	@touch $@
