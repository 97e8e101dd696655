"""Events to relay, and what a stream holds."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from data.contracts.errors import TemporarilyUnavailable
from data.contracts.events import AgentChanged
from data.store.events import EventLog, Stored
from data.stream.reader import STREAM, Entry, StreamReader

FIRST = datetime(2026, 1, 5, 21, 0, tzinfo=UTC)
GUARD_S = 60  # far beyond what anything below takes


def event(number: int, agent: str = "trend") -> AgentChanged:
    return AgentChanged.of(agent, state="up", actors=1, alive=1, at=FIRST + timedelta(milliseconds=number))


async def tell(log: EventLog, numbers: range) -> None:
    for number in numbers:
        await log.tell(event(number))


async def read_until(reader: StreamReader, last: int, *, after: int = 0) -> list[Entry]:
    """The entries behind `after` up to number `last`, as they come; Redis may go and come back meanwhile."""
    entries: list[Entry] = []
    async with asyncio.timeout(GUARD_S):
        while after < last:
            try:
                entries += await reader.read(after, limit=100, wait_s=1)
            except TemporarilyUnavailable:
                await asyncio.sleep(0)
            after = entries[-1].seq if entries else after
    return entries


async def whole(redis: Redis) -> list[tuple[int, UUID]]:
    """Number and event id of all that the stream holds, read without any of our code."""
    found: Any = await redis.xrange(STREAM)
    return [
        (int(identity.partition(b"-")[0]), UUID(json.loads(fields[b"b"])["event_id"])) for identity, fields in found
    ]


def identities(rows: list[Stored]) -> list[tuple[int, UUID]]:
    return [(row.seq, UUID(json.loads(row.body)["event_id"])) for row in rows]
