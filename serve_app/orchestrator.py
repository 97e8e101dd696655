"""Live decisions: asks every agent about the newest bars, fuses what came in time, stores it, names what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from agents.agent import Agent, VoteBlock
from agents.consensus import ConsensusParams, decide
from cluster.scan import Found
from cluster.voters import Missing, Voters
from data.clock import Clock
from data.contracts.errors import InvalidInput, TemporarilyUnavailable
from data.contracts.panel import Panel
from data.market.source import Bars, choose_universe
from data.store.stores import Stores

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Market:
    """The bars live decisions are made on."""

    panel: Panel
    universe: str  # its id
    source: str
    quarantined: int  # rows

    def at(self, moment: datetime) -> Market:
        """The market as it was known at that moment."""
        return replace(self, panel=self.panel.until(moment))


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

    async def decide(self, symbols: Sequence[str], *, correlation_id: str, at: datetime | None = None) -> list[Found]:
        """Signals of these symbols, stored; an agent that is late, dead or failing is named in `missing`.

        The same bits as in a scan of the whole universe. at: the market as it was known then; None: all its bars.
        Raises InvalidInput for a symbol that is not in the market, or that has no bar in the newest session.
        """
        whole = self._market.panel if at is None else self._market.at(at).panel
        if not symbols:
            raise InvalidInput("no symbol was asked for; name at least one")
        wanted = whole.select(symbols)
        found, skipped = await self._decide(whole, wanted, correlation_id)
        if not found:
            reasons = "; ".join(f"{symbol}: {skipped[symbol]}" for symbol in wanted.symbols)
            raise InvalidInput(f"there is no signal: {reasons}")
        return found

    async def decide_session(self, session: datetime, *, correlation_id: str) -> list[Found]:
        """Signals of every symbol of the market at one session, stored; none is an answer too, early in a history."""
        whole = self._market.at(session).panel
        found, _ = await self._decide(whole, whole, correlation_id)
        return found

    async def _decide(self, whole: Panel, wanted: Panel, correlation_id: str) -> tuple[list[Found], dict[str, str]]:
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
        stored = await self._stores.signals.add_all(
            signals, clock_now=self._clock.now(), correlation_id=correlation_id, fence=None
        )
        found = [Found(signal, row.revision, row.new) for signal, row in zip(signals, stored, strict=True)]
        return found, decision.skipped

    async def check(self) -> None:
        """Raise TemporarilyUnavailable when PostgreSQL does not answer."""
        await self._stores.signals.ping()


def market_of(bars: Bars) -> Market:
    """The default universe of a set of bars, with the context known at its newest bar."""
    universe = choose_universe(bars, None)
    panel = bars.panel.select(universe.symbols)
    newest = int(panel.ts.max())
    quarantined = bars.quarantined.of(panel.symbols, newest).summary()["total"]
    assert isinstance(quarantined, int)
    return Market(panel.until(newest), universe.id, bars.source, quarantined)
