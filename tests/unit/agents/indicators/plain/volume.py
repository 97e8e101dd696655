"""Indicators of volume, written down plainly from their published definitions: one bar after the other."""

from __future__ import annotations

import numpy as np

from data.contracts.arrays import Floats


def vwap_bands(
    high: Floats, low: Floats, close: Floats, volume: Floats, multiplier: float, anchor: int, period: int
) -> tuple[Floats, Floats, Floats]:
    """All bars since the anchor, weighted by volume, from scratch for every bar."""
    price, middle, spread = (high + low + close) / 3.0, np.full(close.size, np.nan), np.full(close.size, np.nan)
    for i in range(anchor, close.size):
        start = anchor if period == 0 else anchor + (i - anchor) // period * period
        middle[i] = np.average(price[start : i + 1], weights=volume[start : i + 1])
        spread[i] = np.sqrt(np.average((price[start : i + 1] - middle[i]) ** 2, weights=volume[start : i + 1]))
    return middle + multiplier * spread, middle, middle - multiplier * spread


def twap(open_: Floats, high: Floats, low: Floats, close: Floats, window: int) -> Floats:
    """Mean of all four prices of all bars of the window."""
    return _over(window, lambda *bars: float(np.mean(bars)), open_, high, low, close)


def volume_profile(
    high: Floats, low: Floats, volume: Floats, window: int, bins: int, percent: float
) -> tuple[Floats, Floats, Floats]:
    """Overlaps of every bar with every bin; the area grows by the fuller neighbour, upwards between equals."""
    rows = np.full((3, high.size), np.nan)
    for i in range(window - 1, high.size):
        tops, bottoms, traded = (column[i - window + 1 : i + 1, None] for column in (high, low, volume))
        edges = np.linspace(bottoms.min(), tops.max(), bins + 1)
        overlap = np.clip(np.minimum(tops, edges[1:]) - np.maximum(bottoms, edges[:-1]), 0.0, None)
        held = (traded * overlap / (tops - bottoms)).sum(axis=0)
        poc = int(np.argmax(held))
        inside = {poc}
        while sum(held[k] for k in inside) < percent / 100.0 * held.sum():
            above, below = max(inside) + 1, min(inside) - 1
            up = held[above] if above < bins else -1.0
            down = held[below] if below >= 0 else -1.0
            inside.add(above if up >= down else below)
        rows[:, i] = (edges[poc] + edges[poc + 1]) / 2.0, edges[max(inside) + 1], edges[min(inside)]
    return rows[0], rows[1], rows[2]


def volume_weighted_macd(
    close: Floats, volume: Floats, fast: int, slow: int, signal: int
) -> tuple[Floats, Floats, Floats]:
    """MACD with averages weighted by volume."""

    def weighted(window: int) -> Floats:
        return _over(window, lambda prices, traded: float(np.average(prices, weights=traded)), close, volume)

    line = weighted(fast) - weighted(slow)
    trigger = _ema(line, signal)
    return line, trigger, line - trigger


def volume_oscillator(volume: Floats, fast: int, slow: int, average: str) -> Floats:
    """Exponential averages against each other."""
    assert average == "ema"
    return 100.0 * (_ema(volume, fast) / _ema(volume, slow) - 1.0)


def volume_zscore(volume: Floats, window: int) -> Floats:
    """Place of the last volume in its window, in deviations."""
    return _over(window, lambda traded: float((traded[-1] - traded.mean()) / traded.std()), volume)


def dollar_volume(close: Floats, volume: Floats, window: int) -> Floats:
    """Mean money traded."""
    return _over(window, lambda prices, traded: float(np.dot(prices, traded)) / window, close, volume)


def amihud(close: Floats, volume: Floats, window: int) -> Floats:
    """Mean of |return| per million traded."""
    impact = np.abs(_returns(close)) / (close * volume / 1e6)
    return _over(window, lambda values: float(values.mean()), impact)


def price_volume_rank(close: Floats, volume: Floats) -> Floats:
    """The table of four cases."""
    ranks = [np.nan]
    for i in range(1, close.size):
        if close[i] >= close[i - 1]:
            ranks.append(1.0 if volume[i] >= volume[i - 1] else 2.0)
        else:
            ranks.append(4.0 if volume[i] >= volume[i - 1] else 3.0)
    return np.array(ranks)


def net_volume(close: Floats, volume: Floats) -> Floats:
    """Signed volume."""
    signed = [0.0 if close[i] == close[i - 1] else volume[i] if close[i] > close[i - 1] else -volume[i]
              for i in range(1, close.size)]  # fmt: skip
    return np.array([np.nan, *signed])


def up_down_volume(close: Floats, volume: Floats, window: int) -> Floats:
    """Sums of volume on rising and falling changes."""
    out = np.full(close.size, np.nan)
    for i in range(window, close.size):
        rows = range(i - window + 1, i + 1)
        up = sum(volume[j] for j in rows if close[j] > close[j - 1])
        down = sum(volume[j] for j in rows if close[j] < close[j - 1])
        out[i] = (up - down) / (up + down)
    return out


def ease_of_movement(high: Floats, low: Floats, volume: Floats, window: int, scale: float) -> Floats:
    """Distance moved over the box ratio, averaged."""
    ease = np.full(high.size, np.nan)
    for i in range(1, high.size):
        moved = (high[i] + low[i]) / 2.0 - (high[i - 1] + low[i - 1]) / 2.0
        ease[i] = moved / ((volume[i] / scale) / (high[i] - low[i]))
    return _over(window, lambda values: float(values.mean()), ease)


def vzo(close: Floats, volume: Floats, window: int) -> Floats:
    """Signed over whole volume, exponential averages."""
    whole = volume.copy()
    whole[0] = np.nan
    return 100.0 * _ema(net_volume(close, volume), window) / _ema(whole, window)


def vfi(
    high: Floats, low: Floats, close: Floats, volume: Floats, window: int, cutoff: float, limit: float, smooth: int
) -> Floats:
    """Katsanos' steps in his order."""
    typical = (high + low + close) / 3.0
    inter = np.concatenate([[np.nan], np.log(typical[1:] / typical[:-1])])
    vinter = _over(30, lambda values: float(values.std()), inter)
    mean = np.concatenate([[np.nan], _over(window, lambda values: float(values.mean()), volume)[:-1]])
    directional = np.full(close.size, np.nan)
    for i in range(1, close.size):
        if np.isfinite(vinter[i] + mean[i]):
            flow, least = typical[i] - typical[i - 1], cutoff * vinter[i] * close[i]
            capped = min(volume[i], limit * mean[i])
            directional[i] = capped if flow > least else -capped if flow < -least else 0.0
    return _ema(_over(window, lambda values: float(values.sum()), directional) / mean, smooth)


def twiggs_money_flow(high: Floats, low: Floats, close: Floats, volume: Floats, window: int) -> Floats:
    """True highs and lows, Wilder's averages."""
    flow, whole = np.full(close.size, np.nan), volume.copy()
    whole[0] = np.nan
    for i in range(1, close.size):
        top, bottom = max(high[i], close[i - 1]), min(low[i], close[i - 1])
        flow[i] = volume[i] * (2.0 * close[i] - bottom - top) / (top - bottom)
    return _smoothed(flow, window, 1.0 / window) / _smoothed(whole, window, 1.0 / window)


def _over(window: int, value: object, *columns: Floats) -> Floats:
    """A function of the window's values, for every window without NaN."""
    out = np.full(columns[0].size, np.nan)
    for i in range(window - 1, out.size):
        parts = [column[i - window + 1 : i + 1] for column in columns]
        if np.isfinite(parts).all():
            out[i] = value(*parts)  # type: ignore[operator]
    return out


def _returns(close: Floats) -> Floats:
    return np.concatenate([[np.nan], close[1:] / close[:-1] - 1.0])


def _ema(values: Floats, window: int) -> Floats:
    return _smoothed(values, window, 2.0 / (window + 1.0))


def _smoothed(values: Floats, window: int, share: float) -> Floats:
    """Exponential smoothing from the mean of the first `window` values on."""
    first = int(np.flatnonzero(np.isfinite(values))[0])
    out = np.full(values.size, np.nan)
    out[first + window - 1] = values[first : first + window].mean()
    for i in range(first + window, values.size):
        out[i] = share * values[i] + (1.0 - share) * out[i - 1]
    return out
