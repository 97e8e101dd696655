"""Relay processes that are killed and frozen: the stream stays equal to PostgreSQL."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from redis.asyncio import Redis

from data.embedded.redis import EmbeddedRedis
from data.store.events import EventLog, add_partitions, append
from data.store.pool import Pool, transaction
from data.stream.reader import StreamReader
from tests.integration.stream.events import FIRST, GUARD_S, event, identities, read_until, whole

ROOT = Path(__file__).parents[3]
EVENTS, STRIKES = 5000, 10
BARE = "import sys; import serve_app.relay; print([name for name in sys.modules if name in sys.argv])"

Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def start(home: Path, own_redis: EmbeddedRedis, store_url: str) -> Iterator[Start]:
    """Starts relays on the test's servers."""
    started: list[subprocess.Popen[bytes]] = []
    places = {"GS_HOME": str(home), "GS_POSTGRES__URL": store_url, "GS_REDIS__URL": own_redis.url}

    def run() -> subprocess.Popen[bytes]:
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "serve_app.relay"],
                cwd=ROOT,
                env=os.environ | places | {"GS_STREAM__LEASE_S": "1"},
            )
        )
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()


async def leader(store_url: str, *, other_than: int | None = None) -> int:
    """Process id of the relay that leads."""
    async with (
        asyncio.timeout(GUARD_S),
        await psycopg.AsyncConnection.connect(store_url, autocommit=True) as connection,
    ):
        while True:
            row = await (await connection.execute("SELECT holder FROM lease")).fetchone()
            assert row is not None
            pid = row[0].rpartition(":")[2]
            if pid.isdigit() and int(pid) != other_than:
                return int(pid)


def await_beat(alive: Path, before: int) -> None:
    deadline = time.monotonic() + GUARD_S
    while alive.stat().st_mtime_ns == before:
        assert time.monotonic() < deadline


async def write(pool: Pool, numbers: range, shuffle: random.Random) -> None:
    """Four writers at once, in transactions of all sizes."""
    left = list(numbers)

    async def writer() -> None:
        while left:
            batch = [event(left.pop()) for _ in range(min(len(left), shuffle.randint(1, 20)))]
            async with transaction(pool, 10) as connection:
                await append(connection, batch, type_name=batch[0].type)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(writer())


async def test_relays_killed_and_frozen_at_random_lose_and_repeat_nothing(
    start: Start, store_url: str, pool: Pool, log: EventLog, redis: Redis, reader: StreamReader
) -> None:
    shuffle = random.Random(11)
    async with transaction(pool, 10) as connection:
        await add_partitions(connection, [FIRST.year])
    start()
    start()
    reading = asyncio.create_task(read_until(reader, EVENTS))
    for strike in range(STRIKES):
        numbers = range(strike * EVENTS // STRIKES, (strike + 1) * EVENTS // STRIKES)
        writing = asyncio.create_task(write(pool, numbers, shuffle))
        moment = shuffle.randint(numbers.start, numbers.stop - 1)
        async with asyncio.timeout(GUARD_S):
            while await log.top() < moment:
                pass
        pid = await leader(store_url)
        if strike % 2:
            os.kill(pid, signal.SIGKILL)
            start()
        else:
            os.kill(pid, signal.SIGSTOP)
            try:
                await leader(store_url, other_than=pid)
                await writing
            finally:
                os.kill(pid, signal.SIGCONT)
        await writing
    delivered = await reading
    stored = await log.after(0, limit=2 * EVENTS)
    assert [row.seq for row in stored] == list(range(1, EVENTS + 1))
    assert {identity for _, identity in identities(stored)} == {event(number).event_id for number in range(EVENTS)}
    assert await whole(redis) == identities(stored)
    assert [(entry.seq, entry.body.decode()) for entry in delivered] == [(row.seq, row.body) for row in stored]


async def test_it_beats_and_ends_in_order_whether_or_not_its_servers_are_there(
    start: Start, home: Path, own_redis: EmbeddedRedis, log: EventLog, reader: StreamReader
) -> None:
    alive = home / "run" / "relay.alive"
    await log.tell(event(1))
    process = start()
    await read_until(reader, 1)
    before = alive.stat().st_mtime_ns
    own_redis.stop()
    await_beat(alive, before)
    process.terminate()
    assert process.wait(GUARD_S) == 0


def test_it_waits_for_a_postgresql_that_is_not_there_yet(home: Path, tmp_path: Path) -> None:
    places = {"GS_HOME": str(home), "GS_POSTGRES__URL": f"postgresql://x:verysecret@/x?host={tmp_path}"}
    places |= {"GS_POSTGRES__CONNECT_S": "1", "GS_REDIS__URL": "redis://127.0.0.1:1"}
    command = [sys.executable, "-m", "serve_app.relay"]
    alive = home / "run" / "relay.alive"
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | places, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = ""
        while "relay waits for PostgreSQL" not in said:
            said += process.stderr.readline()
            assert process.poll() is None
        before = alive.stat().st_mtime_ns
        await_beat(alive, before)
        process.terminate()
        said += process.stderr.read()
        assert process.wait(GUARD_S) == 0
    assert "verysecret" not in said


def test_its_import_is_small() -> None:
    """It must be back within a second after a crash."""
    heavy = ["ray", "polars", "numba", "numpy", "fastapi", "cluster", "agents"]
    found = subprocess.run([sys.executable, "-c", BARE, *heavy], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
