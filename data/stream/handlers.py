"""Handlers inside a process: each is called with the entries its pattern selects, in the order of the stream."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeAlias

import structlog

from data.contracts.errors import TemporarilyUnavailable
from data.stream.reader import Entry, StreamReader
from data.stream.topics import expression, matches

Handler: TypeAlias = Callable[[Entry], Awaitable[None]]

_BATCH = 500
_WAIT_S = 1.0
_PAUSE_S = 0.5  # before Redis is asked again
_log = structlog.get_logger()


async def follow(
    reader: StreamReader, subscriptions: Sequence[tuple[str, Handler]], *, after: int
) -> AsyncGenerator[int, None]:
    """Call handlers for ever; yields the cursor after each batch, when all of its handlers have returned.

    subscriptions: (pattern, handler); a handler whose pattern matches is awaited, one after the other.
    Redis away: asked again until it is back. Raises what a handler raises, Trimmed when entries behind the cursor are
    gone (go on from `reader.newest()`, after reading the present state), InvalidInput for a pattern that is none.
    """
    for pattern, _ in subscriptions:
        expression(pattern)
    while True:
        try:
            entries = await reader.read(after, limit=_BATCH, wait_s=_WAIT_S)
        except TemporarilyUnavailable as problem:
            _log.warning("handlers wait for Redis", reason=str(problem), after=after)
            await asyncio.sleep(_PAUSE_S)
            continue
        for entry in entries:
            for pattern, handler in subscriptions:
                if matches(pattern, entry.key):
                    await handler(entry)
            after = entry.seq
        if entries:
            yield after
