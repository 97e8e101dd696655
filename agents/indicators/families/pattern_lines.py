"""Confirmed turning points of a price and what is drawn through them: swings, legs, levels, lines, structure.

A swing is shown from the bar that confirms it and never moves afterwards.
"""

from __future__ import annotations

from typing import Annotated

from agents.indicators.families.volatility import atr
from agents.indicators.graph import Line, carried, rolling
from agents.indicators.registry import LONGEST, Choice, Factor, Range, Window, indicator
from agents.kernels import swings

Left = Annotated[int, Range(1, LONGEST, ("leftbars",))]
Right = Annotated[int, Range(1, LONGEST, ("rightbars",))]
PIVOT_RULE = "ATR reversal pivots as in zigzag"


@indicator(
    family="levels",
    unit="none",
    outputs=("high", "low"),
    bounds=(0.0, 100.0),
    talib="FRACTAL",
    repaints=True,
    source="Williams, Trading Chaos (1995); TA-Lib FRACTAL",
)
def fractal(high: Line, low: Line, left: Left = 2, right: Right = 2) -> tuple[Line, ...]:
    """Williams fractals: 100 at the bar that confirms a high (low) `right` bars earlier, else 0.

    Formula: high[right] > every high of the `left` bars before it and the `right` bars after it; lows mirrored.

    Speaks of the bar `right` bars ago, where charts draw it; equal highs make no fractal. Warm-up is NaN, TA-Lib's
    integers say 0 there. The prices are in swing_highs and swing_lows.
    """
    return rolling(swings.fractals, high, low, left, right, reach=left + right, outputs=2, guarded=True)


@indicator(
    family="levels",
    unit=("price", "bars"),
    outputs=("price", "age"),
    repaints=True,
    source="Williams fractals, Stock.Indicators GetFractal, carried forward; TradingView ta.pivothigh",
)
def swing_highs(high: Line, left: Left = 2, right: Right = 2) -> tuple[Line, ...]:
    """Price of the last confirmed swing high, and the bars since it was made.

    Formula: the last high above every high of the `left` bars before it and the `right` bars after it.

    Shown from `right` bars after the swing on. Until the first one the first bar stands in. Equal highs are no swing.
    """
    return last_top(high, left, right)


@indicator(
    family="levels",
    unit=("price", "bars"),
    outputs=("price", "age"),
    repaints=True,
    source="Williams fractals, Stock.Indicators GetFractal, carried forward; TradingView ta.pivotlow",
)
def swing_lows(low: Line, left: Left = 2, right: Right = 2) -> tuple[Line, ...]:
    """Price of the last confirmed swing low, and the bars since it was made.

    Formula: the last low below every low of the `left` bars before it and the `right` bars after it.

    Shown from `right` bars after the swing on. Until the first one the first bar stands in. Equal lows are no swing.
    """
    price, age = last_top(-low, left, right)
    return -price, age


@indicator(
    family="levels",
    unit=("none", "mixed", "bars", "none"),
    outputs=("turn", "price", "bars", "direction"),
    repaints=True,
    source="Merrill, Filtered Waves (1977); reversal rule of Stock.Indicators GetZigZag (high/low)",
)
def zigzag(
    high: Line,
    low: Line,
    close: Line,
    percent: Annotated[float, Range(0.0, 100.0)] = 5.0,
    multiplier: Factor = 3.0,
    window: Window = 14,
    threshold: Annotated[str, Choice(("percent", "atr"))] = "percent",
) -> tuple[Line, ...]:
    """Last confirmed pivot of the zigzag, the bars since, the leg under way; 1 (-1) where a high (low) is confirmed.

    Formula: a high is a pivot once a later low, the lowest since, lies `percent` per cent of it (or `multiplier`
    ATR(window)) below; lows mirrored; highs and lows alternate.

    Usual zigzags draw a pivot at its own bar, which nobody could know then; here it appears at the bar that confirms
    it, `bars` says how long ago it was, and nothing changes afterwards. A bar that extends a leg confirms nothing.
    Until the first pivot the first close stands in and the direction is 0.
    """
    if threshold == "percent":
        turn, price, age, _, direction = pivots(high, low, close, high * 0.0, percent / 100.0)
    else:
        turn, price, age, _, direction = pivots(high, low, close, atr(high, low, close, window) * multiplier, 0.0)
    return turn, price, age, direction


@indicator(
    family="levels",
    unit="price",
    outputs=("r236", "r382", "r500", "r618", "r786"),
    source=f"Fibonacci retracements of charting packages; {PIVOT_RULE}",
)
def fibonacci_retracement(
    high: Line, low: Line, close: Line, window: Window = 14, multiplier: Factor = 3.0
) -> tuple[Line, ...]:
    """Fibonacci retracement levels of the last leg whose end is confirmed.

    Formula: end + share * (start - end), share = 0.236, 0.382, 0.5, 0.618, 0.786; start and end are the last two pivots
    of the zigzag with a threshold of `multiplier` ATR(window).

    Before the first pivot all levels are the first close that has an ATR.
    """
    _, _, end, _, start = turning_points(high, low, close, window, multiplier)
    way = start - end
    return tuple(end + way * share for share in (0.236, 0.382, 0.5, 0.618, 0.786))


@indicator(
    family="levels",
    unit=("price", "none", "price", "none"),
    outputs=("support", "support_touches", "resistance", "resistance_touches"),
    source=f"clusters of pivots; {PIVOT_RULE}",
)
def support_resistance(
    high: Line,
    low: Line,
    close: Line,
    window: Window = 14,
    multiplier: Factor = 3.0,
    tolerance: Factor = 1.0,
) -> tuple[Line, ...]:
    """Nearest support at or below the close and resistance above it, and how many pivots made each.

    Formula: a pivot within `tolerance` ATR(window) of a level joins it, level = mean of its pivots; another is a new
    level in place of the one of eight touched longest ago. Pivots: zigzag with a threshold of `multiplier` ATR.

    Highs and lows make the same levels: a broken resistance becomes a support. Where there is no level on a side, the
    close itself is given with 0 touches.
    """
    width, turn, price, _, _ = turning_points(high, low, close, window, multiplier)
    return carried(swings.levels, close, width * tolerance, turn, price, carry=25, outputs=4, guarded=True)


@indicator(
    family="levels",
    unit=("price", "move", "price", "move"),
    outputs=("support", "support_slope", "resistance", "resistance_slope"),
    source=f"Edwards and Magee, Technical Analysis of Stock Trends (1948), ch. 14; {PIVOT_RULE}",
)
def trend_lines(high: Line, low: Line, close: Line, window: Window = 14, multiplier: Factor = 3.0) -> tuple[Line, ...]:
    """Lines through the last two confirmed lows and the last two confirmed highs, at this bar, and slopes per bar.

    Formula: newest + slope * bars since, slope = (newest - one before) / bars between; pivots of the zigzag with a
    threshold of `multiplier` ATR(window).

    Level through a single pivot; the close and slope 0 before any.
    """
    _, turn, price, age, _ = turning_points(high, low, close, window, multiplier)
    return carried(swings.lines, close, turn, price, age, carry=9, outputs=4, guarded=True)


@indicator(
    family="levels",
    unit="none",
    outputs=("trend", "bos", "choch", "highs", "lows"),
    bounds=(-1.0, 1.0),
    source=f"Dow theory; break of structure and change of character of SMC traders; {PIVOT_RULE}",
)
def market_structure(
    high: Line, low: Line, close: Line, window: Window = 14, multiplier: Factor = 3.0
) -> tuple[Line, ...]:
    """Trend by structure: 1 or -1 since the last close beyond a pivot, where that broke (bos) or turned it (choch).

    Formula: a close above the last confirmed high, for the first time, is bos = 1, or choch = 1 if the trend was -1;
    lows mirrored; highs = 1 (-1) if the last high is above (below) the one before; lows likewise.

    Pivots: zigzag with a threshold of `multiplier` ATR(window). All are 0 until something has happened.
    """
    _, turn, price, _, _ = turning_points(high, low, close, window, multiplier)
    return carried(swings.structure, close, turn, price, carry=10, outputs=5, guarded=True)


def last_top(line: Line, left: int, right: int) -> tuple[Line, ...]:
    """Price and age of the last confirmed top."""
    reach = left + right
    return carried(swings.last_top, line, left, right, carry=3, warmup=reach, reach=reach, outputs=2, guarded=True)


def turning_points(high: Line, low: Line, close: Line, window: int, multiplier: float) -> tuple[Line, ...]:
    """ATR, then turn, price, age of the last confirmed pivot and price of the one before it."""
    ranges = atr(high, low, close, window)
    return ranges, *pivots(high, low, close, ranges * multiplier, 0.0)[:4]


def pivots(high: Line, low: Line, close: Line, threshold: Line, fraction: float) -> tuple[Line, ...]:
    """Turn, price and age of the last confirmed pivot, price of the one before, direction of the leg under way."""
    return carried(swings.pivots, high, low, close, threshold, fraction, carry=9, outputs=5, guarded=True)
