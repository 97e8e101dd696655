"""Small markets written down bar by bar, and orders on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from agents.backtest.orders import Orders
from data.contracts.arrays import Bools
from data.contracts.panel import Panel

DAY = 86_400_000_000
MONDAY = 16_804 * DAY + 21 * 3_600_000_000  # 2016-01-04, 21:00 UTC
Bar = tuple[float, float, float, float]


def weekdays(count: int) -> list[int]:
    """The closes of `count` days of business from that Monday on."""
    return [MONDAY + DAY * (7 * (k // 5) + k % 5) for k in range(count)]


def panel(*symbols: Sequence[Bar], ts: Sequence[Sequence[int]] | None = None, volume: float = 1e6) -> Panel:
    """One symbol (A, B, …) per list of (open, high, low, close); days of business unless times are given."""
    times = ts or [weekdays(len(bars)) for bars in symbols]
    rows = np.array([bar for bars in symbols for bar in bars], np.float64)
    return Panel(
        symbols=tuple("ABCDEFGH"[: len(symbols)]),
        offsets=np.cumsum([0, *map(len, symbols)]).astype(np.int64),
        ts=np.concatenate([np.array(t, np.int64) for t in times]),
        open=rows[:, 0].copy(),
        high=rows[:, 1].copy(),
        low=rows[:, 2].copy(),
        close=rows[:, 3].copy(),
        volume=np.full(len(rows), volume),
        gap=np.zeros(len(rows), np.bool_),
    )


def flat(*prices: float) -> list[Bar]:
    """Bars whose four prices are one."""
    return [(p, p, p, p) for p in prices]


def on(size: int, *rows: int) -> Bools:
    """True on these rows."""
    found = np.zeros(size, np.bool_)
    found[list(rows)] = True
    return found


def orders(
    rows: int,
    /,
    *,
    enter: Iterable[int] = (),
    leave: Iterable[int] = (),
    short: Iterable[int] = (),
    cover: Iterable[int] = (),
    **levels: float,
) -> Orders:
    """Decisions on these rows; levels are the same on every row."""
    return Orders.of(
        on(rows, *enter),
        on(rows, *leave),
        short_enter=on(rows, *short),
        short_exit=on(rows, *cover),
        **{name: np.full(rows, value) for name, value in levels.items()},
    )


@st.composite
def markets(draw: st.DrawFn, symbols: int = 1) -> Panel:
    """Random bars, all with open and close between low and high; symbols of different lengths that end together."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lengths = [draw(st.integers(2, 60)) for _ in range(symbols)]
    longest = max(lengths)
    lists = [_walk(rng, length) for length in lengths]
    return panel(*lists, ts=[weekdays(longest)[longest - length :] for length in lengths], volume=500.0)


@st.composite
def decisions(draw: st.DrawFn, size: int, *, long_only: bool = False, levels: bool = True) -> Orders:
    """Random orders for so many rows, levels and sizes now and then unknown, absurd ones among them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    often = draw(st.sampled_from([0.05, 0.3, 0.8]))

    def some() -> Bools:
        return rng.random(size) < often

    def level(largest: float) -> Any:
        values = rng.uniform(-0.1 * largest, largest, size)
        values[rng.random(size) < draw(st.sampled_from([0.2, 1.0]))] = np.nan
        return values if levels else np.full(size, np.nan)

    never = np.zeros(size, np.bool_)
    return Orders(
        some(),
        some(),
        never if long_only else some(),
        never if long_only else some(),
        level(8.0),
        level(8.0),
        level(8.0),
        level(1.6),
    )


def _walk(rng: np.random.Generator, length: int) -> list[Bar]:
    close = 50.0 * np.cumprod(1.0 + rng.normal(0.0, 0.03, length))
    opened = close * (1.0 + rng.normal(0.0, 0.02, length))
    high = np.maximum(opened, close) * (1.0 + 0.02 * rng.random(length))
    low = np.minimum(opened, close) * (1.0 - 0.02 * rng.random(length))
    return [(float(o), float(h), float(lo), float(c)) for o, h, lo, c in zip(opened, high, low, close, strict=True)]
