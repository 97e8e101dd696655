"""Indicators that are functions of the last few bars, over a whole panel; nothing is carried from bar to bar.

Sums over a window are not running sums. They are built by doubling: means of 1, 2, 4, 8 ... bars, each from two
of the one before, and the window is put together from the powers of two it holds. Each step is one SIMD pass
over a block that fits the L1 cache, so a window of w bars costs about log2(w) passes. It follows that a value
depends on its window alone (same bits wherever the window stands), errors do not grow with the length of the
history, a NaN is forgotten after `window` bars, and the mean of a constant is that constant exactly.

Shapes: inputs and outputs (N,), offsets (S+1,); the first `warm-up` rows of a symbol are NaN.
NaN: a NaN input makes every window that holds it NaN, and no other.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

SEGMENT = 128  # rows per block: a dozen such arrays fit half a 32 KiB L1 cache
_jit, _part = decorators(__file__)


@_jit
def sma(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Arithmetic mean of the last `window` values; warm-up window - 1."""
    step = 2 * _step(window)  # few arrays: longer blocks still fit
    spare = np.empty((2, step + window))
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, window - 1)
        for first in range(lo + window - 1, hi, step):
            last = min(first + step, hi)
            _mean(values[first - window + 1 : last], window, spare, out[first:last])


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
    step = _step(window)
    spare = np.empty((2, step + window))
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(upper, lo, hi, window - 1)
        _blank(middle, lo, hi, window - 1)
        _blank(lower, lo, hi, window - 1)
        for first in range(lo + window - 1, hi, step):
            last = min(first + step, hi)
            _highest(high[first - window + 1 : last], window, spare, upper[first:last])
            _lowest(low[first - window + 1 : last], window, spare, lower[first:last])
            _midpoint(upper[first:last], lower[first:last], middle[first:last])


@_jit
def highest(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Largest of the last `window` values; warm-up window - 1."""
    step = _step(window)
    spare = np.empty((2, step + window))
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, window - 1)
        for first in range(lo + window - 1, hi, step):
            last = min(first + step, hi)
            _highest(values[first - window + 1 : last], window, spare, out[first:last])


@_jit
def lowest(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Smallest of the last `window` values; warm-up window - 1."""
    step = _step(window)
    spare = np.empty((2, step + window))
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, window - 1)
        for first in range(lo + window - 1, hi, step):
            last = min(first + step, hi)
            _lowest(values[first - window + 1 : last], window, spare, out[first:last])


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
    inner = lookback - window + 1  # rows of raw %K before the first output
    step = _step(lookback + 1)
    spare = np.empty((2, step + lookback))
    place, bottom = np.empty(step + lookback), np.empty(step + lookback)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(k, lo, hi, lookback)
        _blank(d, lo, hi, lookback)
        for first in range(lo + lookback, hi, step):
            last = min(first + step, hi)
            raw, floor, now = place[: last - first + inner], bottom[: last - first + inner], close[first - inner : last]
            _highest(high[first - lookback : last], window, spare, raw)
            _lowest(low[first - lookback : last], window, spare, floor)
            _place(now, floor, raw)
            slow = floor[: last - first + signal - 1]
            _mean(raw, smooth, spare, slow)
            _copy(slow[signal - 1 :], k[first:last])
            _mean(slow, signal, spare, d[first:last])


@_jit
def cci(high: Floats, low: Floats, close: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Distance of the typical price from its mean in units of 0.015 mean absolute deviations; 0 where nothing varied.

    Warm-up window - 1. The deviation is summed oldest first, across a block at once, which is exact and SIMD.
    """
    step = _step(window)
    spare = np.empty((2, step + window))
    typical, middle, spread = np.empty(step + window), np.empty(step), np.empty(step)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, window - 1)
        for first in range(lo + window - 1, hi, step):
            last = min(first + step, hi)
            start, size = first - window + 1, last - first
            _typical(high[start:last], low[start:last], close[start:last], typical)
            mean, deviation = middle[:size], spread[:size]
            _mean(typical[: last - start], window, spare, mean)
            _add_distances(typical, mean, window, deviation)
            _in_deviations(typical[window - 1 :], mean, deviation, 0.015 / window, out[first:last])


@_jit
def mfi(high: Floats, low: Floats, close: Floats, volume: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Share of money (typical price x volume) that flowed in on rising bars, 0..100; 50 where none flowed.

    Warm-up `window`: the first flow needs the bar before it.
    """
    step = _step(window + 1)
    spare = np.empty((2, step + window + 1))
    typical, inflow, outflow = np.empty(step + window + 1), np.empty(step + window), np.empty(step + window)
    ins, outs = np.empty(step), np.empty(step)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, window)
        for first in range(lo + window, hi, step):
            last = min(first + step, hi)
            start, size = first - window, last - first
            _typical(high[start:last], low[start:last], close[start:last], typical)
            before, now, traded = typical[: size + window - 1], typical[1 : size + window], volume[start + 1 : last]
            up, down = inflow[: size + window - 1], outflow[: size + window - 1]
            _flows(now, before, traded, up, down)
            _mean(up, window, spare, ins[:size])
            _mean(down, window, spare, outs[:size])
            _share(ins, outs, out[first:last])


@_jit
def vwap(high: Floats, low: Floats, close: Floats, volume: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Typical price of the window weighted by volume; NaN where nothing was traded; warm-up window - 1."""
    step = _step(window)
    spare = np.empty((2, step + window))
    money, traded = np.empty(step + window), np.empty(step)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, window - 1)
        for first in range(lo + window - 1, hi, step):
            last = min(first + step, hi)
            start, size = first - window + 1, last - first
            amount, target, total = volume[start:last], out[first:last], traded[:size]
            _typical(high[start:last], low[start:last], close[start:last], money)
            _multiply(money, amount)
            _mean(money[: amount.size], window, spare, target)
            _mean(amount, window, spare, total)
            _divide(target, total)


@_part
def _step(window: int) -> int:
    """Rows per block: long windows take longer blocks, so that overlap is at most half of the work."""
    return max(SEGMENT, 2 * window)


@_part
def _blank(out: Floats, lo: int, hi: int, warmup: int) -> None:
    for i in range(lo, min(hi, lo + warmup)):
        out[i] = np.nan


@_part
def _copy(values: Floats, out: Floats) -> None:
    for i in range(out.size):  # a slice assignment would ask at run time whether the two overlap
        out[i] = values[i]


@_part
def _times_zero(values: Floats, out: Floats) -> None:
    for i in range(out.size):
        out[i] = values[i] * 0.0  # 0, and NaN where the value is


@_part
def _typical(high: Floats, low: Floats, close: Floats, out: Floats) -> None:
    for i in range(high.size):
        out[i] = (high[i] + low[i] + close[i]) * (1.0 / 3.0)


@_part
def _ranges(high: Floats, low: Floats, before: Floats, out: Floats) -> None:
    for i in range(out.size):
        rise, fall = abs(high[i] - before[i]), abs(low[i] - before[i])
        reach = high[i] - low[i]
        reach = rise if rise > reach else reach
        known = rise + low[i]  # a NaN compares as false and would be lost: carry it over
        out[i] = (fall if fall > reach else reach) + (known - known)


@_part
def _multiply(values: Floats, by: Floats) -> None:
    for i in range(by.size):
        values[i] *= by[i]


@_part
def _divide(values: Floats, by: Floats) -> None:
    for i in range(values.size):
        values[i] = values[i] / by[i] if by[i] != 0.0 else np.nan


@_part
def _midpoint(upper: Floats, lower: Floats, out: Floats) -> None:
    for i in range(out.size):
        out[i] = 0.5 * (upper[i] + lower[i])


@_part
def _change(then: Floats, now: Floats, out: Floats) -> None:
    for i in range(out.size):
        out[i] = (now[i] / then[i] - 1.0) * 100.0 if then[i] != 0.0 else np.nan


@_part
def _place(close: Floats, floor: Floats, ceiling: Floats) -> None:
    """`ceiling` becomes the place of the close between floor and ceiling, 0..100."""
    for i in range(ceiling.size):
        reach = ceiling[i] - floor[i]
        ceiling[i] = 100.0 * ((close[i] - floor[i]) / reach) if reach != 0.0 else 50.0


@_part
def _flows(now: Floats, before: Floats, volume: Floats, up: Floats, down: Floats) -> None:
    for i in range(up.size):
        move, flow = now[i] - before[i], now[i] * volume[i]
        up[i] = flow if move > 0.0 else move - move  # 0, and NaN where a price is
        down[i] = flow if move < 0.0 else move - move


@_part
def _share(part: Floats, rest: Floats, out: Floats) -> None:
    for i in range(out.size):
        total = part[i] + rest[i]
        out[i] = 100.0 * (part[i] / total) if total != 0.0 else 50.0


@_part
def _in_deviations(now: Floats, mean: Floats, distance: Floats, factor: float, out: Floats) -> None:
    for i in range(out.size):
        away = now[i] - mean[i]
        out[i] = away / (factor * distance[i]) if away != 0.0 else 0.0


@_part
def _add_distances(values: Floats, mean: Floats, window: int, out: Floats) -> None:
    """out[i] = sum over the window that starts at i of |value - mean[i]|, four bars at a time, oldest first."""
    _times_zero(mean, out)
    fours = window // 4 * 4
    for j in range(0, fours, 4):
        _add_four(values[j : j + out.size + 3], mean, out)
    for j in range(fours, window):
        _add_one(values[j : j + out.size], mean, out)


@_part
def _add_four(values: Floats, mean: Floats, out: Floats) -> None:
    a, b, c, d = values[: out.size], values[1 : 1 + out.size], values[2 : 2 + out.size], values[3 : 3 + out.size]
    for i in range(out.size):
        m = mean[i]
        out[i] += (abs(a[i] - m) + abs(b[i] - m)) + (abs(c[i] - m) + abs(d[i] - m))


@_part
def _add_one(values: Floats, mean: Floats, out: Floats) -> None:
    for i in range(out.size):
        out[i] += abs(values[i] - mean[i])


@_part
def _mean(values: Floats, window: int, spare: Floats, out: Floats) -> None:
    """out[i] = mean of values[i : i + window]; spare (>= 2, >= values.size) is overwritten."""
    size = out.size
    done = window & 1  # newest values that `out` already speaks for
    if done:
        _copy(values[window - 1 :], out)
    if window == 1:
        return
    level, other = spare[0], spare[1]
    if window & 2 or window < 4:
        _halve(values, 1, level[: size + window - 2])
        span = 2
    else:
        _quarter(values, 1, level[: size + window - 4])
        span = 4
    while True:
        if window & span:
            block = level[window - done - span : window - done - span + size]
            if done:
                _blend(block, span / (done + span), out)
            else:
                _copy(block, out)
            done += span
        if done == window:
            return
        if window & 2 * span or window < 4 * span:
            span *= 2
            _halve(level, span // 2, other[: size + window - span])
        else:
            span *= 4
            _quarter(level, span // 4, other[: size + window - span])
        level, other = other, level


@_part
def _blend(older: Floats, share: float, out: Floats) -> None:
    for i in range(out.size):
        out[i] += (older[i] - out[i]) * share


@_part
def _halve(level: Floats, span: int, out: Floats) -> None:
    """Means of 2 * span values from means of `span`."""
    older, newer = level[: out.size], level[span : span + out.size]
    for i in range(out.size):
        out[i] = 0.5 * (older[i] + newer[i])


@_part
def _quarter(level: Floats, span: int, out: Floats) -> None:
    """Two steps of `_halve` in one pass, same order of operations, same bits."""
    size = out.size
    a, b = level[:size], level[span : span + size]
    c, d = level[2 * span : 2 * span + size], level[3 * span : 3 * span + size]
    for i in range(size):
        out[i] = 0.5 * (0.5 * (a[i] + b[i]) + 0.5 * (c[i] + d[i]))


@_part
def _highest(values: Floats, window: int, spare: Floats, out: Floats) -> None:
    """out[i] = max of values[i : i + window], NaN if it holds one; exact in any order, so spans may overlap."""
    if window == 1:
        _copy(values, out)
        return
    level, other = spare[0], spare[1]
    _larger(values, 1, level[: out.size + window - 2])
    span = 2
    while 2 * span <= window:
        _larger(level, span, other[: out.size + window - 2 * span])
        level, other = other, level
        span *= 2
    _larger(level, window - span, out)


@_part
def _larger(values: Floats, shift: int, out: Floats) -> None:
    a, b = values[: out.size], values[shift : shift + out.size]
    for i in range(out.size):
        out[i] = a[i] if a[i] > b[i] or a[i] != a[i] else b[i]


@_part
def _lowest(values: Floats, window: int, spare: Floats, out: Floats) -> None:
    """out[i] = min of values[i : i + window], NaN if it holds one."""
    if window == 1:
        _copy(values, out)
        return
    level, other = spare[0], spare[1]
    _smaller(values, 1, level[: out.size + window - 2])
    span = 2
    while 2 * span <= window:
        _smaller(level, span, other[: out.size + window - 2 * span])
        level, other = other, level
        span *= 2
    _smaller(level, window - span, out)


@_part
def _smaller(values: Floats, shift: int, out: Floats) -> None:
    a, b = values[: out.size], values[shift : shift + out.size]
    for i in range(out.size):
        out[i] = a[i] if a[i] < b[i] or a[i] != a[i] else b[i]
