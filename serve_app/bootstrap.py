"""Builds things from settings: logging, repositories, pools. The only module that knows all the pieces."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog

from agents.agent import Agent
from cluster.pools import AgentPool
from cluster.scan import Stores
from cluster.voters import PoolVoters
from data.settings import Settings
from data.store.bars import BarSetStore
from data.store.jobs import JobStore
from data.store.pool import open_pool
from data.store.signals import SignalStore


def configure_logging(level: int = logging.WARNING) -> None:
    """Structured log lines on stderr; stdout belongs to results."""
    logging.getLogger("ray").setLevel(level)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )


@asynccontextmanager
async def open_stores(settings: Settings, postgres_url: str) -> AsyncIterator[Stores]:
    """Repositories over one connection pool, closed at the end."""
    s = settings.postgres
    pool = await open_pool(postgres_url, size=s.pool_size, connect_s=s.connect_s)
    jobs = JobStore(pool, postgres_url, write_s=s.write_s, read_s=s.read_s, connect_s=s.connect_s)
    try:
        yield Stores(
            SignalStore(pool, write_s=s.write_s, read_s=s.read_s),
            BarSetStore(pool, write_s=s.write_s, read_s=s.read_s),
            jobs,
        )
    finally:
        await jobs.close()
        await pool.close()


def start_pools(agents: Sequence[Agent[Any]], settings: Settings, *, keep: bool) -> dict[str, AgentPool]:
    """The pools of these agents, found or just started; see `AgentPool.ensure`."""
    foreign = settings.ray.address is not None
    return {agent.name: AgentPool.ensure(agent, settings.agents, keep=keep, pin_threads=foreign) for agent in agents}


async def open_pools(agents: Sequence[Agent[Any]], settings: Settings, *, keep: bool) -> PoolVoters:
    """Voters on the cluster: pools are started together and awaited."""
    pools = start_pools(agents, settings, keep=keep)
    patience = {"deadline_s": settings.ray.start_s, "hung_after_s": settings.agents.chunk_deadline_s}
    await asyncio.gather(*(pool.ready(**patience) for pool in pools.values()))
    return PoolVoters(pools, settings.agents)
