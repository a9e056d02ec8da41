# Two promises of the README: `make run` shows similar music, `make test` passes what CI passes.
# Each builds the environment it needs in .venv; a second call finds it ready.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# A CPU build is enough for every test; where pip offers only the general one, point TORCH at a wheel.
TORCH  ?= torch==2.13.0
MUSIC  ?=
LIBRARY ?= $(if $(MUSIC),,.cache/demo-library)

.PHONY: run test lint bench results clean

run: $(VENV)/run.done
	@if [ -n "$(MUSIC)" ]; then \
	    $(BIN)/soundalike index "$(MUSIC)" $(if $(LIBRARY),--library "$(LIBRARY)",) || [ $$? -eq 1 ] && \
	    $(BIN)/soundalike similar $(if $(LIBRARY),--library "$(LIBRARY)",); \
	else \
	    $(BIN)/soundalike demo --folder .cache/demo-music --library "$(LIBRARY)"; \
	fi

test: $(VENV)/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

lint: $(VENV)/test.done
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/mypy

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "soundalike needs Python 3.11 or newer; try make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.done: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/test.done: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check "$(TORCH)"
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[train,dev]"
	@touch $@ $(VENV)/run.done

# The figures of bench/results.md and docs/results.md. SYSTEMS: the one to compare the others with first.
SYSTEMS ?= ast-30s-taught ast-30s runs/untrained/model mean-log-mel mfcc bliss
SPLIT   ?= validation

bench: $(VENV)/test.done
	$(BIN)/pip install --quiet --disable-pip-version-check bliss-audio
	for name in augmentations cold_start index_speed install; do \
	    $(BIN)/python bench/$$name.py --json bench/results/$$name.json || exit 1; \
	done
	$(BIN)/python bench/report.py

results: $(VENV)/test.done
	$(BIN)/pip install --quiet --disable-pip-version-check bliss-audio
	$(BIN)/soundalike evaluate $(SYSTEMS) --split $(SPLIT) --out docs/results/$(SPLIT).json
	$(BIN)/python bench/report.py

clean:
	rm -rf $(VENV) .cache build dist *.egg-info src/*.egg-info
