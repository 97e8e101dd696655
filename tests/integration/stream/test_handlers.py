"""Handlers are called by pattern, in order; prices are told once and the newest is kept."""

import asyncio
from contextlib import aclosing

import pytest
from redis.asyncio import Redis

from data.contracts.errors import GoldenSignalsError, InvalidInput, TemporarilyUnavailable
from data.embedded.redis import EmbeddedRedis
from data.store.events import EventLog
from data.stream import prices
from data.stream.handlers import Handler, follow
from data.stream.reader import Entry, StreamReader, Trimmed
from data.stream.redis import open_redis
from tests.integration.stream.conftest import Relaying
from tests.integration.stream.events import GUARD_S, event, tell

PRICE = {
    "symbol": "AAPL",
    "ts": "2026-01-05T21:00:00Z",
    "open": 1.0,
    "high": 2.0,
    "low": 0.5,
    "close": 1.5,
    "volume": 9,
}


async def test_each_handler_gets_what_its_pattern_selects_in_order(
    log: EventLog, relaying: Relaying, reader: StreamReader
) -> None:
    seen: list[tuple[str, int]] = []

    def handler(name: str) -> Handler:
        async def note(entry: Entry) -> None:
            seen.append((name, entry.seq))

        return note

    for number, agent in enumerate(["trend", "volume", "trend"]):
        await log.tell(event(number, agent))
    subscriptions = [("agents.trend.*", handler("trend")), ("#", handler("all")), ("signals.#", handler("none"))]
    async with asyncio.timeout(GUARD_S), relaying(), aclosing(follow(reader, subscriptions, after=0)) as cursors:
        async for cursor in cursors:
            if cursor == 3:
                break
    assert seen == [("trend", 1), ("all", 1), ("all", 2), ("trend", 3), ("all", 3)]


async def test_following_goes_on_when_redis_is_back(
    log: EventLog, relaying: Relaying, reader: StreamReader, own_redis: EmbeddedRedis
) -> None:
    seen: list[int] = []

    async def note(entry: Entry) -> None:
        seen.append(entry.seq)

    async with asyncio.timeout(GUARD_S), relaying(), aclosing(follow(reader, [("#", note)], after=0)) as cursors:
        await tell(log, range(3))
        while await anext(cursors) < 3:
            pass
        own_redis.stop()
        waiting = asyncio.ensure_future(anext(cursors))
        await tell(log, range(3, 4))
        own_redis.start()
        assert await waiting == 4
    assert seen == [1, 2, 3, 4]


async def test_following_a_cursor_that_is_gone_or_a_pattern_that_is_none_is_refused(
    log: EventLog, relaying: Relaying, reader: StreamReader
) -> None:
    await tell(log, range(9))
    async with relaying(keep=4):
        while await reader.newest() < 9:
            pass
        with pytest.raises(Trimmed, match="read the present state"):
            await anext(follow(reader, [], after=2))
    with pytest.raises(InvalidInput, match="a pattern is words"):
        await anext(follow(reader, [("a..b", None)], after=2))  # type: ignore[list-item]


async def test_a_reader_without_redis_is_told_so(own_redis: EmbeddedRedis) -> None:
    own_redis.stop()
    client = open_redis(own_redis.url, command_s=1)
    reader = StreamReader(client)
    calls = (reader.newest, reader.horizon, lambda: reader.read(0, limit=1, wait_s=0.1), lambda: prices.newest(client))
    for call in calls:
        with pytest.raises(TemporarilyUnavailable, match="Redis is down") as refusal:
            await call()
        assert own_redis.home.secret("redis") not in str(refusal.value)
    await client.aclose()


async def test_a_url_that_cannot_be_read_is_refused_without_its_password() -> None:
    with pytest.raises(InvalidInput, match="Redis URL cannot be read") as refusal:
        open_redis("redis://:verysecret@host:port/0", command_s=1)
    assert "verysecret" not in str(refusal.value)


async def test_a_wait_for_entries_ends_in_time(reader: StreamReader) -> None:
    async with asyncio.timeout(GUARD_S):
        assert await reader.read(0, limit=1, wait_s=0.05) == []
        assert await reader.read(7, limit=1, wait_s=0.05) == []
        assert (await reader.newest(), await reader.horizon()) == (0, 0)


async def test_prices_are_heard_by_listeners_and_the_newest_of_each_symbol_is_kept(redis: Redis) -> None:
    newer, other = PRICE | {"close": 1.7}, PRICE | {"symbol": "BRK.B"}
    async with asyncio.timeout(GUARD_S), aclosing(prices.listen(redis)) as heard:
        assert await anext(heard) == []
        await prices.publish(redis, [PRICE, other])
        await prices.publish(redis, [newer])
        await prices.publish(redis, [])
        assert await anext(heard) == [PRICE, other]
        assert await anext(heard) == [newer]
    assert await prices.newest(redis, ["AAPL", "NONE", "BRK.B"]) == [newer, other]
    assert await prices.newest(redis, []) == []
    assert sorted(row["symbol"] for row in await prices.newest(redis)) == ["AAPL", "BRK.B"]


async def test_listeners_are_told_when_redis_goes(redis: Redis, own_redis: EmbeddedRedis) -> None:
    async with asyncio.timeout(GUARD_S), aclosing(prices.listen(redis)) as heard:
        await prices.publish(redis, [PRICE])
        assert await anext(heard) == [PRICE]  # the newest when it began to listen
        own_redis.stop()
        with pytest.raises(GoldenSignalsError, match="Redis"):
            await anext(heard)
