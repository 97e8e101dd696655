"""A finished walk-forward has the same bytes however it was cut, interrupted and resumed; each trial counts once."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.backtest.catalogue import builtin
from agents.backtest.grid import Axis, Grid
from agents.backtest.rules import Rules
from agents.backtest.walkforward import Lengths, Walk, WalkForward, walk_forward
from cluster.books import FileBook
from cluster.walkforward import is_whole, run_walk
from cluster.workers import Answer, LocalWorkers
from data.contracts.errors import GoldenSignalsError
from data.contracts.panel import Panel
from data.contracts.trials import TrialCount
from data.ledger import FileLedger
from data.market.source import SAMPLE, open_bars

GRID = Grid(builtin("sma_cross"), (Axis.of("fast", "5:12"), Axis.of("slow", "20:60:10")))


@pytest.fixture(scope="module")
def panel() -> Panel:
    found = open_bars(SAMPLE).panel.select(["GE", "KO"])
    return found.until(int(found.ts.max()))


@pytest.fixture(scope="module")
def walk(panel: Panel) -> Walk:
    asked = Walk(GRID, panel, "two", Rules(fees=0.0005), Lengths(train=400, test=200, purge=5))
    return replace(asked, chunk_s=asked.estimate.seconds / 7.0)  # 28 sets in chunks of 4


class Crash(FileBook):
    """Ends the process after some chunks, as a kill would: the last one is recorded, but its file is not there."""

    def __init__(self, ledger: FileLedger, after: int) -> None:
        super().__init__(ledger, ())
        self.left = after

    async def record(self, chunk_id: str, answer: Answer[Any], trials: list[TrialCount], done: int) -> None:
        await super().record(chunk_id, answer, trials, done)
        if self.left == 0:
            raise GoldenSignalsError("killed")
        self.left -= 1


def finish(asked: Walk, folder: Path, book: FileBook, seen: list[tuple[int, int]] | None = None) -> WalkForward:
    steps = [] if seen is None else seen
    return asyncio.run(run_walk(asked, LocalWorkers(), book, folder, lambda *step: steps.append(step)))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def left_behind(folder: Path) -> Collection[str]:
    return [path.stem for path in (folder / "chunks").glob("*.json")]


def test_it_is_the_walk_forward_of_one_process_and_leaves_only_results_behind(walk: Walk, tmp_path: Path) -> None:
    ledger, seen = FileLedger(tmp_path), list[tuple[int, int]]()
    found = finish(walk, tmp_path / "run", FileBook(ledger, ()), seen)
    straight = walk_forward(walk)
    straight.judged(ledger.total(*walk.family)).save(tmp_path / "straight")
    assert contents(tmp_path / "run") == contents(tmp_path / "straight")
    assert [step[0] for step in seen] == list(range(0, 29 * len(walk.folds), 4 * len(walk.folds)))
    assert {step[1] for step in seen} == {walk.total}
    assert found.context["trials"] == walk.total
    assert WalkForward.load(tmp_path / "run").folds.equals(found.folds)


def test_an_interrupted_walk_goes_on_and_counts_every_trial_once(walk: Walk, tmp_path: Path) -> None:
    ledger, folder = FileLedger(tmp_path), tmp_path / "run"
    finish(walk, tmp_path / "straight", FileBook(FileLedger(tmp_path / "other"), ()))
    with pytest.raises(GoldenSignalsError, match="killed"):
        finish(walk, folder, Crash(ledger, after=3))
    before = left_behind(folder)
    assert len(before) == 3
    assert not is_whole(folder)
    seen = list[tuple[int, int]]()
    finish(walk, folder, FileBook(ledger, before), seen)
    assert seen[0] == (12 * len(walk.folds), walk.total)
    assert contents(folder) == contents(tmp_path / "straight")
    assert is_whole(folder)
    assert ledger.total(*walk.family).trials == walk.total


def test_a_strategy_without_a_choice_counts_its_curve_once(panel: Panel, tmp_path: Path) -> None:
    walk = Walk(Grid(builtin("macd"), ()), panel, "two", Rules(), Lengths(train=400, test=200))
    ledger = FileLedger(tmp_path)
    found = finish(walk, tmp_path / "run", FileBook(ledger, ()))
    assert found.context["trials"] == 1
    assert found.context["dsr"] == found.context["psr"]
    assert [count.trials for count in ledger.read()] == [1]


def test_a_place_that_cannot_be_written_is_told(walk: Walk, tmp_path: Path) -> None:
    (tmp_path / "run" / "chunks" / "0-3.draft").mkdir(parents=True)
    with pytest.raises(GoldenSignalsError, match="cannot keep the result in"):
        finish(walk, tmp_path / "run", FileBook(FileLedger(tmp_path), ()))


def test_an_estimate_knows_sets_folds_and_chunks_and_does_nothing(walk: Walk) -> None:
    found = walk.estimate
    assert found.backtests == walk.total * 2
    assert len(list(walk.chunks())) == 7
    longer = replace(walk, lengths=Lengths(train=400, test=50, purge=5))
    assert longer.estimate.seconds > found.seconds
