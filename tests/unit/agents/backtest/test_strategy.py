"""Strategies as data: what the built-ins decide, how parameters are checked, and what a bad file is told."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from agents.backtest import catalogue
from agents.backtest.orders import Orders
from agents.backtest.strategy import Bound
from agents.expr import AgentVotes
from agents.expr.conditions import Above, Always, And, Crosses
from agents.indicators.graph import Line
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput, NotFound
from data.contracts.panel import Panel
from tests.unit.agents.conftest import MakePanel

BUILTINS = (
    *("bollinger_reversion", "buy_and_hold", "consensus", "donchian_breakout", "ema_cross", "macd", "momentum_rank"),
    *("pairs_zscore", "rsi_reversion", "sma_cross", "supertrend", "vol_target"),
)
ARRAYS = ("enter", "exit", "short_enter", "short_exit", "stop", "target", "trail", "size")
SHORT: dict[str, dict[str, Any]] = {  # windows that leave something to trade on 420 bars
    "pairs_zscore": {"other": "S001", "window": 20},
    "vol_target": {"window": 60, "volatility_window": 20},
    "momentum_rank": {"window": 20, "top": 1},
}


@pytest.fixture(scope="module")
def panel(make_panel: MakePanel) -> Panel:
    return make_panel(21, (420, 420, 300))


def bound(name: str, **values: Any) -> Bound:
    return catalogue.builtin(name).bind(**{**SHORT.get(name, {}), **values})


def no_votes(term: str) -> Floats:
    raise AssertionError(f"nobody may be asked for {term}")


def one(panel: Panel) -> tuple[Panel, pd.DataFrame]:
    """Its first symbol, and the same in pandas."""
    first = panel.of("S000")
    names = ("open", "high", "low", "close", "volume")
    return first, pd.DataFrame({name: getattr(first, name) for name in names})


# -- the built-ins ----------------------------------------------------------------------------------------------


def test_the_built_ins_are_these_and_each_says_when_it_trades_and_where_it_comes_from() -> None:
    assert tuple(catalogue.builtins()) == BUILTINS
    for name, strategy in catalogue.builtins().items():
        assert strategy.name == name
        assert len(strategy.description) > 20
        assert strategy.description.count(". ") == 0  # one sentence
        assert strategy.source
        assert all(param.description for param in strategy.params)


@pytest.mark.parametrize("name", BUILTINS)
def test_every_built_in_trades_and_no_decision_depends_on_later_bars(name: str, make_panel: MakePanel) -> None:
    panel = make_panel(21, (420, 420, 300))
    strategy = bound(name, **({"buy": 0.05, "sell": -0.05} if name == "consensus" else {}))
    whole = strategy.evaluate(panel, AgentVotes(panel))
    assert whole.enter.any()
    assert whole.exit.any() or strategy.strategy.exit is None
    for moment in panel.sessions[[150, 260, 418]]:
        past = panel.until(int(moment))
        cut = strategy.evaluate(past, AgentVotes(past))
        for array in ARRAYS:
            np.testing.assert_array_equal(getattr(cut, array), getattr(whole, array)[panel.ts <= moment])


def test_the_consensus_trades_on_what_all_agents_say(make_panel: MakePanel) -> None:
    panel = make_panel(5, (700, 500))
    votes = AgentVotes(panel)
    orders = bound("consensus", buy=0.1, sell=-0.1).evaluate(panel, votes)
    score = votes("consensus.score")
    np.testing.assert_array_equal(orders.enter, score > 0.1)
    np.testing.assert_array_equal(orders.exit, score < -0.1)
    assert orders.enter.any()
    assert orders.exit.any()


def test_averages_cross_as_the_definition_says(panel: Panel) -> None:
    first, frame = one(panel)
    fast, slow = (frame["close"].rolling(window).mean() for window in (5, 20))
    orders = bound("sma_cross", fast=5, slow=20).evaluate(first, no_votes)
    np.testing.assert_array_equal(orders.enter, (fast > slow) & (fast.shift(1) <= slow.shift(1)))
    np.testing.assert_array_equal(orders.exit, (fast < slow) & (fast.shift(1) >= slow.shift(1)))
    assert orders.enter.sum() > 3
    assert not orders.short_enter.any()
    assert np.isnan(orders.size).all()


def test_a_breakout_is_of_the_channel_of_the_bars_before(panel: Panel) -> None:
    first, frame = one(panel)
    orders = bound("donchian_breakout", window=15, exit_window=7).evaluate(first, no_votes)
    np.testing.assert_array_equal(orders.enter, frame["close"] > frame["high"].rolling(15).max().shift(1))
    np.testing.assert_array_equal(orders.exit, frame["close"] < frame["low"].rolling(7).min().shift(1))


def test_a_pair_trades_the_log_ratio_both_ways(panel: Panel) -> None:
    first, frame = one(panel)
    ratio = pd.Series(np.log(frame["close"].to_numpy() / panel.of("S001").close))
    z = (ratio - ratio.rolling(20).mean()) / ratio.rolling(20).std(ddof=0)
    orders = bound("pairs_zscore", open_at=1.5).evaluate(panel, no_votes)
    rows = slice(0, len(first))
    np.testing.assert_array_equal(orders.enter[rows], z < -1.5)
    np.testing.assert_array_equal(orders.exit[rows], z >= 0)
    np.testing.assert_array_equal(orders.short_enter[rows], z > 1.5)
    np.testing.assert_array_equal(orders.short_exit[rows], z <= 0)


def test_momentum_holds_the_best_of_each_session(panel: Panel) -> None:
    orders = bound("momentum_rank", window=20, top=1).evaluate(panel, no_votes)
    frame = pd.DataFrame({"ts": panel.ts, "close": panel.close})
    symbol = np.repeat(np.arange(len(panel.symbols)), np.diff(panel.offsets))
    frame["roc"] = frame.groupby(symbol)["close"].pct_change(20)
    best = frame.groupby("ts")["roc"].rank(method="min", ascending=False)
    np.testing.assert_array_equal(orders.enter, best == 1)
    np.testing.assert_array_equal(orders.exit, best > 1)


def test_the_size_falls_as_volatility_rises_and_is_never_above_all(panel: Panel) -> None:
    first, frame = one(panel)
    orders = bound("vol_target", volatility=0.1).evaluate(first, no_votes)
    returns = np.log(frame["close"]).diff()
    yearly = np.sqrt((returns**2).rolling(20).mean() * 252)
    np.testing.assert_allclose(orders.size, np.minimum(1.0, 0.1 / yearly), rtol=1e-9)
    assert not orders.enter[np.isnan(orders.size)].any()


# -- stops, targets, sizes --------------------------------------------------------------------------------------


def test_levels_are_distances_evaluated_on_every_bar(panel: Panel) -> None:
    first, frame = one(panel)
    strategy = catalogue.strategy(
        enter="close > open", exit="close < open", stop="width * atr(14)", target="0.05 * close", trail="3", width=2
    )
    orders = strategy.bind().evaluate(first, no_votes)
    np.testing.assert_allclose(orders.target, 0.05 * frame["close"])
    np.testing.assert_array_equal(orders.trail, np.full(len(first), 3.0))
    assert np.isnan(orders.stop).sum() == 14
    np.testing.assert_array_equal(orders.enter, (frame["close"] > frame["open"]) & ~np.isnan(orders.stop))


def test_nothing_is_entered_while_a_level_is_unknown_or_not_above_0(panel: Panel) -> None:
    first, frame = one(panel)
    asked = catalogue.strategy(enter="true", short_enter="close < open", size="close - open").bind()
    orders = asked.evaluate(first, no_votes)
    np.testing.assert_array_equal(orders.enter, frame["close"] > frame["open"])
    assert not orders.short_enter.any()
    with pytest.raises(InvalidInput, match=r"custom: stop must be above 0; 0 is 0 here"):
        catalogue.strategy(enter="true", stop="0").bind().conditions()


def test_a_sweep_gets_the_same_decisions_as_data() -> None:
    cross = bound("sma_cross", fast=5, slow=20)
    assert isinstance(cross.conditions().enter, Crosses)
    assert cross.conditions().short_enter == Always(False)
    assert cross.levels() == (None, None, None, None)
    guarded = catalogue.strategy(enter="close > open", stop="2 * atr(14)").bind()
    stop = guarded.levels().stop
    assert isinstance(stop, Line)
    enter = guarded.conditions().enter
    assert isinstance(enter, And)
    assert enter.b == Above(stop, 0.0)
    assert [head.name for head in bound("momentum_rank").heads()] == ["rank(roc(20))"]


# -- parameters -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("sma_cross", {"fast": 0}, "sma_cross: fast must lie between 1 and 2000, not 0"),
        ("sma_cross", {"fast": 2.5}, "sma_cross: fast must be a whole number, not 2.5"),
        ("sma_cross", {"fast": "10"}, "sma_cross: fast must be a number, not '10'"),
        ("sma_cross", {"fast": True}, "sma_cross: fast must be a number, not True"),
        ("sma_cross", {"fast": float("nan")}, "sma_cross: fast must lie between"),
        ("sma_cross", {"fats": 10}, "sma_cross has no parameter 'fats'; it has: fast, slow"),
        ("sma_cross", {"fast": 30, "slow": 30}, "sma_cross needs fast < slow, which fast=30, slow=30 is not"),
        ("rsi_reversion", {"low": 80.0}, "rsi_reversion needs low < high, which low=80.0, high=70.0 is not"),
        ("pairs_zscore", {}, "pairs_zscore needs a value for other (the symbol to compare with)"),
        ("pairs_zscore", {"other": 3}, "pairs_zscore: other must name a symbol, not 3"),
        ("buy_and_hold", {"fast": 3}, "buy_and_hold has no parameter 'fast'; it has: none"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_strategy_and_parameter(
    name: str, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        catalogue.builtin(name).bind(**values)
    assert message in str(refused.value)


def test_defaults_fill_in_and_whole_numbers_stay_whole() -> None:
    cross = catalogue.builtin("sma_cross").bind(fast=np.int64(7))
    assert cross.values == {"fast": 7, "slow": 30}
    assert all(type(value) is int for value in cross.values.values())
    assert catalogue.builtin("rsi_reversion").bind(low=25).values["low"] == 25.0


def test_identity_names_the_values_and_family_leaves_them_out() -> None:
    one, other = bound("sma_cross", fast=5), bound("sma_cross", fast=6)
    assert one.identity.startswith("sma_cross(fast=5, slow=30) [")
    assert one.identity != other.identity
    assert one.family == other.family == "enter: sma(_) crosses_above sma(_); exit: sma(_) crosses_below sma(_)"
    ad_hoc = catalogue.strategy(enter="sma(8) crosses_above sma(21)", exit="sma(8) crosses_below sma(21)").bind()
    assert ad_hoc.family == one.family  # the same trials, whatever the name


def test_what_a_strategy_needs_is_known_before_it_runs() -> None:
    assert catalogue.builtin("momentum_rank").scope == "universe"
    assert catalogue.builtin("pairs_zscore").scope == "universe"
    assert catalogue.builtin("sma_cross").scope == "symbol"
    assert catalogue.builtin("sma_cross").agents == ()
    assert "trend" in catalogue.builtin("consensus").agents


def test_a_bound_strategy_survives_a_pickle(panel: Panel) -> None:
    cross = bound("sma_cross", fast=5)
    before = cross.evaluate(panel, no_votes)
    again: Bound = pickle.loads(pickle.dumps(cross))  # noqa: S301
    assert again == cross
    np.testing.assert_array_equal(again.evaluate(panel, no_votes).enter, before.enter)


# -- expressions typed ad hoc, and files ------------------------------------------------------------------------


def test_an_ad_hoc_strategy_takes_a_value_for_every_free_name() -> None:
    found = catalogue.strategy(enter="sma(fast) > sma(slow)", exit="close < other.close", fast=5, slow=20, other="SPY")
    assert {param.name: (param.default, param.whole, param.kind) for param in found.params} == {
        "fast": (5, True, "number"),
        "slow": (20, True, "number"),
        "other": ("SPY", False, "symbol"),
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "custom never enters; give it enter or short_enter"),
        ({"enter": "close"}, "custom: enter must be true or false; 'close' is not"),
        ({"enter": "true", "stop": "close > 3"}, "custom: stop must be a number"),
        ({"enter": "true", "short_exit": "true"}, "custom has short_exit but no short_enter"),
        ({"enter": "sma(fats) > close", "fast": 3}, "custom: enter: at character 5 ('fats'): there is nothing called"),
        ({"enter": "close > 1", "fast": 3}, "custom: the parameter 'fast' is used nowhere"),
        ({"enter": "close > fees", "fees": 3}, "cannot be called 'fees': backtests use that word"),
        ({"enter": "close > rank_", "rank_": None}, "rank_ must be a number or a symbol, not None"),
        ({"enter": "close > other", "other": "SPY"}, "custom: other is used as a number"),
        ({"enter": "true", "where": "close > 1"}, "custom: where may speak of parameters only"),
    ],
)
def test_rules_that_do_not_fit_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        catalogue.strategy(**given)
    assert message in str(refused.value)


GOOD: dict[str, Any] = {
    "name": "mine",
    "params": {"fast": {"default": 10, "low": 2, "high": 50}, "width": {"default": 2.0, "low": 0.5, "high": 9}},
    "enter": "close > sma(fast)",
    "exit": "close < sma(fast)",
    "stop": "width * atr(14)",
    "size": 0.5,
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": None}, "mine.yaml: name is missing"),
        ({"name": 3}, "mine.yaml: name must be a text, not 3"),
        ({"entre": "true"}, "mine.yaml: there is no key entre; did you mean enter?"),
        ({"enter": "close > sme(fast)"}, "mine.yaml: enter: at character 9 ('sme'): there is no indicator"),
        ({"enter": ["a"]}, "mine.yaml: enter: an expression is a text such as rsi(14) < 30, not list"),
        ({"enter": None, "exit": None}, "mine.yaml: mine never enters"),
        ({"params": [1]}, "mine.yaml: params must be a mapping"),
        ({"params": {"fast": 10}}, "mine.yaml: params.fast must be a mapping"),
        ({"params": {"fast": {"default": 1, "lo": 2}}}, "mine.yaml: there is no key params.fast.lo; did you mean low"),
        ({"params": {"fast": {"default": 1, "high": 2}}}, "mine.yaml: params.fast.low must be a number, the lowest"),
        ({"params": {"fast": {"default": 1, "low": 3, "high": 2}}}, "mine.yaml: params.fast.low is above its high"),
        ({"params": {"fast": {"default": 1, "low": 0, "high": 2, "kind": "text"}}}, "kind must be number or symbol"),
        ({"params": {"fast": {"default": 1, "low": 0, "high": 2, "whole": 1}}}, "whole must be true or false, not 1"),
        ({"params": {"fast": {"kind": "symbol", "low": 1}}}, "params.fast is a symbol; it has no low"),
        (
            {"params": {**GOOD["params"], "fast": {"default": 99, "low": 2, "high": 50}}},
            "fast must lie between 2 and 50",
        ),
        ({"params": {**GOOD["params"], "cash": {"default": 9, "low": 2, "high": 50}}}, "cannot be called 'cash'"),
        ({"params": {**GOOD["params"], "spare": {"default": 9, "low": 2, "high": 50}}}, "'spare' is used nowhere"),
    ],
)
def test_a_bad_file_is_told_file_key_and_remedy(change: dict[str, Any], message: str) -> None:
    content = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(InvalidInput) as refused:
        catalogue.load(yaml.safe_dump(content), origin="mine.yaml")
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("", "mine.yaml: expected keys and values"),
        ("- a\n- b\n", "mine.yaml: expected keys and values"),
        ("1: 2\n", "mine.yaml: expected keys and values"),
        ("enter: [unclosed", "mine.yaml: this is not YAML"),
        ("enter: true\nenter: false\n", "mine.yaml: this is not YAML: the key 'enter' stands there twice"),
        ("name: !!python/object/apply:os.system ['true']", "mine.yaml: this is not YAML"),
        ("a: &a [1]\nb: *a\n", "mine.yaml: YAML aliases (*name) are not allowed"),
        ("x" * 70_000, "mine.yaml: 64 KiB are allowed"),
        ("[" * 30_000, "mine.yaml: this is not YAML"),
    ],
)
def test_what_is_no_mapping_is_refused(written: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        catalogue.load(written, origin="mine.yaml")
    assert message in str(refused.value)


def test_a_file_is_found_by_its_path_and_a_built_in_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(GOOD))
    mine = catalogue.find(str(file))
    assert (mine.name, mine.bind(fast=5).values) == ("mine", {"fast": 5, "width": 2.0})
    assert mine.bind().levels().size == 0.5
    assert catalogue.find("macd") is catalogue.builtin("macd")
    with pytest.raises(InvalidInput, match="cannot read the strategy"):
        catalogue.find(str(tmp_path / "none.yaml"))
    with pytest.raises(NotFound, match="there is no strategy 'sma_cros'; did you mean sma_cross"):
        catalogue.find("sma_cros")
    (tmp_path / "large.yaml").write_bytes(b"#" * 70_000)
    with pytest.raises(InvalidInput, match="at most 64 KiB"):
        catalogue.find(str(tmp_path / "large.yaml"))


def test_orders_of_different_lengths_or_types_are_refused() -> None:
    three = np.zeros(3, np.bool_)
    with pytest.raises(InvalidInput, match=r"orders need \(3,\) bool for exit"):
        Orders.of(three, np.zeros(2, np.bool_))
    with pytest.raises(InvalidInput, match=r"orders need \(3,\) float64 for size"):
        Orders.of(three, three, size=np.zeros(3, np.int64))
