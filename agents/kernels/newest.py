"""Only the newest value of each symbol, from its whole history: the steps of `recursive`, in the same order, so to the
same bits, but nothing is stored on the way. For scans.

Shapes: inputs (N,), offsets (S+1,), order (S,) symbols by length; outputs (S,), NaN where a symbol is still warming up.
Four or eight symbols advance side by side (see `recursive`); what is left of longer ones follows alone. A NaN stays.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

_CHUNK = 256  # bars of each lane per round
_PITCH = _CHUNK + 8  # a power of two would send all lanes to the same cache sets
_jit, _part = decorators(__file__)


@_jit
def ema(values: Floats, offsets: Ints, order: Ints, window: int, out: Floats) -> None:
    """See `recursive.ema`."""
    _averages(values, offsets, order, window, 2.0 / (window + 1.0), out)


@_jit
def wilder(values: Floats, offsets: Ints, order: Ints, window: int, out: Floats) -> None:
    """See `recursive.wilder`."""
    _averages(values, offsets, order, window, 1.0 / window, out)


@_jit
def wilder_rsi(close: Floats, offsets: Ints, order: Ints, window: int, out: Floats) -> None:
    """See `recursive.wilder_rsi`."""
    gain = 1.0 / window
    at, up, down = np.zeros(4, np.int64), np.zeros(4), np.zeros(4)
    for first in range(0, order.size, 4):
        lanes, n = min(4, order.size - first), 1 << 62
        for lane in range(lanes):
            lo, hi = offsets[order[first + lane]], offsets[order[first + lane] + 1]
            i, rise, fall = lo + 1, 0.0, 0.0
            while i < hi and i <= lo + window:
                step = close[i] - close[i - 1]
                rise += ((0.0 if step < 0.0 else step) - rise) / (i - lo)
                fall += ((0.0 if step > 0.0 else -step) - fall) / (i - lo)
                i += 1
            at[lane], up[lane], down[lane] = i, rise, fall
            n = min(n, int(hi - i))
        if lanes == 4 and n > 0:
            _four_moves(close, at, n, gain, up, down)
        for lane in range(lanes):
            s = order[first + lane]
            rise, fall = up[lane], down[lane]
            for i in range(at[lane], offsets[s + 1]):
                step = close[i] - close[i - 1]
                rise += ((0.0 if step < 0.0 else step) - rise) * gain
                fall += ((0.0 if step > 0.0 else -step) - fall) * gain
            total = rise + fall
            out[s] = 100.0 * (rise / total) if total != 0.0 else 50.0
            if offsets[s + 1] - offsets[s] <= window:
                out[s] = np.nan


@_jit
def atr(high: Floats, low: Floats, close: Floats, offsets: Ints, order: Ints, window: int, out: Floats) -> None:
    """See `recursive.atr`."""
    gain = 1.0 / window
    at, level, heads = np.zeros(8, np.int64), np.zeros(8), np.zeros(8, np.int64)
    ranges = np.empty(8 * _PITCH)
    for first in range(0, order.size, 8):
        lanes, n = min(8, order.size - first), 1 << 62
        for lane in range(lanes):
            lo, hi = offsets[order[first + lane]], offsets[order[first + lane] + 1]
            i, now = lo + 1, 0.0
            while i < hi and i <= lo + window:
                now += (_range(high[i], low[i], close[i - 1]) - now) / (i - lo)
                i += 1
            at[lane], level[lane] = i, now
            n = min(n, int(hi - i))
        while lanes == 8 and n > 0:
            size = min(n, _CHUNK)
            for lane in range(8):
                p, heads[lane] = at[lane], lane * _PITCH
                _ranges(
                    high[p : p + size],
                    low[p : p + size],
                    close[p - 1 : p - 1 + size],
                    ranges[heads[lane] : heads[lane] + size],
                )
                at[lane] += size
            _eight(ranges, heads, size, gain, level)
            n -= size
        for lane in range(lanes):
            s = order[first + lane]
            now = level[lane]
            for i in range(at[lane], offsets[s + 1]):
                now += (_range(high[i], low[i], close[i - 1]) - now) * gain
            out[s] = now if offsets[s + 1] - offsets[s] > window else np.nan


@_jit
def macd(
    values: Floats,
    offsets: Ints,
    order: Ints,
    fast: int,
    slow: int,
    signal: int,
    line: Floats,
    trigger: Floats,
    gap: Floats,
) -> None:
    """See `recursive.macd`."""
    quick, calm, follow = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0), 2.0 / (signal + 1.0)
    at, a, b, c = np.zeros(4, np.int64), np.zeros(4), np.zeros(4), np.zeros(4)
    warmup = slow + signal - 2
    for first in range(0, order.size, 4):
        lanes, n = min(4, order.size - first), 1 << 62
        for lane in range(lanes):
            lo, hi = offsets[order[first + lane]], offsets[order[first + lane] + 1]
            x, y, z = 0.0, 0.0, 0.0
            for row in range(min(warmup + 1, hi - lo)):
                value = values[lo + row]
                if row >= slow:
                    x += (value - x) * quick
                    y += (value - y) * calm
                else:
                    y += (value - y) / (row + 1)
                    if row >= slow - fast:
                        x += (value - x) / (row + 1 - (slow - fast))
                if row >= slow - 1:
                    z += ((x - y) - z) / (row + 2 - slow)
            at[lane], a[lane], b[lane], c[lane] = lo + min(warmup + 1, hi - lo), x, y, z
            n = min(n, int(hi - at[lane]))
        if lanes == 4 and n > 0:
            _four_gaps(values, at, n, quick, calm, follow, a, b, c)
        for lane in range(lanes):
            s = order[first + lane]
            x, y, z = a[lane], b[lane], c[lane]
            for i in range(at[lane], offsets[s + 1]):
                x += (values[i] - x) * quick
                y += (values[i] - y) * calm
                z += ((x - y) - z) * follow
            known = offsets[s + 1] - offsets[s] > warmup
            line[s] = x - y if known else np.nan
            trigger[s] = z if known else np.nan
            gap[s] = line[s] - trigger[s]


@_part
def _averages(values: Floats, offsets: Ints, order: Ints, window: int, gain: float, out: Floats) -> None:
    at, level = np.zeros(8, np.int64), np.zeros(8)
    for first in range(0, order.size, 8):
        lanes, n = min(8, order.size - first), 1 << 62
        for lane in range(lanes):
            lo, hi = offsets[order[first + lane]], offsets[order[first + lane] + 1]
            i, now = lo, 0.0
            while i < hi and i < lo + window:
                now += (values[i] - now) / (i + 1 - lo)
                i += 1
            at[lane], level[lane] = i, now
            n = min(n, int(hi - i))
        if lanes == 8 and n > 0:
            _eight(values, at, n, gain, level)
        for lane in range(lanes):
            s = order[first + lane]
            now = level[lane]
            for i in range(at[lane], offsets[s + 1]):
                now += (values[i] - now) * gain
            out[s] = now if offsets[s + 1] - offsets[s] >= window else np.nan


@_part
def _rows(values: Floats, first: int, n: int) -> Floats:
    return values[first : first + n]


@_part
def _eight(values: Floats, at: Ints, n: int, gain: float, level: Floats) -> None:
    v0, v1, v2, v3 = _rows(values, at[0], n), _rows(values, at[1], n), _rows(values, at[2], n), _rows(values, at[3], n)
    v4, v5, v6, v7 = _rows(values, at[4], n), _rows(values, at[5], n), _rows(values, at[6], n), _rows(values, at[7], n)
    a0, a1, a2, a3, a4, a5, a6, a7 = level[0], level[1], level[2], level[3], level[4], level[5], level[6], level[7]
    for i in range(n):
        a0 += (v0[i] - a0) * gain
        a1 += (v1[i] - a1) * gain
        a2 += (v2[i] - a2) * gain
        a3 += (v3[i] - a3) * gain
        a4 += (v4[i] - a4) * gain
        a5 += (v5[i] - a5) * gain
        a6 += (v6[i] - a6) * gain
        a7 += (v7[i] - a7) * gain
    level[0], level[1], level[2], level[3], level[4], level[5], level[6], level[7] = a0, a1, a2, a3, a4, a5, a6, a7
    for lane in range(8):
        at[lane] += n


@_part
def _up(step: float) -> float:
    return 0.0 if step < 0.0 else step


@_part
def _down(step: float) -> float:
    return 0.0 if step > 0.0 else -step


@_part
def _four_moves(close: Floats, at: Ints, n: int, gain: float, up: Floats, down: Floats) -> None:
    v0, v1 = _rows(close, at[0] - 1, n + 1), _rows(close, at[1] - 1, n + 1)
    v2, v3 = _rows(close, at[2] - 1, n + 1), _rows(close, at[3] - 1, n + 1)
    a0, a1, a2, a3, b0, b1, b2, b3 = up[0], up[1], up[2], up[3], down[0], down[1], down[2], down[3]
    p0, p1, p2, p3 = v0[0], v1[0], v2[0], v3[0]
    for i in range(1, n + 1):
        s0, s1, s2, s3 = v0[i] - p0, v1[i] - p1, v2[i] - p2, v3[i] - p3
        p0, p1, p2, p3 = v0[i], v1[i], v2[i], v3[i]
        a0 += (_up(s0) - a0) * gain
        b0 += (_down(s0) - b0) * gain
        a1 += (_up(s1) - a1) * gain
        b1 += (_down(s1) - b1) * gain
        a2 += (_up(s2) - a2) * gain
        b2 += (_down(s2) - b2) * gain
        a3 += (_up(s3) - a3) * gain
        b3 += (_down(s3) - b3) * gain
    up[0], up[1], up[2], up[3], down[0], down[1], down[2], down[3] = a0, a1, a2, a3, b0, b1, b2, b3
    for lane in range(4):
        at[lane] += n


@_part
def _range(high: float, low: float, before: float) -> float:
    rise, fall = abs(high - before), abs(low - before)
    reach = high - low
    reach = rise if rise > reach else reach
    known = rise + low  # a NaN compares as false and would be lost: carry it over
    return (fall if fall > reach else reach) + (known - known)


@_part
def _ranges(high: Floats, low: Floats, before: Floats, out: Floats) -> None:
    for i in range(out.size):  # `_range` once more: as a call it would not be vectorised
        rise, fall = abs(high[i] - before[i]), abs(low[i] - before[i])
        reach = high[i] - low[i]
        reach = rise if rise > reach else reach
        known = rise + low[i]
        out[i] = (fall if fall > reach else reach) + (known - known)


@_part
def _four_gaps(
    values: Floats, at: Ints, n: int, quick: float, calm: float, follow: float, a: Floats, b: Floats, c: Floats
) -> None:
    v0, v1, v2, v3 = _rows(values, at[0], n), _rows(values, at[1], n), _rows(values, at[2], n), _rows(values, at[3], n)
    x0, x1, x2, x3, y0, y1, y2, y3 = a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]
    z0, z1, z2, z3 = c[0], c[1], c[2], c[3]
    for i in range(n):
        x0 += (v0[i] - x0) * quick
        y0 += (v0[i] - y0) * calm
        z0 += ((x0 - y0) - z0) * follow
        x1 += (v1[i] - x1) * quick
        y1 += (v1[i] - y1) * calm
        z1 += ((x1 - y1) - z1) * follow
        x2 += (v2[i] - x2) * quick
        y2 += (v2[i] - y2) * calm
        z2 += ((x2 - y2) - z2) * follow
        x3 += (v3[i] - x3) * quick
        y3 += (v3[i] - y3) * calm
        z3 += ((x3 - y3) - z3) * follow
    a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3] = x0, x1, x2, x3, y0, y1, y2, y3
    c[0], c[1], c[2], c[3] = z0, z1, z2, z3
    for lane in range(4):
        at[lane] += n
