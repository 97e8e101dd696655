"""Levels taken from earlier bars: blocks of bars and pivots made of them, gaps, boxes, channels and counts.

Shapes: inputs and outputs (N,), offsets (S+1,). The memories must not see NaN; `pivots` carries it through.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

STANDARD, CLASSIC, FIBONACCI, WOODIE, CAMARILLA, DEMARK = 0, 1, 2, 3, 4, 5
_jit, _part = decorators(__file__)


@_jit
def blocks(
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    window: int,
    first: Floats,
    top: Floats,
    bottom: Floats,
    last: Floats,
    present: Floats,
) -> None:
    """Open, high, low and close of the last whole block of `window` bars, and the open of the one that is running.

    Blocks are counted from the first bar. Warm-up `window`. carry (9, S): bars, the running block, the last one.
    """
    for s in range(starts.size):
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            n = carry[0, s]
            if n % window == 0.0:
                for k in range(1, 5):
                    carry[4 + k, s] = carry[k, s] if n > 0.0 else np.nan
                carry[1, s], carry[2, s], carry[3, s] = open_[i], high[i], low[i]
            carry[2, s], carry[3, s] = max(carry[2, s], high[i]), min(carry[3, s], low[i])
            carry[4, s] = close[i]
            first[i], top[i], bottom[i], last[i] = carry[5, s], carry[6, s], carry[7, s], carry[8, s]
            present[i] = carry[1, s] if n >= window else np.nan
            carry[0, s] = n + 1.0


@_jit
def pivots(
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    present: Floats,
    kind: int,
    pp: Floats,
    r1: Floats,
    r2: Floats,
    r3: Floats,
    r4: Floats,
    s1: Floats,
    s2: Floats,
    s3: Floats,
    s4: Floats,
) -> None:
    """Pivot and four levels each way of a period; `present` is the open of the next one. A kind with fewer repeats."""
    for i in range(pp.size):
        o, h, l, c, now = open_[i], high[i], low[i], close[i], present[i]  # noqa: E741
        known = (o - o) + (c - c) + (now - now)  # 0; a NaN in any of the five is one in every level
        reach, middle = h - l + known, (h + l + c) / 3.0 + known
        if kind == WOODIE:
            middle = (h + l + 2.0 * now) / 4.0 + known
        elif kind == DEMARK:
            middle = (h + l + c + (l if c < o else h if c > o else c)) / 4.0 + known
        r1[i], r2[i], r3[i] = 2.0 * middle - l, middle + reach, 2.0 * middle - l + reach
        s1[i], s2[i], s3[i] = 2.0 * middle - h, middle - reach, 2.0 * middle - h - reach
        if kind == STANDARD:
            r4[i], s4[i] = r3[i] + (middle - l), s3[i] - (h - middle)
        elif kind == WOODIE:
            r4[i], s4[i] = r3[i] + reach, s3[i] - reach
        elif kind == CLASSIC:
            r3[i], s3[i] = middle + 2.0 * reach, middle - 2.0 * reach
            r4[i], s4[i] = middle + 3.0 * reach, middle - 3.0 * reach
        elif kind == FIBONACCI:
            r1[i], s1[i] = middle + 0.382 * reach, middle - 0.382 * reach
            r2[i], s2[i] = middle + 0.618 * reach, middle - 0.618 * reach
            r3[i] = r4[i] = middle + reach
            s3[i] = s4[i] = middle - reach
        elif kind == CAMARILLA:
            r1[i], s1[i] = c + reach * (1.1 / 12.0), c - reach * (1.1 / 12.0)
            r2[i], s2[i] = c + reach * (1.1 / 6.0), c - reach * (1.1 / 6.0)
            r3[i], s3[i] = c + reach * (1.1 / 4.0), c - reach * (1.1 / 4.0)
            r4[i], s4[i] = c + reach * (1.1 / 2.0), c - reach * (1.1 / 2.0)
        else:
            r2[i] = r3[i] = r4[i] = r1[i]
            s2[i] = s3[i] = s4[i] = s1[i]
        pp[i] = middle


@_jit
def gaps(
    high: Floats,
    low: Floats,
    close: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    smallest: float,
    size: Floats,
    filled: Floats,
    level: Floats,
) -> None:
    """Share of the close before that a bar left untraded; where the newest gap is filled, and by which level.

    Warm-up 1; reads one earlier bar. carry (3, S): bars, side of the open gap (0 = none), its far edge.
    """
    for s in range(starts.size):
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            size[i] = filled[i] = level[i] = np.nan
            if carry[0, s] > 0.0:
                size[i] = filled[i] = 0.0
                side, edge = carry[1, s], carry[2, s]
                if (side > 0.0 and low[i] <= edge) or (side < 0.0 and high[i] >= edge):
                    filled[i], carry[1, s] = side, 0.0
                up, down = low[i] - high[i - 1], low[i - 1] - high[i]
                least = smallest * abs(close[i - 1])
                if up > 0.0 and up >= least:
                    size[i], carry[1, s], carry[2, s] = up / abs(close[i - 1]), 1.0, high[i - 1]
                elif down > 0.0 and down >= least:
                    size[i], carry[1, s], carry[2, s] = -down / abs(close[i - 1]), -1.0, low[i - 1]
                level[i] = carry[2, s] if carry[1, s] != 0.0 else close[i]
            carry[0, s] += 1.0


@_jit
def darvas(
    high: Floats,
    low: Floats,
    close: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    confirm: int,
    upper: Floats,
    lower: Floats,
    signal: Floats,
) -> None:
    """Box between a high not exceeded and the lowest low since, not undercut, for `confirm` bars; closes outside it.

    No warm-up. carry (8, S): bars, box standing, its top, its bottom, highest high, its bar, lowest low since, its bar.
    """
    for s in range(starts.size):
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            n = carry[0, s]
            if n == 0.0:
                carry[2, s], carry[3, s], carry[4, s], carry[6, s] = high[i], low[i], high[i], low[i]
            signal[i] = 0.0
            if carry[1, s] > 0.0:
                signal[i] = 1.0 if close[i] > carry[2, s] else -1.0 if close[i] < carry[3, s] else 0.0
                if signal[i] != 0.0:
                    carry[1, s] = 0.0
                    carry[4, s], carry[5, s], carry[6, s], carry[7, s] = high[i], n, low[i], n
            else:
                if high[i] > carry[4, s]:
                    carry[4, s], carry[5, s], carry[6, s], carry[7, s] = high[i], n, low[i], n
                elif low[i] < carry[6, s]:
                    carry[6, s], carry[7, s] = low[i], n
                if n - carry[5, s] >= confirm and n - carry[7, s] >= confirm:
                    carry[1, s], carry[2, s], carry[3, s] = 1.0, carry[4, s], carry[6, s]
            upper[i], lower[i] = carry[2, s], carry[3, s]
            carry[0, s] = n + 1.0


@_jit
def channel_position(
    close: Floats,
    entry_high: Floats,
    entry_low: Floats,
    exit_high: Floats,
    exit_low: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    position: Floats,
) -> None:
    """1 from a close above `entry_high` to one below `exit_low`, -1 the other way round, else 0.

    No warm-up. carry (2, S): bars, position.
    """
    for s in range(starts.size):
        held = carry[1, s]
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            if (held > 0.0 and close[i] < exit_low[i]) or (held < 0.0 and close[i] > exit_high[i]):
                held = 0.0
            if close[i] > entry_high[i]:
                held = 1.0
            elif close[i] < entry_low[i]:
                held = -1.0
            position[i] = held
            carry[0, s] += 1.0
        carry[1, s] = held


@_jit
def td_counts(
    close: Floats,
    earlier: Floats,
    high: Floats,
    low: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    whole: int,
    end: int,
    setup: Floats,
    countdown: Floats,
) -> None:
    """Closes in a row above (+) or below (-) the `earlier` close, 1 to `whole`; then closes beyond `high` or `low`.

    A whole setup starts the countdown on its side, in place of one on the other side; 1 to `end`, then it is over.
    No warm-up. carry (4, S): bars, setup, countdown side, countdown.
    """
    for s in range(starts.size):
        run, side, count = carry[1, s], carry[2, s], carry[3, s]
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            move = 1.0 if close[i] > earlier[i] else -1.0 if close[i] < earlier[i] else 0.0
            going = move * run > 0.0 and abs(run) < whole
            run = run + move if going else move
            if abs(run) == whole and move != side:
                side, count = move, 0.0
            countdown[i] = 0.0
            if side != 0.0:
                if (side > 0.0 and close[i] >= high[i]) or (side < 0.0 and close[i] <= low[i]):
                    count += side
                countdown[i] = count
                if abs(count) == end:
                    side = count = 0.0
            setup[i] = run
            carry[0, s] += 1.0
        carry[1, s], carry[2, s], carry[3, s] = run, side, count
