"""Trend, mean reversion and volume take the side that their names promise, with the strength they promise."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agents.agent import Reason
from agents.indicators import compute
from agents.mean_reversion import MEAN_REVERSION, MeanReversionParams
from agents.trend import TREND, TrendParams
from agents.volume import VOLUME, VolumeParams
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel, from_micros
from tests.unit.agents.conftest import MakePanel


def shaped(make_panel: MakePanel, close: Floats, volume: Floats | None = None) -> Panel:
    """Bars with the given closes, each opening at the close before, with a range of one per cent."""
    bars = make_panel(3, (close.size,))
    opened = np.append(close[0], close[:-1])
    return replace(
        bars,
        open=opened,
        close=close,
        high=np.maximum(opened, close) * 1.005,
        low=np.minimum(opened, close) * 0.995,
        volume=np.full(close.size, 1000.0) if volume is None else volume,
    )


def growing(factor: float, bars: int) -> Floats:
    """A price that changes by the same factor every bar."""
    return 50.0 * np.cumprod(np.full(bars, factor))


def last(panel: Panel, explain: Callable[..., Reason]) -> Reason:
    return explain(panel, panel.symbols[0], from_micros(panel.ts[-1]))


def test_a_rising_price_is_a_trend_to_buy_and_a_falling_one_to_sell(make_panel: MakePanel) -> None:
    up = shaped(make_panel, growing(1.004, 200))
    down = shaped(make_panel, growing(0.996, 200))
    rise, fall = TREND.evaluate(up), TREND.evaluate(down)
    assert rise.score[-1] > 0.5
    assert fall.score[-1] < -0.5
    assert rise.confidence[-1] == 1.0  # ADX far above 50
    assert "above EMA(50)" in last(up, TREND.explain).text
    assert "falls" in last(down, TREND.explain).text


def test_a_price_without_direction_leaves_the_trend_agent_unsure(make_panel: MakePanel) -> None:
    noise = shaped(make_panel, 50.0 + np.random.default_rng(6).normal(0.0, 0.3, 400))
    noisy, steady = TREND.evaluate(noise), TREND.evaluate(shaped(make_panel, growing(1.004, 400)))
    assert np.nanmean(np.abs(noisy.score)) < 0.2
    assert np.nanmean(noisy.confidence) < 0.5 * np.nanmean(steady.confidence)


def test_a_sudden_fall_is_bought_and_a_sudden_jump_sold(make_panel: MakePanel) -> None:
    calm = 50.0 + 0.3 * np.sin(np.arange(120))
    for shock, side in ((-4.0, 1.0), (4.0, -1.0)):
        close = calm.copy()
        close[-1] += shock
        bars = shaped(make_panel, close)
        block = MEAN_REVERSION.evaluate(bars)
        assert block.score[-1] * side > 0.9
        assert block.confidence[-1] > 0.5
        assert ("below its 30 band" if side > 0 else "above its 70 band") in last(bars, MEAN_REVERSION.explain).text


def test_mean_reversion_is_less_confident_in_a_strong_trend(make_panel: MakePanel) -> None:
    steady = shaped(make_panel, growing(1.004, 200))
    block = MEAN_REVERSION.evaluate(steady)
    assert block.score[-1] < -0.5
    assert block.confidence[-1] == pytest.approx(0.25 * abs(block.score[-1]))
    assert "strong trend, ADX" in last(steady, MEAN_REVERSION.explain).text


def test_mean_reversion_explains_the_very_numbers_it_voted_with(make_panel: MakePanel) -> None:
    bars = make_panel(9, (200,))
    facts = last(bars, MEAN_REVERSION.explain).facts
    assert facts["rsi"] == compute("rsi", bars, window=14)[-1]
    score = 0.5 * (np.clip((50.0 - facts["rsi"]) / 20.0, -1, 1) - np.clip(facts["zscore"] / 2.0, -1, 1))
    assert MEAN_REVERSION.evaluate(bars).score[-1] == score


def test_money_that_flows_in_on_rising_days_is_bought(make_panel: MakePanel) -> None:
    rises = np.arange(120) % 2 == 0
    close = (50.0 * np.cumprod(np.where(rises, 1.005, 0.995))).astype(np.float64)
    bought = VOLUME.evaluate(shaped(make_panel, close, np.where(rises, 5000.0, 1000.0)))
    sold = VOLUME.evaluate(shaped(make_panel, close, np.where(rises, 1000.0, 5000.0)))
    assert (bought.score[-2:] > 0.2).all()
    assert (sold.score[-2:] < -0.2).all()


def test_a_money_flow_at_its_end_is_faded(make_panel: MakePanel) -> None:
    """Every bar rises on the same volume: MFI is 100, and the flow of 100 per cent alone would say buy."""
    steady = shaped(make_panel, growing(1.01, 60))
    facts = last(steady, VOLUME.explain).facts
    assert facts["mfi"] == 100.0
    assert facts["flow"] == 1.0
    confirmation = facts["confirmation_atr"] / (0.25 + abs(facts["confirmation_atr"]))
    assert VOLUME.evaluate(steady).score[-1] == pytest.approx(0.5 * (1.0 + confirmation - 1.0))


def test_busy_trading_makes_the_volume_agent_surer(make_panel: MakePanel) -> None:
    close = 50.0 + np.cumsum(np.sin(np.arange(120)))
    usual, busy = np.full(120, 1000.0), np.full(120, 1000.0)
    busy[-1] = 9000.0
    assert VOLUME.evaluate(shaped(make_panel, close, usual)).confidence[-1] == pytest.approx(0.5)
    loud = shaped(make_panel, close, busy)
    assert VOLUME.evaluate(loud).confidence[-1] == pytest.approx(9.0 / 1.4 / (1.0 + 9.0 / 1.4))
    assert "volume 6.4× usual" in last(loud, VOLUME.explain).text


def test_without_volume_the_volume_agent_abstains(make_panel: MakePanel) -> None:
    dry = shaped(make_panel, 50.0 + np.cumsum(np.sin(np.arange(120))), np.zeros(120))
    assert np.isnan(VOLUME.evaluate(dry).score).all()
    assert "no volume" in last(dry, VOLUME.explain).text


@pytest.mark.parametrize(
    ("params", "wrong"),
    [
        (TrendParams, {"fast": 50, "slow": 20}),
        (TrendParams, {"line": 1}),
        (TrendParams, {"full_adx": 0.0}),
        (MeanReversionParams, {"low": 70.0, "high": 30.0}),
        (MeanReversionParams, {"window": 1}),
        (MeanReversionParams, {"deviations": 0.0}),
        (VolumeParams, {"window": 1}),
        (VolumeParams, {"flow": 1}),
        (VolumeParams, {"far": 0.0}),
        (VolumeParams, {"extreme": 51.0}),
    ],
)
def test_parameters_out_of_range_are_refused(params: Callable[..., Any], wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        params(**wrong)
