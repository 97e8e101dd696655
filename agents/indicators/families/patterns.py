"""Chart patterns of defined geometry, each spoken of once, at the bar whose close confirms it."""

from __future__ import annotations

from typing import Annotated

from agents.indicators.families.pattern_lines import turning_points
from agents.indicators.families.volatility import atr
from agents.indicators.graph import Line, carried, rolling
from agents.indicators.registry import LONGEST, Factor, Range, Unit, Window, indicator
from agents.kernels import shapes
from data.contracts.errors import InvalidInput

OUTPUTS = ("signal", "level", "target")
UNITS: tuple[Unit, ...] = ("none", "price", "price")
BULKOWSKI = "Bulkowski, Encyclopedia of Chart Patterns (2005)"
EDWARDS = "Edwards and Magee, Technical Analysis of Stock Trends (1948)"
Share = Annotated[float, Range(0.0, 1.0)]
Bars = Annotated[int, Range(1, LONGEST)]


def _shortest_within_longest(shortest: int, longest: int, **others: float) -> None:
    if shortest > longest:
        raise InvalidInput(f"flag shortest must not exceed longest, not {shortest} and {longest}", indicator="flag")


@indicator(family="patterns", unit=UNITS, outputs=OUTPUTS, source=BULKOWSKI)
def double_top(
    high: Line, low: Line, close: Line, window: Window = 14, multiplier: Factor = 3.0, tolerance: Factor = 1.0
) -> tuple[Line, ...]:
    """Double top: two equal highs after an advance, confirmed by a close below the low between them.

    Formula: pivots low, top, valley, top; |top - top| <= `tolerance` ATR; low < valley; then close < valley.

    Pivots: zigzag with a threshold of `multiplier` ATR(window); tolerances in ATR of the bar that confirms the last
    pivot. `signal` is -1 at the confirming bar only, with `level` the neckline and `target` its height beyond;
    elsewhere both are the close. A close above the higher top or the next pivot voids it.
    """
    return _tops(high, low, close, window, multiplier, tolerance, 2)


@indicator(family="patterns", unit=UNITS, outputs=OUTPUTS, source=BULKOWSKI)
def double_bottom(
    high: Line, low: Line, close: Line, window: Window = 14, multiplier: Factor = 3.0, tolerance: Factor = 1.0
) -> tuple[Line, ...]:
    """Double bottom: two equal lows after a decline, confirmed by a close above the high between them.

    Formula: pivots high, bottom, peak, bottom; |bottom - bottom| <= `tolerance` ATR; high > peak; then close > peak.

    Pivots: zigzag with a threshold of `multiplier` ATR(window); tolerances in ATR of the bar that confirms the last
    pivot. `signal` is 1 at the confirming bar only, with `level` the neckline and `target` its height beyond; elsewhere
    both are the close. A close below the lower bottom or the next pivot voids it. Mirror image of double_top.
    """
    return _mirrored(_tops(-low, -high, -close, window, multiplier, tolerance, 2))


@indicator(family="patterns", unit=UNITS, outputs=OUTPUTS, source=BULKOWSKI)
def triple_top(
    high: Line, low: Line, close: Line, window: Window = 14, multiplier: Factor = 3.0, tolerance: Factor = 1.0
) -> tuple[Line, ...]:
    """Triple top: three equal highs after an advance, confirmed by a close below the lows between them.

    Formula: pivots low, top, valley, top, valley, top; highest - lowest top <= `tolerance` ATR; low < both valleys;
    then close < lower valley.

    Pivots: zigzag with a threshold of `multiplier` ATR(window); tolerances in ATR of the bar that confirms the last
    pivot. `signal` is -1 at the confirming bar only, with `level` the neckline and `target` its height beyond;
    elsewhere both are the close. A close above the highest top or the next pivot voids it.
    """
    return _tops(high, low, close, window, multiplier, tolerance, 3)


@indicator(family="patterns", unit=UNITS, outputs=OUTPUTS, source=BULKOWSKI)
def triple_bottom(
    high: Line, low: Line, close: Line, window: Window = 14, multiplier: Factor = 3.0, tolerance: Factor = 1.0
) -> tuple[Line, ...]:
    """Triple bottom: three equal lows after a decline, confirmed by a close above the highs between them.

    Formula: pivots high, bottom, peak, bottom, peak, bottom; highest - lowest bottom <= `tolerance` ATR; high > both
    peaks; then close > higher peak.

    Pivots: zigzag with a threshold of `multiplier` ATR(window); tolerances in ATR of the bar that confirms the last
    pivot. `signal` is 1 at the confirming bar only, with `level` the neckline and `target` its height beyond; elsewhere
    both are the close. A close below the lowest bottom or the next pivot voids it. Mirror image of triple_top.
    """
    return _mirrored(_tops(-low, -high, -close, window, multiplier, tolerance, 3))


@indicator(family="patterns", unit=UNITS, outputs=OUTPUTS, source=f"{EDWARDS}, ch. 6; {BULKOWSKI}")
def head_and_shoulders(
    high: Line,
    low: Line,
    close: Line,
    window: Window = 14,
    multiplier: Factor = 3.0,
    tolerance: Factor = 2.0,
    prominence: Factor = 1.0,
) -> tuple[Line, ...]:
    """Head and shoulders: a high between two lower, equal ones, confirmed by a close below the neckline.

    Formula: pivots low, left, valley, head, valley, right; |left - right| and |valley - valley| <= `tolerance` ATR;
    head - higher shoulder >= `prominence` ATR; low < both valleys < both shoulders; then close < line through the
    valleys.

    Pivots: zigzag with a threshold of `multiplier` ATR(window); tolerances in ATR of the bar that confirms the last
    pivot. `signal` is -1 at the confirming bar only, with `level` the neckline there and `target` its height beyond;
    elsewhere both are the close. The height is the head's above the neckline. A close above the head or the next pivot
    voids it.
    """
    return _head(high, low, close, window, multiplier, tolerance, prominence)


@indicator(family="patterns", unit=UNITS, outputs=OUTPUTS, source=f"{EDWARDS}, ch. 6; {BULKOWSKI}")
def inverse_head_and_shoulders(
    high: Line,
    low: Line,
    close: Line,
    window: Window = 14,
    multiplier: Factor = 3.0,
    tolerance: Factor = 2.0,
    prominence: Factor = 1.0,
) -> tuple[Line, ...]:
    """Inverse head and shoulders: a low between two higher, equal ones, confirmed by a close above the neckline.

    Formula: pivots high, left, peak, head, peak, right; |left - right| and |peak - peak| <= `tolerance` ATR; lower
    shoulder - head >= `prominence` ATR; high > both peaks > both shoulders; then close > line through the peaks.

    Pivots: zigzag with a threshold of `multiplier` ATR(window); tolerances in ATR of the bar that confirms the last
    pivot. `signal` is 1 at the confirming bar only, with `level` the neckline there and `target` its height beyond;
    elsewhere both are the close. The height is the head's below the neckline. A close below the head or the next pivot
    voids it. Mirror image of head_and_shoulders.
    """
    return _mirrored(_head(-low, -high, -close, window, multiplier, tolerance, prominence))


@indicator(family="patterns", unit=UNITS, outputs=OUTPUTS, source=BULKOWSKI)
def ascending_triangle(
    high: Line, low: Line, close: Line, window: Window = 14, multiplier: Factor = 3.0, tolerance: Factor = 1.0
) -> tuple[Line, ...]:
    """Ascending triangle: level highs over rising lows, until a close leaves it.

    Formula: of the last four pivots the highs differ by at most `tolerance` ATR and the later low is higher by more.

    Pivots: zigzag with a threshold of `multiplier` ATR(window), tolerances in ATR of the bar that confirms the last
    one. The level side is drawn at the higher of its highs. `signal` is 1 at the close above the upper side, -1 below
    the lower, once, with `level` that side there and `target` the distance of the highest from the lowest pivot beyond
    it; elsewhere both are the close. The next pivot, or the sides meeting, voids it.
    """
    return _range(high, low, close, window, multiplier, tolerance, shapes.ASCENDING)


@indicator(family="patterns", unit=UNITS, outputs=OUTPUTS, source=BULKOWSKI)
def descending_triangle(
    high: Line, low: Line, close: Line, window: Window = 14, multiplier: Factor = 3.0, tolerance: Factor = 1.0
) -> tuple[Line, ...]:
    """Descending triangle: falling highs over level lows, until a close leaves it.

    Formula: of the last four pivots the lows differ by at most `tolerance` ATR and the later high is lower by more.

    Pivots: zigzag with a threshold of `multiplier` ATR(window), tolerances in ATR of the bar that confirms the last
    one. The level side is drawn at the lower of its lows. `signal` is 1 at the close above the upper side, -1 below the
    lower, once, with `level` that side there and `target` the distance of the highest from the lowest pivot beyond it;
    elsewhere both are the close. The next pivot, or the sides meeting, voids it.
    """
    return _range(high, low, close, window, multiplier, tolerance, shapes.DESCENDING)


@indicator(family="patterns", unit=UNITS, outputs=OUTPUTS, source=BULKOWSKI)
def symmetric_triangle(
    high: Line, low: Line, close: Line, window: Window = 14, multiplier: Factor = 3.0, tolerance: Factor = 1.0
) -> tuple[Line, ...]:
    """Symmetric triangle: falling highs over rising lows, until a close leaves it.

    Formula: of the last four pivots the later high is lower and the later low higher, each by more than `tolerance`
    ATR.

    Pivots: zigzag with a threshold of `multiplier` ATR(window), tolerances in ATR of the bar that confirms the last
    one. The sides are drawn through the two pivots of each. `signal` is 1 at the close above the upper side, -1 below
    the lower, once, with `level` that side there and `target` the distance of the highest from the lowest pivot beyond
    it; elsewhere both are the close. The next pivot, or the sides meeting, voids it.
    """
    return _range(high, low, close, window, multiplier, tolerance, shapes.SYMMETRIC)


@indicator(family="patterns", unit=UNITS, outputs=OUTPUTS, source=BULKOWSKI)
def rectangle(
    high: Line, low: Line, close: Line, window: Window = 14, multiplier: Factor = 3.0, tolerance: Factor = 1.0
) -> tuple[Line, ...]:
    """Rectangle: level highs over level lows, until a close leaves it.

    Formula: of the last four pivots the highs differ by at most `tolerance` ATR, and so do the lows.

    Pivots: zigzag with a threshold of `multiplier` ATR(window), tolerances in ATR of the bar that confirms the last
    one. The sides are drawn at the higher high and the lower low. `signal` is 1 at the close above the upper side, -1
    below the lower, once, with `level` that side there and `target` the distance of the highest from the lowest pivot
    beyond it; elsewhere both are the close. The next pivot, or the sides meeting, voids it.
    """
    return _range(high, low, close, window, multiplier, tolerance, shapes.RECTANGLE)


@indicator(family="patterns", unit=UNITS, outputs=OUTPUTS, source=BULKOWSKI)
def broadening(
    high: Line, low: Line, close: Line, window: Window = 14, multiplier: Factor = 3.0, tolerance: Factor = 1.0
) -> tuple[Line, ...]:
    """Broadening formation (megaphone): rising highs over falling lows, until a close leaves it.

    Formula: of the last four pivots the later high is higher and the later low lower, each by more than `tolerance`
    ATR.

    Pivots: zigzag with a threshold of `multiplier` ATR(window), tolerances in ATR of the bar that confirms the last
    one. The sides are drawn through the two pivots of each. `signal` is 1 at the close above the upper side, -1 below
    the lower, once, with `level` that side there and `target` the distance of the highest from the lowest pivot beyond
    it; elsewhere both are the close. The next pivot, or the sides meeting, voids it.
    """
    return _range(high, low, close, window, multiplier, tolerance, shapes.BROADENING)


@indicator(family="patterns", unit=UNITS, outputs=OUTPUTS, source=BULKOWSKI)
def rising_wedge(
    high: Line, low: Line, close: Line, window: Window = 14, multiplier: Factor = 3.0, tolerance: Factor = 1.0
) -> tuple[Line, ...]:
    """Rising wedge: rising highs over lows that rise faster, until a close leaves it.

    Formula: of the last four pivots the later high and low are higher by more than `tolerance` ATR, and the lines
    converge.

    Pivots: zigzag with a threshold of `multiplier` ATR(window), tolerances in ATR of the bar that confirms the last
    one. The sides are drawn through the two pivots of each. `signal` is 1 at the close above the upper side, -1 below
    the lower, once, with `level` that side there and `target` the distance of the highest from the lowest pivot beyond
    it; elsewhere both are the close. The next pivot, or the sides meeting, voids it.
    """
    return _range(high, low, close, window, multiplier, tolerance, shapes.RISING_WEDGE)


@indicator(family="patterns", unit=UNITS, outputs=OUTPUTS, source=BULKOWSKI)
def falling_wedge(
    high: Line, low: Line, close: Line, window: Window = 14, multiplier: Factor = 3.0, tolerance: Factor = 1.0
) -> tuple[Line, ...]:
    """Falling wedge: falling lows under highs that fall faster, until a close leaves it.

    Formula: of the last four pivots the later high and low are lower by more than `tolerance` ATR, and the lines
    converge.

    Pivots: zigzag with a threshold of `multiplier` ATR(window), tolerances in ATR of the bar that confirms the last
    one. The sides are drawn through the two pivots of each. `signal` is 1 at the close above the upper side, -1 below
    the lower, once, with `level` that side there and `target` the distance of the highest from the lowest pivot beyond
    it; elsewhere both are the close. The next pivot, or the sides meeting, voids it.
    """
    return _range(high, low, close, window, multiplier, tolerance, shapes.FALLING_WEDGE)


@indicator(
    family="patterns", unit=UNITS, outputs=OUTPUTS, source=f"O'Neil, How to Make Money in Stocks (1988); {BULKOWSKI}"
)
def cup_and_handle(
    high: Line,
    low: Line,
    close: Line,
    window: Window = 14,
    multiplier: Factor = 3.0,
    tolerance: Factor = 2.0,
    shortest: Bars = 20,
    retrace: Share = 0.5,
) -> tuple[Line, ...]:
    """Cup and handle: two equal rims, a low midway between them and a shallow dip, confirmed by a close above the rims.

    Formula: pivots low, rim, bottom, rim, handle; |rim - rim| <= `tolerance` ATR, at least `shortest` bars apart; the
    bottom in the middle half between them, not below the first low; rim - handle <= `retrace` * (rim - bottom); then
    close > higher rim.

    Pivots: zigzag with a threshold of `multiplier` ATR(window); tolerances in ATR of the bar that confirms the last
    pivot. `signal` is 1 at the confirming bar only, with `level` the rim and `target` its height beyond; elsewhere both
    are the close. A close below the handle or the next pivot voids it.
    """
    return _cup(high, low, close, window, multiplier, tolerance, shortest, retrace)


@indicator(
    family="patterns", unit=UNITS, outputs=OUTPUTS, source=f"O'Neil, How to Make Money in Stocks (1988); {BULKOWSKI}"
)
def inverse_cup_and_handle(
    high: Line,
    low: Line,
    close: Line,
    window: Window = 14,
    multiplier: Factor = 3.0,
    tolerance: Factor = 2.0,
    shortest: Bars = 20,
    retrace: Share = 0.5,
) -> tuple[Line, ...]:
    """Inverse cup and handle: two equal lows, a high midway between them and a shallow rally, confirmed below the lows.

    Formula: pivots high, rim, top, rim, handle; |rim - rim| <= `tolerance` ATR, at least `shortest` bars apart; the top
    in the middle half between them, not above the first high; handle - rim <= `retrace` * (top - rim); then close <
    lower rim.

    Pivots: zigzag with a threshold of `multiplier` ATR(window); tolerances in ATR of the bar that confirms the last
    pivot. `signal` is -1 at the confirming bar only, with `level` the rim and `target` its height beyond; elsewhere
    both are the close. A close above the handle or the next pivot voids it. Mirror image of cup_and_handle.
    """
    return _mirrored(_cup(-low, -high, -close, window, multiplier, tolerance, shortest, retrace))


@indicator(
    family="patterns",
    unit=UNITS,
    outputs=OUTPUTS,
    check=_shortest_within_longest,
    source=f"{EDWARDS}, ch. 11; {BULKOWSKI}",
)
def bull_flag(
    high: Line,
    low: Line,
    close: Line,
    window: Window = 14,
    multiplier: Factor = 4.0,
    pole: Bars = 10,
    shortest: Bars = 4,
    longest: Bars = 15,
    retrace: Share = 0.5,
) -> tuple[Line, ...]:
    """Bull flag: a steep rise, some bars of shallow drift under its tip, and the first close above them.

    Formula: pole = tip - lowest low of the `pole` bars before it >= `multiplier` ATR(window); after the tip `shortest`
    to `longest` bars, none lower than tip - `retrace` * pole; then close > highest high of those bars.

    The tip is the latest highest high of the `longest` + 1 bars before this one; the ATR is that of its bar. `signal`
    is 1 at the confirming bar only, with `level` the highest high of the flag and `target` the pole's height beyond it;
    elsewhere both are the close.
    """
    return _flag(high, low, close, window, multiplier, pole, shortest, longest, retrace)


@indicator(
    family="patterns",
    unit=UNITS,
    outputs=OUTPUTS,
    check=_shortest_within_longest,
    source=f"{EDWARDS}, ch. 11; {BULKOWSKI}",
)
def bear_flag(
    high: Line,
    low: Line,
    close: Line,
    window: Window = 14,
    multiplier: Factor = 4.0,
    pole: Bars = 10,
    shortest: Bars = 4,
    longest: Bars = 15,
    retrace: Share = 0.5,
) -> tuple[Line, ...]:
    """Bear flag: a steep fall, some bars of shallow drift over its tip, and the first close below them.

    Formula: pole = highest high of the `pole` bars before the tip - tip >= `multiplier` ATR(window); after the tip
    `shortest` to `longest` bars, none higher than tip + `retrace` * pole; then close < lowest low of those bars.

    The tip is the latest lowest low of the `longest` + 1 bars before this one; the ATR is that of its bar. `signal` is
    -1 at the confirming bar only, with `level` the lowest low of the flag and `target` the pole's height beyond it;
    elsewhere both are the close. Mirror image of bull_flag.
    """
    return _mirrored(_flag(-low, -high, -close, window, multiplier, pole, shortest, longest, retrace))


def _tops(
    high: Line, low: Line, close: Line, window: int, multiplier: float, tolerance: float, count: int
) -> tuple[Line, ...]:
    points = turning_points(high, low, close, window, multiplier)[:4]
    return carried(shapes.tops, close, *points, count, tolerance, carry=22, outputs=3, guarded=True)


def _head(
    high: Line, low: Line, close: Line, window: int, multiplier: float, tolerance: float, prominence: float
) -> tuple[Line, ...]:
    points = turning_points(high, low, close, window, multiplier)[:4]
    kernel = shapes.head_and_shoulders
    return carried(kernel, close, *points, tolerance, prominence, carry=22, outputs=3, guarded=True)


def _range(
    high: Line, low: Line, close: Line, window: int, multiplier: float, tolerance: float, kind: int
) -> tuple[Line, ...]:
    points = turning_points(high, low, close, window, multiplier)[:4]
    return carried(shapes.ranges, close, *points, kind, tolerance, carry=22, outputs=3, guarded=True)


def _cup(
    high: Line,
    low: Line,
    close: Line,
    window: int,
    multiplier: float,
    tolerance: float,
    shortest: int,
    retrace: float,
) -> tuple[Line, ...]:
    points = turning_points(high, low, close, window, multiplier)[:4]
    kernel = shapes.cup_and_handle
    return carried(kernel, close, *points, shortest, tolerance, retrace, carry=22, outputs=3, guarded=True)


def _flag(
    high: Line,
    low: Line,
    close: Line,
    window: int,
    multiplier: float,
    pole: int,
    shortest: int,
    longest: int,
    retrace: float,
) -> tuple[Line, ...]:
    ranges, numbers = atr(high, low, close, window), (pole, shortest, longest, multiplier, retrace)
    return rolling(shapes.flag, high, low, close, ranges, *numbers, reach=pole + longest + 1, outputs=3, guarded=True)


def _mirrored(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Of prices turned upside down, back the right way up."""
    return tuple(-line for line in lines)
