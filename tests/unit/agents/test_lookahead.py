"""The look-ahead check catches every planted cheat and leaves an honest agent alone."""

from typing import Any

import numpy as np
import pytest

from agents.agent import Agent
from agents.lookahead import check_agent
from agents.patterns import PATTERNS
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel
from tests.golden.cheating_agents import cheats
from tests.unit.agents.conftest import MakePanel


@pytest.fixture(scope="module")
def panel(make_panel: MakePanel) -> Panel:
    return make_panel(11, (260, 140, 200), vix_days=150)  # the VIX begins in the middle


@pytest.mark.parametrize(("promise", "cheat"), [pytest.param(*case, id=case[1].name) for case in cheats()])
@pytest.mark.parametrize("seed", range(3))
def test_a_planted_cheat_is_caught_and_named(promise: str, cheat: Agent[Any], seed: int, panel: Panel) -> None:
    report = check_agent(cheat, panel, cuts=6, rng=np.random.default_rng(seed))
    assert not report.ok
    assert promise in {finding.promise for finding in report.findings}
    assert all(finding.agent == cheat.name for finding in report.findings)


def test_a_finding_names_symbol_bar_and_both_votes(panel: Panel) -> None:
    cheat = next(agent for _, agent in cheats() if agent.name == "tomorrows_close")
    finding = check_agent(cheat, panel, cuts=4, rng=np.random.default_rng(0)).findings[0]
    assert finding.symbol in panel.symbols
    assert finding.bar is not None
    assert finding.bar.endswith("21:00:00+00:00")
    assert "the whole panel gives score" in str(finding)
    assert "without what came after" in str(finding)


def test_the_vix_joined_by_date_is_caught_on_the_newest_bar_of_a_cut(panel: Panel) -> None:
    cheat = next(agent for _, agent in cheats() if agent.name == "todays_vix")
    report = check_agent(cheat, panel, cuts=5, rng=np.random.default_rng(0))
    assert {finding.promise for finding in report.findings} == {"future"}
    assert len(report.findings) >= 2


def test_an_honest_agent_has_a_clean_report(panel: Panel) -> None:
    report = check_agent(PATTERNS, panel, cuts=6, rng=np.random.default_rng(0))
    assert report.ok, "\n".join(map(str, report.findings))


def test_a_panel_too_short_for_the_agent_is_refused(make_panel: MakePanel) -> None:
    with pytest.raises(InvalidInput, match="longer history"):
        check_agent(PATTERNS, make_panel(1, (12, 9)), cuts=3, rng=np.random.default_rng(0))


def test_a_check_without_cuts_is_refused(panel: Panel) -> None:
    with pytest.raises(InvalidInput, match="at least 1 cut"):
        check_agent(PATTERNS, panel, cuts=0, rng=np.random.default_rng(0))
