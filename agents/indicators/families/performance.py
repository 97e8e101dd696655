"""What a price has earned over the last few bars for the risk it took."""

from __future__ import annotations

import math
from typing import Annotated

from agents.indicators.families.averages import sma
from agents.indicators.families.pairs import Periods, percent_change
from agents.indicators.families.volatility import stddev
from agents.indicators.graph import Line, maximum, minimum, ratio, sqrt, where
from agents.indicators.registry import LongWindow, Range, indicator

Yearly = Annotated[float, Range(-1.0, 10.0)]


@indicator(family="statistics", unit="none", source="Sharpe, Journal of Portfolio Management 21:1 (1994), 49-58")
def sharpe(close: Line, window: LongWindow = 252, riskless: Yearly = 0.0, periods: Periods = 252.0) -> Line:
    """Sharpe ratio of the window's returns, per year of `periods` bars; 0 where they did not vary.

    Formula: sqrt(periods) * (mean r - riskless / periods) / sample stddev(r), r = value / value before - 1.
    """
    step = percent_change(close)
    deviation: Line = stddev(step, window, math.sqrt(window / (window - 1.0)))
    return ratio(sma(step, window) - riskless / periods, deviation, otherwise=0.0) * math.sqrt(periods)


@indicator(
    family="statistics", unit="none", source="Sortino and van der Meer, Journal of Portfolio Management 17 (1991)"
)
def sortino(close: Line, window: LongWindow = 252, target: Yearly = 0.0, periods: Periods = 252.0) -> Line:
    """Sortino ratio: mean return over the target by the deviation below it; 0 where nothing fell below.

    Formula: sqrt(periods) * (mean r - t) / sqrt(mean(min(r - t, 0)^2)), t = target / periods.
    """
    beyond = percent_change(close) - target / periods
    short = minimum(beyond, 0.0)
    return ratio(sma(beyond, window), sqrt(sma(short * short, window)), otherwise=0.0) * math.sqrt(periods)


@indicator(
    family="statistics",
    unit="none",
    bounds=(0.0, 1e6),
    source="Keating and Shadwick, Journal of Performance Measurement 6:3 (2002), 59-84",
)
def omega(close: Line, window: LongWindow = 252, target: Yearly = 0.0, periods: Periods = 252.0) -> Line:
    """Omega ratio: what was earned above the target over what was lost below it; 1 where neither, at most 1e6.

    Formula: sum max(r - t, 0) / sum max(t - r, 0), t = target / periods.
    """
    beyond = percent_change(close) - target / periods
    above, below = sma(maximum(beyond, 0.0), window), sma(maximum(-beyond, 0.0), window)
    return minimum(where(above + below > 0.0, ratio(above, below, otherwise=1e6), 1.0), 1e6)
