"""What two series have in common over the last few bars, over a whole panel.

Moments of a pair are built by doubling like those of one series (see `moments`): 1, 2, 4, 8 ... bars, each merged
from two of the one before, centred at every step. A value depends on its window alone and nothing cancels: a series
that does not move has a variance and a covariance of exactly 0. Ranks come from two sorted copies of the window.

Shapes: inputs and outputs (N,), offsets (S+1,); the first window - 1 rows of a symbol are NaN.
NaN: `pair_moments` carries it through: a window that holds one is NaN, no other. The rank kernels never see it.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

SEGMENT = 128  # rows per block: a dozen such arrays fit half a 32 KiB L1 cache
_jit, _part = decorators(__file__)


@_jit
def pair_moments(
    x: Floats,
    y: Floats,
    offsets: Ints,
    window: int,
    mean_x: Floats,
    mean_y: Floats,
    squares_x: Floats,
    squares_y: Floats,
    products: Floats,
) -> None:
    """Means, sums of squared distances from them, and sum of their products, over the last `window` pairs."""
    step = max(SEGMENT, 2 * window)
    spare = np.empty((5, step + window))
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        for i in range(lo, min(hi, lo + window - 1)):
            mean_x[i] = mean_y[i] = squares_x[i] = squares_y[i] = products[i] = np.nan
        for first in range(lo + window - 1, hi, step):
            last = min(first + step, hi)
            _moments(
                x[first - window + 1 : last],
                y[first - window + 1 : last],
                window,
                spare,
                mean_x[first:last],
                mean_y[first:last],
                squares_x[first:last],
                squares_y[first:last],
                products[first:last],
            )


@_jit
def spearman(x: Floats, y: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Correlation of the ranks of the last `window` pairs, equal values sharing their mean rank; 0 without variation.

    Sums of ranks are sums of whole numbers: exact, so they depend on the window alone.
    """
    by_x, by_y = np.empty(window), np.empty(window)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        for i in range(lo, hi):
            _slide(x, lo, i, window, by_x)
            _slide(y, lo, i, window, by_y)
            if i - lo < window - 1:
                out[i] = np.nan
                continue
            xx = yy = xy = 0.0
            for j in range(i - window + 1, i + 1):
                a, b = _twice_rank(by_x, x[j]) - window, _twice_rank(by_y, y[j]) - window
                xx += a * a
                yy += b * b
                xy += a * b
            out[i] = xy / np.sqrt(xx * yy) if xx > 0.0 and yy > 0.0 else 0.0


@_jit
def kendall(x: Floats, y: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Kendall's tau-b of the last `window` pairs: pairs of bars in the same order less those in opposite order.

    0 where one of the two does not vary.
    """
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        for i in range(lo, hi):
            if i - lo < window - 1:
                out[i] = np.nan
                continue
            agree = moved_x = moved_y = 0.0
            for j in range(i - window + 2, i + 1):
                for k in range(i - window + 1, j):
                    a, b = np.sign(x[j] - x[k]), np.sign(y[j] - y[k])
                    agree += a * b
                    moved_x += a * a
                    moved_y += b * b
            out[i] = agree / np.sqrt(moved_x * moved_y) if moved_x > 0.0 and moved_y > 0.0 else 0.0


@_part
def _moments(
    x: Floats,
    y: Floats,
    window: int,
    spare: Floats,
    mean_x: Floats,
    mean_y: Floats,
    xx: Floats,
    yy: Floats,
    xy: Floats,
) -> None:
    """Moments of the `window` pairs that begin at each row; spare (5, >= x.size) is overwritten."""
    size, done, span = mean_x.size, 0, 1
    a, b, aa, bb, ab = spare[0], spare[1], spare[2], spare[3], spare[4]
    for i in range(x.size):
        a[i], b[i] = x[i], y[i]
        aa[i], bb[i], ab[i] = x[i] * 0.0, y[i] * 0.0, x[i] * 0.0 + y[i] * 0.0
    while True:
        if window & span:
            p = window - done - span
            if done:
                _blend(
                    a[p : p + size],
                    b[p : p + size],
                    aa[p : p + size],
                    bb[p : p + size],
                    ab[p : p + size],
                    span / (done + span),
                    done,
                    mean_x,
                    mean_y,
                    xx,
                    yy,
                    xy,
                )
            else:
                for i in range(size):
                    mean_x[i], mean_y[i], xx[i], yy[i], xy[i] = a[p + i], b[p + i], aa[p + i], bb[p + i], ab[p + i]
            done += span
        if done == window:
            return
        half = 0.5 * span
        for i in range(size + window - 2 * span):
            apart_x, apart_y = a[i + span] - a[i], b[i + span] - b[i]
            a[i] = 0.5 * (a[i] + a[i + span])
            b[i] = 0.5 * (b[i] + b[i + span])
            aa[i] += aa[i + span] + apart_x * apart_x * half
            bb[i] += bb[i + span] + apart_y * apart_y * half
            ab[i] += ab[i + span] + apart_x * apart_y * half
        span *= 2


@_part
def _blend(
    a: Floats,
    b: Floats,
    aa: Floats,
    bb: Floats,
    ab: Floats,
    share: float,
    done: int,
    mean_x: Floats,
    mean_y: Floats,
    xx: Floats,
    yy: Floats,
    xy: Floats,
) -> None:
    """Join older pairs, `share` of all, to the `done` newer ones."""
    weight = done * share
    for i in range(mean_x.size):
        apart_x, apart_y = a[i] - mean_x[i], b[i] - mean_y[i]
        mean_x[i] += apart_x * share
        mean_y[i] += apart_y * share
        xx[i] += aa[i] + apart_x * apart_x * weight
        yy[i] += bb[i] + apart_y * apart_y * weight
        xy[i] += ab[i] + apart_x * apart_y * weight


@_part
def _slide(values: Floats, lo: int, i: int, window: int, by_size: Floats) -> None:
    """Bring the sorted copy of the window to row i: the oldest value out, the newest in."""
    count = min(i - lo, window)
    if count == window:
        at = np.searchsorted(by_size, values[i - window])
        count -= 1
        for j in range(at, count):
            by_size[j] = by_size[j + 1]
    while count > 0 and by_size[count - 1] > values[i]:
        by_size[count] = by_size[count - 1]
        count -= 1
    by_size[count] = values[i]


@_part
def _twice_rank(by_size: Floats, value: float) -> int:
    """Twice the mean of the places (from 0) of a value, plus 1."""
    return int(np.searchsorted(by_size, value) + np.searchsorted(by_size, value, side="right"))
