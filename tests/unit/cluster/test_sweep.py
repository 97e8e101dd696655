"""A finished sweep has the same bytes however it was cut, interrupted and resumed, and says how much is luck."""

import asyncio
from collections.abc import Collection
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from agents.backtest.bootstrap import optimal_block_length, repeatable, snooping
from agents.backtest.catalogue import builtin
from agents.backtest.grid import Axis, Grid
from agents.backtest.metrics import bar_returns
from agents.backtest.overfitting import Chunk, cross_validated
from agents.backtest.picking import Guide
from agents.backtest.rules import Rules
from agents.backtest.search import Search
from agents.backtest.simulation import Simulation
from agents.backtest.single import Question, ask
from agents.expr import AgentVotes
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


def guided(panel: Panel, chunk_s: float) -> Search:
    asked = search(panel, chunk_s)
    return Search(asked.grid, panel, "two", asked.rules, chunk_s=chunk_s, guide=Guide(40, 12))


def test_a_guided_sweep_has_the_same_bytes_for_any_cut(panel: Panel, tmp_path: Path) -> None:
    whole, pieces = (
        finish(guided(panel, chunk_s), tmp_path / name / "run", FileBook(FileLedger(tmp_path / name), ()))
        for chunk_s, name in ((10.0, "whole"), (1e-5, "pieces"))
    )
    assert whole.summary["top"] == pieces.summary["top"]
    assert whole.summary["search"]["batch"] == 12
    assert whole.context["trials"] == pieces.context["trials"] == whole.table.collect().height == 40
    assert whole.table.collect()["set"].n_unique() == 40
    assert {k: v for k, v in contents(whole.folder).items() if k != "summary.json"} == {
        k: v for k, v in contents(pieces.folder).items() if k != "summary.json"
    }


def test_an_interrupted_guided_sweep_is_told_again_what_is_done_and_goes_on(panel: Panel, tmp_path: Path) -> None:
    asked, ledger, folder = guided(panel, 1e-5), FileLedger(tmp_path), tmp_path / "run"
    straight = finish(asked, tmp_path / "straight", FileBook(FileLedger(tmp_path / "other"), ()))
    with pytest.raises(GoldenSignalsError, match="killed"):
        finish(asked, folder, Crash(ledger, (), after=20))  # in the second batch
    before = left_behind(folder)
    assert len(before) == 20
    resumed = finish(asked, folder, FileBook(ledger, before))
    assert contents(resumed.folder) == contents(straight.folder)
    assert ledger.total(*asked.family).trials == 40


def test_a_guided_sweep_gives_a_set_the_numbers_it_has_in_the_whole_grid(
    panel: Panel, whole: Swept, tmp_path: Path
) -> None:
    few = finish(guided(panel, 10.0), tmp_path / "run", FileBook(FileLedger(tmp_path), ())).table.collect().sort("set")
    assert_frame_equal(few, whole.table.filter(pl.col("set").is_in(few["set"].implode())).collect())


def test_luck_is_tested_with_all_sets_of_a_small_sweep(panel: Panel, whole: Swept) -> None:
    """The p-values of `snooping` over every set's bar returns above those of buy and hold."""
    asked = search(panel, 10.0)
    start, votes = asked.rules.cash, AgentVotes(panel)
    first = next(asked.grid.sets(asked.grid.positions))
    kept = ask(Question(first, panel, "two", asked.rules)).result.equity["benchmark"].to_numpy()
    market = bar_returns(kept, start)
    runs = (
        Simulation(panel, one.evaluate(panel, votes), asked.rules).run()
        for one in asked.grid.sets(asked.grid.positions)
    )
    returns = [bar_returns(run.equity, start) - market for run in runs]
    block = optimal_block_length(market)
    matrix = np.ascontiguousarray(np.array(returns).T)
    expected = snooping([matrix], repeatable(), block=block)
    assert whole.context["spa_candidates"] == len(returns) == whole.summary["sets"]
    assert whole.context["reality_check"] == pytest.approx(expected.reality_check, abs=2e-3)
    assert whole.context["spa"] == pytest.approx(expected.consistent, abs=2e-3)


def test_a_plateau_is_what_is_left_one_step_beside_the_best_set(whole: Swept) -> None:
    best, table = whole.best(), whole.table.collect()
    around = table.filter(
        pl.col("fast").is_between(best["fast"] - 2, best["fast"] + 2),
        pl.col("slow").is_between(best["slow"] - 5, best["slow"] + 5),
        pl.col("set") != best["set"],
    )
    assert whole.context["plateau_neighbours"] == around.height
    assert whole.context["plateau"] == pytest.approx(around["sharpe"].median() / best["sharpe"])


def test_the_sharpe_ratio_of_the_best_set_has_an_interval(whole: Swept) -> None:
    assert whole.context["sharpe_low"] < whole.best()["portfolio"]["sharpe"] < whole.context["sharpe_high"]
