"""The scan service: opens bars, chooses symbols and agents, runs the scan where it is cheapest, explains the result."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agents.agent import Agent
from agents.consensus import ranked, top_reason
from agents.registry import roster
from cluster.plan import LOCAL_BELOW_S, predicted_s
from cluster.scan import Found, ScanResult, ScanSpec, scan
from cluster.voters import LocalVoters, Progress, Voters
from data.clock import Clock
from data.contracts.errors import InvalidInput
from data.contracts.panel import from_micros
from data.contracts.signals import Signal
from data.market.dates import as_of as moment_of
from data.market.dates import check_as_of
from data.market.source import Bars, choose_universe
from data.settings import Settings
from data.store.stores import open_stores
from serve_app.bootstrap import open_pools
from serve_app.services import Services, open_services
from serve_app.stack import Say


@dataclass(frozen=True)
class ScanRequest:
    """What a user asks for; None takes the default."""

    universe: str | None = None  # @sp500 in the sample, every symbol of a file
    agents: tuple[str, ...] | None = None  # all
    as_of: str | None = None  # the newest session
    calendar: str = "XNYS"  # whose session a date means


@dataclass(frozen=True)
class Scanned:
    """A finished scan with what is needed to explain it."""

    spec: ScanSpec
    result: ScanResult

    def ranked(self) -> list[Found]:
        """The strongest signals first."""
        by_id = {found.signal.signal_id: found for found in self.result.found}
        return [by_id[signal.signal_id] for signal in ranked([found.signal for found in self.result.found])]

    def reasons(self, signal: Signal) -> dict[str, str]:
        """Why each agent voted as it did, in words; agents that abstained say so."""
        return {vote.agent: self._reason(signal, vote.agent) for vote in signal.votes}

    def top_reason(self, signal: Signal) -> str:
        """The reason of the agent that did most for this signal, in words."""
        name = top_reason(signal)
        return f"{name}: {self._reason(signal, name)}"

    def _reason(self, signal: Signal, name: str) -> str:
        agent = next(agent for agent in self.spec.agents if agent.name == name)
        return agent.explain(self.spec.panel, signal.symbol, signal.as_of).text


def plan_scan(bars: Bars, request: ScanRequest) -> ScanSpec:
    """The specification of a request. Raises InvalidInput for unknown agents, universes, symbols and dates."""
    agents = roster(request.agents)
    universe = choose_universe(bars, request.universe)
    moment = from_micros(int(bars.panel.ts.max()))
    if request.as_of is not None:
        moment = moment_of(request.as_of, request.calendar)
        check_as_of(bars.panel, moment)
    whole = bars.panel.until(moment)
    absent = dict.fromkeys(universe.missing, "these bars do not hold it")
    absent |= dict.fromkeys(set(universe.symbols) - set(whole.symbols), "it has no bar by then")
    panel = whole.select([symbol for symbol in universe.symbols if symbol not in absent])
    if not len(panel):
        raise InvalidInput(f"none of these symbols has a bar by {moment:%Y-%m-%d %H:%M} UTC; choose a later --as-of")
    session = int(whole.ts.max())  # of all bars: a symbol that misses it has no signal, whatever the universe
    return ScanSpec(
        panel.until(session),  # context that became known after the newest bar is not ours to see
        universe.id,
        bars.source,
        agents,
        bars.quarantined.of(panel.symbols, session).by_reason,
        absent=absent,
        session=session,
    )


def run_scan(settings: Settings, spec: ScanSpec, *, clock: Clock, say: Say, progress: Progress) -> Scanned:
    """Run a scan on the running system, or on servers that live as long as it takes."""
    with open_services(settings, ray=needs_ray(spec.agents, spec), say=say) as services:
        return scan_on(services, settings, spec, clock=clock, progress=progress)


def needs_ray(agents: Iterable[Agent[Any]], spec: ScanSpec) -> bool:
    """Whether the work is worth sending away."""
    return predicted_s(spec.panel, list(agents)) >= LOCAL_BELOW_S


def scan_on(services: Services, settings: Settings, spec: ScanSpec, *, clock: Clock, progress: Progress) -> Scanned:
    """Run a scan on services that are open."""

    async def run() -> ScanResult:
        voters: Voters = LocalVoters()
        if services.ray:
            voters = await open_pools(spec.agents, settings, keep=False)
        async with open_stores(settings.postgres, services.postgres_url) as stores:
            return await scan(
                spec,
                voters,
                stores,
                clock=clock,
                owner="local",
                correlation_id=str(uuid.uuid4()),
                progress=progress,
            )

    return Scanned(spec, asyncio.run(run()))
