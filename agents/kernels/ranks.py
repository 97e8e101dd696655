"""Order statistics of the last few bars, over a whole panel: what stands where when the window is sorted.

The window is kept sorted: one value out and one in per bar, at most `window` moves. What is read from it depends on
the values of the window alone, so the bits do not depend on how it was reached.

Shapes: inputs and outputs (N,), offsets (S+1,); the first window - 1 rows of a symbol are NaN. The inputs hold no NaN.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

_jit, _part = decorators(__file__)


@_jit
def quantile(values: Floats, offsets: Ints, window: int, share: float, between: int, out: Floats) -> None:
    """The value below which `share` of the last `window` values lie.

    between: 0 = the nearest rank, always one of the values; 1 = on the line between the two nearest (NumPy, Excel).
    """
    by_size = np.empty(window)
    nearest = min(max(int(np.ceil(share * window)) - 1, 0), window - 1)
    exact = share * (window - 1)
    below = min(int(exact), window - 1)
    above, part = min(below + 1, window - 1), exact - below
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        for i in range(lo, hi):
            _slide(values, lo, i, window, by_size)
            if i - lo < window - 1:
                out[i] = np.nan
            elif between:
                out[i] = by_size[below] + (by_size[above] - by_size[below]) * part
            else:
                out[i] = by_size[nearest]


@_jit
def median_deviation(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Median distance of the last `window` values from their median.

    Distances to the left and to the right of the median are each in order: merging them up to the middle finds it.
    """
    by_size = np.empty(window)
    half = window // 2
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        for i in range(lo, hi):
            _slide(values, lo, i, window, by_size)
            if i - lo < window - 1:
                out[i] = np.nan
                continue
            middle = by_size[half] if window & 1 else by_size[half - 1] + (by_size[half] - by_size[half - 1]) * 0.5
            left, right = half - 1, half
            before = now = 0.0
            for _ in range(half + 1):
                before = now
                if right == window or (left >= 0 and middle - by_size[left] < by_size[right] - middle):
                    now = middle - by_size[left]
                    left -= 1
                else:
                    now = by_size[right] - middle
                    right += 1
            out[i] = now if window & 1 else before + (now - before) * 0.5


@_jit
def standing(values: Floats, offsets: Ints, window: int, below: Floats, equal: Floats) -> None:
    """How many of the last `window` values are less than the newest, and how many are equal to it, itself included."""
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        for i in range(lo, min(hi, lo + window - 1)):
            below[i] = equal[i] = np.nan
        for i in range(lo + window - 1, hi):
            less, same, now = 0, 0, values[i]
            for j in range(i - window + 1, i + 1):
                less += values[j] < now
                same += values[j] == now
            below[i], equal[i] = less, same


@_jit
def since_highest(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Bars since the highest of the last `window` values, the newest of equal ones; 0 = this bar."""
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        best = lo
        for i in range(lo, hi):
            if best < i - window + 1:
                best += 1
                for j in range(best + 1, i + 1):
                    best = j if values[j] >= values[best] else best
            elif values[i] >= values[best]:
                best = i
            out[i] = i - best if i - lo >= window - 1 else np.nan


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
