"""Variants of volatility and volume indicators, which the sweep over defaults does not hold against outside values."""

from __future__ import annotations

import numpy as np
import pytest
import talib

from agents import indicators
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput

Quotes = dict[str, Floats]


def bars(quotes: Quotes, *names: str) -> list[Floats]:
    return [quotes[name] for name in names]


def same(mine: Floats, theirs: Floats) -> None:
    np.testing.assert_array_equal(np.isnan(mine), np.isnan(theirs))
    np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9 * np.nanmax(np.abs(theirs)))


@pytest.mark.parametrize(("smoothing", "function"), [("sma", talib.SMA), ("ema", talib.EMA), ("wma", talib.WMA)])
def test_average_true_range_with_another_average(smoothing: str, function: object, quotes: Quotes) -> None:
    columns = bars(quotes, "high", "low", "close")
    theirs = function(talib.TRANGE(*columns), 14)  # type: ignore[operator]
    same(indicators.get("atr")(*columns, 14, smoothing), theirs)
    same(indicators.get("natr")(*columns, 14, smoothing), 100.0 * theirs / quotes["close"])


@pytest.mark.parametrize(("number", "average"), [(0, "sma"), (1, "ema"), (2, "wma")])
def test_bollinger_bands_around_another_average(number: int, average: str, quotes: Quotes) -> None:
    theirs = talib.BBANDS(quotes["close"], 25, 1.5, 1.5, number)  # type: ignore[arg-type]
    for given in (average, number):
        for mine, line in zip(indicators.get("bollinger")(quotes["close"], 25, 1.5, given), theirs, strict=True):
            same(mine, line)


def test_sample_deviations_are_numpy_s(quotes: Quotes) -> None:
    close = quotes["close"]
    windows = np.lib.stride_tricks.sliding_window_view(close, 20)
    theirs = np.concatenate([np.full(19, np.nan), windows.std(axis=1, ddof=1)])
    same(indicators.get("stddev")(close, 20, divisor="sample"), theirs)
    upper, middle, _ = indicators.get("bollinger")(close, 20, 2.0, divisor="sample")
    same(upper - middle, 2.0 * theirs)
    with pytest.raises(InvalidInput, match="at least 2"):
        indicators.get("stddev")(close, 1, divisor="sample")


def test_keltner_channels_of_talib_with_windows_in_any_order(quotes: Quotes) -> None:
    high, low, close = columns = bars(quotes, "high", "low", "close")
    for window, atr_window, multiplier in ((20, 10, 2.0), (5, 14, 1.0), (10, 10, 2.0), (9, 10, 1.5), (30, 29, 2.0)):
        theirs = talib.KC(high, low, close, window, atr_window, multiplier)
        for mine, line in zip(indicators.get("keltner")(*columns, window, multiplier, atr_window), theirs, strict=True):
            same(mine, line)


def test_keltner_s_own_channel_is_made_of_simple_averages(quotes: Quotes) -> None:
    high, low, close = bars(quotes, "high", "low", "close")
    channel = indicators.get("keltner")(high, low, close, 10, 1.0, variant="original")
    same(channel.middle, talib.SMA(talib.TYPPRICE(high, low, close), 10))
    same(channel.upper - channel.middle, talib.SMA(high - low, 10))


@pytest.mark.parametrize(("smoothing", "function"), [("ema", talib.EMA), ("sma", talib.SMA)])
def test_relative_volatility_index_with_another_average(smoothing: str, function: object, quotes: Quotes) -> None:
    close = quotes["close"]
    spread, step = talib.STDDEV(close, 10), np.diff(close, prepend=np.nan)
    up, down = (
        function(np.where(np.isnan(spread), np.nan, np.where(side, spread, 0.0)), 14)  # type: ignore[operator]
        for side in (step > 0.0, step < 0.0)
    )
    same(indicators.get("rvi")(close, smoothing=smoothing), 100.0 * up / (up + down))


def test_historical_volatility_of_per_cent_returns(quotes: Quotes) -> None:
    close = quotes["close"]
    moves = np.concatenate([[np.nan], close[1:] / close[:-1] - 1.0])
    theirs = np.concatenate([[np.nan], talib.STDDEV(moves[1:], 30)]) * np.sqrt(252.0)
    same(indicators.get("historical_volatility")(close, 30, divisor="population", returns="percent"), theirs)


def test_garman_klass_with_overnight_gaps_adds_their_squares(quotes: Quotes) -> None:
    columns = bars(quotes, "open", "high", "low", "close")
    plain = indicators.get("garman_klass")(*columns, 20, 1.0)
    whole = indicators.get("garman_klass")(*columns, 20, 1.0, "included")
    gaps = np.log(columns[0][1:] / columns[3][:-1])
    theirs = np.concatenate([[np.nan], talib.SMA(gaps**2, 20)])
    same((whole**2 - plain**2)[20:], theirs[20:])


def test_klinger_s_oscillator_of_tradingview_signs_whole_volumes(quotes: Quotes) -> None:
    high, low, close, volume = bars(quotes, "high", "low", "close", "volume")
    step = np.diff(talib.TYPPRICE(high, low, close))
    signed = np.where(step >= 0.0, volume[1:], -volume[1:])
    theirs = np.concatenate([[np.nan], talib.EMA(signed, 34) - talib.EMA(signed, 55)])
    same(indicators.get("kvo")(high, low, close, volume, variant="tradingview").oscillator, theirs)


def test_anchored_vwap_begins_at_its_anchor_and_again_after_each_period(quotes: Quotes) -> None:
    columns = bars(quotes, "high", "low", "close", "volume")
    line = indicators.get("anchored_vwap")(*columns, anchor=2, period=100)
    assert np.isnan(line[:2]).all()
    for start in range(2, 502, 100):
        same(line[start : start + 100], talib.VWAP(*[column[start : start + 100] for column in columns]))


def test_nothing_traded_gives_values_that_are_defined() -> None:
    price, none = np.linspace(10.0, 11.0, 300), np.zeros(300)
    bar = price + 0.1, price - 0.1, price
    np.testing.assert_allclose(indicators.get("anchored_vwap")(*bar, none), price)
    for name in ("cmf", "twiggs_money_flow", "vfi"):
        assert indicators.get(name)(*bar, none)[-1] == 0.0
    assert indicators.get("vzo")(price, none)[-1] == indicators.get("pvo")(none)[-1] == 0.0
    assert np.isnan(indicators.get("volume_profile")(*bar[:2], none).poc).all()


def test_volume_profile_of_a_drawn_market() -> None:
    """Ten bars between 10 and 11, then two of ten times the volume between 13 and 14."""
    low = np.array([10.0] * 10 + [13.0] * 2)
    volume = np.array([100.0] * 10 + [1000.0] * 2)
    poc, top, bottom = (line[-1] for line in indicators.get("volume_profile")(low + 1.0, low, volume, 12, 4, 60.0))
    assert (poc, top, bottom) == (13.5, 14.0, 13.0)
    _, top, bottom = (line[-1] for line in indicators.get("volume_profile")(low + 1.0, low, volume, 12, 4, 70.0))
    assert (top, bottom) == (14.0, 10.0)
