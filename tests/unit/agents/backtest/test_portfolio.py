"""Shared cash: who gets the slots, how much, when it is set back, and that no money comes from nowhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.backtest.engine import backtest
from agents.backtest.orders import Orders
from agents.backtest.result import Result
from agents.backtest.rules import Rules
from agents.backtest.simulation import Simulation
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel
from tests.unit.agents.backtest.market import Bar, decisions, flat, markets, orders, panel, weekdays


def shared(*symbols: list[Bar], rank: list[float] | None = None, wanted: dict[str, Any], **rules: Any) -> Result:
    """Rows of the symbols lie end to end: row 0 of the second is len(first)."""
    market = panel(*symbols)
    return backtest(
        market,
        orders(len(market), **wanted),
        Rules(cash=1000.0, mode="portfolio", rank=None if rank is None else "by hand", **rules),
        rank=None if rank is None else np.array(rank),
        benchmark=None,
    )


def opened(result: Result) -> dict[str, float]:
    """Money put into each symbol."""
    rows = result.trades.with_columns(value=result.trades["shares"] * result.trades["entry_price"])
    return dict(rows.select("symbol", "value").rows())


def equity(result: Result) -> list[float]:
    return result.equity["equity"].to_list()


def test_without_a_limit_each_symbol_may_take_its_even_share() -> None:
    found = shared(flat(10, 10, 20), flat(10, 10, 10), wanted={"enter": [0, 3]})
    assert opened(found) == {"A": 500.0, "B": 500.0}
    assert equity(found) == [1000.0, 1000.0, 1500.0]


def test_slots_go_to_the_largest_ranks_and_a_symbol_without_a_rank_gets_none() -> None:
    three = [flat(10, 10, 10)] * 4
    found = shared(
        *three, rank=[1.0] * 3 + [3.0] * 3 + [2.0] * 3 + [np.nan] * 3, wanted={"enter": [0, 3, 6, 9]}, max_positions=2
    )
    assert opened(found) == {"B": 500.0, "C": 500.0}
    assert found.context["orders"]["without_slot"] == 1


def test_equal_ranks_go_by_the_order_of_symbols() -> None:
    found = shared(*[flat(10, 10, 10)] * 3, rank=[5.0] * 9, wanted={"enter": [0, 3, 6]}, max_positions=2)
    assert set(opened(found)) == {"A", "B"}


def test_the_rank_is_that_of_the_decision_bar() -> None:
    found = shared(flat(10, 10), flat(10, 10), rank=[1.0, 9.0, 2.0, 0.0], wanted={"enter": [0, 2]}, max_positions=1)
    assert set(opened(found)) == {"B"}


def test_an_exit_makes_room_for_an_entry_at_the_same_open() -> None:
    found = shared(flat(10, 10, 20, 20), flat(10, 10, 10, 15), wanted={"enter": [0, 5], "leave": [1]}, max_positions=1)
    assert opened(found) == {"A": 1000.0, "B": 2000.0}
    assert equity(found) == [1000.0, 1000.0, 2000.0, 3000.0]


def test_a_size_is_a_fraction_of_the_whole_equity_as_far_as_the_cash_goes() -> None:
    found = shared(*[flat(10, 10, 10)] * 3, wanted={"enter": [0, 3, 6], "size": 0.45})
    assert opened(found) == pytest.approx({"A": 450.0, "B": 450.0, "C": 100.0})


def test_who_finds_no_money_is_counted() -> None:
    found = shared(*[flat(10, 10, 10)] * 3, wanted={"enter": [0, 3, 6], "size": 0.5})
    assert opened(found) == pytest.approx({"A": 500.0, "B": 500.0})
    assert found.context["orders"]["without_money"] == 1


@pytest.mark.parametrize(("limits", "most"), [({"max_exposure": 0.6}, 600.0), ({"leverage": 1.5}, 1500.0)])
def test_gross_exposure_stays_under_its_limit(limits: dict[str, Any], most: float) -> None:
    found = shared(*[flat(10, 10, 10)] * 2, wanted={"enter": [0], "short": [3], "size": 0.9}, **limits)
    assert sum(opened(found).values()) == pytest.approx(most)
    assert found.equity["exposure"][-1] == pytest.approx(most / 1000.0)


def test_rebalancing_sells_what_grew_and_buys_what_fell_at_the_open() -> None:
    found = shared(flat(10, 10, 20, 20, 20), flat(10, 10, 10, 10, 20), wanted={"enter": [0, 5]}, rebalance=3)
    # 50 shares each; at the third session's open 1000 and 500: both back to 750
    assert equity(found) == [1000.0, 1000.0, 1500.0, 1500.0, 2250.0]
    rows = {row["symbol"]: row for row in found.trades.to_dicts()}
    assert rows["B"]["shares"] == pytest.approx(75.0)
    assert rows["A"]["pnl"] == pytest.approx(500.0)
    assert rows["B"]["pnl"] == pytest.approx(750.0)


def test_a_rebalanced_position_that_is_sold_again_is_one_trade_with_average_prices() -> None:
    found = shared(
        flat(10, 10, 20, 20, 20, 20), flat(10, 10, 10, 10, 10, 10), wanted={"enter": [0, 6], "leave": [4]},
        rebalance=3, fees=0.01,
    )  # fmt: skip
    row = found.trades.filter(found.trades["symbol"] == "A").to_dicts()[0]
    assert row["reason"] == "exit"
    assert row["exit_price"] == pytest.approx(20.0)
    bought = row["shares"]
    assert row["fees"] == pytest.approx(0.01 * (bought * 10.0 + bought * 20.0))
    assert found.trades["pnl"].sum() == pytest.approx(equity(found)[-1] - 1000.0)


def test_volume_cuts_entries_and_exits_over_it_are_filled_whole_and_named() -> None:
    market = panel(flat(10, 10, 10, 10), volume=50.0)
    rules = Rules(cash=1000.0, mode="portfolio", volume_limit=0.5)
    found = backtest(market, orders(4, enter=[0], leave=[2]), rules, benchmark=None)
    assert found.trades["shares"].item() == 25.0
    assert any("1 entries were cut to 50.00%" in text for text in found.warnings)


def test_by_symbol_only_what_follows_from_trades_is_defined() -> None:
    found = shared(flat(10, 10, 20, 20), flat(10, 10, 10, 10), wanted={"enter": [0], "leave": [1]})
    assert found.by_symbol["A"]["win_rate"] == 1.0
    assert found.by_symbol["A"]["sharpe"] is None
    assert found.reasons_by_symbol["A"]["sharpe"] == "symbols share the cash and have no equity of their own"
    assert found.by_symbol["B"]["trades"] == 0


def test_exposure_is_the_share_of_sessions_with_a_position() -> None:
    found = shared(flat(10, 10, 20, 20), flat(10, 10, 10, 10), wanted={"enter": [0], "leave": [1]})
    assert found.metrics["exposure"] == 0.25


def test_who_loses_all_is_closed_out_in_every_symbol() -> None:
    days = weekdays(4)
    market = panel(flat(10, 10, 45, 45), flat(10, 10, 10), ts=[days, [days[0], days[1], days[3]]])
    found = backtest(
        market, orders(7, short=[0, 4], enter=[2, 3]), Rules(cash=1000.0, mode="portfolio"), benchmark=None
    )
    assert set(found.trades["reason"]) == {"ruin"}
    assert equity(found) == [1000.0, 1000.0, -750.0, -750.0]
    assert found.trades.filter(found.trades["symbol"] == "B")["exit_ts"].to_physical().to_list() == [days[1]]


def test_a_rank_needs_its_values() -> None:
    market = panel(flat(10, 10))
    with pytest.raises(InvalidInput, match="come together"):
        backtest(market, orders(2), Rules(mode="portfolio", rank="roc(60)"))


# -- properties --------------------------------------------------------------------------------------------------------

anything = st.builds(
    lambda fees, slippage, fill, leverage, borrow, per_trade, rest: {
        "cash": 1000.0, "fees": fees, "slippage": slippage, "fill": fill, "leverage": leverage, "borrow": borrow,
        "fee_per_share": per_trade / 100.0, "fee_per_trade": per_trade, **rest,
    },
    st.sampled_from([0.0, 0.01]),
    st.sampled_from([0.0, 0.005]),
    st.sampled_from(["next_open", "close"]),
    st.sampled_from([1.0, 1.5]),
    st.sampled_from([0.0, 0.2]),
    st.sampled_from([0.0, 1.0]),
    st.sampled_from([{}, {"volume_limit": 0.02}]),
)  # fmt: skip
limits = st.fixed_dictionaries(
    {},
    optional={
        "max_positions": st.integers(1, 3),
        "rebalance": st.integers(1, 6),
        "max_exposure": st.sampled_from([0.5, 1.0, 1.3]),
    },
)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), market=markets(), rules=anything)
def test_one_symbol_with_all_the_cash_is_the_same_in_both_modes(
    data: st.DataObject, market: Panel, rules: dict[str, Any]
) -> None:
    """Two kernels written apart agree; exposure has room for what fees and moves of price add."""
    wanted = data.draw(decisions(len(market)))
    apart = Simulation(market, wanted, Rules(**rules)).run()
    room = Rules(**rules, mode="portfolio", max_exposure=2.0 * rules["leverage"])
    together = Simulation(market, wanted, room).run()
    np.testing.assert_allclose(together.equity, apart.equity, rtol=1e-9, atol=1e-7)
    np.testing.assert_array_equal(together.trades.whole, apart.trades.whole)
    np.testing.assert_allclose(together.trades.real, apart.trades.real, rtol=1e-9, atol=1e-9)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), market=markets(symbols=4), rules=anything, limit=limits)
def test_no_money_comes_from_nowhere_and_slots_are_not_exceeded(
    data: st.DataObject, market: Panel, rules: dict[str, Any], limit: dict[str, Any]
) -> None:
    wanted = data.draw(decisions(len(market)))
    run = Simulation(market, wanted, Rules(**rules, **limit, mode="portfolio")).run()
    assert run.equity[-1] - 1000.0 == pytest.approx(run.trades.pnl.sum(), rel=1e-9, abs=1e-6)
    assert np.all(run.trades.real[:, 0] > 0.0)
    held = np.zeros(market.sessions.size, np.int64)
    np.add.at(held, np.searchsorted(market.sessions, market.ts), run.position != 0.0)
    assert held.max() <= limit.get("max_positions", 4)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), market=markets(symbols=3), limit=limits)
def test_long_only_without_leverage_never_spends_more_than_there_is(
    data: st.DataObject, market: Panel, limit: dict[str, Any]
) -> None:
    wanted = data.draw(decisions(len(market), long_only=True))
    rules = Rules(cash=1000.0, fees=0.01, slippage=0.005, mode="portfolio", **{**limit, "max_exposure": 1.0})
    run = Simulation(market, wanted, rules).run()
    assert np.all(run.equity > 0.0)
    assert np.all(run.gross <= run.equity * (1.0 + 1e-9))


@settings(max_examples=100, deadline=None)
@given(data=st.data(), market=markets(symbols=3), rules=anything, limit=limits)
def test_what_happened_does_not_change_when_the_future_is_cut_off(
    data: st.DataObject, market: Panel, rules: dict[str, Any], limit: dict[str, Any]
) -> None:
    """All three symbols are cut at one session after the last of them has begun."""
    wanted = data.draw(decisions(len(market)))
    begun = max(int(market.ts[lo]) for lo in market.offsets[:-1])
    later = market.sessions[market.sessions >= begun]
    until = int(data.draw(st.sampled_from(list(later))))
    kept = market.ts <= until
    names = ("enter", "exit", "short_enter", "short_exit", "stop", "target", "trail", "size")
    first = Orders(*(getattr(wanted, name)[kept] for name in names))
    given_rules = Rules(**rules, **limit, mode="portfolio")
    whole = Simulation(market, wanted, given_rules).run()
    cut = Simulation(market.until(until), first, given_rules).run()
    np.testing.assert_array_equal(cut.equity, whole.equity[: cut.equity.size])
    np.testing.assert_array_equal(cut.position, whole.position[kept])
