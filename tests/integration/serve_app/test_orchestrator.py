"""Live decisions by the real logic and the real store; only who votes, and the clock, are put in by hand."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from agents.agent import Agent, VoteBlock
from agents.consensus import ConsensusParams, decide
from agents.registry import roster
from cluster.actors import Rows
from cluster.course import Step
from cluster.voters import LocalVoters, Missing, Progress
from data.clock import ManualClock
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel, from_micros
from data.settings import PostgresSettings
from data.store.pool import Pool
from data.store.stores import Stores, open_stores
from serve_app.orchestrator import Market, Orchestrator
from tests.unit.agents.conftest import build

NOW = datetime(2026, 1, 5, 21, 0, 30, tzinfo=UTC)
LENGTHS = (320, 300, 310)


@dataclass
class HandVoters:
    """Votes as this process computes them, except for the agents that are said to be missing."""

    missing: Mapping[str, str] = field(default_factory=dict)
    seen: list[tuple[str, ...]] = field(default_factory=list)

    async def votes(
        self, panel: Panel, agents: Sequence[Agent[Any]], *, rows: Rows, progress: Progress
    ) -> list[VoteBlock]:
        return await LocalVoters().votes(panel, agents, rows=rows, progress=progress)

    async def live_votes(self, panel: Panel, agents: Sequence[Agent[Any]]) -> list[VoteBlock | Missing]:
        self.seen.append(panel.symbols)
        blocks = []
        for agent in agents:
            why = self.missing.get(agent.name)
            blocks.append(Missing(agent.name, why) if why else agent.evaluate(panel).take(panel.last_rows))
        return blocks

    async def session_votes(self, step: Step, agents: Sequence[Agent[Any]]) -> list[VoteBlock | Missing]:
        return await self.live_votes(step.whole, agents)


@pytest_asyncio.fixture
async def stores(pool: Pool, store_url: str) -> AsyncIterator[Stores]:
    async with open_stores(PostgresSettings(), store_url) as opened:
        yield opened


@pytest.fixture(scope="module")
def panel() -> Panel:
    return build(5, LENGTHS)


def orchestrator(
    panel: Panel, stores: Stores, voters: HandVoters, agents: Sequence[Agent[Any]] | None = None
) -> Orchestrator:
    market = Market(panel, "list:test", "test", 0)
    return Orchestrator(market, agents or roster(), voters, stores, ManualClock(NOW), ConsensusParams())


async def test_a_live_signal_has_the_bits_of_a_scan_and_is_stored_once(panel: Panel, stores: Stores) -> None:
    voters = HandVoters()
    decided = orchestrator(panel, stores, voters)
    (one,) = await decided.decide(["S001"], correlation_id="a")
    every = await decided.decide(["S002", "S000", "S001"], correlation_id="b")
    assert voters.seen == [("S001",), ("S000", "S001", "S002")]
    assert [found.signal.symbol for found in every] == ["S000", "S001", "S002"]
    assert every[1].signal == one.signal
    assert [found.new for found in every] == [True, False, True]
    assert await stores.signals.count() == 3
    stored = await stores.signals.get(one.signal.signal_id)
    assert stored is not None
    assert stored.signal == one.signal


async def test_a_missing_agent_is_named_and_has_no_part_in_the_score(panel: Panel, stores: Stores) -> None:
    late = orchestrator(panel, stores, HandVoters({"trend": "late: no answer in 2 s", "volume": "dead"}))
    (found,) = await late.decide(["S000"], correlation_id="a")
    assert found.signal.missing == ("trend", "volume")
    assert [vote.agent for vote in found.signal.votes] == ["mean_reversion", "patterns", "volatility"]
    voted = [vote for vote in found.signal.votes if vote.score is not None]
    weight = sum(vote.weight for vote in voted)
    assert found.signal.score == pytest.approx(sum(vote.weight * (vote.score or 0.0) for vote in voted) / weight)


async def test_the_complete_signal_is_the_current_one_whichever_came_first(panel: Panel, stores: Stores) -> None:
    (whole,) = await orchestrator(panel, stores, HandVoters()).decide(["S000"], correlation_id="a")
    (partial,) = await orchestrator(panel, stores, HandVoters({"trend": "late"})).decide(["S000"], correlation_id="b")
    assert partial.signal.signal_id == whole.signal.signal_id
    assert (whole.revision, partial.revision) == (1, 2)
    current = await stores.signals.newest("S000")
    assert current is not None
    assert current.signal == whole.signal


async def test_a_universe_agent_is_given_the_whole_panel(panel: Panel, stores: Stores) -> None:
    voters = HandVoters()
    ranks = replace(roster(["trend"])[0], scope="universe")
    (found,) = await orchestrator(panel, stores, voters, [ranks]).decide(["S001"], correlation_id="a")
    assert voters.seen == [("S000", "S001", "S002")]
    assert found.signal.symbol == "S001"
    assert await stores.signals.count() == 1  # only what was asked for is stored


async def test_a_symbol_whose_newest_session_is_missing_is_refused_with_the_reason(
    panel: Panel, stores: Stores
) -> None:
    halted = replace(panel, ts=np.where(np.arange(len(panel)) < LENGTHS[0], panel.ts - 86_400_000_000, panel.ts))
    decided = orchestrator(halted, stores, HandVoters())
    with pytest.raises(InvalidInput, match=r"there is no signal: S000: its newest bar is of .* not of the current"):
        await decided.decide(["S000"], correlation_id="a")
    assert await stores.signals.count() == 0
    found = await decided.decide(["S000", "S001"], correlation_id="b")
    assert [row.signal.symbol for row in found] == ["S001"]


async def test_a_symbol_on_which_nobody_voted_is_refused_with_the_reason(stores: Stores) -> None:
    young = build(6, (3,), vix_days=3)
    with pytest.raises(InvalidInput, match="S000: no agent voted on this bar"):
        await orchestrator(young, stores, HandVoters()).decide(["S000"], correlation_id="a")


@pytest.mark.parametrize("symbols", [["NOPE"], ["S000", "NOPE"], ["S000,S001"], ["/etc/passwd"], [""], []])
async def test_what_is_no_symbol_of_the_market_is_refused_and_no_file_is_read(
    panel: Panel, stores: Stores, symbols: list[str]
) -> None:
    """A caller over the network names symbols, never a file of ours or a list in one text."""
    voters = HandVoters()
    with pytest.raises(InvalidInput, match="no symbol"):
        await orchestrator(panel, stores, voters).decide(symbols, correlation_id="a")
    assert voters.seen == []


async def test_a_signal_is_known_from_the_moment_the_clock_says(panel: Panel, stores: Stores, pool: Pool) -> None:
    (found,) = await orchestrator(panel, stores, HandVoters()).decide(["S000"], correlation_id="request-7")
    async with pool.connection() as connection:
        rows = await (await connection.execute("SELECT occurred_at, correlation_id, as_of FROM event")).fetchall()
    assert rows == [(NOW, "request-7", from_micros(int(panel.ts.max())))]
    assert found.signal.as_of == from_micros(int(panel.ts.max()))


async def test_checking_asks_the_store(panel: Panel, stores: Stores) -> None:
    decided = orchestrator(panel, stores, HandVoters())
    await decided.check()


async def test_a_session_too_early_for_any_vote_is_decided_with_no_signals(panel: Panel, stores: Stores) -> None:
    first = from_micros(int(panel.sessions[0]))
    assert await orchestrator(panel, stores, HandVoters()).decide_session(first, correlation_id="c") == []


async def test_a_session_has_the_signals_of_its_day_and_of_every_symbol(panel: Panel, stores: Stores) -> None:
    session = from_micros(int(panel.sessions[-10]))
    found = await orchestrator(panel, stores, HandVoters()).decide_session(session, correlation_id="c")
    assert {one.signal.as_of for one in found} == {session}
    assert {one.signal.symbol for one in found} == set(panel.until(session).symbols)


async def test_sessions_one_after_the_other_have_the_signals_of_scans_of_their_days(
    panel: Panel, stores: Stores
) -> None:
    market = Market(panel, "list:test", "test", 0)
    decided = Orchestrator(market, roster(), LocalVoters(), stores, ManualClock(NOW), ConsensusParams())
    for ts in panel.sessions[-4:].tolist():
        found = await decided.decide_session(from_micros(ts), correlation_id="c")
        again = await decided.decide_session(from_micros(ts), correlation_id="d")
        whole = panel.until(ts)
        blocks = [agent.evaluate(whole).take(whole.last_rows) for agent in roster()]
        scanned = decide(
            whole,
            blocks,
            rows=whole.last_rows,
            asked=roster(),
            missing=(),
            universe="list:test",
            params=ConsensusParams(),
        )
        assert [one.signal for one in found] == scanned.signals
        assert [one.signal for one in again] == scanned.signals
        assert not any(one.new for one in again)


async def test_symbols_asked_for_at_an_earlier_moment_are_decided_on_what_was_known_then(
    panel: Panel, stores: Stores
) -> None:
    decided = orchestrator(panel, stores, HandVoters())
    moment = from_micros(int(panel.sessions[-8]))
    (one,) = await decided.decide(["S001"], correlation_id="a", at=moment)
    session = {found.signal.symbol: found.signal for found in await decided.decide_session(moment, correlation_id="b")}
    assert one.signal == session["S001"]
    before = from_micros(int(panel.of("S001").ts[0]) - 1)
    with pytest.raises(InvalidInput, match="no symbol 'S001'"):
        await decided.decide(["S000", "S001"], correlation_id="c", at=before)
