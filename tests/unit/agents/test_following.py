"""An agent that follows a history votes to the bit as over the whole of it, however the bars come."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from agents.agent import Agent
from agents.following import begin, follow
from agents.newest import Newest, NewestFollower
from agents.registry import all_agents
from data.contracts.errors import GoldenSignalsError, InvalidInput
from data.contracts.panel import COLUMNS, Panel
from tests.golden.cheating_agents import cheats
from tests.unit.agents.conftest import MakePanel

ROSTER = [pytest.param(agent, id=name) for name, agent in all_agents().items()]


@pytest.fixture(scope="module")
def panel(make_panel: MakePanel) -> Panel:
    """Symbols that began long ago, lately and today; one misses sessions, one ended early; some bars follow a gap."""
    bars = make_panel(7, (700, 420, 30, 700, 1, 350))
    age = np.arange(len(bars)) - np.repeat(bars.offsets[:-1], np.diff(bars.offsets))
    owner = np.repeat(np.arange(6), np.diff(bars.offsets))
    keep = ~((owner == 3) & (age % 7 == 0)) & ~((owner == 5) & (age > 320))
    rows = np.flatnonzero(keep)
    columns: dict[str, Any] = {name: getattr(bars, name)[rows] for name in ("ts", *COLUMNS)}
    return replace(
        bars,
        offsets=np.append(0, np.cumsum(np.bincount(owner[rows]))),
        gap=age[rows] % 11 == 3,
        **columns,
    )


def pieces(panel: Panel, moments: Sequence[int]) -> list[Panel]:
    """The bars between the moments."""
    return [panel.between(a, b) for a, b in pairwise(moments)]


def same(agent: Agent[Any], panel: Panel, moments: Sequence[int]) -> None:
    """Following from the first of the moments over the others gives the bits of the whole history at each of them."""
    _, standing = begin(agent, panel.until(moments[0]))
    for moment, new in zip(moments[1:], pieces(panel, moments), strict=True):
        block, standing = follow(agent, standing, new)
        whole = panel.until(moment)
        expected = agent.evaluate(whole).take(whole.last_rows)
        assert standing.bars.symbols == whole.symbols
        np.testing.assert_array_equal(block.score.view(np.int64), expected.score.view(np.int64))
        np.testing.assert_array_equal(block.confidence.view(np.int64), expected.confidence.view(np.int64))


@pytest.mark.parametrize("agent", ROSTER)
@pytest.mark.parametrize("seed", range(3))
def test_bar_by_bar_from_a_random_session_gives_the_bits_of_the_whole(
    agent: Agent[Any], seed: int, panel: Panel
) -> None:
    start = int(np.random.default_rng(seed).integers(300, panel.sessions.size - 12))
    same(agent, panel, panel.sessions[start : start + 12].tolist())


@pytest.mark.parametrize("agent", ROSTER)
def test_sessions_that_come_in_heaps_give_the_bits_of_the_whole(agent: Agent[Any], panel: Panel) -> None:
    cuts = np.sort(np.random.default_rng(5).choice(panel.sessions.size, 9, replace=False))
    same(agent, panel, [*panel.sessions[cuts].tolist(), int(panel.sessions[-1])])


@pytest.mark.parametrize("agent", ROSTER)
def test_a_history_followed_from_its_first_bar_gives_the_bits_of_the_whole(agent: Agent[Any], panel: Panel) -> None:
    """Symbols appear one after the other, and each one's warm-up ends on the way."""
    young = panel.until(int(panel.sessions[400]))
    same(agent, young, [int(young.sessions[0]), *young.sessions[1::37].tolist()])


@pytest.mark.parametrize("agent", ROSTER)
def test_a_standing_can_be_followed_twice(agent: Agent[Any], panel: Panel) -> None:
    first, second = panel.sessions[-2:].tolist()
    _, standing = begin(agent, panel.until(first))
    once, _ = follow(agent, standing, panel.between(first, second))
    again, _ = follow(agent, standing, panel.between(first, second))
    assert once.score.tobytes() == again.score.tobytes()


@pytest.mark.parametrize("agent", ROSTER)
def test_what_is_kept_does_not_grow_with_the_history(agent: Agent[Any], panel: Panel) -> None:
    assert agent.reach is not None
    moments = panel.sessions[-40:].tolist()
    _, standing = begin(agent, panel.until(moments[0]))
    for new in pieces(panel, moments):
        _, standing = follow(agent, standing, new)
        assert np.diff(standing.bars.offsets).max() <= agent.reach + 1


def test_a_session_without_any_bar_changes_no_vote(panel: Panel) -> None:
    agent = all_agents()["trend"]
    last = int(panel.sessions[-1])
    block, standing = begin(agent, panel)
    still, _ = follow(agent, standing, panel.between(last, last + 1))
    assert still.score.tobytes() == block.take(panel.last_rows).score.tobytes()


def test_an_agent_that_reads_the_whole_history_cannot_be_followed(panel: Panel) -> None:
    _, whole = next(iter(cheats()))
    assert whole.reach is None
    with pytest.raises(GoldenSignalsError, match="looks at the whole history"):
        begin(whole, panel)


def test_a_universe_agent_cannot_declare_a_reach() -> None:
    from agents.agent import agent
    from agents.trend import TrendParams, evaluate, explain

    with pytest.raises(InvalidInput, match="leave out its reach"):
        agent(
            "ranks",
            params=TrendParams,
            scope="universe",
            inputs=("bars",),
            warmup=lambda params: 0,
            cost_ns=1.0,
            evaluate=evaluate,
            explain=explain,
            description="Ranks.",
            reach=lambda params: 1,
        )


def test_the_newest_bars_are_followed_to_the_bit_with_hash_and_context(panel: Panel) -> None:
    moments = panel.sessions[-60::4].tolist()
    follower = NewestFollower(panel.until(moments[0]), atr_window=14)
    for moment, new in zip(moments[1:], pieces(panel, moments), strict=True):
        follower.follow(new)
        whole, newest = panel.until(moment), follower.newest
        expected = Newest.of(whole, atr_window=14)
        assert (newest.symbols, newest.digests) == (expected.symbols, expected.digests)
        assert newest.hash_of(0, len(newest.symbols)) == whole.content_hash
        assert newest.hash_of(1, 3) == whole.slice(1, 3).content_hash
        assert newest.context["vix"].digest == expected.context["vix"].digest
        for name in ("ts", "close", "gap", "atr"):
            np.testing.assert_array_equal(getattr(newest, name), getattr(expected, name))
