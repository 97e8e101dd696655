"""Jobs: what runs, how far it is, and who alone may write for it.

Three things together keep one writer per job. A start adds one to the job's **epoch**, and every write carries its
epoch (a `Fence`): a process that was frozen and overtaken is refused inside its own transaction. A
**lease**, renewed by progress, says until when a holder that gives no sign may still be taken for alive. And the holder
keeps a **session lock** of its (job, epoch) on a connection of its own, which PostgreSQL frees the moment the process
dies: so after a crash the next start need not wait for the lease. Lock and lease only decide how soon a job may be
taken over; that nothing is written twice rests on the epoch. Times are PostgreSQL's: one clock for all machines.
"""

import hashlib
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, LiteralString

import psycopg
from psycopg.rows import dict_row

from data.contracts.errors import GoldenSignalsError, InvalidInput, TemporarilyUnavailable
from data.store.pool import Connection, Pool, connect_options, severed_after, transaction, unavailable

_QUEUE = """INSERT INTO job (job_id, kind, spec, owner, priority, state, total, epoch, lease_s)
    VALUES (%s, %s, %s, %s, %s, 'queued', %s, 0, %s) ON CONFLICT (job_id) DO NOTHING"""
_LOCK_ROW = "SELECT epoch, state, lease_holder, lease_until > now() FROM job WHERE job_id = %s FOR UPDATE"
_PROBE = "SELECT pg_try_advisory_xact_lock(%s)"
_HOLD = "SELECT pg_try_advisory_lock(%s)"
_TAKE = """UPDATE job SET state = 'running', epoch = epoch + 1, done = CASE WHEN state = 'done' THEN 0 ELSE done END,
    owner = %s, priority = %s, total = %s, lease_s = %s, lease_holder = %s,
    lease_until = now() + %s * interval '1 second', error = NULL, result = NULL, updated_at = now()
    WHERE job_id = %s RETURNING *"""
_FENCED = "SELECT epoch, state FROM job WHERE job_id = %s FOR UPDATE"
_PROGRESS = """UPDATE job SET done = greatest(done, %s), lease_until = now() + lease_s * interval '1 second',
    updated_at = now() WHERE job_id = %s RETURNING *"""
_END = """UPDATE job SET state = %s, error = %s, result = %s, lease_until = NULL, updated_at = now()
    WHERE job_id = %s RETURNING *"""
_CANCEL = """UPDATE job SET state = CASE WHEN state IN ('done', 'failed') THEN state ELSE 'cancelled' END,
    updated_at = now() WHERE job_id = %s RETURNING *"""
_GET = "SELECT * FROM job WHERE job_id = %s"
_LISTING = """SELECT * FROM job WHERE %(state)s::text IS NULL OR state = %(state)s
    ORDER BY created_at DESC, job_id LIMIT %(limit)s"""

JobState = Literal["queued", "running", "paused", "cancelled", "failed", "done"]


@dataclass(frozen=True)
class Fence:
    """The right to write for a job, until somebody starts it again."""

    job_id: str
    epoch: int


@dataclass(frozen=True)
class Job:
    """A job as stored. `done` and `total` count chunks."""

    job_id: str
    kind: str
    spec: Mapping[str, Any]
    owner: str
    priority: int
    state: JobState
    done: int
    total: int
    epoch: int
    lease_holder: str | None
    lease_until: datetime | None
    error: str | None
    result: Mapping[str, Any] | None
    created_at: datetime
    updated_at: datetime

    @property
    def fence(self) -> Fence:
        """What the process that started this epoch writes with."""
        return Fence(self.job_id, self.epoch)


def job_id_of(kind: str, spec: Mapping[str, Any]) -> str:
    """The same kind and specification are the same job. Raises InvalidInput for what JSON cannot say."""
    return hashlib.sha256(_plain([kind, spec]).encode()).hexdigest()[:32]


async def check_fence(connection: Connection, fence: Fence) -> None:
    """Keep the job as it is until this transaction ends. Raises GoldenSignalsError when the fence lost its right."""
    found = await (await connection.execute(_FENCED, (fence.job_id,))).fetchone()
    if found is None:
        raise InvalidInput(f"there is no job {fence.job_id}", job_id=fence.job_id)
    epoch, state = found
    if epoch != fence.epoch:
        raise GoldenSignalsError(
            f"another process took over job {fence.job_id} (epoch {epoch}, ours is {fence.epoch}); nothing was written",
            job_id=fence.job_id,
        )
    if state == "cancelled":
        raise GoldenSignalsError(f"job {fence.job_id} was cancelled; nothing was written", job_id=fence.job_id)


class JobStore:
    """Jobs in PostgreSQL. Close it to give up what this process holds."""

    def __init__(
        self, pool: Pool, url: str, *, write_s: float = 30.0, read_s: float = 10.0, connect_s: float = 10.0
    ) -> None:
        self._pool, self._url = pool, url
        self._write_s, self._read_s, self._connect_s = write_s, read_s, connect_s
        self._held: dict[Fence, Connection] = {}

    async def start(
        self,
        kind: str,
        spec: Mapping[str, Any],
        *,
        owner: str,
        priority: int,
        total: int,
        lease_s: float,
        take_over: bool = False,
    ) -> Job:
        """Make this process the job's only writer. What is done stays done, except that a finished job begins anew.

        lease_s: seconds after which a holder that neither progresses nor died may be taken over.
        Raises:  TemporarilyUnavailable while another live holder has it, unless `take_over`.
        """
        job_id, fence = job_id_of(kind, spec), None
        try:
            async with transaction(self._pool, self._write_s) as connection:
                await connection.execute(_QUEUE, (job_id, kind, _plain(spec), owner, priority, total, lease_s))
                found = await (await connection.execute(_LOCK_ROW, (job_id,))).fetchone()
                assert found is not None  # just inserted, and never deleted
                epoch, state, holder, leased = found
                if state == "running" and leased and not take_over and await _lives(connection, Fence(job_id, epoch)):
                    raise TemporarilyUnavailable(
                        f"job {job_id} runs already, on {holder}; wait for it",
                        job_id=job_id,
                    )
                fence = Fence(job_id, epoch + 1)
                await self._hold(fence)  # before the new epoch can be seen, so nobody finds it unheld
                here = f"{socket.gethostname()}:{os.getpid()}"
                job = await _one(connection, _TAKE, (owner, priority, total, lease_s, here, lease_s, job_id))
                assert job is not None
        except BaseException:
            if fence is not None:
                await self._release(fence)  # it may have been committed all the same: a repeated start can take it then
            raise
        for older in [held for held in self._held if held.job_id == job_id and held != fence]:
            await self._release(older)
        return job

    async def progress(self, fence: Fence, done: int) -> Job:
        """`done` chunks are done in all; the lease is renewed. Raises GoldenSignalsError if fenced off."""
        return await self._write(fence, _PROGRESS, (done, fence.job_id))

    async def finish(self, fence: Fence, result: Mapping[str, Any]) -> Job:
        """The job is done, with its result. Raises GoldenSignalsError if fenced off."""
        job = await self._write(fence, _END, ("done", None, _plain(result), fence.job_id))
        await self._release(fence)
        return job

    async def fail(self, fence: Fence, error: str) -> Job:
        """The job failed, with the reason; a new start continues it. Raises GoldenSignalsError if fenced off."""
        job = await self._write(fence, _END, ("failed", error, None, fence.job_id))
        await self._release(fence)
        return job

    async def cancel(self, job_id: str) -> Job:
        """Stop a job: its next write is refused; one that has ended stays as it is. Raises InvalidInput for none."""
        async with transaction(self._pool, self._write_s) as connection:
            job = await _one(connection, _CANCEL, (job_id,))
        if job is None:
            raise InvalidInput(f"there is no job {job_id}", job_id=job_id)
        return job

    async def get(self, job_id: str) -> Job | None:
        """One job, or None."""
        async with transaction(self._pool, self._read_s) as connection:
            return await _one(connection, _GET, (job_id,))

    async def listing(self, *, state: JobState | None = None, limit: int = 100) -> list[Job]:
        """The newest jobs first."""
        async with transaction(self._pool, self._read_s) as connection:
            return await _jobs(connection, _LISTING, {"state": state, "limit": limit})

    async def close(self) -> None:
        """Give up every job this process holds: another one may start them at once."""
        for fence in tuple(self._held):
            await self._release(fence)

    async def _write(self, fence: Fence, statement: LiteralString, values: tuple[object, ...]) -> Job:
        async with transaction(self._pool, self._write_s) as connection:
            await check_fence(connection, fence)
            job = await _one(connection, statement, values)
        assert job is not None  # check_fence found it
        return job

    async def _hold(self, fence: Fence) -> None:
        try:
            holder = await psycopg.AsyncConnection.connect(self._url, **connect_options(self._connect_s))
            self._held[fence] = holder
            with severed_after(holder, self._connect_s):
                await holder.execute(_HOLD, (_key(fence),))
        except psycopg.OperationalError as problem:
            raise unavailable(problem, self._connect_s) from problem

    async def _release(self, fence: Fence) -> None:
        holder = self._held.pop(fence, None)
        if holder is not None:
            await holder.close()


async def _one(connection: Connection, statement: LiteralString, values: tuple[object, ...]) -> Job | None:
    found = await _jobs(connection, statement, values)
    return found[0] if found else None


async def _jobs(
    connection: Connection, statement: LiteralString, values: tuple[object, ...] | Mapping[str, object]
) -> list[Job]:
    async with connection.cursor(row_factory=dict_row) as rows:
        await rows.execute(statement, values)
        return [Job(**{field.name: row[field.name] for field in fields(Job)}) for row in await rows.fetchall()]


async def _lives(connection: Connection, fence: Fence) -> bool:
    free = await (await connection.execute(_PROBE, (_key(fence),))).fetchone()
    return free is not None and not free[0]


def _plain(value: object) -> str:
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as problem:
        raise InvalidInput(f"a job's specification and result must be plain JSON: {problem}") from None


def _key(fence: Fence) -> int:
    return int.from_bytes(hashlib.sha256(f"{fence.job_id}/{fence.epoch}".encode()).digest()[:8], "big", signed=True)
