"""Fills, costs and stops, bar by bar, against what section "Fills" and "Stops" of docs/backtests.md say they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.backtest.engine import backtest
from agents.backtest.orders import Orders
from agents.backtest.result import Result
from agents.backtest.rules import Rules, rate
from agents.backtest.simulation import Simulation, bars_of_a_year
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel
from tests.unit.agents.backtest import plain
from tests.unit.agents.backtest.market import DAY, MONDAY, Bar, decisions, flat, markets, orders, panel, weekdays

COSTS: dict[str, Any] = {"cash": 1000.0, "fees": 0.01, "slippage": 0.02}
RISING = [(10.0, 11.0, 9.0, 10.5), (11.0, 12.0, 10.0, 11.5), (12.0, 13.0, 11.0, 12.5), (13.0, 14.0, 12.0, 13.5)]


def run(bars: list[Bar], rules: dict[str, Any], **wanted: Any) -> Result:
    return backtest(panel(bars), orders(len(bars), **wanted), Rules(**rules))


def fills(result: Result) -> list[tuple[str, float, float | None, str]]:
    """side, entry price, exit price, reason of each trade."""
    return result.trades.select("side", "entry_price", "exit_price", "reason").rows()


def equity(result: Result) -> list[float]:
    return result.equity["equity"].to_list()


# -- fills and costs ---------------------------------------------------------------------------------------------------


def test_a_decision_fills_at_the_next_open_with_slippage_and_a_fee_on_each_side() -> None:
    found = run(RISING, COSTS, enter=[0], leave=[2])
    shares = 1000.0 / 1.01 / (11.0 * 1.02)
    assert found.trades["shares"].to_list() == pytest.approx([shares], rel=1e-12)
    assert fills(found) == [("long", 11.0 * 1.02, 13.0 * 0.98, "exit")]
    last = shares * 13.0 * 0.98 * 0.99
    assert equity(found) == pytest.approx([1000.0, shares * 11.5, shares * 12.5, last], rel=1e-12)
    assert found.metrics["fees_paid"] == pytest.approx(0.01 * shares * (11.0 * 1.02 + 13.0 * 0.98), rel=1e-12)
    assert found.trades["pnl"].item() == pytest.approx(last - 1000.0, rel=1e-12)


def test_fill_close_fills_at_the_close_of_the_decision_and_is_marked_as_optimistic() -> None:
    found = run(RISING, {**COSTS, "fill": "close"}, enter=[0], leave=[2])
    assert fills(found) == [("long", 10.5 * 1.02, 12.5 * 0.98, "exit")]
    assert any("optimistic" in text for text in found.warnings)


def test_no_next_bar_no_fill() -> None:
    found = run(RISING, COSTS, enter=[3])
    assert found.metrics["trades"] == 0
    assert equity(found) == [1000.0] * 4
    assert any("no order was filled" in text for text in found.warnings)


def test_an_exit_decided_on_the_last_bar_leaves_the_position_open() -> None:
    assert fills(run(RISING, COSTS, enter=[0], leave=[3])) == [("long", 11.0 * 1.02, None, "open")]


def test_an_open_position_is_marked_at_the_last_close_counts_as_a_trade_and_pays_no_exit_fee() -> None:
    found = run(RISING, COSTS, enter=[0])
    shares = 1000.0 / 1.01 / (11.0 * 1.02)
    assert found.metrics["trades"] == 1
    assert found.metrics["win_rate"] is None
    assert equity(found)[-1] == pytest.approx(shares * 13.5, rel=1e-12)
    assert found.metrics["fees_paid"] == pytest.approx(0.01 * shares * 11.0 * 1.02, rel=1e-12)


def test_a_short_sells_what_cash_pays_for_and_holds_the_proceeds() -> None:
    found = run(RISING, COSTS, short=[0], cover=[1])
    price = 11.0 * 0.98
    shares = 1000.0 / 1.01 / price
    money = 1000.0 + shares * price * 0.99
    assert fills(found) == [("short", price, 12.0 * 1.02, "exit")]
    after = money - shares * 12.0 * 1.02 * 1.01
    assert equity(found) == pytest.approx([1000.0, money - shares * 11.5, after, after], rel=1e-12)


def test_borrow_is_charged_by_calendar_day_so_a_weekend_costs_three() -> None:
    bars = flat(*[10.0] * 7)  # Monday … Friday, Monday, Tuesday
    found = run(bars, {"cash": 1000.0, "borrow": 0.365}, short=[2], cover=[5])
    assert found.trades["shares"].item() == 100.0
    # sold at Thursday's open, bought back at Tuesday's: Friday 1 day, Monday 3, Tuesday 1; 1000 · 0.001 a day
    assert equity(found) == pytest.approx([1000, 1000, 1000, 1000, 999, 996, 995], rel=1e-12)
    assert found.trades["borrow"].item() == pytest.approx(5.0, rel=1e-12)
    assert found.context["orders"]["borrow_paid"] == pytest.approx(5.0, rel=1e-12)


@pytest.mark.parametrize(
    ("size", "leverage", "invested"),
    [(0.25, 1.0, 250.0), (1.7, 1.0, 1000.0), (1.7, 2.0, 1700.0), (3.0, 2.0, 2000.0), (np.nan, 2.0, 1000.0)],
)
def test_size_is_a_fraction_of_equity_and_at_most_the_leverage(size: float, leverage: float, invested: float) -> None:
    found = run(flat(10.0, 10.0, 11.0), {"cash": 1000.0, "leverage": leverage}, enter=[0], size=size)
    assert equity(found)[-1] == pytest.approx(1000.0 + 0.1 * invested, rel=1e-12)


@pytest.mark.parametrize("size", [0.0, -0.5])
def test_a_size_that_is_not_above_zero_opens_nothing(size: float) -> None:
    assert run(RISING, COSTS, enter=[0], size=size).metrics["trades"] == 0


def test_fees_per_share_and_per_trade_come_out_of_the_same_cash() -> None:
    rules = {"cash": 1000.0, "fees": 0.01, "fee_per_share": 0.05, "fee_per_trade": 2.0}
    found = run(flat(10.0, 10.0, 10.0, 10.0), rules, enter=[0], leave=[1])
    shares = (1000.0 - 2.0) / (10.0 * 1.01 + 0.05)
    side = shares * 10.0 * 0.01 + shares * 0.05 + 2.0
    assert found.trades["fees"].item() == pytest.approx(2.0 * side, rel=1e-12)
    assert equity(found)[-1] == pytest.approx(1000.0 - 2.0 * side, rel=1e-12)


def test_an_entry_takes_at_most_its_share_of_the_bars_volume_and_the_rest_is_dropped_by_name() -> None:
    bars = flat(10.0, 10.0, 11.0, 11.0)
    found = backtest(panel(bars, volume=200.0), orders(4, enter=[0], leave=[1]), Rules(cash=10_000.0, volume_limit=0.1))
    assert found.trades["shares"].item() == pytest.approx(20.0)
    assert any("1 entries were cut to 10.00%" in text for text in found.warnings)


def test_who_loses_all_is_closed_out_and_opens_nothing_more() -> None:
    found = run(flat(10.0, 10.0, 25.0, 5.0, 5.0, 5.0), {"cash": 1000.0}, short=[0, 2, 3])
    assert fills(found) == [("short", 10.0, 25.0, "ruin")]
    assert equity(found) == [1000.0, 1000.0, -500.0, -500.0, -500.0, -500.0]
    assert found.metrics["sharpe"] is None
    assert "zero or below" in found.reasons["sharpe"]
    assert any("money was gone" in text for text in found.warnings)


# -- what is decided when ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("enter", {"enter"}, [("long", "open")]),
        ("enter", {"leave"}, [("long", "exit")]),
        ("enter", {"enter", "leave"}, [("long", "exit")]),
        ("enter", {"short"}, [("long", "open")]),
        ("enter", {"leave", "short"}, [("long", "exit"), ("short", "open")]),
        ("enter", {"leave", "short", "cover"}, [("long", "exit")]),
        ("enter", {"leave", "short", "enter"}, [("long", "exit")]),
        ("enter", {"cover"}, [("long", "open")]),
        ("short", {"cover"}, [("short", "exit")]),
        ("short", {"short", "cover"}, [("short", "exit")]),
        ("short", {"cover", "enter"}, [("short", "exit"), ("long", "open")]),
        ("short", {"enter"}, [("short", "open")]),
        ("leave", {"enter", "leave"}, []),
        ("leave", {"short", "cover"}, []),
        ("leave", {"enter", "short"}, []),
        ("leave", {"leave"}, []),
        ("leave", {"enter", "cover"}, [("long", "open")]),
    ],
)
def test_what_holds_together_on_one_bar(first: str, second: set[str], expected: list[tuple[str, str]]) -> None:
    wanted: dict[str, list[int]] = {name: [1] for name in second}
    wanted[first] = [0, *wanted.get(first, [])]
    found = run(RISING, {"cash": 1000.0}, **wanted)
    assert [(side, reason) for side, _, _, reason in fills(found)] == expected


def test_a_reversal_is_two_fills_at_one_open() -> None:
    found = run(RISING, {"cash": 1000.0}, enter=[0], leave=[1], short=[1])
    assert fills(found) == [("long", 11.0, 12.0, "exit"), ("short", 12.0, None, "open")]
    assert found.trades["exit_ts"][0] == found.trades["entry_ts"][1]


# -- stops -------------------------------------------------------------------------------------------------------------

LEVELS: list[tuple[str, list[Bar], dict[str, Any], tuple[float | None, str]]] = [
    ("a stop below the fill", [*flat(10, 10), (10, 10, 8, 9)], {"stop": 1.5}, (8.5 * 0.98, "stop")),
    ("on the bar of the entry too", [*flat(10), (10, 10, 8, 9), *flat(9)], {"stop": 1.5}, (8.5 * 0.98, "stop")),
    ("through a gap", [*flat(10, 10), (7, 8, 6, 7)], {"stop": 1.5}, (7 * 0.98, "stop")),
    ("a target, without slippage", [*flat(10, 10), (10, 13, 10, 12)], {"target": 2.0}, (12.0, "target")),
    ("a target on the bar of the entry", [*flat(10), (10, 13, 10, 12), *flat(9)], {"target": 2.0}, (12.0, "target")),
    ("a target through a gap", [*flat(10, 10), (14, 15, 13, 14)], {"target": 2.0}, (14.0, "target")),
    ("both: the stop", [*flat(10, 10), (10, 13, 8, 10)], {"stop": 1.5, "target": 2.0}, (8.5 * 0.98, "stop")),
    ("open past the target", [*flat(10, 10), (14, 15, 8, 9)], {"stop": 1.5, "target": 2.0}, (14.0, "target")),
    ("just above the stop", [*flat(10, 10), (10, 10, 8.51, 9)], {"stop": 1.5}, (None, "open")),
    ("behind the best high", [*flat(10, 10), (12, 14, 12, 13), (13, 13, 11, 11)], {"trail": 2.0}, (12 * 0.98, "trail")),
    ("not behind the same bar's high", [*flat(10, 10), (10, 14, 10, 13), *flat(13)], {"trail": 2.0}, (None, "open")),
    ("the nearer of stop and trail", [*flat(10, 10), (10, 10, 8, 9)], {"stop": 1.0, "trail": 2.0}, (9 * 0.98, "stop")),
    ("not above zero: none", [*flat(10, 10), (5, 5, 5, 5)], {"stop": 0.0, "trail": -1.0}, (None, "open")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("bars", "levels", "expected"), [case[1:] for case in LEVELS], ids=[case[0] for case in LEVELS]
)
def test_a_level(bars: list[Bar], levels: dict[str, float], expected: tuple[float | None, str]) -> None:
    """The entry is at 10 exactly: the slippage of the entry is undone in the open of its bar."""
    bars = [bars[0], (10 / 1.02, *bars[1][1:]), *bars[2:]]
    found = run(bars, {"cash": 1000.0, "slippage": 0.02}, enter=[0], **levels)
    ((_, entry, leave, reason),) = fills(found)
    assert entry == pytest.approx(10.0, rel=1e-12)
    assert (leave if leave is None else pytest.approx(leave, rel=1e-12), reason) == expected


def test_the_levels_of_a_short_are_mirrored() -> None:
    bars = [*flat(10, 10), (10, 12, 9, 10)]
    assert fills(run(bars, {"slippage": 0.0}, short=[0], stop=1.5)) == [("short", 10.0, 11.5, "stop")]
    assert fills(run(bars, {"slippage": 0.0}, short=[0], target=0.5)) == [("short", 10.0, 9.5, "target")]
    gap = [*flat(10, 10), (13, 14, 12, 13)]
    assert fills(run(gap, {"slippage": 0.0}, short=[0], stop=1.5)) == [("short", 10.0, 13.0, "stop")]
    trailing = [*flat(10, 10), (9, 9, 6, 7), (7, 9, 7, 9)]
    assert fills(run(trailing, {"slippage": 0.0}, short=[0], trail=2.0)) == [("short", 10.0, 8.0, "trail")]


def test_under_fill_close_the_entry_bar_is_not_checked() -> None:
    bars = [(10.0, 20.0, 1.0, 10.0), *flat(10.0, 10.0)]
    assert fills(run(bars, {"fill": "close"}, enter=[0], stop=1.5, target=2.0)) == [("long", 10.0, None, "open")]


def test_under_fill_close_a_stop_comes_before_the_close_of_its_bar() -> None:
    bars = [*flat(10.0), (10.0, 10.0, 8.0, 9.0), *flat(9.0)]
    assert fills(run(bars, {"fill": "close"}, enter=[0], leave=[1], stop=1.5)) == [("long", 10.0, 8.5, "stop")]


def test_an_exit_order_at_the_open_precedes_the_stop() -> None:
    bars = [*flat(10.0, 10.0), (9.0, 9.0, 5.0, 6.0)]
    assert fills(run(bars, {}, enter=[0], leave=[1], stop=1.5)) == [("long", 10.0, 9.0, "exit")]


def test_levels_are_those_of_the_decision_bar() -> None:
    bars = [*flat(10.0, 10.0), (10.0, 10.0, 8.0, 9.0)]
    wanted = orders(3, enter=[0])
    wanted.stop[:] = [1.5, 0.1, 0.1]
    assert fills(backtest(panel(bars), wanted, Rules())) == [("long", 10.0, 8.5, "stop")]


def test_re_entry_needs_a_decision_at_or_after_the_bar_of_the_exit() -> None:
    bars = [*flat(10.0, 10.0), (10.0, 10.0, 8.0, 9.0), *flat(9.0, 9.0)]
    assert len(fills(run(bars, {}, enter=[0, 1], stop=1.5))) == 1
    assert fills(run(bars, {}, enter=[0, 2], stop=1.5))[1] == ("long", 9.0, None, "open")


# -- symbols -----------------------------------------------------------------------------------------------------------


def test_each_symbol_starts_with_its_share_and_metrics_come_from_the_sum() -> None:
    market = panel(flat(10, 10, 20), flat(10, 10, 10))
    found = backtest(market, orders(6, enter=[0, 3]), Rules(cash=1000.0))
    assert equity(found) == [1000.0, 1000.0, 1500.0]
    assert found.by_symbol["A"]["total_return"] == 1.0
    assert found.by_symbol["B"]["total_return"] == 0.0


@pytest.mark.parametrize(("missing", "reason"), [(5, "open"), (6, "end")])
def test_a_symbol_that_ends_more_than_five_sessions_early_is_closed_with_costs_and_flagged(
    missing: int, reason: str
) -> None:
    days = weekdays(12)
    market = panel(flat(*[10.0] * 12), flat(*[10.0] * (12 - missing)), ts=[days, days[: 12 - missing]])
    found = backtest(market, orders(len(market), enter=[12]), Rules(cash=1000.0, fees=0.01))
    assert found.trades["reason"].to_list() == [reason]
    assert any(text.startswith("B:") for text in found.warnings) == (reason == "end")
    shares = 500.0 / 1.01 / 10.0
    value = shares * 10.0 * (0.99 if reason == "end" else 1.0)
    assert equity(found)[-1] == pytest.approx(500.0 + value, rel=1e-12)


def test_a_fold_is_closed_at_its_last_close_with_costs() -> None:
    found = backtest(panel(RISING), orders(4, enter=[0]), Rules(**COSTS), finish_all=True)
    assert fills(found) == [("long", 11.0 * 1.02, 13.5 * 0.98, "end")]


def test_symbols_that_come_and_go_count_with_their_cash_before_and_what_is_left_after() -> None:
    days = weekdays(4)
    market = panel(flat(10, 10, 20), flat(10, 10, 5), ts=[days[:3], days[1:]])
    found = backtest(market, orders(6, enter=[0, 3]), Rules(cash=1000.0))
    assert equity(found) == [1000.0, 1000.0, 1500.0, 1250.0]


# -- properties --------------------------------------------------------------------------------------------------------

anything = st.builds(
    lambda fees, slippage, fill, leverage, borrow, per_share, per_trade, limit: Rules(
        cash=1000.0, fees=fees, slippage=slippage, fill=fill, leverage=leverage, borrow=borrow,
        fee_per_share=per_share, fee_per_trade=per_trade, volume_limit=limit,
    ),
    st.sampled_from([0.0, 0.001, 0.03]),
    st.sampled_from([0.0, 0.0005, 0.01]),
    st.sampled_from(["next_open", "close"]),
    st.sampled_from([1.0, 1.5]),
    st.sampled_from([0.0, 0.2]),
    st.sampled_from([0.0, 0.02]),
    st.sampled_from([0.0, 1.0]),
    st.sampled_from([None, 0.02]),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(data=st.data(), market=markets(), rules=anything)
def test_the_kernel_does_what_the_rules_say_in_plain_words(data: st.DataObject, market: Panel, rules: Rules) -> None:
    wanted = data.draw(decisions(len(market)))
    run = Simulation(market, wanted, rules).run()
    expected, filled = plain.backtest(market, wanted, rules)
    np.testing.assert_allclose(run.equity, expected, rtol=1e-9, atol=1e-7)
    entries = [(row, shares, price) for row, shares, price, reason in filled if reason == "entry"]
    whole, real = run.trades.whole, run.trades.real
    np.testing.assert_array_equal(whole[:, 1], [row for row, _, _ in entries])
    np.testing.assert_allclose(whole[:, 3] * real[:, 0], [shares for _, shares, _ in entries], rtol=1e-9)
    exits = [(row, price) for row, _, price, reason in filled if reason != "entry"]
    np.testing.assert_array_equal(whole[run.trades.closed, 2], [row for row, _ in exits])
    np.testing.assert_allclose(real[run.trades.closed, 2], [price for _, price in exits], rtol=1e-9)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), market=markets(symbols=3), rules=anything)
def test_no_money_comes_from_nowhere(data: st.DataObject, market: Panel, rules: Rules) -> None:
    """What the trades made, after fees and borrow, is what the equity gained: in all, and by symbol."""
    run = Simulation(market, data.draw(decisions(len(market))), rules).run()
    made = np.bincount(run.trades.symbol, run.trades.pnl, 3)
    np.testing.assert_allclose(run.rows[market.last_rows] - 1000.0 / 3.0, made, rtol=1e-9, atol=1e-7)
    assert run.equity[-1] - 1000.0 == pytest.approx(made.sum(), rel=1e-9, abs=1e-7)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), market=markets(), rules=anything)
def test_what_happened_does_not_change_when_the_future_is_cut_off(
    data: st.DataObject, market: Panel, rules: Rules
) -> None:
    wanted = data.draw(decisions(len(market)))
    cut = data.draw(st.integers(1, len(market)))
    whole = Simulation(market, wanted, rules).run()
    begun = Simulation(market.until(int(market.ts[cut - 1])), _first(wanted, cut), rules).run()
    np.testing.assert_array_equal(begun.equity, whole.equity[:cut])
    np.testing.assert_array_equal(begun.position, whole.position[:cut])


@settings(max_examples=100, deadline=None)
@given(data=st.data(), market=markets(), scale=st.sampled_from([0.001, 7.0, 1e6]))
def test_ten_times_the_cash_makes_ten_times_the_money(data: st.DataObject, market: Panel, scale: float) -> None:
    wanted = data.draw(decisions(len(market)))
    small = Simulation(market, wanted, Rules(cash=1000.0, fees=0.001, borrow=0.1)).run()
    large = Simulation(market, wanted, Rules(cash=1000.0 * scale, fees=0.001, borrow=0.1)).run()
    np.testing.assert_allclose(large.equity, scale * small.equity, rtol=1e-9, atol=1e-7 * scale)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), market=markets())
def test_without_costs_a_long_position_earns_no_more_than_every_rise_and_loses_no_more_than_every_fall(
    data: st.DataObject, market: Panel
) -> None:
    wanted = data.draw(decisions(len(market), long_only=True, levels=False))
    found = Simulation(market, wanted, Rules(cash=1000.0)).run()
    steps = np.concatenate([market.open[1:] / market.close[:-1], market.close[1:] / market.open[1:]])
    assert found.equity[-1] <= 1000.0 * np.prod(np.maximum(steps, 1.0)) * (1 + 1e-9)
    assert found.equity[-1] >= 1000.0 * np.prod(np.minimum(steps, 1.0)) * (1 - 1e-9)


@settings(max_examples=50, deadline=None)
@given(data=st.data(), market=markets(symbols=3), rules=anything)
def test_a_symbol_does_not_notice_its_neighbours(data: st.DataObject, market: Panel, rules: Rules) -> None:
    wanted = data.draw(decisions(len(market)))
    together = Simulation(market, wanted, rules).run()
    alone = Simulation(
        market.slice(1, 2),
        _part(wanted, int(market.offsets[1]), int(market.offsets[2])),
        Rules(**{**rules.facts(), "cash": 1000.0 / 3.0}),  # type: ignore[arg-type]
    ).run()
    np.testing.assert_array_equal(together.rows[market.offsets[1] : market.offsets[2]], alone.rows)


def test_more_trades_than_there_was_room_for_are_all_kept() -> None:
    """The first guess of the room is a sixteenth of the bars, at least 4,096."""
    bars = flat(*[10.0 + k % 3 for k in range(20_000)])  # up, up, down: a cycle of six bars gains nothing
    wanted = orders(20_000, enter=range(0, 20_000, 2), leave=range(1, 20_000, 2))
    run = Simulation(panel(bars), wanted, Rules()).run()
    assert run.trades.symbol.size == 10_000
    assert run.trades.pnl.sum() == pytest.approx(run.equity[-1] - 100_000.0, abs=1e-6)


def test_equal_input_gives_equal_bytes(tmp_path: Any) -> None:
    for name in ("one", "two"):
        run(RISING, COSTS, enter=[0], leave=[2]).save(tmp_path / name)
    for file in ("metrics.json", "equity.parquet", "trades.parquet", "report.html"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert pl.read_parquet(tmp_path / "one" / "trades.parquet").height == 1


# -- the year ----------------------------------------------------------------------------------------------------------


def test_a_year_has_252_days_or_365_where_there_are_weekends_and_as_many_bars_as_a_full_session() -> None:
    daily = panel(flat(*[10.0] * 20))
    always = panel(flat(*[10.0] * 20), ts=[[MONDAY + DAY * k for k in range(20)]])
    hours = [MONDAY + DAY * day + 3_600_000_000 * hour for day in range(4) for hour in range(7 if day != 2 else 3)]
    intraday = panel(flat(*[10.0] * len(hours)), ts=[[h - 6 * 3_600_000_000 for h in hours]])
    assert bars_of_a_year(daily) == 252.0
    assert bars_of_a_year(always) == 365.0
    assert bars_of_a_year(_with_frame(intraday, "1h")) == 252.0 * 7


# -- rules -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [("5bps", 0.0005), ("0.05%", 0.0005), ("0.0005", 0.0005), (0.0005, 0.0005), ("10%", 0.1), (0, 0.0)],
)
def test_a_rate_is_read_with_its_unit(text: str | float, value: float) -> None:
    assert rate(text) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("given_rules", "words"),
    [
        ({"fees": 5}, 'did you mean "5bps"'),
        ({"fees": "0.1"}, 'write "10%"'),
        ({"fees": "five"}, 'write "5bps"'),
        ({"fees": "-1bps"}, "fees is a number at least 0"),
        ({"slippage": "nan"}, 'write "5bps"'),
        ({"slippage": float("inf")}, 'write "5bps"'),
        ({"feees": 0.1}, "did you mean fees?"),
        ({"fill": "open"}, "fill is one of next_open, close"),
        ({"cash": 0}, "cash is a number above 0"),
        ({"cash": "much"}, "cash is a number, not 'much'"),
        ({"leverage": 0.5}, "leverage is a number at least 1"),
        ({"max_positions": 3}, 'add mode="portfolio"'),
        ({"mode": "portfolio", "max_positions": "1.5"}, "max_positions is a whole number"),
        ({"mode": "portfolio", "rebalance": 0}, "rebalance is a whole number of at least 1"),
        ({"volume_limit": 0.0}, "volume_limit is a number above 0"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_what_to_do(given_rules: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Rules.of(given_rules)
    assert words in str(refused.value)


def test_rules_are_read_from_texts() -> None:
    found = Rules.of({"cash": "5000", "fees": "5bps", "borrow": "3%", "mode": "portfolio", "max_positions": "4"})
    assert found == Rules(cash=5000.0, fees=0.0005, borrow=0.03, mode="portfolio", max_positions=4)


def test_orders_for_other_bars_are_refused() -> None:
    with pytest.raises(InvalidInput, match="orders are for 3 bars, but the panel has 4"):
        backtest(panel(RISING), orders(3, enter=[0]), Rules())


def _first(wanted: Orders, count: int) -> Orders:
    return _part(wanted, 0, count)


def _part(wanted: Orders, lo: int, hi: int) -> Orders:
    names = ("enter", "exit", "short_enter", "short_exit", "stop", "target", "trail", "size")
    return Orders(*(getattr(wanted, name)[lo:hi] for name in names))


def _with_frame(market: Panel, frame: str) -> Panel:
    return Panel(**{**{name: getattr(market, name) for name in market.__dataclass_fields__}, "frame": frame})
