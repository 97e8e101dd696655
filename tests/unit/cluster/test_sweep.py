"""A finished sweep has the same bytes however it was cut, interrupted and resumed, and says how much is luck."""

import asyncio
from collections.abc import Collection
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from agents.backtest.catalogue import builtin
from agents.backtest.grid import Axis, Grid
from agents.backtest.overfitting import Chunk, cross_validated
from agents.backtest.rules import Rules
from agents.backtest.search import Search
from cluster.books import FileBook
from cluster.sweep import Packed, Swept, run_sweep
from cluster.workers import Answer, LocalWorkers
from data.contracts.errors import GoldenSignalsError
from data.contracts.panel import Panel
from data.contracts.trials import TrialCount
from data.ledger import FileLedger
from data.market.source import SAMPLE, open_bars


@pytest.fixture(scope="module")
def panel() -> Panel:
    found = open_bars(SAMPLE).panel.select(["GE", "KO"])
    return found.until(int(found.ts.max()))


def search(panel: Panel, chunk_s: float) -> Search:
    grid = Grid(builtin("sma_cross"), (Axis.of("fast", "5:30:2"), Axis.of("slow", "35:120:5")))
    return Search(grid, panel, "two", Rules(fees=0.0005), chunk_s=chunk_s)


class Crash(FileBook):
    """Ends the process after some chunks, as a kill would: the last one is recorded, but its files are not there."""

    def __init__(self, ledger: FileLedger, found: Collection[str], after: int) -> None:
        super().__init__(ledger, found)
        self.left = after

    async def record(self, chunk_id: str, answer: Answer[Packed], trials: list[TrialCount], done: int) -> None:
        await super().record(chunk_id, answer, trials, done)
        if self.left == 0:
            raise GoldenSignalsError("killed")
        self.left -= 1


def finish(asked: Search, folder: Path, book: FileBook) -> Swept:
    asyncio.run(run_sweep(asked, LocalWorkers(), book, folder, lambda done, total: None))
    return Swept(folder)


def left_behind(folder: Path) -> list[str]:
    return [path.name.removesuffix(".sets.parquet") for path in (folder / "chunks").glob("*.sets.parquet")]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def whole(panel: Panel, tmp_path_factory: pytest.TempPathFactory) -> Swept:
    folder = tmp_path_factory.mktemp("whole")
    return finish(search(panel, 10.0), folder / "run", FileBook(FileLedger(folder), ()))


def test_chunks_of_another_size_give_the_same_bytes(panel: Panel, whole: Swept, tmp_path: Path) -> None:
    pieces = finish(search(panel, 1e-5), tmp_path / "run", FileBook(FileLedger(tmp_path), ()))
    mine, theirs = contents(pieces.folder), contents(whole.folder)
    assert mine.keys() == theirs.keys()
    # the pooled variance of the trials is a sum over chunks: its last bits may follow the cut, everything else may not
    assert {k: v for k, v in mine.items() if k != "summary.json"} == {
        k: v for k, v in theirs.items() if k != "summary.json"
    }
    assert pieces.summary["top"] == whole.summary["top"]
    assert pieces.context["dsr"] == pytest.approx(whole.context["dsr"], rel=1e-9)
    assert {**pieces.context, "dsr": 0} == {**whole.context, "dsr": 0}


def test_an_interrupted_sweep_goes_on_and_counts_every_trial_once(panel: Panel, tmp_path: Path) -> None:
    asked, ledger, folder = search(panel, 1e-5), FileLedger(tmp_path), tmp_path / "run"
    straight = finish(asked, tmp_path / "straight", FileBook(FileLedger(tmp_path / "other"), ()))
    with pytest.raises(GoldenSignalsError, match="killed"):
        finish(asked, folder, Crash(ledger, (), after=4))
    before = left_behind(folder)
    assert len(before) == 4
    with pytest.raises(GoldenSignalsError, match="not finished"):
        _ = Swept(folder).summary
    resumed = finish(asked, folder, FileBook(ledger, before))
    assert contents(resumed.folder) == contents(straight.folder)
    assert ledger.total(*asked.family).trials == asked.grid.positions.size


def test_the_best_set_is_the_one_with_the_highest_median_and_the_smallest_position(whole: Swept) -> None:
    table = whole.table.collect()
    best = table.filter(pl.col("sharpe") == table["sharpe"].max()).sort("set").row(0, named=True)
    assert {key: whole.best()[key] for key in best} == best
    medians = whole.trials.group_by("set").agg(pl.col("sharpe").median()).sort("set").collect()
    np.testing.assert_allclose(medians["sharpe"], table["sharpe"], rtol=1e-12)


def test_a_heatmap_has_a_cell_for_every_pair(whole: Swept) -> None:
    cells = whole.heatmap("fast", "slow")
    assert cells["slow"].to_list() == sorted(range(35, 120, 5))
    assert cells.columns == ["slow", *map(str, range(5, 30, 2))]
    one = whole.table.filter((pl.col("fast") == 9) & (pl.col("slow") == 50)).collect()
    assert cells.filter(pl.col("slow") == 50)["9"].item() == one["sharpe"].item()


def test_overfitting_is_that_of_the_plain_matrix_of_all_trials(panel: Panel, whole: Swept) -> None:
    from agents.backtest.search import try_sets
    from agents.expr import AgentVotes

    asked = search(panel, 10.0)
    sums = try_sets(asked.shared(AgentVotes(panel)), asked.grid.positions).sets["blocks"].to_numpy()
    edges = asked.block_edges
    assert edges is not None
    found = cross_validated(edges, [Chunk(asked.grid.positions, sums[:, :10].copy(), sums[:, 10:].copy())])
    assert found is not None
    assert whole.pbo == found.pbo
    assert whole.context["pbo_splits"] == 252


def test_the_trials_of_a_sweep_count_against_its_best_set(whole: Swept) -> None:
    assert whole.context["trials"] == whole.summary["sets"]
    assert 1 < whole.context["effective_trials"] < whole.context["trials"]
    assert whole.context["dsr"] < whole.context["psr"]


def test_every_trial_can_be_read_by_others(whole: Swept) -> None:
    frame = pl.read_parquet(whole.folder / "trials" / "*.parquet")
    assert frame.height == whole.summary["sets"] * whole.summary["symbols"]
    assert frame.columns == ["set", "symbol", "total_return", "sharpe", "max_drawdown", "trades"]
