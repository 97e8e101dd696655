"""Oscillators as their authors define them: bar by bar, nothing shared, nothing clever."""

from __future__ import annotations

import math

import numpy as np

from data.contracts.arrays import Floats


def first_value(line: Floats) -> int:
    return int(np.flatnonzero(~np.isnan(line))[0])


def sma(line: Floats, window: int) -> Floats:
    out = np.full(line.size, np.nan)
    for i in range(first_value(line) + window - 1, line.size):
        out[i] = math.fsum(line[i - window + 1 : i + 1]) / window
    return out


def exponential_mean(line: Floats, window: int, gain: float | None = None) -> Floats:
    out, start = np.full(line.size, np.nan), first_value(line) + window - 1
    out[start] = math.fsum(line[start - window + 1 : start + 1]) / window
    for i in range(start + 1, line.size):
        out[i] = out[i - 1] + (line[i] - out[i - 1]) * (gain or 2.0 / (window + 1))
    return out


def wilder_rsi(close: Floats, window: int) -> Floats:
    steps = np.concatenate([[np.nan], np.diff(close)])
    up, down = (
        exponential_mean(np.maximum(steps, 0.0), window, 1.0 / window),
        exponential_mean(np.maximum(-steps, 0.0), window, 1.0 / window),
    )
    return 100.0 - 100.0 / (1.0 + up / down)


def raw_k(high: Floats, low: Floats, close: Floats, window: int) -> Floats:
    out = np.full(close.size, np.nan)
    for i in range(first_value(high) + window - 1, close.size):
        top, bottom = high[i - window + 1 : i + 1].max(), low[i - window + 1 : i + 1].min()
        out[i] = 100.0 * (close[i] - bottom) / (top - bottom)
    return out


def deviation(close: Floats, window: int) -> Floats:
    out = np.full(close.size, np.nan)
    for i in range(window - 1, close.size):
        bars = close[i - window + 1 : i + 1]
        mean = math.fsum(bars) / window
        out[i] = math.sqrt(math.fsum((x - mean) ** 2 for x in bars) / window)
    return out


def dss_bressert(high: Floats, low: Floats, close: Floats, window: int, smooth: int) -> Floats:
    once = exponential_mean(raw_k(high, low, close, window), smooth)
    return exponential_mean(raw_k(once, once, once, window), smooth)


def premier_stochastic(high: Floats, low: Floats, close: Floats, window: int, smooth: int) -> Floats:
    line = exponential_mean(exponential_mean(0.1 * (raw_k(high, low, close, window) - 50.0), smooth), smooth)
    return (np.exp(line) - 1.0) / (np.exp(line) + 1.0)


def inverse_fisher_rsi(close: Floats, window: int, smooth: int) -> Floats:
    pushed, out = 0.1 * (wilder_rsi(close, window) - 50.0), np.full(close.size, np.nan)
    for i in range(window + smooth - 1, close.size):
        total = math.fsum(pushed[i - age] * (smooth - age) for age in range(smooth))
        out[i] = math.tanh(total / (smooth * (smooth + 1) / 2))
    return out


def dynamic_momentum(
    close: Floats, window: int, volatility_window: int, mean_window: int, shortest: int, longest: int
) -> Floats:
    spread = deviation(close, volatility_window)
    volatility, out = spread / sma(spread, mean_window), np.full(close.size, np.nan)
    for i in range(volatility_window + mean_window - 2 + longest, close.size):
        bars = min(max(int(window / volatility[i]), shortest), longest)
        steps = np.diff(close[i - bars : i + 1])
        up, down = math.fsum(np.maximum(steps, 0.0)), math.fsum(np.maximum(-steps, 0.0))
        out[i] = 100.0 * up / (up + down)
    return out


def inertia(close: Floats, window: int, rvi_window: int, deviation_window: int) -> Floats:
    spread, steps = deviation(close, deviation_window), np.concatenate([[np.nan], np.diff(close)])
    up = exponential_mean(np.where(steps > 0.0, spread, spread * 0.0), rvi_window, 1.0 / rvi_window)
    down = exponential_mean(np.where(steps < 0.0, spread, spread * 0.0), rvi_window, 1.0 / rvi_window)
    index, out = 100.0 * up / (up + down), np.full(close.size, np.nan)
    for i in range(first_value(index) + window - 1, close.size):
        slope, start = np.polyfit(np.arange(window), index[i - window + 1 : i + 1], 1)
        out[i] = start + slope * (window - 1)
    return out
