"""What the sweep cannot ask of averages: every kind by TA-Lib's number, windows that change, the other variants."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import talib

from agents import indicators
from agents.indicators.families.averages import AVERAGES
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput
from tests.unit.agents.indicators.conftest import RandomBars
from tests.unit.agents.indicators.plain import averages as plain

NUMBERS = [*range(11), 12, 13]


def same(mine: Floats, theirs: Floats) -> None:
    np.testing.assert_array_equal(np.isnan(mine), np.isnan(theirs))
    np.testing.assert_allclose(mine, theirs, rtol=1e-9)


def call_talib(function: str, *arguments: Any) -> Any:
    return getattr(talib, function)(*arguments)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("window", [1, 2, 7, 30])
def test_averages_by_number_are_those_of_talib(number: int, window: int, bars: RandomBars) -> None:
    (close,) = bars.of(2, ("close",))
    same(indicators.get("ma")(close, window, matype=number), call_talib("MA", close, window, number))


def test_a_number_without_an_average_is_refused() -> None:
    with pytest.raises(InvalidInput, match="number 11"):
        indicators.get("ma")(np.ones(50), matype=11)


@pytest.mark.parametrize("kind", AVERAGES.names)
def test_an_average_of_one_bar_is_the_bar(kind: str, bars: RandomBars) -> None:
    (close,) = bars.of(4, ("close",))
    np.testing.assert_array_equal(indicators.get("ma")(close, 1, kind), close)


@pytest.mark.parametrize("number", [0, 2, 5, 9])
def test_windows_that_change_bar_by_bar_match_talib(number: int, bars: RandomBars) -> None:
    (close,) = bars.of(2, ("close",))
    periods = np.random.default_rng(4).uniform(1.0, 35.0, close.size)
    theirs = call_talib("MAVP", close, periods, 3, 24, number)
    same(indicators.get("mavp")(close, periods, 3, 24, matype=number), theirs)


def test_an_unknown_window_gives_no_value(bars: RandomBars) -> None:
    (close,) = bars.of(0, ("close",))
    periods = np.full(close.size, 5.0)
    periods[100] = np.nan
    assert np.flatnonzero(np.isnan(indicators.get("mavp")(close, periods)[29:])).tolist() == [71]


@pytest.mark.parametrize(
    ("name", "params", "reference"),
    [
        ("super_smoother", {"window": 15, "poles": 3}, lambda close: plain.super_smoother_3(close, 15)),
        ("butterworth", {"window": 15, "poles": 3}, lambda close: plain.butterworth_3(close, 15)),
        ("decycler", {"window": 4}, lambda close: (close + np.concatenate([close[:1], close[:-1]])) / 2),
        ("swma", {"window": 9}, lambda close: plain.swma(close, 9)),
    ],
)
def test_other_variants_match_the_plain_definition(name: str, params: Any, reference: Any, bars: RandomBars) -> None:
    (close,) = bars.of(4, ("close",))
    same(indicators.get(name)(close, **params), reference(close))


def test_channels_of_other_widths_lie_where_their_definition_says(bars: RandomBars) -> None:
    (close,) = bars.of(4, ("close",))
    channel = indicators.get("linreg_channel")
    error = channel(close, 20, 1.5, "standard_error")
    same(error.upper - error.middle, 1.5 * plain.standard_error(close, 20))
    raff = channel(close, 20, 1.0, "raff")
    for end in (20, 77, close.size):
        window = close[end - 20 : end]
        away = window - np.polyval(np.polyfit(np.arange(20), window, 1), np.arange(20))
        np.testing.assert_allclose(raff.upper[end - 1] - raff.middle[end - 1], np.abs(away).max(), rtol=1e-9)


def test_mcginley_does_not_overshoot_a_price_that_collapses() -> None:
    close = np.concatenate([np.full(30, 100.0), np.full(30, 10.0)])
    assert indicators.get("mcginley")(close).min(initial=100.0, where=np.arange(60) >= 13) >= 10.0


def test_a_perfect_line_has_no_residuals_and_fits_wholly() -> None:
    close = 100.0 + 0.25 * np.arange(300.0)
    assert np.nanmax(indicators.get("standard_error")(close)) < 1e-12
    np.testing.assert_allclose(indicators.get("r_squared")(close)[13:], 1.0, rtol=1e-12)
