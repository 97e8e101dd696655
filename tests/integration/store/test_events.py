"""Events are told once, and read in the global order."""

from collections.abc import AsyncIterator
from uuid import NAMESPACE_URL, uuid5

import psycopg
import pytest
import pytest_asyncio

from data.contracts.errors import InvalidInput
from data.contracts.events import AgentChanged, SessionDecided, read_event
from data.store.events import EventLog
from data.store.migrate import migrate, migrations
from data.store.pool import Pool, open_pool
from data.store.signals import SignalStore
from data.store.stream import Sequencer, Term
from tests.integration.store.samples import NOW, signal

EVENT = AgentChanged.of("trend", state="down", actors=2, alive=0, at=NOW)


@pytest.fixture
def log(pool: Pool) -> EventLog:
    return EventLog(pool)


@pytest_asyncio.fixture
async def term(pool: Pool, store_url: str) -> AsyncIterator[Term]:
    async with Sequencer(pool, store_url).lead(3600) as leading:
        assert leading is not None
        yield leading


async def test_an_event_told_twice_is_stored_and_numbered_once(log: EventLog, term: Term) -> None:
    await log.tell(EVENT)
    await log.tell(EVENT)
    assert await term.sequence(10) == 1
    await log.tell(EVENT)
    assert await term.sequence(10) == 0
    (stored,) = await log.after(0, limit=10)
    assert stored.seq == 1
    assert read_event(stored.body) == EVENT
    assert (stored.routing_key, stored.type, stored.as_of) == ("agents.trend.state", "agent.changed.v1", NOW)
    assert (stored.occurred_at, stored.correlation_id) == (NOW, "supervisor")


async def test_an_event_that_has_no_number_yet_is_not_read(log: EventLog, term: Term) -> None:
    assert (await log.top(), await log.after(0, limit=10)) == (0, [])
    await log.tell(EVENT)
    assert (await log.top(), await log.after(0, limit=10)) == (0, [])
    await term.sequence(10)
    assert await log.top() == 1


async def test_signals_are_numbered_in_the_order_they_were_stored_in(
    log: EventLog, signals: SignalStore, term: Term
) -> None:
    symbols = ["MSFT", "AAPL", "BRK.B"]
    for day in range(2):
        await signals.add_all([signal(name, day=day) for name in symbols], clock_now=NOW, correlation_id="t")
    await term.sequence(10)
    keys = [row.routing_key.removeprefix("signals.consensus.") for row in await log.after(0, limit=10)]
    assert keys == symbols * 2


async def test_pages_by_pattern_follow_the_order_and_skip_the_rest(
    log: EventLog, signals: SignalStore, term: Term
) -> None:
    await signals.add_all([signal(f"S{n}") for n in range(3)], clock_now=NOW, correlation_id="t")
    await log.tell(EVENT)
    await signals.add_all([signal("BRK.B"), signal("S3")], clock_now=NOW, correlation_id="t")
    await term.sequence(10)

    async def seqs(pattern: str | None, after: int = 0, limit: int = 10) -> list[int]:
        return [row.seq for row in await log.after(after, limit=limit, pattern=pattern)]

    assert await seqs(None, after=4) == [5, 6]
    assert await seqs("signals.#", limit=4) == [1, 2, 3, 5]
    assert await seqs("signals.#", after=5) == [6]
    assert await seqs("signals.*.*") == [1, 2, 3, 6]
    assert await seqs("signals.consensus.BRK.B") == [5]
    assert await seqs("agents.trend.*") == [4]
    assert await seqs("#", after=6) == []


@pytest.mark.parametrize("pattern", ["", "a..b", "; DROP TABLE event; --."])
async def test_a_pattern_that_is_none_is_refused(log: EventLog, pattern: str) -> None:
    with pytest.raises(InvalidInput, match="a pattern is words"):
        await log.after(0, limit=10, pattern=pattern)


@pytest.mark.parametrize("pattern", ["(", "a|b", ".*"[1:] + "x", "[a-z]+", "\\", "%", "' OR true --", "é", "a b"])
async def test_words_of_a_pattern_mean_themselves(log: EventLog, term: Term, pattern: str) -> None:
    told = EVENT.model_copy(update={"routing_key": f"agents.{pattern}"})
    await log.tell(EVENT)
    await log.tell(told.model_copy(update={"event_id": uuid5(NAMESPACE_URL, pattern)}))
    await term.sequence(10)
    found = [row.seq for row in await log.after(0, limit=10, pattern=f"agents.{pattern}")]
    assert found == [2]


async def test_numbers_cannot_be_changed(log: EventLog, term: Term, store_url: str) -> None:
    await log.tell(EVENT)
    await term.sequence(10)
    async with await psycopg.AsyncConnection.connect(store_url, autocommit=True) as connection:
        for change in ("UPDATE stream SET seq = 2", "DELETE FROM stream", "TRUNCATE stream"):
            with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
                await connection.execute(change.encode())


async def test_events_stored_before_there_was_a_relay_get_their_numbers(schema_url: str) -> None:
    migrate(schema_url, migrations()[:1])
    async with await psycopg.AsyncConnection.connect(schema_url) as connection:
        await connection.execute("SELECT add_partitions(2026)")
        decided = SessionDecided.of(
            NOW,
            source="sample",
            universe="sp500",
            signals=1,
            new=1,
            buy=1,
            hold=0,
            sell=0,
            missing=(),
            occurred_at=NOW,
            correlation_id="t",
        )
        for event in (EVENT, decided):
            await connection.execute(
                "INSERT INTO event (event_id, as_of, occurred_at, type, routing_key, correlation_id, body) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (event.event_id, NOW, NOW, event.type, event.routing_key, "t", event.model_dump_json()),
            )
    migrate(schema_url)
    pool = await open_pool(schema_url, size=2, connect_s=10)
    async with Sequencer(pool, schema_url).lead(60) as term:
        assert term is not None
        assert await term.sequence(10) == 2
    assert [row.type for row in await EventLog(pool).after(0, limit=10)] == [EVENT.type, decided.type]
    await pool.close()
