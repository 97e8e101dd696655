"""A load of bars is written down once."""

from dataclasses import replace
from datetime import timedelta

from data.store.bars import BarSet, BarSetStore
from data.store.pool import Pool
from tests.integration.store.samples import FIRST_BAR, NOW

BARS = BarSet("hash-a", "sample", "1d", "splits", 505, 619_040, FIRST_BAR, NOW, {"high below low": 3}, NOW)


async def test_the_same_bars_are_recorded_once(pool: Pool) -> None:
    store = BarSetStore(pool)
    assert await store.record(BARS)
    assert not await store.record(replace(BARS, source="elsewhere", loaded_at=NOW + timedelta(days=1)))
    assert await store.listing() == [BARS]


async def test_the_newest_load_is_listed_first(pool: Pool) -> None:
    store = BarSetStore(pool)
    empty = BarSet("hash-b", "file", "5m", "none", 0, 0, None, None, {}, NOW + timedelta(hours=1))
    await store.record(BARS)
    await store.record(empty)
    assert await store.listing() == [empty, BARS]
    assert await store.listing(limit=1) == [empty]
