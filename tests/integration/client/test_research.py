"""Research asked on a server has the bits of research in this process."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import goldensignals as gs
from data.market.sample import sample_bars
from serve_app.client.client import Client
from serve_app.client.runs import Backtest, Sweep
from tests.integration.client.system import System

GRID: Any = {"fast": range(5, 8), "slow": "20,30"}


@pytest.fixture(scope="module")
def bars() -> pl.DataFrame:
    return sample_bars().filter(pl.col("symbol").is_in(["AAPL", "KO"])).filter(pl.col("ts").dt.year() >= 2017)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process finds by itself is kept apart from the server's."""
    monkeypatch.setenv("GS_HOME", str(tmp_path / "own"))


def test_backtests_sweeps_and_walk_forwards_have_the_same_bits_as_here(
    system: System, client: Client, bars: pl.DataFrame, tmp_path: Path
) -> None:
    own = gs.strategy(enter="rsi(n) < 35", exit="rsi(n) > 60", stop="2 * atr(14)", n=10)
    here = gs.backtest(own, bars, n=12, fees="5bps", progress=False)
    there = client.backtest(own, bars, n=12, fees="5bps")
    assert there.result_id == here.result_id
    assert (there.metrics, there.by_symbol, there.warnings) == (here.metrics, here.by_symbol, here.warnings)
    assert_frame_equal(there.equity, here.equity, check_exact=True)
    assert_frame_equal(there.trades, here.trades, check_exact=True)
    assert there.report(tmp_path / "r.html").read_text() == here.html()

    swept = gs.sweep("sma_cross", bars, **GRID, where="fast < slow", fees=0.0005, progress=False)
    seen: list[str] = []
    asked = client.sweep(
        "sma_cross", bars, **GRID, where="fast < slow", fees=0.0005, on_progress=lambda job: seen.append(job.state)
    )
    assert asked.result_id == swept.result_id
    assert seen[-1] == "done"
    assert_frame_equal(asked.table, swept.table.collect(), check_exact=True)
    assert_frame_equal(asked.trials, swept.trials.collect(), check_exact=True)
    assert_frame_equal(asked.heatmap("fast", "slow"), swept.heatmap("fast", "slow"), check_exact=True)
    assert asked.best() == swept.best()
    assert asked.pbo == swept.pbo
    best = asked.rows("sets", columns=["fast", "slow"], sort=["-sharpe"], filter=["fast:le:6"])
    assert (best.columns, best.height) == (["fast", "slow"], 4)

    walked = gs.walk_forward("sma_cross", bars, **GRID, train=100, test=50, purge=2, progress=False)
    followed = client.walk_forward("sma_cross", bars, **GRID, train=100, test=50, purge=2)
    assert followed.result_id == walked.result_id
    assert followed.metrics == walked.metrics
    for name in ("folds", "drift", "equity", "trades"):
        assert_frame_equal(getattr(followed, name), getattr(walked, name), check_exact=True)
    assert sum(method == "PUT" for method, _ in system.requests) == 1

    listed = client.runs()
    assert listed["result_id"].to_list() == [followed.result_id, asked.result_id, there.result_id]
    assert client.runs(kind="sweep").height == 1
    again = client.run(there.result_id[:10])
    assert isinstance(again, Backtest)
    assert again.metrics == here.metrics
    assert client.verify(asked.result_id) == []


def test_the_server_tests_its_own_bars_and_says_what_cannot_be_asked(client: Client) -> None:
    found = client.sweep("sma_cross", symbols="KO", search="optuna", trials=4, **GRID)
    assert isinstance(found, Sweep)
    assert found.table.height == 4
    with pytest.raises(gs.InvalidInput, match="did you mean sma_cross"):
        client.backtest("sma_corss")
    with pytest.raises(gs.InvalidInput, match="has no parameter 'fats'"):
        client.backtest("sma_cross", fats=3)
    with pytest.raises(gs.InvalidInput, match="a strategy is a name"):
        client.backtest(3)
    with pytest.raises(gs.NotFound, match="no one run"):
        client.run("0" * 32)
