"""P9: a sweep on two Ray workers against one process, and what a chunk costs whoever hands it out.

The sample's 505 symbols, 7,000 SMA crosses. `serial` does the chunks one after the other in this process, `workers`
sends them to two actors of a local cluster; both write every chunk to a file and a ledger, as a sweep does, and take
turns. Efficiency = serial / (2 × workers), in wall time. The judging that follows is the same work on both sides and
left out. `overhead`: a piece that does nothing, there and back and committed; how many workers one driver can feed
is the length of a chunk divided by that.

    python -m benchmarks.sweep_workers [rounds]       writes benchmarks/results/sweep_workers.json; 1 minute
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from agents.backtest.catalogue import builtin
from agents.backtest.grid import Axis, Grid
from agents.backtest.rules import Rules
from agents.backtest.search import CHUNK_S, Search
from agents.expr import AgentVotes
from benchmarks.measure import Samples, machine, write
from cluster.books import FileBook
from cluster.connect import ONE_THREAD, disconnect, prepare_environment, start_local
from cluster.sweep import Packed, try_and_pack
from cluster.work import Piece, work_off
from cluster.workers import Answer, LocalWorkers, Workers
from data.home import RAY_TOKEN, Home
from data.ledger import FileLedger
from data.market.source import SAMPLE, open_bars

FLOOR = 0.93
_NOTHINGS = 400


def main(rounds: int) -> None:
    """Measure, print, write."""
    facts = machine(("ray", "numba", "polars"))
    with TemporaryDirectory(prefix="gs-bench-") as place:
        home = Home(Path(place) / "home")
        home.prepare()
        home.secret(RAY_TOKEN)
        prepare_environment(home.secrets / RAY_TOKEN, local=True)
        start_local(home.scratch / "ray", object_store_mb=512, cpus=2)
        try:
            from cluster.ray_workers import RayWorkers

            workers = RayWorkers(count=2, pin_threads=False)
            found = _measured(workers, Path(place), rounds)
            workers.close()
        finally:
            disconnect()
    document = {"machine": facts, "floor": FLOOR, **found}
    print(document)
    print(write("sweep_workers", document))


def _measured(workers: Workers, place: Path, rounds: int) -> dict[str, object]:
    panel = open_bars(SAMPLE).panel
    grid = Grid(builtin("sma_cross"), (Axis.of("fast", "2:80"), Axis.of("slow", "20:300:3")))
    search = Search(grid, panel.until(int(panel.ts.max())), "sample", Rules(fees=0.0005))
    sides: dict[str, Workers] = {"serial": LocalWorkers(), "workers": workers}
    times: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):  # the first one compiles
        for name, side in sides.items():
            folder = place / f"{number}-{name}"
            folder.mkdir()
            seconds = asyncio.run(_work(search, side, folder))
            if number:
                times[name].append(seconds)
    serial, shared = Samples.of(times["serial"]), Samples.of(times["workers"])
    efficiency = Samples.of([ratio / 2.0 for ratio in serial.over(shared).values])
    overhead = Samples.of([asyncio.run(_nothing(workers, place)) for _ in range(rounds)])
    chunks = sum(1 for _ in search.chunks())
    return {
        "what": f"{grid.positions.size} sets x {len(panel.symbols)} symbols in {chunks} chunks",
        "serial_s": serial.document(),
        "workers_s": shared.document(),
        "P9_efficiency": efficiency.document(),
        "overhead_ms_per_chunk": Samples.of([1000.0 * value for value in overhead.values]).document(),
        "workers_one_driver_feeds": round(CHUNK_S / overhead.median),
    }


async def _work(search: Search, workers: Workers, folder: Path) -> float:
    """Wall seconds from the first chunk handed out to the last one committed."""
    book = FileBook(FileLedger(folder), ())
    done = 0

    async def commit(piece: Piece, answer: Answer[Packed]) -> None:
        nonlocal done
        done += answer.result.counted.sets
        counted = search.trial_count(answer.result.counted)
        await book.record(piece.piece_id, answer, [counted] if counted else [], done)
        (folder / f"{piece.piece_id}.rows.parquet").write_bytes(answer.result.rows)
        (folder / f"{piece.piece_id}.sets.parquet").write_bytes(answer.result.sets)

    pieces = (Piece(f"{positions[0]}-{positions[-1]}", positions) for positions in search.chunks())
    shared = search.shared(AgentVotes(search.panel))
    began = time.perf_counter()
    await work_off(pieces, workers, try_and_pack, shared, commit, done=(), deadline_s=300.0)
    return time.perf_counter() - began


async def _nothing(workers: Workers, place: Path) -> float:
    """Seconds a piece of no work costs, its result as large as that of a small chunk."""
    target = place / "nothing.npy"

    async def commit(piece: Piece, answer: Answer[np.ndarray[tuple[int], np.dtype[np.float64]]]) -> None:
        np.save(target, answer.result)

    pieces: Iterator[Piece] = (Piece(str(n), n) for n in range(_NOTHINGS))
    began = time.perf_counter()
    await work_off(pieces, workers, idle, None, commit, done=(), deadline_s=60.0)
    return (time.perf_counter() - began) / _NOTHINGS


def idle(shared: object, payload: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A thousand rows of six columns."""
    return np.full(6_000, float(payload))


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        # both sides have one thread a process: Polars would otherwise use both cores on the serial one
        again = [sys.executable, "-m", "benchmarks.sweep_workers", *sys.argv[1:]]
        os.execve(sys.executable, again, os.environ | ONE_THREAD)  # noqa: S606  ourselves, no shell
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
