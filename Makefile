# `make run` starts everything, `make test` checks everything. Nothing is installed outside .venv.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name) 2>/dev/null)))
BIN := .venv/bin
READY := .venv/.ready

.PHONY: setup run test lint unit integration cluster secrets bench docs lock clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; run: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

run: setup
	@exec $(BIN)/goldensignals up

test: lint unit integration cluster

lint: setup secrets
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: setup
	$(BIN)/pytest tests/unit

integration: setup
	$(BIN)/pytest tests/integration

cluster: setup
	$(BIN)/pytest tests/cluster

secrets: setup
	git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --baseline .secrets.baseline

bench: setup
	$(BIN)/python -m benchmarks.indicators
	$(BIN)/python -m benchmarks.scan

docs: setup
	$(BIN)/python -m agents.indicators.docs > docs/indicators.md

# Resolve every dependency of every extra anew and write the exact versions down.
lock: setup
	$(BIN)/python -m pip install --quiet --dry-run --ignore-installed --report .venv/report.json '.[sources,llm,rag,dev]'
	$(BIN)/python -c "import json; rows = sorted({f\"{i['metadata']['name'].lower().replace('_', '-').replace('.', '-')}=={i['metadata']['version'].split('+')[0]}\" for i in json.load(open('.venv/report.json'))['install']} - {'goldensignals==0.1.0'}); print('# Every package this project may install, at its exact version; \`make lock\` writes this file.', *rows, sep='\n')" > constraints.txt

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
