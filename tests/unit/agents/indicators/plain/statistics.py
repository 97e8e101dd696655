"""Statistics of one window at a time, each from its definition."""

from __future__ import annotations

import math

import numpy as np

from data.contracts.arrays import Floats


def _log_returns(close: Floats) -> Floats:
    return np.concatenate([[np.nan], np.log(close[1:] / close[:-1])])


def _returns(close: Floats) -> Floats:
    return np.concatenate([[np.nan], close[1:] / close[:-1] - 1.0])


def hurst(close: Floats, window: int) -> Floats:
    step, out = _log_returns(close), np.full(close.size, np.nan)
    for t in range(window, close.size):
        points = []
        length = window
        while length >= 8:
            ranges = []
            for end in range(t + 1, t + 1 - window + length - 1, -length):
                part = step[end - length : end]
                path = np.concatenate([[0.0], np.cumsum(part - part.mean())])
                ranges.append((path.max() - path.min()) / part.std())
            points.append((math.log(length), math.log(np.mean(ranges))))
            length //= 2
        lengths, spreads = np.array(points).T
        out[t] = np.polyfit(lengths, spreads, 1)[0]
    return out


def fractal_dimension(high: Floats, low: Floats, window: int) -> Floats:
    half, out = window // 2, np.full(high.size, np.nan)
    for t in range(2 * half - 1, high.size):
        newer, older = slice(t - half + 1, t + 1), slice(t - 2 * half + 1, t - half + 1)
        both = slice(t - 2 * half + 1, t + 1)
        n1, n2 = (float(np.ptp([*high[s], *low[s]])) / half for s in (newer, older))
        n3 = float(np.ptp([*high[both], *low[both]])) / (2 * half)
        out[t] = max(1.0, (math.log(n1 + n2) - math.log(n3)) / math.log(2.0))
    return out


def variance_ratio(close: Floats, window: int, horizon: int) -> tuple[Floats, Floats]:
    price, ratio = np.log(close), np.full(close.size, np.nan)
    for t in range(window, close.size):
        path = price[t - window : t + 1]
        mean = (path[-1] - path[0]) / window
        single = sum((path[k] - path[k - 1] - mean) ** 2 for k in range(1, window + 1)) / (window - 1)
        weight = horizon * (window - horizon + 1) * (1.0 - horizon / window)
        several = sum((path[k] - path[k - horizon] - horizon * mean) ** 2 for k in range(horizon, window + 1)) / weight
        ratio[t] = several / single
    deviation = math.sqrt(2.0 * (2 * horizon - 1) * (horizon - 1) / (3.0 * horizon * window))
    return ratio, (ratio - 1.0) / deviation


def half_life(close: Floats, window: int, longest: float) -> Floats:
    out = np.full(close.size, np.nan)
    for t in range(window, close.size):
        before, step = close[t - window : t], np.diff(close[t - window : t + 1])
        slope = np.polyfit(before, step, 1)[0]
        out[t] = min(-math.log(2.0) / slope, longest) if slope < 0.0 else longest
    return out


def bars_since_high(high: Floats, window: int) -> Floats:
    out = np.full(high.size, np.nan)
    for t in range(window - 1, high.size):
        out[t] = np.argmax(high[t - window + 1 : t + 1][::-1])
    return out


def bars_since_low(low: Floats, window: int) -> Floats:
    return bars_since_high(-low, window)


def sharpe(close: Floats, window: int, riskless: float, periods: float) -> Floats:
    step, out = _returns(close), np.full(close.size, np.nan)
    for t in range(window, close.size):
        part = step[t - window + 1 : t + 1] - riskless / periods
        out[t] = part.mean() / part.std(ddof=1) * math.sqrt(periods)
    return out


def sortino(close: Floats, window: int, target: float, periods: float) -> Floats:
    step, out = _returns(close), np.full(close.size, np.nan)
    for t in range(window, close.size):
        part = step[t - window + 1 : t + 1] - target / periods
        short = math.sqrt(sum(x * x for x in part if x < 0.0) / window)
        out[t] = part.mean() / short * math.sqrt(periods)
    return out


def omega(close: Floats, window: int, target: float, periods: float) -> Floats:
    step, out = _returns(close), np.full(close.size, np.nan)
    for t in range(window, close.size):
        part = step[t - window + 1 : t + 1] - target / periods
        out[t] = sum(x for x in part if x > 0.0) / -sum(x for x in part if x < 0.0)
    return out


def alpha(close: Floats, other: Floats, window: int, periods: float) -> Floats:
    mine, market, out = _returns(close), _returns(other), np.full(close.size, np.nan)
    for t in range(window, close.size):
        out[t] = np.polyfit(market[t - window + 1 : t + 1], mine[t - window + 1 : t + 1], 1)[1] * periods
    return out


def tracking_error(close: Floats, other: Floats, window: int, periods: float) -> Floats:
    beyond, out = _returns(close) - _returns(other), np.full(close.size, np.nan)
    for t in range(window, close.size):
        out[t] = np.std(beyond[t - window + 1 : t + 1], ddof=1) * math.sqrt(periods)
    return out


def information_ratio(close: Floats, other: Floats, window: int, periods: float) -> Floats:
    beyond, error = _returns(close) - _returns(other), tracking_error(close, other, window, periods)
    out = np.full(close.size, np.nan)
    for t in range(window, close.size):
        out[t] = np.mean(beyond[t - window + 1 : t + 1]) * periods / error[t]
    return out


def pair_spread(close: Floats, other: Floats, window: int, prices: str) -> tuple[Floats, Floats, Floats]:
    spread, beta, score = np.full((3, close.size), np.nan)
    for t in range(window - 1, close.size):
        x, y = other[t - window + 1 : t + 1], close[t - window + 1 : t + 1]
        if prices == "log":
            x, y = np.log(x), np.log(y)
        beta[t] = np.polyfit(x, y, 1)[0]
        all_spreads = y - beta[t] * x
        spread[t] = all_spreads[-1]
        score[t] = (spread[t] - all_spreads.mean()) / all_spreads.std()
    return spread, beta, score


def turbulence(close: Floats, other: Floats, window: int) -> Floats:
    step, out = np.stack([_returns(close), _returns(other)]), np.full(close.size, np.nan)
    for t in range(window + 1, close.size):
        before = step[:, t - window : t]
        away = step[:, t] - before.mean(axis=1)
        out[t] = away @ np.linalg.solve(np.cov(before, ddof=0), away) / 2.0
    return out
