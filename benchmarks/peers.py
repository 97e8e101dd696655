"""P3, and 14 indicators beside TA-Lib, tulipy, polars-talib and vectorbt: ns of CPU time per bar, one thread.

Every library in its own best form on the same seeded bars, in the three sizes of `indicator_cases.SIZES`:

    talib, tulipy   C, symbol by symbol, outputs dropped at once, so that their buffers stay in the cache
    reused          ours into columns that are there: the side to hold against the two above
    polars_talib    one `select` per indicator, `.over("symbol")` when there are several: new Polars columns
    over            ours, likewise
    vectorbt        its indicators, in Rust where it has them so, on frames of bars x symbols whose columns lie end to
                    end: new pandas frames
    compute         ours into new columns
    limit           8 bytes x (inputs + outputs) / the best copy bandwidth of this run

P3: six indicators, ten new columns that the caller owns, from a Polars frame to a Polars frame.
What they give is compared with ours wherever it is the same quantity; OTHER says where it is not.

    make bench-peers                          these libraries in an environment of their own, then
    python -m benchmarks.peers [rounds]       prints tables, writes benchmarks/results/peers.json
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import polars_talib
import tulipy
import vectorbt

from agents import indicators
from agents.indicators import expressions
from benchmarks.indicator_cases import CASES, SIX, SIZES, THEIRS, Columns, Market, bandwidth, timed
from benchmarks.measure import Samples, machine, write

FLOOR_P3 = 8.0  # on 500 x 2,520
THREADS = ("POLARS_MAX_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")
SIDES = ("talib", "tulipy", "reused", "polars_talib", "over", "vectorbt", "compute")
ANSWERS = {"talib": "reused", "tulipy": "reused", "polars_talib": "over", "vectorbt": "compute"}
OPEN, HIGH, LOW, CLOSE, VOLUME = (pl.col(name) for name in Columns._fields)

TULIPY: dict[str, Callable[[Columns], Any]] = {
    "sma": lambda b: tulipy.sma(b.close, 20),
    "ema": lambda b: tulipy.ema(b.close, 20),
    "rsi": lambda b: tulipy.rsi(b.close, 14),
    "macd": lambda b: tulipy.macd(b.close, 12, 26, 9),
    "bollinger": lambda b: tulipy.bbands(b.close, 20, 2.0)[::-1],
    "atr": lambda b: tulipy.atr(b.high, b.low, b.close, 14),
    "adx": lambda b: tulipy.adx(b.high, b.low, b.close, 14),
    "stochastic": lambda b: tulipy.stoch(b.high, b.low, b.close, 14, 3, 3),
    "obv": lambda b: tulipy.obv(b.close, b.volume),
    "cci": lambda b: tulipy.cci(b.high, b.low, b.close, 20),
    "mfi": lambda b: tulipy.mfi(b.high, b.low, b.close, b.volume, 14),
    "donchian": lambda b: (tulipy.max(b.high, 20), tulipy.min(b.low, 20)),
    "stddev": lambda b: tulipy.stddev(b.close, 20),
    "linreg_slope": lambda b: tulipy.linregslope(b.close, 20),
}
POLARS_TALIB: dict[str, tuple[pl.Expr, ...]] = {
    "sma": (polars_talib.sma(CLOSE, timeperiod=20),),
    "ema": (polars_talib.ema(CLOSE, timeperiod=20),),
    "rsi": (polars_talib.rsi(CLOSE, timeperiod=14),),
    "macd": (polars_talib.macd(CLOSE, fastperiod=12, slowperiod=26, signalperiod=9),),
    "bollinger": (polars_talib.bbands(CLOSE, timeperiod=20, nbdevup=2.0, nbdevdn=2.0),),
    "atr": (polars_talib.atr(HIGH, LOW, CLOSE, timeperiod=14),),
    "adx": (polars_talib.adx(HIGH, LOW, CLOSE, timeperiod=14),),
    "stochastic": (polars_talib.stoch(HIGH, LOW, CLOSE, fastk_period=14, slowk_period=3, slowd_period=3),),
    "obv": (polars_talib.obv(CLOSE, VOLUME),),
    "cci": (polars_talib.cci(HIGH, LOW, CLOSE, timeperiod=20),),
    "mfi": (polars_talib.mfi(HIGH, LOW, CLOSE, VOLUME, timeperiod=14),),
    "donchian": (polars_talib.max(HIGH, timeperiod=20), polars_talib.min(LOW, timeperiod=20)),
    "stddev": (polars_talib.stddev(CLOSE, timeperiod=20),),
    "linreg_slope": (polars_talib.linearreg_slope(CLOSE, timeperiod=20),),
}
VECTORBT: dict[str, Callable[[Columns], Any]] = {
    "sma": lambda b: vectorbt.MA.run(b.close, 20).ma,
    "ema": lambda b: vectorbt.MA.run(b.close, 20, ewm=True).ma,
    "rsi": lambda b: vectorbt.RSI.run(b.close, 14).rsi,
    "macd": lambda b: _named(
        vectorbt.MACD.run(b.close, 12, 26, 9, macd_ewm=True, signal_ewm=True), "macd", "signal", "hist"
    ),
    "bollinger": lambda b: _named(vectorbt.BBANDS.run(b.close, 20, alpha=2), "upper", "middle", "lower"),
    "atr": lambda b: vectorbt.ATR.run(b.high, b.low, b.close, 14).atr,
    "stochastic": lambda b: _named(vectorbt.STOCH.run(b.high, b.low, b.close, 14, 3), "percent_k", "percent_d"),
    "obv": lambda b: vectorbt.OBV.run(b.close, b.volume).obv,
    "stddev": lambda b: vectorbt.MSTD.run(b.close, 20).mstd,
}
SETTLED = 400  # bars until another seed of an exponential mean is forgotten to 1e-9
SAME_FROM = {
    "tulipy": {"ema": SETTLED, "atr": SETTLED, "adx": SETTLED, "cci": 38},
    "vectorbt": {"ema": SETTLED, "macd": SETTLED},
}
DRIFT_BARS = 100_000
DRIFT = {  # their sums run on and lose digits, ours begin anew: the share of the largest value after 1,000,000 bars
    ("talib", "mfi"): 1e-6,
    ("polars_talib", "mfi"): 1e-6,
    ("tulipy", "mfi"): 1e-6,
    ("tulipy", "cci"): 1e-5,
    ("tulipy", "bollinger"): 1e-6,
    ("tulipy", "stddev"): 1e-5,
    ("tulipy", "linreg_slope"): 1e-6,
    ("vectorbt", "bollinger"): 1e-6,
    ("vectorbt", "stddev"): 1e-5,
}
OTHER = {
    "tulipy": {
        "macd": "the weights 0.15 and 0.075 for 12 and 26 bars",
        "obv": "begins at 0, not at the first volume",
    },
    "vectorbt": {
        "rsi": "plain means of the gains and losses, not Wilder's",
        "atr": "an exponential mean over 14 bars, not Wilder's",
        "stochastic": "the fast %K and its mean: one smoothing less",
    },
}


class Row(NamedTuple):
    """One indicator on one size: samples of every library that offers it, and the bytes it has to move a bar."""

    sides: dict[str, Samples]
    moved: int


@dataclass(frozen=True)
class Bars:
    """The same bars as each library takes them."""

    market: Market
    frame: pl.DataFrame
    wide: Columns  # pandas frames, bars x symbols

    @classmethod
    def of(cls, symbols: int, bars: int) -> Bars:
        """Seeded; see `Market.of`."""
        market = Market.of(symbols, bars)
        panel = market.panel
        columns = {name: getattr(panel, name) for name in Columns._fields}
        ts = pl.Series(panel.ts).cast(pl.Datetime("us", "UTC"))
        frame = pl.DataFrame({"symbol": pl.Series(panel.symbols).gather(np.arange(symbols * bars) // bars), "ts": ts})
        wide = [pd.DataFrame(c.reshape(symbols, bars).T, columns=panel.symbols, copy=False) for c in columns.values()]
        return cls(market, frame.hstack(pl.DataFrame(columns)), Columns(*wide))

    def over(self, expression: pl.Expr) -> pl.Expr:
        """Symbol by symbol; as it is when there is only one."""
        return expression.over("symbol") if self.market.symbols > 1 else expression


def main(rounds: int) -> None:
    """Measure, print, write: a limit is `moved_bytes` over the best copy bandwidth.

    Raises SystemExit when a library gives other values than ours.
    """
    facts = machine(
        ("numpy", "numba", "ta-lib", "polars", "polars-talib", "tulipy", "vectorbt", "vectorbt-rust", "pandas")
    )
    memory = bandwidth()
    sizes: dict[str, object] = {}
    rows: dict[str, Row] = {}
    for size, (symbols, count) in SIZES.items():
        bars = Bars.of(symbols, count)
        print(f"\n{size + ', ns per bar':26}{''.join(f'{side:>13}' for side in SIDES)}{'bytes':>13}")
        rows = {name: _measured(name, bars, rounds) for name in CASES}
        sums = _sums(rows)
        for library, found in sums.items():
            print(f"{library} / ours, {found['indicators']} indicators: x{found['ratio']:.2f}")
        p3 = _p3(bars, rounds)
        print("P3 " + ", ".join(f"{key} {value:.2f}" for key, value in p3.items()), flush=True)
        again = bandwidth()  # neighbours on the machine take their share at times: the best one is its own
        memory = {key: max(memory[key], again[key]) for key in memory}
        sizes[size] = {
            "ns_per_bar": {name: _document(row) for name, row in rows.items()},
            "sums": sums,
            "p3_ns_per_bar": p3,
        }
    limit = sum(row.moved for row in rows.values()) / memory["copy"]
    print(f"one thread copies {memory['copy']} GB/s: limit {limit:.2f} ns per bar for the sum of {len(rows)}")
    write(
        "peers",
        {
            "machine": facts,
            "bandwidth_gb_s": memory,
            "floor": {"P3": FLOOR_P3},
            "rounds": rounds,
            "same_from_bar": SAME_FROM,
            "their_drift": {f"{library} {name}": value for (library, name), value in DRIFT.items()},
            "other_quantity": OTHER,
            "sizes": sizes,
        },
    )


def one_thread() -> None:
    """This process over again with one thread each for Polars, its plugins and Numba, which ask when imported."""
    if any(os.environ.get(name) != "1" for name in THREADS):
        command = [sys.executable, "-m", "benchmarks.peers", *sys.argv[1:]]
        os.execve(sys.executable, command, os.environ | dict.fromkeys(THREADS, "1"))  # noqa: S606  (no shell is meant)


def _measured(name: str, bars: Bars, rounds: int) -> Row:
    market, params = bars.market, CASES[name][0]
    _compare(name, bars)
    entry = indicators.get(name)
    out = np.empty((len(entry.outputs), len(market.panel)))
    ours = bars.over(expressions.build(entry, **params))
    sides: dict[str, Callable[[], Any]] = {
        "talib": lambda: market.drop(CASES[name][1]),
        "tulipy": lambda: market.drop(TULIPY[name]),
        "reused": lambda: indicators.compute(name, market.panel, out=out, **params),
        "polars_talib": lambda: _polars_talib(name, bars),
        "over": lambda: bars.frame.select(ours),
        "compute": lambda: indicators.compute(name, market.panel, **params),
    }
    if name in VECTORBT:
        sides["vectorbt"] = lambda: VECTORBT[name](bars.wide)
    row = Row(timed(sides, rounds, bars=len(market.panel)), 8 * (len(entry.inputs) + len(entry.outputs)))
    cells = (f"{row.sides[side].median:13.2f}" if side in row.sides else f"{'-':>13}" for side in SIDES)
    print(f"{name:26}{''.join(cells)}{row.moved:13d}", flush=True)
    return row


def _sums(rows: dict[str, Row]) -> dict[str, dict[str, float]]:
    """Each library's sum over what it offers, ours over the same, and their ratio round by round."""
    found = {}
    for library, answer in ANSWERS.items():
        offered = [row for row in rows.values() if library in row.sides]
        theirs, ours = (_sum([row.sides[side] for row in offered]) for side in (library, answer))
        found[library] = {
            "indicators": len(offered),
            "theirs": round(theirs.median, 2),
            "ours": round(ours.median, 2),
            "ratio": round(theirs.over(ours).median, 2),
            "moved_bytes": sum(row.moved for row in offered),
        }
    return found


def _p3(bars: Bars, rounds: int) -> dict[str, float]:
    """Six indicators; polars-talib in whichever of its two forms is the faster here."""
    frame = bars.frame
    ours = [bars.over(expressions.build(indicators.get(name), **CASES[name][0])) for name in SIX]
    theirs = [bars.over(e).alias(name) for name in SIX for e in POLARS_TALIB[name]]

    def many() -> pl.DataFrame:
        return frame.hstack(indicators.compute_many(SIX, frame))

    for one, other in zip(_flat(frame.select(ours)), many()[:, len(frame.columns) :], strict=True):
        np.testing.assert_array_equal(one.to_numpy(), other.to_numpy())
    samples = timed(
        {
            "polars_talib_at_once": lambda: frame.with_columns(theirs),
            "polars_talib_one_by_one": lambda: [frame.select(e) for e in theirs],
            "over": lambda: frame.with_columns(ours),
            "compute_many": many,
        },
        rounds,
        bars=frame.height,
    )
    best = min(("polars_talib_at_once", "polars_talib_one_by_one"), key=lambda side: samples[side].median)
    ratios = {f"ratio_{side}": samples[best].over(samples[side]).median for side in ("over", "compute_many")}
    return {key: round(value, 2) for key, value in ({s: v.median for s, v in samples.items()} | ratios).items()}


def _compare(name: str, bars: Bars) -> None:
    market, params = bars.market, CASES[name][0]
    ours = indicators.compute(name, market.panel, **params)
    lines = [getattr(ours, key) for key in THEIRS[name]] if name in THEIRS else _tuple(ours)
    columns = [column.to_numpy() for column in _polars_talib(name, bars)]
    frames = _tuple(VECTORBT[name](bars.wide)) if name in VECTORBT else ()
    references: dict[str, Callable[[int], Sequence[Any]]] = {
        "talib": lambda s: _tuple(CASES[name][1](market.by_symbol[s])),
        "polars_talib": lambda s: [column[s * market.bars : (s + 1) * market.bars] for column in columns],
        "tulipy": lambda s: [_padded(line, market.bars) for line in _tuple(TULIPY[name](market.by_symbol[s]))],
        "vectorbt": lambda s: [frame.to_numpy()[:, s] for frame in frames],
    }
    for library, reference_of in references.items():
        start = SAME_FROM.get(library, {}).get(name, 0)
        if name in OTHER.get(library, {}) or start >= market.bars or (library == "vectorbt" and not frames):
            continue
        tolerance = DRIFT.get((library, name), 1e-9) if market.bars > DRIFT_BARS else 1e-9
        for s in range(0, market.symbols, 7):
            for line, reference in zip(lines, reference_of(s), strict=True):
                own, other = line[s * market.bars : (s + 1) * market.bars][start:], reference[start:]
                if not np.allclose(
                    own, other, rtol=tolerance, atol=tolerance * np.nanmax(np.abs(other)), equal_nan=True
                ):
                    raise SystemExit(f"{library} disagrees with our {name} on symbol {s}")


def _padded(values: Any, bars: int) -> Any:
    """Tulip leaves the warm-up out."""
    return np.concatenate([np.full(bars - values.size, np.nan), values])


def _polars_talib(name: str, bars: Bars) -> list[pl.Series]:
    """Its new columns."""
    return _flat(bars.frame.select(bars.over(e).alias(str(i)) for i, e in enumerate(POLARS_TALIB[name])))


def _flat(frame: pl.DataFrame) -> list[pl.Series]:
    """Columns with structs taken apart, which copies nothing."""
    return [part for s in frame for part in (s.struct.unnest() if isinstance(s.dtype, pl.Struct) else [s])]


def _named(found: Any, *names: str) -> tuple[Any, ...]:
    return tuple(getattr(found, name) for name in names)


def _tuple(values: Any) -> tuple[Any, ...]:
    return tuple(values) if isinstance(values, tuple | list) else (values,)


def _sum(samples: list[Samples]) -> Samples:
    return Samples.of([sum(values) for values in zip(*(s.values for s in samples), strict=True)])


def _document(row: Row) -> dict[str, float]:
    return {side: round(samples.median, 3) for side, samples in row.sides.items()} | {"moved_bytes": row.moved}


if __name__ == "__main__":
    one_thread()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
