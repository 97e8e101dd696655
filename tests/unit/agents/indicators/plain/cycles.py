"""Ehlers' filters and oscillators as printed: bar by bar, `x[t - 1]` for his `x[1]`, angles in degrees."""

from __future__ import annotations

import math

import numpy as np

from data.contracts.arrays import Floats


def _sin(degrees: float) -> float:
    return math.sin(math.radians(degrees))


def _cos(degrees: float) -> float:
    return math.cos(math.radians(degrees))


def two_pole_smoother(values: Floats, period: float, first: int, before: float | None) -> Floats:
    """From row `first` on; earlier values are `before`, or the first mean of two bars where that is None."""
    a1 = math.exp(-1.414 * math.pi / period)
    c2, c3 = 2.0 * a1 * _cos(1.414 * 180.0 / period), -a1 * a1
    c1 = 1.0 - c2 - c3
    out = np.full(values.size, np.nan)
    for t in range(first, values.size):
        mean = (values[t] + values[t - 1]) / 2.0
        if before is None and t == first:
            out[t] = mean
            continue
        opening = (values[first] + values[first - 1]) / 2.0 if before is None else before
        one = out[t - 1] if t - 1 >= first else opening
        two = out[t - 2] if t - 2 >= first else opening
        out[t] = c1 * mean + c2 * one + c3 * two
    return out


def cyber_cycle(high: Floats, low: Floats, gain: float) -> tuple[Floats, Floats]:
    price = (high + low) / 2.0
    cycle = np.full(price.size, np.nan)
    smooth = np.full(price.size, np.nan)
    for t in range(2, price.size):
        if t >= 3:
            smooth[t] = (price[t] + 2 * price[t - 1] + 2 * price[t - 2] + price[t - 3]) / 6.0
        if t < 6:
            cycle[t] = (price[t] - 2 * price[t - 1] + price[t - 2]) / 4.0
        else:
            bend = smooth[t] - 2 * smooth[t - 1] + smooth[t - 2]
            cycle[t] = (1 - 0.5 * gain) ** 2 * bend + 2 * (1 - gain) * cycle[t - 1] - (1 - gain) ** 2 * cycle[t - 2]
    cycle[:5] = np.nan  # values of the seed that the kernel does not show
    trigger = np.concatenate([[np.nan], cycle[:-1]])
    return cycle, trigger


def instantaneous_trend(high: Floats, low: Floats, gain: float) -> tuple[Floats, Floats]:
    price = (high + low) / 2.0
    trend = np.full(price.size, np.nan)
    for t in range(2, price.size):
        now, one, two = price[t], price[t - 1], price[t - 2]
        if t < 6:
            trend[t] = (now + 2 * one + two) / 4.0
        else:
            trend[t] = (
                (gain - gain * gain / 4.0) * now
                + 0.5 * gain * gain * one
                - (gain - 0.75 * gain * gain) * two
                + 2 * (1 - gain) * trend[t - 1]
                - (1 - gain) ** 2 * trend[t - 2]
            )
    trend[:3] = np.nan
    trigger = np.full(price.size, np.nan)
    trigger[5:] = 2.0 * trend[5:] - trend[3:-2]
    return trend, trigger


def center_of_gravity(high: Floats, low: Floats, window: int) -> tuple[Floats, Floats]:
    price = (high + low) / 2.0
    out = np.full(price.size, np.nan)
    for t in range(window - 1, price.size):
        top = sum((1 + count) * price[t - count] for count in range(window))
        bottom = sum(price[t - count] for count in range(window))
        out[t] = -top / bottom + (window + 1) / 2.0
    return out, np.concatenate([[np.nan], out[:-1]])


def roofing_filter(close: Floats, slow: int, fast: int) -> Floats:
    angle = 0.707 * 360.0 / slow
    alpha1 = (_cos(angle) + _sin(angle) - 1.0) / _cos(angle)
    high_pass = np.zeros(close.size)
    for t in range(2, close.size):
        high_pass[t] = (
            (1 - alpha1 / 2) ** 2 * (close[t] - 2 * close[t - 1] + close[t - 2])
            + 2 * (1 - alpha1) * high_pass[t - 1]
            - (1 - alpha1) ** 2 * high_pass[t - 2]
        )
    return two_pole_smoother(high_pass, fast, 3, 0.0)


def even_better_sinewave(close: Floats, slow: int, fast: int) -> Floats:
    alpha1 = (1.0 - _sin(360.0 / slow)) / _cos(360.0 / slow)
    high_pass, out = np.zeros(close.size), np.full(close.size, np.nan)
    for t in range(1, close.size):
        high_pass[t] = 0.5 * (1 + alpha1) * (close[t] - close[t - 1]) + alpha1 * high_pass[t - 1]
    filt = two_pole_smoother(high_pass, fast, 2, 0.0)
    for t in range(4, close.size):
        wave = (filt[t] + filt[t - 1] + filt[t - 2]) / 3.0
        power = (filt[t] ** 2 + filt[t - 1] ** 2 + filt[t - 2] ** 2) / 3.0
        out[t] = wave / math.sqrt(power)
    return out


def reflex(close: Floats, window: int) -> Floats:
    filt = two_pole_smoother(close, 0.5 * window, 1, None)
    out, mean_square = np.full(close.size, np.nan), 0.0
    for t in range(window + 1, close.size):
        slope = (filt[t - window] - filt[t]) / window
        total = sum((filt[t] + count * slope) - filt[t - count] for count in range(1, window + 1)) / window
        mean_square = 0.04 * total * total + 0.96 * mean_square
        out[t] = total / math.sqrt(mean_square)
    return out


def trendflex(close: Floats, window: int) -> Floats:
    filt = two_pole_smoother(close, 0.5 * window, 1, None)
    out, mean_square = np.full(close.size, np.nan), 0.0
    for t in range(window + 1, close.size):
        total = sum(filt[t] - filt[t - count] for count in range(1, window + 1)) / window
        mean_square = 0.04 * total * total + 0.96 * mean_square
        out[t] = total / math.sqrt(mean_square)
    return out


def bandpass(close: Floats, window: int, bandwidth: float) -> tuple[Floats, Floats]:
    edge = 0.25 * bandwidth * 360.0 / window
    alpha2 = (_cos(edge) + _sin(edge) - 1.0) / _cos(edge)
    beta1, gamma1 = _cos(360.0 / window), 1.0 / _cos(360.0 * bandwidth / window)
    alpha1 = gamma1 - math.sqrt(gamma1 * gamma1 - 1.0)
    high_pass, line, signal = np.zeros(close.size), np.zeros(close.size), np.full(close.size, np.nan)
    for t in range(1, close.size):
        high_pass[t] = (1 + alpha2 / 2) * (close[t] - close[t - 1]) + (1 - alpha2) * high_pass[t - 1]
    peak = 0.0
    for t in range(3, close.size):
        line[t] = (
            0.5 * (1 - alpha1) * (high_pass[t] - high_pass[t - 2])
            + beta1 * (1 + alpha1) * line[t - 1]
            - alpha1 * line[t - 2]
        )
        peak = max(0.991 * peak, abs(line[t]))
        signal[t] = line[t] / peak
    line[:3] = np.nan
    return line, signal


def correlation_cycle(close: Floats, window: int, calm: float) -> tuple[Floats, Floats, Floats, Floats]:
    real, imaginary, angle, state = np.full((4, close.size), np.nan)
    cosine = np.array([_cos(360.0 * count / window) for count in range(window)])
    sine = np.array([-_sin(360.0 * count / window) for count in range(window)])
    before = None
    for t in range(window - 1, close.size):
        newest_first = close[t - window + 1 : t + 1][::-1]
        real[t] = np.corrcoef(newest_first, cosine)[0, 1]
        imaginary[t] = np.corrcoef(newest_first, sine)[0, 1]
        now = 90.0 + math.degrees(math.atan(real[t] / imaginary[t]))
        if imaginary[t] > 0.0:
            now -= 180.0
        if before is not None and before - now < 270.0 and now < before:
            now = before
        angle[t], state[t] = now, 0.0
        if before is not None and abs(now - before) < calm:
            state[t] = -1.0 if now < 0.0 else 1.0
        before = now
    return real, imaginary, angle, state


def mesa_sine(close: Floats, window: int) -> tuple[Floats, Floats]:
    sine, lead = np.full((2, close.size), np.nan)
    for t in range(window - 1, close.size):
        real = sum(_cos(360.0 * j / window) * close[t - j] for j in range(window))
        imaginary = sum(_sin(360.0 * j / window) * close[t - j] for j in range(window))
        phase = math.degrees(math.atan2(imaginary, real)) + 90.0
        sine[t], lead[t] = _sin(phase), _sin(phase + 45.0)
    return sine, lead
