"""The look-ahead check of strategies: planted cheats are refused, honest strategies pass."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from agents.backtest import catalogue
from agents.backtest.check import Decider, Report, check_strategy
from agents.backtest.orders import Orders
from agents.expr import Votes
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel
from data.market.source import SAMPLE, open_bars
from tests.golden.cheating_strategies import CHEATS, Cheat
from tests.unit.agents.backtest.market import flat, panel

SEED, CUTS = 20_180_207, 25


@pytest.fixture(scope="module")
def sample() -> Panel:
    """Twelve of the bundled symbols, evenly through the alphabet, one of which begins late."""
    whole = open_bars(SAMPLE).panel
    return whole.select([whole.symbols[i] for i in np.linspace(0, len(whole.symbols) - 1, 12).astype(int)])


def checked(name: str, decider: Decider, bars: Panel, cuts: int = CUTS) -> Report:
    return check_strategy(name, decider, bars, cuts=cuts, rng=np.random.default_rng(SEED))


@dataclass(frozen=True)
class Own:
    """Somebody's own Python."""

    orders: Callable[[Panel], Orders]
    scope: str = "symbol"

    def evaluate(self, panel: Panel, votes: Votes) -> Orders:
        return self.orders(panel)


def above(panel: Panel, level: Floats | float) -> Orders:
    return Orders.of(panel.close > level, panel.close < level)


# -- what must be refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda cheat: cheat.name)
def test_a_planted_cheat_is_refused_with_column_symbol_and_bar(cheat: Cheat, sample: Panel) -> None:
    report = checked(cheat.name, cheat, sample)
    future = [found for found in report.findings if found.promise == "future"]
    assert {found.column for found in future} <= {"enter", "exit"}
    assert future
    assert all(found.symbol in sample.symbols and found.bar.endswith("+00:00") for found in future)
    assert cheat.name in str(future[0])
    assert {found.promise for found in report.findings} == {"future"}  # it breaks no other promise


def test_a_cheat_in_a_level_is_named_by_its_column(sample: Panel) -> None:
    def orders(panel: Panel) -> Orders:
        enter = panel.close > panel.open
        return Orders.of(enter, ~enter, stop=np.full(len(panel), panel.close.std()))  # the range of the whole history

    assert {found.column for found in checked("wide", Own(orders, "universe"), sample).findings} == {"stop"}


def test_a_strategy_that_looks_at_neighbours_and_says_it_does_not_is_refused(sample: Panel) -> None:
    def orders(panel: Panel) -> Orders:
        _, at = np.unique(panel.ts, return_inverse=True)
        mean = np.bincount(at, panel.close) / np.bincount(at)
        return above(panel, mean[at])

    findings = checked("beside", Own(orders), sample).findings
    assert {found.promise for found in findings} == {"neighbours"}
    assert not checked("beside", Own(orders, "universe"), sample).findings


def test_a_strategy_that_answers_differently_each_time_is_refused(sample: Panel) -> None:
    rng = np.random.default_rng(1)
    findings = checked(
        "dice", Own(lambda panel: above(panel, panel.close + rng.normal(size=len(panel)))), sample
    ).findings
    assert "repeat" in {found.promise for found in findings}


def test_both_decisions_are_told() -> None:
    bars = panel(flat(10, 11, 12, 13))
    report = checked("cheat", CHEATS[0], bars, cuts=3)
    assert str(report.findings[0]) == (
        "cheat enter A 2016-01-04T21:00:00+00:00: the whole panel gives yes; "
        "without what came after 2016-01-04 21:00 it decides no"
    )


# -- what must pass ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", catalogue.builtins())
def test_no_built_in_strategy_looks_ahead(name: str, sample: Panel) -> None:
    given = {"other": sample.symbols[3]} if name == "pairs_zscore" else {}
    report = checked(name, catalogue.builtin(name).bind(**given), sample)
    assert report.findings == ()
    assert report.entries > 0


def test_the_honest_twins_of_the_cheats_pass(sample: Panel) -> None:
    """What the cheats would be without their mistake; else the check would refuse whatever looks like them."""
    for text in ("close > close[1]", "close < sma(10)", "zscore(close, 100) < -1"):
        assert checked(text, catalogue.strategy(enter=text, exit="close > 0").bind(), sample).ok


# -- what cannot be checked -------------------------------------------------------------------------------------


def test_what_cannot_be_checked_is_said(sample: Panel) -> None:
    honest = catalogue.builtin("sma_cross").bind()
    for decider, bars, cuts, message in (
        (honest, sample, 0, "at least 1 cut"),
        (honest, panel(flat(10)), 1, "at least 2 sessions"),
        (Own(lambda bars: above(bars.slice(0, 1), 1.0)), sample, 1, "must return Orders for all"),
    ):
        with pytest.raises(InvalidInput, match=message):
            checked("mine", decider, bars, cuts)
