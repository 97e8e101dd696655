"""Reading the stream: entries behind a cursor, in order, without a gap, or an error that says there is one.

A cursor is the number of the last event that was seen. It can be resumed from the horizon (the entries behind it are
all there) up to the newest entry. While Redis is refilled the newest entry may be smaller than a cursor for a moment:
such a reader waits and misses nothing.
"""

from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from data.contracts.errors import GoldenSignalsError
from data.stream.redis import command_s_of, in_our_words

STREAM = "gs:events"
LINE = "gs:events:line"  # changes when the stream was replaced by another history; see `data.stream.relay`


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as delivered. `key`: routing key; `type`: of the event; `body`: the whole event as JSON."""

    seq: int
    key: str
    type: str
    body: bytes


class Trimmed(GoldenSignalsError):
    """Entries behind a cursor are gone; facts: `after`, `horizon`. Read the present state and go on from `newest`."""


class StreamReader:
    """One reader of the stream. Every method raises TemporarilyUnavailable when Redis is not to be had."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._longest_wait_s = command_s_of(redis) / 2  # a wait is a command, and must end before its deadline
        self._line: bytes | None = None  # None: nothing was read yet

    async def newest(self) -> int:
        """The number of the newest entry; 0 for none."""
        with in_our_words():
            found = await newest_entry(self._redis)
        return found.seq if found else 0

    async def horizon(self) -> int:
        """The smallest cursor that can be resumed; 0 while there are no entries."""
        with in_our_words():
            found: Any = await self._redis.xrange(STREAM, count=1)
        return _entry(*found[0]).seq - 1 if found else 0

    async def read(self, after: int, *, limit: int, wait_s: float) -> list[Entry]:
        """Up to `limit` entries behind the cursor, the next one first; empty when none came within `wait_s`.

        wait_s: bounded by half of the client's deadline for a command.
        Raises: Trimmed when the entry that follows the cursor is gone, or the stream was replaced by another history.
        """
        block_ms = max(1, round(min(wait_s, self._longest_wait_s) * 1000))
        with in_our_words():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.xread({STREAM: f"{after}-0"}, count=limit, block=block_ms)
            pipeline.get(LINE)  # answered when the wait is over: a change during it is seen with what it brought
            found, line = await pipeline.execute()
        replaced = bool(line) and self._line not in (None, line)
        self._line = line or self._line or b""  # an emptied Redis knows none, and is filled with the same history again
        entries = [_entry(identity, fields) for identity, fields in found[0][1]] if found else []
        if replaced or (entries and entries[0].seq != after + 1):
            horizon = await self.horizon()
            raise Trimmed(
                f"the events after {after} are not in the stream any more; read the present state and go on from there",
                after=after,
                horizon=horizon,
            )
        return entries


async def newest_entry(redis: Redis) -> Entry | None:
    """The last entry of the stream, None for an empty one. Raises what the driver raises."""
    found: Any = await redis.xrevrange(STREAM, count=1)
    return _entry(*found[0]) if found else None


def _entry(identity: bytes, fields: dict[bytes, bytes]) -> Entry:
    return Entry(int(identity.partition(b"-")[0]), fields[b"k"].decode(), fields[b"t"].decode(), fields[b"b"])
