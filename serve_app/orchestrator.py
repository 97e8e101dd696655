"""Live decisions: asks every agent about the newest bars, fuses what came in time, stores it, names what is missing.

Sessions that come one after the other are followed: only their new bars travel. Symbols asked for in between are
decided on their own bars alone. Either way the bits are those of a scan.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import structlog

from agents.agent import Agent, VoteBlock
from agents.consensus import ConsensusParams, conclude
from agents.newest import Newest
from cluster.course import Course
from cluster.scan import Found
from cluster.voters import Missing, Voters
from data.clock import Clock
from data.contracts.errors import InvalidInput, TemporarilyUnavailable
from data.contracts.panel import Panel, to_micros
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

    def bars_of(self, session: datetime) -> Panel:
        """The bars that close at this very moment, and the context known by then."""
        micros = to_micros(session)
        return self.panel.between(micros - 1, micros)


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
        self._course = Course(market.panel, atr_window=consensus.atr_window)

    async def decide(self, symbols: Sequence[str], *, correlation_id: str, at: datetime | None = None) -> list[Found]:
        """Signals of these symbols, stored; an agent that is late, dead or failing is named in `missing`.

        The same bits as in a scan of the whole universe. at: the market as it was known then; None: all its bars.
        Raises InvalidInput for a symbol that is not in the market, or that has no bar in the newest session.
        """
        if not symbols:
            raise InvalidInput("no symbol was asked for; name at least one")
        panel = self._market.panel
        moment = int(panel.ts.max()) if at is None else to_micros(at)
        wanted = panel.select(symbols).until(moment)
        for symbol in symbols:
            wanted.index(symbol)  # refused by name when it has no bar so far
        sessions = panel.sessions  # of the market: an asked symbol may have missed the newest one
        session = int(sessions[np.searchsorted(sessions, moment, side="right") - 1])
        needs_all = any(agent.scope == "universe" for agent in self._agents)
        seen = panel.until(moment) if needs_all else wanted
        answers = await self._voters.live_votes(seen, self._agents)
        newest = Newest.of(seen, atr_window=self._consensus.atr_window)
        found, skipped = await self._conclude(newest, answers, session, set(wanted.symbols), correlation_id)
        if not found:
            reasons = "; ".join(f"{symbol}: {skipped[symbol]}" for symbol in wanted.symbols)
            raise InvalidInput(f"there is no signal: {reasons}")
        return found

    async def decide_session(self, session: datetime, *, correlation_id: str) -> list[Found]:
        """Signals of every symbol of the market at one session, stored; none is an answer too, early in a history."""
        step = self._course.at(to_micros(session))
        answers = await self._voters.session_votes(step, self._agents)
        newest = step.newest
        found, _ = await self._conclude(newest, answers, int(newest.ts.max()), set(newest.symbols), correlation_id)
        return found

    async def _conclude(
        self,
        newest: Newest,
        answers: Sequence[VoteBlock | Missing],
        session: int,
        wanted: Collection[str],
        correlation_id: str,
    ) -> tuple[list[Found], dict[str, str]]:
        missing = [answer for answer in answers if isinstance(answer, Missing)]
        decision = conclude(
            newest,
            [answer for answer in answers if isinstance(answer, VoteBlock)],
            session=session,
            asked=self._agents,
            missing=[absent.agent for absent in missing],
            universe=self._market.universe,
            params=self._consensus,
        )
        for absent in missing:
            log.warning("agent_missing", agent=absent.agent, why=absent.why, correlation_id=correlation_id)
        if len(missing) == len(self._agents):
            raise TemporarilyUnavailable("no agent answered: " + "; ".join(f"{m.agent} {m.why}" for m in missing))
        signals = [signal for signal in decision.signals if signal.symbol in wanted]
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
