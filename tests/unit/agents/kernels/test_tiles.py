"""Eight symbols in one vector: a tile is turned without a loss, and each symbol gets the bits it has alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

from agents import indicators
from agents.indicators.columns import to_floats
from agents.indicators.graph import column
from agents.indicators.plans import Plan
from agents.indicators.ragged import Ragged
from agents.kernels.newest import COLUMNS
from agents.kernels.stepping import BURST
from agents.kernels.tiles import above, eights, equal, keep_eights, magnitude, turn_in, turn_out
from data.contracts.arrays import Floats, Ints

_njit: Callable[[Callable[..., None]], Callable[..., None]] = numba.njit(error_model="numpy")
BITS = ["ema", "wilder", "rsi", "macd", "atr", "adx", "obv"]
NEWEST = ["ema", "wilder", "rsi", "macd", "atr", "adx"]


@_njit
def there_and_back(a: Floats, b: Floats, at: Ints, row: int, bars: Floats, c: Floats, d: Floats) -> None:
    turn_in((a, b), at, row, bars)
    turn_out(bars, (c, d), at, row)


@_njit
def formulas(a: Floats, b: Floats, wide: Floats, alone: Floats) -> None:
    x, y = eights(a, 0, (0.0,))[0], eights(b, 0, (0.0,))[0]
    found = (above(x, y, x, 7.0), equal(x, y, 1.0, y), magnitude(-x), above(0.0, x, -x, y), (x - y) / x * 2.0 + y)
    keep_eights(wide, 0, found, found)
    for i in range(8):
        p, q = a[i], b[i]
        alone[i], alone[8 + i], alone[16 + i] = above(p, q, p, 7.0), equal(p, q, 1.0, q), magnitude(-p)
        alone[24 + i], alone[32 + i] = above(0.0, p, -p, q), (p - q) / p * 2.0 + q


def history(lengths: Any, names: tuple[str, ...], seed: int = 0) -> tuple[list[Floats], Ints]:
    rng, offsets = np.random.default_rng(seed), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return [to_floats(rng.normal(50.0, 1.0, int(offsets[-1]))) for _ in names], offsets


def test_a_tile_holds_a_bar_of_each_symbol_and_goes_back_where_it_came_from() -> None:
    a, b = np.arange(200.0), np.arange(200.0) + 1000.0
    at, bars, c, d = np.array([0, 150, 20, 33, 70, 90, 101, 120]), np.empty(128), np.zeros(200), np.zeros(200)
    there_and_back(a, b, at, 5, bars, c, d)
    rows = at[None, :] + 5 + np.arange(8)[:, None]
    np.testing.assert_array_equal(bars.reshape(8, 2, 8)[:, 0], a[rows])
    np.testing.assert_array_equal(bars.reshape(8, 2, 8)[:, 1], b[rows])
    taken = np.isin(np.arange(200), rows)
    np.testing.assert_array_equal(c, np.where(taken, a, 0.0))
    np.testing.assert_array_equal(d, np.where(taken, b, 0.0))


def test_a_formula_gives_a_lane_the_bits_it_gives_a_float() -> None:
    a = np.array([1.0, -0.0, np.nan, 0.1, -5.0, 3.0, np.inf, 1e-310])
    b = np.array([1.0, 0.0, 2.0, np.nan, -7.0, 0.3, np.inf, 2e-310])
    wide, alone = np.empty(40), np.empty(40)
    formulas(a, b, wide, alone)
    np.testing.assert_array_equal(np.isnan(wide), np.isnan(alone))
    known = ~np.isnan(alone)
    np.testing.assert_array_equal(wide[known].view(np.int64), alone[known].view(np.int64))
    np.testing.assert_array_equal(alone[:8], [7.0, 7.0, 7.0, 7.0, -5.0, 3.0, 7.0, 7.0])


@pytest.mark.parametrize("name", BITS)
def test_symbols_of_any_length_have_the_bits_they_have_alone(name: str) -> None:
    """Lengths around the eights, the windows and the bursts: seeds together and apart, tails, copies in idle lanes."""
    entry = indicators.get(name)
    lengths = [
        0,
        1,
        2,
        7,
        8,
        9,
        13,
        14,
        15,
        16,
        26,
        27,
        33,
        34,
        35,
        40,
        41,
        *[BURST + 8] * 9,
        BURST * 3 + 1,
        2000,
        2003,
    ]
    columns, offsets = history(lengths, entry.inputs)
    columns[0] = to_floats(np.where(np.arange(offsets[-1]) == offsets[20] + 50, np.nan, columns[0]))
    params = entry.bind((), {})
    together = np.atleast_2d(entry.run(Ragged.of(columns, offsets), params))
    for s in range(len(lengths)):
        rows = slice(int(offsets[s]), int(offsets[s + 1]))
        alone = entry.run(Ragged.of([given[rows] for given in columns], np.array([0, lengths[s]])), params)
        np.testing.assert_array_equal(together[:, rows], np.atleast_2d(alone))


@pytest.mark.parametrize("symbols", [1, 2, 3, 8, 21])
def test_the_newest_values_of_many_indicators_are_the_last_of_their_columns(symbols: int) -> None:
    _, plan = indicators.plan(
        {
            f"{name}{window}": (name, {"window": window})
            for name in ("ema", "wilder", "rsi", "atr", "adx")
            for window in (2, 14)
        }
        | {"macd": "macd"}
    )
    lengths = np.random.default_rng(symbols).integers(1, 400, symbols)
    data = Ragged.of(*history(lengths, plan.inputs))
    assert all(node.newest for node in plan.nodes)
    np.testing.assert_array_equal(plan.last(data), plan.run(data)[:, data.offsets[1:] - 1])


def test_a_symbol_without_bars_has_no_newest_value() -> None:
    _, plan = indicators.plan({name: name for name in NEWEST})
    columns, _ = history([30], plan.inputs)
    found = plan.last(Ragged.of(columns, np.array([0, 0, 30, 30])))
    assert np.isnan(found[:, [0, 2]]).all()
    assert np.isfinite(found[0, 1])


def test_there_may_be_more_columns_than_one_pass_takes() -> None:
    names = [f"c{i}" for i in range(COLUMNS + 2)]
    ema = indicators.get("ema")
    plan = Plan([ema.build(column(name), window=5) for name in names])
    data = Ragged.of(*history([40, 50], plan.inputs))
    np.testing.assert_array_equal(plan.last(data), plan.run(data)[:, data.offsets[1:] - 1])
