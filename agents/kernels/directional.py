"""What trend indicators are made of: directional moves, places of extremes, averages with a gain of one's own.

Windows read the last few bars only; memories advance one symbol after the other, and what they carry begins with the
count of bars seen.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

_jit, _ = decorators(__file__)


@_jit
def moves(high: Floats, low: Floats, offsets: Ints, ups: Floats, downs: Floats) -> None:
    """Wilder's directional moves: how far a bar reaches above, or below, the one before, the larger of the two.

    The first bar of a symbol has moved 0. A NaN makes its bar and the next one NaN.
    """
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        if lo < hi:
            ups[lo] = downs[lo] = (high[lo] + low[lo]) * 0.0
        for i in range(lo + 1, hi):
            rise, fall = high[i] - high[i - 1], low[i - 1] - low[i]
            none = (rise + fall) * 0.0  # 0, and NaN where a price is
            ups[i] = rise if rise > fall and rise > 0.0 else none
            downs[i] = fall if fall > rise and fall > 0.0 else none


@_jit
def late(values: Floats, offsets: Ints, bars: int, out: Floats) -> None:
    """The value itself, NaN while the one `bars` earlier is; warm-up `bars`."""
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        for i in range(lo, min(hi, lo + bars)):
            out[i] = np.nan
        for i in range(lo + bars, hi):
            out[i] = values[i] + (values[i - bars] - values[i - bars])


@_jit
def since_highest(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Bars since the highest of the last `window` values, the latest of equal ones; warm-up window - 1. Guarded.

    A queue of falling values: each is put in and taken out once.
    """
    queue = np.empty(window, np.int64)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        head, held = 0, 0
        for i in range(lo, hi):
            if held > 0 and queue[head] <= i - window:
                head, held = (head + 1) % window, held - 1
            while held > 0 and values[queue[(head + held - 1) % window]] <= values[i]:
                held -= 1
            queue[(head + held) % window] = i
            held += 1
            out[i] = i - queue[head] if i - lo >= window - 1 else np.nan


@_jit
def random_walk(
    high: Floats, low: Floats, ranges: Floats, offsets: Ints, window: int, above: Floats, below: Floats
) -> None:
    """Largest advance over n bars in units of mean range times sqrt(n), n = 2 ... window; 0 where nothing moved.

    `ranges` are true ranges, whose first may be missing. Warm-up `window`. Summed anew for each bar, newest first.
    """
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        for i in range(lo, min(hi, lo + window)):
            above[i] = below[i] = np.nan
        for i in range(lo + window, hi):
            known, total = 0.0, ranges[i]
            highest = lowest = -np.inf
            for n in range(2, window + 1):
                total += ranges[i - n + 1]
                unit = total / np.sqrt(n)  # total / n * sqrt(n)
                up, down = high[i] - low[i - n], high[i - n] - low[i]
                known += (up + down) * 0.0
                highest = max(highest, up / unit if unit != 0.0 else 0.0)
                lowest = max(lowest, down / unit if unit != 0.0 else 0.0)
            above[i] = highest + (known + total * 0.0)
            below[i] = lowest + (known + total * 0.0)


@_jit
def exponential(
    values: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    window: int,
    gain: float,
    out: Floats,
) -> None:
    """level += (value - level) * gain, begun at the plain mean of `window` values; warm-up window - 1. carry (2, S)."""
    for s in range(offsets.size - 1):
        seen, level = carry[0, s], carry[1, s]
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            seen += 1.0
            level += (values[i] - level) * (1.0 / seen if seen <= window else gain)
            out[i] = level if seen >= window else np.nan
        carry[0, s], carry[1, s] = seen, level


@_jit
def smoothed_place(
    values: Floats,
    lowest: Floats,
    highest: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    gain: float,
    out: Floats,
) -> None:
    """Place of a value between two others, 0..100, smoothed by level += (place - level) * gain. Guarded. carry (3, S).

    Where the two are one, the place is the one before; 0 at the beginning.
    """
    for s in range(offsets.size - 1):
        seen, place, level = carry[0, s], carry[1, s], carry[2, s]
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            reach = highest[i] - lowest[i]
            if reach > 0.0:
                place = 100.0 * ((values[i] - lowest[i]) / reach)
            level = place if seen == 0.0 else level + (place - level) * gain
            seen += 1.0
            out[i] = level
        carry[0, s], carry[1, s], carry[2, s] = seen, place, level
