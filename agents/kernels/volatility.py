"""Distances from a mean and falls from a peak over the last few bars, over a whole panel; no running sums.

Shapes: inputs and outputs (N,), offsets (S+1,); the first window - 1 rows of a symbol are NaN. Distances from a mean
cost O(window) per bar, the bar being the inner loop: SIMD, and the same order of operations wherever the window stands.
NaN: a NaN makes every window that holds it NaN, and no other.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

_jit, _part = decorators(__file__)


@_jit
def mean_distance(values: Floats, mean: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Mean of |value - mean| over the window, `mean` being that of the same window."""
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, window - 1)
        begin = lo + window - 1
        if begin >= hi:
            continue
        for j in range(window):
            _add_distance(values[lo + j : hi - window + 1 + j], mean[begin:hi], j == 0, out[begin:hi])
        for i in range(begin, hi):
            out[i] /= window


@_jit
def semideviation(values: Floats, mean: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Root of the mean of min(value - mean, 0)^2 over the window, `mean` being that of the same window."""
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, window - 1)
        begin = lo + window - 1
        if begin >= hi:
            continue
        for j in range(window):
            _add_shortfall(values[lo + j : hi - window + 1 + j], mean[begin:hi], j == 0, out[begin:hi])
        for i in range(begin, hi):
            out[i] = np.sqrt(out[i] / window)


@_jit
def max_drawdown(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Deepest fall from a peak inside the window, a fraction <= 0. Never sees NaN.

    Built by doubling as the sums in `windows`: peak, trough and fall of 1, 2, 4 ... bars. Exact in any order.
    """
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, window - 1)
        if hi - lo < window:
            continue
        top, bottom, fall = values[lo:hi].copy(), values[lo:hi].copy(), np.zeros(hi - lo)
        peak, deepest = values[lo:hi].copy(), np.zeros(hi - lo)  # of the window's first `done` bars
        done, span = 0, 1
        while True:
            if window & span:
                size = hi - lo - done - span + 1
                if done:
                    _append(top[done:], bottom[done:], fall[done:], size, peak, deepest)
                else:
                    peak[:size], deepest[:size] = top[:size], fall[:size]
                done += span
            if done == window:
                break
            size = hi - lo - 2 * span + 1
            _double(top, bottom, fall, span, size)
            span *= 2
        out[lo + window - 1 : hi] = deepest[: hi - lo - window + 1]


@_part
def _blank(out: Floats, lo: int, hi: int, warmup: int) -> None:
    for i in range(lo, min(hi, lo + warmup)):
        out[i] = np.nan


@_part
def _add_distance(values: Floats, mean: Floats, opening: bool, out: Floats) -> None:
    if opening:
        for i in range(out.size):
            out[i] = abs(values[i] - mean[i])
    else:
        for i in range(out.size):
            out[i] += abs(values[i] - mean[i])


@_part
def _add_shortfall(values: Floats, mean: Floats, opening: bool, out: Floats) -> None:
    for i in range(out.size):
        apart = values[i] - mean[i]
        short = 0.0 if apart > 0.0 else apart
        out[i] = short * short if opening else out[i] + short * short


@_part
def _append(top: Floats, bottom: Floats, fall: Floats, size: int, peak: Floats, deepest: Floats) -> None:
    """Spans that begin with each row are added behind what `peak` and `deepest` speak for."""
    for i in range(size):
        deepest[i] = min(deepest[i], fall[i], bottom[i] / peak[i] - 1.0)
        peak[i] = max(peak[i], top[i])


@_part
def _double(top: Floats, bottom: Floats, fall: Floats, span: int, size: int) -> None:
    for i in range(size):  # rows ahead still hold the shorter spans
        fall[i] = min(fall[i], fall[i + span], bottom[i + span] / top[i] - 1.0)
        top[i], bottom[i] = max(top[i], top[i + span]), min(bottom[i], bottom[i + span])
