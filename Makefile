# Two promises of the README: `make run` shows similar music, `make test` passes what CI passes.
# Each builds the environment it needs in .venv; a second call finds it ready.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PEERS  := .cache/peers
# A CPU build is enough for every test; where pip offers only the general one, point TORCH at a wheel.
TORCH  ?= torch==2.13.0
MUSIC  ?=
LIBRARY ?= $(if $(MUSIC),,.cache/demo-library)

.PHONY: run test audit browser lint bench results claims peers clean

run: $(VENV)/run.done
	@if [ -n "$(MUSIC)" ]; then \
	    $(BIN)/soundalike index "$(MUSIC)" $(if $(LIBRARY),--library "$(LIBRARY)",) || [ $$? -eq 1 ] && \
	    $(BIN)/soundalike similar $(if $(LIBRARY),--library "$(LIBRARY)",); \
	else \
	    $(BIN)/soundalike demo --folder .cache/demo-music --library "$(LIBRARY)"; \
	fi

test: $(VENV)/test.done browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@if $(BIN)/python -c "import socket; socket.create_connection(('pypi.org', 443), 5)" 2>/dev/null; \
	then $(MAKE) --no-print-directory audit; \
	else echo "pypi.org cannot be reached: dependencies are not audited."; fi
	$(BIN)/pytest

# Known vulnerabilities of what is installed, by the advisories at PyPI; .cache/audit.txt lists what has none.
audit: $(VENV)/test.done
	@mkdir -p .cache
	$(BIN)/pip-audit --local --skip-editable --progress-spinner off --output .cache/audit.txt || \
	    { cat .cache/audit.txt; exit 1; }

# The page is tested in Chromium. Where we may, Debian's packages are installed; else it is said what is missing.
browser:
	@if command -v chromedriver >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing chromium and chromium-driver for the tests of the page, once."; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	        chromium chromium-driver >/dev/null; \
	else echo "No chromedriver: the tests of the page are skipped. Install chromium and chromium-driver (Debian's names)."; fi

lint: $(VENV)/test.done
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/mypy

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "soundalike needs Python 3.11 or newer; try make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.done: pyproject.toml | $(BIN)/python
	@echo "Installing soundalike and what it needs into $(VENV), once; this takes a few minutes."
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/test.done: pyproject.toml | $(BIN)/python
	@echo "Installing soundalike, PyTorch and what the tests need into $(VENV), once; this takes a few minutes."
	$(BIN)/pip install --quiet --disable-pip-version-check "$(TORCH)"
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[train,dev]"
	@touch $@ $(VENV)/run.done

# The figures of bench/results.md and docs/results.md. SYSTEMS: the one to compare the others with first.
# Model folders under runs/ are made as docs/evaluation.md and recipes/equal_compute.py say.
EQUAL   := $(foreach run,ast-30s artist clmr artist-cnn untrained,runs/equal/$(run)-equal/model)
SENSES  := runs/averaged/composition runs/averaged/sound
SYSTEMS ?= two-senses $(SENSES) ast-30s $(EQUAL) runs/untrained/model mfcc mean-log-mel chroma chroma-bigrams \
           mandel-ellis mandel-ellis-mp chance bliss musicnn musicnn-penultimate
SPLIT   ?= validation

bench: $(VENV)/test.done
	$(BIN)/pip install --quiet --disable-pip-version-check "bliss-audio<0.2"
	for name in augmentations cold_start index_speed install validation_cost; do \
	    $(BIN)/python bench/$$name.py --json bench/results/$$name.json || exit 1; \
	done
	$(BIN)/python bench/report.py

results: $(VENV)/test.done peers
	$(BIN)/soundalike evaluate $(SYSTEMS) --split $(SPLIT) --out docs/results/$(SPLIT).json
	$(BIN)/python bench/report.py

# The claims of docs/results.md; `results` comes first. The scratch models are recipes/from_scratch.py's.
CLAIM   := $(BIN)/soundalike claim
CLAIMS  := docs/results/claims
SCRATCH := $(foreach f,0.01 0.1 1,--scratch $(f)=runs/scratch/labels-$(f)/model)

claims: $(VENV)/test.done
	$(CLAIM) aggregation two-senses --out $(CLAIMS)/aggregation.json
	$(CLAIM) artist runs/equal/artist-equal/model runs/equal/ast-30s-equal/model --out $(CLAIMS)/artist.json
	$(CLAIM) artist runs/equal/artist-cnn-equal/model runs/equal/clmr-equal/model --out $(CLAIMS)/artist-cnn.json
	$(CLAIM) segment-length docs/results/validation.json \
	    $(foreach run,ast-30s clmr untrained,runs/equal/$(run)-equal) --out $(CLAIMS)/segment_length.json
	$(CLAIM) found-again docs/results/validation.json --out $(CLAIMS)/found_again.json
	$(CLAIM) ablation runs/ablation/record.json runs/ablation/arms.csv --out $(CLAIMS)/ablation.json
	$(CLAIM) labels two-senses runs/untrained/model mfcc mean-log-mel $(SCRATCH) --out $(CLAIMS)/labels.json
	$(CLAIM) cold-start default mfcc --out $(CLAIMS)/cold_start.json
	$(BIN)/python bench/report.py

# Other people's programs to compare with, each in an environment of its own: what they need contradicts
# what is needed here. A peer's recipe is what the "Install:" of its file in evaluation/peers says.
peers: $(PEERS)/bliss.done $(PEERS)/musicnn.done

$(PEERS)/bliss.done:
	$(PYTHON) -m venv $(PEERS)/bliss
	$(PEERS)/bliss/bin/pip install --quiet --disable-pip-version-check "bliss-audio<0.2" numpy
	@touch $@

$(PEERS)/musicnn.done:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 12) and "musicnn needs Python 3.9 to 3.11; try make peers PYTHON=python3.11")'
	$(PYTHON) -m venv $(PEERS)/musicnn
	$(PEERS)/musicnn/bin/pip install --quiet --disable-pip-version-check "tensorflow-cpu==2.15.1" "numpy<2" "librosa<0.11"
	$(PEERS)/musicnn/bin/pip install --quiet --disable-pip-version-check --no-deps musicnn
	@touch $@

clean:
	rm -rf $(VENV) .cache build dist *.egg-info src/*.egg-info
