"""Who may number events, and the numbering: one writer, gapless, in the order in which events became visible.

The writer leads for a **term**. A term has an epoch, checked under a row lock by every transaction that numbers: a
leader that was frozen and overtaken is refused, and writes nothing. Two things only decide how soon a term may end: the
lease, renewed by every numbering, and a session lock of the epoch on the connection that the leader listens on, which
PostgreSQL frees the moment the process dies. A process that freezes inside such a transaction is disconnected when the
lease is over, so that it does not hold the row. Times are PostgreSQL's.
"""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import LiteralString

import psycopg

from data.contracts.errors import GoldenSignalsError
from data.store.pool import Connection, Pool, connect_options, severed_after, transaction, unavailable

_LISTEN = "LISTEN events"
_IDLE = "SELECT set_config('idle_in_transaction_session_timeout', %s, false)"
_LOCK = "SELECT FROM lease WHERE name = 'relay' FOR UPDATE"
_HOLDER = "SELECT epoch, until > clock_timestamp() FROM lease WHERE name = 'relay'"  # asked when the wait is over
_KEY = "hashtextextended('goldensignals.relay/' || current_schema() || '/' || %s::text, 0)"
_PROBE = f"SELECT pg_try_advisory_xact_lock({_KEY})"
_HOLD = f"SELECT pg_try_advisory_lock({_KEY})"
_LEAD = """UPDATE lease SET epoch = %s, holder = %s, until = clock_timestamp() + %s * interval '1 second'
    WHERE name = 'relay'"""
_RENEW = """UPDATE lease SET until = clock_timestamp() + %s * interval '1 second'
    WHERE name = 'relay' AND epoch = %s RETURNING set_config('idle_in_transaction_session_timeout', %s, true)"""
# A plan may be older than the partition of an event that the statement already sees in the outbox: what is not found
# stays there for the next time. LIMIT 1 keeps it a lookup of each event, however the planner counts.
_NUMBER = """WITH told AS MATERIALIZED (
        SELECT o.position, e.* FROM outbox AS o CROSS JOIN LATERAL (
            SELECT event_id, as_of, routing_key FROM event
            WHERE event_id = o.event_id AND as_of = o.as_of LIMIT 1) AS e
        ORDER BY o.position LIMIT %s
    ), taken AS (
        DELETE FROM outbox WHERE position IN (SELECT position FROM told)
    ), numbered AS (
        INSERT INTO stream (seq, position, event_id, as_of, routing_key)
        SELECT (SELECT coalesce(max(seq), 0) FROM stream) + row_number() OVER (ORDER BY position),
            position, event_id, as_of, routing_key FROM told
        RETURNING seq
    )
    SELECT count(*) FROM numbered"""  # not the events: a client frozen amid a long answer keeps the row locked

_FROZEN_S = 1.0  # a shorter silence is that of a busy machine, whatever the lease


class Overtaken(GoldenSignalsError):
    """Another relay leads now; this one has written nothing since."""


class Term:
    """The time in which this process leads."""

    def __init__(self, epoch: int, line: Connection, sequencer: "Sequencer", lease_s: float) -> None:
        self.epoch = epoch
        self._line, self._sequencer, self._lease_s = line, sequencer, lease_s

    async def sequence(self, limit: int) -> int:
        """`Sequencer.sequence` with the epoch of this term."""
        return await self._sequencer.sequence(self.epoch, limit, lease_s=self._lease_s)

    async def wait(self, seconds: float) -> None:
        """Return when events were stored since the last wait, at the latest after so many seconds.

        Raises TemporarilyUnavailable when the connection is lost, and the term with it.
        """
        try:
            async for _ in self._line.notifies(timeout=seconds, stop_after=1):
                pass
        except psycopg.OperationalError as problem:
            raise unavailable(problem, seconds) from problem


class Sequencer:
    """The global order of events in PostgreSQL."""

    def __init__(self, pool: Pool, url: str, *, write_s: float = 30.0, connect_s: float = 10.0) -> None:
        self._pool, self._url, self._write_s, self._connect_s = pool, url, write_s, connect_s

    @asynccontextmanager
    async def lead(self, lease_s: float) -> AsyncIterator[Term | None]:
        """Lead until the block ends; None while another process leads, lives, and has renewed its lease.

        lease_s: seconds after which a leader that gives no sign may be overtaken.
        Raises:  TemporarilyUnavailable when PostgreSQL is not to be had.
        """
        try:
            line = await psycopg.AsyncConnection.connect(self._url, **connect_options(self._connect_s))
        except psycopg.OperationalError as problem:
            raise unavailable(problem, self._connect_s) from problem
        try:
            epoch = await self._begin(line, lease_s)
            yield None if epoch is None else Term(epoch, line, self, lease_s)
        finally:
            await line.close()  # frees the session lock: another process may lead at once

    async def sequence(self, epoch: int, limit: int, *, lease_s: float) -> int:
        """Give the next numbers to up to `limit` events of the outbox, in one transaction, and renew the lease.

        Returns how many; `EventLog` reads them. Raises Overtaken, with nothing written, for an old epoch.
        """
        try:
            async with transaction(self._pool, self._write_s) as connection:
                # The lock this takes lasts until the commit: what follows sees all that earlier leaders numbered.
                found = await (await connection.execute(_RENEW, (lease_s, epoch, _ms(lease_s)))).fetchone()
                if found is None:
                    raise Overtaken(f"another relay leads since epoch {epoch}; nothing was written", epoch=epoch)
                row = await (await connection.execute(_NUMBER, (limit,))).fetchone()
        except psycopg.errors.IdleInTransactionSessionTimeout:
            raise Overtaken(f"this relay froze in epoch {epoch} and was cut off; nothing was written") from None
        assert row is not None
        return int(row[0])

    async def _begin(self, line: Connection, lease_s: float) -> int | None:
        try:
            with severed_after(line, self._write_s):
                await line.execute(_IDLE, (_ms(lease_s),))
                await line.execute(_LISTEN)  # before the first look into the outbox: no event falls in between
                async with line.transaction():
                    await line.execute(_LOCK)
                    found = await (await line.execute(_HOLDER)).fetchone()
                    assert found is not None  # the migration made the row, and nobody deletes it
                    epoch, leased = found
                    if leased and not await _got(line, _PROBE, epoch):
                        return None
                    await _got(line, _HOLD, epoch + 1)  # before the new epoch can be seen, so nobody finds it unheld
                    here = f"{socket.gethostname()}:{os.getpid()}"
                    await line.execute(_LEAD, (epoch + 1, here, lease_s))
        except psycopg.errors.IdleInTransactionSessionTimeout:
            raise Overtaken("this relay froze while it asked for the lead, and was cut off") from None
        except psycopg.OperationalError as problem:
            raise unavailable(problem, self._write_s) from problem
        return int(epoch) + 1


async def _got(line: Connection, statement: LiteralString, epoch: int) -> bool:
    row = await (await line.execute(statement, (epoch,))).fetchone()
    return row is not None and bool(row[0])


def _ms(seconds: float) -> str:
    return str(round(max(seconds, _FROZEN_S) * 1000))
