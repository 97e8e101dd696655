"""No caller waits longer than it agreed to, and every trouble with PostgreSQL is said in a sentence."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from data.contracts.errors import InvalidInput, TemporarilyUnavailable
from data.embedded.postgres import EmbeddedPostgres
from data.store.migrate import migrate
from data.store.pool import Pool, open_pool, transaction
from data.store.signals import SignalStore
from tests.integration.store.samples import NOW, signal

GUARD_S = 20  # far beyond every deadline below: reached only when one does not hold


@contextmanager
def frozen(server: EmbeddedPostgres) -> Iterator[None]:
    assert server.pid is not None
    parent = psutil.Process(server.pid)
    family = [parent, *parent.children(recursive=True)]
    for process in family:
        process.suspend()
    try:
        yield
    finally:
        for process in family:
            process.resume()


async def one(pool: Pool, seconds: float = 5) -> int:
    async with transaction(pool, seconds) as connection:
        row = await (await connection.execute("SELECT 1")).fetchone()
    assert row is not None
    return int(row[0])


async def test_a_frozen_server_costs_no_more_than_the_deadline(
    pool: Pool, signals: SignalStore, postgres_server: EmbeddedPostgres
) -> None:
    impatient = SignalStore(pool, write_s=0.3, read_s=0.3)
    async with asyncio.timeout(GUARD_S):
        with frozen(postgres_server):
            for call in (impatient.add_all([signal()], clock_now=NOW, correlation_id="t"), impatient.count()):
                with pytest.raises(TemporarilyUnavailable, match="PostgreSQL"):
                    await call
        assert (await signals.add_all([signal()], clock_now=NOW, correlation_id="t"))[0].new


async def test_a_server_frozen_inside_a_transaction_costs_no_more_than_the_deadline(
    pool: Pool, postgres_server: EmbeddedPostgres
) -> None:
    async def freeze_and_ask() -> None:
        async with transaction(pool, 0.3) as connection:
            with frozen(postgres_server):
                await connection.execute("SELECT 1")

    async with asyncio.timeout(GUARD_S):
        with pytest.raises(TemporarilyUnavailable, match=r"PostgreSQL .* within 0\.3 s"):
            await freeze_and_ask()
        assert await one(pool) == 1


async def test_a_slow_statement_is_ended_at_the_deadline(pool: Pool) -> None:
    async def too_slow() -> None:
        async with transaction(pool, 0.2) as connection:
            await connection.execute("SELECT pg_sleep(60)")

    with pytest.raises(TemporarilyUnavailable, match=r"within 0\.2 s"):
        await too_slow()
    assert await one(pool) == 1


async def test_a_full_pool_is_temporarily_unavailable(store_url: str) -> None:
    small = await open_pool(store_url, size=1, connect_s=10)
    try:
        async with transaction(small, 5):
            with pytest.raises(TemporarilyUnavailable, match="PostgreSQL"):
                await one(small, seconds=0.1)
        assert await one(small) == 1
    finally:
        await small.close()


async def test_connections_the_server_dropped_are_replaced(pool: Pool, postgres_url: str) -> None:
    async with transaction(pool, 5) as connection:
        pid = connection.info.backend_pid
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    assert await one(pool) == 1


async def test_a_pool_outlives_a_crash_and_restart_of_its_server(ready_home: Path) -> None:
    server = EmbeddedPostgres(ready_home)
    own = await open_pool(server.start(), size=3, connect_s=10)
    try:
        assert server.pid is not None
        process = psutil.Process(server.pid)
        process.kill()
        process.wait(GUARD_S)
        with pytest.raises(TemporarilyUnavailable, match="PostgreSQL"):
            await one(own, seconds=0.3)
        server.start()
        assert await one(own, seconds=GUARD_S) == 1
    finally:
        await own.close()
        server.stop()


async def test_a_failed_transaction_leaves_nothing(pool: Pool) -> None:
    async def fail() -> None:
        async with transaction(pool, 5) as connection:
            await connection.execute("CREATE TABLE half_done ()")
            raise InvalidInput("no")

    with pytest.raises(InvalidInput):
        await fail()
    async with transaction(pool, 5) as connection:
        rows = await connection.execute("SELECT to_regclass('half_done')")
        assert await rows.fetchone() == (None,)


async def test_times_come_back_in_utc(pool: Pool) -> None:
    async with transaction(pool, 5) as connection:
        row = await (await connection.execute("SELECT current_setting('timezone')")).fetchone()
    assert row == ("UTC",)


async def test_a_server_that_is_not_there_is_temporarily_unavailable(tmp_path: Path) -> None:
    url = f"postgresql://someone:verysecret@/goldensignals?host={tmp_path}"
    with pytest.raises(TemporarilyUnavailable, match="PostgreSQL") as refusal:
        await open_pool(url, size=2, connect_s=0.5)
    assert "verysecret" not in str(refusal.value)


async def test_a_url_that_is_none_is_refused_without_being_repeated() -> None:
    with pytest.raises(InvalidInput, match="looks like postgresql://") as refusal:
        await open_pool("postgres verysecret", size=2, connect_s=0.5)
    assert "verysecret" not in str(refusal.value)


def test_a_full_disk_is_said_and_nothing_is_lost(small_disk: Callable[[int], Path]) -> None:
    disk = small_disk(160)
    server = EmbeddedPostgres(disk, min_free_bytes=0)
    server.start()
    try:
        asyncio.run(fill_and_free(server.url, disk / "filler"))
    finally:
        server.stop()


async def fill_and_free(url: str, filler: Path) -> None:
    migrate(url)
    pool = await open_pool(url, size=2, connect_s=10)
    store = SignalStore(pool)
    batch = [signal(f"S{number}") for number in range(2000)]
    await store.add_all([signal("KEPT")], clock_now=NOW, correlation_id="t")
    fill(filler)
    with pytest.raises(TemporarilyUnavailable, match="no disk space left"):
        await store.add_all(batch, clock_now=NOW, correlation_id="t")
    assert await store.count() == 1
    filler.unlink()  # noqa: ASYNC240  a test may wait for its disk
    assert all(stored.new for stored in await store.add_all(batch, clock_now=NOW, correlation_id="t"))
    await pool.close()


def fill(file: Path) -> None:
    """Write until the disk is full."""
    with file.open("wb", buffering=0) as out, suppress(OSError):
        while True:
            out.write(bytes(65536))
    assert shutil.disk_usage(file.parent).free == 0
