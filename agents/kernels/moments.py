"""Indicators made of the mean, variance or slope of the last few bars, over a whole panel.

Built by doubling (see `doubling`): moments of 1, 2, 4, 8 ... bars, each merged from two of the one before. Merged are
centred moments (Chan, Golub, LeVeque 1979), so nothing cancels: a price that does not move has variance and slope of
exactly 0, whatever its level and however long its history.

Shapes: inputs and outputs (N,), offsets (S+1,); the first `warm-up` rows of a symbol are NaN.
NaN: a NaN input makes every window that holds it NaN, and no other.
"""

from typing import Any

import numpy as np

from agents.kernels import doubling, vectors
from agents.kernels.compiling import decorators
from agents.kernels.doubling import Pair, over_windows, ring
from agents.kernels.types import Floats, Ints
from agents.kernels.vectors import load, root, splat, store

SEGMENT = 512  # rows that a kernel of several passes takes at a time: what it makes stays in the L1 cache
_jit, _part = decorators(__file__, doubling.__file__, vectors.__file__)


@_part
def _one(inputs: Any, i: int) -> Pair:
    return load(inputs[0], i), splat(-0.0)  # x + -0.0 is x, for every x: LLVM leaves the first sums out


@_part
def _double_squares(older: Pair, newer: Pair, span: int) -> Pair:
    """Mean, and sum of squared distances from it."""
    apart = newer[0] - older[0]
    return 0.5 * (older[0] + newer[0]), older[1] + newer[1] + apart * apart * (0.5 * span)


@_part
def _join_squares(older: Pair, newer: Pair, done: int, span: int) -> Pair:
    share, apart = done / (done + span), older[0] - newer[0]
    return newer[0] + apart * share, newer[1] + older[1] + apart * apart * (share * span)


@_part
def _double_lean(older: Pair, newer: Pair, span: int) -> Pair:
    """Mean, and sum of (bar number - its mean) x value."""
    return 0.5 * (older[0] + newer[0]), older[1] + newer[1] + (newer[0] - older[0]) * (0.5 * span * span)


@_part
def _join_lean(older: Pair, newer: Pair, done: int, span: int) -> Pair:
    apart = newer[0] - older[0]
    return newer[0] - apart * (done / (done + span)), newer[1] + older[1] + apart * (0.5 * done * span)


@_part
def _mean(inputs: Any, outs: Any, skip: int, i: int, total: Pair) -> None:
    store(outs[0], i - skip, total[0])


@_part
def _squares(inputs: Any, outs: Any, skip: int, i: int, total: Pair) -> None:
    store(outs[0], i - skip, total[1])


@_part
def _weighted(inputs: Any, outs: Any, scale: float, i: int, total: Pair) -> None:
    store(outs[0], i, total[0] + total[1] * scale)


@_part
def _slope(inputs: Any, outs: Any, scale: float, i: int, total: Pair) -> None:
    store(outs[0], i, total[1] * scale)


@_part
def _deviation(inputs: Any, outs: Any, params: Any, i: int, total: Pair) -> None:
    known = total[0] - total[0]  # 0, and NaN where a value is, which a window of one bar would lose
    store(outs[0], i, root(total[1] * params[0]) * params[1] + known)


@_part
def _score(inputs: Any, outs: Any, share: float, i: int, total: Pair) -> None:
    store(outs[0], i, (load(inputs[0], i) - total[0]) / root(total[1] * share))


@_part
def _bands(inputs: Any, outs: Any, params: Any, i: int, total: Pair) -> None:
    half = root(total[1] * params[0]) * params[1]
    store(outs[0], i, total[0] + half)
    store(outs[1], i, total[0])
    store(outs[2], i, total[0] - half)


_mean_of = over_windows(_one, _double_squares, _join_squares, _mean)
_squares_of = over_windows(_one, _double_squares, _join_squares, _squares)
_deviation_of = over_windows(_one, _double_squares, _join_squares, _deviation)
_score_of = over_windows(_one, _double_squares, _join_squares, _score)
_bands_of = over_windows(_one, _double_squares, _join_squares, _bands)
_weighted_of = over_windows(_one, _double_lean, _join_lean, _weighted)
_slope_of = over_windows(_one, _double_lean, _join_lean, _slope)


@_jit
def wma(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Mean with weights 1, 2, ... window, the newest heaviest; warm-up window - 1."""
    room = ring(window)
    scale = 2.0 / (window * (window + 1.0))
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _weighted_of((values[lo:hi],), (out[lo:hi],), scale, window, room)
        _blank(out, lo, hi, window - 1)


@_jit
def linreg_slope(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Slope per bar of the least-squares line through the last `window` values; warm-up window - 1."""
    room = ring(window)
    scale = 12.0 / (float(window) * (float(window) * window - 1.0))
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _slope_of((values[lo:hi],), (out[lo:hi],), scale, window, room)
        _blank(out, lo, hi, window - 1)


@_jit
def stddev(values: Floats, offsets: Ints, window: int, deviations: float, out: Floats) -> None:
    """`deviations` times the population standard deviation of the last `window` values; warm-up window - 1."""
    room = ring(window)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _deviation_of((values[lo:hi],), (out[lo:hi],), (1.0 / window, deviations), window, room)
        _blank(out, lo, hi, window - 1)


@_jit
def zscore(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """(value - mean) / population standard deviation of the window; NaN where nothing varied; warm-up window - 1."""
    room = ring(window)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _score_of((values[lo:hi],), (out[lo:hi],), 1.0 / window, window, room)
        _blank(out, lo, hi, window - 1)


@_jit
def bollinger(
    values: Floats, offsets: Ints, window: int, deviations: float, upper: Floats, middle: Floats, lower: Floats
) -> None:
    """Mean of the window and the mean plus and minus `deviations` population deviations; warm-up window - 1."""
    room = ring(window)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        bands = upper[lo:hi], middle[lo:hi], lower[lo:hi]
        _bands_of((values[lo:hi],), bands, (1.0 / window, deviations), window, room)
        _blank(upper, lo, hi, window - 1)
        _blank(middle, lo, hi, window - 1)
        _blank(lower, lo, hi, window - 1)


@_jit
def yang_zhang(
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    offsets: Ints,
    window: int,
    periods: float,
    out: Floats,
) -> None:
    """Yang-Zhang volatility over the last `window` bars, times sqrt(periods); warm-up `window`.

    Overnight and open-to-close variances have divisor window - 1, the Rogers-Satchell term `window`.
    """
    step = max(SEGMENT, 2 * window)
    room = ring(window)
    gap, day, range_ = np.empty(step + window), np.empty(step + window), np.empty(step + window)
    gap_part, day_part = np.empty(step), np.empty(step)
    k = 0.34 / (1.34 + (window + 1.0) / (window - 1.0))
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, window)
        for first in range(lo + window, hi, step):
            last = min(first + step, hi)
            start, size = first - window, last - first
            rows = size + window - 1
            for i in range(rows):
                j = start + 1 + i
                top, bottom, move = np.log(high[j] / open_[j]), np.log(low[j] / open_[j]), np.log(close[j] / open_[j])
                gap[i] = np.log(open_[j] / close[j - 1])
                day[i] = move
                range_[i] = top * (top - move) + bottom * (bottom - move)
            target = out[first:last]
            _squares_of((gap[:rows],), (gap_part[:size],), window - 1, window, room)
            _squares_of((day[:rows],), (day_part[:size],), window - 1, window, room)
            _mean_of((range_[:rows],), (target,), window - 1, window, room)
            for i in range(size):
                variance = (gap_part[i] + k * day_part[i]) / (window - 1.0) + (1.0 - k) * target[i]
                target[i] = np.sqrt(max(variance, 0.0) * periods) if variance == variance else np.nan


@_part
def _blank(out: Floats, lo: int, hi: int, warmup: int) -> None:
    for i in range(lo, min(hi, lo + warmup)):
        out[i] = np.nan
