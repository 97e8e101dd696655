"""Jobs: what runs, how far it is, and who alone may write for it.

Three things together keep one writer per job. A start adds one to the job's **epoch**, and every write carries its
epoch (a `Fence`): a process that was frozen and overtaken is refused inside its own transaction. A
**lease**, renewed by progress, says until when a holder that gives no sign may still be taken for alive. And the holder
keeps a **session lock** of its (job, epoch) on a connection of its own, which PostgreSQL frees the moment the process
dies: so after a crash the next start need not wait for the lease. When PostgreSQL itself was started again it lost
every lock, so a missing one says nothing of an older holder: it is taken for alive while its lease lasts, unless it was
a process of this machine that is gone. Lock, lease and process only decide how soon a job may be taken over; that
nothing is written twice rests on the epoch. Times are PostgreSQL's: one clock for all
machines.

Every change is told: a `JobChanged` event is stored in the transaction that makes it.
"""

import hashlib
import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, LiteralString

import psutil
import psycopg
from psycopg.rows import dict_row

from data.contracts.errors import GoldenSignalsError, InvalidInput, NotFound, TemporarilyUnavailable
from data.contracts.events import JobChanged, JobState
from data.store.events import tell
from data.store.pool import Connection, Pool, connect_options, severed_after, transaction, unavailable

_QUEUE = """INSERT INTO job (job_id, kind, spec, owner, priority, state, total, epoch, lease_s)
    VALUES (%s, %s, %s, %s, %s, 'queued', %s, 0, %s) ON CONFLICT (job_id) DO NOTHING"""
_ENQUEUE = """INSERT INTO job (job_id, kind, spec, owner, priority, state, total, epoch, lease_s)
    VALUES (%s, %s, %s, %s, %s, 'queued', %s, 0, %s)
    ON CONFLICT (job_id) DO UPDATE SET state = 'queued', owner = excluded.owner, priority = excluded.priority,
        done = CASE WHEN job.state = 'done' THEN 0 ELSE job.done END,
        total = greatest(job.total, excluded.total), error = NULL, result = NULL, lease_until = NULL,
        updated_at = now(), epoch = job.epoch + 1  -- who ran it before may write no more
    WHERE job.state IN ('failed', 'cancelled') OR (%s AND job.state = 'done') RETURNING *"""
_WAITING = """SELECT job_id, epoch, state = 'queued' OR coalesce(lease_until <= now(), true),
        started_at > pg_postmaster_start_time(), lease_holder FROM job
    WHERE kind = ANY(%s) AND state IN ('queued', 'running')
    ORDER BY priority DESC, created_at, job_id LIMIT %s OFFSET %s"""
_LOCK_FREE = """SELECT FROM job WHERE job_id = %s AND epoch = %s AND state IN ('queued', 'running')
    FOR UPDATE SKIP LOCKED"""
_CLAIM = """UPDATE job SET state = 'running', epoch = epoch + 1, lease_s = %s, lease_holder = %s,
    lease_until = now() + %s * interval '1 second', error = NULL, result = NULL, done_before = done, started_at = now(),
    updated_at = now() WHERE job_id = %s RETURNING *"""
_LOCK_ROW = """SELECT epoch, state, lease_holder, lease_until > now(), started_at > pg_postmaster_start_time() FROM job
    WHERE job_id = %s FOR UPDATE"""
_PROBE = "SELECT pg_try_advisory_xact_lock(%s)"
_HOLD = "SELECT pg_try_advisory_lock(%s)"
_TAKE = """UPDATE job SET state = 'running', epoch = epoch + 1, done = CASE WHEN state = 'done' THEN 0 ELSE done END,
    done_before = CASE WHEN state = 'done' THEN 0 ELSE done END,
    owner = %s, priority = %s, total = %s, lease_s = %s, lease_holder = %s,
    lease_until = now() + %s * interval '1 second', error = NULL, result = NULL, started_at = now(),
    updated_at = now() WHERE job_id = %s RETURNING *"""
_FENCED = "SELECT epoch, state FROM job WHERE job_id = %s FOR UPDATE"
_PROGRESS = """UPDATE job SET done = greatest(done, %s), total = coalesce(%s, total),
    lease_until = now() + lease_s * interval '1 second', updated_at = now() WHERE job_id = %s RETURNING *"""
_END = """UPDATE job SET state = %s, error = %s, result = %s, lease_until = NULL, updated_at = now()
    WHERE job_id = %s RETURNING *"""
_CANCEL = """UPDATE job SET state = 'cancelled', updated_at = now()
    WHERE job_id = %s AND state IN ('queued', 'running', 'paused') RETURNING *"""
_PAUSE = """UPDATE job SET state = 'paused', lease_until = NULL, updated_at = now()
    WHERE job_id = %s AND state IN ('queued', 'running') RETURNING *"""
_RESUME = """UPDATE job SET state = 'queued', epoch = epoch + 1, lease_until = NULL, updated_at = now()
    WHERE job_id = %s AND state = 'paused' RETURNING *"""
_GET = "SELECT * FROM job WHERE job_id = %s"
_LISTING = """SELECT * FROM job WHERE (%(state)s::text IS NULL OR state = %(state)s)
        AND (%(kind)s::text IS NULL OR kind = %(kind)s) AND (%(owner)s::text IS NULL OR owner = %(owner)s)
        AND (%(at)s::timestamptz IS NULL OR (created_at, job_id) < (%(at)s, %(id)s))
    ORDER BY created_at DESC, job_id DESC LIMIT %(limit)s"""

_QUEUED_LEASE_S = 60.0  # nobody holds a queued job; whoever claims it says for how long
_CANDIDATES = 50


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
    started_at: datetime | None  # of the present epoch; null: nobody has it yet
    updated_at: datetime
    done_before: int = 0  # by earlier epochs

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
        raise NotFound(f"there is no job {fence.job_id}", job_id=fence.job_id)
    epoch, state = found
    if epoch != fence.epoch:
        raise GoldenSignalsError(
            f"another process took over job {fence.job_id} (epoch {epoch}, ours is {fence.epoch}); nothing was written",
            job_id=fence.job_id,
        )
    if state in ("cancelled", "paused"):
        raise GoldenSignalsError(f"job {fence.job_id} was {state}; nothing was written", job_id=fence.job_id)


class JobStore:
    """Jobs in PostgreSQL. Close it to give up what this process holds."""

    def __init__(
        self, pool: Pool, url: str, *, write_s: float = 30.0, read_s: float = 10.0, connect_s: float = 10.0
    ) -> None:
        self._pool, self._url = pool, url
        self._write_s, self._read_s, self._connect_s = write_s, read_s, connect_s
        self._held: dict[Fence, Connection] = {}

    async def enqueue(
        self,
        kind: str,
        spec: Mapping[str, Any],
        *,
        owner: str,
        priority: int,
        total: int = 0,
        again: bool = False,
    ) -> tuple[Job, bool]:
        """The job of this specification, and whether this call queued it.

        One that failed or was cancelled is queued again: what is done stays done, and whoever still runs it is fenced
        off. One that waits, runs or is done stays as it is.
        total: chunks, where that is known already. again: queue one that is done too; it begins anew.
        Raises InvalidInput for what JSON cannot say.
        """
        values = (job_id_of(kind, spec), kind, _plain(spec), owner, priority, total, _QUEUED_LEASE_S, again)
        async with transaction(self._pool, self._write_s) as connection:
            queued = await _one(connection, _ENQUEUE, values)
            job = queued or await _one(connection, _GET, values[:1])
            assert job is not None  # never deleted
            if queued is not None:
                await _tell(connection, queued)
        return job, queued is not None

    async def claim(self, kinds: Sequence[str], *, lease_s: float) -> Job | None:
        """Become the only writer of the job that should run next: highest priority, then oldest. None: there is none.

        It is queued, or it runs and its holder died or let its lease pass. lease_s: as for `start`.
        """
        fence, job = None, None
        try:
            async with transaction(self._pool, self._write_s) as connection:
                fence = await _next(connection, kinds)
                if fence is None:
                    return None
                await self._hold(fence)  # before the new epoch can be seen, so nobody finds it unheld
                job = await _one(connection, _CLAIM, (lease_s, _here(), lease_s, fence.job_id))
                assert job is not None  # its row is locked
                await _tell(connection, job)
        except BaseException:
            if fence is not None:
                await self._release(fence)  # it may have been committed all the same: a later claim can take it then
            raise
        await self._drop_older(fence)
        return job

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
                epoch, state, holder, leased, telling = found
                live = state == "running" and leased and await _lives(connection, Fence(job_id, epoch), holder, telling)
                if live and not take_over:
                    raise TemporarilyUnavailable(
                        f"job {job_id} runs already, on {holder}; wait for it",
                        job_id=job_id,
                    )
                fence = Fence(job_id, epoch + 1)
                await self._hold(fence)  # before the new epoch can be seen, so nobody finds it unheld
                job = await _one(connection, _TAKE, (owner, priority, total, lease_s, _here(), lease_s, job_id))
                assert job is not None
                await _tell(connection, job)
        except BaseException:
            if fence is not None:
                await self._release(fence)  # it may have been committed all the same: a repeated start can take it then
            raise
        await self._drop_older(fence)
        return job

    async def progress(self, fence: Fence, done: int, *, total: int | None = None) -> Job:
        """`done` chunks are done in all, of `total` if given; the lease is renewed.

        Raises GoldenSignalsError if fenced off. Call it a few times a second at most: each call is an event.
        """
        return await self._write(fence, _PROGRESS, (done, total, fence.job_id))

    async def finish(self, fence: Fence, result: Mapping[str, Any]) -> Job:
        """The job is done, with its result. Raises GoldenSignalsError if fenced off."""
        return await self._write(fence, _END, ("done", None, _plain(result), fence.job_id), last=True)

    async def fail(self, fence: Fence, error: str) -> Job:
        """The job failed, with the reason; a new start continues it. Raises GoldenSignalsError if fenced off."""
        return await self._write(fence, _END, ("failed", error, None, fence.job_id), last=True)

    async def cancel(self, job_id: str) -> Job:
        """Stop a job: its next write is refused; one that has ended stays as it is. Raises NotFound for none."""
        return await self._change(_CANCEL, job_id)

    async def pause(self, job_id: str) -> Job:
        """Stop a job until `resume`: its next write is refused, what is done stays done. Raises NotFound for none."""
        return await self._change(_PAUSE, job_id)

    async def resume(self, job_id: str) -> Job:
        """Queue a paused job again; any other stays as it is. Raises NotFound for none."""
        return await self._change(_RESUME, job_id)

    async def get(self, job_id: str) -> Job | None:
        """One job, or None."""
        async with transaction(self._pool, self._read_s) as connection:
            return await _one(connection, _GET, (job_id,))

    async def listing(
        self,
        *,
        state: JobState | None = None,
        kind: str | None = None,
        owner: str | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> list[Job]:
        """The newest jobs first. before: (created_at, job_id) of the last one of a page, for the page behind it."""
        at, last = before or (None, None)
        values = {"state": state, "kind": kind, "owner": owner, "at": at, "id": last, "limit": limit}
        async with transaction(self._pool, self._read_s) as connection:
            return await _jobs(connection, _LISTING, values)

    async def close(self) -> None:
        """Give up every job this process holds: another one may start them at once."""
        for fence in tuple(self._held):
            await self._release(fence)

    async def _change(self, statement: LiteralString, job_id: str) -> Job:
        async with transaction(self._pool, self._write_s) as connection:
            changed = await _one(connection, statement, (job_id,))
            job = changed or await _one(connection, _GET, (job_id,))
            if changed is not None:
                await _tell(connection, changed)
        if job is None:
            raise NotFound(f"there is no job {job_id}", job_id=job_id)
        return job

    async def _write(
        self, fence: Fence, statement: LiteralString, values: tuple[object, ...], *, last: bool = False
    ) -> Job:
        try:
            async with transaction(self._pool, self._write_s) as connection:
                await check_fence(connection, fence)
                job = await _one(connection, statement, values)
                assert job is not None  # check_fence found it
                await _tell(connection, job)
        except TemporarilyUnavailable:
            raise  # the same write may succeed later: the job stays ours
        except GoldenSignalsError:
            await self._release(fence)  # cancelled or taken over: there is nothing left to hold
            raise
        if last:
            await self._release(fence)
        return job

    async def _hold(self, fence: Fence) -> None:
        try:
            holder = await psycopg.AsyncConnection.connect(self._url, **connect_options(self._connect_s))
            self._held[fence] = holder
            with severed_after(holder, self._connect_s):
                await holder.execute(_HOLD, (_key(fence),))
        except psycopg.OperationalError as problem:
            raise unavailable(problem, self._connect_s) from problem

    async def _drop_older(self, fence: Fence) -> None:
        for older in [held for held in self._held if held.job_id == fence.job_id and held != fence]:
            await self._release(older)

    async def _release(self, fence: Fence) -> None:
        holder = self._held.pop(fence, None)
        if holder is not None:
            await holder.close()


async def _next(connection: Connection, kinds: Sequence[str]) -> Fence | None:
    """The epoch in which the next job is to run; its row is locked. Two callers at once never get the same."""
    offset = 0
    while True:
        rows = await (await connection.execute(_WAITING, (list(kinds), _CANDIDATES, offset))).fetchall()
        for job_id, epoch, free, telling, holder in rows:
            if not free and await _lives(connection, Fence(job_id, epoch), holder, telling):
                continue
            if await (await connection.execute(_LOCK_FREE, (job_id, epoch))).fetchone() is not None:
                return Fence(job_id, epoch + 1)
        if len(rows) < _CANDIDATES:
            return None
        offset += _CANDIDATES


async def _tell(connection: Connection, job: Job) -> None:
    await tell(
        connection,
        JobChanged.of(
            job_id=job.job_id,
            kind=job.kind,
            owner=job.owner,
            state=job.state,
            done=job.done,
            total=job.total,
            error=job.error,
            at=job.updated_at,
        ),
    )


async def _one(connection: Connection, statement: LiteralString, values: tuple[object, ...]) -> Job | None:
    found = await _jobs(connection, statement, values)
    return found[0] if found else None


async def _jobs(
    connection: Connection, statement: LiteralString, values: tuple[object, ...] | Mapping[str, object]
) -> list[Job]:
    async with connection.cursor(row_factory=dict_row) as rows:
        await rows.execute(statement, values)
        return [Job(**{field.name: row[field.name] for field in fields(Job)}) for row in await rows.fetchall()]


async def _lives(connection: Connection, fence: Fence, holder: str, telling: bool) -> bool:
    """Whether its holder is alive; telling: whether a missing session lock says that it is not."""
    if not telling:
        return not _ended(holder)
    free = await (await connection.execute(_PROBE, (_key(fence),))).fetchone()
    return free is not None and not free[0]


def _ended(holder: str) -> bool:
    """Whether it was a process of this machine that is gone; of another machine's nobody here can say."""
    host, _, pid = holder.rpartition(":")
    return host == socket.gethostname() and not psutil.pid_exists(int(pid))


def _plain(value: object) -> str:
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as problem:
        raise InvalidInput(f"a job's specification and result must be plain JSON: {problem}") from None


def _here() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _key(fence: Fence) -> int:
    return int.from_bytes(hashlib.sha256(f"{fence.job_id}/{fence.epoch}".encode()).digest()[:8], "big", signed=True)
