"""The stream is a piece of PostgreSQL's order, whatever happens to Redis, PostgreSQL or their clients."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import psutil
import psycopg
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from data.clock import SystemClock
from data.contracts.events import read_event
from data.embedded.postgres import EmbeddedPostgres
from data.embedded.redis import EmbeddedRedis
from data.store.events import EventLog, add_partitions, append
from data.store.migrate import migrate
from data.store.pool import Pool, open_pool, transaction
from data.store.stream import Sequencer
from data.stream.reader import StreamReader, Trimmed
from data.stream.redis import open_redis
from data.stream.relay import Relay
from tests.integration.stream.conftest import Relaying, stopped
from tests.integration.stream.events import FIRST, GUARD_S, event, identities, read_until, tell, whole

WRITERS, ROUNDS = 8, 12


async def reached(log: EventLog, number: int) -> None:
    async with asyncio.timeout(GUARD_S):
        while await log.top() < number:
            pass


@contextmanager
def frozen(pid: int | None) -> Iterator[None]:
    process = psutil.Process(pid)
    process.suspend()
    try:
        yield
    finally:
        process.resume()


async def test_an_event_is_delivered_whole_under_its_number(
    log: EventLog, relaying: Relaying, reader: StreamReader
) -> None:
    await log.tell(event(1))
    async with relaying():
        (entry,) = await read_until(reader, 1)
    assert (entry.seq, entry.key, entry.type) == (1, "agents.trend.state", "agent.changed.v1")
    assert read_event(entry.body) == event(1)
    assert (await reader.newest(), await reader.horizon()) == (1, 0)


async def test_writers_that_commit_out_of_order_leave_no_gap_and_no_late_smaller_number(
    pool: Pool, store_url: str, log: EventLog, relaying: Relaying, redis: Redis
) -> None:
    """All insert before any commits, and is numbered before the next does: positions become visible backwards."""
    shuffle, written, number, cursor, seen = random.Random(7), set(), 0, 0, []
    async with transaction(pool, 10) as connection:
        await add_partitions(connection, [FIRST.year])
    async with AsyncExitStack() as stack, asyncio.timeout(2 * GUARD_S):
        writers = [
            await stack.enter_async_context(await psycopg.AsyncConnection.connect(store_url)) for _ in range(WRITERS)
        ]
        await stack.enter_async_context(relaying())
        for _ in range(ROUNDS):
            batches = []
            for writer in writers:
                batch = [event(number := number + 1) for _ in range(shuffle.randint(1, 3))]
                await append(writer, batch, type_name=batch[0].type)
                batches.append((writer, batch))
            shuffle.shuffle(batches)
            for writer, batch in batches:
                if shuffle.random() < 0.2:
                    await writer.rollback()
                    continue
                await writer.commit()
                written |= {one.event_id for one in batch}
                if shuffle.random() < 0.7:
                    await reached(log, len(written))
                    rows = await log.after(cursor, limit=1000)
                    seen += identities(rows)
                    cursor = rows[-1].seq
        await reached(log, len(written))
        seen += identities(await log.after(cursor, limit=1000))
        await read_until(StreamReader(redis), len(written))
    assert [number for number, _ in seen] == list(range(1, len(written) + 1))
    assert {identity for _, identity in seen} == written
    assert await whole(redis) == seen


async def test_an_emptied_redis_is_filled_again_without_a_new_event(
    log: EventLog, relaying: Relaying, reader: StreamReader, redis: Redis
) -> None:
    await tell(log, range(50))
    async with relaying():
        await read_until(reader, 50)
        await redis.flushall()
        await read_until(StreamReader(redis), 50)
        assert await whole(redis) == identities(await log.after(0, limit=100))


async def test_a_reader_misses_and_repeats_nothing_when_redis_is_emptied_amid_events(
    log: EventLog, relaying: Relaying, reader: StreamReader, redis: Redis
) -> None:
    async with relaying():
        reading = asyncio.create_task(read_until(reader, 400))
        for begin in range(0, 400, 50):
            await tell(log, range(begin, begin + 50))
            await redis.flushall()
        entries = await reading
        assert [entry.seq for entry in entries] == list(range(1, 401))
        await read_until(StreamReader(redis), 400)
        assert await whole(redis) == identities(await log.after(0, limit=1000))


async def test_an_emptied_redis_gets_the_newest_events_only_and_the_horizon_says_so(
    log: EventLog, relaying: Relaying, redis: Redis
) -> None:
    await tell(log, range(50))
    async with relaying(keep=20):
        await reached(log, 50)
        reader = StreamReader(redis)
        await read_until(reader, 50, after=30)
        await redis.flushall()
        await read_until(StreamReader(redis), 50, after=30)
    assert [number for number, _ in await whole(redis)] == list(range(31, 51))
    assert await reader.horizon() == 30
    assert [entry.seq for entry in await reader.read(30, limit=3, wait_s=1)] == [31, 32, 33]
    with pytest.raises(Trimmed, match="events after 29") as refusal:
        await reader.read(29, limit=3, wait_s=1)
    assert refusal.value.facts == {"after": 29, "horizon": 30}


async def test_old_entries_are_trimmed_as_new_ones_come(log: EventLog, relaying: Relaying, redis: Redis) -> None:
    reader = StreamReader(redis)
    async with relaying(keep=10):
        for begin in range(0, 40, 8):
            await tell(log, range(begin, begin + 8))
            await read_until(reader, begin + 8, after=begin)
    assert [number for number, _ in await whole(redis)] == list(range(31, 41))
    assert (await reader.horizon(), await reader.newest()) == (30, 40)


async def test_a_redis_that_lost_its_tail_is_completed(
    log: EventLog, relaying: Relaying, reader: StreamReader, redis: Redis, own_redis: EmbeddedRedis
) -> None:
    """A power cut loses what the append-only file had not reached: Redis comes back as it was a second before."""
    file = own_redis.data_folder / "appendonly.aof"
    async with relaying():
        await tell(log, range(30))
        entries = await read_until(reader, 30)
        kept = file.stat().st_size
        await tell(log, range(30, 60))
        entries += await read_until(reader, 60, after=30)
        psutil.Process(own_redis.pid).kill()
        own_redis.stop()
        with file.open("r+b") as tail:
            tail.truncate(kept + 100)  # amid a command
        own_redis.start()
        await tell(log, range(60, 90))
        entries += await read_until(reader, 90, after=60)
        assert [entry.seq for entry in entries] == list(range(1, 91))
        assert await whole(redis) == identities(await log.after(0, limit=100))


async def test_numbering_goes_on_while_redis_is_frozen(
    log: EventLog, relaying: Relaying, reader: StreamReader, own_redis: EmbeddedRedis
) -> None:
    impatient = open_redis(own_redis.url, command_s=0.2)
    async with relaying(redis=impatient):
        await tell(log, range(5))
        await read_until(reader, 5)
        with frozen(own_redis.pid):
            await tell(log, range(5, 10))
            await reached(log, 10)
        assert [entry.seq for entry in await read_until(reader, 10, after=5)] == list(range(6, 11))
    await impatient.aclose()


@pytest_asyncio.fixture
async def other_history(postgres_url: str) -> AsyncIterator[tuple[str, Pool]]:
    """A second database, as far as a relay can tell."""
    schema = f"test_{uuid4().hex}"
    url = f"{postgres_url}&options=-csearch_path%3D{schema}"
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as connection:
        await connection.execute(f"CREATE SCHEMA {schema}".encode())
        migrate(url)
        pool = await open_pool(url, size=3, connect_s=10)
        yield url, pool
        await pool.close()
        await connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())


@pytest.mark.parametrize("restored", [0, 10, 30, 45])
async def test_a_stream_of_another_history_is_replaced_and_its_readers_are_told(
    restored: int,
    log: EventLog,
    relaying: Relaying,
    reader: StreamReader,
    redis: Redis,
    other_history: tuple[str, Pool],
) -> None:
    """PostgreSQL was restored from a backup, which ends before, at or (by new events) behind the end of the stream."""
    await tell(log, range(30))
    async with relaying():
        await read_until(reader, 30)
    url, pool = other_history
    other = EventLog(pool)
    await tell(other, range(1000, 1000 + restored))
    relay = Relay(Sequencer(pool, url), other, redis, keep=20, lease_s=2, clock=SystemClock())
    task = asyncio.create_task(relay.run())
    with pytest.raises(Trimmed):
        await read_until(reader, 10**9, after=30)
    after = await reader.newest()
    await tell(other, range(2000, 2003))
    await read_until(reader, restored + 3, after=after)
    await stopped(task)
    rows = await other.after(max(restored + 3 - 20, 0), limit=100)
    assert (await whole(redis))[-20:] == identities(rows)[-20:]


async def test_a_relay_outlives_a_crash_and_restart_of_postgresql(ready_home: Path, redis: Redis) -> None:
    server = EmbeddedPostgres(ready_home)
    url = server.start()
    migrate(url)
    pool = await open_pool(url, size=3, connect_s=10)
    log = EventLog(pool)
    relay = Relay(Sequencer(pool, url), log, redis, keep=100, lease_s=2, clock=SystemClock())
    task = asyncio.create_task(relay.run())
    reader = StreamReader(redis)
    try:
        await tell(log, range(5))
        await read_until(reader, 5)
        psutil.Process(server.pid).kill()
        server.stop()
        assert await reader.newest() == 5
        server.start()
        await tell(log, range(5, 10))
        assert [entry.seq for entry in await read_until(reader, 10, after=5)] == list(range(6, 11))
        assert not task.done()
    finally:
        await stopped(task)
        await pool.close()
        server.stop()


async def test_a_redis_that_takes_no_writes_is_asked_until_it_does(
    log: EventLog, relaying: Relaying, reader: StreamReader, redis: Redis
) -> None:
    async with relaying():
        await tell(log, range(5))
        await read_until(reader, 5)
        await redis.config_set("maxmemory", "1")
        await tell(log, range(5, 10))
        await reached(log, 10)
        assert await reader.newest() == 5
        await redis.config_set("maxmemory", "0")
        assert len(await read_until(reader, 10, after=5)) == 5


async def test_a_stored_event_is_json_that_names_itself(log: EventLog, relaying: Relaying, redis: Redis) -> None:
    await log.tell(event(1))
    async with relaying():
        (entry,) = await read_until(StreamReader(redis), 1)
    assert json.loads(entry.body)["type"] == entry.type
