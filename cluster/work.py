"""Works a job off: pieces with deterministic ids, each done once, whoever dies meanwhile.

Pieces are made lazily and few are under way at once, so memory does not grow with their number. A piece counts as done
when `commit` has returned; one that was committed by an earlier process is not done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from cluster.workers import Answer, Task, Workers
from data.contracts.errors import GoldenSignalsError

T = TypeVar("T")


@dataclass(frozen=True)
class Piece:
    """A part of a job. The id says what it is, never who works on it or how many others there are at the time."""

    piece_id: str
    payload: Any


Commit = Callable[[Piece, Answer[T]], Awaitable[None]]


async def work_off(
    pieces: Iterator[Piece],
    workers: Workers,
    task: Task[T],
    shared: object,
    commit: Commit[T],
    *,
    done: Collection[str],
    deadline_s: float,
) -> None:
    """Do every piece that is not in `done`. `commit` is called for one piece at a time, in any order of pieces.

    Raises GoldenSignalsError with the reason when a piece fails for good or `commit` refuses; pieces committed before
    stay done.
    """
    handed_over = workers.share(shared)
    turn = asyncio.Lock()

    async def serve() -> None:
        for piece in pieces:  # every server takes the next one
            if piece.piece_id in done:
                continue
            answer = await workers.run(task, handed_over, piece.payload, name=piece.piece_id, deadline_s=deadline_s)
            async with turn:
                await commit(piece, answer)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers.slots):
                group.create_task(serve())
    except* GoldenSignalsError as problems:
        raise problems.exceptions[0] from None
