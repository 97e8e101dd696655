"""What is said on the websocket, from the handshake to every way of ending."""

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest
from websockets.exceptions import InvalidStatus

from data.contracts.events import AgentChanged
from data.store.agents import AgentStatus
from serve_app.gateway import connection, session
from serve_app.gateway.rooms import MAX_ROOMS
from tests.integration.gateway.client import VIEWER, Client
from tests.integration.gateway.conftest import Running, Starting, until

SECOND = datetime(2026, 1, 5, 21, 0, 1, tzinfo=UTC)


async def test_a_stored_signal_reaches_a_subscriber(running: Running) -> None:
    async with running.client() as client:
        assert client.cursor is None  # nothing to resume from before a subscription
        assert await client.subscribe(["signals"]) == {"rooms": ["signals"], "recovered": False, "snapshot": []}
        await running.store("AAPL")
        frame = await client.next()
    (entry,) = frame["data"]
    assert (frame["type"], frame["room"], frame["cursor"]) == ("events", "signals", 1)
    assert (entry["seq"], entry["key"], entry["type"]) == (1, "signals.consensus.AAPL", "signal.emitted.v1")
    assert entry["as_of"] == entry["body"]["as_of"]
    assert entry["body"]["signal"]["symbol"] == "AAPL"


async def test_a_burst_comes_as_few_frames_in_order(running: Running) -> None:
    symbols = [f"S{number}" for number in range(505)]
    async with running.client() as client:
        await client.subscribe(["signals"])
        await running.store(*symbols)
        entries = await client.events(505)
    assert [entry["seq"] for entry in entries] == list(range(1, 506))
    assert sorted(entry["body"]["signal"]["symbol"] for entry in entries) == sorted(symbols)
    assert client.n < 20


async def test_only_the_rooms_asked_for_are_delivered(running: Running) -> None:
    async with running.client() as client:
        await client.subscribe(["signals.AAPL", "jobs"])
        await running.store("MSFT", "AAPL", "GOOG")
        frame = await client.until("events")
        assert [entry["key"] for entry in frame["data"]] == ["signals.consensus.AAPL"]
        assert frame["room"] is None  # it is in two rooms: each entry says its key
        await client.say("unsubscribe", rooms=["signals.AAPL"])
        await running.store("AAPL", day=1)
        await client.say("subscribe", rooms=["signals.MSFT"])
        await running.reached(4)
        await client.until("subscribed")
        await running.store("MSFT", day=1)
        assert [entry["seq"] for entry in await client.events(5)] == [5]


async def test_a_wide_room_covers_its_narrow_ones(running: Running) -> None:
    async with running.client() as client:
        await client.subscribe(["signals.AAPL", "signals"])
        await running.store("AAPL", "MSFT")
        entries = await client.events(2)
        assert [entry["seq"] for entry in entries] == [1, 2]
        await client.say("unsubscribe", rooms=["signals"])
        answer = await client.subscribe(["agents"])  # what comes after is answered after the room was left
        assert answer["recovered"] is False
        await running.store("MSFT", "AAPL", day=1)
        entries = await client.events(4)
        assert [entry["key"] for entry in entries] == ["signals.consensus.AAPL"]


@pytest.mark.parametrize("way", ["reused", "expired", "invented", "other origin"])
async def test_a_bad_ticket_is_refused(running: Running, way: str) -> None:
    tickets, redis = running.services.tickets, running.services.redis
    ticket = await tickets.issue(VIEWER, "https://desk.example" if way == "other origin" else None)
    if way == "reused":
        await tickets.redeem(ticket, None)
    elif way == "expired":
        await redis.pexpire((await redis.keys("gs:ticket:*"))[0], 0)
    elif way == "invented":
        ticket = "x" * len(ticket)
    async with Client.connected(running.port) as client:
        await client.say("auth", ticket=ticket)
        code, reason = await client.closed()
    assert code == 4001
    assert "POST /v1/auth/ticket" in reason


async def test_the_first_message_must_be_a_ticket(running: Running) -> None:
    for message in ("subscribe", "nonsense"):
        async with Client.connected(running.port) as client:
            await client.say(message, rooms=["signals"])
            assert (await client.closed())[0] == 4001


async def test_who_never_says_who_it_is_is_closed(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "AUTH_S", 0.1)
    async with Client.connected(running.port) as client:
        assert (await client.closed())[0] == 4001


async def test_pages_of_strangers_may_not_connect(running: Running) -> None:
    for origin in ("https://evil.example", "null", f"http://127.0.0.1.evil.example:{running.port}"):
        with pytest.raises(InvalidStatus) as refused:
            async with Client.connected(running.port, origin=origin):
                pass
        assert refused.value.response.status_code == 403


async def test_pages_of_our_own_ports_may_connect(running: Running) -> None:
    for port in (running.port, running.services.settings.api.port):
        origin = f"http://127.0.0.1:{port}"
        async with Client.connected(running.port, origin=origin) as client:
            await client.say("auth", ticket=await running.services.tickets.issue(VIEWER, origin))
            assert (await client.next())["data"]["user"] == VIEWER.name


@pytest.mark.parametrize(
    ("message", "code"),
    [("no json", 4002), ("[1]", 4002), (b"\x00\x01", 4002), ('{"type":"pong","x":"' + "y" * 70_000 + '"}', 1009)],
)
async def test_garbage_ends_the_connection(running: Running, message: str | bytes, code: int) -> None:
    async with running.client() as client:
        await client.line.send(message)
        assert (await client.closed())[0] == code


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ({"type": "shout"}, "auth, subscribe, unsubscribe or pong"),
        ({"type": "subscribe", "rooms": ["stocks"]}, "there is no room 'stocks'"),
        ({"type": "subscribe", "rooms": ["agents.trend"]}, "there is no room 'agents.trend'"),
        ({"type": "subscribe", "rooms": []}, "rooms"),
        ({"type": "subscribe", "rooms": ["signals"], "cursor": -1}, "cursor"),
        ({"type": "subscribe", "rooms": ["signals"], "cursor": "7"}, "cursor"),
        ({"type": "subscribe", "rooms": ["signals"], "extra": 1}, "extra"),
        ({"type": "auth", "ticket": "again"}, "authenticated already"),
    ],
)
async def test_a_mistake_is_told_and_forgiven(running: Running, message: dict[str, object], told: str) -> None:
    async with running.client() as client:
        await client.say(str(message["type"]), **{name: value for name, value in message.items() if name != "type"})
        frame = await client.next()
        assert frame["type"] == "error"
        assert told in frame["data"]["detail"]
        assert (await client.subscribe(["market"]))["snapshot"] == []


async def test_rooms_of_a_connection_are_bounded(running: Running) -> None:
    async with running.client() as client:
        await client.subscribe([f"signals.S{number}" for number in range(MAX_ROOMS)])
        await client.say("subscribe", rooms=["jobs"])
        assert f"{MAX_ROOMS} rooms" in (await client.until("error"))["data"]["detail"]


async def test_a_flood_of_messages_ends_the_connection(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MAX_MESSAGES", 20)
    async with running.client() as client:
        for _ in range(25):
            await client.say("pong")
        assert (await client.closed())[0] == 4002


async def test_a_silent_client_is_pinged_and_then_closed(starting: Starting) -> None:
    async with starting(ping_s=0.2, idle_s=1.5) as running, running.client() as client:
        await client.subscribe(["signals"])
        assert (await client.until("ping"))["cursor"] == 0
        for _ in range(5):
            await client.until("ping")
            await client.say("pong")
        assert (await client.closed())[0] == 4009


async def test_one_client_too_many_is_turned_away(starting: Starting) -> None:
    async with starting(max_clients=1) as running, running.client():
        async with Client.connected(running.port) as second:
            assert (await second.closed())[0] == 1013
        await until(lambda: len(running.gateway.connections) == 1)


async def test_a_snapshot_shows_how_things_are(running: Running) -> None:
    status = AgentStatus(
        "trend", "symbol", ("bars",), 200, "follows", "up", 2, 2, (1, 2), ("n",), 9, 0, 0, None, None, None, SECOND
    )
    await running.services.agent_states.put_all([status])
    job, _ = await running.services.jobs.enqueue("scan", {"universe": "@all"}, owner="ana", priority=5)
    await running.store("AAPL", "MSFT")
    await running.reached(3)
    async with running.client() as client:
        answer = await client.subscribe(["signals.AAPL", "agents", "jobs", "market"])
        assert client.cursor == 3
    assert {(thing["key"], thing["type"]) for thing in answer["snapshot"]} == {
        ("signals.consensus.AAPL", "signal"),
        ("agents.trend.state", "agent"),
        (f"jobs.{job.job_id}.progress", "job"),
    }


async def test_events_of_other_kinds_reach_their_rooms(running: Running) -> None:
    async with running.client() as client:
        await client.subscribe(["agents", "jobs"])
        await running.services.events.tell(AgentChanged.of("trend", state="down", actors=2, alive=0, at=SECOND))
        job, _ = await running.services.jobs.enqueue("scan", {"universe": "@all"}, owner="ana", priority=5)
        entries = await client.events(2)
    assert [entry["key"] for entry in entries] == ["agents.trend.state", f"jobs.{job.job_id}.progress"]


async def test_the_end_of_the_process_is_announced(starting: Starting) -> None:
    async with AsyncExitStack() as clients:
        async with starting() as running:
            client = await clients.enter_async_context(running.client())
            listening = asyncio.create_task(client.closed())
        code, reason = await listening
    assert code == 1012
    assert 500 <= json.loads(reason)["reconnect_ms"] <= 5000
