"""A sweep over the cluster: chunks go to workers, their trials to Parquet, and the whole is judged when all are there.

Memory does not grow with the number of sets: a chunk is written to a file of its own and forgotten, and at the end the
files are read one after the other. Equal questions give equal bytes, however many workers there were and whoever died.

    runs/ID/sets/part-00000.parquet      a row per set: set, parameters, median over symbols of each metric
    runs/ID/trials/part-00000.parquet    a row per set and symbol
    runs/ID/summary.json                 the best sets, overfitting, how many trials there were
"""

from __future__ import annotations

import asyncio
import io
import json
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl

from agents.backtest.display import Chart
from agents.backtest.display_search import heatmap, sweep_card, sweep_line
from agents.backtest.search import Counted, Search, Shared, try_sets
from agents.backtest.single import Question, ask
from agents.expr import AgentVotes
from cluster.judging import judged
from cluster.work import Piece, work_off
from cluster.workers import Answer, Workers
from data.contracts.arrays import Floats, Ints
from data.contracts.errors import GoldenSignalsError
from data.contracts.metrics import larger_is_better
from data.contracts.trials import TrialCount, TrialTotal

TOP = 20  # sets named in the summary
RECOMPUTED = 5  # of them, as one portfolio, by the engine of single backtests
ROWS = 1 << 16  # of a part
_LEAST_DEADLINE_S = 120.0  # a worker may have to compile first

Progress = Callable[[int, int], None]  # sets done, of how many


@dataclass(frozen=True, eq=False)
class Packed:
    """A chunk as it is sent and kept: its tables are Parquet already, so who collects chunks only writes them down."""

    counted: Counted
    sets: bytes
    rows: bytes


class Book(Protocol):
    """Where it is written down that a chunk is done, with the trials it made."""

    async def done(self) -> Collection[str]:
        """Chunks that need not be done again."""

    async def record(self, chunk_id: str, answer: Answer[Packed], trials: list[TrialCount], done: int) -> None:
        """A chunk is done; `done` sets in all. Raises GoldenSignalsError when this process may write no more."""

    async def total(self, search: Search) -> TrialTotal:
        """All trials of the family, these among them."""


async def run_sweep(search: Search, workers: Workers, book: Book, folder: Path, progress: Progress) -> dict[str, Any]:
    """Do what is not done yet and judge the whole; the summary, which also lies in the folder.

    A guided search is asked for sets and told what they came to, batch by batch, also what was done before.
    Raises GoldenSignalsError with the reason; chunks that were done stay done.
    """
    chunks = folder / "chunks"
    chunks.mkdir(parents=True, exist_ok=True)
    votes = AgentVotes(search.panel)
    written = {path.name.removesuffix(".sets.parquet") for path in chunks.glob("*.sets.parquet")}
    done = {name for name in await book.done() if name in written}
    names: list[str] = []
    tried: list[Ints] = []
    count = 0

    async def commit(piece: Piece, answer: Answer[Packed]) -> None:
        nonlocal count
        chunk = answer.result
        count += chunk.counted.sets
        counted = search.trial_count(chunk.counted)
        # recorded first: a chunk without files is done again, and counts once; files without a record would not count
        await book.record(piece.piece_id, answer, [counted] if counted else [], count)
        _write(chunks / f"{piece.piece_id}.rows.parquet", chunk.rows)
        _write(chunks / f"{piece.piece_id}.sets.parquet", chunk.sets)
        progress(count, search.total)

    # In threads: whoever hosts this must go on answering, or is taken for dead.
    deadline_s = _LEAST_DEADLINE_S + search.estimate.seconds
    shared = await asyncio.to_thread(search.shared, votes)
    picker = await asyncio.to_thread(search.picker)
    while (positions := await asyncio.to_thread(picker.ask)).size:
        latest = {_name(part): part.size for part in search.chunks(positions)}
        count += sum(size for name, size in latest.items() if name in done)
        progress(count, search.total)
        pieces = (Piece(_name(part), part) for part in search.chunks(positions))
        await work_off(pieces, workers, try_and_pack, shared, commit, done=done, deadline_s=deadline_s)
        names += latest
        tried.append(positions)
        if picker.learns:
            await asyncio.to_thread(picker.tell, positions, _values(search, chunks, latest))
    ranked = await asyncio.to_thread(_lay_out, search, chunks, names, folder)
    total_trials = await book.total(search)
    files = [chunks / f"{name}.sets.parquet" for name in names]
    summary = await asyncio.to_thread(
        _summary, search, np.concatenate(tried), files, folder, ranked, votes, total_trials
    )
    _write(folder / "summary.json", f"{json.dumps(summary, indent=1, allow_nan=False)}\n".encode())
    shutil.rmtree(chunks)
    return summary


@dataclass(frozen=True)
class Swept:
    """A sweep as it lies on disk. Nothing is read before it is asked for."""

    folder: Path

    @property
    def summary(self) -> dict[str, Any]:
        """The best sets, overfitting, trials. Raises GoldenSignalsError when the sweep is not finished."""
        try:
            found: dict[str, Any] = json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise GoldenSignalsError(f"the sweep in {self.folder} is not finished; run it again to go on") from None
        return found

    @property
    def table(self) -> pl.LazyFrame:
        """A row per set: set, its parameters, the median over symbols of each metric."""
        return pl.scan_parquet(self.folder / "sets" / "*.parquet")

    @property
    def trials(self) -> pl.LazyFrame:
        """A row per set and symbol."""
        return pl.scan_parquet(self.folder / "trials" / "*.parquet")

    @property
    def result_id(self) -> str:
        """See `agents.backtest.record`."""
        return str(self.summary["result_id"])

    @property
    def context(self) -> dict[str, Any]:
        """How far the best set can be believed: see `judging.judged`."""
        found: dict[str, Any] = self.summary["context"]
        return found

    @property
    def pbo(self) -> float | None:
        """Probability of backtest overfitting; None where it is undefined."""
        found: float | None = self.summary["context"]["pbo"]
        return found

    def best(self) -> dict[str, Any]:
        """Parameters and metrics of the set that ranks first."""
        found: dict[str, Any] = self.summary["top"][0]
        return found

    def heatmap(self, x: str, y: str, metric: str | None = None) -> pl.DataFrame:
        """Best value of the metric for every pair of two parameters' values: a row per y, a column per x."""
        shown = metric or self.summary["metric"]
        value = pl.col(shown).max() if larger_is_better(shown) else pl.col(shown).min()
        best = self.table.group_by(x, y).agg(value).sort(y, x).collect()
        return best.pivot(on=x, index=y, values=shown)

    def plot(self, x: str, y: str, metric: str | None = None) -> Chart:
        """The heatmap as a picture; `.save("map.svg")` keeps it."""
        return heatmap(self.summary, self.table, x, y, metric)

    def _repr_html_(self) -> str:
        return sweep_card(self.summary, self.table)

    def __repr__(self) -> str:
        return sweep_line(self.summary)


def try_and_pack(shared: Shared, positions: Ints) -> Packed:
    """A chunk, tried and packed where it was tried."""
    tried = try_sets(shared, positions)
    return Packed(tried.counted, _parquet(tried.sets), _parquet(tried.rows))


def _parquet(frame: pl.DataFrame) -> bytes:
    room = io.BytesIO()
    frame.write_parquet(room)
    return room.getvalue()


def _name(positions: Ints) -> str:
    return f"{int(positions[0])}-{int(positions[-1])}"


def _values(search: Search, chunks: Path, names: Iterable[str]) -> Floats:
    """The metric of the sets of these chunks, NaN = undefined."""
    frames = [pl.read_parquet(chunks / f"{name}.sets.parquet", columns=[search.metric]) for name in names]
    return pl.concat(frames)[search.metric].fill_null(float("nan")).to_numpy()


def _lay_out(search: Search, chunks: Path, names: list[str], folder: Path) -> pl.DataFrame:
    """Parts of a fixed size out of chunks of any size; the best sets, best first."""
    tops = []
    for name in names:
        frame = pl.read_parquet(chunks / f"{name}.sets.parquet").drop("blocks")
        tops.append(_ranked(frame, search).head(TOP))
        if len(tops) > TOP:
            tops = [_ranked(pl.concat(tops), search).head(TOP)]
    for kind, file in (("sets", "sets"), ("trials", "rows")):
        frames = (pl.read_parquet(chunks / f"{name}.{file}.parquet").drop("blocks", strict=False) for name in names)
        write_parts(frames, folder / kind)
    return _ranked(pl.concat(tops), search).head(TOP)


def write_parts(frames: Iterator[pl.DataFrame], folder: Path) -> None:
    """Frames of any size as files of `ROWS` rows, all or none of them."""
    draft = folder.with_name(f".{folder.name}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for number, part in enumerate(_parts(frames)):
        part.write_parquet(draft / f"part-{number:05}.parquet")
    shutil.rmtree(folder, ignore_errors=True)
    draft.replace(folder)


def _ranked(frame: pl.DataFrame, search: Search) -> pl.DataFrame:
    return frame.sort(search.metric, "set", descending=[search.descending, False], nulls_last=True)


def _parts(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    waiting: list[pl.DataFrame] = []
    rows = 0
    for frame in frames:
        waiting.append(frame)
        rows += frame.height
        while rows >= ROWS:
            whole = pl.concat(waiting)
            yield whole.head(ROWS)
            waiting, rows = [whole.tail(rows - ROWS)], rows - ROWS
    if rows:
        yield pl.concat(waiting)


def _summary(
    search: Search,
    tried: Ints,
    chunks: list[Path],
    folder: Path,
    ranked: pl.DataFrame,
    votes: AgentVotes,
    total: TrialTotal,
) -> dict[str, Any]:
    """What ranks first, as a portfolio too, and how far it can be believed."""
    top = ranked.to_dicts()
    positions = np.array([row["set"] for row in top[:RECOMPUTED]], dtype=np.int64)
    bests = [ask(Question(bound, search.panel, search.universe, search.rules)) for bound in search.grid.sets(positions)]
    for row, found in zip(top, bests, strict=False):
        row["portfolio"] = found.result.metrics
    sets = pl.scan_parquet(folder / "sets" / "*.parquet")
    return {
        "result_id": search.result_id,
        "data_hash": search.panel.content_hash,
        "strategy": search.grid.strategy.name,
        "metric": search.metric,
        "sets": search.total,
        "symbols": len(search.panel.symbols),
        "ranking": f"median of {search.metric} over symbols",
        "search": None if search.guide is None else search.guide.facts(),
        "top": top,
        "context": judged(search, tried, bests[0], int(positions[0]), votes, total, chunks, sets),
    }


def _write(path: Path, content: bytes) -> None:
    """In one piece: a file that is there is whole."""
    draft = path.with_suffix(".draft")
    draft.write_bytes(content)
    draft.replace(path)
