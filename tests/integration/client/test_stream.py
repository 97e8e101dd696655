"""Whoever dies: a stream yields every signal once, in order."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

import pytest

import goldensignals as gs
from serve_app.api.models import SignalView
from serve_app.auth.access import Permission
from serve_app.client.client import Client
from serve_app.client.stream import Price, Resync, Stream
from tests.integration.client.conftest import Building
from tests.integration.client.system import GUARD_S, System, until
from tests.integration.store.samples import FIRST_BAR

OHLC = ("open", "high", "low", "close")
NAMES = [f"S{number}" for number in range(10)]


@pytest.fixture
def live(building: Building) -> System:
    system = building()
    system.start_gateway()
    return system


@pytest.fixture
def client(live: System) -> Iterator[Client]:
    with gs.connect(live.url, api_key=live.key()) as connected:
        yield connected


async def take(stream: Stream[Any], count: int) -> list[tuple[str, int]]:
    """So many signals: symbol and day."""
    found: list[tuple[str, int]] = []
    async with asyncio.timeout(GUARD_S):
        while len(found) < count:
            signal = await anext(stream)
            assert isinstance(signal, SignalView)
            found.append((signal.symbol, (signal.as_of - FIRST_BAR).days))
    return found


async def begun(stream: Stream[Any]) -> None:
    """Until it has a cursor. Waiting for a signal that does not come is cut off, which a stream survives."""
    async with asyncio.timeout(GUARD_S):
        while stream.cursor is None:
            try:
                async with asyncio.timeout(0.1):
                    await anext(stream)
            except TimeoutError:
                continue


def told(days: range, names: list[str] = NAMES) -> list[tuple[str, int]]:
    return [(name, day) for day in days for name in names]


@contextmanager
def storing(system: System, days: range, gate: Event) -> Iterator[None]:
    """Ten signals a day are stored beside the block; the second half waits for the gate."""

    def work() -> None:
        for day in days:
            if day == days[len(days) // 2]:
                gate.wait(GUARD_S)
            system.store(NAMES, [day])

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        gate.set()
        thread.join(GUARD_S)


async def test_a_gateway_that_is_killed_costs_no_signal_and_repeats_none(live: System, client: Client) -> None:
    half = Event()
    async with client.stream() as stream:
        await begun(stream)
        with storing(live, range(50), half):
            found = await take(stream, 200)
            live.kill_gateway()
            half.set()
            await asyncio.to_thread(live.start_gateway)
            found += await take(stream, 300)
        assert sorted(found) == sorted(told(range(50)))
        assert [day for _, day in found] == sorted(day for _, day in found)
        assert stream.cursor == 500


async def test_a_gateway_that_restarts_is_come_back_to_when_it_said(live: System, client: Client) -> None:
    async with client.stream("signals.S3") as stream:
        await begun(stream)
        live.store(NAMES, [0, 1])
        assert await take(stream, 2) == [("S3", 0), ("S3", 1)]
        live.end_gateway()
        live.store(NAMES, [2])
        await asyncio.to_thread(live.start_gateway)
        assert await take(stream, 1) == [("S3", 2)]


async def test_the_api_may_be_away_meanwhile(live: System, client: Client) -> None:
    async with client.stream() as stream:
        await begun(stream)
        live.stop_api()
        live.kill_gateway()
        await asyncio.to_thread(live.start_gateway)
        live.store(["A"])
        assert await take(stream, 1) == [("A", 0)]


async def test_another_stream_goes_on_from_a_cursor(live: System, client: Client) -> None:
    async with client.stream() as stream:
        await begun(stream)
        live.store(NAMES, range(3))
        found = await take(stream, 13)  # in the middle of a frame
        cursor = stream.cursor
    async with client.stream(cursor=cursor) as other:
        found += await take(other, 17)
    assert found == told(range(3))


async def test_what_the_stream_keeps_no_more_comes_from_the_event_log(building: Building) -> None:
    system = building(keep_events=50)
    system.store(NAMES, range(20))
    system.start_gateway()
    with gs.connect(system.url, api_key=system.key()) as client:
        until(lambda: system.vitals()["cursor"] == 200)
        resyncs: list[Resync] = []
        async with client.stream(cursor=7, on_resync=resyncs.append) as stream:
            found = await take(stream, 193)
            system.store(NAMES, [20])
            found += await take(stream, 10)
        assert found == told(range(21))[7:]
        async with client.stream(["signals.S1", "signals.S4"], cursor=0) as narrow:
            assert await take(narrow, 42) == told(range(21), ["S1", "S4"])
        assert resyncs == []


async def test_without_the_right_to_read_missed_events_the_stream_says_so(building: Building) -> None:
    system = building(keep_events=50)
    system.store(NAMES, range(20))
    system.start_gateway()
    until(lambda: system.vitals()["cursor"] == 200)
    with gs.connect(system.url, api_key=system.key(Permission.STREAM)) as client:
        with pytest.raises(gs.Forbidden, match=r"events were missed .* permission read"):
            await take(client.stream(cursor=7), 1)
        async with client.stream(cursor=190) as stream:
            assert await take(stream, 10) == told(range(19, 20))


async def test_a_history_that_was_replaced_is_told_with_the_present_state(live: System, client: Client) -> None:
    live.store(NAMES, [0])
    until(lambda: live.vitals()["cursor"] == 10)
    resyncs: list[Resync] = []
    async with client.stream(cursor=1_000_000, on_resync=resyncs.append) as stream:
        waiting = asyncio.create_task(take(stream, 10))
        await asyncio.to_thread(until, lambda: resyncs)
        live.store(NAMES, [1])
        assert await waiting == told(range(1, 2))
    assert [(resync.cursor, resync.lost_after) for resync in resyncs] == [(10, 1_000_000)]


async def test_a_stream_without_a_cursor_begins_with_the_present_state(live: System, client: Client) -> None:
    await asyncio.to_thread(client.scan, as_of="2018-02-01")
    until(lambda: live.vitals()["cursor"] >= 8)
    resyncs: list[Resync] = []
    async with client.stream(on_resync=resyncs.append) as stream:
        await begun(stream)
    (start,) = resyncs
    assert (start.cursor, start.lost_after) == (stream.cursor, None)
    latest = await asyncio.to_thread(client.latest)
    assert {signal.signal_id for signal in start.signals} == set(latest["signal_id"])


async def test_who_works_long_for_a_signal_is_cut_off_and_misses_nothing(building: Building) -> None:
    system = building(gateway={"idle_s": 1.0, "ping_s": 0.4})
    system.start_gateway()
    with gs.connect(system.url, api_key=system.key()) as client:
        stream = client.stream()
        await begun(stream)
        system.store(NAMES, [0])
        found = await take(stream, 1)
        await asyncio.to_thread(until, lambda: system.vitals()["clients"] == 0)
        system.store(NAMES, [1])
        found += await take(stream, 19)
        assert found == told(range(2))
        await stream.aclose()


async def test_leaving_a_loop_and_coming_back_misses_nothing(live: System, client: Client) -> None:
    stream = client.stream()
    await begun(stream)
    live.store(NAMES, [0])
    found = []
    async with asyncio.timeout(GUARD_S):
        for _ in range(2):
            async for signal in stream:
                found.append(signal.symbol)
                if len(found) % 5 == 0:
                    break
    assert found == NAMES
    await stream.aclose()
    await asyncio.to_thread(until, lambda: live.vitals()["clients"] == 0)


async def test_jobs_are_streamed_as_whole_events(live: System, client: Client) -> None:
    stream = client.events_stream(["jobs", "signals.KO"], cursor=0)
    job = await asyncio.to_thread(client.scan, "AAPL,KO", wait=False)
    states = []
    async with asyncio.timeout(GUARD_S):
        async for event in stream:
            if event.type == "job.changed.v1":
                states.append(event.body["state"])
            else:
                assert event.routing_key == "signals.consensus.KO"
            if states[-1:] == ["done"]:
                break
    assert states[0] == "queued"
    assert set(states) == {"queued", "running", "done"}
    assert event.body["job_id"] == job.job_id
    await stream.aclose()


async def test_prices_come_beside_signals_and_do_not_move_the_cursor(live: System, client: Client) -> None:
    live.publish("AAPL", 1.0)
    live.publish("KO", 2.0)
    async with client.stream(["signals.AAPL", "prices.AAPL"]) as stream, asyncio.timeout(GUARD_S):
        first = await anext(stream)
        assert first == Price(
            symbol="AAPL", ts=datetime(2018, 2, 7, 21, tzinfo=UTC), volume=9, **dict.fromkeys(OHLC, 1.0)
        )
        before = stream.cursor
        live.publish("KO", 3.0)
        live.publish("AAPL", 4.0)
        second = await anext(stream)
        assert isinstance(second, Price)
        assert (second.symbol, second.close, stream.cursor) == ("AAPL", 4.0, before)
        live.store(["AAPL"])
        assert await take(stream, 1) == [("AAPL", 0)]
        assert stream.cursor == (before or 0) + 1


async def test_a_stream_of_prices_alone_goes_on_after_a_gateway_that_was_killed(building: Building) -> None:
    """Nothing can be missed in it: its key may not read what the event log still holds, and need not."""
    system = building(keep_events=50)
    system.start_gateway()
    with gs.connect(system.url, api_key=system.key(Permission.STREAM)) as client:
        async with client.stream("prices") as stream, asyncio.timeout(GUARD_S):
            await begun(stream)
            system.kill_gateway()
            system.store(NAMES, range(20))
            system.publish("KO", 5.0)
            await asyncio.to_thread(system.start_gateway)
            found = await anext(stream)
            assert isinstance(found, Price)
            assert (found.symbol, found.close) == ("KO", 5.0)


async def test_a_key_without_the_right_to_stream_is_refused(live: System) -> None:
    with (
        gs.connect(live.url, api_key=live.key(Permission.READ)) as client,
        pytest.raises(gs.Forbidden, match="this needs the permission stream"),
    ):
        await anext(client.stream())


async def test_a_gateway_that_stays_away_ends_the_stream_after_the_patience(system: System) -> None:
    with gs.connect(system.url, api_key=system.key()) as client:
        stream = client.stream(give_up_s=0.2)
        async with asyncio.timeout(GUARD_S):
            with pytest.raises(
                gs.TemporarilyUnavailable, match=r"the stream has been cut for 0.2 s: .*cannot be reach"
            ):
                await anext(stream)


def test_rooms_that_hold_no_signals_are_refused_at_once(system: System) -> None:
    with gs.connect(system.url, api_key=system.key()) as client:
        with pytest.raises(
            gs.InvalidInput,
            match=r"no room 'jobs' to stream; there are signals, signals\.<name>, prices, prices\.<name>",
        ):
            client.stream("jobs")
        with pytest.raises(gs.InvalidInput, match="no room 'prices'"):
            client.events_stream("prices")
        with pytest.raises(gs.InvalidInput, match="a cursor is the number"):
            client.stream(cursor=-1)
