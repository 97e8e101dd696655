"""Numbers are given by one process at a time, and to every event."""

import asyncio
from datetime import timedelta

import psycopg
import pytest

from data.contracts.errors import TemporarilyUnavailable
from data.store.events import EventLog
from data.store.pool import Pool
from data.store.stream import _RENEW, Overtaken, Sequencer
from tests.integration.stream.events import FIRST, GUARD_S, event


@pytest.fixture
def sequencer(pool: Pool, store_url: str) -> Sequencer:
    return Sequencer(pool, store_url)


async def test_events_that_bring_a_new_partition_are_numbered_and_read_too(sequencer: Sequencer, log: EventLog) -> None:
    """A statement planned before the partition was there, and run after, sees the outbox but not the event.

    Such an event was taken out of the outbox and lost.
    """
    years = range(40)
    told = asyncio.Event()

    async def tell() -> None:
        for year in years:
            at = FIRST.replace(year=2030 + year)
            await log.tell(event(0).model_copy(update={"as_of": at, "event_id": event(year).event_id}))
        told.set()

    async with asyncio.timeout(GUARD_S), sequencer.lead(60) as term, asyncio.TaskGroup() as tasks:
        assert term is not None
        tasks.create_task(tell())
        numbered = 0
        while not told.is_set() or numbered < len(years):
            numbered += await term.sequence(1000)
            assert len(await log.after(0, limit=1000)) == numbered
    assert {row.as_of.year for row in await log.after(0, limit=1000)} == {2030 + year for year in years}


async def test_a_process_that_leads_is_not_overtaken(sequencer: Sequencer) -> None:
    async with sequencer.lead(60) as first, sequencer.lead(60) as second:
        assert first is not None
        assert second is None


async def test_a_leader_that_ended_is_followed_before_its_lease_is_over(sequencer: Sequencer) -> None:
    async with sequencer.lead(3600) as first:
        assert first is not None
    async with asyncio.timeout(GUARD_S):
        while True:  # PostgreSQL hears within milliseconds that a connection has ended
            async with sequencer.lead(3600) as second:
                if second is not None:
                    break
    assert second.epoch == first.epoch + 1


async def test_an_overtaken_leader_numbers_nothing(sequencer: Sequencer, log: EventLog) -> None:
    async with sequencer.lead(1e-6) as frozen, sequencer.lead(60) as leader:
        assert frozen is not None
        assert leader is not None
        await log.tell(event(1))
        with pytest.raises(Overtaken, match="another relay leads"):
            await frozen.sequence(10)
        assert await log.top() == 0
        assert [await leader.sequence(10) for _ in range(2)] == [1, 0]


async def test_numbering_keeps_the_lease(sequencer: Sequencer) -> None:
    async with sequencer.lead(1e-6) as leader:
        assert leader is not None
        await sequencer.sequence(leader.epoch, 10, lease_s=60)
        async with sequencer.lead(60) as second:
            assert second is None


async def test_a_wait_ends_when_an_event_is_stored(sequencer: Sequencer, log: EventLog) -> None:
    async with asyncio.timeout(GUARD_S), sequencer.lead(60) as term:
        assert term is not None
        waiting = asyncio.create_task(term.wait(GUARD_S * 10))
        await log.tell(event(1))
        await waiting
        await log.tell(event(2))
        await term.sequence(10)
        await term.wait(GUARD_S * 10)  # told while nobody waited


async def test_a_lost_connection_ends_the_term(sequencer: Sequencer, postgres_url: str) -> None:
    async with sequencer.lead(3600) as term:
        assert term is not None
        waiting = asyncio.create_task(term.wait(GUARD_S))
        async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as other:
            await other.execute("SELECT pg_terminate_backend(%s, 5000)", (term._line.info.backend_pid,))
        with pytest.raises(TemporarilyUnavailable, match="PostgreSQL"):
            await waiting


async def test_events_stored_before_the_relay_existed_are_numbered_by_position(
    sequencer: Sequencer, log: EventLog
) -> None:
    for number in range(5):
        await log.tell(event(number))
    async with sequencer.lead(60) as term:
        assert term is not None
        assert [await term.sequence(3) for _ in range(3)] == [3, 2, 0]
    assert [(row.seq, row.occurred_at) for row in await log.after(0, limit=10)] == [
        (number + 1, FIRST + timedelta(milliseconds=number)) for number in range(5)
    ]


async def test_a_leader_that_freezes_amid_numbering_does_not_keep_the_next_one_out(
    sequencer: Sequencer, log: EventLog, store_url: str
) -> None:
    """It holds the row of the lease, and so would wait for ever who wants to take over."""
    async with sequencer.lead(0.2) as first, asyncio.timeout(GUARD_S):
        assert first is not None
        frozen = await psycopg.AsyncConnection.connect(store_url)
        try:
            await frozen.execute(_RENEW, (0.2, first.epoch, "300"))  # and says nothing more
            async with sequencer.lead(60) as second:
                assert second is not None
                await log.tell(event(1))
                assert await second.sequence(10) == 1
            with pytest.raises(Overtaken):
                await first.sequence(10)
            with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
                await frozen.execute("SELECT 1")
        finally:
            await frozen.close()
