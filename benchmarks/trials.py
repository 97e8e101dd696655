"""What one asks of a million sets: pages, heatmaps, slices and histograms, by DuckDB and by lazy Polars.

A million sets of three parameters with four metrics, and the five million single backtests behind them, in the Parquet
parts that a sweep writes. Every question is put to `data.results` as the API puts it (schema, page and total, each time
anew) and to `polars.scan_parquet`; both sides take turns and their answers are compared. Wall time, and the processor
time of all threads: what the wall time is at most when nothing else runs.

    python -m benchmarks.trials [rounds]       writes benchmarks/results/trials.json; under a minute
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
import psutil

from benchmarks.measure import Samples, machine, write
from cluster.sweep import write_parts
from data.results import Results

FLOOR_S = 0.3
RUN = "0" * 32
SETS, CHUNK, SYMBOLS = 1_000_000, 20_000, ("A", "B", "C", "D", "E")
FAST, SLOW = 100, 200  # values; the third parameter has the rest


def main(rounds: int) -> None:
    """Measure, print, write."""
    facts = machine(("duckdb", "polars"))
    with TemporaryDirectory(prefix="gs-bench-") as place:
        home = Path(place)
        folder = home / "runs" / RUN
        write_parts(_sets(), folder / "sets")
        write_parts(_trials(), folder / "trials")
        (folder / "summary.json").write_text(json.dumps({"metric": "sharpe"}))
        size = sum(path.stat().st_size for path in folder.rglob("*.parquet"))
        before = psutil.Process().memory_info().rss
        found = _measured(Results(home), folder, rounds)
        grown = psutil.Process().memory_info().rss - before
    document = {
        "machine": facts,
        "what": f"{SETS:,} sets, {SETS * len(SYMBOLS):,} single backtests, {size / 2**20:.0f} MiB of Parquet",
        "floor_s": FLOOR_S,
        "memory_grown_mib": round(grown / 2**20),
        "questions": found,
    }
    print(write("trials", document))


def _measured(results: Results, folder: Path, rounds: int) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, (ours, theirs) in _questions(results, folder).items():
        if theirs is not None:
            _compare(name, ours(), theirs())
        sides = {"duckdb": ours} if theirs is None else {"duckdb": ours, "polars": theirs}
        times: dict[str, list[float]] = {f"{side}_{kind}": [] for side in sides for kind in ("s", "cpu_s")}
        for _ in range(rounds):
            for side, ask in sides.items():
                began, worked = time.perf_counter(), time.process_time()
                ask()
                times[f"{side}_cpu_s"].append(time.process_time() - worked)
                times[f"{side}_s"].append(time.perf_counter() - began)
        samples = {side: Samples.of(values) for side, values in times.items()}
        found[name] = {side: one.document() for side, one in samples.items()}
        print(f"{name:<46}", "  ".join(f"{side} {one.median * 1e3:.0f} ms" for side, one in samples.items()))
    return found


Ask = Callable[[], object]


def _questions(results: Results, folder: Path) -> dict[str, tuple[Ask, Ask | None]]:
    sets, trials = (pl.scan_parquet(folder / name / "*.parquet") for name in ("sets", "trials"))
    sharpe, kept = pl.col("sharpe"), (pl.col("fast") < 40) & (pl.col("trades") > 50.0)

    def ranked(frame: pl.LazyFrame, offset: int = 0) -> list[tuple[object, ...]]:
        best = frame.sort("sharpe", descending=True, nulls_last=True, maintain_order=True)
        return best.slice(offset, 200).collect().rows()

    def quartiles(name: str) -> list[tuple[object, ...]]:
        shares = [sharpe.quantile(share, "linear").alias(str(share)) for share in (0.25, 0.5, 0.75)]
        return sets.group_by(name).agg(*shares, sharpe.max(), pl.len().alias("n")).sort(name).collect().rows()

    return {
        "first page of 200, by Sharpe": (
            lambda: results.table(RUN, "sets", sort=["-sharpe"]).rows,
            lambda: ranked(sets),
        ),
        "the same, filtered by two columns": (
            lambda: results.table(RUN, "sets", sort=["-sharpe"], filters=["fast:lt:40", "trades:gt:50"]).rows,
            lambda: ranked(sets.filter(kept)),
        ),
        "a page half way down": (
            lambda: results.table(RUN, "sets", sort=["-sharpe"], offset=SETS // 2).rows,
            lambda: ranked(sets, SETS // 2),
        ),
        "an unsorted page half way down": (
            lambda: results.table(RUN, "sets", offset=SETS // 2).rows,
            lambda: sets.slice(SETS // 2, 200).collect().rows(),
        ),
        "first page of the single backtests, by Sharpe": (
            lambda: results.table(RUN, "trials", sort=["-sharpe"]).rows,
            lambda: ranked(trials),
        ),
        "the single backtests of one set": (
            lambda: results.table(RUN, "trials", filters=["set:eq:777777"]).rows,
            lambda: trials.filter(pl.col("set") == 777_777).collect().rows(),
        ),
        "heatmap of 100 x 200, best": (
            lambda: results.heatmap(RUN, "fast", "slow", "sharpe").values,
            lambda: _cells(sets.group_by("fast", "slow").agg(sharpe.max()).collect()),
        ),
        "heatmap of 100 x 200, median": (
            lambda: results.heatmap(RUN, "fast", "slow", "sharpe", "median").values,
            lambda: _cells(sets.group_by("fast", "slow").agg(sharpe.median()).collect()),
        ),
        "slices of three parameters": (
            lambda: [
                row
                for one in results.slices(RUN, "sharpe")
                for row in zip(one.values, one.low, one.median, one.high, one.best, one.sets, strict=True)
            ],
            lambda: [row for name in ("fast", "slow", "stop") for row in quartiles(name)],
        ),
        "histogram of the sets": (lambda: results.histogram(RUN, "sharpe").counts, None),
        "histogram of the single backtests": (lambda: results.histogram(RUN, "sharpe", table="trials").counts, None),
        "schema and sizes of all tables": (lambda: results.tables(RUN), None),
    }


def _cells(frame: pl.DataFrame) -> list[list[float]]:
    wide = frame.sort("fast").pivot(on="fast", index="slow", values="sharpe").sort("slow")
    return [list(row) for row in wide.drop("slow").rows()]


def _compare(name: str, ours: object, theirs: object) -> None:
    if not isinstance(ours, list) or not isinstance(theirs, list) or len(ours) != len(theirs):
        raise SystemExit(f"{name}: the answers have different shapes")
    if not ours or any(not _same(one, other) for one, other in zip(ours, theirs, strict=True)):
        raise SystemExit(f"{name}: the answers differ")


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    return all(
        abs(a - b) <= 1e-12 if isinstance(a, float) and isinstance(b, float) else a == b
        for a, b in zip(one, other, strict=True)
    )


def _sets() -> Iterator[pl.DataFrame]:
    rng = np.random.default_rng(0)
    for first in range(0, SETS, CHUNK):
        at = np.arange(first, first + CHUNK)
        stop = SETS // FAST // SLOW
        parameters = {"fast": at // (SLOW * stop) + 2, "slow": at // stop % SLOW + 20, "stop": at % stop / 100.0}
        yield pl.DataFrame({"set": at, **parameters, **_metrics(rng, CHUNK)})


def _trials() -> Iterator[pl.DataFrame]:
    rng = np.random.default_rng(1)
    for first in range(0, SETS, CHUNK):
        at = np.arange(first, first + CHUNK).repeat(len(SYMBOLS))
        yield pl.DataFrame({"set": at, "symbol": SYMBOLS * CHUNK, **_metrics(rng, at.size)})


def _metrics(rng: np.random.Generator, rows: int) -> dict[str, pl.Series]:
    sharpe = np.where(rng.random(rows) < 0.01, np.nan, rng.normal(0.3, 0.5, rows))
    return {
        "total_return": pl.Series(rng.normal(0.1, 0.3, rows)),
        "sharpe": pl.Series(sharpe).fill_nan(None),
        "max_drawdown": pl.Series(-rng.random(rows)),
        "trades": pl.Series(rng.integers(0, 200, rows).astype(np.float64)),
    }


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
