"""What volume adds to a price: averages since an anchor, Klinger's volume force, profiles. Over a whole panel.

Shapes: inputs and outputs (N,), offsets (S+1,), carry (K, S) with the count of bars seen in row 0. None sees NaN.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

_jit, _part = decorators(__file__)


@_jit
def anchored(
    price: Floats,
    volume: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    anchor: int,
    period: int,
    mean: Floats,
    deviation: Floats,
) -> None:
    """Volume-weighted mean and population deviation since bar `anchor`, begun anew every `period` bars (0 = never).

    Weighted moments are updated (West 1979), so nothing cancels. Before anything was traded: the price itself.
    Warm-up `anchor`. carry (4, S): count, weight, mean, weighted sum of squares.
    """
    for s in range(starts.size):
        begin, end = offsets[s] + starts[s], offsets[s + 1]
        seen, weight, level, squares = int(carry[0, s]), carry[1, s], carry[2, s], carry[3, s]
        for i in range(begin, end):
            age = seen + i - begin - anchor
            if age < 0:
                mean[i] = deviation[i] = np.nan
                continue
            if age == 0 or (period > 0 and age % period == 0):
                weight = level = squares = 0.0
            weight += volume[i]
            if weight > 0.0:
                apart = price[i] - level
                level = price[i] if weight == volume[i] else level + apart * (volume[i] / weight)
                squares += volume[i] * apart * (price[i] - level)
            else:
                level = price[i]
            mean[i] = level
            deviation[i] = np.sqrt(squares / weight) if weight > 0.0 else 0.0
        carry[0, s] += end - begin
        carry[1, s], carry[2, s], carry[3, s] = weight, level, squares


@_jit
def klinger_force(
    high: Floats,
    low: Floats,
    close: Floats,
    volume: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    out: Floats,
) -> None:
    """Klinger's volume force: 100 * volume * |2 * (range / summed range - 1)|, signed by the trend.

    Trend +1 where high + low + close rises, else -1; ranges are summed while it lasts, the last one before included.
    0 where nothing moved. Warm-up 2. carry (3, S): count, trend, summed range.
    """
    for s in range(starts.size):
        begin, end = offsets[s] + starts[s], offsets[s + 1]
        seen, trend, summed = int(carry[0, s]), carry[1, s], carry[2, s]
        for i in range(begin, end):
            out[i] = np.nan
            if seen + i - begin == 0:
                continue
            reach, before = high[i] - low[i], high[i - 1] - low[i - 1]
            rises = high[i] + low[i] + close[i] > high[i - 1] + low[i - 1] + close[i - 1]
            side = 1.0 if rises else -1.0
            summed = (summed if side == trend else before) + reach
            trend = side
            if seen + i - begin > 1:
                share = reach / summed if summed != 0.0 else 1.0
                out[i] = volume[i] * abs(2.0 * (share - 1.0)) * side * 100.0
        carry[0, s] += end - begin
        carry[1, s], carry[2, s] = trend, summed


@_jit
def profile(
    high: Floats,
    low: Floats,
    volume: Floats,
    offsets: Ints,
    window: int,
    bins: int,
    percent: float,
    poc: Floats,
    area_high: Floats,
    area_low: Floats,
) -> None:
    """Price of most volume and the edges of the value area around it; warm-up window - 1.

    The window's range is cut into `bins`; each bar's volume lies evenly over its own range. NaN without volume.
    """
    counts = np.empty(bins)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        for i in range(lo, hi):
            poc[i] = area_high[i] = area_low[i] = np.nan
            if i < lo + window - 1:
                continue
            start = i - window + 1
            bottom, top = low[start], high[start]
            for j in range(start, i + 1):
                bottom, top = min(bottom, low[j]), max(top, high[j])
            width = (top - bottom) / bins
            if width > 0.0:
                _spread(high[start : i + 1], low[start : i + 1], volume[start : i + 1], bottom, width, counts)
                middle, first, last, total = _area(counts, percent)
                if total > 0.0:
                    poc[i] = bottom + (middle + 0.5) * width
                    area_low[i], area_high[i] = bottom + first * width, bottom + (last + 1) * width
            else:
                poc[i] = area_high[i] = area_low[i] = bottom


@_part
def _spread(high: Floats, low: Floats, volume: Floats, bottom: float, width: float, counts: Floats) -> None:
    """Volume per bin."""
    last = counts.size - 1
    for k in range(counts.size):
        counts[k] = 0.0
    for j in range(high.size):
        a = min(max(int((low[j] - bottom) / width), 0), last)
        b = min(max(int((high[j] - bottom) / width), a), last)
        if a == b:
            counts[a] += volume[j]
            continue
        density = volume[j] / (high[j] - low[j])
        for k in range(a, b + 1):
            edge, upper = bottom + k * width, bottom + (k + 1) * width
            part = min(upper, high[j]) - max(edge, low[j])
            if part > 0.0:
                counts[k] += density * part


@_part
def _area(counts: Floats, percent: float) -> tuple[int, int, int, float]:
    """Fullest bin (the lowest of equals), first and last bin of the value area grown around it, all volume."""
    middle, total = 0, 0.0
    for k in range(counts.size):
        total += counts[k]
        if counts[k] > counts[middle]:
            middle = k
    first, last, covered = middle, middle, counts[middle]
    while covered < total * percent / 100.0 and (first > 0 or last < counts.size - 1):
        above = counts[last + 1] if last < counts.size - 1 else -1.0
        below = counts[first - 1] if first > 0 else -1.0
        if above >= below:
            last += 1
            covered += above
        else:
            first -= 1
            covered += below
    return middle, first, last, total
