"""Chart patterns from their definitions: for each newest pivot, is the geometry there, which close leaves it first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import talib

from data.contracts.arrays import Floats
from tests.unit.agents.indicators.plain.levels import Pivot, atr_pivots

Lines = tuple[Floats, Floats, Floats]
Side = Callable[[int], float]
# Upper line, lower line (functions of the bar), height, whether the upper and whether the lower line speaks.
Shape = tuple[Side, Side, float, bool, bool]


def first_closes_outside(
    high: Floats,
    low: Floats,
    close: Floats,
    window: int,
    multiplier: float,
    recognise: Callable[[list[Pivot], float], Shape | None],
) -> Lines:
    """`recognise` is given the pivots known, oldest first, and the ATR of the bar that confirmed the last."""
    found, atr = atr_pivots(high, low, close, window, multiplier)
    signal, level, target = np.where(np.arange(close.size) < window, np.nan, 0.0), close.copy(), close.copy()
    level[:window] = target[:window] = np.nan
    ends = [pivot.known for pivot in found[1:]] + [close.size]
    for number, (pivot, end) in enumerate(zip(found, ends, strict=True)):
        shape = recognise(found[: number + 1], atr[pivot.known])
        if shape is None:
            continue
        upper, lower, height, up, down = shape
        for t in range(pivot.known, end):
            if upper(t) <= lower(t):
                break
            if lower(t) <= close[t] <= upper(t):
                continue
            if close[t] > upper(t) and up:
                signal[t], level[t], target[t] = 1, upper(t), upper(t) + height
            elif close[t] < lower(t) and down:
                signal[t], level[t], target[t] = -1, lower(t), lower(t) - height
            break
    return signal, level, target


def flat(price: float) -> Side:
    return lambda t: price


def through(a: Pivot, b: Pivot) -> Side:
    return lambda t: float(np.interp(t, [a.bar, b.bar], [a.price, b.price])) if a.bar <= t <= b.bar else beyond(a, b, t)


def beyond(a: Pivot, b: Pivot, t: int) -> float:
    return b.price + (b.price - a.price) / (b.bar - a.bar) * (t - b.bar)


def upside_down(lines: Sequence[Floats]) -> Lines:
    a, b, c = lines
    return -a, -b, -c


def tops(
    high: Floats, low: Floats, close: Floats, window: int, multiplier: float, tolerance: float, count: int
) -> Lines:
    def recognise(pivots: list[Pivot], atr: float) -> Shape | None:
        if len(pivots) < 2 * count or pivots[-1].side != 1:
            return None
        start, *rest = pivots[-2 * count :]
        peaks, valleys = [p.price for p in rest[::2]], [p.price for p in rest[1::2]]
        if max(peaks) - min(peaks) > tolerance * atr or start.price >= min(valleys):
            return None
        return flat(max(peaks)), flat(min(valleys)), max(peaks) - min(valleys), False, True

    return first_closes_outside(high, low, close, window, multiplier, recognise)


def double_top(high: Floats, low: Floats, close: Floats, window: int, multiplier: float, tolerance: float) -> Lines:
    return tops(high, low, close, window, multiplier, tolerance, 2)


def double_bottom(high: Floats, low: Floats, close: Floats, window: int, multiplier: float, tolerance: float) -> Lines:
    return upside_down(tops(-low, -high, -close, window, multiplier, tolerance, 2))


def triple_top(high: Floats, low: Floats, close: Floats, window: int, multiplier: float, tolerance: float) -> Lines:
    return tops(high, low, close, window, multiplier, tolerance, 3)


def triple_bottom(high: Floats, low: Floats, close: Floats, window: int, multiplier: float, tolerance: float) -> Lines:
    return upside_down(tops(-low, -high, -close, window, multiplier, tolerance, 3))


def head_and_shoulders(
    high: Floats,
    low: Floats,
    close: Floats,
    window: int,
    multiplier: float,
    tolerance: float,
    prominence: float,
) -> Lines:
    def recognise(pivots: list[Pivot], atr: float) -> Shape | None:
        if len(pivots) < 6 or pivots[-1].side != 1:
            return None
        start, left, neck, head, neck2, right = pivots[-6:]
        equal = abs(left.price - right.price) <= tolerance * atr and abs(neck.price - neck2.price) <= tolerance * atr
        shoulders, valleys = (left.price, right.price), (neck.price, neck2.price)
        stands_out = head.price > max(shoulders) and head.price - max(shoulders) >= prominence * atr
        if not (equal and stands_out and start.price < min(valleys) and max(valleys) < min(shoulders)):
            return None
        neckline = through(neck, neck2)
        return flat(head.price), neckline, head.price - neckline(head.bar), False, True

    return first_closes_outside(high, low, close, window, multiplier, recognise)


def inverse_head_and_shoulders(high: Floats, low: Floats, close: Floats, *args: float, **params: float) -> Lines:
    return upside_down(head_and_shoulders(-low, -high, -close, *args, **params))  # type: ignore[arg-type]


def formation(
    high: Floats, low: Floats, close: Floats, window: int, multiplier: float, tolerance: float, kind: str
) -> Lines:
    """kind: direction of the highs and of the lows, each of up, level, down, and whether they must come together."""
    want_highs, want_lows, *converging = kind.split()

    def way(pair: list[Pivot], least: float) -> str:
        a, b = pair
        return "level" if abs(b.price - a.price) <= least else "up" if b.price > a.price else "down"

    def recognise(pivots: list[Pivot], atr: float) -> Shape | None:
        if len(pivots) < 4:
            return None
        highs, lows = [p for p in pivots[-4:] if p.side == 1], [p for p in pivots[-4:] if p.side == -1]
        if (way(highs, tolerance * atr), way(lows, tolerance * atr)) != (want_highs, want_lows):
            return None
        steep = [(b.price - a.price) / (b.bar - a.bar) for a, b in (highs, lows)]
        if converging and steep[0] >= steep[1]:
            return None
        top, bottom = max(p.price for p in highs), min(p.price for p in lows)
        upper = flat(top) if want_highs == "level" else through(highs[0], highs[1])
        lower = flat(bottom) if want_lows == "level" else through(lows[0], lows[1])
        return upper, lower, top - bottom, True, True

    return first_closes_outside(high, low, close, window, multiplier, recognise)


def ascending_triangle(
    high: Floats, low: Floats, close: Floats, window: int, multiplier: float, tolerance: float
) -> Lines:
    return formation(high, low, close, window, multiplier, tolerance, "level up")


def descending_triangle(
    high: Floats, low: Floats, close: Floats, window: int, multiplier: float, tolerance: float
) -> Lines:
    return formation(high, low, close, window, multiplier, tolerance, "down level")


def symmetric_triangle(
    high: Floats, low: Floats, close: Floats, window: int, multiplier: float, tolerance: float
) -> Lines:
    return formation(high, low, close, window, multiplier, tolerance, "down up")


def rectangle(high: Floats, low: Floats, close: Floats, window: int, multiplier: float, tolerance: float) -> Lines:
    return formation(high, low, close, window, multiplier, tolerance, "level level")


def broadening(high: Floats, low: Floats, close: Floats, window: int, multiplier: float, tolerance: float) -> Lines:
    return formation(high, low, close, window, multiplier, tolerance, "up down")


def rising_wedge(high: Floats, low: Floats, close: Floats, window: int, multiplier: float, tolerance: float) -> Lines:
    return formation(high, low, close, window, multiplier, tolerance, "up up converging")


def falling_wedge(high: Floats, low: Floats, close: Floats, window: int, multiplier: float, tolerance: float) -> Lines:
    return formation(high, low, close, window, multiplier, tolerance, "down down converging")


def cup_and_handle(
    high: Floats,
    low: Floats,
    close: Floats,
    window: int,
    multiplier: float,
    tolerance: float,
    shortest: int,
    retrace: float,
) -> Lines:
    def recognise(pivots: list[Pivot], atr: float) -> Shape | None:
        if len(pivots) < 5 or pivots[-1].side != -1:
            return None
        start, left, bottom, right, handle = pivots[-5:]
        width = right.bar - left.bar
        central = left.bar + width / 4 <= bottom.bar <= right.bar - width / 4
        equal = abs(left.price - right.price) <= tolerance * atr and width >= shortest
        shallow = handle.price > bottom.price and right.price - handle.price <= retrace * (right.price - bottom.price)
        if not (central and equal and shallow and start.price <= bottom.price):
            return None
        rim = max(left.price, right.price)
        return flat(rim), flat(handle.price), rim - bottom.price, True, False

    return first_closes_outside(high, low, close, window, multiplier, recognise)


def inverse_cup_and_handle(high: Floats, low: Floats, close: Floats, *args: float, **params: float) -> Lines:
    return upside_down(cup_and_handle(-low, -high, -close, *args, **params))  # type: ignore[arg-type]


def bull_flag(
    high: Floats,
    low: Floats,
    close: Floats,
    window: int,
    multiplier: float,
    pole: int,
    shortest: int,
    longest: int,
    retrace: float,
) -> Lines:
    atr = talib.ATR(high, low, close, window)
    warmup = window + pole + longest + 1
    signal, level, target = np.where(np.arange(close.size) < warmup, np.nan, 0.0), close.copy(), close.copy()
    level[:warmup] = target[:warmup] = np.nan
    for t in range(warmup, close.size):
        seen = range(t - longest - 1, t)
        tip = max(seen, key=lambda j: (high[j], j))
        drift = range(tip + 1, t)
        if len(drift) < shortest:
            continue
        height = high[tip] - low[tip - pole : tip].min()
        breaks = [j for j in range(tip + 1 + shortest, t + 1) if close[j] > high[tip + 1 : j].max()]
        shallow = min(low[j] for j in drift) >= high[tip] - retrace * height
        if height > 0 and height >= multiplier * atr[tip] and shallow and breaks[:1] == [t]:
            signal[t], level[t] = 1, max(high[j] for j in drift)
            target[t] = level[t] + height
    return signal, level, target


def bear_flag(high: Floats, low: Floats, close: Floats, *args: float, **params: float) -> Lines:
    return upside_down(bull_flag(-low, -high, -close, *args, **params))  # type: ignore[arg-type]
