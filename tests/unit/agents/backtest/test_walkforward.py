"""Walk-forward: what is chosen on which bars, what is traded inside a test, and what the tests come to together.

The oracle of the selection is the slow way: every set by itself over the bars up to the end of the train, its orders
outside the train taken away, one symbol after the other through the bar-by-bar engine.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.backtest import catalogue
from agents.backtest.choosing import Tried, try_sets
from agents.backtest.crossvalidation import CrossValidated, CrossValidation, Groups, cross_validate
from agents.backtest.engine import backtest
from agents.backtest.grid import Axis, Grid
from agents.backtest.orders import Orders
from agents.backtest.rules import Rules
from agents.backtest.selection import Selection, choose
from agents.backtest.strategy import Bound, Strategy
from agents.backtest.walkforward import Lengths, Walk, Walked, WalkForward, concluded, walk_forward
from agents.expr import AgentVotes
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel
from data.contracts.trials import total
from tests.unit.agents.backtest.market import flat, panel
from tests.unit.agents.conftest import MakePanel

COSTS = Rules(fees=0.001, slippage=0.0005, annualisation=252.0)
LENGTHS = Lengths(train=90, test=40, purge=3, embargo=2)
ALWAYS = catalogue.strategy(enter="close > 0", exit="close < 0", name="always")
CROSS = catalogue.builtin("sma_cross")


@pytest.fixture(scope="module")
def bars(make_panel: MakePanel) -> Panel:
    return make_panel(7, (300, 300, 180))


def grid(strategy: Strategy, **axes: object) -> Grid:
    return Grid(strategy, tuple(Axis.of(name, values) for name, values in axes.items()))


def walked(g: Grid, on: Panel, lengths: Lengths = LENGTHS, rules: Rules = COSTS, metric: str = "sharpe") -> Walked:
    return walk_forward(Walk(g, on, "test", rules, lengths, metric))


def inside(orders: Orders, on: Panel, sessions: np.ndarray[Any, Any]) -> tuple[Panel, Orders]:
    """The bars of these sessions, and the orders on them."""
    keep = np.isin(on.ts, sessions)
    part = on.between(int(sessions[0]) - 1, int(sessions[-1]))
    return part, Orders(*(getattr(orders, name)[keep] for name in Orders.__slots__))


def slow_score(bound: Bound, on: Panel, train: range, rules: Rules, metric: str) -> float:
    """The median over the symbols of a metric on the train, NaN when none has it."""
    before = on.until(int(on.sessions[train[-1]]))
    orders = bound.evaluate(before, AgentVotes(before))
    part, some = inside(orders, before, on.sessions[train.start : train.stop])
    found = backtest(part, some, rules, benchmark=None).by_symbol.values()
    known = [float(one[metric]) for one in found if one[metric] is not None]  # type: ignore[arg-type]
    return float(np.median(known)) if known else math.nan


def slow_choice(
    g: Grid, on: Panel, train: range, rules: Rules, metric: str = "sharpe"
) -> tuple[float, Mapping[str, Any]]:
    """The best set, the first of equals in the order of values."""
    sets = sorted(g.sets(g.positions), key=lambda one: tuple(one.values[axis.name] for axis in g.axes))
    scores = [slow_score(one, on, train, rules, metric) for one in sets]
    best = int(np.nanargmax(scores))
    return scores[best], sets[best].values


# -- what is chosen ---------------------------------------------------------------------------------------------

SEARCHES: dict[str, Grid] = {
    "crossings": grid(CROSS, fast=[3, 5, 8], slow=[12, 20]),
    "not a crossing": grid(
        catalogue.strategy(enter="not sma(n) crosses_above close", exit="sma(n) crosses_above close", n=5), n=[5, 9]
    ),
    "not a crossing of what is unknown": grid(  # the first bars of the train still warm up
        catalogue.strategy(enter="not sma(n) crosses_above sma(80) and close > 0", exit="close > sma(5)", n=5),
        n=[5, 70],
    ),
    "levels": grid(
        catalogue.strategy(enter="rsi(n) < 45", exit="rsi(n) > 60", stop="k * atr(10)", size="0.5", n=5, k=1.0),
        n=[5, 9],
        k=[0.5, 2.0],
    ),
    "short": grid(
        catalogue.strategy(enter="close > sma(n)", exit="close < sma(n)", short_enter="close < sma(n)",
                         short_exit="close > sma(n)", n=5), n=[5, 9, 14]
    ),
    "ranks": grid(catalogue.builtin("momentum_rank"), window=[10, 20], top=[1, 2]),
    "another symbol": grid(catalogue.builtin("pairs_zscore"), other=["S000", "S001"], window=[10, 15]),
    "a look back": grid(catalogue.strategy(enter="close > close[n]", exit="close < close[n]", n=5), n=[1, 4, 7]),
}  # fmt: skip


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("anchored", [False, True])
def test_every_fold_chooses_what_is_best_on_its_train_alone(name: str, anchored: bool, bars: Panel) -> None:
    search = SEARCHES[name]
    lengths = replace(LENGTHS, anchored=anchored)
    walk = Walk(search, bars, "test", COSTS, lengths)
    rows = walk_forward(walk).result.folds.to_dicts()
    for fold, row in zip(walk.folds, rows, strict=True):
        score, values = slow_choice(search, bars, fold.train, COSTS)
        assert row["train_score"] == pytest.approx(score, rel=1e-9)
        assert {axis.name: row[axis.name] for axis in search.axes} == {a.name: values[a.name] for a in search.axes}


def test_bars_after_a_fold_change_nothing_in_it(bars: Panel) -> None:
    """The choice, the trades and the equity of a fold are the same to the bit whatever comes after its test."""
    search = SEARCHES["crossings"]
    walk = Walk(search, bars, "test", COSTS, LENGTHS)
    first = walk_forward(walk).result
    for number, fold in enumerate(walk.folds[:-1]):
        after = bars.ts > bars.sessions[fold.test[-1]]
        factor = np.where(after, np.random.default_rng(number).uniform(0.5, 2.0, len(bars)), 1.0)
        prices = {name: getattr(bars, name) * factor for name in ("open", "high", "low", "close")}
        again = walked(search, replace(bars, **prices)).result
        assert again.folds[: number + 1].equals(first.folds[: number + 1])
        until = fold.test.stop - walk.folds[0].test.start
        assert again.equity["equity"][:until].equals(first.equity["equity"][:until])
        assert not again.equity["equity"].equals(first.equity["equity"])


def test_the_test_bars_have_no_say_in_the_choice(bars: Panel) -> None:
    """Other prices in the tests, and in what is left out before them, leave the first fold's choice as it is."""
    search = SEARCHES["crossings"]
    walk = Walk(search, bars, "test", COSTS, LENGTHS)
    fold = walk.folds[0]
    other = np.where(bars.ts > bars.sessions[fold.train[-1]], np.linspace(1.0, 3.0, len(bars)), 1.0)
    changed = replace(bars, **{name: getattr(bars, name) * other for name in ("open", "high", "low", "close")})
    before, after = (one.result.folds.to_dicts()[0] for one in (walk_forward(walk), walked(search, changed)))
    chosen = ("fast", "slow", "train_score", "train_return")
    assert [before[name] for name in chosen] == [after[name] for name in chosen]
    assert before["test_total_return"] != after["test_total_return"]


def test_equals_are_decided_by_the_smallest_parameters_and_what_is_undefined_comes_last() -> None:
    rising = panel(flat(*(100.0 * 1.01**t + t % 2 for t in range(60))))
    never = catalogue.strategy(enter="close > 100000 * n", exit="close < 0", n=1)
    same = catalogue.strategy(enter="close > n", exit="close < 0", n=1)
    rules, lengths = Rules(), Lengths(train=20, test=10)
    rows = walked(grid(never, n=[3, 1, 2]), rising, lengths, rules).result.folds
    assert rows["n"].to_list() == [1] * rows.height
    assert rows["train_score"].to_list() == [None] * rows.height
    assert walked(grid(same, n=[3, 2, 9]), rising, lengths, rules).result.folds["n"].to_list() == [2] * rows.height
    mixed = catalogue.strategy(enter="close > n", exit="close < 0", n=1)
    assert walked(grid(mixed, n=[1, 10**6]), rising, lengths, rules).result.folds["n"].to_list() == [1] * rows.height
    falling = panel(flat(*(100.0 * 0.99**t - t % 2 for t in range(60))))  # a loss is better than nothing known
    assert walked(grid(mixed, n=[10**6, 1]), falling, lengths, rules).result.folds["n"].to_list() == [1] * rows.height


@pytest.mark.parametrize(("metric", "sign"), [("volatility", -1.0), ("turnover", -1.0), ("total_return", 1.0)])
def test_a_metric_of_which_less_is_better_chooses_the_smallest(metric: str, sign: float, bars: Panel) -> None:
    search = SEARCHES["crossings"]
    walk = Walk(search, bars, "test", COSTS, LENGTHS, metric)
    rows = walk_forward(walk).result.folds.to_dicts()
    for fold, row in zip(walk.folds, rows, strict=True):
        scores = [sign * slow_score(one, bars, fold.train, COSTS, metric) for one in search.sets(search.positions)]
        assert row["train_score"] == pytest.approx(sign * np.nanmax(scores), rel=1e-9)


def test_sets_that_come_in_many_chunks_choose_the_same(bars: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = walked(SEARCHES["crossings"], bars)
    monkeypatch.setattr("agents.backtest.selection.MOST_SETS", 2)
    monkeypatch.setattr("agents.backtest.selection.COLUMNS_BYTES", 8_000)  # a symbol at a time
    pieces = walked(SEARCHES["crossings"], bars)
    assert pieces.result.folds.equals(whole.result.folds)
    assert pieces.trials == whole.trials


@pytest.mark.parametrize("name", ["crossings", "levels", "another symbol"])
def test_chunks_of_any_size_in_any_order_come_to_the_same(name: str, bars: Panel, tmp_path: Path) -> None:
    """As they come from workers: each chunk written down and read again, the last one first."""
    walk = Walk(SEARCHES[name], bars, "test", COSTS, LENGTHS)
    small = replace(walk, chunk_s=1e-9)
    votes = AgentVotes(bars)
    selection = small.selection(votes)
    pieces = [Tried.of(json.loads(json.dumps(try_sets(selection, one).facts()))) for one in small.chunks()]
    assert len(pieces) == walk.grid.positions.size
    assert sum(piece.counted.sets for piece in pieces) == walk.total
    found, whole = concluded(small, selection, pieces[::-1], votes), walk_forward(walk)
    found.result.save(tmp_path / "pieces")
    whole.result.save(tmp_path / "whole")
    for file in (tmp_path / "whole").iterdir():
        assert (tmp_path / "pieces" / file.name).read_bytes() == file.read_bytes()
    counted, once = total(found.trials), total(whole.trials)
    assert counted.trials == once.trials == walk.total
    assert counted.variance == pytest.approx(once.variance, rel=1e-9)


# -- what is traded ---------------------------------------------------------------------------------------------


def test_a_test_starts_flat_and_is_closed_at_its_last_close_with_costs() -> None:
    """Always in the market: bought at the second open of each test (decided at its first close), sold at its last."""
    opens = [10.0, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]
    market = panel([(p, p + 0.9, p - 0.5, p + 0.5) for p in opens])
    found = walked(grid(ALWAYS), market, Lengths(train=3, test=3, purge=1)).result
    trades = found.trades.to_dicts()
    assert [(row["entry_price"], row["exit_price"], row["reason"]) for row in trades] == [
        (pytest.approx(15.0 * 1.0005), pytest.approx(16.5 * 0.9995), "end"),
        (pytest.approx(18.0 * 1.0005), pytest.approx(19.5 * 0.9995), "end"),
    ]  # the third test has one bar: what is decided there fills nowhere
    money = 100_000.0
    for bought, sold in ((15.0, 16.5), (18.0, 19.5)):
        shares = money / 1.001 / (bought * 1.0005)
        money = shares * sold * 0.9995 * 0.999
    assert found.equity["equity"][-1] == pytest.approx(money, rel=1e-12)
    assert found.equity.height == 7
    assert found.folds["partial"].to_list() == [False, False, True]
    assert "the last test has 1 of 3 bars: there are no more" in found.warnings


def test_a_decision_before_the_test_does_not_fill_in_it_and_a_crossing_at_its_first_bar_does() -> None:
    """Crossings look one bar back, over the edge of the test; a fill never crosses it."""
    crossing = catalogue.strategy(enter="close crosses_above 10", exit="close crosses_below 5")
    late = flat(9, 9, 9, 9, 9, 9, 11, 12, 13, 14)  # crosses at bar 6
    free = Rules()
    at_first = walked(grid(crossing), panel(late), Lengths(train=5, test=4, purge=1), free).result
    assert [row["entry_price"] for row in at_first.trades.to_dicts()] == [12.0]  # tested are bars 6 to 9
    before = walked(grid(crossing), panel(late), Lengths(train=5, test=3, purge=2), free).result
    assert before.trades.is_empty()  # tested are bars 7 to 9: it would have been bought at the open of 7
    assert before.equity["equity"].to_list() == [100_000.0] * 3


def test_a_train_too_starts_flat_and_knows_the_bars_before() -> None:
    """In the second train (bars 3 to 7) the crossing at bar 3 looks back to bar 2, and that at bar 2 is not filled."""
    crossing = catalogue.strategy(enter="close crosses_above n", exit="close crosses_below 1", n=10)
    market = panel(flat(9, 9, 10.5, 12, 13, 14, 13, 15, 16, 15, 17))
    search = grid(crossing, n=[10, 11])
    train = (range(3, 8),)
    votes = AgentVotes(market)
    chosen = choose(Selection.of(search, market, votes, Rules(), [train], metric="total_return", year=252.0))[0]
    assert chosen.values == (11,)  # n = 10 crossed at bar 2
    assert chosen.score == pytest.approx(15.0 / 13.0 - 1.0)  # decided at bar 3, bought at 13, marked at 15


def test_each_fold_goes_on_with_the_money_of_the_one_before_shared_out_anew(bars: Panel) -> None:
    walk = Walk(grid(CROSS, fast=[3, 5], slow=[12]), bars, "test", COSTS, LENGTHS)
    found = walk_forward(walk).result
    rows = found.folds.to_dicts()
    money = COSTS.cash
    for fold, row in zip(walk.folds, rows, strict=True):
        bound = CROSS.bind(fast=row["fast"], slow=row["slow"])
        sessions = bars.sessions[fold.test.start : fold.test.stop]
        part, orders = inside(bound.evaluate(bars, AgentVotes(bars)), bars, sessions)
        each = [
            backtest(part.slice(s, s + 1), _of(orders, part, s), replace(COSTS, cash=money / len(part.symbols)),
                     benchmark=None, finish_all=True).equity["equity"][-1]
            for s in range(len(part.symbols))
        ]  # fmt: skip
        assert row["test_total_return"] == pytest.approx(sum(each) / money - 1.0, rel=1e-9, abs=1e-12)
        money = sum(each)
    assert found.equity["equity"][-1] == pytest.approx(money, rel=1e-12)
    assert found.metrics["total_return"] == pytest.approx(money / COSTS.cash - 1.0, rel=1e-9)


def _of(orders: Orders, part: Panel, s: int) -> Orders:
    lo, hi = part.offsets[s], part.offsets[s + 1]
    return Orders(*(getattr(orders, name)[lo:hi] for name in Orders.__slots__))


def test_with_shared_cash_the_tests_share_it_and_the_choice_is_the_same(bars: Panel) -> None:
    search = SEARCHES["crossings"]
    shared = replace(COSTS, mode="portfolio", max_positions=1, rank="roc(10)")
    apart, together = walked(search, bars).result, walked(search, bars, rules=shared).result
    chosen = ["fast", "slow", "train_score"]
    assert together.folds[chosen].equals(apart.folds[chosen])
    held = together.trades.sort("entry_ts")
    assert (held["exit_ts"][:-1] <= held["entry_ts"][1:]).all()  # one position at a time
    assert together.trades.height < apart.trades.height


def test_a_strategy_that_loses_everything_trades_no_more() -> None:
    short = catalogue.strategy(short_enter="close > 0", short_exit="close < 0")
    market = panel(flat(10, 10, 10, 10, 10, 10, 30, 30, 30, 30, 30, 30))
    found = walked(grid(short), market, Lengths(train=3, test=4), Rules()).result
    assert found.equity["equity"].to_list() == [100_000.0] * 3 + [-100_000.0] * 6
    assert found.folds["test_total_return"].to_list() == [-2.0, None, None]
    assert found.metrics["sharpe"] is None
    assert "the money was gone before fold 1; nothing was traded from there on" in found.warnings


# -- what it comes to -------------------------------------------------------------------------------------------


def test_the_metrics_are_those_of_the_stitched_curve(bars: Panel) -> None:
    found = walked(SEARCHES["short"], bars).result
    equity = np.concatenate([[COSTS.cash], found.equity["equity"].to_numpy()])
    returns = np.diff(equity) / equity[:-1]
    assert found.metrics["sharpe"] == pytest.approx(returns.mean() / returns.std(ddof=1) * math.sqrt(252), rel=1e-9)
    assert found.metrics["max_drawdown"] == pytest.approx((equity / np.maximum.accumulate(equity)).min() - 1, rel=1e-9)
    assert found.metrics["trades"] == found.trades.height == found.folds["test_trades"].sum()
    assert found.metrics["fees_paid"] == pytest.approx(found.trades["fees"].sum(), rel=1e-12)
    made = math.fsum(found.trades["pnl"])
    assert found.equity["equity"][-1] == pytest.approx(COSTS.cash + made, rel=1e-12)
    assert math.fsum(one["fees_paid"] or 0.0 for one in found.stitched.by_symbol.values()) == pytest.approx(
        found.metrics["fees_paid"], rel=1e-12
    )


def test_the_break_even_fee_leaves_nothing() -> None:
    market = panel(flat(*(100.0 * 1.01**t for t in range(40))))
    found = walked(grid(ALWAYS), market, Lengths(train=10, test=10), Rules()).result
    fee = found.metrics["break_even_bps"]
    assert fee is not None
    at_that = walked(grid(ALWAYS), market, Lengths(train=10, test=10), Rules(fees=fee * 1e-4)).result
    assert at_that.metrics["total_return"] == pytest.approx(0.0, abs=1e-9)


def test_efficiency_is_the_yearly_return_out_of_sample_over_that_in_sample() -> None:
    """A price that gains 1 % a bar, bought at the second bar's open: 3 of 5 train bars gain, 2 of 4 test bars."""
    closes = [100.0 * 1.01**t for t in range(13)]
    market = panel([(p, p, p, p) for p in closes])
    found = walked(grid(ALWAYS), market, Lengths(train=5, test=4), Rules(annualisation=252.0)).result
    said = found.context["walkforward"]
    train, test = 1.01 ** (3 * 252 / 5) - 1, 1.01 ** (2 * 252 / 4) - 1
    assert said["train_return_per_year"] == pytest.approx(train, rel=1e-9)
    assert said["test_return_per_year"] == pytest.approx(test, rel=1e-9)
    assert said["efficiency"] == pytest.approx(test / train, rel=1e-9)
    losing = panel([(p, p, p, p) for p in reversed(closes)])
    said = walked(grid(ALWAYS), losing, Lengths(train=5, test=4), Rules()).result.context["walkforward"]
    assert said["efficiency"] is None
    assert "gained nothing" in said["efficiency_reason"]


def test_drift_tells_how_much_the_choice_moved(bars: Panel) -> None:
    found = walked(grid(CROSS, fast=[3, 5, 8], slow=[20]), bars).result
    values = found.folds["fast"].to_list()
    (row,) = found.drift.to_dicts()  # what is not searched does not drift
    assert row["parameter"] == "fast"
    assert row["distinct"] == len(set(values))
    assert row["changes"] == sum(a != b for a, b in pairwise(values))
    assert (row["smallest"], row["largest"]) == (min(values), max(values))
    assert row["mean_step"] == pytest.approx(np.abs(np.diff(values)).mean() / 5)


# -- trials and ids ---------------------------------------------------------------------------------------------


def test_every_set_of_every_fold_is_a_trial(bars: Panel) -> None:
    search = SEARCHES["crossings"]
    walk = Walk(search, bars, "test", COSTS, LENGTHS)
    found = walk_forward(walk)
    assert [trial.trials for trial in found.trials] == [search.positions.size] * len(walk.folds)
    assert found.trials == walk_forward(walk).trials  # the keys too
    assert len({trial.key for trial in found.trials}) == len(walk.folds)
    for fold, trial in zip(walk.folds, found.trials, strict=True):
        sharpes = [slow_score(one, bars, fold.train, COSTS, "sharpe") for one in search.sets(search.positions)]
        assert trial.mean == pytest.approx(np.mean(sharpes) / math.sqrt(252), rel=1e-9)
        assert trial.m2 == pytest.approx(np.var(sharpes) * len(sharpes) / 252, rel=1e-7)
    judged = found.judged(total(found.trials))
    assert judged.context["trials"] == search.positions.size * len(walk.folds)
    assert judged.context["dsr"] < judged.context["psr"]


def test_a_strategy_without_a_choice_is_one_trial(bars: Panel) -> None:
    """The consensus of the agents, walked forward: nothing is searched, so nothing is taken off for the search."""
    found = walked(grid(catalogue.builtin("consensus")), bars, rules=Rules())
    assert [trial.trials for trial in found.trials] == [1]
    judged = found.judged(total(found.trials))
    assert judged.context["dsr"] == judged.context["psr"]
    assert found.result.drift.is_empty()
    assert found.result.trades.height > 0


def test_the_same_question_has_the_same_id_and_bytes_and_another_one_another(bars: Panel, tmp_path: Path) -> None:
    search = SEARCHES["crossings"]
    first, again = walked(search, bars).result, walked(search, bars).result
    assert first.result_id == again.result_id
    first.save(tmp_path / "a")
    again.save(tmp_path / "b")
    names = sorted(file.name for file in (tmp_path / "a").iterdir())
    assert names == [
        "drift.parquet",
        "equity.parquet",
        "folds.parquet",
        "metrics.json",
        "report.html",
        "trades.parquet",
    ]
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in names)
    loaded = WalkForward.load(tmp_path / "a")
    assert loaded.folds.equals(first.folds)
    assert loaded.drift.equals(first.drift)
    assert loaded.equity.equals(first.equity)
    others = [
        Walk(search, bars, "test", COSTS, replace(LENGTHS, embargo=1)),
        Walk(search, bars, "test", Rules(), LENGTHS),
        Walk(search, bars, "test", COSTS, LENGTHS, "cagr"),
        Walk(SEARCHES["short"], bars, "test", COSTS, LENGTHS),
    ]
    assert len({first.result_id, *(walk.result_id for walk in others)}) == 5


def test_bad_questions_are_refused_before_any_work(bars: Panel) -> None:
    search = SEARCHES["crossings"]
    clash = grid(catalogue.strategy(enter="close > fold", exit="close < 0", fold=1), fold=[1, 2])
    for make, message in (
        (lambda: Walk(search, bars, "x", COSTS, Lengths(train=300, test=10)), "at least 301 bars"),
        (lambda: Walk(search, bars, "x", COSTS, LENGTHS, "skew"), "cannot be ranked by 'skew'"),
        (lambda: Walk(grid(catalogue.builtin("pairs_zscore")), bars, "x", COSTS, LENGTHS), "needs a value for other"),
        (lambda: Walk(clash, bars, "x", COSTS, LENGTHS), "has a column fold already"),
        (lambda: Walk(search, bars.slice(0, 0), "x", COSTS, LENGTHS), "no bars to test on"),
    ):
        with pytest.raises(InvalidInput, match=message):
            make()  # type: ignore[no-untyped-call]


# -- combinations -----------------------------------------------------------------------------------------------


def test_bars_of_several_trains_count_together(bars: Panel) -> None:
    """The Sharpe ratio over two stretches is that of their returns laid end to end, symbol by symbol."""
    search = SEARCHES["short"]
    stretches = (range(20, 90), range(150, 240))
    chosen = choose(Selection.of(search, bars, AgentVotes(bars), COSTS, [stretches], year=252.0))[0]
    scores = []
    for bound in search.sets(search.positions):
        orders = bound.evaluate(bars, AgentVotes(bars))
        returns: dict[str, list[Any]] = {}
        for stretch in stretches:
            part, some = inside(orders, bars, bars.sessions[stretch.start : stretch.stop])
            for s, symbol in enumerate(part.symbols):
                found = backtest(part.slice(s, s + 1), _of(some, part, s), COSTS, benchmark=None)
                equity = np.concatenate([[COSTS.cash], found.equity["equity"].to_numpy()])
                returns.setdefault(symbol, []).append(np.diff(equity) / equity[:-1])
        whole = [np.concatenate(pieces) for pieces in returns.values()]
        scores.append(float(np.median([one.mean() / one.std(ddof=1) * math.sqrt(252) for one in whole])))
    assert chosen.score == pytest.approx(max(scores), rel=1e-9)
    assert chosen.position == int(search.positions[int(np.argmax(scores))])
    assert chosen.trials == len(scores)
    assert chosen.mean * math.sqrt(252) == pytest.approx(np.mean(scores), rel=1e-9)
    assert chosen.m2 * 252 == pytest.approx(np.var(scores) * len(scores), rel=1e-7)


def test_every_path_is_a_whole_history_of_tested_groups(bars: Panel, tmp_path: Path) -> None:
    search = SEARCHES["crossings"]
    asked = CrossValidation(search, bars, "test", COSTS, Groups(groups=5, test_groups=2, purge=3, embargo=2))
    checked = cross_validate(asked)
    found, combinations = checked.result, asked.combinations
    assert found.paths.height == 4
    assert found.splits["groups"].to_list()[:2] == ["0+1", "0+2"]
    chosen = [(row["fast"], row["slow"]) for row in found.splits.to_dicts()]
    growth = 1.0
    for group, split in enumerate(combinations.paths[1]):  # by hand: one path
        fast, slow = chosen[split]
        assert group in combinations.splits[split].groups
        stretch = combinations.groups[group]
        orders = CROSS.bind(fast=fast, slow=slow).evaluate(bars, AgentVotes(bars))
        part, some = inside(orders, bars, bars.sessions[stretch.start : stretch.stop])
        growth *= backtest(part, some, COSTS, benchmark=None, finish_all=True).equity["equity"][-1] / COSTS.cash
    assert found.paths["total_return"][1] == pytest.approx(growth - 1.0, rel=1e-9)
    assert found.summary["mean"] == pytest.approx(np.mean(found.paths["sharpe"].to_list()), rel=1e-12)
    assert found.summary["below_zero"] == np.mean([value < 0.0 for value in found.paths["sharpe"]])
    counted = total(checked.trials)
    assert counted.trials == asked.total == search.positions.size * 10
    judged = checked.judged(counted)
    loaded = CrossValidated.load(judged.save(tmp_path / "kept"))
    assert loaded.facts == judged.facts
    assert loaded.context == {"trials": counted.trials}
    assert loaded.paths.equals(found.paths)
    assert loaded.splits.equals(found.splits)


def test_what_cannot_be_cross_validated_is_refused_before_any_work(bars: Panel) -> None:
    search = SEARCHES["crossings"]
    clash = grid(catalogue.strategy(enter="close > split", exit="close < 0", split=1), split=[1, 2])
    for asked, message in (
        ((search, Groups(groups=3, test_groups=3)), "leave none to train on"),
        ((search, Groups(groups=30, test_groups=10)), "the limit is 10,000"),
        ((search, Groups(groups=5, test_groups=3, purge=200)), "leave nothing to train on"),
        ((clash, Groups()), "has a column split already"),
    ):
        with pytest.raises(InvalidInput, match=message):
            CrossValidation(asked[0], bars, "test", COSTS, asked[1])
    with pytest.raises(InvalidInput, match="cannot be read"):
        CrossValidated.load("/nowhere")
