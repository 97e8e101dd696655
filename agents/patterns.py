"""Candlestick agent: what TA-Lib's 61 patterns of the last bars say, the freshest most.

It promises that a vote depends on the last `window` bars only, never on how long the history is or on neighbours.
Prices go into TA-Lib as whole numbers of 1e-8: with prices in cents many of its comparisons are exact ties, which
binary fractions decide at random (measured on daily US stocks: about 1 flag in 400); on the grid a tie is a tie
and its running sums are exact. A price far below 1e-6 is too coarse on this grid to show patterns.

Dojis, spinning tops, rickshaw men and high waves mean indecision: evidence without a side. Patterns of more candles
weigh more (Nison, Japanese Candlestick Charting Techniques, 2nd ed. 2001: single lines need the confirmation that
longer patterns contain). Marshall, Young and Rose (J. Banking & Finance 30, 2006) found no profit in candlesticks
alone on large US stocks: hence a confidence that grows slowly with the evidence.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from agents.agent import Reason, Values, VoteBlock, agent, vote
from data.contracts.arrays import Bools, Floats
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel

GRID: Final = 1e8  # price steps per unit of quote currency; exact up to a price of 90 million
LOOKBACK: Final = 14  # bars before the slowest pattern's first answer
SHOWN: Final = 3  # patterns named in an explanation
BLOCK: Final = 8192  # bars per TA-Lib call: a few whole symbols share the cost of a call and stay in the cache

_INDECISION: Final = "DOJI HIGHWAVE LONGLEGGEDDOJI RICKSHAWMAN SPINNINGTOP"
_FLIPPED: Final = "GRAVESTONEDOJI"  # TA-Lib always marks it +100; its form is bearish
_SINGLE: Final = "BELTHOLD CLOSINGMARUBOZU DRAGONFLYDOJI LONGLINE MARUBOZU SHORTLINE TAKURI"
_DOUBLE: Final = (
    "COUNTERATTACK DARKCLOUDCOVER DOJISTAR ENGULFING HAMMER HANGINGMAN HARAMI HARAMICROSS HOMINGPIGEON INNECK "
    "INVERTEDHAMMER KICKING KICKINGBYLENGTH MATCHINGLOW ONNECK PIERCING SEPARATINGLINES SHOOTINGSTAR THRUSTING"
)
_LONGER: Final = (
    "2CROWS 3BLACKCROWS 3INSIDE 3LINESTRIKE 3OUTSIDE 3STARSINSOUTH 3WHITESOLDIERS ABANDONEDBABY ADVANCEBLOCK "
    "BREAKAWAY CONCEALBABYSWALL EVENINGDOJISTAR EVENINGSTAR GAPSIDESIDEWHITE HIKKAKE HIKKAKEMOD IDENTICAL3CROWS "
    "LADDERBOTTOM MATHOLD MORNINGDOJISTAR MORNINGSTAR RISEFALL3METHODS STALLEDPATTERN STICKSANDWICH TASUKIGAP "
    "TRISTAR UNIQUE3RIVER UPSIDEGAP2CROWS XSIDEGAP3METHODS"
)

Flags: TypeAlias = NDArray[np.int32]
Pattern: TypeAlias = Callable[[Floats, Floats, Floats, Floats], Flags]


@dataclass(frozen=True, slots=True)
class PatternsParams:
    """How long patterns count and how much evidence convinces."""

    bars: int = 3  # a pattern counts on its own bar and this many less one after it, half as much each
    half_evidence: float = 10.0  # weighted patterns at which the confidence is one half

    def __post_init__(self) -> None:
        if not 1 <= self.bars <= 10:
            raise InvalidInput("patterns bars must be 1 to 10", bars=self.bars)
        if not 0.0 < self.half_evidence < np.inf:
            raise InvalidInput("patterns half_evidence must be above 0", half_evidence=self.half_evidence)

    @property
    def window(self) -> int:
        """Bars that one vote depends on."""
        return LOOKBACK + self.bars


def evaluate(panel: Panel, values: Values, params: PatternsParams) -> VoteBlock:
    """Score by the balance of bullish and bearish patterns on the last bars, confidence by their weight.

    Shapes: panel of N bars -> score (N,) = (bullish − bearish) / all evidence, confidence (N,) = E / (E + half).
    Edges:  abstains in the warm-up and where no pattern was found on the last `bars` bars.
    """
    net, gross = _evidence(panel, params)
    found = np.where(gross > 0.0, gross, np.nan)
    return vote("patterns", net / found, found / (found + params.half_evidence))


def explain(panel: Panel, params: PatternsParams, symbol: str, ts: datetime) -> Reason:
    """The patterns of the last bars, the heaviest first; run on the last `window` bars, which decide the vote."""
    bars = panel.of(symbol).until(ts)
    if len(bars) < params.window:
        return Reason(f"{len(bars)} bars: candlestick patterns need {params.window}")
    prices = [column[-params.window :] for column in _on_grid(bars)]
    net = gross = 0.0
    found: list[tuple[float, str]] = []
    for side, weight, functions in _groups():
        for name, pattern in functions.items():
            for age, flag in enumerate(pattern(*prices)[: -params.bars - 1 : -1].tolist()):
                if flag:
                    size = abs(flag) / 100.0 / 2**age
                    net += side * size if flag > 0 else -side * size
                    gross += weight * size
                    found.append((-weight * size, _title(name, side * flag, age)))
    facts = {"net_evidence": net, "evidence": gross}
    if not found:
        return Reason(f"no candlestick pattern on the last {params.bars} bars", facts)
    found.sort()
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    text = ", ".join(title for _, title in found[:SHOWN])
    balance = f"{net:+.1f}".replace("-", "−")
    return Reason(f"{text}{more}; balance {balance} of {gross:.1f}", facts)


@cache
def _groups() -> tuple[tuple[int, int, dict[str, Pattern]], ...]:
    """(weight of the side, weight as evidence, functions); unwrapped, for the wrapper looks for Polars each call."""
    import talib  # half a second, most of it pandas: only who asks this agent pays

    table = ((0, 1, _INDECISION), (-1, 1, _FLIPPED), (1, 1, _SINGLE), (2, 2, _DOUBLE), (3, 3, _LONGER))
    return tuple(
        (side, weight, {name: inspect.unwrap(getattr(talib, f"CDL{name}")) for name in names.split()})
        for side, weight, names in table
    )


def _evidence(panel: Panel, params: PatternsParams) -> tuple[Floats, Floats]:
    """Decayed (bullish − bearish, all) evidence of every bar in patterns, NaN in the warm-up; exact sums."""
    net, gross = np.zeros(len(panel), dtype=np.int32), np.zeros(len(panel), dtype=np.int32)
    prices = _on_grid(panel)
    for lo, hi in _blocks(panel):
        part = [column[lo:hi] for column in prices]
        for side, weight, functions in _groups():
            direction, amount = np.zeros(hi - lo, dtype=np.int32), np.zeros(hi - lo, dtype=np.int32)
            for pattern in functions.values():
                flags = pattern(*part)
                direction += flags
                amount += np.abs(flags, out=flags)
            net[lo:hi] += side * direction
            gross[lo:hi] += weight * amount
    early = _early(panel, params.window - 1)
    return _decayed(net, early, params.bars), _decayed(gross, early, params.bars)


def _on_grid(panel: Panel) -> list[Floats]:
    return [np.rint(column * GRID) for column in (panel.open, panel.high, panel.low, panel.close)]


def _blocks(panel: Panel) -> Iterator[tuple[int, int]]:
    """Row ranges of whole symbols, about BLOCK rows each; what spills over a border lies in the warm-up."""
    lo = 0
    for hi in panel.offsets[1:].tolist():
        if hi - lo >= BLOCK or hi == len(panel):
            yield lo, hi
            lo = hi


def _decayed(flags: Flags, early: Bools, bars: int) -> Floats:
    """Sum over the last bars, each half the weight of the next, in patterns (TA-Lib counts one as 100)."""
    total = np.zeros_like(flags)
    for age in range(min(bars, flags.size)):
        total[age:] += flags[: flags.size - age] << (bars - 1 - age)
    return np.where(early, np.nan, total / (100.0 * 2 ** (bars - 1)))


def _early(panel: Panel, rows: int) -> Bools:
    """The first rows of every symbol."""
    early = np.zeros(len(panel), dtype=np.bool_)
    for lo, hi in zip(panel.offsets[:-1].tolist(), panel.offsets[1:].tolist(), strict=True):
        early[lo : min(lo + rows, hi)] = True
    return early


@cache
def _title(name: str, side: int, age: int) -> str:
    """`bullish harami 2 bars ago`."""
    from talib import abstract

    full: str = abstract.Function(f"CDL{name}").info["display_name"]  # type: ignore[attr-defined]
    form = full.split(" (")[0].split(" - ")[0].removesuffix(" Pattern").lower()
    mood = "bullish" if side > 0 else "bearish" if side < 0 else "undecided"
    when = "" if age == 0 else " a bar ago" if age == 1 else f" {age} bars ago"
    return f"{mood} {form}{when}"


PATTERNS = agent(
    "patterns",
    params=PatternsParams,
    scope="symbol",
    inputs=("bars",),
    reach=lambda params: params.window - 1,
    warmup=lambda params: params.window - 1,
    cost_ns=780.0,
    evaluate=evaluate,
    explain=explain,
    description="Balance of TA-Lib's 61 candlestick patterns on the last bars, the freshest most.",
)
