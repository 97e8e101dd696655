"""Live decisions: asks every agent about the newest bars, fuses what came in time, stores it, names what is missing.

`Orchestrator` is plain Python; `OrchestratorDeployment` only hosts it on Ray Serve.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from ray import serve

from agents.agent import Agent, VoteBlock
from agents.consensus import ConsensusParams, decide
from agents.registry import roster
from cluster.scan import Found, Stores
from cluster.voters import Missing, Voters
from data.clock import Clock, SystemClock
from data.contracts.errors import InvalidInput, TemporarilyUnavailable
from data.contracts.panel import Panel
from data.market.source import Bars, choose_universe, open_bars
from data.settings import Settings
from serve_app.bootstrap import configure_logging, open_pools, open_stores
from serve_app.services import postgres_url

log = structlog.get_logger(__name__)


def quiet_serve() -> None:
    """Keep Serve's notes in its log files. Its import sets the level, so this comes after it."""
    logging.getLogger("ray.serve").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Market:
    """The bars live decisions are made on."""

    panel: Panel
    universe: str  # its id


class Orchestrator:
    """Decides for some or all symbols of one market, at its newest session."""

    def __init__(
        self,
        market: Market,
        agents: Sequence[Agent[Any]],
        voters: Voters,
        stores: Stores,
        clock: Clock,
        consensus: ConsensusParams,
    ) -> None:
        self._market, self._agents, self._voters = market, agents, voters
        self._stores, self._clock, self._consensus = stores, clock, consensus

    async def decide(self, symbols: Sequence[str], *, correlation_id: str) -> list[Found]:
        """Signals of these symbols, stored; an agent that is late, dead or failing is named in `missing`.

        The same bits as in a scan of the whole universe. Raises InvalidInput for a symbol that is not in the market,
        or that has no bar in the newest session.
        """
        whole = self._market.panel
        if not symbols:
            raise InvalidInput("no symbol was asked for; name at least one")
        wanted = whole.select(symbols)
        needs_all = any(agent.scope == "universe" for agent in self._agents)
        panel = whole if needs_all else wanted
        answers = await self._voters.live_votes(panel, self._agents)
        decision = decide(
            panel,
            [answer for answer in answers if isinstance(answer, VoteBlock)],
            rows=panel.last_rows,
            session=int(whole.sessions[-1]),
            asked=self._agents,
            missing=[answer.agent for answer in answers if isinstance(answer, Missing)],
            universe=self._market.universe,
            params=self._consensus,
        )
        missing = [answer for answer in answers if isinstance(answer, Missing)]
        for absent in missing:
            log.warning("agent_missing", agent=absent.agent, why=absent.why, correlation_id=correlation_id)
        if len(missing) == len(self._agents):
            raise TemporarilyUnavailable("no agent answered: " + "; ".join(f"{m.agent} {m.why}" for m in missing))
        signals = [signal for signal in decision.signals if signal.symbol in wanted.symbols]
        if not signals:
            reasons = "; ".join(f"{symbol}: {decision.skipped[symbol]}" for symbol in wanted.symbols)
            raise InvalidInput(f"there is no signal: {reasons}")
        stored = await self._stores.signals.add_all(
            signals, clock_now=self._clock.now(), correlation_id=correlation_id, fence=None
        )
        return [Found(signal, row.revision, row.new) for signal, row in zip(signals, stored, strict=True)]

    async def check(self) -> None:
        """Raise TemporarilyUnavailable when PostgreSQL does not answer."""
        await self._stores.signals.ping()


def market_of(bars: Bars) -> Market:
    """The default universe of a set of bars, with the context known at its newest bar."""
    universe = choose_universe(bars, None)
    panel = bars.panel.select(universe.symbols)
    return Market(panel.until(int(panel.ts.max())), universe.id)


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
    """Hosts an Orchestrator; methods only forward to it."""

    async def __init__(self, source: str, settings: Settings) -> None:  # type: ignore[misc]  # Serve awaits its constructors
        configure_logging()
        bars = open_bars(source)
        agents = roster()
        self._stores = open_stores(settings, postgres_url(settings))
        self._orchestrator = Orchestrator(
            market_of(bars),
            agents,
            await open_pools(agents, settings, keep=True),
            await self._stores.__aenter__(),
            SystemClock(),
            ConsensusParams(),
        )

    async def decide(self, symbols: Sequence[str], correlation_id: str) -> list[Found]:
        """See `Orchestrator.decide`."""
        return await self._orchestrator.decide(symbols, correlation_id=correlation_id)

    async def check(self) -> None:
        """See `Orchestrator.check`."""
        await self._orchestrator.check()
