"""Arithmetic of whole series and of two series: lags, crossings, decay, rounding."""

from __future__ import annotations

import math
from typing import Annotated

from agents.indicators import graph
from agents.indicators.graph import Line, carried, pointwise
from agents.indicators.registry import LONGEST, Range, Window, indicator
from agents.kernels import decay as kernels

_TULIP = "Tulip Indicators"


@indicator(family="math", unit="price", source=f"{_TULIP} lag")
def lag(close: Line, window: Annotated[int, Range(0, LONGEST, ("timeperiod",))] = 1) -> Line:
    """The value `window` bars ago.

    Formula: value[window bars ago].
    """
    return graph.lag(close, window)


@indicator(family="math", unit="mixed", source=f"{_TULIP} abs")
def absolute(close: Line) -> Line:
    """Distance from zero.

    Formula: |value|.
    """
    return abs(close)


@indicator(family="math", unit="none", bounds=(0.0, 1.0), source=f"{_TULIP} crossover")
def crosses_above(close: Line, other: Line) -> Line:
    """1 at the bar at which the first series rises above the second, else 0.

    Formula: a > b and a before <= b before.
    """
    return (close > other) * (graph.lag(close, 1) <= graph.lag(other, 1))


@indicator(family="math", unit="none", bounds=(0.0, 1.0), source=f"{_TULIP} crossover, the other way")
def crosses_below(close: Line, other: Line) -> Line:
    """1 at the bar at which the first series falls below the second, else 0.

    Formula: a < b and a before >= b before.
    """
    return (close < other) * (graph.lag(close, 1) >= graph.lag(other, 1))


@indicator(family="math", unit="none", bounds=(0.0, 1.0), source=f"{_TULIP} crossany")
def crosses(close: Line, other: Line) -> Line:
    """1 at the bar at which two series cross either way, else 0.

    Formula: crosses_above or crosses_below.
    """
    return crosses_above(close, other) + crosses_below(close, other)


@indicator(family="math", unit="mixed", source=f"{_TULIP} decay")
def linear_decay(close: Line, window: Window = 5) -> Line:
    """The value, or what is left of the last peak when it falls by 1 / `window` a bar, whichever is larger.

    Formula: max(value, level before - 1 / window).
    """
    return carried(kernels.fade, close, 1.0 / window, 1.0, carry=2, guarded=True)


@indicator(family="math", unit="mixed", source=f"{_TULIP} edecay")
def exponential_decay(close: Line, window: Window = 5) -> Line:
    """The value, or what is left of the last peak when it loses 1 / `window` of itself a bar, whichever is larger.

    Formula: max(value, level before * (window - 1) / window).
    """
    return carried(kernels.fade, close, 0.0, (window - 1) / window, carry=2, guarded=True)


@indicator(family="math", unit="mixed", source=f"{_TULIP} round")
def rounded(close: Line) -> Line:
    """Nearest whole number, halves up.

    Formula: floor(value + 0.5).
    """
    return pointwise(kernels.rounded, close)


@indicator(family="math", unit="mixed", source=f"{_TULIP} trunc")
def truncated(close: Line) -> Line:
    """Whole part, towards zero.

    Formula: trunc(value).
    """
    return pointwise(kernels.truncated, close)


@indicator(family="math", unit="mixed", source=f"{_TULIP} todeg")
def degrees(close: Line) -> Line:
    """Radians as degrees.

    Formula: value * 180 / pi.
    """
    return close * (180.0 / math.pi)


@indicator(family="math", unit="mixed", source=f"{_TULIP} torad")
def radians(close: Line) -> Line:
    """Degrees as radians.

    Formula: value * pi / 180.
    """
    return close * (math.pi / 180.0)
