"""Means of the last few bars with weights of a fixed shape, over a whole panel.

A shape that no doubling can build (see `windows`) is summed afresh for every bar, oldest first: O(window), but one
SIMD pass per weight, and a value depends on its window alone. Weights are divided by their sum.

Shapes: inputs and outputs (N,), offsets (S+1,); warm-up window - 1.
NaN: a NaN input makes every window that holds it NaN, and no other.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

_jit, _part = decorators(__file__)


@_jit
def bell(values: Floats, offsets: Ints, window: int, centre: float, width: float, out: Floats) -> None:
    """Gaussian weights around bar `centre` of the window (0 = oldest), `width` bars wide."""
    weights = np.empty(window)
    for j in range(window):
        away = (j - centre) / width
        weights[j] = np.exp(-0.5 * away * away)
    _weigh(values, offsets, weights, out)


@_jit
def sine(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Weights of half a sine wave, heaviest in the middle."""
    weights = np.empty(window)
    for j in range(window):
        weights[j] = np.sin((j + 1) * np.pi / (window + 1))
    _weigh(values, offsets, weights, out)


@_jit
def pascal(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Weights of a row of Pascal's triangle."""
    weights = np.ones(window)
    for j in range(1, window):
        weights[j] = weights[j - 1] * (window - j) / j
    _weigh(values, offsets, weights, out)


@_jit
def fibonacci(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Weights 1, 1, 2, 3, 5 ..., the newest heaviest."""
    weights = np.ones(window)
    for j in range(2, window):
        weights[j] = weights[j - 1] + weights[j - 2]
    _weigh(values, offsets, weights, out)


@_part
def _weigh(values: Floats, offsets: Ints, weights: Floats, out: Floats) -> None:
    """Mean of each window with these weights, the first for the oldest bar."""
    window = weights.size
    total = 0.0
    for j in range(window):
        total += weights[j]
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        for i in range(lo, min(hi, lo + window - 1)):
            out[i] = np.nan
        if hi - lo >= window:
            target = out[lo + window - 1 : hi]
            for i in range(target.size):
                target[i] = 0.0
            for j in range(window):
                _add(values[lo + j : lo + j + target.size], weights[j] / total, target)


@_part
def _add(values: Floats, weight: float, out: Floats) -> None:
    for i in range(out.size):
        out[i] += values[i] * weight
