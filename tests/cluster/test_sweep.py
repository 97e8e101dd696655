"""A sweep on Ray: the same bytes for any number of workers, also when they are killed in the middle."""

import asyncio
import os
import signal
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from agents.backtest.catalogue import builtin
from agents.backtest.grid import Axis, Grid
from agents.backtest.picking import Guide
from agents.backtest.rules import Rules
from agents.backtest.search import Search
from cluster.books import FileBook
from cluster.ray_workers import RayWorkers
from cluster.sweep import Packed, Swept, run_sweep
from cluster.workers import Answer, LocalWorkers, Workers
from data.contracts.errors import GoldenSignalsError, InvalidInput
from data.contracts.panel import Panel
from data.contracts.trials import TrialCount
from data.ledger import FileLedger

SYMBOLS = ("AAPL", "GE", "KO", "MSFT", "XOM")


def search(panel: Panel) -> Search:
    grid = Grid(builtin("sma_cross"), (Axis.of("fast", "5:30"), Axis.of("slow", "35:120:3")))
    return Search(grid, panel.select(SYMBOLS), "five", Rules(fees=0.0005), chunk_s=1e-3)


def run(asked: Search, workers: Workers, folder: Path, book: FileBook) -> dict[str, bytes]:
    asyncio.run(run_sweep(asked, workers, book, folder, lambda done, total: None))
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def serial(sample_panel: Panel, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("serial")
    return run(search(sample_panel), LocalWorkers(), folder / "run", FileBook(FileLedger(folder), ()))


@pytest.mark.parametrize("count", [1, 2, 4])
def test_any_number_of_workers_gives_the_bytes_of_one_process(
    local_ray: None, sample_panel: Panel, serial: dict[str, bytes], tmp_path: Path, count: int
) -> None:
    workers = RayWorkers(count=count, pin_threads=False)
    try:
        assert len(list(search(sample_panel).chunks())) > 2 * workers.slots
        assert run(search(sample_panel), workers, tmp_path / "run", FileBook(FileLedger(tmp_path), ())) == serial
    finally:
        workers.close()


def test_a_guided_search_tries_the_same_sets_on_any_number_of_workers(
    local_ray: None, sample_panel: Panel, tmp_path: Path
) -> None:
    asked = replace(search(sample_panel), guide=Guide(60, 20))
    alone = run(asked, LocalWorkers(), tmp_path / "alone", FileBook(FileLedger(tmp_path / "one"), ()))
    workers = RayWorkers(count=2, pin_threads=False)
    try:
        assert run(asked, workers, tmp_path / "run", FileBook(FileLedger(tmp_path), ())) == alone
    finally:
        workers.close()


class Killer(FileBook):
    """Kills a worker after some chunks."""

    def __init__(self, ledger: FileLedger, victims: list[int]) -> None:
        super().__init__(ledger, ())
        self.victims, self.recorded = victims, 0

    async def record(self, chunk_id: str, answer: Answer[Packed], trials: list[TrialCount], done: int) -> None:
        await super().record(chunk_id, answer, trials, done)
        self.recorded += 1
        if self.recorded % 3 == 0 and self.victims:
            os.kill(self.victims.pop(), signal.SIGKILL)


def test_killed_workers_change_no_byte_and_no_trial_counts_twice(
    local_ray: None, sample_panel: Panel, serial: dict[str, bytes], tmp_path: Path
) -> None:
    asked, ledger = search(sample_panel), FileLedger(tmp_path)
    workers = RayWorkers(count=2, pin_threads=False)
    try:
        book = Killer(ledger, asyncio.run(workers.pids()))
        assert run(asked, workers, tmp_path / "run", book) == serial
        assert not book.victims
    finally:
        workers.close()
    assert ledger.total(*asked.family).trials == asked.grid.positions.size


def refuse(shared: object, payload: object) -> None:
    raise InvalidInput("this piece cannot be worked on")


def stumble(shared: object, payload: object) -> None:
    raise RuntimeError("a bug in the task")


def test_a_refusal_is_told_as_it_is_and_a_bug_after_several_attempts(local_ray: None) -> None:
    async def ask() -> None:
        with pytest.raises(InvalidInput, match="cannot be worked on"):
            await workers.run(refuse, workers.share(1), 2, name="a", deadline_s=60)
        with pytest.raises(GoldenSignalsError, match=r"piece b failed 4 times.*a bug in the task"):
            await workers.run(stumble, workers.share(1), 2, name="piece b", deadline_s=60)

    workers = RayWorkers(count=1, pin_threads=False)
    try:
        asyncio.run(ask())
    finally:
        workers.close()


def test_a_finished_sweep_is_read_without_ray(serial: dict[str, bytes], tmp_path: Path) -> None:
    for name, content in serial.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    found: Collection[str] = Swept(tmp_path).table.collect_schema().names()
    assert list(found) == ["set", "fast", "slow", "total_return", "sharpe", "max_drawdown", "trades"]
