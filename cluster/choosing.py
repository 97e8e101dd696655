"""Choosing over the cluster: chunks of sets go to workers, and their results are kept when all have been tried.

A chunk comes to the best of its sets on every train, a few numbers, which are written to a file of their own
(`runs/ID/chunks`). Equal questions give equal bytes, however many workers there were and whoever died.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from agents.backtest.choosing import Choice, Tried, try_sets
from agents.backtest.selection import Selection
from cluster.books import Book
from cluster.work import Piece, work_off
from cluster.workers import Answer, Workers
from data.contracts.errors import GoldenSignalsError

_LEAST_DEADLINE_S = 120.0  # a worker may have to compile first

Progress = Callable[[int, int], None]  # sets times trains done, of how many


class Savable(Protocol):
    """A result that writes its files into a folder."""

    def save(self, folder: Path) -> Path:
        """Every file; where they lie."""


async def try_all(
    asked: Choice, selection: Selection, workers: Workers, book: Book, folder: Path, progress: Progress
) -> list[Tried]:
    """Every chunk of a question: read where it was done before, tried where it was not. Their order means nothing.

    Raises GoldenSignalsError with the reason; chunks that were done stay done, until `keep`.
    """
    place = folder / "chunks"
    place.mkdir(parents=True, exist_ok=True)
    known = await book.done()
    found = {path.stem: Tried.of(json.loads(path.read_bytes())) for path in place.glob("*.json") if path.stem in known}
    count = sum(one.counted.sets for one in found.values())
    progress(count, asked.total)

    async def commit(piece: Piece, answer: Answer[Tried]) -> None:
        nonlocal count
        tried = answer.result
        count += tried.counted.sets
        # recorded first: a chunk without a file is done again, and counts once; a file without a record would not count
        await book.record(piece.piece_id, answer, asked.trial_counts(tried), count)
        with _told(place):
            draft = place / f"{piece.piece_id}.draft"
            draft.write_text(json.dumps(tried.facts(), allow_nan=False), encoding="utf-8")
            draft.replace(place / f"{piece.piece_id}.json")  # in one piece: a file that is there is whole
        found[piece.piece_id] = tried
        progress(count, asked.total)

    pieces = (Piece(f"{int(positions[0])}-{int(positions[-1])}", positions) for positions in asked.chunks())
    deadline_s = _LEAST_DEADLINE_S + asked.estimate.seconds
    await work_off(pieces, workers, try_sets, selection, commit, done=set(found), deadline_s=deadline_s)
    return list(found.values())


def keep(result: Savable, folder: Path, facts: str) -> None:
    """Every file of a result moved to its place in one piece, the one called `facts` last; chunks are forgotten."""
    with _told(folder):
        draft = result.save(folder / ".draft")
        for file in sorted(draft.iterdir(), key=lambda file: file.name == facts):
            file.replace(folder / file.name)
    for done_with in (draft, folder / "chunks"):
        shutil.rmtree(done_with, ignore_errors=True)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise GoldenSignalsError(f"cannot keep the result in {folder}: {problem.strerror or problem}") from problem
