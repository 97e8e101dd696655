"""The live signal of one symbol: asked of the running orchestrator, or decided by the same logic in this process."""

from __future__ import annotations

import asyncio
import uuid

from agents.consensus import ConsensusParams
from agents.registry import roster
from cluster.scan import Found
from cluster.voters import LocalVoters
from data.clock import SystemClock
from data.contracts.errors import InvalidInput, TemporarilyUnavailable
from data.market.source import SAMPLE, open_bars
from data.market.universe import resolve
from data.settings import Settings
from data.store.stores import open_stores
from serve_app.logs import quiet_serve
from serve_app.orchestrator import Market, Orchestrator, market_of
from serve_app.services import open_services, settled
from serve_app.stack import Say

_ASK_S = 30.0


def decide_one(settings: Settings, symbol: str, *, explain: bool, say: Say) -> tuple[Found, dict[str, str]]:
    """The newest signal of a symbol and, if asked, why each agent voted as it did.

    Raises InvalidInput for an unknown symbol, TemporarilyUnavailable when the running system does not answer.
    """
    running = settled(settings, say)
    market = market_of(open_bars(running.source if running else SAMPLE))
    if resolve(symbol, market.panel.symbols).symbols != (symbol,):  # refused here, with the closest name, if unknown
        raise InvalidInput(f"{symbol!r} is not one symbol; `goldensignals scan --universe A,B` asks about several")
    with open_services(settings, ray=running is not None, say=say) as services:
        if services.running is not None:
            found = _ask(symbol)
        else:
            found = asyncio.run(_decide_here(settings, services.postgres_url, market, symbol))
    if not explain:
        return found, {}
    agents = {agent.name: agent for agent in roster()}
    s = found.signal
    return found, {v.agent: agents[v.agent].explain(market.panel, s.symbol, s.as_of).text for v in s.votes}


def _ask(symbol: str) -> Found:
    from ray import serve
    from ray.exceptions import RayTaskError
    from ray.serve.exceptions import RayServeException

    quiet_serve()
    try:
        handle = serve.get_deployment_handle("orchestrator", app_name="goldensignals")
        answer: list[Found] = handle.decide.remote([symbol], str(uuid.uuid4())).result(timeout_s=_ASK_S)
    except RayTaskError as problem:
        raise problem.cause from None
    except TimeoutError:
        raise TemporarilyUnavailable(
            f"the orchestrator did not answer in {_ASK_S:g} s; see `goldensignals status`"
        ) from None
    except RayServeException as problem:
        raise TemporarilyUnavailable(
            f"the orchestrator cannot be asked ({problem}); see `goldensignals status`"
        ) from problem
    return answer[0]


async def _decide_here(settings: Settings, postgres_url: str, market: Market, symbol: str) -> Found:
    async with open_stores(settings.postgres, postgres_url) as stores:
        orchestrator = Orchestrator(market, roster(), LocalVoters(), stores, SystemClock(), ConsensusParams())
        return (await orchestrator.decide([symbol], correlation_id=str(uuid.uuid4())))[0]
