"""Indicators that are functions of the last few bars, over a whole panel; nothing is carried from bar to bar.

Means and extremes over a window are built by doubling (see `doubling`), not from running sums: a value depends on its
window alone (same bits wherever the window stands), errors do not grow with the length of the history, a NaN is
forgotten after `window` bars, and the mean of a constant is that constant exactly. What comes before and after the
window is done in the same pass, while the bars are in registers.

Shapes: inputs and outputs (N,), offsets (S+1,); the first `warm-up` rows of a symbol are NaN.
NaN: a NaN input makes every window that holds it NaN, and no other.
"""

from typing import Any

import numpy as np

from agents.kernels import doubling, vectors
from agents.kernels.compiling import decorators
from agents.kernels.doubling import Pair, over_windows, ring
from agents.kernels.types import Floats, Ints
from agents.kernels.vectors import load, load_whole, size_of, splat, store, where_above, where_equal

SEGMENT = 512  # rows that kernels of several passes take at a time: what they make stays in the L1 cache
_jit, _part = decorators(__file__, doubling.__file__, vectors.__file__)


@_part
def _mean(older: Pair, newer: Pair, span: int) -> Pair:
    return 0.5 * (older[0] + newer[0]), 0.5 * (older[1] + newer[1])


@_part
def _blend(older: Pair, newer: Pair, done: int, span: int) -> Pair:
    share = done / (done + span)
    return newer[0] + (older[0] - newer[0]) * share, newer[1] + (older[1] - newer[1]) * share


@_part
def _extremes(older: Pair, newer: Pair, span: int) -> Pair:
    """Larger of the first, smaller of the second, NaN if one is."""
    a, b = older
    high, low = where_above(a, newer[0], a, newer[0]), where_above(newer[1], b, b, newer[1])
    return where_equal(a, a, high, a), where_equal(b, b, low, b)


@_part
def _join_extremes(older: Pair, newer: Pair, done: int, span: int) -> Pair:
    found: Pair = _extremes(older, newer, span)
    return found


@_part
def _one(inputs: Any, i: int) -> Pair:
    values = load(inputs[0], i)
    return values, values


@_part
def _high_low(inputs: Any, i: int) -> Pair:
    return load(inputs[0], i), load(inputs[1], i)


@_part
def _typical(inputs: Any, i: int) -> Any:
    return (load(inputs[0], i) + load(inputs[1], i) + load(inputs[2], i)) * (1.0 / 3.0)


@_part
def _kept_typical(inputs: Any, i: int) -> Pair:
    typical = _typical(inputs, i)
    store(inputs[3], i, typical)
    return typical, typical


@_part
def _flows(inputs: Any, i: int) -> Pair:
    typical, nothing = _typical(inputs, i), splat(0.0)
    move, flow = typical - _typical(inputs, i - 1), typical * load(inputs[3], i)
    still = move - move  # 0, and NaN where a price is
    return where_above(move, nothing, flow, still), where_above(nothing, move, flow, still)


@_part
def _money(inputs: Any, i: int) -> Pair:
    volume = load(inputs[3], i)
    return _typical(inputs, i) * volume, volume


@_part
def _first(inputs: Any, outs: Any, skip: int, i: int, total: Pair) -> None:
    store(outs[0], i - skip, total[0])


@_part
def _second(inputs: Any, outs: Any, skip: int, i: int, total: Pair) -> None:
    store(outs[0], i - skip, total[1])


@_part
def _first_twice(inputs: Any, outs: Any, skip: int, i: int, total: Pair) -> None:
    store(outs[0], i, total[0])
    store(outs[1], i - skip, total[0])


@_part
def _channel(inputs: Any, outs: Any, skip: int, i: int, total: Pair) -> None:
    store(outs[0], i, total[0])
    store(outs[1], i, 0.5 * (total[0] + total[1]))
    store(outs[2], i, total[1])


@_part
def _place(inputs: Any, outs: Any, skip: int, i: int, total: Pair) -> None:
    ceiling, floor = total
    reach = ceiling - floor
    place = 100.0 * ((load(inputs[2], i) - floor) / reach)
    store(outs[0], i, where_equal(reach, splat(0.0), splat(50.0), place))


@_part
def _share(inputs: Any, outs: Any, skip: int, i: int, total: Pair) -> None:
    whole = total[0] + total[1]
    store(outs[0], i, where_equal(whole, splat(0.0), splat(50.0), 100.0 * (total[0] / whole)))


@_part
def _ratio(inputs: Any, outs: Any, skip: int, i: int, total: Pair) -> None:
    store(outs[0], i, where_equal(total[1], splat(0.0), splat(np.nan), total[0] / total[1]))


_mean_of = over_windows(_one, _mean, _blend, _first)
_mean_kept_of = over_windows(_one, _mean, _blend, _first_twice)
_mean_typical_of = over_windows(_kept_typical, _mean, _blend, _first)
_share_of_flows = over_windows(_flows, _mean, _blend, _share)
_weighed_by_volume = over_windows(_money, _mean, _blend, _ratio)
_highest_of = over_windows(_one, _extremes, _join_extremes, _first)
_lowest_of = over_windows(_one, _extremes, _join_extremes, _second)
_channel_of = over_windows(_high_low, _extremes, _join_extremes, _channel)
_place_in_range = over_windows(_high_low, _extremes, _join_extremes, _place)


@_jit
def sma(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Arithmetic mean of the last `window` values; warm-up window - 1."""
    room = ring(window)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _mean_of((values[lo:hi],), (out[lo:hi],), 0, window, room)
        _blank(out, lo, hi, window - 1)


@_jit
def lag(values: Floats, offsets: Ints, bars: int, out: Floats) -> None:
    """The value `bars` earlier; warm-up `bars`."""
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, bars)
        if hi - lo > bars:
            _copy(values[lo : hi - bars], out[lo + bars : hi])


@_jit
def roc(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Change against `window` bars ago in per cent; NaN where that value was 0; warm-up `window`."""
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, window)
        if hi - lo > window:
            _change(values[lo : hi - window], values[lo + window : hi], out[lo + window : hi])


@_jit
def donchian(
    high: Floats, low: Floats, offsets: Ints, window: int, upper: Floats, middle: Floats, lower: Floats
) -> None:
    """Highest high, lowest low and their midpoint over the window, the present bar included; warm-up window - 1."""
    room = ring(window)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _channel_of((high[lo:hi], low[lo:hi]), (upper[lo:hi], middle[lo:hi], lower[lo:hi]), 0, window, room)
        _blank(upper, lo, hi, window - 1)
        _blank(middle, lo, hi, window - 1)
        _blank(lower, lo, hi, window - 1)


@_jit
def highest(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Largest of the last `window` values; warm-up window - 1."""
    room = ring(window)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _highest_of((values[lo:hi],), (out[lo:hi],), 0, window, room)
        _blank(out, lo, hi, window - 1)


@_jit
def lowest(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Smallest of the last `window` values; warm-up window - 1."""
    room = ring(window)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _lowest_of((values[lo:hi],), (out[lo:hi],), 0, window, room)
        _blank(out, lo, hi, window - 1)


@_jit
def true_range(high: Floats, low: Floats, close: Floats, offsets: Ints, out: Floats) -> None:
    """Largest of high - low and the distances of high and low from the close before; warm-up 1."""
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, 1)
        if hi - lo > 1:
            _ranges(high[lo + 1 : hi], low[lo + 1 : hi], close[lo : hi - 1], out[lo + 1 : hi])


@_jit
def stochastic(
    high: Floats, low: Floats, close: Floats, offsets: Ints, window: int, smooth: int, signal: int, k: Floats, d: Floats
) -> None:
    """Slow stochastic: place of the close in the window's range, 0..100, averaged twice.

    50 where the window has no range at all. Warm-up of both lines: window + smooth + signal - 3.
    """
    lookback = window + smooth + signal - 3
    step = _step(lookback)
    room = ring(max(window, smooth, signal))
    place, slow = np.empty(step + lookback), np.empty(step + lookback)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(k, lo, hi, lookback)
        _blank(d, lo, hi, lookback)
        for first in range(lo + lookback, hi, step):
            last = min(first + step, hi)
            start, rows = first - lookback, last - first + lookback
            bars, raw, mean = (high[start:last], low[start:last], close[start:last]), place[:rows], slow[:rows]
            _place_in_range(bars, (raw,), 0, window, room)
            _mean_kept_of((raw,), (mean, k[first:last]), lookback, smooth, room)
            _mean_of((mean,), (d[first:last],), lookback, signal, room)


@_jit
def cci(high: Floats, low: Floats, close: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Distance of the typical price from its mean in units of 0.015 mean absolute deviations; 0 where nothing varied.

    Warm-up window - 1. The deviation is summed oldest first, for many bars at once, which is exact and SIMD.
    """
    step, before = _step(window), window - 1
    room = ring(window)
    typical, middle = np.empty(step + window + 32), np.empty(step + 32)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, before)
        for first in range(lo + before, hi, step):
            last = min(first + step, hi)
            start, prices, mean = first - before, typical[: last - first + before], middle[: last - first]
            _mean_typical_of(
                (high[start:last], low[start:last], close[start:last], prices), (mean,), before, window, room
            )
            _in_deviations(typical, middle, window, out[first:last])


@_jit
def mfi(high: Floats, low: Floats, close: Floats, volume: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Share of money (typical price x volume) that flowed in on rising bars, 0..100; 50 where none flowed.

    Warm-up `window`: the first flow needs the bar before it.
    """
    room = ring(window)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _share_of_flows((high[lo:hi], low[lo:hi], close[lo:hi], volume[lo:hi]), (out[lo:hi],), 0, window, room)
        _blank(out, lo, hi, window)


@_jit
def vwap(high: Floats, low: Floats, close: Floats, volume: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Typical price of the window weighted by volume; NaN where nothing was traded; warm-up window - 1."""
    room = ring(window)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _weighed_by_volume((high[lo:hi], low[lo:hi], close[lo:hi], volume[lo:hi]), (out[lo:hi],), 0, window, room)
        _blank(out, lo, hi, window - 1)


@_part
def _step(overlap: int) -> int:
    """Rows per segment: long windows take longer segments, so that overlap is at most half of the work."""
    return max(SEGMENT, 2 * overlap)


@_part
def _blank(out: Floats, lo: int, hi: int, warmup: int) -> None:
    for i in range(lo, min(hi, lo + warmup)):
        out[i] = np.nan


@_part
def _copy(values: Floats, out: Floats) -> None:
    for i in range(out.size):  # a slice assignment would ask at run time whether the two overlap
        out[i] = values[i]


@_part
def _ranges(high: Floats, low: Floats, before: Floats, out: Floats) -> None:
    for i in range(out.size):
        rise, fall = abs(high[i] - before[i]), abs(low[i] - before[i])
        reach = high[i] - low[i]
        reach = rise if rise > reach else reach
        known = rise + low[i]  # a NaN compares as false and would be lost: carry it over
        out[i] = (fall if fall > reach else reach) + (known - known)


@_part
def _change(then: Floats, now: Floats, out: Floats) -> None:
    for i in range(out.size):
        out[i] = (now[i] / then[i] - 1.0) * 100.0 if then[i] != 0.0 else np.nan


@_part
def _in_deviations(typical: Floats, mean: Floats, window: int, out: Floats) -> None:
    """Window i is typical[i : i + window]; 32 of them at a time, so that four sums grow side by side.

    Both inputs are 32 rows longer than what is used of them.
    """
    for i in range(0, out.size, 32):
        a, b, c, d = load_whole(mean, i), load_whole(mean, i + 8), load_whole(mean, i + 16), load_whole(mean, i + 24)
        sum_a = sum_b = sum_c = sum_d = splat(0.0)
        for j in range(i, i + window):
            sum_a = sum_a + size_of(load_whole(typical, j) - a)
            sum_b = sum_b + size_of(load_whole(typical, j + 8) - b)
            sum_c = sum_c + size_of(load_whole(typical, j + 16) - c)
            sum_d = sum_d + size_of(load_whole(typical, j + 24) - d)
        now = i + window - 1
        store(out, i, _deviations(load_whole(typical, now) - a, sum_a, window))
        store(out, i + 8, _deviations(load_whole(typical, now + 8) - b, sum_b, window))
        store(out, i + 16, _deviations(load_whole(typical, now + 16) - c, sum_c, window))
        store(out, i + 24, _deviations(load_whole(typical, now + 24) - d, sum_d, window))


@_part
def _deviations(away: Any, distance: Any, window: int) -> Any:
    return where_equal(away, splat(0.0), splat(0.0), away / ((0.015 / window) * distance))
