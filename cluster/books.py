"""Where research writes down what is done: PostgreSQL, fenced by its job, or a file where there is no server."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol

from cluster.workers import Answer
from data.contracts.trials import TrialCount, TrialTotal
from data.ledger import FileLedger
from data.store.chunks import DoneChunk
from data.store.jobs import Fence
from data.store.stores import Stores

_REPORT_S = 0.5  # people watch it; each report is an event that everybody is sent


class Asked(Protocol):
    """A question whose trials are counted: a search, a walk."""

    @property
    def family(self) -> tuple[str, str, datetime, datetime]:
        """Family, universe, first and last session."""


class Book(Protocol):
    """Where it is written down that a chunk is done, with the trials it made."""

    async def done(self) -> Collection[str]:
        """Chunks that need not be done again."""

    async def record(self, chunk_id: str, answer: Answer[Any], trials: list[TrialCount], done: int) -> None:
        """A chunk is done; `done` sets in all. Raises GoldenSignalsError when this process may write no more."""

    async def total(self, asked: Asked) -> TrialTotal:
        """All trials of the family, these among them."""


class FileBook:
    """For one process without a server: the files of the chunks are the record."""

    def __init__(self, ledger: FileLedger, found: Collection[str]) -> None:
        """found: chunks whose files lie there."""
        self._ledger, self._found = ledger, found

    async def done(self) -> Collection[str]:
        """See `Book`."""
        return self._found

    async def record(self, chunk_id: str, answer: Answer[Any], trials: list[TrialCount], done: int) -> None:
        """See `Book`."""
        self._ledger.count(trials)

    async def total(self, asked: Asked) -> TrialTotal:
        """See `Book`."""
        return self._ledger.total(*asked.family)


class JobBook:
    """For a job: chunks, trials and progress in PostgreSQL; a holder that was overtaken writes nothing.

    What a chunk came to says in `counted.sets` how much it was, in the units of the job's progress.
    """

    def __init__(self, stores: Stores, fence: Fence, total: int) -> None:
        self._stores, self._fence, self._total = stores, fence, total
        self._reported = 0.0

    async def done(self) -> Collection[str]:
        """See `Book`."""
        return await self._stores.chunks.done(self._fence.job_id)

    async def record(self, chunk_id: str, answer: Answer[Any], trials: list[TrialCount], done: int) -> None:
        """See `Book`."""
        chunk = DoneChunk(chunk_id, answer.node, answer.work_s, {"sets": answer.result.counted.sets})
        await self._stores.chunks.record(self._fence, chunk, trials)
        if time.monotonic() - self._reported >= _REPORT_S or done == self._total:
            await self._stores.jobs.progress(self._fence, done, total=self._total)
            self._reported = time.monotonic()

    async def total(self, asked: Asked) -> TrialTotal:
        """See `Book`."""
        return await self._stores.trials.total(*asked.family)
