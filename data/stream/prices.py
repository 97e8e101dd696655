"""Prices: the newest counts, older ones are worth nothing. So they carry no cursor and are never delivered again.

A row is `{symbol, ts, open, high, low, close, volume}`; `ts` is the bar's close as ISO 8601 text.
"""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeAlias

from redis.asyncio import Redis

from data.stream.redis import command_s_of, in_our_words

Row: TypeAlias = dict[str, Any]

_CHANNEL = "gs:prices"
_NEWEST = "gs:price"


async def publish(redis: Redis, rows: Sequence[Mapping[str, Any]]) -> None:
    """Tell listeners, and keep each symbol's row as its newest. Raises TemporarilyUnavailable without Redis."""
    if not rows:
        return
    texts = {row["symbol"]: json.dumps(row, allow_nan=False, separators=(",", ":")) for row in rows}
    with in_our_words():
        pipeline = redis.pipeline(transaction=True)  # newest first: who hears of a price can read it
        pipeline.hset(_NEWEST, mapping=texts)
        pipeline.publish(_CHANNEL, f"[{','.join(texts.values())}]")
        await pipeline.execute()


async def listen(redis: Redis) -> AsyncGenerator[list[Row], None]:
    """First the newest row of each symbol, then what is published, a list at a time; nothing is missed in between.

    The newest come again when the driver had to connect anew. What was published while they were read comes after
    them, so a price may go back for a moment.
    Raises TemporarilyUnavailable when Redis goes: listen again then.
    """
    tick_s = command_s_of(redis) / 2
    with in_our_words():
        async with aclosing(redis.pubsub()) as line:
            await line.subscribe(_CHANNEL)
            while True:
                message = await line.get_message(timeout=tick_s)
                if message is None:
                    continue
                if message["type"] == "subscribe":  # only now is it certain that later ones are heard
                    yield await newest(redis)
                else:
                    yield json.loads(message["data"])


async def newest(redis: Redis, symbols: Sequence[str] | None = None) -> list[Row]:
    """The newest row of these symbols, or of all; unknown ones are left out. Raises TemporarilyUnavailable."""
    if symbols is not None and not symbols:
        return []
    with in_our_words():
        found = await redis.hvals(_NEWEST) if symbols is None else await redis.hmget(_NEWEST, list(symbols))
    return [json.loads(text) for text in found if text is not None]
