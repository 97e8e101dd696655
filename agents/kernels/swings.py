"""Turning points of a price, each known only from the bar that confirms it, and what is drawn through them.

A pivot is a high or a low from which the price has come back by a threshold; pivots alternate. Its three columns are
what every other memory here and in `shapes` reads: `turn` (1 where a high is confirmed, -1 where a low is, else 0),
`price` of the last confirmed pivot and `age`, the bars since that price was made.

Shapes: inputs and outputs (N,), offsets (S+1,). None of them must see NaN.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

LEVELS = 8  # support and resistance levels remembered
_jit, _part = decorators(__file__)


@_jit
def fractals(high: Floats, low: Floats, offsets: Ints, left: int, right: int, tops: Floats, bottoms: Floats) -> None:
    """100 where the high (low) `right` bars ago is beyond the `left` before and the `right` after it, else 0.

    Warm-up left + right.
    """
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        for i in range(lo, min(hi, lo + left + right)):
            tops[i] = bottoms[i] = np.nan
        for i in range(lo + left + right, hi):
            middle = i - right
            top = bottom = 100.0
            for j in range(middle - left, i + 1):
                if j != middle and high[j] >= high[middle]:
                    top = 0.0
                if j != middle and low[j] <= low[middle]:
                    bottom = 0.0
            tops[i], bottoms[i] = top, bottom


@_jit
def last_top(
    values: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    left: int,
    right: int,
    price: Floats,
    age: Floats,
) -> None:
    """The last value that stood above `left` before and `right` after it, and the bars since; the first bar until then.

    Warm-up left + right; reads as many earlier bars. carry (3, S): bars, price, its bar.
    """
    for s in range(starts.size):
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            n = carry[0, s]
            if n == 0.0:
                carry[1, s] = values[i]
            price[i] = age[i] = np.nan
            if n >= left + right:
                middle = i - right
                top = True
                for j in range(middle - left, i + 1):
                    if j != middle and values[j] >= values[middle]:
                        top = False
                if top:
                    carry[1, s], carry[2, s] = values[middle], n - right
                price[i], age[i] = carry[1, s], n - carry[2, s]
            carry[0, s] = n + 1.0


@_jit
def pivots(
    high: Floats,
    low: Floats,
    close: Floats,
    threshold: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    fraction: float,
    turn: Floats,
    price: Floats,
    age: Floats,
    before: Floats,
    direction: Floats,
) -> None:
    """Alternating highs and lows from which the price came back by `threshold` + `fraction` of their own price.

    A bar that makes a new extreme extends the leg and confirms nothing; a high is confirmed by a bar with the lowest
    low since, far enough below it. The first close stands in until the first pivot. `before` is the pivot before the
    last, `direction` the leg under way. No warm-up. carry (9, S): bars, leg (1, -1, 0 = undecided), top, its bar,
    bottom, its bar, price, its bar, before.
    """
    for s in range(starts.size):
        n, leg, top, top_bar = carry[0, s], carry[1, s], carry[2, s], carry[3, s]
        bottom, bottom_bar, last, last_bar, older = carry[4, s], carry[5, s], carry[6, s], carry[7, s], carry[8, s]
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            turned = 0.0
            if n == 0.0:
                top, bottom, last, older = high[i], low[i], close[i], close[i]
            elif leg == 0.0:
                rise, fall = high[i] - bottom, top - low[i]
                rises = rise > 0.0 and rise >= threshold[i] + fraction * abs(bottom)
                falls = fall > 0.0 and fall >= threshold[i] + fraction * abs(top)
                if rises and (rise > fall or not falls):
                    turned, older, last, last_bar = -1.0, last, bottom, bottom_bar
                    leg, top, top_bar, bottom = 1.0, high[i], n, np.inf
                elif falls and (fall > rise or not rises):
                    turned, older, last, last_bar = 1.0, last, top, top_bar
                    leg, bottom, bottom_bar, top = -1.0, low[i], n, -np.inf
                else:
                    if high[i] > top:
                        top, top_bar = high[i], n
                    if low[i] < bottom:
                        bottom, bottom_bar = low[i], n
            elif leg > 0.0:
                if high[i] > top:
                    top, top_bar, bottom = high[i], n, np.inf
                elif low[i] < bottom:
                    bottom = low[i]
                    if top > bottom and top - bottom >= threshold[i] + fraction * abs(top):
                        turned, older, last, last_bar = 1.0, last, top, top_bar
                        leg, bottom_bar, top = -1.0, n, -np.inf
            elif low[i] < bottom:
                bottom, bottom_bar, top = low[i], n, -np.inf
            elif high[i] > top:
                top = high[i]
                if top > bottom and top - bottom >= threshold[i] + fraction * abs(bottom):
                    turned, older, last, last_bar = -1.0, last, bottom, bottom_bar
                    leg, top_bar, bottom = 1.0, n, np.inf
            turn[i], price[i], age[i], before[i] = turned, last, n - last_bar, older
            direction[i] = leg
            n += 1.0
        carry[0, s], carry[1, s], carry[2, s], carry[3, s] = n, leg, top, top_bar
        carry[4, s], carry[5, s], carry[6, s], carry[7, s] = bottom, bottom_bar, last, last_bar
        carry[8, s] = older


@_jit
def levels(
    close: Floats,
    width: Floats,
    turn: Floats,
    price: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    support: Floats,
    support_touches: Floats,
    resistance: Floats,
    resistance_touches: Floats,
) -> None:
    """Nearest level at or below and above the close; the close and no touches where there is none.

    A pivot within `width` of a level joins it (the level is the mean of its pivots), another one is a new level in
    place of the one touched longest ago. No warm-up. carry (25, S): bars, then price, touches and last touch of each.
    """
    for s in range(starts.size):
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            carry[0, s] += 1.0
            if turn[i] != 0.0:
                _touch(carry[1:, s], price[i], width[i], carry[0, s])
            below, above, touches_below, touches_above = -np.inf, np.inf, 0.0, 0.0
            for k in range(LEVELS):
                level, touches = carry[1 + k, s], carry[1 + LEVELS + k, s]
                if touches > 0.0 and below < level <= close[i]:
                    below, touches_below = level, touches
                elif touches > 0.0 and close[i] < level < above:
                    above, touches_above = level, touches
            support[i] = below if touches_below > 0.0 else close[i]
            resistance[i] = above if touches_above > 0.0 else close[i]
            support_touches[i], resistance_touches[i] = touches_below, touches_above


@_jit
def lines(
    close: Floats,
    turn: Floats,
    price: Floats,
    age: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    support: Floats,
    support_slope: Floats,
    resistance: Floats,
    resistance_slope: Floats,
) -> None:
    """Lines through the last two lows and the last two highs, at this bar, and their slopes per bar.

    Level through a single pivot; the close, level, before any. No warm-up. carry (9, S): bars; lows known, price, bar
    and slope of the line through them; the same for highs.
    """
    for s in range(starts.size):
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            n = carry[0, s]
            if turn[i] < 0.0:
                _draw(carry[1:5, s], price[i], n - age[i])
            elif turn[i] > 0.0:
                _draw(carry[5:9, s], price[i], n - age[i])
            support[i] = carry[2, s] + carry[4, s] * (n - carry[3, s]) if carry[1, s] > 0.0 else close[i]
            resistance[i] = carry[6, s] + carry[8, s] * (n - carry[7, s]) if carry[5, s] > 0.0 else close[i]
            support_slope[i], resistance_slope[i] = carry[4, s], carry[8, s]
            carry[0, s] = n + 1.0


@_jit
def structure(
    close: Floats,
    turn: Floats,
    price: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    trend: Floats,
    bos: Floats,
    choch: Floats,
    highs: Floats,
    lows: Floats,
) -> None:
    """Closes beyond the last pivot, with the trend (bos) or against it (choch); higher or lower highs and lows.

    No warm-up. carry (10, S): bars, trend; highs known, price, direction, broken; the same for lows.
    """
    for s in range(starts.size):
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            carry[0, s] += 1.0
            if turn[i] > 0.0:
                _compare(carry[2:6, s], price[i])
            elif turn[i] < 0.0:
                _compare(carry[6:10, s], price[i])
            bos[i] = choch[i] = 0.0
            side = 0.0
            if carry[2, s] > 0.0 and carry[5, s] == 0.0 and close[i] > carry[3, s]:
                side, carry[5, s] = 1.0, 1.0
            elif carry[6, s] > 0.0 and carry[9, s] == 0.0 and close[i] < carry[7, s]:
                side, carry[9, s] = -1.0, 1.0
            if side != 0.0:
                if side == -carry[1, s]:
                    choch[i] = side
                else:
                    bos[i] = side
                carry[1, s] = side
            trend[i], highs[i], lows[i] = carry[1, s], carry[4, s], carry[8, s]


@_part
def _touch(known: Floats, price: float, width: float, now: float) -> None:
    """`known`: prices, touches and last touches of all levels."""
    nearest, distance, oldest = -1, width, 0
    for k in range(LEVELS):
        touches, away = known[LEVELS + k], abs(known[k] - price)
        if touches > 0.0 and (away < distance or (away == distance and nearest < 0)):
            nearest, distance = k, away
        if known[2 * LEVELS + k] < known[2 * LEVELS + oldest]:
            oldest = k
    if nearest >= 0:
        touches = known[LEVELS + nearest] + 1.0
        known[nearest] += (price - known[nearest]) / touches
        known[LEVELS + nearest], known[2 * LEVELS + nearest] = touches, now
    else:
        known[oldest], known[LEVELS + oldest], known[2 * LEVELS + oldest] = price, 1.0, now


@_part
def _draw(line: Floats, price: float, bar: float) -> None:
    """`line`: pivots known, price, bar and slope of the newest."""
    if line[0] > 0.0 and bar > line[2]:
        line[3] = (price - line[1]) / (bar - line[2])
    line[0], line[1], line[2] = line[0] + 1.0, price, bar


@_part
def _compare(known: Floats, price: float) -> None:
    """`known`: pivots known, price of the newest, 1 higher or -1 lower than the one before, whether broken."""
    if known[0] > 0.0:
        known[2] = 1.0 if price > known[1] else -1.0 if price < known[1] else 0.0
    known[0], known[1], known[3] = known[0] + 1.0, price, 0.0
