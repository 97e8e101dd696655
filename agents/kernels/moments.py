"""Indicators made of the mean, variance or slope of the last few bars, over a whole panel.

Built by doubling like the sums in `windows` (read there why): moments of 1, 2, 4, 8 ... bars, each merged from two of
the one before. Merged are centred moments (Chan, Golub, LeVeque 1979), so nothing cancels: a price that does not
move has variance and slope of exactly 0, whatever its level and however long its history.

Shapes: inputs and outputs (N,), offsets (S+1,); the first `warm-up` rows of a symbol are NaN.
NaN: a NaN input makes every window that holds it NaN, and no other.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

SEGMENT = 128  # rows per block: a dozen such arrays fit half a 32 KiB L1 cache
_jit, _part = decorators(__file__)


@_jit
def wma(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Mean with weights 1, 2, ... window, the newest heaviest; warm-up window - 1."""
    step = _step(window)
    spare = np.empty((5, step + window))
    scale = 2.0 / (window * (window + 1.0))
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, window - 1)
        for first in range(lo + window - 1, hi, step):
            last = min(first + step, hi)
            target = out[first:last]
            lean = spare[4, : last - first]
            _trend(values[first - window + 1 : last], window, spare, target, lean)
            _add_scaled(lean, scale, target)


@_jit
def linreg_slope(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """Slope per bar of the least-squares line through the last `window` values; warm-up window - 1."""
    step = _step(window)
    spare = np.empty((5, step + window))
    scale = 12.0 / (float(window) * (float(window) * window - 1.0))
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, window - 1)
        for first in range(lo + window - 1, hi, step):
            last = min(first + step, hi)
            target = out[first:last]
            _trend(values[first - window + 1 : last], window, spare, spare[4, : last - first], target)
            _scale(target, scale)


@_jit
def stddev(values: Floats, offsets: Ints, window: int, deviations: float, out: Floats) -> None:
    """`deviations` times the population standard deviation of the last `window` values; warm-up window - 1."""
    step = _step(window)
    spare = np.empty((5, step + window))
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, window - 1)
        for first in range(lo + window - 1, hi, step):
            last = min(first + step, hi)
            target = out[first:last]
            _moments(values[first - window + 1 : last], window, spare, spare[4, : last - first], target)
            _deviation(target, window, deviations)


@_jit
def zscore(values: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """(value - mean) / population standard deviation of the window; NaN where nothing varied; warm-up window - 1."""
    step = _step(window)
    spare = np.empty((5, step + window))
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, window - 1)
        for first in range(lo + window - 1, hi, step):
            last = min(first + step, hi)
            target, now = out[first:last], values[first:last]
            mean = spare[4, : last - first]
            _moments(values[first - window + 1 : last], window, spare, mean, target)
            _deviation(target, window, 1.0)
            for i in range(target.size):
                target[i] = (now[i] - mean[i]) / target[i]


@_jit
def bollinger(
    values: Floats, offsets: Ints, window: int, deviations: float, upper: Floats, middle: Floats, lower: Floats
) -> None:
    """Mean of the window and the mean plus and minus `deviations` population deviations; warm-up window - 1."""
    step = _step(window)
    spare = np.empty((4, step + window))
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(upper, lo, hi, window - 1)
        _blank(middle, lo, hi, window - 1)
        _blank(lower, lo, hi, window - 1)
        for first in range(lo + window - 1, hi, step):
            last = min(first + step, hi)
            top, mid, bottom = upper[first:last], middle[first:last], lower[first:last]
            _moments(values[first - window + 1 : last], window, spare, mid, top)
            _deviation(top, window, deviations)
            _bands(top, mid, bottom)


@_jit
def yang_zhang(
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    offsets: Ints,
    window: int,
    periods: float,
    out: Floats,
) -> None:
    """Yang-Zhang volatility over the last `window` bars, times sqrt(periods); warm-up `window`.

    Overnight and open-to-close variances have divisor window - 1, the Rogers-Satchell term `window`.
    """
    step = _step(window + 1)
    spare = np.empty((4, step + window))
    gap, day, range_ = np.empty(step + window), np.empty(step + window), np.empty(step + window)
    unused, gap_part, day_part = np.empty(step), np.empty(step), np.empty(step)
    k = 0.34 / (1.34 + (window + 1.0) / (window - 1.0))
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        _blank(out, lo, hi, window)
        for first in range(lo + window, hi, step):
            last = min(first + step, hi)
            start, size = first - window, last - first
            rows = size + window - 1
            for i in range(rows):
                j = start + 1 + i
                top, bottom, move = np.log(high[j] / open_[j]), np.log(low[j] / open_[j]), np.log(close[j] / open_[j])
                gap[i] = np.log(open_[j] / close[j - 1])
                day[i] = move
                range_[i] = top * (top - move) + bottom * (bottom - move)
            target = out[first:last]
            _moments(gap[:rows], window, spare, unused[:size], gap_part[:size])
            _moments(day[:rows], window, spare, unused[:size], day_part[:size])
            _moments(range_[:rows], window, spare, target, unused[:size])
            for i in range(size):
                variance = (gap_part[i] + k * day_part[i]) / (window - 1.0) + (1.0 - k) * target[i]
                target[i] = np.sqrt(max(variance, 0.0) * periods) if variance == variance else np.nan


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
def _scale(values: Floats, factor: float) -> None:
    for i in range(values.size):
        values[i] *= factor


@_part
def _add_scaled(values: Floats, factor: float, out: Floats) -> None:
    for i in range(out.size):
        out[i] += values[i] * factor


@_part
def _deviation(squares: Floats, window: int, deviations: float) -> None:
    """Sums of squares become `deviations` population standard deviations."""
    share = 1.0 / window
    for i in range(squares.size):
        squares[i] = deviations * np.sqrt(squares[i] * share)


@_part
def _bands(reach: Floats, middle: Floats, lower: Floats) -> None:
    """`reach` becomes the upper band."""
    for i in range(middle.size):
        half = reach[i]
        reach[i] = middle[i] + half
        lower[i] = middle[i] - half


@_part
def _moments(values: Floats, window: int, spare: Floats, mean: Floats, squares: Floats) -> None:
    """Mean and sum of squared distances from it of values[i : i + window]; spare (>= 4, >= values.size)."""
    size = mean.size
    done = window & 1
    if done:
        _copy(values[window - 1 :], mean)
        _times_zero(mean, squares)
    if window == 1:
        return
    level, level2, other, other2 = spare[0], spare[1], spare[2], spare[3]
    if window & 2 or window < 4:
        _first_squares(values, level[: size + window - 2], level2)
        span = 2
    else:
        _first_four_squares(values, level[: size + window - 4], level2)
        span = 4
    while True:
        if window & span:
            start = window - done - span
            block, block2 = level[start : start + size], level2[start : start + size]
            if done:
                _blend_squares(block, block2, span / (done + span), done, mean, squares)
            else:
                _copy(block, mean)
                _copy(block2, squares)
            done += span
        if done == window:
            return
        if window & 2 * span or window < 4 * span:
            span *= 2
            _double_squares(level, level2, span // 2, other[: size + window - span], other2)
        else:
            span *= 4
            _quadruple_squares(level, level2, span // 4, other[: size + window - span], other2)
        level, level2, other, other2 = other, other2, level, level2


@_part
def _first_squares(values: Floats, out: Floats, out2: Floats) -> None:
    older, newer = values[: out.size], values[1 : 1 + out.size]
    for i in range(out.size):
        apart = newer[i] - older[i]
        out[i] = 0.5 * (older[i] + newer[i])
        out2[i] = 0.5 * (apart * apart)


@_part
def _blend_squares(older: Floats, older2: Floats, share: float, done: int, mean: Floats, squares: Floats) -> None:
    weight = done * share
    for i in range(mean.size):
        apart = older[i] - mean[i]
        mean[i] += apart * share
        squares[i] += older2[i] + apart * apart * weight


@_part
def _double_squares(level: Floats, level2: Floats, span: int, out: Floats, out2: Floats) -> None:
    rows, half = out.size, 0.5 * span
    older, newer, older2, newer2 = level[:rows], level[span : span + rows], level2[:rows], level2[span : span + rows]
    for i in range(rows):
        apart = newer[i] - older[i]
        out[i] = 0.5 * (older[i] + newer[i])
        out2[i] = older2[i] + newer2[i] + apart * apart * half


@_part
def _first_four_squares(values: Floats, out: Floats, out2: Floats) -> None:
    size = out.size
    a, b, c, d = values[:size], values[1 : 1 + size], values[2 : 2 + size], values[3 : 3 + size]
    for i in range(size):
        left, right, gap, gap2 = 0.5 * (a[i] + b[i]), 0.5 * (c[i] + d[i]), b[i] - a[i], d[i] - c[i]
        apart = right - left
        out[i] = 0.5 * (left + right)
        out2[i] = 0.5 * (gap * gap) + 0.5 * (gap2 * gap2) + apart * apart


@_part
def _quadruple_squares(level: Floats, level2: Floats, span: int, out: Floats, out2: Floats) -> None:
    """Two steps of `_double_squares` in one pass, same order of operations, same bits."""
    n, half, whole = out.size, 0.5 * span, 1.0 * span
    a, b, c, d = level[:n], level[span : span + n], level[2 * span : 2 * span + n], level[3 * span : 3 * span + n]
    a2, b2, c2, d2 = (
        level2[:n],
        level2[span : span + n],
        level2[2 * span : 2 * span + n],
        level2[3 * span : 3 * span + n],
    )
    for i in range(n):
        left, right, gap, gap2 = 0.5 * (a[i] + b[i]), 0.5 * (c[i] + d[i]), b[i] - a[i], d[i] - c[i]
        apart = right - left
        out[i] = 0.5 * (left + right)
        out2[i] = (a2[i] + b2[i] + gap * gap * half) + (c2[i] + d2[i] + gap2 * gap2 * half) + apart * apart * whole


@_part
def _trend(values: Floats, window: int, spare: Floats, mean: Floats, lean: Floats) -> None:
    """Mean, and sum of (bar number - its mean) x value, of values[i : i + window]; spare (>= 4, >= values.size)."""
    size = mean.size
    done = window & 1
    if done:
        _copy(values[window - 1 :], mean)
        _times_zero(mean, lean)
    if window == 1:
        return
    level, level2, other, other2 = spare[0], spare[1], spare[2], spare[3]
    if window & 2 or window < 4:
        _first_lean(values, level[: size + window - 2], level2)
        span = 2
    else:
        _first_four_lean(values, level[: size + window - 4], level2)
        span = 4
    while True:
        if window & span:
            start = window - done - span
            block, block2 = level[start : start + size], level2[start : start + size]
            if done:
                _blend_lean(block, block2, span / (done + span), 0.5 * done * span, mean, lean)
            else:
                _copy(block, mean)
                _copy(block2, lean)
            done += span
        if done == window:
            return
        if window & 2 * span or window < 4 * span:
            span *= 2
            _double_lean(level, level2, span // 2, other[: size + window - span], other2)
        else:
            span *= 4
            _quadruple_lean(level, level2, span // 4, other[: size + window - span], other2)
        level, level2, other, other2 = other, other2, level, level2


@_part
def _first_lean(values: Floats, out: Floats, out2: Floats) -> None:
    older, newer = values[: out.size], values[1 : 1 + out.size]
    for i in range(out.size):
        out[i] = 0.5 * (older[i] + newer[i])
        out2[i] = 0.5 * (newer[i] - older[i])


@_part
def _blend_lean(older: Floats, older2: Floats, share: float, weight: float, mean: Floats, lean: Floats) -> None:
    for i in range(mean.size):
        apart = mean[i] - older[i]
        mean[i] -= apart * share
        lean[i] += older2[i] + apart * weight


@_part
def _double_lean(level: Floats, level2: Floats, span: int, out: Floats, out2: Floats) -> None:
    rows, weight = out.size, 0.5 * span * span
    older, newer, older2, newer2 = level[:rows], level[span : span + rows], level2[:rows], level2[span : span + rows]
    for i in range(rows):
        out[i] = 0.5 * (older[i] + newer[i])
        out2[i] = older2[i] + newer2[i] + (newer[i] - older[i]) * weight


@_part
def _first_four_lean(values: Floats, out: Floats, out2: Floats) -> None:
    size = out.size
    a, b, c, d = values[:size], values[1 : 1 + size], values[2 : 2 + size], values[3 : 3 + size]
    for i in range(size):
        left, right = 0.5 * (a[i] + b[i]), 0.5 * (c[i] + d[i])
        out[i] = 0.5 * (left + right)
        out2[i] = 0.5 * (b[i] - a[i]) + 0.5 * (d[i] - c[i]) + (right - left) * 2.0


@_part
def _quadruple_lean(level: Floats, level2: Floats, span: int, out: Floats, out2: Floats) -> None:
    """Two steps of `_double_lean` in one pass, same order of operations, same bits."""
    n, weight, weight2 = out.size, 0.5 * span * span, 2.0 * span * span
    a, b, c, d = level[:n], level[span : span + n], level[2 * span : 2 * span + n], level[3 * span : 3 * span + n]
    a2, b2, c2, d2 = (
        level2[:n],
        level2[span : span + n],
        level2[2 * span : 2 * span + n],
        level2[3 * span : 3 * span + n],
    )
    for i in range(n):
        left, right = 0.5 * (a[i] + b[i]), 0.5 * (c[i] + d[i])
        first, second = a2[i] + b2[i] + (b[i] - a[i]) * weight, c2[i] + d2[i] + (d[i] - c[i]) * weight
        out[i] = 0.5 * (left + right)
        out2[i] = first + second + (right - left) * weight2
