"""Volatility agent: calm and calming markets are mildly good, rising fear is bad, extreme fear is a contrarian buy.

A symbol's own volatility is the Yang-Zhang estimate (J. Business 73, 2000), ranked within its past year. Risk that
is high against its own past has not been paid for (Moreira and Muir, Volatility-managed portfolios, J. Finance 72,
2017), so the score falls with the rank and rises when volatility has come down. The market's fear is the VIX, ranked
within its own past year: an ordinary rise is bad, but its extreme tops were followed by gains (Giot, Relationships
between implied volatility indexes and stock index returns, J. Portfolio Management 31, 2005). Volatility says little
about direction: confidence never exceeds one half.

The VIX is joined by the moment it became known: at a stock's close the VIX close of that day is not known yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from agents.agent import Reason, Values, VoteBlock, agent, read, vote
from agents.indicators import Wanted
from data.contracts.arrays import Floats, Ints
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel

DAY = 86_400_000_000  # microseconds
BLOCK = 4096  # rows ranked at once, so that the comparisons stay in the cache
MOST_CONFIDENT = 0.5  # what volatility can know about direction


@dataclass(frozen=True, slots=True)
class VolatilityParams:
    """Windows of the volatility agent."""

    window: int = 20  # bars of the Yang-Zhang estimate
    year: int = 250  # bars that the estimate is ranked within; a multiple of `step`
    step: int = 5  # the estimate moves slowly: every 5th of these bars is looked at
    vix_year: int = 250  # VIX closes that the VIX is ranked within
    extreme: float = 0.9  # VIX rank from which fear turns into a contrarian buy
    max_age_days: float = 5.0  # calendar days after which a VIX close is too old

    def __post_init__(self) -> None:
        if self.window < 2 or self.vix_year < 1:
            raise InvalidInput("volatility windows must be at least 2 bars (VIX: 1)", window=self.window)
        if self.step < 1 or self.year < self.step or self.year % self.step:
            raise InvalidInput("volatility year must be a multiple of step", year=self.year, step=self.step)
        if not 0.0 <= self.extreme < 1.0:
            raise InvalidInput("volatility extreme must be a rank from 0 to below 1", extreme=self.extreme)
        if not 0.0 < self.max_age_days < np.inf:
            raise InvalidInput("volatility max_age_days must be above 0", max_age_days=self.max_age_days)

    @property
    def warmup(self) -> int:
        """Bars before the first vote, if the VIX is known."""
        return self.window + self.year


def indicators(params: VolatilityParams) -> Wanted:
    """The symbol's own volatility, a bar."""
    return {"own": ("yang_zhang", {"window": params.window, "periods": 1.0})}


def evaluate(panel: Panel, values: Values, params: VolatilityParams) -> VoteBlock:
    """Half the score from the symbol's own volatility, half from the VIX; confidence by how unusual both are.

    Shapes: panel of N bars -> score (N,) in [-1, 1], confidence (N,) in [0, 0.5].
    Edges:  abstains in the warm-up, where the price did not move for a window, and where no VIX with a year of
            history is known or its newest close is older than allowed.
    """
    own = values["own"]
    old = np.flatnonzero(_age(panel) >= params.warmup)  # the others would look at a neighbour's bars
    rank = _rank(own, old, params.year, params.step)
    _, vix_rank = _vix(panel, panel.ts[old], params)
    score, confidence = np.full((2, len(panel)), np.nan)
    score[old], confidence[old] = _judge(rank, _eased(own[old - params.window], own[old]), vix_rank, params)
    return vote("volatility", score, confidence)


def explain(panel: Panel, params: VolatilityParams, symbol: str, ts: datetime) -> Reason:
    """Volatility and VIX of one bar, with their ranks."""
    bars = panel.of(symbol).until(ts)
    if len(bars) <= params.warmup:
        return Reason(f"{len(bars)} bars: a rank of volatility needs {params.warmup + 1}")
    own = read(indicators(params), bars)["own"][-params.year - 1 :]
    (rank,) = _rank(own, np.array([own.size - 1]), params.year, params.step)
    vix, vix_rank = (float(column[-1]) for column in _vix(bars, bars.ts[-1:], params))
    now = f"volatility {own[-1]:.1%} a bar, above {rank:.0%} of its past year"
    facts = {"volatility": float(own[-1]), "rank": float(rank)}
    if np.isnan(vix_rank):
        return Reason(f"{now}; no current VIX is known", facts)
    turn = ", fear so extreme that it counts for a rise" if vix_rank > params.extreme else ""
    facts |= {"vix": vix, "vix_rank": vix_rank}
    return Reason(f"{now}; VIX {vix:.1f}, above {vix_rank:.0%} of its past year{turn}", facts)


def _judge(rank: Floats, eased: Floats, vix_rank: Floats, params: VolatilityParams) -> tuple[Floats, Floats]:
    """Score and confidence from the ranks in [0, 1] and the easing in [-1, 1]."""
    calm = 1.0 - 2.0 * rank
    fear = np.clip((vix_rank - params.extreme) / (1.0 - params.extreme), 0.0, 1.0)
    market = (1.0 - fear) * (1.0 - 2.0 * vix_rank) + fear
    unusual = 0.5 * (np.abs(calm) + np.abs(1.0 - 2.0 * vix_rank))
    return 0.5 * (0.5 * (calm + eased) + market), MOST_CONFIDENT * unusual


def _eased(before: Floats, now: Floats) -> Floats:
    """How far volatility has come down: 1 from any level to 0, 1/3 when halved, -1/3 when doubled."""
    total = before + now
    return (before - now) / np.where(total > 0.0, total, np.nan)


def _rank(values: Floats, rows: Ints, span: int, step: int) -> Floats:
    """Share of the values `step`, 2 × `step`, ... `span` rows before these that are below theirs; equals count half.

    Shapes: values (N,), rows (M,) ascending from `span` on -> (M,) in [0, 1]. Counts are exact: no row depends on
            older ones.
    """
    out = np.empty(rows.size)
    for at in range(0, rows.size, BLOCK):
        asked = rows[at : at + BLOCK]
        first, last = int(asked[0]), int(asked[-1]) + 1
        if last - first < 2 * asked.size:  # nearly all between them: slide over every row, which needs no index
            now = values[first:last]
            past = sliding_window_view(values[first - span : last - step], now.size)[::step]
        else:
            now, past = values[asked], values[asked - np.arange(step, span + 1, step)[:, None]]
        halves = (past < now).view(np.uint8)
        halves += (past <= now).view(np.uint8)
        ranks = np.where(np.isnan(now), np.nan, halves.sum(axis=0, dtype=np.int16) / (2.0 * len(past)))
        out[at : at + BLOCK] = ranks if ranks.size == asked.size else ranks[asked - first]
    return out


def _vix(panel: Panel, ts: Ints, params: VolatilityParams) -> tuple[Floats, Floats]:
    """Level and rank of the newest VIX known at each moment; NaN where there is none, or only an old one."""
    series = panel.context.get("vix")
    at = np.full(ts.size, -1) if series is None else series.index_at(ts)
    known = at >= 0
    if series is None or not known.any():
        return np.full(ts.size, np.nan), np.full(ts.size, np.nan)
    first, last = int(at[known].min()), int(at.max())
    start = max(first - params.vix_year, 0)  # ranks look no further back
    close = series.values["close"][start : last + 1]
    fresh = known & (ts - series.known_at[at] <= params.max_age_days * DAY)
    rows = np.where(known, at - start, 0)
    ranks = np.full(close.size, np.nan)
    ranks[params.vix_year :] = _rank(close, np.arange(params.vix_year, close.size), params.vix_year, step=1)
    return np.where(fresh, close[rows], np.nan), np.where(fresh, ranks[rows], np.nan)


def _age(panel: Panel) -> Ints:
    """Bars of the same symbol before each bar."""
    return np.arange(len(panel)) - np.repeat(panel.offsets[:-1], np.diff(panel.offsets))


VOLATILITY = agent(
    "volatility",
    params=VolatilityParams,
    scope="symbol",
    inputs=("bars", "vix"),
    indicators=indicators,
    reach=lambda params: params.warmup,  # the rank looks less far back, but bars are counted up to there
    warmup=lambda params: params.warmup,
    cost_ns=120.0,
    evaluate=evaluate,
    explain=explain,
    description="Likes calm and calming markets, dislikes rising fear, buys extreme fear (Yang-Zhang, VIX).",
)
