"""Volume agent: sides with the flow of money where it says more than price alone, the more so the busier the trading.

Three readings, chosen so that they do not repeat what price already says (on daily US stocks the score has a
correlation of about 0.45 with the trend agent and -0.45 with mean reversion; the distance of the close from VWAP, the
usual reading, has -0.96 with mean reversion and was left out):
- flow: the change of On-Balance Volume as a share of the volume traded meanwhile (Granville, New Key to Stock Market
  Profits, 1963);
- confirmation: the volume-weighted mean price against the plain one, in ATRs, positive where the busy bars were the
  dear ones (Dormeier, Volume Price Confirmation Indicator, J. Technical Analysis 64, 2007);
- exhaustion: a Money Flow Index above 80 or below 20 is faded (Quong and Soudack, Stocks & Commodities 7:3, 1989).
How busy the bar was against its own past is the confidence: volume tells how good the information in a price is
(Blume, Easley and O'Hara, J. Finance 49, 1994).
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
class VolumeParams:
    """Windows and scales of the volume agent."""

    window: int = 20  # bars of the OBV change, of both means and of the usual volume
    flow: int = 14  # bars of MFI and ATR
    far: float = 0.25  # ATRs between the two means at which confirmation is one half
    extreme: float = 20.0  # MFI points from either end of its scale that count as exhaustion

    def __post_init__(self) -> None:
        if self.window < 2 or self.flow < 2:
            raise InvalidInput("volume windows must be at least 2 bars", window=self.window, flow=self.flow)
        if not 0.0 < self.far < np.inf:
            raise InvalidInput("volume far must be above 0 ATRs", far=self.far)
        if not 0.0 < self.extreme <= 50.0:
            raise InvalidInput("volume extreme must be above 0 and at most 50 MFI points", extreme=self.extreme)

    @property
    def warmup(self) -> int:
        """Bars before the first vote: the slowest of the readings."""
        return max(self.window, self.flow)


def indicators(params: VolumeParams) -> Wanted:
    """OBV, the volume-weighted and the plain mean, ATR and MFI."""
    return {
        "obv": "obv",
        "vwap": ("vwap", {"window": params.window}),
        "mean": ("sma", {"window": params.window}),
        "atr": ("atr", {"window": params.flow}),
        "mfi": ("mfi", {"window": params.flow}),
    }


def evaluate(panel: Panel, values: Values, params: VolumeParams) -> VoteBlock:
    """Score by the direction of the money, confidence by volume against its own mean.

    Shapes: panel of N bars -> score (N,) in [-1, 1], confidence (N,) in [0, 1): 0.5 at the usual volume.
    Edges:  abstains in the warm-up, without any volume in the window, and where the price has not moved (ATR 0).
    """
    flow, apart, mfi, busy = _readings(panel, values, params)
    confirmation = apart / (params.far + np.abs(apart))
    low, high = params.extreme, 100.0 - params.extreme
    exhaustion = np.clip((low - mfi) / low, 0.0, 1.0) - np.clip((mfi - high) / low, 0.0, 1.0)
    score = 0.5 * (flow + confirmation + exhaustion)
    return vote("volume", np.clip(score, -1.0, 1.0), busy / (1.0 + busy))


def explain(panel: Panel, params: VolumeParams, symbol: str, ts: datetime) -> Reason:
    """Flow, confirmation, MFI and volume ratio of one bar."""
    bars = panel.of(symbol).until(ts)
    if len(bars) <= params.warmup:
        return Reason(f"{len(bars)} bars: volume needs {params.warmup + 1}")
    readings = _readings(bars, read(indicators(params), bars), params)
    flow, apart, mfi, busy = (float(reading[-1]) for reading in readings)
    if np.isnan(flow + apart + mfi):
        return Reason(f"no volume or no movement in the last {params.window} bars")
    moves, side = "rises" if flow > 0.0 else "falls", "above" if apart > 0.0 else "below"
    text = (
        f"net {abs(flow):.0%} of {params.window}-bar volume on {moves}, VWAP {abs(apart):.1f} ATR {side} the mean, "
        f"MFI({params.flow}) = {mfi:.0f}, volume {busy:.1f}× usual"
    )
    return Reason(text, {"flow": flow, "confirmation_atr": apart, "mfi": mfi, "volume_ratio": busy})


def _readings(panel: Panel, values: Values, params: VolumeParams) -> tuple[Floats, Floats, Floats, Floats]:
    """OBV change over volume [-1, 1], VWAP − mean close in ATRs, MFI [0, 100], volume over its mean."""
    n = params.window
    age = np.arange(len(panel)) - np.repeat(panel.offsets[:-1], np.diff(panel.offsets))
    traded = _sum_of_last(panel.volume, n)
    traded[(traded == 0.0) | (age < n)] = np.nan  # also where a neighbour's bars were added
    obv = values["obv"]
    change = np.full(len(panel), np.nan)
    change[n:] = obv[n:] - obv[:-n]
    scale = np.where(values["atr"] > 0.0, values["atr"], np.nan)
    apart = (values["vwap"] - values["mean"]) / scale
    return change / traded, apart, values["mfi"], panel.volume / (traded / n)


def _sum_of_last(values: Floats, n: int) -> Floats:
    """Sum over a bar and the n - 1 before it, added in that order, so its bits do not depend on older bars."""
    total = values.copy()
    for age in range(1, min(n, values.size)):
        total[age:] += values[: values.size - age]
    return total


VOLUME = agent(
    "volume",
    params=VolumeParams,
    scope="symbol",
    inputs=("bars",),
    indicators=indicators,
    reach=lambda params: params.window,
    warmup=lambda params: params.warmup,
    cost_ns=35.0,
    evaluate=evaluate,
    explain=explain,
    description="Sides with the flow of money by OBV, VWAP and MFI, more when trading is busy.",
)
