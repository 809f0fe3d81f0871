# Everything installs into .venv/ in this checkout.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check clean

# torch comes first: with it in place no other package pulls another build of it
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check "$$(grep '^torch==' constraints.txt)"
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[synth,export,dev]"
	touch $@

demo: .venv/installed
	$(BIN)/parlure demo --out demo

test: .venv/installed
	$(BIN)/pytest --cov --cov-report=term

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf .venv demo build dist .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis
