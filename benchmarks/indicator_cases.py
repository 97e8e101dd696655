"""The bars, the indicators and the timing that the benchmarks of indicators share.

Times are CPU time of one thread in one process; the sides take turns, round by round, and what they give is compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import talib

from agents.indicators import Wanted, compute
from benchmarks.measure import Samples
from data.contracts.arrays import Floats
from data.contracts.panel import Panel

SIZES = {"1 x 1,000,000": (1, 1_000_000), "500 x 2,520": (500, 2_520), "8,417 x 252": (8_417, 252)}


class Columns(NamedTuple):
    """One symbol's bars."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


Theirs = Callable[[Columns], Any]
CASES: dict[str, tuple[dict[str, Any], Theirs]] = {
    "sma": ({"window": 20}, lambda b: talib.SMA(b.close, 20)),
    "ema": ({"window": 20}, lambda b: talib.EMA(b.close, 20)),
    "rsi": ({"window": 14}, lambda b: talib.RSI(b.close, 14)),
    "macd": ({"fast": 12, "slow": 26, "signal": 9}, lambda b: talib.MACD(b.close, 12, 26, 9)),
    "bollinger": ({"window": 20, "deviations": 2.0}, lambda b: talib.BBANDS(b.close, 20, 2.0, 2.0)),
    "atr": ({"window": 14}, lambda b: talib.ATR(b.high, b.low, b.close, 14)),
    "adx": ({"window": 14}, lambda b: talib.ADX(b.high, b.low, b.close, 14)),
    "stochastic": (
        {"window": 14, "smooth": 3, "signal": 3},
        lambda b: talib.STOCH(b.high, b.low, b.close, fastk_period=14, slowk_period=3, slowd_period=3),
    ),
    "obv": ({}, lambda b: talib.OBV(b.close, b.volume)),
    "cci": ({"window": 20}, lambda b: talib.CCI(b.high, b.low, b.close, 20)),
    "mfi": ({"window": 14}, lambda b: talib.MFI(b.high, b.low, b.close, b.volume, 14)),
    "donchian": ({"window": 20}, lambda b: (talib.MAX(b.high, 20), talib.MIN(b.low, 20))),
    "stddev": ({"window": 20}, lambda b: talib.STDDEV(b.close, 20)),
    "linreg_slope": ({"window": 20}, lambda b: talib.LINEARREG_SLOPE(b.close, 20)),
}
THEIRS = {"adx": ("adx",), "donchian": ("upper", "lower")}  # which of our outputs TA-Lib's call gives
SIX: Wanted = {name: (name, CASES[name][0]) for name in ("sma", "ema", "rsi", "macd", "bollinger", "atr")}


@dataclass(frozen=True)
class Market:
    """Seeded bars: as a Panel, and symbol by symbol as a loop over TA-Lib takes them."""

    panel: Panel
    by_symbol: list[Columns]
    symbols: int
    bars: int

    @classmethod
    def of(cls, symbols: int, bars: int) -> Market:
        """Geometric Brownian motion, no drift, 1 % a day."""
        rng = np.random.default_rng(20240101)
        close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, (symbols, bars)), axis=1))
        opened = close * np.exp(rng.normal(0.0, 0.004, close.shape))
        high = np.maximum(opened, close) * np.exp(np.abs(rng.normal(0.0, 0.004, close.shape)))
        low = np.minimum(opened, close) * np.exp(-np.abs(rng.normal(0.0, 0.004, close.shape)))
        volume = np.floor(rng.lognormal(12.0, 1.0, close.shape))
        columns = Columns(opened, high, low, close, volume)
        panel = Panel(
            symbols=tuple(f"S{i:04d}" for i in range(symbols)),
            offsets=np.arange(symbols + 1, dtype=np.int64) * bars,
            ts=np.tile(np.arange(bars, dtype=np.int64) * 60_000_000, symbols),
            gap=np.zeros(symbols * bars, np.bool_),
            **{name: column.ravel() for name, column in columns._asdict().items()},
        )
        return cls(panel, [Columns(*(column[s] for column in columns)) for s in range(symbols)], symbols, bars)

    def drop(self, theirs: Theirs) -> None:
        """Their call for every symbol, each result let go at once: their best case, the buffers stay in the cache."""
        for columns in self.by_symbol:
            theirs(columns)


def timed(sides: Mapping[str, Callable[[], Any]], rounds: int, *, bars: int) -> dict[str, Samples]:
    """Nanoseconds of CPU time per bar, round by round, after one round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, run in sides.items():
            start = time.process_time_ns()
            run()
            if number:
                times[name].append((time.process_time_ns() - start) / bars)
    return {name: Samples.of(values) for name, values in times.items()}


def agree(name: str, market: Market) -> None:
    """Same NaN prefix, 1e-9 relative (of the largest value where a value is near 0). Raises SystemExit."""
    params, theirs = CASES[name]
    ours = compute(name, market.panel, **params)
    if name in THEIRS:
        ours = tuple(getattr(ours, key) for key in THEIRS[name])
    same(name, ours, lambda s: theirs(market.by_symbol[s]), market)


def same(name: str, ours: Any, reference_of: Callable[[int], Any], market: Market) -> None:
    """Every 7th symbol of our columns against what another library says of it. Raises SystemExit."""
    for s in range(0, market.symbols, 7):
        found = reference_of(s)
        references = found if isinstance(found, tuple | list) else (found,)
        for line, reference in zip(ours if isinstance(ours, tuple) else (ours,), references, strict=True):
            own = line[s * market.bars : (s + 1) * market.bars]
            if not np.allclose(own, reference, rtol=1e-9, atol=1e-9 * np.nanmax(np.abs(reference)), equal_nan=True):
                raise SystemExit(f"{name} disagrees on symbol {s}")


def bandwidth() -> dict[str, float]:
    """GB/s of one thread: copy counts bytes read and written, fill bytes written; 80 MB columns, warm pages."""
    source, target = np.ones(10_000_000), np.ones(10_000_000)
    best = {"copy": 0.0, "fill": 0.0}
    for _ in range(7):
        start = time.process_time()
        np.copyto(target, source)
        best["copy"] = max(best["copy"], 0.16 / (time.process_time() - start))
        start = time.process_time()
        target.fill(1.0)
        best["fill"] = max(best["fill"], 0.08 / (time.process_time() - start))
    return {name: round(value, 1) for name, value in best.items()}
