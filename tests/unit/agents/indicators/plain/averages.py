"""Averages, filters and regression lines as their authors define them: bar by bar, nothing shared, nothing clever."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from data.contracts.arrays import Floats


def weighted(close: Floats, weights: Sequence[float]) -> Floats:
    out = np.full(close.size, np.nan)
    for i in range(len(weights) - 1, close.size):
        bars = close[i - len(weights) + 1 : i + 1]
        out[i] = math.fsum(w * x for w, x in zip(weights, bars, strict=True)) / math.fsum(weights)
    return out


def swma(close: Floats, window: int) -> Floats:
    return weighted(close, [min(i, window + 1 - i) for i in range(1, window + 1)])


def sine_wma(close: Floats, window: int) -> Floats:
    return weighted(close, [math.sin(i * math.pi / (window + 1)) for i in range(1, window + 1)])


def pascal_wma(close: Floats, window: int) -> Floats:
    return weighted(close, [math.comb(window - 1, i) for i in range(window)])


def fibonacci_wma(close: Floats, window: int) -> Floats:
    numbers = [1, 1]
    while len(numbers) < window:
        numbers.append(numbers[-1] + numbers[-2])
    return weighted(close, numbers[:window])


def vidya(close: Floats, window: int, momentum_window: int) -> Floats:
    out = np.full(close.size, np.nan)
    value = close[momentum_window - 1]
    for i in range(momentum_window, close.size):
        steps = [close[j] - close[j - 1] for j in range(i - momentum_window + 1, i + 1)]
        up, down = sum(s for s in steps if s > 0), -sum(s for s in steps if s < 0)
        gain = 2 / (window + 1) * abs((up - down) / (up + down))
        value = gain * close[i] + (1 - gain) * value
        out[i] = value
    return out


def vidya_deviation(close: Floats, fast: int, slow: int, gain: float) -> Floats:
    out = np.full(close.size, np.nan)
    value = close[slow - 2]
    for i in range(slow - 1, close.size):
        k = gain * np.std(close[i - fast + 1 : i + 1]) / np.std(close[i - slow + 1 : i + 1])
        value = k * close[i] + (1 - k) * value
        out[i] = value
    return out


def frama(high: Floats, low: Floats, window: int) -> Floats:
    out = np.full(high.size, np.nan)
    price, half, dimension = (high + low) / 2, window // 2, 1.0
    value = price[window - 2]
    for i in range(window - 1, high.size):
        new, old, whole = slice(i - half + 1, i + 1), slice(i - window + 1, i - half + 1), slice(i - window + 1, i + 1)
        n1 = (high[new].max() - low[new].min()) / half
        n2 = (high[old].max() - low[old].min()) / half
        n3 = (high[whole].max() - low[whole].min()) / window
        if n1 > 0 and n2 > 0 and n3 > 0:
            dimension = (math.log(n1 + n2) - math.log(n3)) / math.log(2)
        alpha = min(max(math.exp(-4.6 * (dimension - 1)), 0.01), 1.0)
        value = alpha * price[i] + (1 - alpha) * value
        out[i] = value
    return out


def mcginley(close: Floats, window: int, factor: float) -> Floats:
    out = np.full(close.size, np.nan)
    value = out[window - 1] = close[:window].mean()
    for i in range(window, close.size):
        value += (close[i] - value) / (factor * window * (close[i] / value) ** 4)
        out[i] = value
    return out


def hwma(close: Floats, level_gain: float, speed_gain: float, bend_gain: float) -> Floats:
    out = np.empty(close.size)
    level, speed, bend = close[0], 0.0, 0.0
    for i, value in enumerate(close):
        f = (1 - level_gain) * (level + speed + 0.5 * bend) + level_gain * value
        v = (1 - speed_gain) * (speed + bend) + speed_gain * (f - level)
        a = (1 - bend_gain) * bend + bend_gain * (v - speed)
        out[i] = f + v + 0.5 * a
        level, speed, bend = f, v, a
    return out


def recurrence(close: Floats, forward: Sequence[float], back: Sequence[float]) -> Floats:
    """y = sum of forward[k] x[k bars ago] + sum of back[k - 1] y[k bars ago]; before the first bar all is close[0]."""
    out = np.empty(close.size)
    for i in range(close.size):
        x = [close[max(i - k, 0)] for k in range(len(forward))]
        y = [out[i - k] if i >= k else close[0] for k in range(1, len(back) + 1)]
        out[i] = sum(b * v for b, v in zip(forward, x, strict=True)) + sum(a * v for a, v in zip(back, y, strict=True))
    return out


def super_smoother(close: Floats, window: int, poles: int) -> Floats:
    assert poles == 2
    a1 = math.exp(-math.sqrt(2) * math.pi / window)
    c2, c3 = 2 * a1 * math.cos(math.sqrt(2) * math.pi / window), -a1 * a1
    c1 = 1 - c2 - c3
    return recurrence(close, [c1 / 2, c1 / 2], [c2, c3])


def super_smoother_3(close: Floats, window: int) -> Floats:
    a1 = math.exp(-math.pi / window)
    b1, c1 = 2 * a1 * math.cos(1.738 * math.pi / window), a1 * a1
    coefficients = [b1 + c1, -(c1 + b1 * c1), c1 * c1]
    return recurrence(close, [1 - sum(coefficients)], coefficients)


def butterworth(close: Floats, window: int, poles: int) -> Floats:
    assert poles == 2
    a1 = math.exp(-math.sqrt(2) * math.pi / window)
    b1 = 2 * a1 * math.cos(math.sqrt(2) * math.pi / window)
    c1 = (1 - b1 + a1 * a1) / 4
    return recurrence(close, [c1, 2 * c1, c1], [b1, -a1 * a1])


def butterworth_3(close: Floats, window: int) -> Floats:
    a1 = math.exp(-math.pi / window)
    b1, c1 = 2 * a1 * math.cos(1.738 * math.pi / window), a1 * a1
    d1 = (1 - b1 + c1) * (1 - c1) / 8
    return recurrence(close, [d1, 3 * d1, 3 * d1, d1], [b1 + c1, -(c1 + b1 * c1), c1 * c1])


def gaussian_filter(close: Floats, window: int, poles: int) -> Floats:
    """Ehlers' four-pole form written out, not four filters in a row."""
    assert poles == 4
    beta = (1 - math.cos(2 * math.pi / window)) / (2 ** (1 / poles) - 1)
    a = -beta + math.sqrt(beta * beta + 2 * beta)
    r = 1 - a
    return recurrence(close, [a**4], [4 * r, -6 * r * r, 4 * r**3, -(r**4)])


def decycler(close: Floats, window: int) -> Floats:
    w = 2 * math.pi / window
    alpha = (math.cos(w) + math.sin(w) - 1) / math.cos(w)
    return recurrence(close, [alpha / 2, alpha / 2], [1 - alpha])


def laguerre_filter(close: Floats, damping: float) -> Floats:
    out = np.empty(close.size)
    stages = [close[0]] * 4
    for i, value in enumerate(close):
        l0 = (1 - damping) * value + damping * stages[0]
        l1 = -damping * l0 + stages[0] + damping * stages[1]
        l2 = -damping * l1 + stages[1] + damping * stages[2]
        l3 = -damping * l2 + stages[2] + damping * stages[3]
        stages = [l0, l1, l2, l3]
        out[i] = (l0 + 2 * l1 + 2 * l2 + l3) / 6
    return out


def kalman(close: Floats, process: float, noise: float) -> Floats:
    out = np.empty(close.size)
    level, variance = close[0], noise
    out[0] = level
    for i in range(1, close.size):
        predicted = variance + process
        gain = predicted / (predicted + noise)
        level = level + gain * (close[i] - level)
        variance = (1 - gain) * predicted
        out[i] = level
    return out


def standard_error(close: Floats, window: int) -> Floats:
    return residual_width(close, window, window - 2)


def residual_width(close: Floats, window: int, divisor: int) -> Floats:
    out = np.full(close.size, np.nan)
    bars = np.arange(window)
    for i in range(window - 1, close.size):
        values = close[i - window + 1 : i + 1]
        slope, start = np.polyfit(bars, values, 1)
        out[i] = math.sqrt(((values - start - slope * bars) ** 2).sum() / divisor)
    return out


def linreg_channel(close: Floats, window: int, deviations: float, width: str) -> tuple[Floats, Floats, Floats]:
    assert width == "residual"
    middle, reach = np.full(close.size, np.nan), deviations * residual_width(close, window, window)
    for i in range(window - 1, close.size):
        middle[i] = np.polyval(np.polyfit(np.arange(window), close[i - window + 1 : i + 1], 1), window - 1)
    return middle + reach, middle, middle - reach


def gmma(close: Floats) -> tuple[Floats, ...]:
    lines = []
    for window in (3, 5, 8, 10, 12, 15, 30, 35, 40, 45, 50, 60):
        line = np.full(close.size, np.nan)
        line[window - 1] = close[:window].mean()
        for i in range(window, close.size):
            line[i] = line[i - 1] + (close[i] - line[i - 1]) * 2 / (window + 1)
        lines.append(line)
    return tuple(lines)
