"""Renko columns, one row per bar, turned into charts of bricks and held against charts of another library."""

from __future__ import annotations

import numpy as np
import pytest

from agents import indicators
from data.contracts.arrays import Floats
from tests.unit.agents.indicators.conftest import numbers, read_golden

RENKO = indicators.get("renko")
ATR_BRICK = 6.1497482878433


def bricks_of(columns: tuple[Floats, ...], brick: float) -> list[tuple[int, bool, float, float]]:
    """Row of the bar, rising, open and close of every brick."""
    _, closes, _, counts = columns
    chart = []
    for row in np.flatnonzero(counts):
        side = np.sign(counts[row])
        for left in range(int(abs(counts[row])) - 1, -1, -1):
            end = closes[row] - side * left * brick
            chart.append((int(row), bool(side > 0), float(end - side * brick), float(end)))
    return chart


@pytest.mark.parametrize(
    ("name", "brick", "start"), [("renko_bricks", 1.0, "multiple"), ("renko_atr_bricks", ATR_BRICK, "close")]
)
def test_the_chart_of_bricks_is_the_reference_s(name: str, brick: float, start: str, quotes: dict[str, Floats]) -> None:
    _, expected = read_golden(name)
    chart = bricks_of(RENKO(quotes["close"], brick, start), brick)
    assert [str(row) for row, *_ in chart] == expected["row"]
    assert [str(int(up)) for _, up, _, _ in chart] == expected["is_up"]
    np.testing.assert_allclose([made[2] for made in chart], numbers(expected["open"]), rtol=1e-12)
    np.testing.assert_allclose([made[3] for made in chart], numbers(expected["close"]), rtol=1e-12)


def test_the_reference_s_brick_is_the_last_average_true_range(quotes: dict[str, Floats]) -> None:
    """It looks ahead: that is why `renko_atr` sizes bricks by the range of their own bar."""
    ranges = indicators.get("atr")(quotes["high"], quotes["low"], quotes["close"], 14)
    assert ranges[-1] == pytest.approx(ATR_BRICK, rel=1e-12)


def test_a_turn_needs_a_move_beyond_the_far_edge_of_the_last_brick() -> None:
    columns = RENKO([10.0, 12.0, 11.1, 10.5, 10.0, 9.0, 9.9, 11.0], 1.0)
    np.testing.assert_array_equal(columns.bricks, [0, 2, 0, 0, -1, -1, 0, 1])
    np.testing.assert_array_equal(columns.open, [10, 11, 11, 11, 11, 10, 10, 10])
    np.testing.assert_array_equal(columns.close, [10, 12, 12, 12, 10, 9, 9, 11])


def test_an_edge_reached_but_for_rounding_is_reached() -> None:
    columns = RENKO(np.round(np.arange(1.0, 3.0, 0.1), 1), 0.1)
    np.testing.assert_array_equal(columns.bricks[1:], 1.0)
