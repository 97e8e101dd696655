"""A market is followed session by session; who lost his place is told so, and is never answered from a wrong one."""

from dataclasses import replace

import pytest

from agents.agent import VoteBlock
from agents.registry import roster
from cluster.actors import AgentActor
from cluster.course import Course, Step
from cluster.standings import Standings
from cluster.voters import LocalVoters
from data.contracts.panel import DatedSeries, Panel
from tests.unit.agents.conftest import build

SESSIONS = slice(-6, None)


@pytest.fixture(scope="module")
def market() -> Panel:
    return build(9, (320, 300, 2, 310, 280))


def bits(block: VoteBlock | object) -> bytes:
    assert isinstance(block, VoteBlock)
    return block.score.tobytes() + block.confidence.tobytes()


def expected(step: Step, agent: str) -> bytes:
    return bits(roster([agent])[0].evaluate(step.whole).take(step.whole.last_rows))


async def test_votes_of_followed_sessions_have_the_bits_of_whole_histories(market: Panel) -> None:
    course, voters = Course(market, atr_window=14), LocalVoters()
    for session in market.sessions[SESSIONS].tolist():
        step = course.at(session)
        for agent, block in zip(roster(), await voters.session_votes(step, roster()), strict=True):
            assert bits(block) == expected(step, agent.name)
    assert "S002" in step.newest.symbols  # it appeared on the way


async def test_a_clock_that_is_set_back_and_forth_is_followed(market: Panel) -> None:
    course, voters = Course(market, atr_window=14), LocalVoters()
    for number in (-6, -5, -5, -20, -3, -1, -2):
        step = course.at(int(market.sessions[number]))
        (block,) = await voters.session_votes(step, roster(["volatility"]))
        assert bits(block) == expected(step, "volatility")


async def test_an_agent_without_a_reach_is_given_the_whole_history(market: Panel) -> None:
    step = Course(market, atr_window=14).at(int(market.sessions[-1]))
    (trend,) = roster(["trend"])
    (block,) = await LocalVoters().session_votes(step, [replace(trend, reach=None)])
    assert bits(block) == expected(step, "trend")


def test_the_same_session_is_the_same_step(market: Panel) -> None:
    course = Course(market, atr_window=14)
    course.at(int(market.sessions[-2]))
    step = course.at(int(market.sessions[-1]))
    assert course.at(int(market.sessions[-1])) is step
    assert len(step.new) == 5  # a bar of each symbol, and nothing else travels


@pytest.mark.parametrize("pieces", [1, 2, 3, 9])
def test_parts_cover_every_symbol_once_and_are_named_by_their_bars(market: Panel, pieces: int) -> None:
    course = Course(market, atr_window=14)
    before = course.at(int(market.sessions[-2]))
    step = course.at(int(market.sessions[-1]))
    parts = step.parts(pieces, inputs=("bars",))
    assert [part.first for part in parts] == [0, *(part.last for part in parts[:-1])]
    assert parts[-1].last == len(step.whole.symbols)
    for part in parts:
        assert part.after == step.whole.slice(part.first, part.last).content_hash
        assert part.before == before.whole.slice(part.first, part.last).content_hash
        assert part.new.context == {}


def test_other_context_is_another_name(market: Panel) -> None:
    """A vote that is remembered must not answer for a market whose VIX was different."""
    session = int(market.sessions[-1])
    vix = market.context["vix"]
    other = replace(market, context={"vix": DatedSeries("vix", vix.known_at, {"close": vix.values["close"] + 1.0})})
    (one,) = Course(market, atr_window=14).at(session).parts(1, inputs=("bars", "vix"))
    (two,) = Course(other, atr_window=14).at(session).parts(1, inputs=("bars", "vix"))
    assert one.after != two.after
    (three,) = Course(other, atr_window=14).at(session).parts(1, inputs=("bars",))
    assert three.after == market.content_hash


def test_who_does_not_know_a_history_says_so_and_can_begin(market: Panel) -> None:
    (agent,) = roster(["mean_reversion"])
    course = Course(market, atr_window=14)
    steps = [course.at(session) for session in market.sessions[SESSIONS].tolist()]
    actor, fresh = AgentActor(agent.name), Standings(agent)
    for step in steps[:3]:
        (part,) = step.parts(1, inputs=agent.inputs)
        if part.before is None:
            actor.begin(part.after, step.whole, part.first, part.last)
        else:
            assert bits(actor.follow(part.before, part.after, part.new)) == expected(step, agent.name)
    (missed,), (late,) = (step.parts(1, inputs=agent.inputs) for step in steps[3:5])
    assert missed.before is not None
    assert late.before is not None
    assert actor.follow(late.before, late.after, late.new) is None  # it was away for a session
    assert fresh.follow(missed.before, missed.after, missed.new) is None
    assert bits(actor.begin(late.after, steps[4].whole, late.first, late.last)) == expected(steps[4], agent.name)
    assert bits(actor.follow("gone", late.after, late.new)) == expected(steps[4], agent.name)  # asked once more


def test_only_the_newest_standings_are_kept(market: Panel) -> None:
    (agent,) = roster(["trend"])
    standings, course = Standings(agent), Course(market, atr_window=14)
    parts = [course.at(session).parts(1, inputs=agent.inputs)[0] for session in market.sessions[SESSIONS].tolist()]
    standings.begin(parts[0].after, market.until(int(market.sessions[-6])))
    for part in parts[1:]:
        assert part.before is not None
        assert standings.follow(part.before, part.after, part.new) is not None
    third = parts[3]
    assert third.before is not None
    assert standings.follow(third.before, third.after, third.new) is None
