"""A walk-forward on Ray: the same bytes for any number of workers."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from agents.backtest.catalogue import builtin
from agents.backtest.grid import Axis, Grid
from agents.backtest.rules import Rules
from agents.backtest.walkforward import Lengths, Walk
from cluster.books import FileBook
from cluster.ray_workers import RayWorkers
from cluster.walkforward import run_walk
from cluster.workers import LocalWorkers, Workers
from data.contracts.panel import Panel
from data.ledger import FileLedger


def run(panel: Panel, workers: Workers, folder: Path) -> dict[str, bytes]:
    """Files of a walk-forward in chunks of a few sets."""
    grid = Grid(builtin("sma_cross"), (Axis.of("fast", "5:20"), Axis.of("slow", "35:120:5")))
    few = panel.select(("AAPL", "GE", "KO"))
    walk = Walk(grid, few, "three", Rules(fees=0.0005), Lengths(train=400, test=200, purge=5))
    walk = replace(walk, chunk_s=walk.estimate.seconds / 25.0)
    assert len(list(walk.chunks())) > 2 * workers.slots
    book = FileBook(FileLedger(folder), ())
    asyncio.run(run_walk(walk, workers, book, folder / "run", lambda done, total: None))
    return {path.name: path.read_bytes() for path in sorted((folder / "run").iterdir())}


@pytest.fixture(scope="module")
def serial(sample_panel: Panel, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return run(sample_panel, LocalWorkers(), tmp_path_factory.mktemp("serial"))


@pytest.mark.parametrize("count", [1, 4])
def test_any_number_of_workers_gives_the_bytes_of_one_process(
    local_ray: None, sample_panel: Panel, serial: dict[str, bytes], tmp_path: Path, count: int
) -> None:
    workers = RayWorkers(count=count, pin_threads=False)
    try:
        assert run(sample_panel, workers, tmp_path) == serial
    finally:
        workers.close()
