"""A search gives a set the numbers of its single backtest, however it is cut; ids stand for questions."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from agents.backtest.bootstrap import intervals, repeatable
from agents.backtest.catalogue import builtin, builtins, strategy
from agents.backtest.grid import Axis, Grid
from agents.backtest.metrics import bar_returns
from agents.backtest.record import bound, defined, definition
from agents.backtest.rules import Rules
from agents.backtest.search import Search, Tried, try_sets
from agents.backtest.single import Question, ask, judgement
from agents.backtest.strategy import Strategy
from agents.expr import AgentVotes
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel
from data.contracts.trials import TrialTotal, total
from data.market.source import SAMPLE, open_bars

RULES = Rules(fees=0.0005, slippage=0.0002)


@pytest.fixture(scope="module")
def panel() -> Panel:
    found = open_bars(SAMPLE).panel.select(["GE", "KO", "MSFT"])
    return found.until(int(found.ts.max()))


def search(panel: Panel, axes: Mapping[str, str], *, chunk_s: float = 0.5, name: str = "sma_cross") -> Search:
    grid = Grid(builtin(name), tuple(Axis.of(key, text) for key, text in axes.items()))
    return Search(grid, panel, "three", RULES, chunk_s=chunk_s)


def tried(asked: Search) -> list[Tried]:
    shared = asked.shared(AgentVotes(asked.panel))
    return [try_sets(shared, positions) for positions in asked.chunks()]


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        ("sma_cross", {"fast": "5,20", "slow": "50,100"}),
        ("rsi_reversion", {"window": "7,14", "low": "25,30"}),
        ("vol_target", {}),
        ("momentum_rank", {}),
        ("consensus", {"buy": "0.1,0.3"}),
    ],
)
def test_a_row_of_a_sweep_is_the_single_backtest_of_that_set_and_symbol(
    panel: Panel, name: str, axes: dict[str, str]
) -> None:
    asked = search(panel, axes, name=name)
    rows = pl.concat([chunk.rows for chunk in tried(asked)])
    for position, one in zip(asked.grid.positions, asked.grid.sets(asked.grid.positions), strict=True):
        single = ask(Question(one, panel, "three", RULES)).result
        for symbol in panel.symbols:
            row = rows.row(by_predicate=(pl.col("set") == position) & (pl.col("symbol") == symbol), named=True)
            alone = single.by_symbol[symbol]
            assert row["trades"] == alone["trades"]
            for metric in ("total_return", "sharpe", "max_drawdown"):
                wanted = alone[metric]
                if wanted is None:
                    assert row[metric] is None
                else:
                    assert math.isclose(row[metric], wanted, rel_tol=1e-9, abs_tol=1e-12), (symbol, metric)


def test_no_cut_into_chunks_changes_a_bit(panel: Panel) -> None:
    whole, pieces = (search(panel, {"fast": "5:30:3", "slow": "40:100:7"}, chunk_s=chunk_s) for chunk_s in (10.0, 1e-5))
    assert len(list(whole.chunks())) == 1
    assert len(list(pieces.chunks())) > 5
    assert whole.result_id == pieces.result_id
    once, often = tried(whole), tried(pieces)
    assert once[0].sets.equals(pl.concat([chunk.sets for chunk in often]))
    assert once[0].rows.equals(pl.concat([chunk.rows for chunk in often]))
    alone, together = (total(filter(None, (asked.trial_count(chunk.counted) for chunk in chunks))) for asked, chunks in
                       ((whole, once), (pieces, often)))  # fmt: skip
    assert alone.trials == together.trials == whole.grid.positions.size
    assert alone.variance is not None
    assert together.variance is not None
    assert math.isclose(alone.variance, together.variance, rel_tol=1e-9)


def test_block_sums_are_those_of_the_bar_returns(panel: Panel) -> None:
    asked = search(panel, {"fast": "10", "slow": "40"})
    found = tried(asked)[0].sets["blocks"].to_numpy()[0]
    edges = asked.block_edges
    assert edges is not None
    assert edges[-1] == len(panel)
    result = ask(Question(next(asked.grid.sets(asked.grid.positions)), panel, "three", RULES)).result
    assert math.isclose(found[:10].sum(), sum(_sum_of_returns(asked, s) for s in panel.symbols), rel_tol=1e-9)
    assert result.metrics["trades"] == sum(m["trades"] or 0 for m in result.by_symbol.values())


def _sum_of_returns(asked: Search, symbol: str) -> float:
    alone = replace(asked, panel=asked.panel.of(symbol))
    equity = ask(Question(next(alone.grid.sets(alone.grid.positions)), alone.panel, "one", RULES)).result.equity
    column = equity["equity"].to_numpy()
    return float((column / np.concatenate([[RULES.cash], column[:-1]]) - 1.0).sum())


def test_a_search_that_cannot_be_made_is_refused(panel: Panel) -> None:
    asked = search(panel, {"fast": "5,6"})
    with pytest.raises(InvalidInput, match="no metric 'alpha'"):
        replace(asked, metric="alpha")
    with pytest.raises(InvalidInput, match="portfolio"):
        replace(asked, rules=Rules(mode="portfolio"))


@pytest.mark.parametrize("name", sorted(builtins()))
def test_a_built_in_strategy_survives_being_written_down(name: str) -> None:
    assert defined(definition(builtin(name))) == builtin(name)


def test_an_ad_hoc_strategy_survives_being_written_down(panel: Panel) -> None:
    made: Strategy = strategy(enter="rsi(n) < x", exit="rsi(n) > 70", stop="2 * atr(14)", n=14, x=30.5)
    asked = Question(made.bind(n=7), panel, "three", RULES)
    assert bound(asked.spec).values == {"n": 7, "x": 30.5}
    assert Question(bound(asked.spec), panel, "three", RULES).result_id == asked.result_id


def test_an_id_stands_for_the_question(panel: Panel) -> None:
    asked = Question(builtin("sma_cross").bind(fast=10, slow=30), panel, "three", RULES)
    others = [
        replace(asked, bound=builtin("sma_cross").bind(fast=11, slow=30)),
        replace(asked, bound=builtin("ema_cross").bind(fast=10, slow=30)),
        replace(asked, rules=Rules(fees=0.0006, slippage=0.0002)),
        replace(asked, panel=panel.of("GE")),
        replace(asked, universe="other"),
    ]
    assert len({asked.result_id, *(other.result_id for other in others)}) == 6
    assert replace(asked).result_id == asked.result_id


def test_the_same_question_has_the_same_bits(panel: Panel) -> None:
    asked = Question(builtin("supertrend").bind(), panel, "three", RULES)
    first, again = ask(asked).result, ask(replace(asked)).result
    assert first.facts() == again.facts()
    assert first.equity.equals(again.equity)
    assert first.trades.equals(again.trades)


def test_more_trials_make_the_same_sharpe_less_believable(panel: Panel) -> None:
    found = ask(Question(builtin("rsi_reversion").bind(), panel, "three", RULES))
    once = judgement(found.result, found.record, TrialTotal(1, 0.02, None))
    often = judgement(found.result, found.record, TrialTotal(1000, 0.0, 0.0004))
    assert once["dsr"] == once["psr"] == often["psr"]
    assert often["dsr"] < once["dsr"]
    assert once["trials"] == 1


def test_the_scatter_of_a_sharpe_ratio_is_that_of_its_own_bars_drawn_again(panel: Panel) -> None:
    """90 % of the histories that `bootstrap.intervals` draws, at the same random numbers."""
    asked = Question(builtin("rsi_reversion").bind(), panel, "three", replace(RULES, risk_free=0.02))
    found = ask(asked)
    said, again = (judgement(one.result, one.record, TrialTotal(1, 0.0, None)) for one in (found, ask(asked)))
    returns = bar_returns(found.result.equity["equity"].to_numpy(), RULES.cash) - 0.02 / 252
    drawn = intervals(returns, repeatable(), annualisation=252, confidence=0.9).sharpe
    assert (said["sharpe_low"], said["sharpe_high"]) == pytest.approx(drawn)
    sharpe = found.result.metrics["sharpe"]
    assert sharpe is not None
    assert said["sharpe_low"] < sharpe < said["sharpe_high"]
    assert said == again


def test_a_strategy_that_never_trades_has_no_trial_and_no_probability(panel: Panel) -> None:
    never = strategy(enter="close < 0", exit="close > 0")
    found = ask(Question(never.bind(), panel, "three", RULES))
    assert found.trial is None
    said = found.judged(total([])).context
    assert said["psr"] is None
    assert said["dsr"] is None
    assert said["sharpe_low"] is None
