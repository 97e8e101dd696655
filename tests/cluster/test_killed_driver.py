"""The process that drives a sweep or a walk-forward is killed in the middle: typed again, it goes on from there."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from agents.backtest.catalogue import builtin
from agents.backtest.grid import Axis, Grid
from agents.backtest.rules import Rules
from agents.backtest.search import Search
from agents.backtest.walkforward import Lengths, Walk
from cluster.books import FileBook
from cluster.sweep import run_sweep
from cluster.walkforward import run_walk
from cluster.workers import LocalWorkers
from data.contracts.panel import Panel
from data.ledger import FileLedger
from data.market.source import SAMPLE
from serve_app.runs import Source
from tests.cluster.installation import Installation, eventually, send

AXES = {"fast": "5:60", "slow": "70:200:4"}
WORDS = (*(f"{name}={values}" for name, values in AXES.items()), "--fees", "5bps")
LENGTHS = Lengths(train=504, test=252, purge=5)
DONE_BEFORE = 2  # chunks, at least


@pytest.fixture(scope="module")
def market() -> tuple[Panel, str]:
    """The bars of the sample and the universe's id, as a command opens them."""
    with TemporaryDirectory() as home:
        return Source(SAMPLE).open(Path(home))[1:]


@pytest.fixture(scope="module")
def installation(session_folder: Path) -> Iterator[Installation]:
    """A home on which nothing runs between commands: nobody else takes the job over, and PostgreSQL dies with it."""
    made = Installation(session_folder / "killed")
    try:
        yield made
    finally:
        made.close()


def grid(strategy: str) -> Grid:
    """Of a family of its own: what one test tries does not count against the other."""
    return Grid(builtin(strategy), tuple(Axis.of(name, values) for name, values in AXES.items()))


def disturbed(installation: Installation, result_id: str, *words: str) -> dict[str, bytes]:
    """What is left behind by a command that was killed when some chunks were done, and was typed again."""
    folder = installation.home / "runs" / result_id
    chunks = folder / "chunks"
    first = installation.start(*words)
    eventually("chunks that are done", lambda: len(written(chunks)) >= DONE_BEFORE, within_s=120.0)
    send(first.process.pid, signal.SIGKILL)
    first.process.wait()
    before = written(chunks)
    again = installation.start(*words)

    def over() -> bool:
        now = written(chunks)
        assert all(before[path] == now[path] for path in before.keys() & now.keys())  # none was computed anew
        return again.process.poll() is not None

    eventually("the end of the second command", over, within_s=120.0)
    assert again.wait().code == 0, again.said
    assert not chunks.exists()
    return contents(folder)


def written(chunks: Path) -> dict[Path, int]:
    """Files of chunks that are done, with what changes when one is written again."""
    found: dict[Path, int] = {}
    with suppress(FileNotFoundError):
        for path in chunks.iterdir():
            if path.suffixes[-2:] == [".sets", ".parquet"] or path.suffix == ".json":
                found[path] = path.stat().st_ino
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def unseen(done: int, total: int) -> None:
    """Nobody watches."""


def test_a_sweep_whose_driver_was_killed_goes_on_where_it_was(
    installation: Installation, market: tuple[Panel, str], tmp_path: Path
) -> None:
    """Its summary says how many trials there were: as many as undisturbed."""
    search = Search(grid("ema_cross"), *market, Rules(fees=0.0005))
    found = disturbed(installation, search.result_id, "sweep", "ema_cross", *WORDS)
    asyncio.run(run_sweep(search, LocalWorkers(), FileBook(FileLedger(tmp_path), ()), tmp_path / "run", unseen))
    assert found == contents(tmp_path / "run")


def test_a_walk_forward_whose_driver_was_killed_goes_on_where_it_was(
    installation: Installation, market: tuple[Panel, str], tmp_path: Path
) -> None:
    """Its metrics.json says how many trials there were: as many as undisturbed."""
    walk = Walk(grid("sma_cross"), *market, Rules(fees=0.0005), LENGTHS)
    lengths = ("--train", "504", "--test", "252", "--purge", "5")
    found = disturbed(installation, walk.result_id, "walkforward", "sma_cross", *WORDS, *lengths)
    asyncio.run(run_walk(walk, LocalWorkers(), FileBook(FileLedger(tmp_path), ()), tmp_path / "run", unseen))
    assert found == contents(tmp_path / "run")
