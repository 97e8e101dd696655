"""Named variants of the momentum oscillators against TA-Lib's functions for the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import talib as typed_talib

from agents import indicators
from data.contracts.arrays import Floats

talib: Any = typed_talib  # its stubs do not know bars unpacked, nor averages by number
TYPES = {"sma": 0, "ema": 1, "wma": 2, "trima": 5, "wilder": 13}


def same(mine: tuple[Floats, ...], theirs: tuple[Floats, ...]) -> None:
    for line, reference in zip(mine, theirs, strict=True):
        np.testing.assert_array_equal(np.isnan(line), np.isnan(reference))
        np.testing.assert_allclose(line, reference, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", TYPES)
def test_stochastics_take_talibs_averages_by_name_and_by_number(name: str, quotes: dict[str, Floats]) -> None:
    bars, number = [quotes[column] for column in ("high", "low", "close")], TYPES[name]
    slow = talib.STOCH(*bars, slowk_matype=number, slowd_matype=number)
    same(indicators.get("stoch")(*bars, smoothing=name, signal_average=name), slow)
    same(indicators.get("stoch")(*bars, slowk_matype=number, slowd_matype=number), slow)
    same(indicators.get("stochf")(*bars, fastd_matype=number), talib.STOCHF(*bars, fastd_matype=number))
    same(
        indicators.get("stochrsi")(bars[2], fastd_matype=number),
        talib.STOCHRSI(bars[2], fastd_matype=number),
    )


@pytest.mark.parametrize(("name", "number"), [("wilder", 13), ("sma", 0), ("ema", 1)])
def test_kdj_takes_talibs_averages(name: str, number: int, quotes: dict[str, Floats]) -> None:
    bars = [quotes[column] for column in ("high", "low", "close")]
    theirs = talib.KDJ(*bars, slowk_matype=number, slowd_matype=number)
    same(indicators.get("kdj")(*bars, smoothing=name), theirs)


def test_rsi_of_simple_averages_is_half_of_chandes_oscillator(quotes: dict[str, Floats]) -> None:
    close = quotes["close"]
    same((indicators.get("rsi")(close, smoothing="sma"),), (50.0 + talib.CMOU(close) / 2.0,))


def test_rsi_of_exponential_averages_is_made_of_talibs_averages(quotes: dict[str, Floats]) -> None:
    steps = np.diff(quotes["close"])
    up, down = talib.EMA(np.maximum(steps, 0.0), 14), talib.EMA(np.maximum(-steps, 0.0), 14)
    expected = np.concatenate([[np.nan], 100.0 * up / (up + down)])
    same((indicators.get("rsi")(quotes["close"], smoothing="ema"),), (expected,))


def test_forecast_oscillator_knows_three_forecasts(quotes: dict[str, Floats]) -> None:
    close, cfo = quotes["close"], indicators.get("cfo")
    same((cfo(close, 14, forecast="previous"),), (talib.FOSC(close, 14),))
    same((cfo(close, 14, forecast="next"),), (100.0 * (close - talib.TSF(close, 14)) / close,))
    same((cfo(close, 14),), (100.0 * (close - talib.LINEARREG(close, 14)) / close,))


def test_bias_takes_other_averages(quotes: dict[str, Floats]) -> None:
    close = quotes["close"]
    same((indicators.get("bias")(close, 26, "ema"),), (100.0 * (close / talib.EMA(close, 26) - 1.0),))


def test_oscillators_of_a_price_at_rest_stand_in_the_middle() -> None:
    flat = np.full(80, 10.0)
    for name in ("stochf", "stoch_rsi", "ultimate", "imi", "rmi", "laguerre_rsi", "rsx", "dynamic_momentum"):
        entry = indicators.get(name)
        values = entry(*[flat] * len(entry.inputs))
        assert (values[-1][-1] if len(entry.outputs) > 1 else values[-1]) == 50.0
    assert indicators.get("williams_r")(flat, flat, flat)[-1] == -50.0
    assert indicators.get("efficiency_ratio")(flat)[-1] == indicators.get("cmo")(flat)[-1] == 0.0
