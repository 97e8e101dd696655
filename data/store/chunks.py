"""Chunks of jobs that are done. A chunk and the trials it made are written in one transaction, fenced by its job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from data.contracts.trials import TrialCount
from data.store.jobs import Fence, check_fence
from data.store.pool import Pool, transaction
from data.store.trials import count_trials

_RECORD = """INSERT INTO job_chunk (job_id, chunk_id, node, work_s, body) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (job_id, chunk_id) DO NOTHING"""
_DONE = "SELECT chunk_id, node, work_s, body FROM job_chunk WHERE job_id = %s"
_NODES = """SELECT node, count(*) AS chunks, sum(work_s) AS work_s, sum(units)::bigint AS units,
        coalesce(sum(units) FILTER (WHERE done_at >= started_at), 0)::bigint AS recent
    FROM (SELECT node, work_s, done_at, started_at, coalesce((body->>'sets')::bigint, 1) AS units
        FROM job_chunk JOIN job USING (job_id) WHERE job_id = %s) AS chunk
    GROUP BY node ORDER BY node"""
_FORGET = "DELETE FROM job_chunk WHERE job_id = %s AND chunk_id = ANY(%s)"


@dataclass(frozen=True)
class DoneChunk:
    """A chunk as it was written down. work_s: seconds of one worker; body: where its rows lie, plain JSON."""

    chunk_id: str
    node: str
    work_s: float
    body: Mapping[str, Any]


@dataclass(frozen=True)
class NodeWork:
    """What one machine did of a job. units: sets; recent: of them, in the present attempt."""

    node: str
    chunks: int
    work_s: float
    units: int
    recent: int


class ChunkStore:
    """What is done of each job."""

    def __init__(self, pool: Pool, *, write_s: float = 30.0, read_s: float = 10.0) -> None:
        self._pool, self._write_s, self._read_s = pool, write_s, read_s

    async def record(self, fence: Fence, chunk: DoneChunk, trials: Sequence[TrialCount]) -> bool:
        """Write a chunk down; again, it changes nothing. Whether it was new.

        Raises GoldenSignalsError when the job was cancelled or taken over: then nothing is written.
        """
        async with transaction(self._pool, self._write_s) as connection:
            await check_fence(connection, fence)
            row = (fence.job_id, chunk.chunk_id, chunk.node, chunk.work_s, Jsonb(dict(chunk.body)))
            new = (await connection.execute(_RECORD, row)).rowcount == 1
            await count_trials(connection, trials)
        return new

    async def done(self, job_id: str) -> dict[str, DoneChunk]:
        """Every chunk of a job that is done, by its id."""
        async with (
            transaction(self._pool, self._read_s) as connection,
            connection.cursor(row_factory=class_row(DoneChunk)) as rows,
        ):
            await rows.execute(_DONE, (job_id,))
            return {chunk.chunk_id: chunk for chunk in await rows.fetchall()}

    async def nodes(self, job_id: str) -> list[NodeWork]:
        """What each machine did of a job, by name."""
        async with (
            transaction(self._pool, self._read_s) as connection,
            connection.cursor(row_factory=class_row(NodeWork)) as rows,
        ):
            await rows.execute(_NODES, (job_id,))
            return await rows.fetchall()

    async def forget(self, fence: Fence, chunk_ids: Sequence[str]) -> None:
        """Chunks whose rows are gone are to be done again; their trials stay counted once."""
        async with transaction(self._pool, self._write_s) as connection:
            await check_fence(connection, fence)
            await connection.execute(_FORGET, (fence.job_id, list(chunk_ids)))
