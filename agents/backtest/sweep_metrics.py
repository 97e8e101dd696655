"""Sums of a walk (`agents.kernels.outcomes`) to the metrics of `docs/backtests.md`; NaN = undefined.

Square roots and quotients are exact to the last bit on every machine; powers run in scalar code for the same reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from agents.kernels import outcomes
from agents.kernels.outcomes import (
    R_CLOSED,
    R_CUBES,
    R_DOWN,
    R_EQUITY,
    R_FEES,
    R_FOURTHS,
    R_GAINS,
    R_GROWTH,
    R_HELD,
    R_LEAST,
    R_LONGEST,
    R_LOST,
    R_MEAN,
    R_SPREAD,
    R_SQUARES,
    R_SUM,
    R_TRADED,
    R_TRADES,
    R_WINS,
    R_WON,
    R_WORST,
)
from data.contracts.arrays import Floats

SAME = 1e-12  # a spread below this share of the mean is rounding; of a variance made of sums, this share of the squares


@dataclass(frozen=True, eq=False)
class Sums:
    """The sums of (sets, symbols, RAW) and what they are measured against.

    bars (symbols,); cash, fee: money of a symbol at the start, rate per side; year: bars of one; free: rate per year.
    """

    raw: Floats
    bars: Floats
    cash: float
    fee: float
    year: float
    free: float
    whole: bool

    def __getitem__(self, column: int) -> Floats:
        return self.raw[..., column]

    @property
    def mean(self) -> Floats:
        """Of bar returns."""
        return self[R_SUM] / self.bars

    @property
    def squares(self) -> Floats:
        """Sum of squares of bar returns around their mean; 0 where it is no more than rounding."""
        around = self[R_SQUARES] - self[R_SUM] * self.mean
        return np.where(around > SAME * self[R_SQUARES], around, 0.0)

    @property
    def variance(self) -> Floats:
        """Of bar returns, ddof 1; NaN where the equity fell to zero."""
        found = self.squares / np.where(self.bars > 1.0, self.bars - 1.0, np.nan)
        return np.where(self[R_LEAST] > 0.0, found, np.nan) if self.whole else found


def _over(a: Floats, b: Floats) -> Floats:
    return np.where(b > 0.0, a / np.where(b > 0.0, b, 1.0), np.nan)


def _root(values: Floats) -> Floats:
    found: Floats = np.sqrt(values)
    return found


def _volatility(of: Sums) -> Floats:
    return _root(of.variance) * math.sqrt(of.year)


def _sharpe(of: Sums) -> Floats:
    return _over(of.mean - of.free / of.year, _root(of.variance)) * math.sqrt(of.year)


def _sortino(of: Sums) -> Floats:
    return _over(of.mean, _root(of[R_DOWN] / of.bars)) * math.sqrt(of.year) + 0.0 * of.variance


def _omega(of: Sums) -> Floats:
    losses = of[R_GAINS] - of[R_SUM]
    return _over(of[R_GAINS], np.where(of[R_DOWN] > 0.0, losses, 0.0)) + 0.0 * of.variance


def _cagr(of: Sums) -> Floats:
    out = np.empty(of.raw.shape[:-1])
    outcomes.powers(np.ascontiguousarray(of[R_GROWTH]), of.year / of.bars, out)
    return np.where(np.isinf(out), np.nan, out) - 1.0  # too few bars to speak of a year


def _drawdown(of: Sums) -> Floats:
    return of[R_WORST] - 1.0


def _sqn(of: Sums) -> Floats:
    closed = of[R_CLOSED]
    deviation = np.sqrt(of[R_SPREAD] / np.maximum(closed - 1.0, 1.0))
    varies = (closed > 1.0) & (deviation > SAME * np.abs(of[R_MEAN]))
    return _over(np.sqrt(closed) * of[R_MEAN], np.where(varies, deviation, 0.0))


def _skew(of: Sums) -> Floats:
    mean, m2 = of.mean, of.squares / of.bars
    third = of[R_CUBES] / of.bars - 3.0 * mean * of[R_SQUARES] / of.bars + 2.0 * mean * mean * mean
    return _over(third, m2 * np.sqrt(m2))


def _kurtosis(of: Sums) -> Floats:
    mean, m2, bars = of.mean, of.squares / of.bars, of.bars
    square = mean * mean
    fourth = of[R_FOURTHS] / bars - 4.0 * mean * of[R_CUBES] / bars + 6.0 * square * of[R_SQUARES] / bars
    return _over(fourth - 3.0 * square * square, m2 * m2)


def _break_even(of: Sums) -> Floats:
    out = np.empty(of.raw.shape[:-1])
    columns = (np.ascontiguousarray(of[column]) for column in (R_GROWTH, R_TRADES, R_CLOSED))
    outcomes.break_even(*columns, of.fee, out)
    return out * 1e4


NARROW: dict[str, Callable[[Sums], Floats]] = {
    "total_return": lambda of: of[R_GROWTH] - 1.0,
    "cagr": _cagr,
    "volatility": _volatility,
    "sharpe": _sharpe,
    "calmar": lambda of: _over(_cagr(of), -_drawdown(of)),
    "max_drawdown": _drawdown,
    "trades": lambda of: of[R_TRADES],
    "exposure": lambda of: of[R_HELD] / of.bars,
    "break_even_bps": _break_even,
    "mean": lambda of: of.mean,
    "variance": lambda of: of.variance,
}
WIDE: dict[str, Callable[[Sums], Floats]] = {
    "sortino": _sortino,
    "omega": _omega,
    "win_rate": lambda of: _over(of[R_WINS], of[R_CLOSED]),
    "profit_factor": lambda of: _over(of[R_WON], of[R_LOST]),
    "expectancy": lambda of: np.where(of[R_CLOSED] > 0.0, of[R_MEAN], np.nan),
    "sqn": _sqn,
    "turnover": lambda of: of[R_TRADED] / (of[R_EQUITY] / of.bars) / (of.bars / of.year),
    "fees_paid": lambda of: of[R_FEES] * of.cash,
    "skew": _skew,
    "kurtosis": _kurtosis,
}
BARS_ONLY: dict[str, Callable[[Sums], Floats]] = {"max_drawdown_duration": lambda of: of[R_LONGEST]}
METRICS = NARROW | WIDE | BARS_ONLY
