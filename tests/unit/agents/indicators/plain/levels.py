"""Levels, gaps, boxes, swings and lines, bar by bar from their definitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import talib

from data.contracts.arrays import Floats

Lines = tuple[Floats, ...]


@dataclass(frozen=True)
class Pivot:
    """A turning point of the zigzag and the bar at which it became known; side 1 = a high, -1 = a low."""

    known: int
    bar: int
    price: float
    side: int


def find_pivots(high: Floats, low: Floats, first: int, threshold: Floats, share: float) -> tuple[list[Pivot], Floats]:
    """Pivots from bar `first` on, and the direction of the leg under way at each bar."""
    found: list[Pivot] = []
    direction = np.full(high.size, np.nan)
    start = first  # where the leg under way began to be followed: its extreme is looked for from here on
    leg = 0
    for t in range(first, high.size):
        if leg == 0 and t > first:
            top = first + int(np.argmax(high[first:t]))
            bottom = first + int(np.argmin(low[first:t]))
            rise, fall = high[t] - low[bottom], high[top] - low[t]
            rises = rise > 0 and rise >= threshold[t] + share * abs(low[bottom])
            falls = fall > 0 and fall >= threshold[t] + share * abs(high[top])
            if rises and not (falls and fall >= rise):
                found.append(Pivot(t, bottom, low[bottom], -1))
                leg, start = 1, t
            elif falls and not (rises and rise >= fall):
                found.append(Pivot(t, top, high[top], 1))
                leg, start = -1, t
        elif leg == 1 and high[t] <= high[start:t].max():
            top = start + int(np.argmax(high[start:t]))
            lowest_since = low[top + 1 : t].min(initial=np.inf)
            fall = high[top] - low[t]
            if low[t] < lowest_since and fall > 0 and fall >= threshold[t] + share * abs(high[top]):
                found.append(Pivot(t, top, high[top], 1))
                leg, start = -1, t
        elif leg == -1 and low[t] >= low[start:t].min():
            bottom = start + int(np.argmin(low[start:t]))
            highest_since = high[bottom + 1 : t].max(initial=-np.inf)
            rise = high[t] - low[bottom]
            if high[t] > highest_since and rise > 0 and rise >= threshold[t] + share * abs(low[bottom]):
                found.append(Pivot(t, bottom, low[bottom], -1))
                leg, start = 1, t
        direction[t] = leg
    return found, direction


def atr_pivots(high: Floats, low: Floats, close: Floats, window: int, multiplier: float) -> tuple[list[Pivot], Floats]:
    """Pivots with a threshold in ATR, and the ATR."""
    atr = talib.ATR(high, low, close, window) if window > 1 else talib.TRANGE(high, low, close)
    return find_pivots(high, low, window, atr * multiplier, 0.0)[0], atr


def empty(like: Floats, count: int) -> list[Floats]:
    return [np.full(like.size, np.nan) for _ in range(count)]


def swing_highs(high: Floats, left: int, right: int) -> Lines:
    price, age = empty(high, 2)
    last, bar = high[:1].max(initial=-np.inf), 0
    for t in range(left + right, high.size):
        before, after = high[t - right - left : t - right], high[t - right + 1 : t + 1]
        if high[t - right] > before.max() and high[t - right] > after.max():
            last, bar = high[t - right], t - right
        price[t], age[t] = last, t - bar
    return price, age


def swing_lows(low: Floats, left: int, right: int) -> Lines:
    price, age = swing_highs(-low, left, right)
    return -price, age


def zigzag(
    high: Floats, low: Floats, close: Floats, percent: float, multiplier: float, window: int, threshold: str
) -> Lines:
    if threshold == "percent":
        first = 0
        found, direction = find_pivots(high, low, 0, np.zeros(high.size), percent / 100)
    else:
        first = window
        atr = talib.ATR(high, low, close, window)
        found, direction = find_pivots(high, low, first, atr * multiplier, 0.0)
    turn, price, bars = empty(close, 3)
    for t in range(first, close.size):
        known = [pivot for pivot in found if pivot.known <= t]
        turn[t] = known[-1].side if known and known[-1].known == t else 0
        price[t], bars[t] = (known[-1].price, t - known[-1].bar) if known else (close[first], t - first)
    return turn, price, bars, direction


def fibonacci_retracement(high: Floats, low: Floats, close: Floats, window: int, multiplier: float) -> Lines:
    found, _ = atr_pivots(high, low, close, window, multiplier)
    out = empty(close, 5)
    for t in range(window, close.size):
        ends = [close[window], close[window]] + [pivot.price for pivot in found if pivot.known <= t]
        for line, share in zip(out, (0.236, 0.382, 0.5, 0.618, 0.786), strict=True):
            line[t] = ends[-1] * (1 - share) + ends[-2] * share
    return tuple(out)


def support_resistance(
    high: Floats, low: Floats, close: Floats, window: int, multiplier: float, tolerance: float
) -> Lines:
    found, atr = atr_pivots(high, low, close, window, multiplier)
    levels: list[list[float]] = []  # pivots of each level, the one touched longest ago first
    out = empty(close, 4)
    for t in range(window, close.size):
        for pivot in found:
            if pivot.known == t:
                near = sorted(levels, key=lambda level: abs(float(np.mean(level)) - pivot.price))
                if near and abs(np.mean(near[0]) - pivot.price) <= tolerance * atr[t]:
                    levels.remove(near[0])
                    levels.append([*near[0], pivot.price])
                else:
                    levels = [*levels, [pivot.price]][-8:]
        below = [(np.mean(level), len(level)) for level in levels if np.mean(level) <= close[t]]
        above = [(np.mean(level), len(level)) for level in levels if np.mean(level) > close[t]]
        out[0][t], out[1][t] = max(below, default=(close[t], 0))
        out[2][t], out[3][t] = min(above, default=(close[t], 0))
    return tuple(out)


def trend_lines(high: Floats, low: Floats, close: Floats, window: int, multiplier: float) -> Lines:
    found, _ = atr_pivots(high, low, close, window, multiplier)
    out = empty(close, 4)
    for t in range(window, close.size):
        for side, at in ((-1, 0), (1, 2)):
            known = [pivot for pivot in found if pivot.known <= t and pivot.side == side][-2:]
            slope = (known[1].price - known[0].price) / (known[1].bar - known[0].bar) if len(known) == 2 else 0.0
            out[at][t] = known[-1].price + slope * (t - known[-1].bar) if known else close[t]
            out[at + 1][t] = slope
    return tuple(out)


def market_structure(high: Floats, low: Floats, close: Floats, window: int, multiplier: float) -> Lines:
    found, _ = atr_pivots(high, low, close, window, multiplier)
    trend, bos, choch, highs, lows = empty(close, 5)
    way = 0
    broken: set[Pivot] = set()
    for t in range(window, close.size):
        tops = [pivot for pivot in found if pivot.known <= t and pivot.side == 1]
        bottoms = [pivot for pivot in found if pivot.known <= t and pivot.side == -1]
        bos[t] = choch[t] = 0
        for side, known in ((1, tops), (-1, bottoms)):
            if known and known[-1] not in broken and side * close[t] > side * known[-1].price:
                broken.add(known[-1])
                (choch if way == -side else bos)[t] = side
                way = side
        trend[t] = way
        highs[t] = np.sign(tops[-1].price - tops[-2].price) if len(tops) > 1 else 0
        lows[t] = np.sign(bottoms[-1].price - bottoms[-2].price) if len(bottoms) > 1 else 0
    return trend, bos, choch, highs, lows


def pivot_levels(kind: str, o: float, h: float, low: float, c: float, now: float) -> tuple[float, ...]:
    """pp, r1 to r4, s1 to s4 as TradingView's help page on Pivot Points Standard writes them."""
    pp, span = (h + low + c) / 3, h - low
    if kind == "woodie":
        pp = (h + low + 2 * now) / 4
    if kind == "demark":
        x = 2 * h + low + c if c > o else h + 2 * low + c if c < o else h + low + 2 * c
        return x / 4, *[x / 2 - low] * 4, *[x / 2 - h] * 4
    if kind == "fibonacci":
        shares = (0.382, 0.618, 1.0, 1.0)
        return pp, *(pp + share * span for share in shares), *(pp - share * span for share in shares)
    if kind == "camarilla":
        parts = (12, 6, 4, 2)
        return pp, *(c + 1.1 * span / part for part in parts), *(c - 1.1 * span / part for part in parts)
    r1, s1 = pp * 2 - low, pp * 2 - h
    r2, s2 = pp + span, pp - span
    if kind == "standard":
        return (
            pp,
            r1,
            r2,
            pp * 2 + (h - 2 * low),
            pp * 3 + (h - 3 * low),
            s1,
            s2,
            pp * 2 - (2 * h - low),
            pp * 3 - (3 * h - low),
        )
    if kind == "classic":
        return pp, r1, r2, pp + 2 * span, pp + 3 * span, s1, s2, pp - 2 * span, pp - 3 * span
    r3, s3 = h + 2 * (pp - low), low - 2 * (h - pp)
    return pp, r1, r2, r3, r3 + span, s1, s2, s3, s3 - span


def pivot_points(open_: Floats, high: Floats, low: Floats, close: Floats, window: int, kind: str) -> Lines:
    out = empty(close, 9)
    for t in range(window, close.size):
        end = t // window * window
        block = slice(end - window, end)
        prices = (open_[end - window], high[block].max(), low[block].min(), close[end - 1], open_[end])
        for line, value in zip(out, pivot_levels(kind, *prices), strict=True):
            line[t] = value
    return tuple(out)


def rolling_pivots(
    open_: Floats, high: Floats, low: Floats, close: Floats, window: int, offset: int, kind: str
) -> Lines:
    out = empty(close, 9)
    for t in range(window + offset, close.size):
        end = t - offset
        block = slice(end - window, end)
        prices = (open_[end - window], high[block].max(), low[block].min(), close[end - 1], open_[t])
        for line, value in zip(out, pivot_levels(kind, *prices), strict=True):
            line[t] = value
    return tuple(out)


def central_pivot_range(open_: Floats, high: Floats, low: Floats, close: Floats, window: int) -> Lines:
    _, top, bottom, last = previous_period(open_, high, low, close, window)
    pivot, bc = (top + bottom + last) / 3, (top + bottom) / 2
    tc = 2 * pivot - bc
    return pivot, np.maximum(bc, tc), np.minimum(bc, tc)


def previous_period(open_: Floats, high: Floats, low: Floats, close: Floats, window: int) -> Lines:
    out = empty(close, 4)
    for t in range(window, close.size):
        end = t // window * window
        block = slice(end - window, end)
        out[0][t], out[1][t] = open_[end - window], high[block].max()
        out[2][t], out[3][t] = low[block].min(), close[end - 1]
    return tuple(out)


def gaps(high: Floats, low: Floats, close: Floats, smallest: float) -> Lines:
    size, filled, level = empty(close, 3)
    edge, side = 0.0, 0
    for t in range(1, close.size):
        size[t] = filled[t] = 0.0
        if (side == 1 and low[t] <= edge) or (side == -1 and high[t] >= edge):
            filled[t], side = side, 0
        up, down = (low[t] - high[t - 1]) / close[t - 1], (low[t - 1] - high[t]) / close[t - 1]
        if up > 0 and up >= smallest:
            size[t], side, edge = up, 1, high[t - 1]
        if down > 0 and down >= smallest:
            size[t], side, edge = -down, -1, low[t - 1]
        level[t] = edge if side else close[t]
    return size, filled, level


def opening_gap(open_: Floats, close: Floats) -> Floats:
    return np.array([np.nan, *[100 * (open_[t] / close[t - 1] - 1) for t in range(1, close.size)]])


def fair_value_gap(high: Floats, low: Floats) -> Floats:
    (out,) = empty(high, 1)
    for t in range(2, high.size):
        out[t] = max(0.0, low[t] - high[t - 2]) - max(0.0, low[t - 2] - high[t])
    return out


def breakout(high: Floats, low: Floats, close: Floats, window: int) -> Lines:
    signal, upper, lower = empty(close, 3)
    for t in range(window, close.size):
        upper[t], lower[t] = high[t - window : t].max(), low[t - window : t].min()
        signal[t] = int(close[t] > upper[t]) - int(close[t] < lower[t])
    return signal, upper, lower


def donchian_breakout(high: Floats, low: Floats, close: Floats, window: int, exit_window: int) -> Floats:
    (out,) = empty(close, 1)
    held = 0
    for t in range(max(window, exit_window), close.size):
        if close[t] > high[t - window : t].max():
            held = 1
        elif close[t] < low[t - window : t].min():
            held = -1
        else:
            stop, cover = low[t - exit_window : t].min(), high[t - exit_window : t].max()
            held = 0 if (held == 1 and close[t] < stop) or (held == -1 and close[t] > cover) else held
        out[t] = held
    return out


def inside_bar(high: Floats, low: Floats) -> Floats:
    return np.array([np.nan, *[float(high[t] < high[t - 1] and low[t] > low[t - 1]) for t in range(1, high.size)]])


def outside_bar(high: Floats, low: Floats) -> Floats:
    return np.array([np.nan, *[float(high[t] > high[t - 1] and low[t] < low[t - 1]) for t in range(1, high.size)]])


def narrow_range(high: Floats, low: Floats, window: int) -> Floats:
    (out,) = empty(high, 1)
    reach = high - low
    for t in range(window - 1, high.size):
        out[t] = all(reach[t] < reach[t - k] for k in range(1, window))
    return out


def high_low_52w(high: Floats, low: Floats, close: Floats, window: int) -> Lines:
    out = empty(close, 2)
    for t in range(window - 1, close.size):
        out[0][t] = 100 * (close[t] / high[t - window + 1 : t + 1].max() - 1)
        out[1][t] = 100 * (close[t] / low[t - window + 1 : t + 1].min() - 1)
    return tuple(out)


def td_sequential(high: Floats, low: Floats, close: Floats, setup: int, countdown: int, lookback: int) -> Lines:
    counts, downs = empty(close, 2)
    run: list[int] = []
    side = count = 0
    for t in range(max(lookback, 2), close.size):
        now = int(np.sign(close[t] - close[t - lookback]))
        run = [*run, now] if now and len(run) < setup and (not run or run[-1] == now) else [now] if now else []
        counts[t] = sum(run)
        if len(run) == setup and side != now:
            side, count = now, 0
        if (side == 1 and close[t] >= high[t - 2]) or (side == -1 and close[t] <= low[t - 2]):
            count += 1
        downs[t] = side * count
        if count == countdown:
            side = count = 0
    return counts, downs


def darvas_box(high: Floats, low: Floats, close: Floats, confirm: int) -> Lines:
    upper, lower, signal = empty(close, 3)
    box = (high[0], low[0])
    start, standing = 0, False
    for t in range(close.size):
        signal[t] = 0.0
        if standing:
            signal[t] = int(close[t] > box[0]) - int(close[t] < box[1])
            if signal[t]:
                start, standing = t, False
        else:
            top = start + int(np.argmax(high[start : t + 1]))
            bottom = top + int(np.argmin(low[top : t + 1]))
            if t - top >= confirm and t - bottom >= confirm:
                box, standing = (high[top], low[bottom]), True
        upper[t], lower[t] = box
    return upper, lower, signal
