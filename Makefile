# `make run` starts everything, `make test` checks everything. Nothing is installed outside .venv.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name) 2>/dev/null)))
BIN := .venv/bin
READY := .venv/.ready
PEERS := .venv-peers
GOLDEN := .venv-golden

.PHONY: setup dashboard run test lint unit integration cluster frontend e2e chromium secrets bench bench-peers golden-backtests notebooks recovery docs types lock clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; run: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

run: setup dashboard
	@exec $(BIN)/goldensignals up --source replay

# The built dashboard. Without Node everything else still runs.
dashboard:
	@if command -v npm >/dev/null 2>&1; then $(MAKE) --no-print-directory frontend/dist/index.html; \
	else echo "Node 20 is not installed: starting without the dashboard"; fi

frontend/node_modules/.ready: frontend/package.json frontend/package-lock.json
	cd frontend && npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@

frontend/dist/index.html: frontend/node_modules/.ready $(shell find frontend/src frontend/public frontend/index.html frontend/docs.html frontend/vite.config.ts 2>/dev/null)
	cd frontend && npm run --silent build

test: lint unit integration frontend cluster e2e

lint: setup secrets
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: setup
	$(BIN)/pytest -n 2 tests/unit

integration: setup
	$(BIN)/pytest -n 3 tests/integration

cluster: setup
	$(BIN)/pytest tests/cluster

frontend: frontend/node_modules/.ready
	cd frontend && npm run --silent lint && npm run --silent typecheck && npm test

# The only step that installs a system package: Chromium, by apt-get, where none is found (tests only).
chromium:
	@command -v chromium >/dev/null 2>&1 || { echo "installing chromium with apt-get, for the tests in a browser"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; }

e2e: setup dashboard chromium
	$(BIN)/pytest tests/e2e

secrets: setup
	git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --baseline .secrets.baseline

bench: setup
	$(BIN)/python -m benchmarks.indicators
	$(BIN)/python -m benchmarks.scan
	$(BIN)/python -m benchmarks.gateway
	$(BIN)/python -m benchmarks.api
	$(BIN)/python -m benchmarks.live
	$(BIN)/python -m benchmarks.job_delay
	$(BIN)/python -m benchmarks.sweep_workers
	$(BIN)/python -m benchmarks.noise
	$(BIN)/python -m benchmarks.trials
	$(BIN)/python -m benchmarks.shards

# Beside TA-Lib, tulipy, polars-talib and vectorbt, which live in an environment of their own.
bench-peers: $(PEERS)/.ready
	$(PEERS)/bin/python -m benchmarks.peers
	$(PEERS)/bin/python -m benchmarks.sweep

$(PEERS)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable . \
	  polars-talib==0.2.1 tulipy==0.4.0 'vectorbt[rust]==1.2.0'
	@touch $@

# Backtests by other programs, in an environment of their own: the files that `tests/golden/backtests` holds ours against.
golden-backtests: $(GOLDEN)/.ready
	$(GOLDEN)/bin/python -W ignore tests/golden/backtests/make.py

$(GOLDEN)/.ready:
	$(PYTHON) -m venv $(GOLDEN)
	$(GOLDEN)/bin/python -m pip install -qq --disable-pip-version-check vectorbt==1.2.0 backtesting==0.6.6 \
	  backtrader==1.9.78.123 ffn==1.4.1 empyrical-reloaded==0.7.1 numpy==2.4.6 pandas==3.1.1 pyarrow==26.0.1
	@touch $@

# What stands still, and for how long, when each part dies or freezes; ten minutes.
recovery: setup
	$(BIN)/python -m benchmarks.recovery

# The notebooks with the outputs that the tests compare: after a change of what they show.
notebooks: setup
	$(BIN)/python -m notebooks.remake

docs: setup
	$(BIN)/python -m docs.build

# What the dashboard knows of the API and of events is generated from them.
types: setup frontend/node_modules/.ready
	$(BIN)/python -m serve_app.api.schema > frontend/openapi.json
	cd frontend && npm run --silent types

# Resolve every dependency of every extra anew and write the exact versions down.
lock: setup
	$(BIN)/python -m pip install --quiet --dry-run --ignore-installed --report .venv/report.json '.[sources,llm,rag,dev]'
	$(BIN)/python -c "import json; rows = sorted({f\"{i['metadata']['name'].lower().replace('_', '-').replace('.', '-')}=={i['metadata']['version'].split('+')[0]}\" for i in json.load(open('.venv/report.json'))['install']} - {'goldensignals==0.1.0'}); print('# Every package this project may install, at its exact version; \`make lock\` writes this file.', *rows, sep='\n')" > constraints.txt

clean:
	rm -rf .venv $(PEERS) $(GOLDEN) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
