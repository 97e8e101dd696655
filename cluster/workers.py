"""Workers run any function of ours on any piece of work: here in this process, in `cluster.ray_workers` on a cluster.

A worker keeps nothing between calls that a result could depend on, and writes nothing: answers go to whoever asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")
Task = Callable[[Any, Any], T]  # (shared, payload) -> result; a function of a module, so that it travels by name


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What a task gave, the seconds it took, and where."""

    result: T
    work_s: float
    node: str


class Workers(Protocol):
    """Runs tasks."""

    @property
    def slots(self) -> int:
        """Pieces to have under way at once."""

    def share(self, value: object) -> Any:
        """What every piece of a job reads, handed over once."""

    async def run(self, task: Task[T], shared: Any, payload: object, *, name: str, deadline_s: float) -> Answer[T]:
        """One piece, done; or GoldenSignalsError with the reason after the last attempt."""


class LocalWorkers:
    """Runs in this process, one piece after the other: small work does not pay for the journey."""

    @property
    def slots(self) -> int:
        """See `Workers.slots`."""
        return 1

    def share(self, value: object) -> Any:
        """See `Workers.share`."""
        return value

    async def run(self, task: Task[T], shared: Any, payload: object, *, name: str, deadline_s: float) -> Answer[T]:
        """See `Workers.run`: nobody else could take over, so there is no deadline here and a bug propagates."""
        return await asyncio.to_thread(timed, task, shared, payload, "this process")


def timed(task: Task[T], shared: Any, payload: object, node: str) -> Answer[T]:
    """One piece, and how long it took."""
    began = time.perf_counter()
    result = task(shared, payload)
    return Answer(result, time.perf_counter() - began, node)
