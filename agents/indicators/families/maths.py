"""Means of other kinds, and how long ago the extremes were."""

from __future__ import annotations

from agents.indicators.families.averages import sma
from agents.indicators.graph import Line, exp, log, ratio, rolling
from agents.indicators.registry import LONGEST, Window, indicator
from agents.kernels import ranks


@indicator(
    family="math", unit="bars", bounds=(0.0, LONGEST - 1.0), source="TradingView ta.highestbars; TA-Lib MAXINDEX"
)
def bars_since_high(high: Line, window: Window = 30) -> Line:
    """Bars since the highest of the last `window` values; 0 = this bar.

    Formula: age of max(value), the newest of equal ones.

    TA-Lib's MAXINDEX is the row number, this row less the age; of equal values it may name an older one.
    """
    return rolling(ranks.since_highest, high, window, reach=window - 1, guarded=True)


@indicator(family="math", unit="bars", bounds=(0.0, LONGEST - 1.0), source="TradingView ta.lowestbars; TA-Lib MININDEX")
def bars_since_low(low: Line, window: Window = 30) -> Line:
    """Bars since the lowest of the last `window` values; 0 = this bar.

    Formula: age of min(value), the newest of equal ones.

    TA-Lib's MININDEX is the row number, this row less the age; of equal values it may name an older one.
    """
    return rolling(ranks.since_highest, -low, window, reach=window - 1, guarded=True)


@indicator(family="math", unit="mixed", source="textbook definition; SciPy gmean")
def geometric_mean(close: Line, window: Window = 30) -> Line:
    """Geometric mean of the last `window` values, which must be positive.

    Formula: exp(mean(log(value))).
    """
    return exp(sma(log(close), window))


@indicator(family="math", unit="mixed", source="textbook definition; SciPy hmean")
def harmonic_mean(close: Line, window: Window = 30) -> Line:
    """Harmonic mean of the last `window` values, which must be positive.

    Formula: 1 / mean(1 / value).
    """
    return ratio(1.0, sma(ratio(1.0, close), window))
