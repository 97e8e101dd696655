"""A whole API process without a network, on real servers: real bars, real agents in this process, a feed."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from agents.consensus import ConsensusParams
from agents.registry import roster
from cluster.scan import scan
from cluster.voters import LocalVoters
from data.clock import ManualClock
from data.contracts.panel import from_micros
from data.market.source import Bars
from data.store.feed import Feed
from data.store.jobs import Job
from data.store.pool import Pool
from data.store.signals import Revision
from data.store.stores import Stores
from data.store.stream import Sequencer
from serve_app.api import views
from serve_app.api.compute import Planned
from serve_app.api.models import AgentView, ConsensusSeries, IndicatorSeries, IndicatorView, ReasonsView, SignalView
from serve_app.api.research_models import Asked, StrategyView
from serve_app.api.services import Services
from serve_app.auth.access import Permission
from serve_app.explorer import Explorer
from serve_app.orchestrator import Orchestrator, market_of
from serve_app.planner import Planner
from serve_app.scans import ScanRequest, plan_scan

API = "http://gs.test:8000"
NOW = datetime(2026, 1, 5, 21, 0, tzinfo=UTC)
ANONYMOUS = "anonymous"


class Local:
    """Compute in this process: the logic that the cluster hosts, without the cluster."""

    available = True

    def __init__(self, bars: Bars, stores: Stores, clock: ManualClock, planner: Planner) -> None:
        market = market_of(bars)
        self._orchestrator = Orchestrator(market, roster(), LocalVoters(), stores, clock, ConsensusParams())
        self._explorer = Explorer(market.panel, roster(), ConsensusParams())
        self._feed, self._planner = stores.feed, planner

    async def check(self) -> None:
        """It is there."""

    async def indicators(self) -> list[IndicatorView]:
        return self._explorer.indicators()

    async def indicator(
        self,
        name: str,
        symbol: str,
        params: Mapping[str, float | str],
        *,
        other: str | None,
        start: datetime | None,
        as_of: datetime | None,
    ) -> IndicatorSeries:
        return await asyncio.to_thread(
            self._explorer.indicator, name, symbol, params, other=other, start=start, as_of=as_of
        )

    async def series(self, symbol: str, *, start: datetime | None, as_of: datetime | None) -> ConsensusSeries:
        return await asyncio.to_thread(self._explorer.series, symbol, start=start, as_of=as_of)

    async def reasons(self, symbol: str, *, as_of: datetime | None) -> ReasonsView:
        return await asyncio.to_thread(self._explorer.reasons, symbol, as_of=as_of)

    async def decide(self, symbols: Sequence[str], *, correlation_id: str) -> list[SignalView]:
        feed = await self._feed.get()
        found = await self.decide_at(symbols, None if feed is None else feed.clock, correlation_id=correlation_id)
        return [views.signal(one) for one in found]

    async def decide_at(self, symbols: Sequence[str], at: datetime | None, *, correlation_id: str) -> list[Revision]:
        found = await self._orchestrator.decide(symbols, correlation_id=correlation_id, at=at)
        return [Revision(one.signal, one.revision) for one in found]

    async def agents(self) -> list[AgentView]:
        return self._explorer.agents()

    async def restart(self, agent: str) -> int:
        return 1  # this process, which need not be started again

    async def strategies(self) -> list[StrategyView]:
        return self._planner.strategies()

    async def plan(self, wanted: Asked) -> Planned:
        feed = await self._feed.get()
        return await asyncio.to_thread(self._planner.plan, wanted, None if feed is None else feed.clock)


@dataclass
class Site:
    """An API process with a user of each role (named after it) and a key of each scope, and the stores behind it."""

    app: FastAPI
    services: Services
    stores: Stores
    pool: Pool
    url: str
    bars: Bars
    compute: Local
    clock: ManualClock
    proofs: dict[str, str] = field(repr=False)  # caller, such as "trader" or "key read" -> what it sends as bearer

    @property
    def sessions(self) -> list[datetime]:
        return [from_micros(int(ts)) for ts in self.bars.panel.sessions]

    @asynccontextmanager
    async def client(self, caller: str = "viewer") -> AsyncIterator[AsyncClient]:
        """A program that is this caller."""
        headers = {} if caller == ANONYMOUS else {"Authorization": f"Bearer {self.proofs[caller]}"}
        transport = ASGITransport(self.app, client=("203.0.113.9", 40000), raise_app_exceptions=False)
        async with AsyncClient(transport=transport, base_url=API, headers=headers) as client:
            yield client

    async def get(self, path: str, caller: str = "viewer", **params: Any) -> Response:
        async with self.client(caller) as client:
            return await client.get(path, params=params)

    async def json(self, path: str, caller: str = "viewer", **params: Any) -> Any:
        """The JSON of an answer that must be 200."""
        answer = await self.get(path, caller, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def play(self, *sessions: datetime) -> None:
        """Decide these sessions as the replay would, and let the relay number what was told."""
        for session in sessions:
            symbols = self.bars.panel.until(session).symbols
            await self.compute.decide_at(symbols, session, correlation_id="replay")
            self.clock.set(self.clock.now() + timedelta(seconds=1))
        await self.relay()

    async def relay(self) -> None:
        """Number the stored events."""
        async with Sequencer(self.pool, self.url).lead(5.0) as term:
            assert term is not None
            while await term.sequence(10_000):
                pass

    async def work(self, job: Job) -> Job:
        """Run a queued scan in this process, as the worker on the cluster does."""
        claimed = await self.stores.jobs.claim(["scan"], lease_s=60.0)
        assert claimed is not None
        assert claimed.job_id == job.job_id
        spec = claimed.spec
        planned = plan_scan(self.bars, ScanRequest(spec["universe"], tuple(spec["agents"]), spec["as_of"]))
        await scan(
            planned,
            LocalVoters(),
            self.stores,
            clock=self.clock,
            owner=claimed.owner,
            correlation_id=claimed.job_id,
            progress=lambda done, total: None,
            job=claimed,
        )
        done = await self.stores.jobs.get(job.job_id)
        assert done is not None
        return done


def feed_of(bars: Bars, source: str, clock: datetime) -> Feed:
    """A replay of these bars that stands at this session."""
    market = market_of(bars)
    sessions = market.panel.sessions
    return Feed(
        source=source,
        kind="replay",
        state="paused",
        universe=market.universe,
        frame="1d",
        data_hash=market.panel.content_hash,
        clock=clock,
        first=from_micros(int(sessions[0])),
        last=from_micros(int(sessions[-1])),
        session_s=6.0,
        quarantined=0,
        context={"vix": clock - timedelta(days=1)},
        updated_at=NOW,
    )


def scopes() -> dict[str, Permission]:
    """The keys of a site: caller -> its one scope. All belong to the admin."""
    return {f"key {scope.value}": scope for scope in Permission}
