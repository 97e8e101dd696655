"""How far the bars of a window lie from its mean or from the least-squares line through it, over a whole panel.

Distances are summed afresh for every bar, newest first: O(window), but exact (no difference of large sums), one SIMD
pass per bar of the window, and a value depends on its window alone.

Shapes: inputs and outputs (N,), offsets (S+1,); warm-up window - 1 from the first bar of `values`.
NaN: a NaN input makes every window that holds it NaN, and no other.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

_jit, _part = decorators(__file__)


@_jit
def residual_squares(values: Floats, mean: Floats, slope: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Sum of squared distances from the line with that mean and slope per bar."""
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        first = _clear(out, lo, hi, window)
        for j in range(window if hi > first else 0):
            _add_square(
                values[first - j : hi - j], mean[first:hi], slope[first:hi], 0.5 * (window - 1.0) - j, out[first:hi]
            )


@_jit
def furthest_residual(values: Floats, mean: Floats, slope: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Largest distance from the line with that mean and slope per bar."""
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        first = _clear(out, lo, hi, window)
        for j in range(window if hi > first else 0):
            _keep_furthest(
                values[first - j : hi - j], mean[first:hi], slope[first:hi], 0.5 * (window - 1.0) - j, out[first:hi]
            )


@_jit
def mean_distances(
    values: Floats, mean: Floats, offsets: Ints, window: int, absolute: Floats, relative: Floats
) -> None:
    """Mean of |value - mean of the window|, and the same as a share of each value (not a number if one is 0)."""
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        first = _clear(absolute, lo, hi, window)
        _clear(relative, lo, hi, window)
        for j in range(window if hi > first else 0):
            _add_distance(values[first - j : hi - j], mean[first:hi], absolute[first:hi], relative[first:hi])
        for i in range(first, hi):
            absolute[i] /= window
            relative[i] /= window


@_part
def _clear(out: Floats, lo: int, hi: int, window: int) -> int:
    """NaN over the warm-up, 0 behind it; returns the first row behind it, `hi` at most."""
    first = min(hi, lo + window - 1)
    for i in range(lo, first):
        out[i] = np.nan
    for i in range(first, hi):
        out[i] = 0.0
    return first


@_part
def _add_square(values: Floats, mean: Floats, slope: Floats, place: float, out: Floats) -> None:
    for i in range(out.size):
        away = values[i] - mean[i] - slope[i] * place
        out[i] += away * away


@_part
def _keep_furthest(values: Floats, mean: Floats, slope: Floats, place: float, out: Floats) -> None:
    for i in range(out.size):
        away = abs(values[i] - mean[i] - slope[i] * place)
        out[i] = away if away > out[i] or away != away else out[i]


@_part
def _add_distance(values: Floats, mean: Floats, absolute: Floats, relative: Floats) -> None:
    for i in range(absolute.size):
        away = abs(values[i] - mean[i])
        absolute[i] += away
        relative[i] += away / abs(values[i]) if values[i] != 0.0 else np.nan
