"""Signals are stored once, revised in order, told by one event each, and rebuilt from those."""

import asyncio
from typing import Any

import psycopg
import pytest

from data.contracts.errors import GoldenSignalsError
from data.contracts.signals import Signal
from data.store.pool import Pool, transaction
from data.store.signals import Revision, SignalStore, Stored, assign_revisions
from tests.integration.store.conftest import Blocked
from tests.integration.store.samples import NOW, signal


async def add(store: SignalStore, *signals: Signal) -> list[Stored]:
    return await store.add_all(signals, clock_now=NOW, correlation_id="test")


async def rows(pool: Pool, query: bytes) -> list[Any]:
    async with transaction(pool, 10) as connection:
        return await (await connection.execute(query)).fetchall()


async def read_models(pool: Pool) -> list[Any]:
    return [
        await rows(pool, b"SELECT * FROM signal ORDER BY signal_id, revision"),
        await rows(pool, b"SELECT * FROM vote ORDER BY signal_id, revision, agent"),
    ]


async def test_a_signal_comes_back_to_the_bit(signals: SignalStore) -> None:
    given = signal()
    assert await add(signals, given) == [Stored(given.signal_id, 1, True)]
    found = await signals.get(given.signal_id)
    assert found == Revision(given, 1)
    assert found is not None
    assert found.signal.model_dump_json() == given.model_dump_json()


async def test_signal_votes_and_event_are_stored_together(signals: SignalStore, pool: Pool) -> None:
    await add(signals, signal("AAPL"), signal("MSFT"))
    assert await rows(pool, b"SELECT count(*) FROM vote") == [(6,)]
    assert await rows(pool, b"SELECT agent, score FROM vote WHERE score IS NULL GROUP BY 1, 2") == [("volume", None)]
    assert await rows(pool, b"SELECT type, routing_key, correlation_id, occurred_at FROM event ORDER BY position") == [
        ("signal.emitted.v1", "signals.consensus.AAPL", "test", NOW),
        ("signal.emitted.v1", "signals.consensus.MSFT", "test", NOW),
    ]


async def test_replayed_signals_are_stored_once(signals: SignalStore, pool: Pool) -> None:
    batch = [signal("AAPL"), signal("MSFT"), signal("AAPL")]
    first = await add(signals, *batch)
    before = await read_models(pool)
    again = await add(signals, *batch)
    assert [(s.revision, s.new) for s in first] == [(1, True), (1, True), (1, False)]
    assert [(s.revision, s.new) for s in again] == [(1, False)] * 3
    assert await read_models(pool) == before
    assert await rows(pool, b"SELECT count(*) FROM event") == [(2,)]


async def test_other_input_makes_the_next_revision_and_keeps_the_old_one(signals: SignalStore) -> None:
    old, new = signal(inputs="a", score=0.3), signal(inputs="b", score=-0.4)
    await add(signals, old)
    assert (await add(signals, new))[0].revision == 2
    assert await signals.get(old.signal_id) == Revision(new, 2)
    assert await signals.get(old.signal_id, revision=1) == Revision(old, 1)
    assert await signals.get(old.signal_id, revision=3) is None
    assert await signals.count() == 2


async def test_two_writers_at_once_make_two_revisions(
    signals: SignalStore, pool: Pool, store_url: str, blocked: Blocked
) -> None:
    await add(signals, signal("FIRST"))  # so the year's partitions are there
    async with await psycopg.AsyncConnection.connect(store_url) as gate:
        await gate.execute("LOCK TABLE signal IN SHARE ROW EXCLUSIVE MODE")  # both may read, neither may insert
        names = [f"S{number}" for number in range(20)]
        one = asyncio.create_task(add(signals, *(signal(name, inputs="one") for name in names)))
        two = asyncio.create_task(add(signals, *(signal(name, inputs="two") for name in reversed(names))))
        await blocked(2)
        await gate.rollback()
    answers = await asyncio.gather(one, two)
    assert all(stored.new for answer in answers for stored in answer)
    assert sorted(answer[0].revision for answer in answers) == [1, 2]
    counted = await rows(pool, b"SELECT array_agg(revision ORDER BY revision) FROM signal GROUP BY signal_id")
    assert sorted(found for (found,) in counted) == [[1], *[[1, 2]] * 20]


async def test_two_writers_at_once_make_a_new_year_s_partitions_once(
    signals: SignalStore, pool: Pool, store_url: str, blocked: Blocked
) -> None:
    async with await psycopg.AsyncConnection.connect(store_url) as gate:
        await gate.execute("LOCK TABLE signal IN ACCESS EXCLUSIVE MODE")
        one = asyncio.create_task(add(signals, signal("AAPL")))
        two = asyncio.create_task(add(signals, signal("MSFT")))
        await blocked(2)
        await gate.rollback()
    assert [answer[0].new for answer in await asyncio.gather(one, two)] == [True, True]
    assert await rows(pool, b"SELECT DISTINCT tableoid::regclass::text FROM signal") == [("signal_2017",)]


async def test_each_year_has_its_partition_and_the_default_stays_empty(signals: SignalStore, pool: Pool) -> None:
    await add(signals, signal(day=0), signal(day=10), signal(day=400))
    for table in (b"signal", b"vote", b"event"):
        found = await rows(pool, b"SELECT DISTINCT tableoid::regclass::text FROM %b ORDER BY 1" % table)
        assert found == [(f"{table.decode()}_{year}",) for year in (2017, 2018, 2019)]


@pytest.mark.parametrize("table", [b"event", b"event_2017", b"event_default"])
@pytest.mark.parametrize("change", [b"UPDATE %b SET type = 'x'", b"DELETE FROM %b", b"TRUNCATE %b"])
async def test_events_cannot_be_changed(signals: SignalStore, pool: Pool, table: bytes, change: bytes) -> None:
    await add(signals, signal())
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        await rows(pool, change % table)
    assert await rows(pool, b"SELECT count(*) FROM event WHERE type = 'signal.emitted.v1'") == [(1,)]


async def test_latest_is_the_newest_bar_of_each_symbol(signals: SignalStore) -> None:
    await add(signals, signal("MSFT", day=1), signal("AAPL", day=1), signal("AAPL", day=2), signal("OLD", day=-300))
    assert [(found.signal.symbol, found.signal.as_of.day) for found in await signals.latest()] == [
        ("AAPL", 30),
        ("MSFT", 29),
        ("OLD", 3),
    ]
    assert (await signals.newest("AAPL")) == (await signals.latest())[0]
    assert await signals.newest("NONE") is None
    assert await signals.latest(frame="5m") == []
    assert [found.signal.symbol for found in await signals.latest(limit=2)] == ["AAPL", "MSFT"]


async def test_latest_of_a_universe_ignores_the_others(signals: SignalStore) -> None:
    await add(signals, signal("AAPL", day=1, universe="tech"), signal("AAPL", day=2), signal("XOM", day=2))
    assert [found.signal.signal_id for found in await signals.latest(universe="tech")] == ["tech/AAPL/1"]


async def test_an_incomplete_revision_does_not_hide_a_complete_one(signals: SignalStore) -> None:
    complete, partial = signal(inputs="a"), signal(inputs="b", missing=("news",))
    await add(signals, complete)
    await add(signals, partial)
    assert await signals.latest() == [Revision(complete, 1)]
    assert await signals.history("AAPL") == [Revision(complete, 1)]
    assert await signals.get(complete.signal_id) == Revision(complete, 1)


async def test_an_incomplete_signal_is_current_while_there_is_no_other(signals: SignalStore) -> None:
    partial, complete = signal(inputs="a", missing=("news",)), signal(inputs="b")
    await add(signals, partial)
    assert await signals.latest() == [Revision(partial, 1)]
    await add(signals, complete)
    assert await signals.latest() == [Revision(complete, 2)]


async def test_history_goes_back_page_by_page(signals: SignalStore) -> None:
    await add(signals, *(signal(day=day) for day in range(7)), signal("MSFT"))
    first = await signals.history("AAPL", limit=4)
    rest = await signals.history("AAPL", limit=4, before=first[-1].signal.as_of)
    assert [found.signal.signal_id for found in first + rest] == [f"sp500/AAPL/{day}" for day in reversed(range(7))]


async def test_read_models_rebuilt_from_events_are_equal_row_by_row(signals: SignalStore, pool: Pool) -> None:
    await add(signals, *(signal(f"S{number}", day=number * 40) for number in range(30)))
    await add(signals, *(signal(f"S{number}", day=number * 40, inputs="b", score=-0.7) for number in range(0, 30, 3)))
    before = await read_models(pool)
    assert [len(table) for table in before] == [40, 120]
    async with transaction(pool, 10) as connection:
        await connection.execute("DELETE FROM vote")
        await connection.execute("UPDATE signal SET score = 0, revision = revision + 7")
    assert await read_models(pool) != before
    assert await signals.rebuild() == 40
    assert await read_models(pool) == before


async def test_lost_read_models_are_reported_instead_of_numbered_anew(signals: SignalStore, pool: Pool) -> None:
    await add(signals, signal())
    async with transaction(pool, 10) as connection:
        await connection.execute("TRUNCATE signal, vote")
    with pytest.raises(GoldenSignalsError, match="rebuild"):
        await add(signals, signal())
    await signals.rebuild()
    assert (await add(signals, signal()))[0] == Stored(signal().signal_id, 1, False)


async def test_nothing_is_stored_when_one_signal_of_a_batch_is_refused(signals: SignalStore, pool: Pool) -> None:
    twice = ("trend", "trend")  # two votes of one agent
    with pytest.raises(GoldenSignalsError):
        await add(signals, signal("AAPL"), signal("MSFT", agents=twice))
    assert await signals.count() == 0
    assert await rows(pool, b"SELECT count(*) FROM event") == [(0,)]


async def test_no_signals_need_no_server(signals: SignalStore, pool: Pool) -> None:
    await pool.close()
    assert await add(signals) == []


def test_revisions_follow_the_highest_known_one() -> None:
    batch = [signal(inputs="c"), signal(inputs="a"), signal(inputs="d"), signal(inputs="c")]
    known = [(batch[0].signal_id, "input-a", 1), (batch[0].signal_id, "input-b", 4)]
    answers, fresh = assign_revisions(batch, known)
    assert [(answer.revision, answer.new) for answer in answers] == [(5, True), (1, False), (6, True), (5, False)]
    assert fresh == [(batch[0], 5), (batch[2], 6)]
