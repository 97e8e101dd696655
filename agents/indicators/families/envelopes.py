"""Averages drawn together: envelopes, ribbons, and the middles of a range."""

from __future__ import annotations

from typing import Annotated

from agents.indicators.families.averages import Average, average, ema, wilder
from agents.indicators.families.basics import highest, lowest, median_price
from agents.indicators.graph import Line, lag
from agents.indicators.registry import LONGEST, Range, Window, indicator

GUPPY = (3, 5, 8, 10, 12, 15, 30, 35, 40, 45, 50, 60)
Smoothing = Annotated[int, Range(1, LONGEST)]
Shift = Annotated[int, Range(0, LONGEST)]


@indicator(family="trend", unit="price", talib="MIDPOINT", source="TA-Lib MIDPOINT")
def midpoint(close: Line, window: Window = 14) -> Line:
    """Middle between the largest and the smallest of the last `window` values.

    Formula: (max(value) + min(value)) / 2.
    """
    return (highest(close, window) + lowest(close, window)) / 2.0


@indicator(family="trend", unit="price", talib="MIDPRICE", source="TA-Lib MIDPRICE")
def midprice(high: Line, low: Line, window: Window = 14) -> Line:
    """Middle between the highest high and the lowest low of the last `window` bars.

    Formula: (max(high) + min(low)) / 2.
    """
    return (highest(high, window) + lowest(low, window)) / 2.0


@indicator(
    family="trend",
    unit=("mixed", "price", "mixed"),
    outputs=("upper", "middle", "lower"),
    source="Stock.Indicators GetMaEnvelopes",
)
def envelopes(
    close: Line, window: Window = 20, percent: Annotated[float, Range(0.0, 100.0)] = 2.5, kind: Average = "sma"
) -> tuple[Line, ...]:
    """Moving average envelopes: an average, and lines `percent` per cent of it above and below.

    Formula: MA(value) * (1 ± percent / 100).
    """
    middle = average(close, window, kind)
    reach = middle * (percent / 100.0)
    return middle + reach, middle, middle - reach


@indicator(
    family="trend",
    unit="price",
    outputs=tuple(f"ema_{window}" for window in GUPPY),
    source="Guppy, Trend Trading (2004)",
)
def gmma(close: Line) -> tuple[Line, ...]:
    """Guppy multiple moving average: six short and six long exponential averages.

    Formula: EMA over 3, 5, 8, 10, 12, 15 and 30, 35, 40, 45, 50, 60 bars.
    """
    return tuple(ema(close, window) for window in GUPPY)


@indicator(
    family="trend",
    unit="price",
    outputs=("jaw", "teeth", "lips"),
    source="Williams, Trading Chaos (1995); Stock.Indicators GetAlligator",
)
def alligator(
    high: Line,
    low: Line,
    jaw: Smoothing = 13,
    jaw_shift: Shift = 8,
    teeth: Smoothing = 8,
    teeth_shift: Shift = 5,
    lips: Smoothing = 5,
    lips_shift: Shift = 3,
) -> tuple[Line, ...]:
    """Williams' alligator: three smoothed averages of the middle price, each drawn some bars later.

    Formula: Wilder average of (high + low) / 2, the value of `shift` bars ago.
    """
    middle = median_price(high, low)
    shapes = ((jaw, jaw_shift), (teeth, teeth_shift), (lips, lips_shift))
    return tuple(lag(wilder(middle, window), shift) for window, shift in shapes)


@indicator(
    family="trend",
    unit="move",
    outputs=("upper", "lower"),
    source="Williams, New Trading Dimensions (1998); Stock.Indicators GetGator",
)
def gator(
    high: Line,
    low: Line,
    jaw: Smoothing = 13,
    jaw_shift: Shift = 8,
    teeth: Smoothing = 8,
    teeth_shift: Shift = 5,
    lips: Smoothing = 5,
    lips_shift: Shift = 3,
) -> tuple[Line, ...]:
    """Gator oscillator: how far the lines of the alligator are apart, up for jaw and teeth, down for teeth and lips.

    Formula: upper = |jaw - teeth|; lower = -|teeth - lips|.

    A bar expands where its line is further from 0 than one bar before.
    """
    top, middle, bottom = alligator(high, low, jaw, jaw_shift, teeth, teeth_shift, lips, lips_shift)
    return abs(top - middle), -abs(middle - bottom)
