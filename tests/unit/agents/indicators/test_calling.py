"""How indicators are called, and what a caller is told who calls them wrongly."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import polars as pl
import pytest

from agents import indicators
from agents.indicators import compute, expressions, get, resume
from data.contracts.errors import InvalidInput
from tests.unit.agents.indicators.conftest import RandomBars

CLOSE = np.linspace(10.0, 20.0, 50)


def test_parameters_go_by_position_name_or_talibs_name() -> None:
    wanted = indicators.rsi(CLOSE, 7)
    np.testing.assert_array_equal(indicators.rsi(CLOSE, window=7), wanted)
    np.testing.assert_array_equal(indicators.rsi(CLOSE, timeperiod=7), wanted)
    np.testing.assert_array_equal(indicators.rsi(CLOSE, np.int64(7)), wanted)


def test_several_outputs_have_names() -> None:
    result = indicators.macd(CLOSE, 3, 6, signal=4)
    macd, signal, hist = result
    assert result.signal is signal
    np.testing.assert_array_equal(hist, macd - signal)


@pytest.mark.parametrize(
    ("arguments", "named", "says"),
    [
        ((CLOSE, 0), {}, "between 1 and 100000 bars"),
        ((CLOSE, 2.5), {}, "whole number"),
        ((CLOSE, float("nan")), {}, "whole number"),
        ((CLOSE, "14"), {}, "must be a number"),
        ((CLOSE, True), {}, "must be a number"),
        ((CLOSE,), {"period": 14}, "it has: window"),
        ((CLOSE, 14), {"window": 15}, "window twice"),
        ((CLOSE, 14, "sma", 3), {}, "takes 2 parameters"),
        ((CLOSE, 14, "hull"), {}, "one of wilder, sma, ema"),
        ((14,), {}, "needs these columns first: close"),
        ((), {}, "needs these columns first: close"),
        ((CLOSE.reshape(5, 10),), {}, "needs these columns first: close"),
        ((np.array(["a"]),), {}, "numeric"),
        ((pl.Series(["a"]),), {}, "cast it first"),
    ],
)
def test_wrong_arguments_say_what_to_change(arguments: tuple[object, ...], named: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        indicators.rsi(*arguments, **named)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(InvalidInput, match="different lengths"):
        indicators.atr(CLOSE, CLOSE[1:], CLOSE)


def test_a_fast_average_must_be_faster_than_the_slow_one() -> None:
    with pytest.raises(InvalidInput, match="fast must be below slow"):
        indicators.macd(CLOSE, fast=26, slow=12)


def test_an_unknown_name_is_answered_with_close_ones() -> None:
    with pytest.raises(InvalidInput, match="did you mean bollinger"):
        get("bolinger")
    with pytest.raises(AttributeError):
        indicators.bolinger  # noqa: B018  (the access is the test)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InvalidInput, match="no column high, low"):
        compute("atr", pl.DataFrame({"close": CLOSE}))


def test_a_frame_of_mixed_symbols_is_refused() -> None:
    frame = pl.DataFrame({"symbol": ["A", "B", "A"], "close": [1.0, 2.0, 3.0]})
    with pytest.raises(InvalidInput, match='sort\\("symbol", "ts"\\)'):
        compute("sma", frame)


def test_a_frame_that_runs_backwards_is_refused() -> None:
    times = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 3), "1d", time_zone="UTC", eager=True)
    rising = pl.DataFrame({"symbol": ["A", "A", "A"], "ts": times, "close": [1.0, 2.0, 3.0]})
    assert compute("sma", rising, window=2)[-1] == 2.5
    with pytest.raises(InvalidInput, match="must ascend"):
        compute("sma", rising.reverse())


def test_a_polars_null_counts_as_nan() -> None:
    values = pl.Series([1.0, None, 3.0, 4.0, 5.0])
    np.testing.assert_array_equal(indicators.sma(values, 2), [np.nan, np.nan, np.nan, 3.5, 4.5])


def test_expressions_take_columns_under_other_names(bars: RandomBars) -> None:
    close, high, low = bars.of(0, ("close",))[0], *bars.of(0, ("high", "low"))
    frame = pl.DataFrame({"c": close, "h": high, "l": low})
    found = frame.select(expressions.atr("h", pl.col("l"), "c", 5).alias("x"))["x"].to_numpy()
    np.testing.assert_array_equal(found, indicators.atr(high, low, close, 5))
    with pytest.raises(InvalidInput, match="needs these columns first: high, low, close"):
        expressions.atr("h", 5)


def test_a_state_is_not_fed_to_another_indicator() -> None:
    _, state = resume("sma", None, CLOSE, window=5)
    with pytest.raises(InvalidInput, match="belongs to sma"):
        resume("sma", state, CLOSE, window=6)
    with pytest.raises(InvalidInput, match="holds 1 symbols, not 2"):
        resume("sma", state, CLOSE, offsets=np.array([0, 20, 50]), window=5)


def test_offsets_must_cover_the_rows() -> None:
    with pytest.raises(InvalidInput, match="ascend from 0"):
        resume("sma", None, CLOSE, offsets=np.array([0, 20, 49]))


KERNELS = (
    "from importlib import import_module\n"
    "from pkgutil import iter_modules\n"
    "import agents.kernels\n"
    "modules = [import_module(f'agents.kernels.{m.name}') for m in iter_modules(agents.kernels.__path__)]\n"
    "kernels = {n: f for m in modules for n, f in vars(m).items() if hasattr(f, 'signatures')}\n"
)


def test_importing_compiles_nothing_and_needs_no_ray() -> None:
    code = (
        "import sys, agents.indicators as i\n"
        "assert 'ray' not in sys.modules and 'fastapi' not in sys.modules\n"
        + KERNELS
        + "assert not any(f.signatures for f in kernels.values())\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_warming_up_leaves_nothing_to_compile(bars: RandomBars) -> None:
    found: dict[str, Any] = {}
    exec(KERNELS, found)  # noqa: S102  (the text above)
    indicators.warm()
    before = {name: len(kernel.signatures) for name, kernel in found["kernels"].items()}
    for name, entry in indicators.registered().items():
        columns = bars.of(0, entry.inputs)
        entry(*columns)
        entry(*[pl.Series(column) for column in columns])
        _, state = resume(name, None, *columns)
        resume(name, state, *[column[:1] for column in columns])
    assert {name: len(kernel.signatures) for name, kernel in found["kernels"].items()} == before
