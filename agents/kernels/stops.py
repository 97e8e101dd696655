"""Stops that trail a price: each follows one side, never gives way, and changes sides when the price breaks it.

All carry their side from bar to bar and are guarded: they never see NaN. Symbols are taken one after the other; row 0
of `carry` is the count of bars seen. A side is 1 (the trend is up, the stop below the price) or -1.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

_jit, _ = decorators(__file__)


@_jit
def parabolic(
    high: Floats,
    low: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    start: float,
    offset: float,
    first_long: float,
    step_long: float,
    most_long: float,
    first_short: float,
    step_short: float,
    most_short: float,
    level: Floats,
    side: Floats,
) -> None:
    """Wilder's parabolic stop and reverse, accelerations per side; warm-up 1. carry (5, S).

    start: 0 = the first two bars decide, else the first level, below 0 for short. offset: share added on reversal.
    """
    for s in range(offsets.size - 1):
        seen, now, stop, extreme, gain = carry[0, s], carry[1, s], carry[2, s], carry[3, s], carry[4, s]
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            seen += 1.0
            if seen == 1.0:
                level[i] = side[i] = np.nan
                continue
            before = i - 1
            if seen == 2.0:
                rise, fall = high[i] - high[i - 1], low[i - 1] - low[i]
                down = fall > rise and fall > 0.0 if start == 0.0 else start < 0.0
                now, extreme = (-1.0, low[i]) if down else (1.0, high[i])
                stop = abs(start) if start != 0.0 else (high[i - 1] if down else low[i - 1])
                gain = first_short if down else first_long
                before = i  # as TA-Lib: the first bar is its own yesterday
            top, bottom = max(high[i], high[before]), min(low[i], low[before])
            moved = high[i] > low[i]  # a bar that lies on the stop altogether has not crossed it
            if now > 0.0 and (low[i] < stop or (moved and low[i] == stop)):
                now, stop, gain = -1.0, max(extreme, top), first_short
                stop += stop * offset
                level[i], extreme = stop, low[i]
                stop = max(stop + gain * (extreme - stop), top)
            elif now < 0.0 and (high[i] > stop or (moved and high[i] == stop)):
                now, stop, gain = 1.0, min(extreme, bottom), first_long
                stop -= stop * offset
                level[i], extreme = stop, high[i]
                stop = min(stop + gain * (extreme - stop), bottom)
            elif now > 0.0:
                level[i] = stop
                if high[i] > extreme:
                    extreme, gain = high[i], min(gain + step_long, most_long)
                stop = min(stop + gain * (extreme - stop), bottom)
            else:
                level[i] = stop
                if low[i] < extreme:
                    extreme, gain = low[i], min(gain + step_short, most_short)
                stop = max(stop + gain * (extreme - stop), top)
            side[i] = now
        carry[0, s], carry[1, s], carry[2, s], carry[3, s], carry[4, s] = seen, now, stop, extreme, gain


@_jit
def between_bands(
    close: Floats,
    upper: Floats,
    lower: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    level: Floats,
    side: Floats,
) -> None:
    """SuperTrend: the lower band while the trend is up, the upper one while it is down; up at first. carry (4, S).

    A band comes closer only, until a close was beyond it. No warm-up of its own.
    """
    for s in range(offsets.size - 1):
        seen, now, ceiling, floor = carry[0, s], carry[1, s], carry[2, s], carry[3, s]
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            if seen == 0.0:
                now, ceiling, floor = 1.0, upper[i], lower[i]
            else:
                ceiling = upper[i] if upper[i] < ceiling or close[i - 1] > ceiling else ceiling
                floor = lower[i] if lower[i] > floor or close[i - 1] < floor else floor
                if now > 0.0 and close[i] < floor:
                    now = -1.0
                elif now < 0.0 and close[i] > ceiling:
                    now = 1.0
            seen += 1.0
            level[i], side[i] = floor if now > 0.0 else ceiling, now
        carry[0, s], carry[1, s], carry[2, s], carry[3, s] = seen, now, ceiling, floor


@_jit
def trailing(
    close: Floats,
    distance: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    level: Floats,
    side: Floats,
) -> None:
    """A stop `distance` behind the close that only moves with the trend; below the close at first. carry (2, S)."""
    for s in range(offsets.size - 1):
        seen, stop = carry[0, s], carry[1, s]
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            below, above = close[i] - distance[i], close[i] + distance[i]
            if seen == 0.0:
                stop = below
            elif close[i] > stop:
                stop = max(stop, below) if close[i - 1] > stop else below
            elif close[i] < stop:
                stop = min(stop, above) if close[i - 1] < stop else above
            else:
                stop = above
            seen += 1.0
            level[i], side[i] = stop, 1.0 if close[i] >= stop else -1.0
        carry[0, s], carry[1, s] = seen, stop


@_jit
def behind_extreme(
    close: Floats,
    distance: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    level: Floats,
    side: Floats,
) -> None:
    """A stop `distance` behind the best close since the trend turned, never giving way; up at first. carry (5, S)."""
    for s in range(offsets.size - 1):
        seen, now, stop, top, bottom = carry[0, s], carry[1, s], carry[2, s], carry[3, s], carry[4, s]
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            price = close[i]
            if seen == 0.0:
                now, stop, top, bottom = 1.0, price - distance[i], price, price
            top, bottom = max(top, price), min(bottom, price)
            stop = max(stop, top - distance[i]) if now > 0.0 else min(stop, bottom + distance[i])
            turned = 1.0 if price >= stop else -1.0
            if turned != now:
                now, top, bottom = turned, price, price
                stop = price - distance[i] if now > 0.0 else price + distance[i]
            seen += 1.0
            level[i], side[i] = stop, now
        carry[0, s], carry[1, s], carry[2, s], carry[3, s], carry[4, s] = seen, now, stop, top, bottom


@_jit
def half_trend(
    high: Floats,
    low: Floats,
    close: Floats,
    top: Floats,
    bottom: Floats,
    high_mean: Floats,
    low_mean: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    level: Floats,
    side: Floats,
) -> None:
    """HalfTrend: a line that moves with the trend only and turns when the mean passes the best extreme against it.

    Up at first; on a turn the line stays where it was for that bar. carry (5, S).
    """
    for s in range(offsets.size - 1):
        seen, now, line, floor, ceiling = carry[0, s], carry[1, s], carry[2, s], carry[3, s], carry[4, s]
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            if seen == 0.0:
                now, line, floor, ceiling = 1.0, bottom[i], bottom[i], top[i]
            elif now > 0.0:
                floor = max(floor, bottom[i])
                if high_mean[i] < floor and close[i] < low[i - 1]:
                    now, ceiling = -1.0, top[i]
                else:
                    line = max(line, floor)
            else:
                ceiling = min(ceiling, top[i])
                if low_mean[i] > ceiling and close[i] > high[i - 1]:
                    now, floor = 1.0, bottom[i]
                else:
                    line = min(line, ceiling)
            seen += 1.0
            level[i], side[i] = line, now
        carry[0, s], carry[1, s], carry[2, s], carry[3, s], carry[4, s] = seen, now, line, floor, ceiling


@_jit
def hold(
    condition: Floats,
    values: Floats,
    first: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    out: Floats,
) -> None:
    """The value of the last bar on which the condition held; `first` until then. carry (2, S)."""
    for s in range(offsets.size - 1):
        seen, level = carry[0, s], carry[1, s]
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            if seen == 0.0:
                level = first[i]
            if condition[i] != 0.0:
                level = values[i]
            seen += 1.0
            out[i] = level
        carry[0, s], carry[1, s] = seen, level
