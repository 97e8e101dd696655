"""What every agent of the roster promises, checked on one ragged panel: causal, bounded, exact warm-up, explained."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agents.agent import Agent
from agents.lookahead import check_agent
from agents.registry import all_agents
from data.contracts.panel import COLUMNS, Panel, from_micros
from tests.unit.agents.conftest import MakePanel

ROSTER = [pytest.param(agent, id=name) for name, agent in all_agents().items()]


@pytest.fixture(scope="module")
def panel(make_panel: MakePanel) -> Panel:
    return make_panel(7, (700, 420, 30, 700, 1))


def test_the_roster_holds_the_five_agents() -> None:
    assert list(all_agents()) == ["mean_reversion", "patterns", "trend", "volatility", "volume"]


@pytest.mark.parametrize("agent", ROSTER)
@pytest.mark.parametrize("seed", range(2))
def test_it_does_not_look_ahead_and_its_warmup_is_exact(agent: Agent[Any], seed: int, panel: Panel) -> None:
    report = check_agent(agent, panel, cuts=8, rng=np.random.default_rng(seed))
    assert report.ok, "\n".join(map(str, report.findings))


@pytest.mark.parametrize("agent", ROSTER)
def test_its_first_vote_comes_right_after_the_warmup(agent: Agent[Any], panel: Panel) -> None:
    silent = np.isnan(agent.evaluate(panel).score)
    first = [int(np.argmin(silent[lo:])) for lo in panel.offsets[:-1] if not silent[lo:].all()]
    assert min(first) == agent.warmup


@pytest.mark.parametrize("agent", ROSTER)
def test_it_takes_both_sides_and_is_never_certain_of_everything(agent: Agent[Any], panel: Panel) -> None:
    block = agent.evaluate(panel)
    votes = ~np.isnan(block.score)
    assert (block.score[votes] > 0.1).any()
    assert (block.score[votes] < -0.1).any()
    assert np.unique(block.confidence[votes]).size > 10


@pytest.mark.parametrize("agent", ROSTER)
def test_every_bar_can_be_explained_in_words_and_numbers(agent: Agent[Any], panel: Panel) -> None:
    score = agent.evaluate(panel).score
    for row in [*range(0, 700, 23), 699]:
        reason = agent.explain(panel, "S000", from_micros(panel.ts[row]))
        assert reason.text
        assert len(reason.text) < 200
        assert "nan" not in reason.text
        if not np.isnan(score[row]):
            assert reason.facts
            assert all(np.isfinite(value) for value in reason.facts.values())


@pytest.mark.parametrize("agent", ROSTER)
def test_an_explanation_knows_nothing_later_than_its_bar(agent: Agent[Any], panel: Panel) -> None:
    moment = from_micros(panel.ts[500])
    assert agent.explain(panel, "S000", moment) == agent.explain(panel.until(moment), "S000", moment)


@pytest.mark.parametrize("agent", ROSTER)
def test_a_price_that_never_moves_draws_no_opinion_on_direction(agent: Agent[Any], make_panel: MakePanel) -> None:
    bars = make_panel(1, (400,))
    flat = np.full(400, 20.0)
    still = replace(bars, open=flat, high=flat, low=flat, close=flat)
    block = agent.evaluate(still)
    opinion = np.nan_to_num(block.score * block.confidence)
    assert np.abs(opinion).max() == 0.0
    assert "nan" not in agent.explain(still, "S000", from_micros(still.ts[-1])).text


@pytest.mark.parametrize("agent", ROSTER)
def test_the_bars_are_left_untouched(agent: Agent[Any], make_panel: MakePanel) -> None:
    bars = make_panel(1, (400,))
    for name in COLUMNS:
        getattr(bars, name).setflags(write=False)
    before = bars.content_hash
    agent.evaluate(bars)
    assert replace(bars).content_hash == before
