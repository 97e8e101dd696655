"""Ehlers' later filters and oscillators, and sines fitted to the window. Angles are degrees, periods bars."""

from __future__ import annotations

import math
from typing import Annotated

from agents.indicators.families.averages import sma, wma
from agents.indicators.graph import Line, carried, clip, lag, ratio, rolling, sqrt
from agents.indicators.registry import LONGEST, LongWindow, Range, Window, indicator
from agents.kernels import cycles as kernels

Gain = Annotated[float, Range(0.001, 0.999)]
Cycle = Annotated[int, Range(4, LONGEST)]
_CYBERNETIC = "Ehlers, Cybernetic Analysis for Stocks and Futures (2004)"
_ANALYTICS = "Ehlers, Cycle Analytics for Traders (2013)"


@indicator(family="cycles", unit="move", outputs=("cycle", "trigger"), source=f"{_CYBERNETIC}, ch. 4")
def cyber_cycle(high: Line, low: Line, gain: Gain = 0.07) -> tuple[Line, ...]:
    """Cyber cycle: a high-pass filter that keeps the cycle and drops the trend, and its value one bar ago.

    Formula: s = (p + 2 p[1] + 2 p[2] + p[3]) / 6, p = (high + low) / 2; cycle = (1 - g / 2)^2 (s - 2 s[1] + s[2])
    + 2 (1 - g) cycle[1] - (1 - g)^2 cycle[2]; seeded with (p - 2 p[1] + p[2]) / 4 up to the sixth bar.
    """
    price = (high + low) / 2.0
    smooth = (price + lag(price, 1) * 2.0 + lag(price, 2) * 2.0 + lag(price, 3)) / 6.0
    seed = _bend(price) / 4.0
    push = _bend(smooth) * (1.0 - gain / 2.0) ** 2
    cycle = _two_pole(push * 0.0, push, seed, lag(seed, 1), 1, 2.0 * (1.0 - gain), -((1.0 - gain) ** 2))
    trigger = lag(cycle, 1)
    return cycle, trigger


@indicator(family="cycles", unit="price", outputs=("trend", "trigger"), source=f"{_CYBERNETIC}, ch. 3")
def instantaneous_trend(high: Line, low: Line, gain: Gain = 0.07) -> tuple[Line, ...]:
    """Instantaneous trend line: a two-pole average without lag in a steady trend, and a trigger that runs ahead.

    Formula: t = (g - g^2 / 4) p + g^2 / 2 p[1] - (g - 3 g^2 / 4) p[2] + 2 (1 - g) t[1] - (1 - g)^2 t[2],
    p = (high + low) / 2; seeded with (p + 2 p[1] + p[2]) / 4 up to the sixth bar; trigger = 2 t - t[2].
    """
    price = (high + low) / 2.0
    seed = (price + lag(price, 1) * 2.0 + lag(price, 2)) / 4.0
    push = (lag(price, 1) - price) * (gain * gain / 2.0) - (lag(price, 2) - price) * (gain - 0.75 * gain * gain)
    trend = _two_pole(price, push, seed, lag(seed, 1), 3, 2.0 * (1.0 - gain), -((1.0 - gain) ** 2))
    return trend, trend * 2.0 - lag(trend, 2)


@indicator(
    family="cycles",
    unit="none",
    outputs=("cg", "trigger"),
    source=f"Ehlers, The CG Oscillator, TASC (May 2002); {_CYBERNETIC}, ch. 5",
)
def center_of_gravity(high: Line, low: Line, window: Window = 10) -> tuple[Line, ...]:
    """Center of gravity of the window's prices: turns with almost no lag; and its value one bar ago.

    Formula: (window + 1) / 2 - sum((i + 1) p[i]) / sum(p[i]), p = (high + low) / 2, i = 0 the newest.

    The form of 2004, which swings about 0; TradingView's ta.cog leaves (window + 1) / 2 out.
    """
    price = (high + low) / 2.0
    line = (ratio(wma(price, window), sma(price, window), otherwise=1.0) - 1.0) * ((window + 1.0) / 2.0)
    return line, lag(line, 1)


@indicator(family="cycles", unit="move", source=f"{_ANALYTICS}, ch. 7")
def roofing_filter(close: Line, slow: Cycle = 48, fast: Cycle = 10) -> Line:
    """Roofing filter: what cycles between `fast` and `slow` bars, by a two-pole high-pass and a super smoother.

    Formula: SuperSmoother(fast) of the high-pass h = (1 - a / 2)^2 (p - 2 p[1] + p[2]) + 2 (1 - a) h[1]
    - (1 - a)^2 h[2], a = (cos w + sin w - 1) / cos w, w = 0.707 * 360 / slow degrees. Filters begin at 0.
    """
    turn = 0.707 * 2.0 * math.pi / slow
    part = (math.cos(turn) + math.sin(turn) - 1.0) / math.cos(turn)
    push = _bend(close) * (1.0 - part / 2.0) ** 2
    return _super_smooth(_from_zero(push, 2.0 * (1.0 - part), -((1.0 - part) ** 2)), float(fast), from_zero=True)


@indicator(family="cycles", unit="none", bounds=(-1.0, 1.0), source=f"{_ANALYTICS}, ch. 12")
def even_better_sinewave(close: Line, slow: Annotated[int, Range(5, LONGEST)] = 40, fast: Cycle = 10) -> Line:
    """Even better sinewave: near 1 in an upswing or trend, near -1 in a downswing; 0 where nothing moves.

    Formula: w / sqrt(q), w and q means of f and f^2 over three bars, f = SuperSmoother(fast) of the one-pole high-pass
    h = (1 + a) / 2 (p - p[1]) + a h[1], a = (1 - sin(360 / slow)) / cos(360 / slow).
    """
    turn = 2.0 * math.pi / slow
    part = (1.0 - math.sin(turn)) / math.cos(turn)
    step = (close - lag(close, 1)) * (0.5 * (1.0 + part))
    wave = _super_smooth(_from_zero(step, part, 0.0), float(fast), from_zero=True)
    return clip(ratio(sma(wave, 3), sqrt(sma(wave * wave, 3)), otherwise=0.0), -1.0, 1.0)


@indicator(family="cycles", unit="none", source="Ehlers, Reflex: A New Zero-Lag Indicator, TASC (February 2020)")
def reflex(close: Line, window: LongWindow = 20) -> Line:
    """Reflex: how the smoothed price bends away from the line across the window, in its own root mean squares.

    Formula: s = mean over i of (f + i * slope - f[i]), slope = (f[window] - f) / window, f = SuperSmoother(window / 2);
    s / sqrt(m), m = 0.04 s^2 + 0.96 m[1]. 0 where nothing moves.
    """
    smooth = _super_smooth(close, window / 2.0)
    slope = (lag(smooth, window) - smooth) / window
    return _in_deviations(smooth + slope * ((window + 1.0) / 2.0) - sma(lag(smooth, 1), window))


@indicator(family="cycles", unit="none", source="Ehlers, Reflex: A New Zero-Lag Indicator, TASC (February 2020)")
def trendflex(close: Line, window: LongWindow = 20) -> Line:
    """Trendflex: how far the smoothed price stands from its own past, the trend left in, in root mean squares.

    Formula: s = mean over i of (f - f[i]), f = SuperSmoother(window / 2); s / sqrt(m), m = 0.04 s^2 + 0.96 m[1].
    0 where nothing moves.
    """
    smooth = _super_smooth(close, window / 2.0)
    return _in_deviations(smooth - sma(lag(smooth, 1), window))


@indicator(
    family="cycles",
    unit=("move", "none"),
    outputs=("bandpass", "signal"),
    source=f"{_ANALYTICS}, ch. 5",
)
def bandpass(close: Line, window: Cycle = 20, bandwidth: Annotated[float, Range(0.01, 0.9)] = 0.3) -> tuple[Line, ...]:
    """Band-pass filter around a cycle of `window` bars, and the same scaled by its fading peak to -1 … 1.

    Formula: b = (1 - a) / 2 (h - h[2]) + c (1 + a) b[1] - a b[2], c = cos(360 / window), a = g - sqrt(g^2 - 1),
    g = 1 / cos(360 * bandwidth / window); h a one-pole high-pass of 4 window / bandwidth bars;
    signal = b / peak, peak = max(0.991 peak[1], |b|). 0 where nothing moves.
    """
    turn = 2.0 * math.pi / window
    edge = 0.25 * bandwidth * turn
    part = (math.cos(edge) + math.sin(edge) - 1.0) / math.cos(edge)
    high_pass = _from_zero((close - lag(close, 1)) * (1.0 + part / 2.0), 1.0 - part, 0.0)
    width = 1.0 / math.cos(bandwidth * turn)
    damping = width - math.sqrt(width * width - 1.0)
    push = (high_pass - lag(high_pass, 2)) * (0.5 * (1.0 - damping))
    line = _from_zero(push, math.cos(turn) * (1.0 + damping), -damping)
    top = carried(kernels.peak, line, 0.991, carry=2, guarded=True)
    return line, ratio(line, top, otherwise=0.0)


@indicator(
    family="cycles",
    unit="none",
    outputs=("real", "imaginary", "angle", "state"),
    bounds=(-180.0, 360.0),
    source="Ehlers, Correlation As A Cycle Indicator, TASC (June 2020)",
)
def correlation_cycle(
    close: Line, window: Annotated[int, Range(3, LONGEST)] = 20, calm: Annotated[float, Range(0.0, 90.0)] = 9.0
) -> tuple[Line, ...]:
    """Correlation of the price with a cosine and a negative sine, the angle of the two, and the market's state.

    Formula: real = corr(p, cos), imaginary = corr(p, -sin), waves of `window` bars from the newest back;
    angle = 90 + atan(real / imaginary), less 180 where imaginary > 0, and it never turns back except by 270 or more;
    state = 1 (angle >= 0) or -1 while the angle moves by less than `calm` degrees per bar, else 0: a cycle.
    """
    squares, cosine, sine = rolling(kernels.sine_moments, close, window, reach=window - 1, outputs=3, guarded=True)
    size = sqrt(squares * (0.5 * window))
    real, imaginary = (clip(ratio(part, size, otherwise=0.0), -1.0, 1.0) for part in (cosine, -sine))
    angle, state = carried(kernels.forward_angle, real, imaginary, calm, carry=2, outputs=2, guarded=True)
    return real, imaginary, angle, state


@indicator(
    family="cycles",
    unit="none",
    outputs=("sine", "lead"),
    bounds=(-1.0, 1.0),
    source="Ehlers, MESA sine wave; Tulip msw",
)
def mesa_sine(close: Line, window: Annotated[int, Range(3, LONGEST)] = 5) -> tuple[Line, ...]:
    """Sine of the phase of a cycle of `window` bars in the price, and the sine 45 degrees ahead; 0 where it is flat.

    Formula: phase = atan2(sum sin * p, sum cos * p) + 90; sin(phase), sin(phase + 45); waves from the newest bar back.

    Tulip's msw has pi cut to 3.1415926, which shows in the fourth digit while the cycle is weak.
    """
    _, cosine, sine = rolling(kernels.sine_moments, close, window, reach=window - 1, outputs=3, guarded=True)
    size = sqrt(cosine * cosine + sine * sine)
    lead = (cosine - sine) * math.sqrt(0.5)
    return (
        clip(ratio(cosine, size, otherwise=0.0), -1.0, 1.0),
        clip(ratio(lead, size, otherwise=0.0), -1.0, 1.0),
    )


def _bend(line: Line) -> Line:
    return line - lag(line, 1) * 2.0 + lag(line, 2)


def _two_pole(level: Line, push: Line, first: Line, before: Line, seeds: int, one: float, two: float) -> Line:
    return carried(kernels.two_pole, level, push, first, before, seeds, one, two, carry=3)


def _from_zero(push: Line, one: float, two: float) -> Line:
    """y = push + one y[1] + two y[2], nothing before the first push."""
    zero = push * 0.0
    return _two_pole(zero, push, push, zero, 1, one, two)


def _super_smooth(line: Line, period: float, *, from_zero: bool = False) -> Line:
    """Ehlers' two-pole super smoother of the mean of two bars; it begins at its first input, or at 0."""
    decay = math.exp(-1.414 * math.pi / period)
    one, two = 2.0 * decay * math.cos(1.414 * math.pi / period), -decay * decay
    mean = (line + lag(line, 1)) / 2.0
    if from_zero:
        return _from_zero(mean * (1.0 - one - two), one, two)
    return _two_pole(mean, mean * 0.0, mean, mean, 1, one, two)


def _in_deviations(line: Line) -> Line:
    """Over the root of its fading mean square, which begins at 0."""
    square = line * line
    return ratio(line, sqrt(_from_zero(square * 0.04, 0.96, 0.0)), otherwise=0.0)
