"""Chart patterns made of confirmed pivots, each spoken of once, at the bar whose close leaves it.

A formation is looked for only when a pivot is confirmed (`turn` of `swings.pivots`), in the last six pivots. What is
found is two lines, an upper and a lower one; a close beyond a line that "speaks" is the signal, a close beyond the
other voids the formation, and so does the next pivot, or the lines crossing. `level` is the line at the signal's bar,
`target` lies the formation's height beyond it; on all other bars both are the close and the signal is 0.

Shapes: inputs and outputs (N,), offsets (S+1,). None of them must see NaN.
Memories have no warm-up; carry (22, S): bars, pivots seen, whether lines stand, six pivot prices and their bars, newest
first, then price, bar and slope of the upper and of the lower line, and the height.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

PIVOTS = 6
PRICES, BARS, UPPER, LOWER, HEIGHT = 3, 9, 15, 18, 21  # rows of carry
ASCENDING, DESCENDING, SYMMETRIC, RECTANGLE, BROADENING, RISING_WEDGE, FALLING_WEDGE = 0, 1, 2, 3, 4, 5, 6
_jit, _part = decorators(__file__)


@_jit
def tops(
    close: Floats,
    atr: Floats,
    turn: Floats,
    price: Floats,
    age: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    count: int,
    tolerance: float,
    signal: Floats,
    level: Floats,
    target: Floats,
) -> None:
    """`count` (2 or 3) equal highs after an advance; the lower line is the lowest low between them and speaks."""
    for s in range(starts.size):
        state = carry[:, s]
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            if turn[i] != 0.0:
                _remember(state, price[i], age[i])
                if turn[i] > 0.0 and state[1] >= 2 * count:
                    highest = lowest = state[PRICES]
                    neck = state[PRICES + 1]
                    for k in range(1, count):
                        highest = max(highest, state[PRICES + 2 * k])
                        lowest = min(lowest, state[PRICES + 2 * k])
                        neck = min(neck, state[PRICES + 2 * k - 1])
                    if highest - lowest <= tolerance * atr[i] and state[PRICES + 2 * count - 1] < neck < lowest:
                        _stand(state, highest - neck)
                        _line(state, UPPER, highest, 0.0, 0.0)
                        _line(state, LOWER, neck, 0.0, 0.0)
            signal[i], level[i], target[i] = _watch(state, close[i], False, True)


@_jit
def head_and_shoulders(
    close: Floats,
    atr: Floats,
    turn: Floats,
    price: Floats,
    age: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    tolerance: float,
    prominence: float,
    signal: Floats,
    level: Floats,
    target: Floats,
) -> None:
    """A high between two lower, equal ones after an advance; the line through the two lows between them speaks."""
    for s in range(starts.size):
        state = carry[:, s]
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            if turn[i] != 0.0:
                _remember(state, price[i], age[i])
                if turn[i] > 0.0 and state[1] >= PIVOTS:
                    right, neck_right, head = state[PRICES], state[PRICES + 1], state[PRICES + 2]
                    neck_left, left, start = state[PRICES + 3], state[PRICES + 4], state[PRICES + 5]
                    level_neck = abs(neck_left - neck_right) <= tolerance * atr[i]
                    if (
                        abs(left - right) <= tolerance * atr[i]
                        and level_neck
                        and head > max(left, right)
                        and head - max(left, right) >= prominence * atr[i]
                        and start < min(neck_left, neck_right)
                        and min(left, right) > max(neck_left, neck_right)
                    ):
                        slope = (neck_right - neck_left) / (state[BARS + 1] - state[BARS + 3])
                        _line(state, UPPER, head, 0.0, 0.0)
                        _line(state, LOWER, neck_right, state[BARS + 1], slope)
                        _stand(state, head - (neck_right + slope * (state[BARS + 2] - state[BARS + 1])))
            signal[i], level[i], target[i] = _watch(state, close[i], False, True)


@_jit
def ranges(
    close: Floats,
    atr: Floats,
    turn: Floats,
    price: Floats,
    age: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    kind: int,
    tolerance: float,
    signal: Floats,
    level: Floats,
    target: Floats,
) -> None:
    """Two highs and two lows between two lines whose directions make the `kind`; both lines speak."""
    for s in range(starts.size):
        state = carry[:, s]
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            if turn[i] != 0.0:
                _remember(state, price[i], age[i])
                if state[1] >= 4:
                    h = 0 if turn[i] > 0.0 else 1
                    l = 1 - h  # noqa: E741
                    high, high_before = state[PRICES + h], state[PRICES + h + 2]
                    low, low_before = state[PRICES + l], state[PRICES + l + 2]
                    up = (high - high_before) / (state[BARS + h] - state[BARS + h + 2])
                    down = (low - low_before) / (state[BARS + l] - state[BARS + l + 2])
                    highs = _direction(high - high_before, tolerance * atr[i])
                    lows = _direction(low - low_before, tolerance * atr[i])
                    if _is_kind(kind, highs, lows, down - up):
                        _stand(state, max(high, high_before) - min(low, low_before))
                        if highs == 0.0:
                            _line(state, UPPER, max(high, high_before), 0.0, 0.0)
                        else:
                            _line(state, UPPER, high, state[BARS + h], up)
                        if lows == 0.0:
                            _line(state, LOWER, min(low, low_before), 0.0, 0.0)
                        else:
                            _line(state, LOWER, low, state[BARS + l], down)
            signal[i], level[i], target[i] = _watch(state, close[i], True, True)


@_jit
def cup_and_handle(
    close: Floats,
    atr: Floats,
    turn: Floats,
    price: Floats,
    age: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    shortest: int,
    tolerance: float,
    retrace: float,
    signal: Floats,
    level: Floats,
    target: Floats,
) -> None:
    """Two equal rims with a low midway between them and a shallow low after the second; the rims speak."""
    for s in range(starts.size):
        state = carry[:, s]
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            if turn[i] != 0.0:
                _remember(state, price[i], age[i])
                if turn[i] < 0.0 and state[1] >= 5:
                    handle, right, bottom = state[PRICES], state[PRICES + 1], state[PRICES + 2]
                    left, start = state[PRICES + 3], state[PRICES + 4]
                    width = state[BARS + 1] - state[BARS + 3]
                    if (
                        abs(left - right) <= tolerance * atr[i]
                        and width >= shortest
                        and 4.0 * abs(state[BARS + 1] + state[BARS + 3] - 2.0 * state[BARS + 2]) <= 2.0 * width
                        and right - handle <= retrace * (right - bottom)
                        and handle > bottom
                        and start <= bottom
                    ):
                        _stand(state, max(left, right) - bottom)
                        _line(state, UPPER, max(left, right), 0.0, 0.0)
                        _line(state, LOWER, handle, 0.0, 0.0)
            signal[i], level[i], target[i] = _watch(state, close[i], True, False)


@_jit
def flag(
    high: Floats,
    low: Floats,
    close: Floats,
    atr: Floats,
    offsets: Ints,
    pole: int,
    shortest: int,
    longest: int,
    multiplier: float,
    retrace: float,
    signal: Floats,
    level: Floats,
    target: Floats,
) -> None:
    """First close above the bars that drifted, for `shortest` to `longest` of them, under the tip of a steep pole.

    The tip is the latest highest high of the `longest` + 1 bars before this one, the pole its distance from the lowest
    low of the `pole` bars before it. Warm-up pole + longest + 1.
    """
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        reach = pole + longest + 1
        for i in range(lo, min(hi, lo + reach)):
            signal[i] = level[i] = target[i] = np.nan
        for i in range(lo + reach, hi):
            signal[i], level[i], target[i] = 0.0, close[i], close[i]
            tip = i - 1 - longest
            for j in range(tip + 1, i):
                if high[j] >= high[tip]:
                    tip = j
            if i - 1 - tip < shortest:
                continue
            foot = low[tip - 1]
            for j in range(tip - pole, tip - 1):
                foot = min(foot, low[j])
            height = high[tip] - foot
            edge, bottom, left = high[tip + 1], low[tip + 1], False
            for j in range(tip + 2, i):
                left |= j - 1 - tip >= shortest and close[j] > edge
                edge, bottom = max(edge, high[j]), min(bottom, low[j])
            steep = height > 0.0 and height >= multiplier * atr[tip]
            if steep and not left and high[tip] - bottom <= retrace * height and close[i] > edge:
                signal[i], level[i], target[i] = 1.0, edge, edge + height


@_part
def _remember(state: Floats, price: float, age: float) -> None:
    """A new pivot in front of the others; what stood is void."""
    for k in range(PIVOTS - 1, 0, -1):
        state[PRICES + k], state[BARS + k] = state[PRICES + k - 1], state[BARS + k - 1]
    state[PRICES], state[BARS] = price, state[0] - age
    state[1], state[2] = state[1] + 1.0, 0.0


@_part
def _stand(state: Floats, height: float) -> None:
    state[2], state[HEIGHT] = 1.0, height


@_part
def _line(state: Floats, row: int, price: float, bar: float, slope: float) -> None:
    state[row], state[row + 1], state[row + 2] = price, bar, slope


@_part
def _watch(state: Floats, close: float, up: bool, down: bool) -> tuple[float, float, float]:
    """Signal, level and target of this bar; `up`, `down`: whether that side speaks. Counts the bar."""
    n = state[0]
    state[0] = n + 1.0
    if state[2] == 0.0:
        return 0.0, close, close
    upper = state[UPPER] + state[UPPER + 2] * (n - state[UPPER + 1])
    lower = state[LOWER] + state[LOWER + 2] * (n - state[LOWER + 1])
    if upper <= lower or close > upper or close < lower:
        state[2] = 0.0
        if upper > lower and close > upper and up:
            return 1.0, upper, upper + state[HEIGHT]
        if upper > lower and close < lower and down:
            return -1.0, lower, lower - state[HEIGHT]
    return 0.0, close, close


@_part
def _direction(move: float, least: float) -> float:
    return 0.0 if abs(move) <= least else 1.0 if move > 0.0 else -1.0


@_part
def _is_kind(kind: int, highs: float, lows: float, closing: float) -> bool:
    """highs, lows: 1 rising, 0 level, -1 falling; closing: how fast the lines come together."""
    if kind == ASCENDING:
        return highs == 0.0 and lows > 0.0
    if kind == DESCENDING:
        return highs < 0.0 and lows == 0.0
    if kind == SYMMETRIC:
        return highs < 0.0 and lows > 0.0
    if kind == RECTANGLE:
        return highs == 0.0 and lows == 0.0
    if kind == BROADENING:
        return highs > 0.0 and lows < 0.0
    if kind == RISING_WEDGE:
        return highs > 0.0 and lows > 0.0 and closing > 0.0
    return highs < 0.0 and lows < 0.0 and closing > 0.0
