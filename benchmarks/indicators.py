"""P1, P2, P4 and P8: our indicators against TA-Lib's C, and how soon a fresh process has its first value.

P1: 14 indicators, each alone, 500 symbols x 2,520 seeded bars. TA-Lib is called symbol by symbol with its outputs
    dropped at once, which is its best case. `reused` writes into columns that are there, `compute` makes new ones.
    ADX and Donchian give three outputs here, TA-Lib's ADX one and MAX + MIN two.
P2: six of them, ten outputs, as one plan that shares its parts. P4: only the newest value of each symbol.
P8: `import goldensignals` and one RSI in a second process, kernels cached; nothing may be compiled.

    python -m benchmarks.indicators [rounds]        prints a table, writes benchmarks/results/indicators.json
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np

from agents import indicators
from agents.indicators.columns import to_ragged
from benchmarks.indicator_cases import CASES, SIX, SIZES, Market, agree, bandwidth, timed
from benchmarks.measure import Samples, machine, write

FLOOR = {"P1_sum": 3.0, "P1_each": 1.2, "P2": 3.6, "P4": 10.0, "P8_s": 1.0}


def main(rounds: int) -> None:
    """Measure, print, write."""
    facts = machine(("numpy", "numba", "ta-lib", "polars"))
    memory = bandwidth()
    market = Market.of(*SIZES["500 x 2,520"])
    rows: dict[str, dict[str, Samples]] = {}
    print(f"one thread copies {memory['copy']} GB/s")
    print(f"{'ns per bar':14}{'TA-Lib':>8}{'reused':>8}{'compute':>8}{'ratio':>7}")
    for name in CASES:
        agree(name, market)
        rows[name] = _each(name, market, rounds)
        _show(name, rows[name])
    summed = {side: _sum([row[side] for row in rows.values()]) for side in ("talib", "reused", "compute")}
    _show("P1 sum", summed)
    six = _six(market, rounds)
    _show("P2 six", {key: six[key] for key in ("talib", "reused", "compute")})
    print(f"{'P4 newest':14}{six['talib'].median:8.2f}{six['last'].median:8.2f}{'':8}{_ratio(six, 'last'):7.2f}")
    first = first_value_s()
    print(f"P8: import to first indicator in a second process: {first:.2f} s")
    write(
        "indicators",
        {
            "machine": facts,
            "bandwidth_gb_s": memory,
            "floor": FLOOR,
            "rounds": rounds,
            "p1_ns_per_bar": {name: _document(row) for name, row in rows.items()},
            "p1_sum": _document(summed),
            "p2_p4_ns_per_bar": _document(six),
            "p2_ratio": _ratio(six, "reused"),
            "p4_ratio": _ratio(six, "last"),
            "p8_first_value_s": first,
        },
    )


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
    # the first one fills the cache if it was empty; it fails then, as it should
    subprocess.run(command, check=False, capture_output=True)
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _each(name: str, market: Market, rounds: int) -> dict[str, Samples]:
    params, theirs = CASES[name]
    out = np.empty((len(indicators.get(name).outputs), len(market.panel)))
    sides: dict[str, Any] = {
        "talib": lambda: market.drop(theirs),
        "reused": lambda: indicators.compute(name, market.panel, out=out, **params),
        "compute": lambda: indicators.compute(name, market.panel, **params),
    }
    return timed(sides, rounds, bars=len(market.panel))


def _six(market: Market, rounds: int) -> dict[str, Samples]:
    _, plan = indicators.plan(SIX)
    data = to_ragged(market.panel, plan.inputs)
    out = np.empty((len(plan.lines), len(market.panel)))

    def talib_dropped() -> None:
        for columns in market.by_symbol:
            for name in SIX:
                CASES[name][1](columns)

    whole = plan.run(data)
    np.testing.assert_array_equal(plan.last(data), whole[:, data.offsets[1:] - 1])
    sides: dict[str, Any] = {
        "talib": talib_dropped,
        "reused": lambda: plan.run(data, out),
        "compute": lambda: plan.run(data),
        "last": lambda: plan.last(data),
    }
    return timed(sides, rounds, bars=len(market.panel))


def _show(name: str, row: dict[str, Samples]) -> None:
    cells = "".join(f"{row[side].median:8.2f}" for side in ("talib", "reused", "compute"))
    print(f"{name:14}{cells}{_ratio(row, 'reused'):7.2f}", flush=True)


def _ratio(row: dict[str, Samples], side: str) -> float:
    return row["talib"].over(row[side]).median


def _sum(samples: list[Samples]) -> Samples:
    return Samples.of([sum(values) for values in zip(*(s.values for s in samples), strict=True)])


def _document(row: dict[str, Samples]) -> dict[str, Any]:
    found: dict[str, Any] = {side: round(samples.median, 3) for side, samples in row.items()}
    return found | {
        "ratio": round(_ratio(row, "reused"), 3),
        "best": {s: round(min(v.values), 3) for s, v in row.items()},
    }


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
