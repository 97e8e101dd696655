"""Mean-reversion agent: fades an RSI that has left mid-band and a price far from its mean, less so in a strong trend.

RSI and its 30/70 band, and ADX above 25 as the sign of a trend that oscillators should not fight, are Wilder's (New
Concepts in Technical Trading Systems, 1978); two deviations from the mean is Bollinger's band (Bollinger on Bollinger
Bands, 2001). Reversal over days to weeks itself: Lehmann (Quarterly J. Economics 105, 1990), Jegadeesh (J. Finance 45,
1990).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from agents.agent import Reason, Values, VoteBlock, agent, read, vote
from agents.indicators import Wanted
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel

CALM_ADX, STRONG_ADX = 20.0, 40.0  # ADX points between which a trend takes confidence away
LEAST = 0.25  # share of the confidence that is left in a strong trend


@dataclass(frozen=True, slots=True)
class MeanReversionParams:
    """Windows and bands of the mean-reversion agent."""

    window: int = 14  # bars of RSI and ADX
    low: float = 30.0  # RSI points
    high: float = 70.0  # RSI points
    mean: int = 20  # bars of the mean that the price is compared with
    deviations: float = 2.0  # standard deviations from that mean that count as one full band

    def __post_init__(self) -> None:
        if self.window < 2 or self.mean < 2:
            raise InvalidInput("mean_reversion windows must be at least 2 bars", window=self.window, mean=self.mean)
        if not 0.0 <= self.low < self.high <= 100.0:
            raise InvalidInput("mean_reversion needs 0 <= low < high <= 100", low=self.low, high=self.high)
        if not 0.0 < self.deviations < np.inf:
            raise InvalidInput("mean_reversion deviations must be above 0", deviations=self.deviations)

    @property
    def warmup(self) -> int:
        """Bars before the first vote: the slowest of the indicators."""
        return max(2 * self.window - 1, self.mean - 1)


def indicators(params: MeanReversionParams) -> Wanted:
    """RSI, z-score of the close, ADX."""
    return {
        "rsi": ("rsi", {"window": params.window}),
        "zscore": ("zscore", {"window": params.mean}),
        "adx": ("adx", {"window": params.window}),
    }


def evaluate(panel: Panel, values: Values, params: MeanReversionParams) -> VoteBlock:
    """Score against the price's excursion; confidence by its size, down to a quarter in a strong trend.

    Shapes: panel of N bars -> score (N,) in [-1, 1], confidence (N,) in [0, 1].
    Edges:  abstains in the warm-up, and where the price did not move over the window of the mean.
    """
    rsi, deviation, adx = values["rsi"], values["zscore"], values["adx.adx"]
    middle, half = (params.high + params.low) / 2.0, (params.high - params.low) / 2.0
    score = 0.5 * (np.clip((middle - rsi) / half, -1.0, 1.0) - np.clip(deviation / params.deviations, -1.0, 1.0))
    trend = np.clip((adx - CALM_ADX) / (STRONG_ADX - CALM_ADX), 0.0, 1.0)
    return vote("mean_reversion", score, np.abs(score) * (1.0 - (1.0 - LEAST) * trend))


def explain(panel: Panel, params: MeanReversionParams, symbol: str, ts: datetime) -> Reason:
    """RSI, z-score and ADX of one bar."""
    bars = panel.of(symbol).until(ts)
    if len(bars) <= params.warmup:
        return Reason(f"{len(bars)} bars: mean reversion needs {params.warmup + 1}")
    values = read(indicators(params), bars)
    rsi, deviation, adx = (float(values[name][-1]) for name in ("rsi", "zscore", "adx.adx"))
    facts = {"rsi": rsi, "zscore": deviation, "adx": adx}
    if np.isnan(deviation):
        return Reason(f"the price did not move for {params.mean} bars: no mean to return to", facts={"rsi": rsi})
    where = (
        f"below its {params.low:g} band"
        if rsi < params.low
        else f"above its {params.high:g} band"
        if rsi > params.high
        else f"inside {params.low:g}–{params.high:g}"
    )
    away = f"{deviation:+.1f}".replace("-", "−")
    trend = f"; strong trend, ADX {adx:.0f}" if adx > STRONG_ADX else ""
    return Reason(f"RSI({params.window}) = {rsi:.1f}, {where}; z-score {away}{trend}", facts)


MEAN_REVERSION = agent(
    "mean_reversion",
    params=MeanReversionParams,
    scope="symbol",
    inputs=("bars",),
    indicators=indicators,
    reach=lambda params: 0,
    warmup=lambda params: params.warmup,
    cost_ns=50.0,
    evaluate=evaluate,
    explain=explain,
    description="Fades an RSI out of its band and a price far from its mean, less in a strong trend.",
)
