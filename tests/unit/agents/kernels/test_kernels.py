"""What the kernels promise beyond the values of an indicator: accuracy over long histories, and any number of lanes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from agents import indicators
from agents.indicators.columns import to_floats
from agents.indicators.ragged import Ragged
from agents.kernels import stepping
from data.contracts.arrays import Floats


@pytest.mark.parametrize("window", [*range(1, 20), 31, 32, 33, 100, 127, 128, 129, 200, 1000])
def test_window_means_and_extremes_are_right_for_any_window(window: int) -> None:
    values = np.random.default_rng(window).normal(50.0, 9.0, window + 300)
    views = np.lib.stride_tricks.sliding_window_view(values, window)
    np.testing.assert_allclose(indicators.sma(values, window)[window - 1 :], views.mean(axis=1), rtol=1e-13)
    channel = indicators.donchian(values, values, window)
    np.testing.assert_array_equal(channel.upper[window - 1 :], views.max(axis=1))
    np.testing.assert_array_equal(channel.lower[window - 1 :], views.min(axis=1))
    np.testing.assert_allclose(indicators.stddev(values, window)[window - 1 :], views.std(axis=1), rtol=1e-12)
    weights = np.arange(1.0, window + 1.0)
    np.testing.assert_allclose(
        indicators.wma(values, window)[window - 1 :], views @ weights / weights.sum(), rtol=1e-13
    )
    if window > 1:
        slopes = views @ (weights - weights.mean()) / np.square(weights - weights.mean()).sum()
        np.testing.assert_allclose(indicators.linreg_slope(values, window)[window - 1 :], slopes, rtol=1e-9, atol=1e-12)


def test_a_mean_does_not_drift_over_a_long_history() -> None:
    """A running sum would still hold the rounding of the large prices it started with."""
    values = np.concatenate([np.full(100_000, 1e12 / 3.0), np.full(400_000, 0.1)])
    assert indicators.sma(values, 20)[-1] == 0.1


def test_a_deviation_survives_prices_far_above_their_spread() -> None:
    """The mean of squares less the square of the mean cancels to nothing here."""
    values = 1e9 + np.tile([0.0, 1.0], 100)
    np.testing.assert_allclose(indicators.stddev(values, 20)[19:], 0.5, rtol=1e-12)
    np.testing.assert_allclose(indicators.bollinger(values, 20).upper[19:], 1e9 + 1.5, rtol=1e-15)


def test_money_flows_of_a_long_history_still_add_up() -> None:
    rng = np.random.default_rng(0)
    close, volume = rng.normal(50.0, 1.0, 5000), np.floor(rng.lognormal(15.0, 3.0, 5000))
    flow, move = close * volume, np.diff(close, prepend=close[0])
    up = math.fsum(flow[-14:][move[-14:] > 0.0])
    down = math.fsum(flow[-14:][move[-14:] < 0.0])
    np.testing.assert_allclose(
        indicators.mfi(close, close, close, volume, 14)[-1], 100.0 * up / (up + down), rtol=1e-12
    )


SIDE_BY_SIDE = ["ema", "wilder", "macd", "rsi", "atr", "adx", "obv"]


@pytest.mark.parametrize("name", SIDE_BY_SIDE)
@pytest.mark.parametrize("symbols", [1, 2, 7, 8, 9, 16, 17])
def test_lanes_do_not_mix_symbols(name: str, symbols: int) -> None:
    """Eight symbols advance side by side; idle lanes must not touch the state of busy ones."""
    entry = indicators.get(name)
    rng = np.random.default_rng(symbols)
    lengths = rng.integers(1, 400, symbols)
    lengths[0] = 3 * stepping.BURST + 50  # one symbol goes on alone when the others have ended
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    columns: list[Floats] = [to_floats(rng.normal(50.0, 1.0, int(offsets[-1]))) for _ in entry.inputs]
    params = entry.bind((), {})
    together = entry.run(Ragged.of(columns, offsets), params)
    for s in range(symbols):
        rows = slice(offsets[s], offsets[s + 1])
        alone = entry.run(Ragged.single([to_floats(column[rows]) for column in columns]), params)
        pairs = zip(together, alone, strict=True) if len(entry.outputs) > 1 else [(together, alone)]
        for line, own in pairs:
            np.testing.assert_array_equal(line[rows].view(np.int64), own.view(np.int64))
