"""What Ray Serve hosts: the API (two replicas), the orchestrator with its explorer, and the worker of jobs.

Each class only holds and forwards; what it forwards to is plain Python.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

from ray import serve
from ray.serve.config import BackpressureConfig

from agents.consensus import ConsensusParams
from agents.registry import roster
from cluster.scan import Found
from data.clock import SystemClock
from data.contracts.errors import GoldenSignalsError, NotFound
from data.market.source import open_bars
from data.settings import Settings
from data.store.stores import open_stores
from serve_app.api.app import build_app
from serve_app.api.compute import Planned
from serve_app.api.dashboard import built_dashboard
from serve_app.api.models import AgentView, ConsensusSeries, IndicatorSeries, IndicatorView, ReasonsView
from serve_app.api.open import open_services
from serve_app.api.research_models import Asked, StrategyView
from serve_app.asking import OrchestratorCompute
from serve_app.bootstrap import open_pools
from serve_app.explorer import Explorer
from serve_app.logs import configure_logging
from serve_app.orchestrator import Orchestrator, market_of
from serve_app.planner import Planner
from serve_app.urls import postgres_url
from serve_app.worker import JobWorker

APP = "goldensignals"
JOBS_APP = "goldensignals-jobs"
_JOB_NICE = 10  # jobs yield to live signals on a full machine
_BUSY = BackpressureConfig(status_code=503, retry_after_s=1)


@serve.deployment(
    name="api",
    ray_actor_options={"num_cpus": 0.1},
    max_ongoing_requests=128,
    max_queued_requests=512,
    backpressure_config=_BUSY,
    max_surge_percent=100,
    graceful_shutdown_timeout_s=5,
    health_check_period_s=2,
    health_check_timeout_s=10,
)
@serve.ingress()
class Api:
    """The ingress: every route, answered by this replica or by the orchestrator."""

    async def __init__(self, settings: Settings, orchestrator: Any) -> None:  # type: ignore[misc]  # Serve awaits it
        configure_logging()
        self._settings, self._orchestrator = settings, orchestrator

    def __serve_build_asgi_app__(self) -> Any:
        """The application; its lifespan opens the services."""
        compute = OrchestratorCompute(self._orchestrator)
        return build_app(
            self._settings,
            lambda: open_services(self._settings, compute),
            reading_only=False,
            dashboard=built_dashboard(),
        )


@serve.deployment(
    name="orchestrator",
    ray_actor_options={"num_cpus": 0.1},
    max_ongoing_requests=64,
    max_queued_requests=256,
    graceful_shutdown_timeout_s=5,
    health_check_period_s=5,
    health_check_timeout_s=10,
)
class OrchestratorDeployment:
    """Hosts an Orchestrator, an Explorer and a Planner of the same market."""

    async def __init__(self, source: str, settings: Settings) -> None:  # type: ignore[misc]  # Serve awaits it
        configure_logging()
        agents = roster()
        bars = await asyncio.to_thread(open_bars, source)
        market = market_of(bars)
        self._resources = AsyncExitStack()
        self._stores = await self._resources.enter_async_context(open_stores(settings.postgres, postgres_url(settings)))
        self._pools = await open_pools(agents, settings, keep=True)
        self._orchestrator = Orchestrator(market, agents, self._pools, self._stores, SystemClock(), ConsensusParams())
        self._explorer = Explorer(market.panel, agents, ConsensusParams())
        self._planner = Planner(settings, source, bars)

    async def decide(self, symbols: Sequence[str], correlation_id: str) -> list[Found]:
        """Decide at the feed's clock; see `Orchestrator.decide`."""
        return await self._orchestrator.decide(symbols, correlation_id=correlation_id, at=await self._now())

    async def check(self) -> None:
        """See `Orchestrator.check`."""
        await self._orchestrator.check()

    async def agents(self) -> list[AgentView]:
        """See `Explorer.agents`."""
        return self._explorer.agents()

    async def indicators(self) -> list[IndicatorView]:
        """See `Explorer.indicators`."""
        return await asyncio.to_thread(self._explorer.indicators)

    async def indicator(
        self,
        name: str,
        symbol: str,
        params: Mapping[str, float | str],
        other: str | None,
        start: datetime | None,
        as_of: datetime | None,
    ) -> IndicatorSeries:
        """See `Explorer.indicator`; at most up to the feed's clock."""
        moment = await self._known(as_of)
        return await asyncio.to_thread(
            self._explorer.indicator, name, symbol, params, other=other, start=start, as_of=moment
        )

    async def series(self, symbol: str, start: datetime | None, as_of: datetime | None) -> ConsensusSeries:
        """See `Explorer.series`; at most up to the feed's clock."""
        moment = await self._known(as_of)
        return await asyncio.to_thread(self._explorer.series, symbol, start=start, as_of=moment)

    async def reasons(self, symbol: str, as_of: datetime | None) -> ReasonsView:
        """See `Explorer.reasons`; at most up to the feed's clock."""
        moment = await self._known(as_of)
        return await asyncio.to_thread(self._explorer.reasons, symbol, as_of=moment)

    async def restart(self, agent: str) -> int:
        """Restart every actor of an agent; how many."""
        pool = self._pools.pools.get(agent)
        if pool is None:
            raise NotFound(f"there is no agent {agent!r}; there are {', '.join(self._pools.pools)}")
        return pool.restart_all()

    async def strategies(self) -> list[StrategyView]:
        """See `Planner.strategies`."""
        return await asyncio.to_thread(self._planner.strategies)

    async def plan(self, wanted: Asked) -> Planned:
        """See `Planner.plan`; the feed's bars end at its clock."""
        return await asyncio.to_thread(self._planner.plan, wanted, await self._now())

    async def _known(self, as_of: datetime | None) -> datetime | None:
        """The moment asked for, but never one the market has not reached."""
        now = await self._now()
        return now if as_of is None or (now is not None and as_of > now) else as_of

    async def _now(self) -> datetime | None:
        feed = await self._stores.feed.get()
        return feed.clock if feed is not None else None


@serve.deployment(
    name="jobs",
    ray_actor_options={"num_cpus": 0.1},
    graceful_shutdown_timeout_s=5,
    health_check_period_s=5,
    health_check_timeout_s=30,
)
class JobsDeployment:
    """Hosts the worker that runs queued scans and research, one after the other."""

    async def __init__(self, settings: Settings) -> None:  # type: ignore[misc]  # Serve awaits it
        configure_logging()
        os.nice(_JOB_NICE)
        self._resources = AsyncExitStack()
        stores = await self._resources.enter_async_context(open_stores(settings.postgres, postgres_url(settings)))
        self._running = asyncio.create_task(JobWorker(settings, stores, SystemClock()).run())

    async def check_health(self) -> None:
        """Raise when the worker has ended: Serve then replaces this replica."""
        if self._running.done():
            raise GoldenSignalsError(f"the worker of jobs ended: {self._running.exception()!r}")


def application(source: str, settings: Settings) -> serve.Application:
    """The API with its orchestrator."""
    orchestrator: Any = OrchestratorDeployment  # the decorator's result has no types
    api: Any = Api
    app: serve.Application = api.options(num_replicas=settings.api.replicas).bind(
        settings, orchestrator.bind(source, settings)
    )
    return app


def jobs_application(settings: Settings) -> serve.Application:
    """The worker of jobs, which no route reaches."""
    jobs: Any = JobsDeployment
    app: serve.Application = jobs.bind(settings)
    return app
