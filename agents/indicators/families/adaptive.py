"""Averages that adapt to the price, and the filters of signal processing: all remember the whole history."""

from __future__ import annotations

import math
from typing import Annotated

from agents.indicators.families.averages import sma
from agents.indicators.families.basics import highest, lowest, median_price
from agents.indicators.families.volatility import stddev
from agents.indicators.graph import Line, carried, change, lag, maximum, ratio
from agents.indicators.registry import LONGEST, Range, Window, indicator
from agents.kernels import adaptive
from data.contracts.errors import InvalidInput

Gain = Annotated[float, Range(0.0, 1.0)]
Period = Annotated[int, Range(3, LONGEST, ("timeperiod", "period"))]
Poles = Annotated[int, Range(2, 3)]


@indicator(
    family="trend",
    unit="price",
    source="Chande and Kroll, The New Technical Trader (1994), with the Chande momentum oscillator",
)
def vidya(
    close: Line, window: Window = 14, momentum_window: Annotated[int, Range(1, LONGEST, ("cmo_window",))] = 9
) -> Line:
    """Variable index dynamic average: an exponential average whose gain follows the momentum oscillator.

    Formula: v += (value - v) * 2 / (window + 1) * |CMO(momentum_window)| / 100.

    Begins with the value before its first bar. Where nothing moved the oscillator is 0 and the average stands still.
    `vidya_deviation` is the earlier form of 1992.
    """
    step = change(close)
    rise, fall = sma(maximum(step, 0.0), momentum_window), sma(maximum(-step, 0.0), momentum_window)
    gain = abs(ratio(rise - fall, rise + fall, otherwise=0.0)) * (2.0 / (window + 1.0))
    return carried(adaptive.follow, close, lag(close, 1), gain, carry=2)


def _fast_below_slow(fast: int, slow: int, gain: float) -> None:
    if fast >= slow:
        raise InvalidInput(
            f"vidya_deviation fast must be below slow, not {fast} and {slow}", indicator="vidya_deviation"
        )


@indicator(
    family="trend",
    unit="price",
    check=_fast_below_slow,
    source="Chande, Technical Analysis of Stocks & Commodities 10:3 (1992); Tulip vidya",
)
def vidya_deviation(
    close: Line,
    fast: Annotated[int, Range(1, LONGEST, ("short_period",))] = 9,
    slow: Annotated[int, Range(2, LONGEST, ("long_period",))] = 30,
    gain: Annotated[float, Range(0.0, 1.0, ("alpha",))] = 0.2,
) -> Line:
    """Variable index dynamic average in its first form: the gain follows short over long standard deviation.

    Formula: v += (value - v) * gain * stddev(fast) / stddev(slow).

    Begins with the value before its first bar (Tulip also emits that one). Where the long window did not vary the
    average stands still.
    """
    share = ratio(stddev(close, fast), stddev(close, slow), otherwise=0.0)
    return carried(adaptive.follow, close, lag(close, 1), share * gain, carry=2)


@indicator(
    family="trend",
    unit="price",
    source="Ehlers, Fractal Adaptive Moving Average, Technical Analysis of Stocks & Commodities 23:10 (2005)",
)
def frama(high: Line, low: Line, window: Annotated[int, Range(2, LONGEST, ("timeperiod",))] = 16) -> Line:
    """Fractal adaptive moving average: fast where the price runs in a line, slow where it fills its range.

    Formula: f += (price - f) * exp(-4.6 * (D - 1)), held between 0.01 and 1; price = (high + low) / 2,
    D = (ln(N1 + N2) - ln(N3)) / ln(2), N1 and N2 the ranges per bar of the two halves of the window, N3 of all of it.

    Begins with the price before its first bar. Where a range is 0 the dimension D stays what it was. Both halves have
    window // 2 bars.
    """
    half = window // 2
    top, bottom, price = highest(high, half), lowest(low, half), median_price(high, low)
    newer, older = (top - bottom) / half, (lag(top, half) - lag(bottom, half)) / half
    whole = (highest(high, 2 * half) - lowest(low, 2 * half)) / (2 * half)
    return carried(adaptive.frama, price, lag(price, 1), newer, older, whole, carry=3)


@indicator(
    family="trend",
    unit="mixed",
    source="McGinley, Journal of Technical Analysis (1997); factor as Stock.Indicators GetDynamic",
)
def mcginley(close: Line, window: Window = 14, factor: Annotated[float, Range(0.01, 100.0)] = 0.6) -> Line:
    """McGinley dynamic: an average that speeds up when the price falls away from it and slows down when it rises.

    Formula: m += (value - m) / (factor * window * (value / m)^4).

    Seeded with the simple average of the first `window` values. The divisor is held at 1 and above: without that a fall
    to half the average would make it overshoot the price. factor = 1 is McGinley's own form and TradingView's, 0.6
    the usual correction that makes `window` comparable with a simple average.
    """
    return carried(adaptive.mcginley, close, sma(close, window), window, factor, carry=2)


@indicator(family="trend", unit="price", source="Holt (1957), Winters (1960); pandas-ta hwma")
def hwma(close: Line, level_gain: Gain = 0.2, speed_gain: Gain = 0.1, bend_gain: Gain = 0.1) -> Line:
    """Holt-Winters moving average: level, speed and acceleration of the price, each smoothed exponentially.

    Formula: F = (1 - a)(F + V + A/2) + a * value; V = (1 - b)(V + A) + b (F - F before);
    A = (1 - c) A + c (V - V before); result F + V + A/2.

    Begins at the first value without speed; there is no warm-up.
    """
    return carried(adaptive.holt_winters, close, level_gain, speed_gain, bend_gain, carry=4)


@indicator(
    family="trend", unit="price", source="Ehlers, Cycle Analytics for Traders (2013), ch. 3; Cybernetic Analysis (2004)"
)
def super_smoother(close: Line, window: Period = 20, poles: Poles = 2) -> Line:
    """Ehlers' super smoother: takes out cycles shorter than `window` bars with less lag than an average.

    Formula: two poles y = c (x + x[1]) / 2 + b y[1] - a^2 y[2], a = exp(-sqrt(2) pi / window),
    b = 2 a cos(sqrt(2) pi / window), c = 1 - b + a^2; three poles y = c x + the feedback of `butterworth`.

    The price is taken to have stood at its first value before the first bar, so there is no warm-up.
    """
    if poles == 3:
        share, second, third = _three_poles(window)
        return _low_pass(close, (share,), second, third)
    share, second = _two_poles(window)
    return _low_pass(close, (share / 2.0, share / 2.0), second)


@indicator(family="trend", unit="price", source="Ehlers, Cybernetic Analysis for Stocks and Futures (2004), ch. 13")
def butterworth(close: Line, window: Period = 20, poles: Poles = 2) -> Line:
    """Butterworth low-pass filter: takes out cycles shorter than `window` bars, flat for the longer ones.

    Formula: two poles y = (1 - b + a^2) (x + 2 x[1] + x[2]) / 4 + b y[1] - a^2 y[2], a and b as in `super_smoother`;
    three poles y = (1 - b + c)(1 - c)(x + 3 x[1] + 3 x[2] + x[3]) / 8 + (b + c) y[1] - (c + b c) y[2] + c^2 y[3],
    a = exp(-pi / window), b = 2 a cos(1.738 pi / window), c = a^2.

    The price is taken to have stood at its first value before the first bar, so there is no warm-up. 1.738 is what
    Ehlers prints and everybody uses, where the filter of the textbook has sqrt(3).
    """
    if poles == 3:
        share, second, third = _three_poles(window)
        return _low_pass(close, (share / 8.0, 3.0 * share / 8.0, 3.0 * share / 8.0, share / 8.0), second, third)
    share, second = _two_poles(window)
    return _low_pass(close, (share / 4.0, share / 2.0, share / 4.0), second)


@indicator(
    family="trend",
    unit="price",
    source="Ehlers, Gaussian and Other Low Lag Filters (2001)",
)
def gaussian_filter(close: Line, window: Period = 20, poles: Annotated[int, Range(1, 4)] = 4) -> Line:
    """Gaussian filter: exponential averages in a row that together take out cycles shorter than `window` bars.

    Formula: `poles` times y += (x - y) a, a = -b + sqrt(b^2 + 2 b), b = (1 - cos(2 pi / window)) / (2^(1/poles) - 1).

    The price is taken to have stood at its first value before the first bar, so there is no warm-up.
    """
    bend = (1.0 - math.cos(2.0 * math.pi / window)) / (2.0 ** (1.0 / poles) - 1.0)
    gain = -bend + math.sqrt(bend * bend + 2.0 * bend)
    line = close
    for _ in range(poles):
        line = _low_pass(line, (gain,))
    return line


@indicator(
    family="trend",
    unit="price",
    source="Ehlers, Decyclers, Technical Analysis of Stocks & Commodities 33:9 (2015)",
)
def decycler(close: Line, window: Annotated[int, Range(3, LONGEST, ("hp_period",))] = 60) -> Line:
    """Ehlers' simple decycler: the price without the cycles shorter than `window` bars, nearly without lag.

    Formula: y = a (x + x[1]) / 2 + (1 - a) y[1], a = (cos w + sin w - 1) / cos w, w = 2 pi / window.

    The price is taken to have stood at its first value before the first bar, so there is no warm-up.
    """
    angle = 2.0 * math.pi / window
    gain = 1.0 - math.cos(angle) / (1.0 + math.sin(angle))  # the same, without 0 / 0 at 4 bars
    return _low_pass(close, (gain / 2.0, gain / 2.0))


@indicator(family="trend", unit="price", source="Ehlers, Time Warp - Without Space Travel (2002)")
def laguerre_filter(close: Line, damping: Annotated[float, Range(0.0, 0.999, ("gamma",))] = 0.8) -> Line:
    """Laguerre filter: a short weighted average whose low frequencies are delayed more than its high ones.

    Formula: L0 = (1 - g) x + g L0[1]; Lk = -g L(k-1) + L(k-1)[1] + g Lk[1], k = 1, 2, 3;
    (L0 + 2 L1 + 2 L2 + L3) / 6, g = damping.

    The price is taken to have stood at its first value before the first bar, so there is no warm-up.
    """
    return carried(adaptive.laguerre, close, damping, carry=5)


@indicator(family="trend", unit="price", source="Kalman, Journal of Basic Engineering 82 (1960); local level model")
def kalman(
    close: Line,
    process: Annotated[float, Range(1e-12, 1e12)] = 0.01,
    noise: Annotated[float, Range(1e-12, 1e12)] = 1.0,
) -> Line:
    """Kalman filter of a level that wanders and is seen with noise; only the ratio of the two variances matters.

    Formula: P += process; K = P / (P + noise); level += K (value - level); P *= 1 - K.

    Begins at the first value with P = noise. K soon settles, and from then on this is an exponential average.
    """
    return carried(adaptive.kalman, close, process, noise, carry=3)


def _low_pass(line: Line, forward: tuple[float, ...], second: float = 0.0, third: float = 0.0) -> Line:
    """Weights of x, x[1] … and of y[2], y[3]; that of y[1] makes their sum 1."""
    padded = (*forward, 0.0, 0.0, 0.0)[:4]
    return carried(adaptive.low_pass, line, *padded, second, third, carry=7)


def _two_poles(window: int) -> tuple[float, float]:
    """Weights of the input and of y[2]."""
    angle = math.sqrt(2.0) * math.pi / window
    decay = math.exp(-angle)
    return 1.0 - 2.0 * decay * math.cos(angle) + decay * decay, -decay * decay


def _three_poles(window: int) -> tuple[float, float, float]:
    """Weights of the input, of y[2] and of y[3]."""
    decay = math.exp(-math.pi / window)
    feedback, square = 2.0 * decay * math.cos(1.738 * math.pi / window), decay * decay
    return (1.0 - feedback + square) * (1.0 - square), -(square + feedback * square), square * square
