"""Events: appended once, never changed; what read models and the stream are made from.

Whoever inserts events also fills the outbox (a trigger does), and the relay gives them their place in the global order
(`data.store.stream`). `EventLog` reads them in that order: an event can be seen here as soon as it has its number.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import LiteralString

from data.contracts.errors import GoldenSignalsError
from data.contracts.events import AnyEvent, Event
from data.store.pool import Connection, Pool, transaction
from data.stream.topics import expression

_ADD_PARTITIONS = "SELECT add_partitions(year) FROM unnest(%s::integer[]) AS year"
_COPY = "COPY event (event_id, as_of, occurred_at, type, routing_key, correlation_id, body) FROM STDIN"
_TELL = """INSERT INTO event (event_id, as_of, occurred_at, type, routing_key, correlation_id, body)
    VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (event_id, as_of) DO NOTHING"""
_AFTER = """SELECT s.seq, s.routing_key, e.type, e.as_of, e.occurred_at, e.correlation_id, e.body::text
    FROM (SELECT * FROM stream WHERE seq > %(seq)s
            AND (%(expression)s::text IS NULL OR '.' || routing_key ~ %(expression)s)
        ORDER BY seq LIMIT %(limit)s) AS s
    LEFT JOIN LATERAL (SELECT * FROM event WHERE event_id = s.event_id AND as_of = s.as_of LIMIT 1) AS e ON true
    ORDER BY s.seq"""
_TOP: LiteralString = "SELECT coalesce(max(seq), 0) FROM stream"
_PLANS = 5


@dataclass(frozen=True, slots=True)
class Stored:
    """An event with its place in the global order: `seq` counts 1, 2, 3 … without a gap."""

    seq: int
    routing_key: str
    type: str
    as_of: datetime
    occurred_at: datetime
    correlation_id: str
    body: str  # the whole event as JSON; `data.contracts.events.read_event` reads it


async def add_partitions(connection: Connection, years: Iterable[int]) -> None:
    """Make the yearly partitions of signal, vote and event that are missing; needed before rows of those years."""
    await connection.execute(_ADD_PARTITIONS, (sorted(set(years)),))


async def append(connection: Connection, events: Sequence[Event], *, type_name: str) -> None:
    """Add events that are not stored yet; their years must have partitions."""
    async with connection.cursor() as cursor, cursor.copy(_COPY) as rows:
        for event in events:
            await rows.write_row(_row(event, type_name))


async def tell(connection: Connection, event: AnyEvent) -> None:
    """Add one event in the transaction of the caller, with the partition it needs; a known id changes nothing."""
    await add_partitions(connection, (event.as_of.astimezone(UTC).year,))
    await connection.execute(_TELL, _row(event, event.type))


class EventLog:
    """The events of PostgreSQL in their global order."""

    def __init__(self, pool: Pool, *, write_s: float = 30.0, read_s: float = 10.0) -> None:
        self._pool, self._write_s, self._read_s = pool, write_s, read_s

    async def after(self, seq: int, *, limit: int, pattern: str | None = None) -> list[Stored]:
        """Up to `limit` events behind `seq`, oldest first; with a pattern (`data.stream.topics`) those it matches.

        Raises: InvalidInput for a pattern that is none; TemporarilyUnavailable when PostgreSQL is not to be had.
        """
        values = {"seq": seq, "limit": limit, "expression": None if pattern is None else expression(pattern)}
        for _ in range(_PLANS):
            async with transaction(self._pool, self._read_s) as connection:
                rows = await (await connection.execute(_AFTER, values)).fetchall()
            stored = [Stored(*row) for row in rows]
            if all(event.body is not None for event in stored):
                return stored
            # The plan was older than the partition of an event that was numbered since; the next plan knows it.
        raise GoldenSignalsError(
            "a numbered event is not in the event table: was a partition of it removed? Restore it from a backup",
            seq=next(event.seq for event in stored if event.body is None),
        )

    async def top(self) -> int:
        """The number of the newest event; 0 for none."""
        async with transaction(self._pool, self._read_s) as connection:
            row = await (await connection.execute(_TOP)).fetchone()
        assert row is not None
        return int(row[0])

    async def tell(self, event: AnyEvent) -> None:
        """Store one event in a transaction of its own. Safe to repeat: a known id changes nothing."""
        async with transaction(self._pool, self._write_s) as connection:
            await tell(connection, event)


def _row(event: Event, type_name: str) -> tuple[object, ...]:
    moments = (event.as_of.astimezone(UTC), event.occurred_at.astimezone(UTC))
    return (event.event_id, *moments, type_name, event.routing_key, event.correlation_id, event.model_dump_json())
