"""Events: appended once, never changed; what read models and the stream are made from."""

from collections.abc import Iterable, Sequence
from datetime import UTC

from data.contracts.events import Event
from data.store.pool import Connection

_ADD_PARTITIONS = "SELECT add_partitions(year) FROM unnest(%s::integer[]) AS year"
_COPY = "COPY event (event_id, as_of, occurred_at, type, routing_key, correlation_id, body) FROM STDIN"


async def add_partitions(connection: Connection, years: Iterable[int]) -> None:
    """Make the yearly partitions of signal, vote and event that are missing; needed before rows of those years."""
    await connection.execute(_ADD_PARTITIONS, (sorted(set(years)),))


async def append(connection: Connection, events: Sequence[Event], *, type_name: str) -> None:
    """Add events that are not stored yet; their years must have partitions."""
    async with connection.cursor() as cursor, cursor.copy(_COPY) as rows:
        for event in events:
            moments = (event.as_of.astimezone(UTC), event.occurred_at.astimezone(UTC))
            await rows.write_row(
                (event.event_id, *moments, type_name, event.routing_key, event.correlation_id, event.model_dump_json())
            )
