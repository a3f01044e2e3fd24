# Every target does the set-up it needs; the second time that takes no time.
#   make demo    paint a photograph in the style of a picture of our own
#   make test    the tests
#   make test-gimp   the tests in a real GIMP 3, which is built where there is none
#   make check   everything that continuous integration runs
#   make dist    wheel, sdist, and the plug-in as a zip

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
OUT    := out
DIST   := dist

# The PyTorch that the conformance tests are run with. Its Linux wheel brings CUDA along; an index of CPU builds, given
# to pip in the environment, spares that.
TORCH  ?= torch==2.13.0

PYTEST := $(BIN)/python -m pytest
CONFORMANCE := tests/engine/test_backend_conformance.py tests/engine/test_recipes_against_oracle.py \
               tests/engine/test_device_descent.py tests/training

.PHONY: help setup demo test test-outside-gimp test-gimp test-slow test-backends lint format types imports check dist clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   //p' Makefile

setup: $(VENV)/installed

$(VENV)/installed: pyproject.toml
	@echo "== setting up $(VENV) (a few minutes the first time) =="
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(VENV)/backends: $(VENV)/installed
	@echo "== adding JAX and PyTorch =="
	$(BIN)/python -m pip install --quiet --disable-pip-version-check jax '$(TORCH)'
	@touch $@

demo: setup
	@echo "== painting a photograph in the style of a picture of our own =="
	$(BIN)/python examples/demo.py $(OUT)/demo

test: setup
	@echo "== tests =="
	@$(BIN)/python tests/gimp/gimp_root.py --find
	$(PYTEST) -m "not slow"

test-outside-gimp: setup
	@echo "== tests outside GIMP =="
	$(PYTEST) -m "not slow" --ignore tests/gimp

test-gimp: setup
	@echo "== tests in a real GIMP =="
	$(BIN)/python tests/gimp/gimp_root.py
	IMPASTO_REQUIRE_GIMP=1 $(PYTEST) tests/gimp

test-slow: setup
	@echo "== tests that take minutes, but for those in GIMP =="
	$(PYTEST) -m slow --ignore tests/gimp

test-backends: $(VENV)/backends
	@echo "== conformance on JAX =="
	KERAS_BACKEND=jax $(PYTEST) $(CONFORMANCE)
	@echo "== conformance on PyTorch =="
	KERAS_BACKEND=torch $(PYTEST) $(CONFORMANCE)

lint: setup
	@echo "== lint and format =="
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: setup
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: setup
	@echo "== types =="
	$(BIN)/mypy

imports: setup
	@echo "== import directions =="
	$(BIN)/lint-imports

check: lint types imports test-outside-gimp test-gimp test-slow test-backends

dist: setup
	@echo "== wheel, sdist and plug-in =="
	$(BIN)/python -m pip install --quiet --disable-pip-version-check build
	$(BIN)/python -m build --outdir $(DIST)
	$(BIN)/python -m impasto_installer.plugin_zip $(DIST)

clean:
	rm -rf $(VENV) $(OUT) $(DIST) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
