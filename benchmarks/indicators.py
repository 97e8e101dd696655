"""P1 and P8: our indicators against TA-Lib's C, and how soon a fresh process has its first value.

P1: 14 indicators, each alone, 500 symbols x 2,520 seeded bars, one thread, CPU time, one process, interleaved rounds.
    TA-Lib is called symbol by symbol with its outputs dropped at once, which is its best case: its 20 KB buffers stay
    in the cache, while ours are whole columns. `compute` is the public panel path, `reused` the same with `out=`.
    ADX and Donchian give three outputs here, TA-Lib's ADX one and MAX + MIN two. Outputs are compared in the same run.
    Medians over the rounds decide; the best round of each is printed beside them, for a machine that is not quiet.
P8: `import goldensignals` and one RSI in a second process, kernels cached; nothing may be compiled.

    python -m benchmarks.indicators [rounds]        prints a table, writes benchmarks/results/indicators.json
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import talib

from agents import indicators
from benchmarks.measure import machine, write
from data.contracts.arrays import Floats
from data.contracts.panel import Panel

SYMBOLS, BARS = 500, 2520
PACKAGES = ("numpy", "numba", "ta-lib", "polars")
FLOOR = {"sum": 3.0, "each": 1.2, "first_value_s": 1.0}


class Columns(NamedTuple):
    """One symbol's bars, each (2520,)."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


CASES: dict[str, tuple[dict[str, float], Callable[..., Any]]] = {
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


def main(rounds: int) -> None:
    facts = machine(PACKAGES)
    panel = make_panel()
    columns = [getattr(panel, name).reshape(SYMBOLS, BARS) for name in Columns._fields]
    by_symbol = [Columns(*(column[s] for column in columns)) for s in range(SYMBOLS)]
    rows = {}
    print(f"{'ns per bar':14}{'TA-Lib':>8}{'reused':>8}{'compute':>8}{'ratio':>7}{'best':>7}")
    for name, (params, theirs) in CASES.items():
        rows[name] = row = measure(name, params, theirs, panel, by_symbol, rounds)
        print(
            f"{name:14}{row['talib']:8.2f}{row['reused']:8.2f}{row['compute']:8.2f}{row['ratio']:7.2f}{row['best_ratio']:7.2f}"
        )
    total = {
        key: sum(row[key] for row in rows.values())
        for key in ("talib", "reused", "compute", "best_talib", "best_reused")
    }
    total["ratio"], total["best_ratio"] = total["talib"] / total["reused"], total["best_talib"] / total["best_reused"]
    total["ratio_compute"] = total["talib"] / total["compute"]
    print(
        f"{'sum':14}{total['talib']:8.2f}{total['reused']:8.2f}{total['compute']:8.2f}"
        f"{total['ratio']:7.2f}{total['best_ratio']:7.2f}   (compute {total['ratio_compute']:.2f})"
    )
    first = first_value_s()
    print(f"P8: import to first indicator in a second process: {first:.2f} s")
    write(
        "indicators",
        {
            "machine": facts,
            "floor": FLOOR,
            "rounds": rounds,
            "p1_ns_per_bar": rows,
            "p1_sum": total,
            "p8_first_value_s": first,
        },
    )


def make_panel() -> Panel:
    """Seeded geometric Brownian motion, no drift, 1 % a day."""
    rng = np.random.default_rng(20240101)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, (SYMBOLS, BARS)), axis=1))
    opened = close * np.exp(rng.normal(0.0, 0.004, close.shape))
    high = np.maximum(opened, close) * np.exp(np.abs(rng.normal(0.0, 0.004, close.shape)))
    low = np.minimum(opened, close) * np.exp(-np.abs(rng.normal(0.0, 0.004, close.shape)))
    volume = np.floor(rng.lognormal(12.0, 1.0, close.shape))
    return Panel(
        symbols=tuple(f"S{i:04d}" for i in range(SYMBOLS)),
        offsets=np.arange(SYMBOLS + 1, dtype=np.int64) * BARS,
        ts=np.tile(np.arange(BARS, dtype=np.int64) * 86_400_000_000, SYMBOLS),
        open=opened.ravel(),
        high=high.ravel(),
        low=low.ravel(),
        close=close.ravel(),
        volume=volume.ravel(),
        gap=np.zeros(SYMBOLS * BARS, np.bool_),
    )


def measure(
    name: str,
    params: dict[str, Any],
    theirs: Callable[..., Any],
    panel: Panel,
    by_symbol: list[Columns],
    rounds: int,
) -> dict[str, float]:
    """Medians and minima in ns per bar. Raises SystemExit when the two disagree."""
    out = np.empty((len(indicators.get(name).outputs), len(panel)))

    def talib_dropped() -> None:
        for columns in by_symbol:
            theirs(columns)

    variants: dict[str, Callable[[], Any]] = {
        "talib": talib_dropped,
        "reused": lambda: indicators.compute(name, panel, out=out, **params),
        "compute": lambda: indicators.compute(name, panel, **params),
    }
    agree(name, indicators.compute(name, panel, **params), theirs, by_symbol)
    times: dict[str, list[int]] = {key: [] for key in variants}
    for _ in range(rounds + 1):
        for key, run in variants.items():
            start = time.process_time_ns()
            run()
            times[key].append(time.process_time_ns() - start)
    row = {key: float(np.median(values[1:])) / len(panel) for key, values in times.items()}
    row |= {f"best_{key}": min(values[1:]) / len(panel) for key, values in times.items()}
    return row | {"ratio": row["talib"] / row["reused"], "best_ratio": row["best_talib"] / row["best_reused"]}


def agree(name: str, ours: Any, theirs: Callable[..., Any], by_symbol: list[Columns]) -> None:
    """Same NaN prefix, 1e-9 relative (of the largest value where a value is near 0)."""
    mine = (
        [getattr(ours, key) for key in THEIRS[name]] if name in THEIRS else ours if isinstance(ours, tuple) else (ours,)
    )
    for s, columns in enumerate(by_symbol):
        found = theirs(columns)
        for line, reference in zip(mine, found if isinstance(found, tuple | list) else (found,), strict=True):
            own = line[s * BARS : (s + 1) * BARS]
            if not np.allclose(own, reference, rtol=1e-9, atol=1e-9 * np.nanmax(np.abs(reference)), equal_nan=True):
                raise SystemExit(f"{name} disagrees with TA-Lib on symbol {s}")


def first_value_s() -> float:
    """Wall seconds from `import goldensignals` to a first RSI, in a second process; fails if it compiles."""
    code = (
        "import time; start = time.perf_counter()\n"
        "import goldensignals as gs\n"
        "import numpy as np\n"
        "gs.indicators.rsi(np.linspace(1.0, 2.0, 300), 14)\n"
        "seconds = time.perf_counter() - start\n"
        "from agents.kernels import recursive\n"
        "assert not recursive.wilder_rsi.stats.cache_misses\n"
        "print(seconds)\n"
    )
    command = [sys.executable, "-c", code]
    subprocess.run(
        command, check=False, capture_output=True
    )  # fills the cache if it was empty; fails then, as it should
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
