"""Every repository of one installation, over one pool of connections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from data.settings import PostgresSettings
from data.store.accounts import AccountStore
from data.store.agents import AgentStateStore
from data.store.bars import BarSetStore
from data.store.chunks import ChunkStore
from data.store.events import EventLog
from data.store.feed import FeedStore
from data.store.jobs import JobStore
from data.store.pool import open_pool
from data.store.runs import RunStore
from data.store.signals import SignalStore
from data.store.trials import TrialStore
from data.store.uploads import UploadStore


@dataclass(frozen=True)
class Stores:
    """The repositories."""

    signals: SignalStore
    bars: BarSetStore
    jobs: JobStore
    events: EventLog
    feed: FeedStore
    agents: AgentStateStore
    uploads: UploadStore
    accounts: AccountStore
    chunks: ChunkStore
    runs: RunStore
    trials: TrialStore


@asynccontextmanager
async def open_stores(settings: PostgresSettings, url: str, *, wait: bool = True) -> AsyncIterator[Stores]:
    """Repositories over one connection pool, closed at the end.

    wait: True raises TemporarilyUnavailable when PostgreSQL is not to be had now; False leaves that to each call.
    """
    pool = await open_pool(url, size=settings.pool_size, connect_s=settings.connect_s, wait=wait)
    limits = {"write_s": settings.write_s, "read_s": settings.read_s}
    jobs = JobStore(pool, url, **limits, connect_s=settings.connect_s)
    try:
        yield Stores(
            signals=SignalStore(pool, **limits),
            bars=BarSetStore(pool, **limits),
            jobs=jobs,
            events=EventLog(pool, **limits),
            feed=FeedStore(pool, **limits),
            agents=AgentStateStore(pool, **limits),
            uploads=UploadStore(pool, **limits),
            accounts=AccountStore(pool, **limits),
            chunks=ChunkStore(pool, **limits),
            runs=RunStore(pool, **limits),
            trials=TrialStore(pool, **limits),
        )
    finally:
        await jobs.close()
        await pool.close()
