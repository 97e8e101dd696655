"""Stores on an empty schema, and a way to know that writers wait for each other."""

from collections.abc import AsyncIterator, Awaitable, Callable

import psycopg
import pytest
import pytest_asyncio

from data.store.jobs import JobStore
from data.store.pool import Pool
from data.store.signals import SignalStore

Blocked = Callable[[int], Awaitable[None]]


@pytest.fixture
def signals(pool: Pool) -> SignalStore:
    return SignalStore(pool)


@pytest_asyncio.fixture
async def jobs(pool: Pool, store_url: str) -> AsyncIterator[JobStore]:
    store = JobStore(pool, store_url)
    yield store
    await store.close()


@pytest_asyncio.fixture
async def blocked(postgres_url: str) -> AsyncIterator[Blocked]:
    """Returns when that many sessions wait for a lock: both racers are then known to be inside."""
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as watcher:

        async def until(sessions: int) -> None:
            waiting = 0
            while waiting < sessions:
                rows = await watcher.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
                (waiting,) = await rows.fetchone() or (0,)

        yield until
