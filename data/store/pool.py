"""Connections to PostgreSQL, and the one way to use them: a transaction that ends within its deadline.

A frozen server, a full pool or a dead network costs the caller the seconds it agreed to, never more: when they are over
the connection's socket is shut down, which no driver can wait through.
"""

import asyncio
import math
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from data.contracts.errors import InvalidInput, TemporarilyUnavailable

Connection: TypeAlias = psycopg.AsyncConnection[TupleRow]
Pool: TypeAlias = AsyncConnectionPool[Connection]

_CHECK_S = 2.0
_RECONNECT_S = 4.0  # the pool doubles its pauses; after this it forgets them, and the next caller tries at once
_NOTHING_S = 0.001  # zero would mean no limit to the server
_END: ContextVar[float] = ContextVar("end of the caller's deadline, in the event loop's seconds", default=math.inf)
# Of this transaction. The second one frees what a frozen process of ours has locked.
_TIMEOUTS = """SELECT set_config('statement_timeout', %(left)s, true),
    set_config('idle_in_transaction_session_timeout', %(left)s, true)"""


async def open_pool(url: str, *, size: int, connect_s: float, wait: bool = True) -> Pool:
    """A pool whose connections are checked before use, with one connection open. Close it with `await pool.close()`.

    wait: False opens the first connection when it is needed, so that a process can start without PostgreSQL.

    Raises: InvalidInput for a URL that is none; TemporarilyUnavailable when PostgreSQL does not answer in `connect_s`.
    """
    require_url(url)
    pool: Pool = AsyncConnectionPool(
        url,
        min_size=1,
        max_size=size,
        open=False,
        configure=_configure,
        check=_check,
        timeout=connect_s,
        reconnect_timeout=_RECONNECT_S,
        name="goldensignals",
        kwargs=connect_options(connect_s),
    )
    try:
        await pool.open(wait=wait, timeout=connect_s)
    except psycopg.OperationalError as problem:
        await pool.close()
        raise unavailable(problem, connect_s) from problem
    return pool


def require_url(url: str) -> None:
    """Raise InvalidInput for a URL the driver cannot read; its own error would repeat the password."""
    try:
        psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise InvalidInput(
            "the PostgreSQL URL cannot be read; it looks like postgresql://user@host/database, "
            "and special characters of a password are percent-encoded"
        ) from None


@asynccontextmanager
async def transaction(pool: Pool, seconds: float) -> AsyncIterator[Connection]:
    """A connection inside a transaction that is committed at the end and over within `seconds`.

    A write whose deadline passed may still have been committed: every write must be safe to repeat.
    Raises: TemporarilyUnavailable, naming PostgreSQL, when it is down, late or out of disk space.
    """
    _END.set(asyncio.get_running_loop().time() + seconds)
    try:
        async with AsyncExitStack() as stack:
            connection = await _acquire(stack, pool)
            left = _left()
            with severed_after(connection, left):
                async with connection.transaction():
                    await connection.execute(_TIMEOUTS, {"left": str(math.ceil(left * 1000))})
                    yield connection
    except (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout) as problem:
        raise unavailable(problem, seconds) from problem
    except psycopg.DataError as problem:
        if problem.sqlstate is not None:
            raise
        raise InvalidInput(f"PostgreSQL cannot take a value ({problem}); leave that character out") from problem


@contextmanager
def severed_after(connection: Connection, seconds: float) -> Iterator[None]:
    """Shut the connection's socket down unless the block ends before; who waits on it then gets an OperationalError.

    Cancelling the task instead would make the driver ask the same frozen server, politely, to cancel its query.
    """
    handle = asyncio.get_running_loop().call_later(seconds, _sever, connection)
    try:
        yield
    finally:
        handle.cancel()


def connect_options(connect_s: float) -> dict[str, Any]:
    """What every connection of ours is opened with: transactions only where asked for, and a bounded wait."""
    return {"autocommit": True, "connect_timeout": math.ceil(connect_s), "application_name": "goldensignals"}


def unavailable(problem: psycopg.Error, seconds: float) -> TemporarilyUnavailable:
    """What a driver's error means to a caller, in a sentence without secrets."""
    if isinstance(problem, psycopg.errors.DiskFull):
        return TemporarilyUnavailable("PostgreSQL has no disk space left and stored nothing; free some on its disk")
    if problem.sqlstate is None or isinstance(problem, psycopg.errors.QueryCanceled):
        detail = str(problem).strip().splitlines() or [type(problem).__name__]
        return TemporarilyUnavailable(f"PostgreSQL is down or did not answer within {seconds:g} s ({detail[0]})")
    return TemporarilyUnavailable(
        f"PostgreSQL refuses the work now ({problem.diag.message_primary}); try again", sqlstate=problem.sqlstate
    )


async def _acquire(stack: AsyncExitStack, pool: Pool) -> Connection:
    while True:
        try:
            return await stack.enter_async_context(pool.connection(timeout=min(_RECONNECT_S, _left())))
        except PoolTimeout:
            if _left() <= _NOTHING_S:
                raise
            continue  # ask again: the pool gives up reconnecting after a while and begins anew only for a new request


async def _configure(connection: Connection) -> None:
    await connection.execute("SET timezone TO 'UTC'")  # a moment reads the same wherever the server stands


async def _check(connection: Connection) -> None:
    with severed_after(connection, min(_CHECK_S, _left())):
        await AsyncConnectionPool.check_connection(connection)


def _left() -> float:
    """Seconds until the deadline of the running call."""
    return max(_END.get() - asyncio.get_running_loop().time(), _NOTHING_S)


def _sever(connection: Connection) -> None:
    if connection.closed:
        return
    with socket.socket(fileno=os.dup(connection.pgconn.socket)) as line:  # a copy: the driver closes its own
        try:
            line.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the other side was gone already
