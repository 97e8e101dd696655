"""Agents: the roster with the state of their actors, and restarts."""

from __future__ import annotations

from fastapi import APIRouter

from data.contracts.errors import NotFound, TemporarilyUnavailable
from serve_app.api import views
from serve_app.api.inputs import Admin, Has, Name, Reader
from serve_app.api.models import AgentView, RestartView

router = APIRouter(prefix="/agents", tags=["agents"])
work = APIRouter(prefix="/agents", tags=["agents"])


@router.get("", response_model=list[AgentView])
async def agents(services: Has, _: Reader) -> list[AgentView]:
    """Every agent by name, as last seen; without a cluster, the ones that were seen (`seen_at` tells when)."""
    seen = {state.name: views.agent(state) for state in await services.agent_states.all()}
    try:
        roster = await services.compute.agents()
    except TemporarilyUnavailable:  # what was seen is still worth reading
        return list(seen.values())
    return [seen.get(agent.name, agent) for agent in roster]


@work.post("/{name}/restart", response_model=RestartView, status_code=202)
async def restart(services: Has, _: Admin, name: Name) -> RestartView:
    """Restart every actor of an agent; live signals name it as missing until it is back."""
    if name not in {agent.name for agent in await services.compute.agents()}:
        raise NotFound(f"there is no agent {name}; see GET /v1/agents for those there are", agent=name)
    return RestartView(agent=name, actors=await services.compute.restart(name))
