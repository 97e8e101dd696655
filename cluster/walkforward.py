"""A walk-forward over the cluster: chunks of sets go to workers, and the folds are tested when all have been tried.

A chunk comes to the best of its sets in every fold, a few numbers, which are written to a file of their own. Equal
questions give equal bytes, however many workers there were and whoever died.

    runs/ID/equity, trades, folds, drift.parquet    out of sample, and what was chosen
    runs/ID/metrics.json, report.html               written last: a run that has metrics.json is whole
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.backtest.selection import Selection
from agents.backtest.walkforward import Counted, Tried, Walk, WalkForward, concluded, try_sets
from agents.expr import AgentVotes
from cluster.books import Book
from cluster.work import Piece, work_off
from cluster.workers import Answer, Workers
from data.contracts.arrays import Ints
from data.contracts.errors import GoldenSignalsError
from data.contracts.trials import TrialCount

FACTS = "metrics.json"
_LEAST_DEADLINE_S = 120.0  # a worker may have to compile first

Progress = Callable[[int, int], None]  # sets times folds done, of how many
CountTrials = Callable[[Tried], list[TrialCount]]


async def run_walk(walk: Walk, workers: Workers, book: Book, folder: Path, progress: Progress) -> WalkForward:
    """Do what is not done yet, test the folds, and keep the result in the folder.

    Raises GoldenSignalsError with the reason; chunks that were done stay done.
    """
    votes = AgentVotes(walk.panel)
    selection = await asyncio.to_thread(walk.selection, votes)
    deadline_s = _LEAST_DEADLINE_S + walk.estimate.seconds
    tried = await try_all(
        selection, walk.chunks, walk.trial_counts, workers, book, folder, progress, deadline_s=deadline_s
    )
    began = time.perf_counter()
    # In a thread: whoever hosts this must go on answering, or is taken for dead.
    walked = await asyncio.to_thread(concluded, walk, selection, tried, votes)
    if walk.grid.positions.size == 1:  # its one trial is the curve that there is only now
        await book.record("curve", _here(walk, began), list(walked.trials), walk.total)
    result = walked.judged(await book.total(walk))
    await asyncio.to_thread(_keep, result, folder)
    return result


async def try_all(
    selection: Selection,
    chunks: Callable[[], Iterable[Ints]],
    trial_counts: CountTrials,
    workers: Workers,
    book: Book,
    folder: Path,
    progress: Progress,
    *,
    deadline_s: float,
) -> list[Tried]:
    """Every chunk of a selection: read where it was done before, tried where it was not. Their order means nothing.

    The files of the chunks stay in the folder until the result is kept there.
    """
    place = folder / "chunks"
    place.mkdir(parents=True, exist_ok=True)
    known = await book.done()
    found = {path.stem: Tried.of(json.loads(path.read_bytes())) for path in place.glob("*.json") if path.stem in known}
    total = selection.grid.positions.size * len(selection.trains)
    count = sum(one.counted.sets for one in found.values())
    progress(count, total)

    async def commit(piece: Piece, answer: Answer[Tried]) -> None:
        nonlocal count
        tried = answer.result
        count += tried.counted.sets
        # recorded first: a chunk without a file is done again, and counts once; a file without a record would not count
        await book.record(piece.piece_id, answer, trial_counts(tried), count)
        _write(place / f"{piece.piece_id}.json", json.dumps(tried.facts(), allow_nan=False).encode())
        found[piece.piece_id] = tried
        progress(count, total)

    pieces = (Piece(f"{int(positions[0])}-{int(positions[-1])}", positions) for positions in chunks())
    await work_off(pieces, workers, try_sets, selection, commit, done=set(found), deadline_s=deadline_s)
    return list(found.values())


def is_whole(folder: Path) -> bool:
    """Whether a result was kept in this folder."""
    return (folder / FACTS).exists()


def _keep(result: WalkForward, folder: Path) -> None:
    """Every file moved to its place in one piece, the facts last."""
    with _told(folder):
        draft = result.save(folder / ".draft")
        for file in sorted(draft.iterdir(), key=lambda file: file.name == FACTS):
            file.replace(folder / file.name)
    for done_with in (draft, folder / "chunks"):
        shutil.rmtree(done_with, ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    """In one piece: a file that is there is whole."""
    with _told(path.parent):
        draft = path.with_suffix(".draft")
        draft.write_bytes(content)
        draft.replace(path)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise GoldenSignalsError(f"cannot keep the result in {folder}: {problem.strerror or problem}") from problem


def _here(walk: Walk, began: float) -> Answer[Tried]:
    """Work that was done in this process and is no chunk."""
    position = int(walk.grid.positions[0])
    return Answer(Tried(Counted(position, position, 0), ()), time.perf_counter() - began, "this process")
