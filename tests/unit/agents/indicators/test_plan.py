"""Several indicators at once: what they share is computed once, and nothing about the running changes a bit."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import polars as pl
import pytest

from agents import indicators
from agents.indicators import plan as plan_of
from agents.indicators.columns import to_floats
from agents.indicators.plans import Plan
from agents.indicators.ragged import Ragged, State
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput
from tests.unit.agents.indicators.conftest import RandomBars, make_bars

PLAN_MODULE = "agents.indicators.plans"
MANY: dict[str, Any] = {
    "fast": ("sma", {"window": 10}),
    "macd": "macd",
    "trix": "trix",
    "atr": ("atr", {"smoothing": "sma"}),
    "band": "bollinger",
    "stop": "psar",
    "percent": ("bollinger_percent_b", {}),
    "chop": "choppiness",
    "pattern": "cdlengulfing",
    "regime": "volatility_regime",
}


def data_for(made: Plan, bars: RandomBars) -> Ragged:
    return Ragged.of([to_floats(bars.columns[name]) for name in made.inputs], bars.offsets)


def same_bits(a: Floats, b: Floats) -> None:
    np.testing.assert_array_equal(a.view(np.int64), b.view(np.int64))


@pytest.mark.parametrize("rows", [1, 1000, 4096])
def test_the_size_of_blocks_changes_no_bit(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    bars = make_bars([300, 40, 900, 17, 256, 256, 1, 80] * 4)
    _, made = plan_of(MANY)
    data = data_for(made, bars)
    whole, newest = made.run(data), made.last(data)
    monkeypatch.setattr(f"{PLAN_MODULE}.BLOCK_ROWS", rows)
    assert len(made._blocks(data)) > 1
    same_bits(made.run(data), whole)
    same_bits(made.last(data), newest)


def test_threads_change_no_bit(bars: RandomBars) -> None:
    _, made = plan_of(MANY)
    data = data_for(made, bars)
    alone = made.run(data)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: made.run(data), range(12)):
            same_bits(found, alone)


def test_a_plan_gives_the_bits_of_each_indicator_alone(bars: RandomBars) -> None:
    names, made = plan_of(MANY)
    columns = dict(zip(names, made.run(data_for(made, bars)), strict=True))
    frame = pl.DataFrame({"symbol": np.repeat(np.arange(12), np.diff(bars.offsets)), **bars.columns})
    for name, asked in MANY.items():
        indicator, params = (asked, {}) if isinstance(asked, str) else asked
        found = indicators.compute(indicator, frame, **params)
        for title, line in zip(
            indicators.get(indicator).outputs, found if isinstance(found, tuple) else (found,), strict=True
        ):
            same_bits(columns[name if name in columns else f"{name}.{title}"], line)


def test_what_indicators_share_is_computed_once() -> None:
    _, apart = plan_of({"a": ("atr", {"smoothing": "sma"})})
    _, together = plan_of({"a": ("atr", {"smoothing": "sma"}), "b": ("natr", {"smoothing": "sma"}), "c": "true_range"})
    ranges = [node for node in together.nodes if node.kernel is not None and node.kernel.__name__ == "true_range"]
    assert len(ranges) == 1
    assert len(together.nodes) == len(apart.nodes) + 2  # a ratio and its scale


def test_a_frame_gets_its_columns_in_its_own_order(bars: RandomBars) -> None:
    frame = pl.DataFrame({"symbol": np.repeat(np.arange(12), np.diff(bars.offsets)), **bars.columns})
    found = indicators.compute_many(MANY, frame)
    assert found.height == frame.height
    assert {"fast", "macd.macd", "macd.signal", "macd.hist", "band.upper"} <= set(found.columns)
    newest = indicators.last(MANY, frame)
    assert newest["symbol"].to_list() == list(range(12))
    assert newest.drop("symbol").equals(found[bars.offsets[1:] - 1])


def test_a_plan_goes_on_from_a_snapshot_bar_by_bar(bars: RandomBars) -> None:
    names, made = plan_of(MANY)
    columns = [to_floats(column) for column in bars.of(4, made.inputs)]
    whole = made.run(Ragged.single(columns))
    found, state = made.resume(None, Ragged.single([column[:250] for column in columns]))
    same_bits(found, whole[:, :250])
    for row in range(250, 257):
        state = State.restore(state.snapshot())
        found, state = made.resume(state, Ragged.single([to_floats(column[row : row + 1]) for column in columns]))
        same_bits(found[:, 0].copy(), whole[:, row].copy())
    _, other = plan_of({"x": "sma"})
    with pytest.raises(InvalidInput, match="belongs to"):
        other.resume(state, Ragged.single(columns[:1]))
    with pytest.raises(InvalidInput, match="not a snapshot"):
        State.restore(b"something else")
    assert len(names) == whole.shape[0]


def test_groups_in_any_order_get_the_values_of_sorted_ones(bars: RandomBars) -> None:
    """`.over` on mixed rows: each group in the order of its rows, as Polars has it."""
    frame = pl.DataFrame({"symbol": np.repeat(np.arange(12), np.diff(bars.offsets)), **bars.columns}).with_row_index()
    mixed = frame.sample(fraction=1.0, shuffle=True, seed=3)
    builders: list[Callable[[], pl.Expr]] = [
        lambda: indicators.expressions.rsi("close", 5),
        lambda: indicators.expressions.macd("close", 3, 6, 4),
    ]
    for build in builders:
        quick = mixed.select("index", x=build().over("symbol"))
        slow = mixed.select("index", x=pl.Expr.over(build(), "symbol"))
        assert quick.equals(slow)
    named = frame.with_columns(symbol=pl.when(pl.col("symbol") == 3).then(None).otherwise(pl.col("symbol")))
    assert named.select(indicators.expressions.ema("close", 5).over("symbol")).height == frame.height
