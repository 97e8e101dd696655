"""Builds what runs on Ray from settings: agent pools."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from agents.agent import Agent
from cluster.pools import AgentPool, Duty
from cluster.voters import PoolVoters
from data.settings import Settings


def start_pools(
    agents: Sequence[Agent[Any]], settings: Settings, *, keep: bool, duty: Duty = "live"
) -> dict[str, AgentPool]:
    """The pools of these agents, found or just started; see `AgentPool.ensure`."""
    foreign = settings.ray.address is not None
    return {
        agent.name: AgentPool.ensure(agent, settings.agents, keep=keep, pin_threads=foreign, duty=duty)
        for agent in agents
    }


async def open_pools(
    agents: Sequence[Agent[Any]], settings: Settings, *, keep: bool, duty: Duty = "live"
) -> PoolVoters:
    """Voters on the cluster: pools are started together and awaited."""
    pools = start_pools(agents, settings, keep=keep, duty=duty)
    patience = {"deadline_s": settings.ray.start_s, "hung_after_s": settings.agents.chunk_deadline_s}
    await asyncio.gather(*(pool.ready(**patience) for pool in pools.values()))
    return PoolVoters(pools, settings.agents)
