"""Shape and memory of the last few bars, over a whole panel: third and fourth moments, rescaled ranges.

`shape` is built by doubling like `moments`; read there why. Shapes: inputs and outputs (N,), offsets (S+1,); the first
window - 1 rows of a symbol are NaN.
NaN: `shape` carries it through: a window that holds one is NaN, no other. `rescaled_range` never sees it.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

SEGMENT = 128
SHORTEST = 8  # bars of the shortest stretch that has a rescaled range
_jit, _part = decorators(__file__)


@_jit
def shape(values: Floats, offsets: Ints, window: int, squares: Floats, cubes: Floats, fourths: Floats) -> None:
    """Sums of the second, third and fourth powers of the distances from the mean of the last `window` values.

    Merged as in Pébay (2008), centred at every step.
    """
    step = max(SEGMENT, 2 * window)
    spare, mean = np.empty((4, step + window)), np.empty(step)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        for i in range(lo, min(hi, lo + window - 1)):
            squares[i] = cubes[i] = fourths[i] = np.nan
        for first in range(lo + window - 1, hi, step):
            last = min(first + step, hi)
            _powers(
                values[first - window + 1 : last],
                window,
                spare,
                mean[: last - first],
                squares[first:last],
                cubes[first:last],
                fourths[first:last],
            )


@_jit
def rescaled_range(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Slope of log(R/S) on log(length) for stretches of window, window // 2, window // 4 … bars, at least 8 long.

    R/S of a length is the mean over the stretches of that length that fit, counted back from the newest bar; one that
    does not vary is left out. 0.5 where fewer than two lengths are left.
    """
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        for i in range(lo, min(hi, lo + window - 1)):
            out[i] = np.nan
        for i in range(lo + window - 1, hi):
            lengths = sum_x = sum_y = sum_xx = sum_xy = 0.0
            length = window
            while length >= SHORTEST:
                found, total = 0, 0.0
                for part in range(window // length):
                    end = i + 1 - part * length
                    spread = _range_over_deviation(values[end - length : end])
                    if spread > 0.0:
                        found += 1
                        total += spread
                if found:
                    x, y = np.log(float(length)), np.log(total / found)
                    lengths += 1.0
                    sum_x += x
                    sum_y += y
                    sum_xx += x * x
                    sum_xy += x * y
                length //= 2
            below = lengths * sum_xx - sum_x * sum_x
            out[i] = (lengths * sum_xy - sum_x * sum_y) / below if lengths > 1.0 else 0.5


@_part
def _range_over_deviation(values: Floats) -> float:
    """Range of the running sum of distances from the mean, in population deviations; 0 where nothing varies."""
    origin, mean, squares = values[0], 0.0, 0.0
    for i in range(values.size):
        mean += values[i] - origin
    mean /= values.size
    run = top = bottom = 0.0
    for i in range(values.size):
        away = values[i] - origin - mean
        squares += away * away
        run += away
        top, bottom = max(top, run), min(bottom, run)
    return (top - bottom) / np.sqrt(squares / values.size) if squares > 0.0 else 0.0


@_part
def _powers(
    values: Floats, window: int, spare: Floats, mean: Floats, squares: Floats, cubes: Floats, fourths: Floats
) -> None:
    """Mean and power sums of the `window` values that begin at each row; spare (4, >= values.size) is overwritten."""
    size, done, span = mean.size, 0, 1
    a, a2, a3, a4 = spare[0], spare[1], spare[2], spare[3]
    for i in range(values.size):
        a[i] = values[i]
        a2[i] = a3[i] = a4[i] = values[i] * 0.0
    while True:
        if window & span:
            p = window - done - span
            if done:
                _join(
                    a[p : p + size],
                    a2[p : p + size],
                    a3[p : p + size],
                    a4[p : p + size],
                    float(span),
                    float(done),
                    mean,
                    squares,
                    cubes,
                    fourths,
                )
            else:
                for i in range(size):
                    mean[i], squares[i], cubes[i], fourths[i] = a[p + i], a2[p + i], a3[p + i], a4[p + i]
            done += span
        if done == window:
            return
        n = 2.0 * span
        for i in range(size + window - 2 * span):
            j = i + span
            apart = a[j] - a[i]
            square = apart * apart
            a[i] = 0.5 * (a[i] + a[j])
            a4[i] += a4[j] + square * square * n / 16.0 + 1.5 * square * (a2[i] + a2[j]) + 2.0 * apart * (a3[j] - a3[i])
            a3[i] += a3[j] + 1.5 * apart * (a2[j] - a2[i])
            a2[i] += a2[j] + square * n / 4.0
        span *= 2


@_part
def _join(
    a: Floats,
    a2: Floats,
    a3: Floats,
    a4: Floats,
    older: float,
    newer: float,
    mean: Floats,
    squares: Floats,
    cubes: Floats,
    fourths: Floats,
) -> None:
    """Join the sums of `older` values to those of the `newer` ones that follow them."""
    n = older + newer
    p, q = older / n, newer / n
    weight = p * newer
    for i in range(mean.size):
        apart = mean[i] - a[i]
        square = apart * apart
        fourths[i] += (
            a4[i]
            + square * square * weight * (p * p - p * q + q * q)
            + 6.0 * square * (p * p * squares[i] + q * q * a2[i])
            + 4.0 * apart * (p * cubes[i] - q * a3[i])
        )
        cubes[i] += a3[i] + apart * square * weight * (p - q) + 3.0 * apart * (p * squares[i] - q * a2[i])
        squares[i] += a2[i] + square * weight
        mean[i] -= apart * p
