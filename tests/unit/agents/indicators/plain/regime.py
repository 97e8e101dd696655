"""States of a market, each bar from those before it."""

from __future__ import annotations

import math

import numpy as np
import talib

from data.contracts.arrays import Floats


def _log_returns(close: Floats) -> Floats:
    return np.concatenate([[np.nan], np.log(close[1:] / close[:-1])])


def trend_regime(high: Floats, low: Floats, close: Floats, window: int, threshold: float) -> Floats:
    strength = talib.ADX(high, low, close, window)
    lean = np.sign(talib.PLUS_DI(high, low, close, window) - talib.MINUS_DI(high, low, close, window))
    return np.where(np.isnan(strength), np.nan, np.where(strength >= threshold, lean, 0.0))


def volatility_regime(close: Floats, window: int, history: int, low: float, high: float) -> tuple[Floats, Floats]:
    step = _log_returns(close)
    spread, state, rank = np.full((3, close.size), np.nan)
    for t in range(window, close.size):
        spread[t] = np.std(step[t - window + 1 : t + 1])
    for t in range(window + history, close.size):
        rank[t] = 100.0 * np.mean(spread[t - history : t] < spread[t])
        state[t] = 1.0 if rank[t] >= high else -1.0 if rank[t] <= low else 0.0
    return state, rank


def random_walk_regime(close: Floats, window: int, horizon: int, threshold: float) -> Floats:
    out = np.full(close.size, np.nan)
    deviation = math.sqrt(2.0 * (2 * horizon - 1) * (horizon - 1) / (3.0 * horizon * window))
    for t in range(window, close.size):
        path = np.log(close[t - window : t + 1])
        mean = (path[-1] - path[0]) / window
        single = np.sum((np.diff(path) - mean) ** 2) / (window - 1)
        leaps = path[horizon:] - path[:-horizon] - horizon * mean
        several = np.sum(leaps**2) / (horizon * (window - horizon + 1) * (1.0 - horizon / window))
        z = (several / single - 1.0) / deviation
        out[t] = 1.0 if z >= threshold else -1.0 if z <= -threshold else 0.0
    return out


def market_state(close: Floats, rise: float, fall: float) -> tuple[Floats, Floats]:
    state, extreme = np.empty((2, close.size))
    turned, now = 0, 0.0
    for t in range(close.size):
        since = close[turned : t + 1]
        if now >= 0.0 and close[t] <= since.max() * (1.0 - fall):
            now, turned = -1.0, t
        elif now <= 0.0 and close[t] >= since.min() * (1.0 + rise):
            now, turned = 1.0, t
        since = close[turned : t + 1]
        state[t], extreme[t] = now, since.min() if now < 0.0 else since.max()
    return state, extreme


def underwater(close: Floats) -> tuple[Floats, Floats, Floats]:
    depth, bars, worst = np.empty((3, close.size))
    for t in range(close.size):
        peak = t - int(np.argmax(close[: t + 1][::-1]))
        depth[t], bars[t] = close[t] / close[peak] - 1.0, t - peak
        worst[t] = close[peak : t + 1].min() / close[peak] - 1.0
    return depth, bars, worst


def hidden_regime(close: Floats, calm: float, wild: float, stay_calm: float, stay_wild: float) -> Floats:
    step, out = _log_returns(close), np.full(close.size, np.nan)
    moves = np.array([[stay_calm, 1.0 - stay_calm], [1.0 - stay_wild, stay_wild]])
    belief = np.array([1.0 - stay_wild, 1.0 - stay_calm]) / (2.0 - stay_calm - stay_wild)
    sigma = np.array([calm, wild])
    for t in range(1, close.size):
        if t > 1:
            belief = belief @ moves
        belief = belief * np.exp(-0.5 * (step[t] / sigma) ** 2) / sigma
        belief = belief / belief.sum()
        out[t] = belief[1]
    return out


def cusum_filter(close: Floats, threshold: float) -> Floats:
    step, out = _log_returns(close), np.full(close.size, np.nan)
    up = down = 0.0
    for t in range(1, close.size):
        out[t] = 0.0
        up, down = max(0.0, up + step[t]), min(0.0, down + step[t])
        if down < -threshold:
            down, out[t] = 0.0, -1.0
        elif up > threshold:
            up, out[t] = 0.0, 1.0
    return out


def structural_break(close: Floats, slack: float, threshold: float) -> tuple[Floats, Floats, Floats]:
    """Hinkley's own form: the running sum over its lowest point so far, and its highest point over the other sum."""
    step = _log_returns(close)
    alarm, up, down = np.full((3, close.size), np.nan)
    begun = 1
    rising, falling = [0.0], [0.0]
    for t in range(1, close.size):
        away = step[t] - np.mean(step[begun : t + 1])
        rising.append(rising[-1] + away - slack)
        falling.append(falling[-1] + away + slack)
        up[t], down[t] = rising[-1] - min(rising), max(falling) - falling[-1]
        alarm[t] = 1.0 if up[t] > threshold else -1.0 if down[t] > threshold else 0.0
        if alarm[t]:
            begun, rising, falling = t + 1, [0.0], [0.0]
    return alarm, up, down
