"""Spreadsheets of StockCharts' ChartSchool: shorter than other references and with rounded figures."""

from __future__ import annotations

import numpy as np

from agents import indicators
from tests.unit.agents.indicators.conftest import numbers, read_golden


def test_vortex() -> None:
    case = {title: numbers(texts) for title, texts in read_golden("stockcharts_vortex")[1].items()}
    mine = indicators.get("vortex")(case["high"], case["low"], case["close"])
    for line, theirs in ((mine.plus, case["plus"]), (mine.minus, case["minus"])):
        np.testing.assert_array_equal(np.isnan(line), np.isnan(theirs))
        np.testing.assert_allclose(line, theirs, atol=6e-7)


def test_macd_once_the_seeds_have_decayed() -> None:
    """The sheet seeds its averages with the first price, we like TA-Lib with the mean of the first window."""
    case = {title: numbers(texts) for title, texts in read_golden("stockcharts_macd")[1].items()}
    mine = indicators.get("macd")(case["close"])
    for line, title in ((mine.macd, "macd"), (mine.signal, "signal"), (mine.hist, "hist")):
        away = np.abs(line - case[title])
        assert np.nanmax(away) < 0.2
        assert away[-20:].max() < 5e-4
