"""Spreadsheets of StockCharts' ChartSchool: shorter than other references and with rounded figures."""

from __future__ import annotations

import numpy as np

from agents import indicators
from data.contracts.arrays import Floats
from tests.unit.agents.indicators.conftest import numbers, read_golden


def sheet(name: str) -> dict[str, Floats]:
    _, columns = read_golden(f"stockcharts_{name}")
    return {title: numbers(texts) for title, texts in columns.items()}


def agrees(mine: Floats, theirs: Floats, rows: int, digits: float) -> None:
    """On at least `rows` rows, to the digits the sheet shows."""
    both = np.isfinite(mine) & np.isfinite(theirs)
    assert both.sum() >= rows
    np.testing.assert_allclose(mine[both], theirs[both], atol=digits, rtol=1e-9)


def test_average_true_range_as_tradingview_counts_the_first_bar() -> None:
    case = sheet("atr")
    mine = indicators.get("atr")(case["high"], case["low"], case["close"], 14, "tradingview")
    assert np.flatnonzero(np.isfinite(mine))[0] == np.flatnonzero(case["atr"] > 0.0)[0]
    agrees(mine, case["atr"], 17, 1e-9)


def test_bollinger_bands_with_the_population_deviation() -> None:
    case = sheet("bbands")
    bands = indicators.get("bollinger")(case["close"])
    deviation = indicators.get("stddev")(case["close"], 20)
    for mine, theirs in ((bands.upper, "upper"), (bands.middle, "middle"), (bands.lower, "lower")):
        agrees(mine, case[theirs], 23, 6e-7)
    agrees(deviation, case["deviation"], 23, 6e-7)
    agrees((bands.upper - bands.lower) / bands.middle * 100.0, case["width"], 23, 6e-7)
    agrees((case["close"] - bands.lower) / (bands.upper - bands.lower), case["percent_b"], 23, 6e-7)


def test_donchian_channel() -> None:
    case = sheet("dc")
    channel = indicators.get("donchian")(case["high"], case["low"], 20)
    for mine, theirs in ((channel.upper, "upper"), (channel.middle, "middle"), (channel.lower, "lower")):
        agrees(mine, case[theirs], 11, 6e-3)


def test_raw_force() -> None:
    """The sheet seeds its average with the first force, we with the mean of 13 as TA-Lib: only the raw one compares."""
    case = sheet("fi")
    agrees(indicators.get("force")(case["close"], case["volume"], 1), case["raw"], 29, 6e-3)


def test_on_balance_volume_but_for_the_first_volume() -> None:
    case = sheet("obv")
    volume = np.nan_to_num(case["volume"], nan=0.0)
    agrees(indicators.get("obv")(case["close"], volume), case["obv"], 29, 1e-9)


def test_ease_of_movement() -> None:
    case = sheet("easeofmovement")
    bars = case["high"], case["low"], case["volume"]
    agrees(indicators.get("ease_of_movement")(*bars, 1), case["raw"], 29, 6e-10)
    agrees(indicators.get("ease_of_movement")(*bars, 14), case["ease"], 16, 6e-10)
