"""What a price remembers: the bar before, the first one, the record, candles made of candles, bricks. Over a panel.

Shapes: inputs and outputs (N,), offsets (S+1,), carry (K, S) with the count of bars seen in row 0.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

EDGE = 1e-9  # of a brick: a close that reaches an edge but for rounding has reached it
_jit, _ = decorators(__file__)


@_jit
def previous(values: Floats, offsets: Ints, out: Floats) -> None:
    """The value of the bar before; at the first bar its own. No warm-up."""
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        if lo < hi:
            out[lo] = values[lo]
        for i in range(lo + 1, hi):
            out[i] = values[i - 1]


@_jit
def first(values: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, out: Floats) -> None:
    """The very first value. No warm-up; never sees NaN. carry (2, S)."""
    for s in range(starts.size):
        begin, end = offsets[s] + starts[s], offsets[s + 1]
        if carry[0, s] == 0.0 and begin < end:
            carry[1, s] = values[begin]
        for i in range(begin, end):
            out[i] = carry[1, s]
        carry[0, s] += end - begin


@_jit
def record(values: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, out: Floats) -> None:
    """The largest value so far. No warm-up; never sees NaN. carry (2, S)."""
    for s in range(starts.size):
        begin, end = offsets[s] + starts[s], offsets[s + 1]
        best = carry[1, s] if carry[0, s] > 0.0 else -np.inf
        for i in range(begin, end):
            best = max(best, values[i])
            out[i] = best
        carry[0, s] += end - begin
        carry[1, s] = best


@_jit
def compound(factors: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, out: Floats) -> None:
    """Product of all factors so far. No warm-up. carry (2, S)."""
    for s in range(starts.size):
        begin, end = offsets[s] + starts[s], offsets[s + 1]
        level = carry[1, s] if carry[0, s] != 0.0 else 1.0
        for i in range(begin, end):
            level *= factors[i]
            out[i] = level
        carry[0, s] += end - begin
        carry[1, s] = level


@_jit
def decay(
    values: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    gain: float,
    warmup: int,
    out: Floats,
) -> None:
    """level += (value - level) * gain, seeded with the first value; warm-up `warmup`. carry (2, S)."""
    for s in range(starts.size):
        begin, end = offsets[s] + starts[s], offsets[s + 1]
        seen = int(carry[0, s])
        if seen == 0 and begin < end:
            carry[1, s] = values[begin]
        level = carry[1, s]
        for i in range(begin, end):
            level += (values[i] - level) * gain
            out[i] = level
        for i in range(begin, min(end, begin + warmup - seen)):
            out[i] = np.nan
        carry[0, s] += end - begin
        carry[1, s] = level


@_jit
def heikin_open(
    open_: Floats,
    close: Floats,
    middle: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    out: Floats,
) -> None:
    """Opens of Heikin-Ashi candles from their closes `middle`; first (open + close) / 2. No warm-up. carry (2, S)."""
    for s in range(starts.size):
        begin, end = offsets[s] + starts[s], offsets[s + 1]
        if carry[0, s] == 0.0 and begin < end:
            carry[1, s] = (open_[begin] + close[begin]) * 0.5
        level = carry[1, s]
        for i in range(begin, end):
            out[i] = level
            level = (level + middle[i]) * 0.5
        carry[0, s] += end - begin
        carry[1, s] = level


@_jit
def renko(
    close: Floats,
    sizes: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    rounded: int,
    opens: Floats,
    closes: Floats,
    direction: Floats,
    bricks: Floats,
) -> None:
    """The last brick after each bar and how many this bar added (falling ones negative).

    No warm-up; never sees NaN. carry (4, S): count, bottom and top of the last brick, its direction.
    rounded: 1 = the first edge is the close rounded to a multiple of the brick, 0 = the close itself.
    """
    for s in range(starts.size):
        begin, end = offsets[s] + starts[s], offsets[s + 1]
        bottom, top, side = carry[1, s], carry[2, s], carry[3, s]
        if carry[0, s] == 0.0 and begin < end:
            bottom = close[begin]
            if rounded == 1 and sizes[begin] > 0.0:
                bottom = np.floor(bottom / sizes[begin] + 0.5) * sizes[begin]
            top = bottom
        for i in range(begin, end):
            size, count = sizes[i], 0.0
            if size > 0.0:
                if close[i] > top:
                    count = np.floor((close[i] - top) / size + EDGE)
                elif close[i] < bottom:
                    count = -np.floor((bottom - close[i]) / size + EDGE)
                if count > 0.0:
                    top += count * size
                    bottom = top - size
                    side = 1.0
                elif count < 0.0:
                    bottom += count * size
                    top = bottom + size
                    side = -1.0
            opens[i] = top if side < 0.0 else bottom
            closes[i] = bottom if side < 0.0 else top
            direction[i] = side
            bricks[i] = count
        carry[0, s] += end - begin
        carry[1, s], carry[2, s], carry[3, s] = bottom, top, side
