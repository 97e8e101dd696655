"""A Redis of the test's own, and relays on it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from data.clock import SystemClock
from data.embedded.redis import EmbeddedRedis
from data.store.events import EventLog
from data.store.pool import Pool
from data.store.stream import Sequencer
from data.stream.reader import StreamReader
from data.stream.redis import open_redis
from data.stream.relay import Relay

Relaying = Callable[..., AbstractAsyncContextManager[asyncio.Task[None]]]


async def stopped(task: asyncio.Task[None]) -> None:
    """Again and again: a driver may swallow a cancellation."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=1)


@pytest.fixture
def own_redis(home: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(home)
    server.start()
    yield server
    server.stop()


@pytest_asyncio.fixture
async def redis(own_redis: EmbeddedRedis) -> AsyncIterator[Redis]:
    client = open_redis(own_redis.url, command_s=20)
    yield client
    await client.aclose()


@pytest.fixture
def reader(redis: Redis) -> StreamReader:
    return StreamReader(redis)


@pytest.fixture
def log(pool: Pool) -> EventLog:
    return EventLog(pool)


@pytest.fixture
def relaying(pool: Pool, store_url: str, log: EventLog, redis: Redis) -> Relaying:
    """A relay in this process for the length of a block."""

    @asynccontextmanager
    async def run(*, keep: int = 1000, redis: Redis = redis) -> AsyncIterator[asyncio.Task[None]]:
        relay = Relay(Sequencer(pool, store_url), log, redis, keep=keep, lease_s=2, clock=SystemClock())
        task = asyncio.create_task(relay.run())
        try:
            yield task
        finally:
            assert not task.done()  # whatever happened to its servers
            await stopped(task)

    return run
