"""Means over many windows of one column, for sweeps: the powers of two that windows share are there once.

The same steps as `windows.sma` takes (see `doubling`), so the same bits; only their order differs: all bars of a step
before the next step, which costs more than one pass for one window and far less for twenty.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

ROWS = 1024  # bars taken at a time, so that the powers of two stay in the first caches
_jit, _part = decorators(__file__)


@_jit
def many_means(values: Floats, offsets: Ints, windows: Ints, out: Floats) -> None:
    """Mean of the last windows[k] values of a symbol, NaN for its first windows[k] - 1 bars.

    Shapes: values (N,), offsets (S+1,), windows (K,) of at least 1; out (K * N,), window k from k * N on.
    """
    most, levels = windows.max(), 1
    while 1 << levels <= most:
        levels += 1
    rooms = np.empty((levels + 2, ROWS + most))  # means of 1, 2, 4 ... bars, and two of what is put together
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        for start in range(lo, hi, ROWS):
            base, end = max(lo, start - most + 1), min(start + ROWS, hi)
            size = end - base
            rooms[0, :size] = values[base:end]
            for level in range(1, levels):
                span = 1 << (level - 1)
                if size > span:
                    _halve(rooms[level - 1, : size - span], rooms[level - 1, span:size], rooms[level, span:size])
            for k in range(windows.size):
                first = min(max(start, lo + windows[k] - 1), end)
                out[k * values.size + start : k * values.size + first] = np.nan
                if first < end:
                    _mean(rooms, levels, windows[k], first - base, size, out[k * values.size + first :])


@_part
def _mean(rooms: Floats, levels: int, window: int, first: int, size: int, out: Floats) -> None:
    """Bars first .. size of the powers of two, put together from the smallest that the window holds."""
    level = 0
    while not window >> level & 1:
        level += 1
    done, at, to = 1 << level, level, levels
    while done < window:
        level += 1
        span = 1 << level
        if window & span:
            share = done / (done + span)
            if done + span == window:
                _blend(rooms[at, first - span : size - span], rooms[level, first:size], share, out)
            else:
                _blend(rooms[at, : size - span], rooms[level, span:size], share, rooms[to, span:size])
            done, at, to = done + span, to, 2 * levels + 1 - to
    if at < levels:
        out[: size - first] = rooms[level, first:size]


@_part
def _halve(older: Floats, newer: Floats, out: Floats) -> None:
    for i in range(newer.size):
        out[i] = 0.5 * (older[i] + newer[i])


@_part
def _blend(older: Floats, newer: Floats, share: float, out: Floats) -> None:
    for i in range(newer.size):
        out[i] = newer[i] + (older[i] - newer[i]) * share
