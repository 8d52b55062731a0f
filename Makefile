# Every target sets itself up in .venv, once: the stamp is renewed when pyproject.toml or constraints.txt change.
PYTHON ?= python3
WORKERS ?= 2
BIN := .venv/bin
STAMP := .venv/installed
GUESTS := .venv/guests/installed
BENCH_STAMP := .venv/installed-bench
BROWSER_STAMP := .venv/installed-browser
NETWORKS_STAMP := .venv/installed-networks
RAY_STAMP := .venv/installed-ray
FAMILIES_STAMP := .venv/installed-families
DOCS_STAMP := .venv/installed-docs
# Python compiles what it imports, a small part of all that is installed.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt

export OMP_NUM_THREADS ?= 1

# Without its window, where that can be had: pages open in half the time.
CHROMIUM := chromium-headless-shell chromium

SLOWLY := tests/laws tests/unit/project tests/journey/test_build.py tests/journey/test_known_answers.py

.PHONY: demo test pages test-browser test-browser-whole test-networks test-ray test-ray-whole reference-pictures lint laws reliability docs reference site news bench bench-quick bench-gpu bench-viewer bench-ray families clean
.DEFAULT_GOAL := test

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "layerscope needs Python 3.11 or later: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(INSTALL) --editable '.[dev]'
	touch $@

$(BENCH_STAMP): $(STAMP)
	$(INSTALL) --editable '.[dev,bench]'
	touch $@

$(BROWSER_STAMP): $(STAMP)
	$(INSTALL) --editable '.[dev,browser]'
	touch $@

$(NETWORKS_STAMP): $(STAMP)
	$(INSTALL) --editable '.[dev,networks]'
	touch $@

$(RAY_STAMP): $(STAMP)
	$(INSTALL) --editable '.[dev,ray,datasets,stores]'
	touch $@

$(FAMILIES_STAMP): $(STAMP)
	$(INSTALL) --editable '.[dev,families]'
	touch $@

$(DOCS_STAMP): $(STAMP)
	$(INSTALL) --editable '.[dev,docs]'
	touch $@

# The package that the tests take for somebody else's, beside layerscope in a folder of its own.
$(GUESTS): $(STAMP) $(shell find tests/plugin -name '*.py' -o -name '*.toml')
	rm -rf .venv/guests
	$(INSTALL) --no-deps --target .venv/guests ./tests/plugin
	touch $@

# What the layers of a trained network see, over pictures of known content; on all cores.
demo: $(STAMP)
	env -u OMP_NUM_THREADS $(BIN)/layerscope demo -o demo/

test: $(STAMP) $(GUESTS)
	$(BIN)/ruff check
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

# The tutorial, the guides and the demo are carried out, as a reader would who types what they say; README in `make test`.
pages: $(STAMP) $(GUESTS)
	$(BIN)/python -m pytest -m wide -n $(WORKERS) --dist worksteal tests/docs/test_pages_run.py \
		tests/docs/test_notebooks.py tests/journey/test_demo_of_the_world.py

# The viewer in a real browser: Debian's Chromium, installed here where it can be. Of long lists of pages some; all with
# test-browser-whole.
test-browser: $(BROWSER_STAMP)
	.ci/chromium $(CHROMIUM)
	.ci/onnxruntime-web
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal tests/browser

test-browser-whole: $(BROWSER_STAMP)
	.ci/chromium $(CHROMIUM)
	.ci/onnxruntime-web
	$(BIN)/python -m pytest -m "wide or not wide" tests/browser

# Networks of other packages, held to what these packages themselves compute; all applications of Keras in `make laws`.
test-networks: $(NETWORKS_STAMP)
	$(BIN)/python -m pytest tests/networks

# The engine ray on a cluster of three machines here, which takes all cores by itself; then images in stores and data sets,
# from servers that the tests start.
test-ray: $(RAY_STAMP)
	$(BIN)/python -m pytest tests/ray
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal tests/remote

test-ray-whole: $(RAY_STAMP)
	$(BIN)/python -m pytest -m "wide or not wide" tests/ray tests/remote

# Only after a page was changed on purpose: look at the new pictures before they are kept.
reference-pictures: $(BROWSER_STAMP)
	.ci/chromium $(CHROMIUM)
	$(BIN)/python -m pytest tests/browser/test_pictures.py --renew-pictures

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/lint-imports

# The wide sweeps: more networks, full input sizes, of every law that draws its examples (Hypothesis marks them) twenty
# times as many; then the laws once more with every fast path switched off (but those of a plan, which is one itself).
# The replay proof alone, over all of torchvision:
# .venv/bin/python -m pytest -m wide tests/wide/test_replay.py
laws: $(STAMP) $(GUESTS)
	HYPOTHESIS_PROFILE=wide $(BIN)/python -m pytest -m "wide or hypothesis" --ignore tests/reliability
	$(BIN)/python -m pytest -p tests.slow_paths --ignore tests/unit/project/test_plan.py $(SLOWLY)

# Every event of every command fails once, and histories of atlases at length: how many faults, and nothing lost.
reliability: $(STAMP)
	$(BIN)/python -m pytest -m "wide or not wide" tests/reliability

# The site is built, links checked; then what all pages tell a reader to type is typed, and what they say is held to the
# code.
docs: $(GUESTS) site
	$(BIN)/python -m pytest -m "wide or not wide" -n $(WORKERS) --dist worksteal tests/docs

# The pages as a site in build/site, to be opened from there or put on any static host.
site: $(DOCS_STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# What the fragments in news/ make of the next version's changes: shown, not written.
news: $(DOCS_STAMP)
	$(BIN)/towncrier build --draft --version "$$($(BIN)/python -c 'import layerscope; print(layerscope.__version__)')"

# The tables of settings in the reference pages, after the table in core/settings.py was changed.
reference: $(STAMP)
	$(BIN)/python docs/make_reference.py

# Keeps a bundle of everything that it measured in build/bench, and prints its table: about 40 minutes on two cores that do
# nothing else. OLD=FOLDER: another checkout, whose whole builds take turns with this one's, another 20 minutes.
# IMAGES=FOLDER: photographs in place of drawn pictures.
bench: $(BENCH_STAMP)
	env -u OMP_NUM_THREADS $(BIN)/python -m bench $(if $(OLD),--old $(OLD)) $(if $(IMAGES),--images $(IMAGES))

# A check of a change, in three minutes: AGAINST=FILE, a bundle of an earlier quick run, tells which lines fell.
bench-quick: $(BENCH_STAMP)
	env -u OMP_NUM_THREADS $(BIN)/python -m bench --quick $(if $(AGAINST),--against $(AGAINST))

# A scan and projections on the first GPU, in at most eight minutes.
bench-gpu: $(BENCH_STAMP)
	env -u OMP_NUM_THREADS $(BIN)/python -m bench.gpu

# The viewer's budgets, on a machine that does nothing else.
bench-viewer: $(BROWSER_STAMP)
	.ci/chromium
	env -u OMP_NUM_THREADS $(BIN)/python -m bench.viewer

# The engine ray beside local on photographs, simulated pieces by many actors, and the writer's memory: its table, printed.
# IMAGES=FOLDER: photographs in place of drawn pictures.
bench-ray: $(RAY_STAMP)
	env -u OMP_NUM_THREADS $(BIN)/python -m bench.cluster $(if $(IMAGES),--images $(IMAGES))

# Opens every network of families/networks.py, checks each, and writes docs/reference/networks.md. It takes hours, and goes
# on where it was stopped, on another machine too: families/results.jsonl holds a line for each network, to be committed.
# One check alone, beside what is known: .venv/bin/python -m families --check proposed
families: $(FAMILIES_STAMP)
	KERAS_BACKEND=torch $(BIN)/python -m families

clean:
	rm -rf .venv build demo dist
