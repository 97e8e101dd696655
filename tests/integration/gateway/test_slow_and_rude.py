"""Clients that do not behave: those that do not read, and those that never come to the point."""

import asyncio
import random
from typing import Any

import psutil
import pytest
from websockets.exceptions import ConnectionClosed

from benchmarks.gateway_rude import rude_crowd
from data.stream import prices
from serve_app.gateway import connection, http_protocol
from tests.integration.gateway.client import VIEWER, Client
from tests.integration.gateway.conftest import Running, Starting, until

RUDE = 400


def open_files() -> int:
    return int(psutil.Process().num_fds())


def stop_reading(client: Client) -> None:
    """The kernel's buffers fill, and then the gateway's."""
    client.line.transport.pause_reading()


async def test_who_does_not_read_is_closed_and_resumes_while_others_go_on(starting: Starting, running: Running) -> None:
    async with starting(client_bytes=128 * 1024) as small, small.client() as slow, small.client() as good:
        await slow.subscribe(["signals"])
        await good.subscribe(["signals"])
        stop_reading(slow)
        names = [f"S{number}" for number in range(300)]
        for day in range(30):
            await running.store(*names, day=day)
            await good.events(300 * (day + 1))
            if any(each.is_closing for each in small.gateway.connections):
                break
        last = good.cursor
        assert last is not None
        slow.line.transport.resume_reading()
        seen: list[int] = []
        while True:
            try:
                frame = await slow.next()
            except ConnectionClosed:
                break
            seen += [entry["seq"] for entry in frame["data"]] if frame["type"] == "events" else []
        assert slow.line.close_code == 4008
        assert slow.cursor == len(seen) < last
        async with small.client() as again:
            assert (await again.subscribe(["signals"], cursor=slow.cursor))["recovered"]
            seen += [entry["seq"] for entry in await again.events(last)]
        assert seen == list(range(1, last + 1))


async def test_a_slow_resume_is_paced_and_not_closed(starting: Starting, running: Running) -> None:
    for day in range(10):
        await running.store(*(f"S{number}" for number in range(300)), day=day)
    await running.reached(3000)
    async with starting(client_bytes=128 * 1024) as small, small.client() as slow:
        stop_reading(slow)
        await slow.say("subscribe", rooms=["signals"], cursor=0)  # 3,000 entries are far more than the queue may hold
        await until(lambda: any(each._paused for each in small.gateway.connections))
        slow.line.transport.resume_reading()
        assert [entry["seq"] for entry in await slow.events(3000)] == list(range(1, 3001))


async def test_prices_of_a_slow_client_are_replaced_by_newer_ones(running: Running) -> None:
    def rows(close: float) -> list[dict[str, Any]]:
        bar = {"ts": "2018-02-05T21:00:00Z", "open": 1.0, "high": 1.0, "low": 1.0, "close": close, "volume": 1.0}
        return [{"symbol": f"S{number}", **bar} for number in range(500)]

    redis = running.services.redis
    async with running.client() as slow, running.client() as good:
        for client in (slow, good):
            await client.subscribe(["prices"])
        stop_reading(slow)
        for close in range(1, 201):
            await prices.publish(redis, rows(close))
            assert (await good.until("prices"))["data"][-1]["close"] == close
        slow.line.transport.resume_reading()
        got = 0
        while (frame := await slow.until("prices"))["data"][-1]["close"] != 200:
            got += 1
        assert got < 150
        assert len(frame["data"]) == 500
        assert frame["cursor"] is None


async def test_the_newest_prices_come_with_the_subscription(running: Running) -> None:
    bar = {"ts": "2018-02-05T21:00:00Z", "open": 1.0, "high": 1.0, "low": 1.0, "close": 7.0, "volume": 1.0}
    async with running.client() as first, running.client() as second:
        await first.subscribe(["prices"])
        await prices.publish(running.services.redis, [{"symbol": "AAPL", **bar}, {"symbol": "MSFT", **bar}])
        await first.until("prices")
        await second.subscribe(["prices.MSFT"])
        assert (await second.next())["data"] == [{"symbol": "MSFT", **bar}]


async def test_rude_sockets_leave_nothing_behind(
    running: Running, starting: Starting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "AUTH_S", 0.5)
    monkeypatch.setattr(connection, "CLOSE_S", 0.5)
    monkeypatch.setattr(http_protocol, "HEAD_S", 0.5)
    seed = random.randrange(10**6)
    rng = random.Random(seed)
    async with starting(idle_s=2.0) as short:
        tasks, files = len(asyncio.all_tasks()), open_files()
        tickets = [await running.services.tickets.issue(VIEWER, None) for _ in range(RUDE)]
        async with asyncio.timeout(60):
            await rude_crowd(short.port, tickets, rng, at_once=RUDE)
        async with short.client() as polite:
            await polite.subscribe(["signals"])
            await running.store("AAPL")
            assert [entry["seq"] for entry in await polite.events(1)] == [1]
        await until(lambda: not short.gateway.connections)
        assert short.gateway.hub.rooms == 0, f"seed {seed}"
        await until(lambda: len(asyncio.all_tasks()) <= tasks)
        await until(lambda: open_files() <= files + 20)  # pools have opened theirs
