# Two commands for a newcomer: `make demo` and `make test`. Both build .venv from the package index first; the stamp file
# under .venv remembers what was installed, so a second call starts at once. Needs Python 3.11 or newer, pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out/demo
DEMO ?=
PYTEST ?=
VLLM := .venv-vllm
INSPECT := .venv-inspect

.PHONY: demo test check format lint types docs vllm clean

demo: $(VENV)/.installed
	$(BIN)/fairreason demo --out $(OUT) $(DEMO)

test: $(VENV)/.installed-dev $(INSPECT)/.installed
	$(BIN)/python -m pytest $(PYTEST)

check: $(VENV)/.installed-dev lint types docs test

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

docs: $(VENV)/.installed-dev
	$(BIN)/python -m fairreason.cli.docs --check docs/cli.md

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python -m fairreason.cli.docs docs/cli.md

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Error: FairReason needs Python 3.11 or newer; say which with make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[dev]'
	touch $@

# Inspect pins other versions too; a test opens our logs with it.
$(INSPECT)/.installed:
	$(PYTHON) -m venv $(INSPECT)
	$(INSPECT)/bin/python -m pip install --disable-pip-version-check -q inspect-ai==0.3.285
	touch $@

# vLLM pins other versions of torch and transformers, so it lives in an environment of its own (server mode).
vllm: $(VLLM)/.installed

$(VLLM)/.installed: pyproject.toml constraints-vllm.txt
	$(PYTHON) -m venv $(VLLM)
	$(VLLM)/bin/python -m pip install --disable-pip-version-check -q -c constraints-vllm.txt -e '.[vllm]'
	touch $@

clean:
	rm -rf $(VENV) $(VLLM) $(INSPECT) build dist .mypy_cache .ruff_cache .pytest_cache
