"""`import goldensignals` costs nothing until something is used, and what it gives is what the system computes."""

import inspect
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

import goldensignals as gs
from agents.consensus import ConsensusParams, decide, ranked
from agents.registry import roster
from data.market.sample import sample_bars
from data.market.source import choose_universe, with_context

HEAVY = ("ray", "psycopg", "fastapi", "polars", "numba", "pandas", "pydantic", "talib", "data", "agents", "cluster")
CODE = "import goldensignals, sys, json; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"


@pytest.fixture(scope="module")
def bars() -> pl.DataFrame:
    return sample_bars().filter(pl.col("symbol").is_in(["AAPL", "KO", "XOM"]))


def loaded_after(code: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_loads_nothing_heavy() -> None:
    assert loaded_after(CODE).isdisjoint(HEAVY)


def test_indicators_need_neither_ray_nor_a_driver_nor_the_web() -> None:
    loaded = loaded_after(
        CODE.replace("import goldensignals,", "import goldensignals; goldensignals.indicators.rsi; import")
    )
    assert {"numba", "polars"} <= loaded
    assert loaded.isdisjoint({"ray", "psycopg", "redis", "fastapi", "pandas", "talib"})


def test_signals_are_what_the_consensus_decides_on_the_same_panel(bars: pl.DataFrame) -> None:
    found = gs.signals(bars, agents=["volatility", "trend"])
    loaded = with_context("frame", bars)
    panel = loaded.panel.until(int(loaded.panel.ts.max()))
    asked = roster(["trend", "volatility"])
    decision = decide(
        panel,
        [agent.evaluate(panel).take(panel.last_rows) for agent in asked],
        rows=panel.last_rows,
        asked=asked,
        missing=(),
        universe=choose_universe(loaded, None).id,
        params=ConsensusParams(),
    )
    wanted = ranked(decision.signals)
    assert [dict(row, votes=tuple(row["votes"])) for row in found.select("symbol", "score", "votes").to_dicts()] == [
        {"symbol": s.symbol, "score": s.score, "votes": tuple(vote.model_dump() for vote in s.votes)} for s in wanted
    ]
    for column in ("signal_id", "input_hash", "action", "stop", "as_of"):
        assert found[column].to_list() == [getattr(signal, column) for signal in wanted]


def test_signals_have_one_row_per_symbol_the_strongest_first(bars: pl.DataFrame) -> None:
    found = gs.signals(bars)
    assert sorted(found["symbol"]) == ["AAPL", "KO", "XOM"]
    assert found["strength"].is_sorted(descending=True)
    assert found["probability"].null_count() == 3  # null until calibrated, never 0
    assert {vote["agent"] for vote in found["votes"][0]} == {agent.name for agent in roster()}


def test_without_any_signal_there_are_no_rows_of_the_same_types(bars: pl.DataFrame) -> None:
    young = bars.group_by("symbol", maintain_order=True).head(3)
    found = gs.signals(young, agents=["trend"])
    assert found.height == 0
    assert found.schema == gs.signals(bars, agents=["trend"]).schema


def test_an_unknown_agent_is_named_with_the_known_ones(bars: pl.DataFrame) -> None:
    with pytest.raises(gs.InvalidInput, match="there is no agent tred; known: mean_reversion"):
        gs.signals(bars, agents=["tred"])


def test_an_indicator_is_an_expression_and_a_function_with_the_same_bits(bars: pl.DataFrame) -> None:
    column = bars.sort("symbol", "ts").select(gs.rsi("close", 14).over("symbol").alias("rsi"), "symbol", "close")
    for (_,), one in column.group_by("symbol"):
        assert gs.indicators.rsi(one["close"], 14).tobytes() == one["rsi"].to_numpy().tobytes()


def test_an_unknown_name_says_what_exists() -> None:
    with pytest.raises(AttributeError, match=r"no 'rsii'; .*\brsi\b"):
        gs.rsii  # noqa: B018


def test_everything_that_is_listed_exists() -> None:
    for name in dir(gs):
        assert getattr(gs, name) is not None
    assert {"load_bars", "signals", "indicators", "rsi", "InvalidInput"} <= set(dir(gs))
    assert set(gs._HOMES) <= set(dir(gs))  # a person finds by Tab what can be called


def test_loaded_bars_are_not_read_a_second_time() -> None:
    """Loaded times are closes in UTC already: reading them again would stamp 24/7 bars with New York's close."""
    start = datetime(2024, 1, 1, tzinfo=UTC)
    ts = pl.datetime_range(start, start + timedelta(minutes=5 * 299), "5m", eager=True)
    close = [100.0 + (i * 7 % 13) / 10 for i in range(300)]
    raw = pl.DataFrame({"symbol": "COIN", "ts": ts, "open": close, "high": [c + 1 for c in close]}).with_columns(
        low=pl.col("open") - 1, close=pl.col("open"), volume=10.0
    )
    bars = gs.load_bars(raw, frame="5m", stamp="close", calendar="24/7")
    found = gs.signals(bars, agents=["trend"])
    assert found["as_of"].to_list() == [bars["ts"].max()]


def test_reasons_stand_beside_the_votes_of_the_same_signal(bars: pl.DataFrame) -> None:
    votes = gs.signals(bars).row(by_predicate=pl.col("symbol") == "KO", named=True)["votes"]
    found = gs.explain("KO", bars)
    assert found.drop("reason").to_dicts() == votes
    assert all(reason and "nan" not in reason for reason in found["reason"])


def test_a_symbol_without_a_signal_has_no_reasons(bars: pl.DataFrame) -> None:
    with pytest.raises(gs.InvalidInput, match="'KOO' has no signal at the newest bar"):
        gs.explain("KOO", bars)


def test_importing_takes_less_than_a_second() -> None:
    code = "import time; began = time.perf_counter(); import goldensignals; print(time.perf_counter() - began)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1.0


@pytest.mark.parametrize(
    "name", ["backtest", "sweep", "walk_forward", "cross_validate", "signals", "scan", "explain", "load_bars"]
)
def test_a_person_who_asks_for_help_sees_the_arguments(name: str) -> None:
    """`gs.backtest?` shows signature and docstring, which says what comes back and what is refused."""
    function = getattr(gs, name)
    assert "bars" in inspect.signature(function).parameters or name == "load_bars"
    text = inspect.getdoc(function) or ""
    assert {"Returns", "Shapes"} & set(re.findall(r"\w+", text))
    assert "Raises" in text
