"""Trend indicators and stops as their authors define them, one bar at a time and without haste."""

from __future__ import annotations

import math

import numpy as np

from data.contracts.arrays import Floats


def random_walk_index(high: Floats, low: Floats, close: Floats, *, window: int) -> tuple[Floats, Floats]:
    ranges = _true_ranges(high, low, close)
    up, down = _blank(close), _blank(close)
    for t in range(window, close.size):
        units = {n: np.mean(ranges[t - n + 1 : t + 1]) * math.sqrt(n) for n in range(2, window + 1)}
        up[t] = max((high[t] - low[t - n]) / unit for n, unit in units.items())
        down[t] = max((high[t - n] - low[t]) / unit for n, unit in units.items())
    return up, down


def trend_intensity(close: Floats, *, window: int, smooth: int) -> Floats:
    away = close - _sma(close, window)
    out = _blank(close)
    for t in range(window + smooth - 2, close.size):
        last = away[t - smooth + 1 : t + 1]
        out[t] = 100.0 * last[last > 0].sum() / np.abs(last).sum()
    return out


def polarized_fractal_efficiency(close: Floats, *, window: int, smooth: int) -> Floats:
    raw = _blank(close)
    for t in range(window, close.size):
        path = sum(math.hypot(close[k] - close[k - 1], 1.0) for k in range(t - window + 1, t + 1))
        moved = close[t] - close[t - window]
        raw[t] = np.sign(moved) * 100.0 * math.hypot(moved, window) / path
    return _ema(raw, smooth)


def kst(
    close: Floats,
    *,
    roc1: int,
    roc2: int,
    roc3: int,
    roc4: int,
    smooth1: int,
    smooth2: int,
    smooth3: int,
    smooth4: int,
    signal: int,
) -> tuple[Floats, Floats]:
    rates = [(close / _before(close, bars) - 1.0) * 100.0 for bars in (roc1, roc2, roc3, roc4)]
    means = [_sma(rate, bars) for rate, bars in zip(rates, (smooth1, smooth2, smooth3, smooth4), strict=True)]
    line = 1.0 * means[0] + 2.0 * means[1] + 3.0 * means[2] + 4.0 * means[3]
    return line, _sma(line, signal)


def stc(close: Floats, *, window: int, fast: int, slow: int, factor: float) -> Floats:
    line = _ema(close, fast) - _ema(close, slow)
    for _ in range(2):
        smoothed, place, level = _blank(close), 0.0, math.nan
        for t in range(_first(line) + window - 1, close.size):
            last = line[t - window + 1 : t + 1]
            if last.max() > last.min():
                place = 100.0 * (line[t] - last.min()) / (last.max() - last.min())
            level = place if math.isnan(level) else level + factor * (place - level)
            smoothed[t] = level
        line = smoothed
    return line


def elder_impulse(close: Floats, *, window: int, fast: int, slow: int, signal: int) -> Floats:
    trend = _ema(close, window)
    slow_mean = _ema(close, slow)
    late = close.copy()
    late[: slow - fast] = math.nan  # both averages of the MACD have their first value together
    line = _ema(late, fast) - slow_mean
    hist = line - _ema(line, signal)
    out = _blank(close)
    for t in range(_first(hist) + 1, close.size):
        rising = trend[t] > trend[t - 1] and hist[t] > hist[t - 1]
        falling = trend[t] < trend[t - 1] and hist[t] < hist[t - 1]
        out[t] = 1.0 if rising else -1.0 if falling else 0.0
    return out


def ttm_squeeze(
    high: Floats, low: Floats, close: Floats, *, window: int, deviations: float, multiplier: float
) -> tuple[Floats, Floats]:
    ranges = _true_ranges(high, low, close)
    on, momentum, away = _blank(close), _blank(close), _blank(close)
    for t in range(window - 1, close.size):
        now = slice(t - window + 1, t + 1)
        away[t] = close[t] - ((high[now].max() + low[now].min()) / 2.0 + close[now].mean()) / 2.0
        if t >= window:
            half_bollinger, half_keltner = deviations * close[now].std(), multiplier * ranges[now].mean()
            on[t] = 1.0 if half_bollinger < half_keltner else 0.0
        if t >= 2 * window - 2:
            slope, start = np.polyfit(np.arange(window), away[now], 1)
            momentum[t] = start + slope * (window - 1)
    return on, momentum


def wavetrend(
    high: Floats, low: Floats, close: Floats, *, window: int, smooth: int, signal: int
) -> tuple[Floats, Floats]:
    typical = (high + low + close) / 3.0
    away = typical - _ema(typical, window)
    first = _ema(away / (0.015 * _ema(np.abs(away), window)), smooth)
    return first, _sma(first, signal)


def atr_trailing_stop(
    high: Floats, low: Floats, close: Floats, *, window: int, multiplier: float
) -> tuple[Floats, Floats]:
    loss = multiplier * _atr(high, low, close, window)
    stop, side = _blank(close), _blank(close)
    for t in range(window, close.size):
        before = stop[t - 1]
        if t == window:
            stop[t] = close[t] - loss[t]
        elif close[t] > before and close[t - 1] > before:
            stop[t] = max(before, close[t] - loss[t])
        elif close[t] < before and close[t - 1] < before:
            stop[t] = min(before, close[t] + loss[t])
        else:
            stop[t] = close[t] - loss[t] if close[t] > before else close[t] + loss[t]
        side[t] = 1.0 if close[t] >= stop[t] else -1.0
    return stop, side


def volatility_stop(
    high: Floats, low: Floats, close: Floats, *, window: int, multiplier: float
) -> tuple[Floats, Floats]:
    loss = multiplier * _atr(high, low, close, window)
    stop, side = _blank(close), _blank(close)
    rising, since = True, window
    for t in range(window, close.size):
        closes = close[since : t + 1]
        if rising:
            stop[t] = np.fmax(stop[t - 1] if t > since else math.nan, closes.max() - loss[t])
        else:
            stop[t] = np.fmin(stop[t - 1] if t > since else math.nan, closes.min() + loss[t])
        if rising != bool(close[t] >= stop[t]):
            rising, since = not rising, t
            stop[t] = close[t] - loss[t] if rising else close[t] + loss[t]
        side[t] = 1.0 if rising else -1.0
    return stop, side


def chandelier_exit(
    high: Floats, low: Floats, close: Floats, *, window: int, multiplier: float
) -> tuple[Floats, Floats]:
    loss = multiplier * _atr(high, low, close, window)
    return _highest(high, window) - loss, _lowest(low, window) + loss


def chande_kroll_stop(
    high: Floats, low: Floats, close: Floats, *, window: int, multiplier: float, smooth: int
) -> tuple[Floats, Floats]:
    loss = multiplier * _atr(high, low, close, window)
    return _highest(_highest(high, window) - loss, smooth), _lowest(_lowest(low, window) + loss, smooth)


def gann_hilo(high: Floats, low: Floats, close: Floats, *, window: int) -> tuple[Floats, Floats]:
    value, side = _blank(close), _blank(close)
    direction = 1.0
    for t in range(window, close.size):
        top, bottom = high[t - window : t].mean(), low[t - window : t].mean()
        if close[t] > top:
            direction = 1.0
        elif close[t] < bottom:
            direction = -1.0
        value[t], side[t] = bottom if direction > 0 else top, direction
    return value, side


def half_trend(
    high: Floats, low: Floats, close: Floats, *, window: int, multiplier: float, atr_window: int
) -> tuple[Floats, ...]:
    line, side = _blank(close), _blank(close)
    trend, up, down = 0, math.nan, math.nan
    for t in range(window - 1, close.size):
        now = slice(t - window + 1, t + 1)
        top, bottom = high[now].max(), low[now].min()
        if t == window - 1:
            max_low, min_high, up = bottom, top, bottom
        elif trend == 0:
            max_low = max(max_low, bottom)
            if high[now].mean() < max_low and close[t] < low[t - 1]:
                trend, min_high, down = 1, top, up
            else:
                up = max(up, max_low)
        else:
            min_high = min(min_high, top)
            if low[now].mean() > min_high and close[t] > high[t - 1]:
                trend, max_low, up = 0, bottom, down
            else:
                down = min(down, min_high)
        line[t], side[t] = (down, -1.0) if trend else (up, 1.0)
    reach = multiplier * _atr(high, low, close, atr_window) / 2.0
    return line, side, line + reach, line - reach


def _blank(like: Floats) -> Floats:
    return np.full(like.size, np.nan)


def _first(values: Floats) -> int:
    return int(np.flatnonzero(~np.isnan(values))[0])


def _before(values: Floats, bars: int) -> Floats:
    return np.concatenate([np.full(bars, np.nan), values[:-bars]])


def _sma(values: Floats, window: int) -> Floats:
    return np.array(
        [values[max(t - window + 1, 0) : t + 1].mean() if t >= window - 1 else np.nan for t in _bars(values)]
    )


def _highest(values: Floats, window: int) -> Floats:
    return np.array([max(values[t - window + 1 : t + 1]) if t >= window - 1 else np.nan for t in _bars(values)])


def _lowest(values: Floats, window: int) -> Floats:
    return -_highest(-values, window)


def _bars(values: Floats) -> range:
    return range(values.size)


def _ema(values: Floats, window: int, gain: float | None = None) -> Floats:
    out = _blank(values)
    begin = _first(values) + window - 1
    out[begin] = values[begin - window + 1 : begin + 1].mean()
    share = 2.0 / (window + 1) if gain is None else gain
    for t in range(begin + 1, values.size):
        out[t] = share * values[t] + (1.0 - share) * out[t - 1]
    return out


def _true_ranges(high: Floats, low: Floats, close: Floats) -> Floats:
    before = _before(close, 1)
    return np.maximum(high, before) - np.minimum(low, before)


def _atr(high: Floats, low: Floats, close: Floats, window: int) -> Floats:
    return _ema(_true_ranges(high, low, close), window, 1.0 / window)
