"""Trend agent: sides with the direction of price, measured in average true ranges, as far as the trend is strong.

Two readings of direction are averaged: the distance of a fast from a slow exponential mean (Appel's MACD, in ATRs so
that symbols compare) and the climb of a least-squares line over its window. The Average Directional Index says how
far there is a trend at all (Wilder, New Concepts in Technical Trading Systems, 1978: above 25 there is one). Moskowitz,
Ooi and Pedersen (Time series momentum, J. Financial Economics 104, 2012) is the case for following it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from agents.agent import Reason, Values, VoteBlock, agent, read, vote
from agents.indicators import Wanted
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel


@dataclass(frozen=True, slots=True)
class TrendParams:
    """Windows of the trend agent."""

    fast: int = 20  # bars of the fast mean
    slow: int = 50  # bars of the slow mean
    line: int = 20  # bars of the least-squares line
    strength: int = 14  # bars of ADX and ATR
    full_adx: float = 50.0  # ADX points at which confidence is 1

    def __post_init__(self) -> None:
        if not 1 <= self.fast < self.slow:
            raise InvalidInput("trend needs 1 <= fast < slow bars", fast=self.fast, slow=self.slow)
        if self.line < 2 or self.strength < 2:
            raise InvalidInput("trend line and strength windows must be at least 2 bars", line=self.line)
        if not 0.0 < self.full_adx <= 100.0:
            raise InvalidInput("trend full_adx must be above 0 and at most 100", full_adx=self.full_adx)

    @property
    def warmup(self) -> int:
        """Bars before the first vote: the slowest of the indicators."""
        return max(self.slow - 1, self.line - 1, 2 * self.strength - 1)


def indicators(params: TrendParams) -> Wanted:
    """Two means, the slope of a line, ATR and ADX."""
    return {
        "fast": ("ema", {"window": params.fast}),
        "slow": ("ema", {"window": params.slow}),
        "slope": ("linreg_slope", {"window": params.line}),
        "atr": ("atr", {"window": params.strength}),
        "adx": ("adx", {"window": params.strength}),
    }


def evaluate(panel: Panel, values: Values, params: TrendParams) -> VoteBlock:
    """Score by distance and climb in ATRs, confidence by ADX, for every bar of every symbol at once.

    Shapes: panel of N bars -> score (N,) in (-1, 1), confidence (N,) in [0, 1].
    Edges:  abstains in the warm-up, and where the price has not moved at all (ATR 0): there is no scale then.
    """
    distance, climb, adx = _readings(values, params)
    return vote("trend", 0.5 * (_squash(distance) + _squash(climb)), np.clip(adx / params.full_adx, 0.0, 1.0))


def explain(panel: Panel, params: TrendParams, symbol: str, ts: datetime) -> Reason:
    """Distance, climb and ADX of one bar."""
    bars = panel.of(symbol).until(ts)
    if len(bars) <= params.warmup:
        return Reason(f"{len(bars)} bars: a trend needs {params.warmup + 1}")
    distance, climb, adx = (float(reading[-1]) for reading in _readings(read(indicators(params), bars), params))
    facts = {"distance_atr": distance, "climb_atr": climb, "adx": adx}
    if np.isnan(distance):
        return Reason("the price does not move: no trend to measure")
    side = "above" if distance > 0.0 else "below"
    text = (
        f"EMA({params.fast}) {abs(distance):.1f} ATR {side} EMA({params.slow}), line over {params.line} bars "
        f"{'rises' if climb > 0.0 else 'falls'} {abs(climb):.1f} ATR, ADX({params.strength}) = {adx:.0f}"
    )
    return Reason(text, facts)


def _readings(values: Values, params: TrendParams) -> tuple[Floats, Floats, Floats]:
    """Distance of the means and climb of the line, both in ATRs, and ADX."""
    scale = np.where(values["atr"] > 0.0, values["atr"], np.nan)
    distance = (values["fast"] - values["slow"]) / scale
    climb = values["slope"] * (params.line - 1) / scale
    return distance, climb, values["adx.adx"]


def _squash(x: Floats) -> Floats:
    """Any number to (-1, 1) without a transcendental function."""
    return x / (1.0 + np.abs(x))


TREND = agent(
    "trend",
    params=TrendParams,
    scope="symbol",
    inputs=("bars",),
    indicators=indicators,
    reach=lambda params: 0,
    warmup=lambda params: params.warmup,
    cost_ns=50.0,
    evaluate=evaluate,
    explain=explain,
    description="Follows the direction of price in ATRs, as far as ADX sees a trend.",
)
