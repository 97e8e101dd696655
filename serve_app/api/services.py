"""Everything a route may call, built once per process and handed over in `app.state.services`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.clock import Clock
from data.settings import Settings
from data.store.jobs import JobStore
from data.store.signals import SignalStore
from serve_app.api.compute import Compute

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from data.market.archive import Archive
    from data.results import Results
    from data.store.agents import AgentStateStore
    from data.store.chunks import ChunkStore
    from data.store.events import EventLog
    from data.store.feed import FeedStore
    from data.store.runs import RunStore
    from data.store.uploads import UploadStore
    from serve_app.auth.accounts import Accounts
    from serve_app.auth.tickets import Tickets
    from serve_app.limits import Limiter


@dataclass(frozen=True)
class Services:
    """The services of one API process."""

    settings: Settings
    clock: Clock
    redis: Redis
    accounts: Accounts
    tickets: Tickets
    limiter: Limiter
    signals: SignalStore
    jobs: JobStore
    events: EventLog
    feed: FeedStore
    agent_states: AgentStateStore
    uploads: UploadStore
    archive: Archive
    runs: RunStore
    chunks: ChunkStore
    results: Results
    compute: Compute
