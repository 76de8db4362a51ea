# The commands of the project. The first one builds .venv; later ones find it built.

.PHONY: help run up test bench check style types imports duplicates clean
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export FILE MODEL
unexport PYTHONDONTWRITEBYTECODE  # a stack is a dozen short processes of the same modules: compile these once

PYTHON := .venv/bin/python
INSTALLED := .venv/.installed

help:
	@echo "make run                       show everything: sample requests, what became of them, how they are forgotten"
	@echo "make run FILE=requests.jsonl   run an OpenAI Batch input file, write results.jsonl (MODEL=gpt-small maps its models)"
	@echo "make up                        keep a local stack running under .local/"
	@echo "make test                      run every test"
	@echo "make bench                     measure what tests/bench/README.md tells (an hour)"
	@echo "make check                     style, types, direction of imports, duplicated code"
	@echo "make clean                     remove what these commands made, the state of 'make up' included"

run: $(INSTALLED)
	@$(PYTHON) -m local.demo $${FILE:+--file "$$FILE"} $${MODEL:+--model "$$MODEL"}

up: $(INSTALLED)
	@$(PYTHON) -m local.stack

test: $(INSTALLED)
	@$(PYTHON) -m pytest -n 4 --dist loadfile --no-loadscope-reorder

bench: $(INSTALLED)
	@$(PYTHON) -m tests.bench.bench_fairness && $(PYTHON) -m tests.bench.retention && $(PYTHON) -m tests.bench.detection

check: style types imports duplicates

style: $(INSTALLED)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: $(INSTALLED)
	.venv/bin/mypy

imports: $(INSTALLED)
	.venv/bin/lint-imports --no-logo

duplicates: $(INSTALLED)
	.venv/bin/pylint commands functions shared local function_app.py

clean:
	rm -rf .venv .local .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache results.jsonl
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements.txt requirements-dev.txt .ci/environment
	@.ci/environment
