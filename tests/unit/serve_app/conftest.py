"""The command line in a home of its own, and five symbols that no cluster is started for."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import polars as pl
import pytest

from data.home import Home
from data.market.sample import BARS, path_of
from tests.unit.serve_app import command_line
from tests.unit.serve_app.command_line import Answer

SYMBOLS = ("AAPL", "GE", "KO", "MSFT", "XOM")


class Cli(Protocol):
    """`cli("scan", "--top", "3", GS_HOME="…")`."""

    def __call__(self, *args: str | Path, **environ: str) -> Answer:
        """Run one command in this process."""
        ...


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    found = Home(tmp_path / "home")
    yield found
    shutil.rmtree(found.scratch, ignore_errors=True)


@pytest.fixture
def environ(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """No GS_ variable but the home."""
    for name in [name for name in os.environ if name.startswith("GS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GS_HOME", str(home.path))


@pytest.fixture
def cli(home: Home) -> Cli:
    def run(*args: str | Path, **environ: str) -> Answer:
        return command_line.run(home.path, *args, environ=environ)

    return run


@pytest.fixture(scope="session")
def few_bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five symbols of the sample, 400 sessions: work that no cluster is started for."""
    file = tmp_path_factory.mktemp("bars") / "few.csv"
    bars = pl.read_parquet(path_of(BARS)).filter(pl.col("symbol").is_in(SYMBOLS))
    last = bars["date"].unique().sort()[-400]
    bars.filter(pl.col("date") >= last).write_csv(file)
    return file
