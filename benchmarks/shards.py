"""Memory of a scan over a universe that is opened at once, and file by file through Ray Data.

A universe is copied under other names, so that it has 1, 4 and 8 times as many symbols; files hold about 1,000 symbols
each. Both sides scan the folder in a process of their own and must give the same bytes. Peaks are resident memory of
the process that prints the result (`driver`) and of the largest worker; shared libraries count in each of them.
Seconds of the streamed side hold the start of PostgreSQL and Ray.

    python -m benchmarks.shards [BARS.parquet]     writes benchmarks/results/shards.json; 3 minutes; default: the sample
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import psutil

from benchmarks.measure import machine, write
from data.market.sample import BARS, path_of
from data.market.shards import BYTES_PER_BAR
from data.market.source import Stamps, open_bars
from data.settings import Settings
from serve_app.screens import Screen, ScreenRequest, run_screen
from serve_app.streamed import stream_screen

EXPRESSION = "rsi(14) < 30 and close > sma(200)"
COPIES = (1, 4, 8)
_SYMBOLS = 1_000  # of a file
_LOOK_S = 0.02
_FLAT_MB = 100.0  # more than that from the smallest to the largest universe is not flat


def main(bars: Path) -> None:
    """Measure, print, write."""
    facts = machine(("ray", "polars", "numba"))
    rows: list[dict[str, object]] = []
    with TemporaryDirectory(prefix="gs-bench-") as place:
        for copies in COPIES:
            folder = Path(place) / f"x{copies}"
            symbols, count = _laid_out(bars, folder, copies)
            found = {side: _run(side, folder, Path(place) / "home") for side in SIDES}
            if found["memory"]["sha"] != found["stream"]["sha"]:
                raise SystemExit(f"the two sides differ at {copies} copies")
            row = {"symbols": symbols, "bars": count, "files": len(list(folder.iterdir())), **found}
            print(json.dumps(row))
            rows.append(row)
    first, last = rows[0], rows[-1]
    grown = {
        f"{side} {who}": round(last[side][who] - first[side][who], 1)  # type: ignore[index]
        for side, who in (("memory", "driver_mb"), ("stream", "driver_mb"), ("stream", "worker_mb"))
    }
    more = last["bars"] - first["bars"]  # type: ignore[operator]
    document: dict[str, object] = {
        "machine": facts,
        "what": f"{EXPRESSION!r} over {bars.stem}, copied {', '.join(map(str, COPIES))} times",
        "rows": rows,
        "grown_mb": grown,
        "bytes_per_bar": {"measured": round(grown["memory driver_mb"] * 2**20 / more), "estimated": BYTES_PER_BAR},
    }
    print(json.dumps(grown), write("shards", document))
    if max(grown["stream driver_mb"], grown["stream worker_mb"]) > _FLAT_MB:
        raise SystemExit("memory of the streamed scan grows with the universe")


def _laid_out(bars: Path, folder: Path, copies: int) -> tuple[int, int]:
    folder.mkdir()
    table = pl.read_parquet(bars).drop("kind", strict=False).sort("symbol", maintain_order=True)
    names = table["symbol"].unique().sort()
    for copy in range(copies):
        for first in range(0, names.len(), _SYMBOLS):
            some = table.filter(pl.col("symbol").is_in(names[first : first + _SYMBOLS].implode()))
            renamed = some.with_columns(pl.col("symbol") + f"~{copy}")
            renamed.write_parquet(folder / f"{copy}-{first:05}.parquet")
    return names.len() * copies, table.height * copies


def _run(side: str, folder: Path, home: Path) -> dict[str, float | str]:
    command = [sys.executable, "-m", "benchmarks.shards", side, str(folder), str(home)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=900)
    found: dict[str, float | str] = json.loads(done.stdout.splitlines()[-1])
    return found


def _one(side: str, folder: str, home: str) -> None:
    with _Workers() as workers:
        began = time.perf_counter()
        screen = SIDES[side](folder, Settings(home=Path(home)))
        seconds = time.perf_counter() - began
    document = json.dumps([screen.document(), screen.data_hash()])
    peaks = {"driver_mb": _peak(psutil.Process().pid), "worker_mb": max(workers.peaks.values(), default=0.0)}
    sha = hashlib.sha256(document.encode()).hexdigest()
    print(json.dumps({"seconds": round(seconds, 1), **peaks, "workers": len(workers.peaks), "sha": sha}))


def _memory(folder: str, settings: Settings) -> Screen:
    return run_screen(open_bars(folder), ScreenRequest(EXPRESSION))


def _stream(folder: str, settings: Settings) -> Screen:
    return stream_screen(
        settings, folder, ScreenRequest(EXPRESSION), Stamps(), say=_quiet, progress=lambda done, total: None
    )


def _quiet(text: str) -> None:
    """Nobody watches."""


class _Workers:
    """Looks at the processes that work on files: the peak of each, in MB."""

    def __init__(self) -> None:
        self.peaks: dict[int, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> _Workers:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_LOOK_S):
            for process in psutil.Process().children(recursive=True):
                try:
                    if process.pid in self.peaks or process.name().startswith("ray::Map"):
                        self.peaks[process.pid] = _peak(process.pid)
                except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError, StopIteration):
                    continue  # it has just ended


def _peak(pid: int) -> float:
    """MB, of this program alone: what `getrusage` says begins with the peak of the process that started it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024.0, 1)


SIDES: dict[str, Callable[[str, Settings], Screen]] = {"memory": _memory, "stream": _stream}

if __name__ == "__main__":
    if len(sys.argv) == 4:
        _one(*sys.argv[1:])
    else:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else path_of(BARS))
