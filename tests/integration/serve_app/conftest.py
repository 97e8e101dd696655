"""The command line in a home of its own with its own PostgreSQL, and five symbols to scan without Ray."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from data.market.sample import BARS, path_of
from tests.unit.serve_app import command_line
from tests.unit.serve_app.command_line import Answer

SYMBOLS = ("AAPL", "GE", "KO", "MSFT", "XOM")


@dataclass(frozen=True)
class Program:
    """`goldensignals` in a home of its own."""

    home: Path

    def run(self, *args: str | Path, code: int = 0) -> Answer:
        """Run a verb to its end, which must be that exit code."""
        answer = command_line.run(self.home, *args, environ={})
        assert answer.code == code, answer.err
        return answer

    def json(self, *args: str | Path) -> Any:
        """The one JSON object that a verb prints."""
        return json.loads(self.run(*args, "--json").out)


@pytest.fixture
def program(ready_home: Path) -> Program:
    return Program(ready_home)


@pytest.fixture(scope="session")
def few_bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five symbols, 400 sessions: work that no cluster is started for."""
    file = tmp_path_factory.mktemp("bars") / "few.parquet"
    bars = pl.read_parquet(path_of(BARS)).filter(pl.col("symbol").is_in(SYMBOLS))
    last = bars["date"].unique().sort()[-400]
    bars.filter(pl.col("date") >= last).write_parquet(file)
    return file
