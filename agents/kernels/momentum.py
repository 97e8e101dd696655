"""Oscillators that no composition of averages gives: ranks, streaks, and filters with a state of their own.

All are run guarded: they never see NaN. Shapes: inputs and outputs (N,), offsets (S+1,); windows write NaN into their
warm-up, memories leave a count and their levels in `carry` (K, S), row 0 the count.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

_jit, _part = decorators(__file__)


@_jit
def share_below(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Per cent of the `window` values before this one that are smaller than it; warm-up `window`."""
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, window)
        for i in range(lo + window, hi):
            out[i] = 100.0 * _count_below(values[i - window : i], values[i]) / window


@_jit
def rsi_of_varying_length(close: Floats, calm: Floats, offsets: Ints, shortest: int, longest: int, out: Floats) -> None:
    """Share of rises in all moves of the last `calm` bars, whole and within the limits, 0..100; 50 without moves.

    Warm-up `longest`. Moves are added newest first.
    """
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, longest)
        for i in range(lo + longest, hi):
            bars = int(min(max(calm[i], float(shortest)), float(longest)))
            up = down = 0.0
            for j in range(i, i - bars, -1):
                step = close[j] - close[j - 1]
                up += max(step, 0.0)
                down += max(-step, 0.0)
            out[i] = 100.0 * (up / (up + down)) if up + down != 0.0 else 50.0


@_jit
def projection_bands(
    high: Floats,
    low: Floats,
    high_slope: Floats,
    low_slope: Floats,
    offsets: Ints,
    window: int,
    upper: Floats,
    lower: Floats,
) -> None:
    """Highest high and lowest low of the window, each carried to the present bar along its slope there.

    Warm-up window - 1.
    """
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(upper, lo, hi, window - 1)
        _blank(lower, lo, hi, window - 1)
        for i in range(lo + window - 1, hi):
            top, bottom = high[i], low[i]
            for age in range(1, window):
                top = max(top, high[i - age] + age * high_slope[i])
                bottom = min(bottom, low[i - age] + age * low_slope[i])
            upper[i], lower[i] = top, bottom


@_jit
def streak(values: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, out: Floats) -> None:
    """Rises (+) or falls (-) in a row; 0 at the first bar and where nothing changed. carry (2, S)."""
    for s in range(starts.size):
        first, hi = offsets[s] + starts[s], offsets[s + 1]
        run = carry[1, s]
        for i in range(first, hi):
            step = values[i] - values[i - 1] if carry[0, s] > 0.0 or i > first else 0.0
            if step > 0.0:
                run = max(run, 0.0) + 1.0
            elif step < 0.0:
                run = min(run, 0.0) - 1.0
            else:
                run = 0.0
            out[i] = run
        carry[0, s] += max(hi - first, 0)
        carry[1, s] = run


@_jit
def fisher(place: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, out: Floats) -> None:
    """Ehlers' Fisher transform of the place in a range, -0.5..0.5, smoothed before and after. carry (3, S)."""
    for s in range(starts.size):
        first, hi = offsets[s] + starts[s], offsets[s + 1]
        value, line = carry[1, s], carry[2, s]
        for i in range(first, hi):
            value = 0.66 * place[i] + 0.67 * value
            if value > 0.99:
                value = 0.999
            elif value < -0.99:
                value = -0.999
            line = 0.5 * np.log((1.0 + value) / (1.0 - value)) + 0.5 * line
            out[i] = line
        carry[0, s] += max(hi - first, 0)
        carry[1, s], carry[2, s] = value, line


@_jit
def laguerre_rsi(
    values: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, gamma: float, out: Floats
) -> None:
    """RSI over the four stages of a Laguerre filter, 0..100; 50 where they are equal. carry (5, S).

    Begins with all four at the first value, whose own row is NaN.
    """
    for s in range(starts.size):
        first, hi = offsets[s] + starts[s], offsets[s + 1]
        a, b, c, d = carry[1, s], carry[2, s], carry[3, s], carry[4, s]
        if carry[0, s] == 0.0 and hi > first:
            a = b = c = d = values[first]
        for i in range(first, hi):
            a_before, b_before, c_before = a, b, c
            a += (values[i] - a) * (1.0 - gamma)
            b = a_before + (b - a) * gamma
            c = b_before + (c - b) * gamma
            d = c_before + (d - c) * gamma
            up = max(a - b, 0.0) + max(b - c, 0.0) + max(c - d, 0.0)
            down = max(b - a, 0.0) + max(c - b, 0.0) + max(d - c, 0.0)
            out[i] = 100.0 * (up / (up + down)) if up + down != 0.0 else 50.0
        if carry[0, s] == 0.0 and hi > first:
            out[first] = np.nan
        carry[0, s] += max(hi - first, 0)
        carry[1, s], carry[2, s], carry[3, s], carry[4, s] = a, b, c, d


@_jit
def qqe_trail(
    line: Floats, reach: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, out: Floats
) -> None:
    """A stop that follows `line` at the distance `reach` and changes sides when the line crosses it. carry (7, S).

    carry: count, the line, the stop below it and the one before, the stop above it and the one before, the side.
    """
    for s in range(starts.size):
        first, hi = offsets[s] + starts[s], offsets[s + 1]
        before, below, below_before = carry[1, s], carry[2, s], carry[3, s]
        above, above_before, side = carry[4, s], carry[5, s], carry[6, s]
        if carry[0, s] == 0.0:  # every comparison with what is not there yet fails
            before = below = below_before = above = above_before = np.nan
            side = 1.0
        for i in range(first, hi):
            now, floor, ceiling = line[i], line[i] - reach[i], line[i] + reach[i]
            if (now > above and before < above_before) or (now <= above and before >= above_before):
                side = 1.0
            elif (now > below and before < below_before) or (now <= below and before >= below_before):
                side = -1.0
            below_before, above_before = below, above
            if before > below and now > below:
                floor = max(below, floor)
            if before < above and now < above:
                ceiling = min(above, ceiling)
            before, below, above = now, floor, ceiling
            out[i] = below if side > 0.0 else above
        carry[0, s] += max(hi - first, 0)
        carry[1, s], carry[2, s], carry[3, s] = before, below, below_before
        carry[4, s], carry[5, s], carry[6, s] = above, above_before, side


@_jit
def rsx(values: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, window: int, out: Floats) -> None:
    """Jurik's smooth RSI: moves and their sizes through three double filters each, 0..100. carry (14, S).

    50 while the price has never moved. Warm-up `window`; carry: count, the last value, twelve filter levels.
    """
    gain = 3.0 / (window + 2.0)
    for s in range(starts.size):
        first, hi = offsets[s] + starts[s], offsets[s + 1]
        last = carry[1, s]
        a, b, c, d, e, f = carry[2, s], carry[3, s], carry[4, s], carry[5, s], carry[6, s], carry[7, s]
        u, v, w, x, y, z = carry[8, s], carry[9, s], carry[10, s], carry[11, s], carry[12, s], carry[13, s]
        for i in range(first, hi):
            seen = carry[0, s] + (i - first)
            move = values[i] - last if seen > 0.0 else 0.0
            last = values[i]
            a, b = _filtered(move, a, b, gain)
            c, d = _filtered(1.5 * a - 0.5 * b, c, d, gain)
            e, f = _filtered(1.5 * c - 0.5 * d, e, f, gain)
            u, v = _filtered(abs(move), u, v, gain)
            w, x = _filtered(1.5 * u - 0.5 * v, w, x, gain)
            y, z = _filtered(1.5 * w - 0.5 * x, y, z, gain)
            size = 1.5 * y - 0.5 * z
            share = 0.5 * ((1.5 * e - 0.5 * f) / size + 1.0) if size > 0.0 else 0.5
            out[i] = 100.0 * min(max(share, 0.0), 1.0) if seen >= window else np.nan
        carry[0, s] += max(hi - first, 0)
        carry[1, s] = last
        carry[2, s], carry[3, s], carry[4, s], carry[5, s], carry[6, s], carry[7, s] = a, b, c, d, e, f
        carry[8, s], carry[9, s], carry[10, s], carry[11, s], carry[12, s], carry[13, s] = u, v, w, x, y, z


@_part
def _filtered(value: float, level: float, again: float, gain: float) -> tuple[float, float]:
    """An exponential filter and the filter of that filter, one step on."""
    level += (value - level) * gain
    return level, again + (level - again) * gain


@_part
def _count_below(values: Floats, limit: float) -> float:
    """How many values are smaller; a loop of its own, so that LLVM vectorises it."""
    below = 0
    for j in range(values.size):
        below += 1 if values[j] < limit else 0
    return float(below)


@_part
def _blank(out: Floats, lo: int, hi: int, warmup: int) -> None:
    for i in range(lo, min(hi, lo + warmup)):
        out[i] = np.nan
