"""P5, P6, P7: a sweep of SMA crosses beside vectorbt and beside a plain fused Numba loop over bars, in one run.

P5  100 symbols x 100 sets x 2,520 bars, four metrics (total return, Sharpe, drawdown, trades), CPU time of one thread:
    vectorbt   its best form found: one symbol at a time, signals as NumPy arrays, room for orders given, the faster of
               its two engines
    loop       averages shared, then one fused loop over the bars of each set
    ours       `sweep` from conditions;   bound: from the strategy's name and parameters, the strategy read before
P6  growth of a process' peak memory: vectorbt at 2,000 sets of one symbol; ours at the same, 10,000 and 1,000,000
P7  all numbers of P5 against vectorbt's, both fill modes, its year of 365 days

    make bench-peers                          vectorbt in an environment of its own, then
    python -m benchmarks.sweep [rounds]       there; prints, writes benchmarks/results/sweep.json
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pandas as pd
import vectorbt

from agents import indicators
from agents.backtest.catalogue import builtin
from agents.backtest.rules import Fill, Rules
from agents.backtest.sweep import DEFAULT, sweep, sweep_blocks
from agents.backtest.sweep_program import Rule
from agents.expr.conditions import Crosses
from agents.indicators.graph import Line, column
from benchmarks.indicator_cases import Market
from benchmarks.measure import Samples, machine, write
from data.contracts.arrays import Floats

FLOORS = {"P5": 100.0, "P6": 100.0, "P7": 1e-9}
SYMBOLS, BARS = 100, 2_520
FAST, SLOW = range(5, 55, 5), range(60, 210, 15)
FEES, SLIPPAGE, YEAR = 0.001, 0.0005, 365.0
THREADS = ("POLARS_MAX_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")
Found = dict[str, Floats]


def main(rounds: int) -> None:
    """Measure, print, write. Raises SystemExit when results differ or memory grows with the number of sets."""
    facts = machine(("numpy", "numba", "vectorbt", "vectorbt-rust", "pandas"))
    market = Market.of(SYMBOLS, BARS)
    sets = crosses(market)
    agreement = {fill: _differences(market, sets, fill) for fill in ("next_open", "close")}
    print("P7", json.dumps(agreement))
    engine = min(("rust", "numba"), key=lambda name: _seconds(lambda: _vectorbt(market, "next_open", name)))
    strategy = builtin("sma_cross")
    sides: dict[str, Callable[[], Any]] = {
        "vectorbt": lambda: _vectorbt(market, "next_open", engine),
        "loop": lambda: _loop(market, 0),
        "ours": lambda: sweep(market.panel, sets, rules("next_open")),
        "bound": lambda: sweep(
            market.panel, [strategy.bind(fast=f, slow=s) for f, s in product(FAST, SLOW)], rules("next_open")
        ),
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, side in sides.items():
            spent = min(_seconds(side) for _ in range(1 if name == "vectorbt" else 5))
            if number:
                times[name].append(spent)
    samples = {name: Samples.of(values) for name, values in times.items()}
    work = SYMBOLS * BARS * len(sets)
    for name, found in samples.items():
        print(f"{name:10}{found.text(1e3, 'ms')}{found.median * 1e9 / work:10.3f} ns per bar and set")
    ratios = {name: samples["vectorbt"].over(samples[name]) for name in ("loop", "ours", "bound")}
    for name, ratio in ratios.items():
        print(f"P5 vectorbt ({engine}) / {name}: {ratio.text(1.0, 'x')}")
    memory = {f"ours {n}": _grown("ours", n) for n in (2_000, 10_000, 1_000_000)} | {
        "vectorbt 2000": _grown("vectorbt", 2_000)
    }
    print("P6 MB", json.dumps(memory))
    write(
        "sweep",
        {
            "machine": facts,
            "floor": FLOORS,
            "what": f"{SYMBOLS} symbols x {len(sets)} sets x {BARS} bars, {', '.join(DEFAULT)}; CPU, one thread",
            "vectorbt_engine": engine,
            "seconds": {name: found.document() for name, found in samples.items()},
            "ns_per_bar_and_set": {name: round(f.median * 1e9 / work, 3) for name, f in samples.items()},
            "P5_vectorbt_over": {name: ratio.document() for name, ratio in ratios.items()},
            "P6_peak_growth_mb": memory,
            "P7_largest_difference": agreement,
        },
    )
    if memory["ours 1000000"] > memory["ours 10000"] + 16.0:
        raise SystemExit("memory grows with the number of sets")


def rules(fill: Fill) -> Rules:
    """The costs of all sides."""
    return Rules(fees=FEES, slippage=SLIPPAGE, fill=fill, annualisation=YEAR)


def average(window: int) -> Line:
    """A mean of closes."""
    entry = indicators.get("sma")
    return entry.lines((column("close"),), entry.bind((window,), {}))[0]


def crosses(market: Market) -> list[Rule]:
    """The sets, fast by slow."""
    lines = {window: average(window) for window in (*FAST, *SLOW)}
    return [Rule(Crosses(lines[f], lines[s]), Crosses(lines[s], lines[f])) for f, s in product(FAST, SLOW)]


def _vectorbt(market: Market, fill: Fill, engine: str) -> Found:
    """(sets, symbols) of each metric, one symbol after the other."""
    windows = [*FAST, *SLOW]
    pairs = np.array([(i, len(FAST) + j) for i, j in product(range(len(FAST)), range(len(SLOW)))])
    index = pd.date_range("2015-01-01", periods=market.bars, freq="D")
    found: Found = {name: np.empty((len(pairs), market.symbols)) for name in DEFAULT}
    for s, bars in enumerate(market.by_symbol):
        means = vectorbt.MA.run(bars.close, windows, engine=engine).ma.to_numpy()
        fast, slow = means[:, pairs[:, 0]], means[:, pairs[:, 1]]
        above, below, known = fast > slow, fast < slow, ~np.isnan(slow)
        enter, leave = np.zeros_like(above), np.zeros_like(above)
        first = 1 if fill == "close" else 2  # at the next open: signals a bar later, at that bar's open
        last = market.bars if fill == "close" else market.bars - 1
        enter[first:] = (above[1:last] & ~above[: last - 1]) & known[: last - 1]
        leave[first:] = (below[1:last] & ~below[: last - 1]) & known[: last - 1]
        held = vectorbt.Portfolio.from_signals(
            pd.Series(bars.close, index=index), enter, leave, price=None if fill == "close" else bars.open[:, None],
            fees=FEES, slippage=SLIPPAGE, init_cash=100_000.0, freq="1D", engine=engine,
            max_orders=int(np.count_nonzero(enter) + np.count_nonzero(leave)) + 1,
        )  # fmt: skip
        found["total_return"][:, s] = held.total_return(engine=engine)
        found["sharpe"][:, s] = held.sharpe_ratio(engine=engine)
        found["max_drawdown"][:, s] = held.max_drawdown(engine=engine)
        found["trades"][:, s] = held.trades.count()
    return found


@numba.njit(error_model="numpy")
def _means(close: Floats, windows: Any, out: Floats) -> None:
    for k in range(windows.size):
        total = 0.0
        for i in range(close.size):
            total += close[i] - (close[i - windows[k]] if i >= windows[k] else 0.0)
            out[k, i] = total / windows[k] if i >= windows[k] - 1 else np.nan


@numba.njit(error_model="numpy")
def _fused(opened: Floats, close: Floats, means: Floats, pairs: Any, at_close: int, out: Floats) -> None:
    """One symbol: out (sets, 4) of total return, Sharpe, drawdown, trades."""
    n = close.size
    for p in range(pairs.shape[0]):
        fast, slow = means[pairs[p, 0]], means[pairs[p, 1]]
        cash, shares, before, peak = 1.0, 0.0, 1.0, -np.inf
        total = squares = worst = 0.0
        trades = 0
        for i in range(n):
            t = i - 1 + at_close
            if t < 1 or np.isnan(slow[t - 1]):
                peak = before
                continue
            enter, leave = (
                fast[t] > slow[t] and fast[t - 1] <= slow[t - 1],
                fast[t] < slow[t] and fast[t - 1] >= slow[t - 1],
            )
            if shares == 0.0 and not enter:
                continue  # equity stands still
            price = close[i] if at_close else opened[i]
            if shares == 0.0:
                shares = cash / (1.0 + FEES) / (price * (1.0 + SLIPPAGE))
                cash = 0.0
                trades += 1
            elif leave:
                cash = shares * price * (1.0 - SLIPPAGE) * (1.0 - FEES)
                shares = 0.0
            equity = cash + shares * close[i]
            step = equity / before - 1.0
            before = equity
            total += step
            squares += step * step
            peak = max(peak, equity)
            worst = min(worst, equity / peak - 1.0)
        spread = (squares - total * total / n) / (n - 1)
        out[p, 0], out[p, 2], out[p, 3] = before - 1.0, worst, trades
        out[p, 1] = total / n / np.sqrt(spread) * np.sqrt(YEAR) if spread > 0.0 else np.nan


def _loop(market: Market, at_close: int) -> Floats:
    """(sets, symbols, 4)."""
    pairs = np.array([(i, len(FAST) + j) for i, j in product(range(len(FAST)), range(len(SLOW)))])
    found, means = np.empty((len(pairs), market.symbols, 4)), np.empty((len(FAST) + len(SLOW), market.bars))
    out, windows = np.empty((len(pairs), 4)), np.array([*FAST, *SLOW])
    for s, bars in enumerate(market.by_symbol):
        _means(bars.close, windows, means)
        _fused(bars.open, bars.close, means, pairs, at_close, out)
        found[:, s] = out
    return found


def _differences(market: Market, sets: list[Rule], fill: Fill) -> dict[str, float]:
    """Largest difference to vectorbt and to the loop over all sets and symbols; raises SystemExit beyond 1e-9."""
    ours = sweep(market.panel, sets, rules(fill)).values
    theirs, loop = _vectorbt(market, fill, "rust"), _loop(market, int(fill == "close"))
    found = {}
    for number, name in enumerate(DEFAULT):
        for label, other in (("", theirs[name]), (" (loop)", loop[:, :, number])):
            both = np.isfinite(ours[name]) & np.isfinite(other)  # without a trade: ours NaN, vectorbt's inf or NaN
            if np.any(np.isfinite(ours[name]) & ~np.isfinite(other)):
                raise SystemExit(f"{name}{label} is undefined there, defined here")
            found[name + label] = float(np.max(np.abs(ours[name] - other), where=both, initial=0.0))
    if max(found.values()) > FLOORS["P7"]:
        raise SystemExit(f"results differ: {found}")
    return found


def _seconds(run: Callable[[], Any]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def _grown(side: str, count: int) -> float:
    """MB by which the peak memory of a fresh process grows, after a small run of the same kind."""
    command = [sys.executable, "-m", "benchmarks.sweep", "memory", side, str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _memory(side: str, count: int) -> None:
    market = Market.of(1, BARS)
    run = {"ours": _ours_alone, "vectorbt": _vectorbt_alone}[side]
    run(market, 64)
    before = _peak()
    run(market, count)
    print(_peak() - before)


def _peak() -> float:
    """MB, of this program alone: what `getrusage` says begins with the peak of the process that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024.0


def _ours_alone(market: Market, count: int) -> None:
    """Sets drawn one by one; of the results only the best Sharpe is kept, as a job's reducer does."""
    best = -np.inf
    for block in sweep_blocks(market.panel, _drawn(count), rules("next_open")):
        best = max(best, float(np.nanmax(block.values["sharpe"])))
    if not np.isfinite(best):
        raise SystemExit("nothing was found")


def _drawn(count: int) -> Iterator[Rule]:
    lines = [average(window) for window in range(2, 1_002)]
    for k in range(count):
        fast, slow = lines[k // 1_000 % 1_000], lines[(k + 1) % 1_000]
        yield Rule(Crosses(fast, slow), Crosses(slow, fast))


def _vectorbt_alone(market: Market, count: int) -> None:
    windows = np.arange(2, 2 + count) % 1_000 + 2
    close = market.by_symbol[0].close
    means = vectorbt.MA.run(close, [*range(2, 1_002)]).ma.to_numpy()
    fast, slow = means[:, [10]], means[:, windows - 2]
    above = fast > slow
    enter, leave = np.zeros_like(above), np.zeros_like(above)
    enter[1:], leave[1:] = above[1:] & ~above[:-1], ~above[1:] & above[:-1]
    held = vectorbt.Portfolio.from_signals(
        pd.Series(close, index=pd.date_range("2015-01-01", periods=close.size, freq="D")), enter, leave,
        fees=FEES, slippage=SLIPPAGE, freq="1D", max_orders=int(enter.sum() + leave.sum()) + 1,
    )  # fmt: skip
    for value in (held.total_return(), held.sharpe_ratio(), held.max_drawdown(), held.trades.count()):
        if len(value) != count:
            raise SystemExit("vectorbt left out sets")


if __name__ == "__main__":
    if any(os.environ.get(name) != "1" for name in THREADS):  # one thread each; they ask when imported
        command = [sys.executable, "-m", "benchmarks.sweep", *sys.argv[1:]]
        os.execve(sys.executable, command, os.environ | dict.fromkeys(THREADS, "1"))  # noqa: S606  (no shell is meant)
    if sys.argv[1:2] == ["memory"]:
        _memory(sys.argv[2], int(sys.argv[3]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
