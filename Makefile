# Everything installs into .venv/ in this checkout.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test coverage check bench bench-gpu clean

# torch comes first: with it in place no other package pulls another build of it
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check "$$(grep '^torch==' constraints.txt)"
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[synth,export,dev]"
	touch $@

demo: .venv/installed
	$(BIN)/parlure demo --out demo

# a process for each of two cores: torch's own threads use the second one badly on a model as small as nano
test: .venv/installed
	$(BIN)/pytest --numprocesses 2 --dist worksteal

# a third slower, so not what everybody runs
coverage: .venv/installed
	$(BIN)/pytest --cov --cov-report=term

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# one core: CPU seconds are compared there, so that other work on the machine hardly changes the ratios
bench: .venv/installed
	for model in tiny base; do \
		OMP_NUM_THREADS=1 taskset -c 0 $(BIN)/python benchmarks/train.py --model $$model && \
		OMP_NUM_THREADS=1 taskset -c 0 $(BIN)/python benchmarks/decode.py --model $$model || exit 1; \
	done

# the tutorial's job, 10,189 utterances three times over, and its 2,548 to decode; results go to benchmarks/RESULTS.md
bench-gpu: .venv/installed
	for model in medium large-v3; do \
		$(BIN)/python benchmarks/train.py --model $$model --device cuda --repeats 3 --whole short_bf16,best && \
		$(BIN)/python benchmarks/decode.py --model $$model --device cuda --repeats 3 --batches 8 \
			--whole stock,torch_30s,torch_short || exit 1; \
	done

clean:
	rm -rf .venv demo build dist .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis
