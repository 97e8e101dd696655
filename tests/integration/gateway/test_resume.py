"""Whatever is cut, at whatever moment: a client that resumes gets every entry once, in order."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from data.embedded.redis import EmbeddedRedis
from serve_app.gateway import gateway as gateway_module
from tests.integration.gateway.conftest import Running, Starting, emptied

Relaying = Callable[..., AbstractAsyncContextManager[None]]
CUTS = 300


@pytest.fixture
def own_redis(home: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(home)
    server.start()
    yield server
    server.stop()


@asynccontextmanager
async def storing(running: Running, *, days: int, symbols: int) -> AsyncIterator[int]:
    """Signals are stored one transaction after another during the block. Gives how many there will be."""

    async def work() -> None:
        names = [f"S{number}" for number in range(symbols)]
        for day in range(days):
            await running.store(*names, day=day)

    task = asyncio.create_task(work())
    try:
        yield days * symbols
    finally:
        await task


async def test_cut_at_random_moments_nothing_is_lost_or_told_twice(running: Running) -> None:
    seed = random.randrange(10**6)
    rng = random.Random(seed)
    seen: dict[str, list[int]] = {"signals": [], "signals.S1": []}
    cursors = dict.fromkeys(seen, 0)
    async with storing(running, days=400, symbols=5) as last:
        for cut in range(CUTS):
            room = rng.choice(list(seen))
            async with running.client() as client:
                answer = await client.subscribe([room], cursor=cursors[room])
                assert answer["recovered"], f"seed {seed}, cut {cut}"
                for _ in range(rng.randrange(4)):
                    if client.cursor != last:
                        frame = await client.until("events")
                        seen[room] += [entry["seq"] for entry in frame["data"]]
                        cursors[room] = frame["cursor"]
                if rng.random() < 0.5:
                    client.line.transport.abort()
    await running.reached(last)
    for room, entries in seen.items():
        async with running.client() as client:
            await client.subscribe([room], cursor=cursors[room])
            seen[room] += [entry["seq"] for entry in await client.events(await running.services.events.top())]
        assert entries == sorted(set(entries)), f"seed {seed}"
    assert seen["signals"] == list(range(1, last + 1)), f"seed {seed}"
    assert len(seen["signals.S1"]) == last // 5, f"seed {seed}"


async def test_any_cursor_that_is_held_is_resumed_exactly(running: Running) -> None:
    async with storing(running, days=20, symbols=30) as last:
        pass
    await running.reached(last)
    for _ in range(150):
        cursor = random.randrange(last + 1)
        async with running.client() as client:
            assert (await client.subscribe(["signals"], cursor=cursor))["recovered"]
            assert [entry["seq"] for entry in await client.events(last)] == list(range(cursor + 1, last + 1))


async def test_what_memory_does_not_hold_comes_from_redis(
    running: Running, starting: Starting, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with storing(running, days=20, symbols=50) as last:
        pass
    await running.reached(last)
    monkeypatch.setattr(gateway_module, "MAX_ITEMS", 10)
    async with starting() as restarted, restarted.client() as client:
        assert restarted.gateway.hub.recent is not None
        assert restarted.gateway.hub.recent.start == last - 10
        assert (await client.subscribe(["signals"], cursor=3))["recovered"]
        assert [entry["seq"] for entry in await client.events(last)] == list(range(4, last + 1))


async def test_a_restarted_gateway_takes_its_clients_up_where_they_were(running: Running, starting: Starting) -> None:
    seen: list[int] = []
    cursor = 0
    async with storing(running, days=100, symbols=5) as last:
        for _ in range(3):
            async with starting() as fresh, fresh.client() as client:
                assert (await client.subscribe(["signals"], cursor=cursor))["recovered"]
                while cursor < min(last, len(seen) + 40):
                    frame = await client.until("events")
                    seen += [entry["seq"] for entry in frame["data"]]
                    cursor = frame["cursor"]
                    if len(seen) % 2:
                        break
    async with running.client() as client:
        await client.subscribe(["signals"], cursor=cursor)
        seen += [entry["seq"] for entry in await client.events(last)]
    assert seen == list(range(1, last + 1))


async def test_beyond_the_horizon_a_client_is_told_and_gets_a_snapshot(
    redis_url: str, starting: Starting, relaying: Relaying
) -> None:
    await emptied(redis_url)
    async with relaying(keep=20), starting() as first:
        await first.store(*(f"S{number}" for number in range(50)))
        await first.reached(50)
        async with starting() as running, running.client() as old, running.client() as new:
            answer = await old.subscribe(["signals"], cursor=29)
            assert answer["recovered"] is False
            assert len(answer["snapshot"]) == 50
            assert old.cursor == 50
            assert (await new.subscribe(["signals"], cursor=30))["recovered"] is True
            assert [entry["seq"] for entry in await new.events(50)] == list(range(31, 51))


async def test_a_cursor_from_the_future_is_not_believed(running: Running) -> None:
    await running.store("AAPL")
    await running.reached(1)
    async with running.client() as client:
        answer = await client.subscribe(["signals"], cursor=2)
        assert (answer["recovered"], client.cursor) == (False, 1)


async def test_nothing_falls_between_a_snapshot_and_what_follows(running: Running) -> None:
    async with storing(running, days=60, symbols=10):
        for _ in range(40):
            async with running.client() as client:
                answer = await client.subscribe(["signals"])
                known = {thing["body"]["symbol"]: thing["body"]["as_of"] for thing in answer["snapshot"]}
                begin = client.cursor
                assert begin is not None
                frame = await client.until("events", "ping")
                if frame["type"] == "events":
                    assert frame["data"][0]["seq"] == begin + 1
                async with await psycopg.AsyncConnection.connect(_url(running)) as connection:
                    rows = await connection.execute(
                        "SELECT routing_key, max(as_of) FROM stream WHERE seq <= %s GROUP BY routing_key", (begin,)
                    )
                    for key, as_of in await rows.fetchall():
                        assert known[key.rpartition(".")[2]] >= as_of.isoformat().replace("+00:00", "Z")


async def test_a_room_entered_later_misses_nothing_and_the_others_go_on(running: Running) -> None:
    async with running.client() as client, storing(running, days=100, symbols=4) as last:
        await client.subscribe(["signals.S0"])
        began = client.cursor
        assert began is not None
        entries = (await client.until("events"))["data"]
        await client.say("subscribe", rooms=["signals.S1"], cursor=None)
        while (frame := await client.next())["type"] != "subscribed":
            entries += frame["data"]
        entered = frame["cursor"]
        assert frame["data"]["recovered"] is False
        entries += await client.events(last)
    of_first = [entry["seq"] for entry in entries if entry["key"].endswith("S0")]
    of_second = [entry["seq"] for entry in entries if entry["key"].endswith("S1")]
    assert of_first == [seq for seq in range(began + 1, last + 1) if seq % 4 == of_first[0] % 4]
    assert of_second == [seq for seq in range(entered + 1, last + 1) if seq % 4 == of_second[0] % 4]


async def test_clients_stay_and_miss_nothing_when_redis_restarts(
    own_redis: EmbeddedRedis, starting: Starting, relaying: Relaying
) -> None:
    async with relaying(url=own_redis.url), starting(redis_url=own_redis.url) as running, running.client() as client:
        await client.subscribe(["signals"])
        await running.store("A", "B")
        seen = await client.events(2)
        own_redis.stop()
        assert (await client.until("stale"))["data"]["server"] == "redis"
        assert [gone["server"] for gone in running.gateway.numbers()["stale"]] == ["redis"]  # type: ignore[attr-defined]
        await running.store("C")
        own_redis.start()
        assert (await client.until("fresh"))["data"]["server"] == "redis"
        seen += await client.events(3)
        own_redis.stop()
        (own_redis.data_folder / "appendonly.aof").unlink()  # it comes back empty
        own_redis.start()
        await running.store("D")
        seen += await client.events(4)
    assert [entry["seq"] for entry in seen] == [1, 2, 3, 4]


async def test_when_history_is_replaced_everybody_begins_again(
    redis_url: str, starting: Starting, relaying: Relaying
) -> None:
    await emptied(redis_url)
    async with starting() as running, running.client() as client:
        async with relaying():
            await client.subscribe(["signals"])
            await running.store(*(f"S{number}" for number in range(30)))
            await client.events(30)
        async with await psycopg.AsyncConnection.connect(_url(running), autocommit=True) as connection:
            await connection.execute("ALTER TABLE stream DISABLE TRIGGER USER")
            await connection.execute("DELETE FROM stream WHERE seq > 10")  # as an older backup would have it
        async with relaying():
            client.cursor = None  # the one case in which it may go back
            frame = await client.until("subscribed")
            assert (frame["data"]["recovered"], frame["data"]["rooms"], frame["cursor"]) == (False, ["signals"], 10)
            await running.store("NEW")
            assert [entry["key"] for entry in await client.events(11)] == ["signals.consensus.NEW"]


def _url(running: Running) -> str:
    url = running.services.settings.postgres.url
    assert url is not None
    return url.get_secret_value()
