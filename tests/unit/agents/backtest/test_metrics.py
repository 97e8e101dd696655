"""Each metric against its definition worked out by hand, and what is undefined is None with a reason."""

from __future__ import annotations

import math
import statistics
from typing import Any

import numpy as np
import pytest

from agents.backtest.engine import backtest
from agents.backtest.metrics import KEYS, Trades, break_even, compare, drawdowns, measure, monthly
from agents.backtest.result import Result
from agents.backtest.rules import Rules
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput
from tests.unit.agents.backtest.market import DAY, MONDAY, flat, orders, panel

PRICES = (10.0, 10.0, 12.0, 9.0, 12.0, 15.0, 15.0, 12.0)


def held(*prices: float, leave: tuple[int, ...] = (), **rules: Any) -> Result:
    """Bought at the second price, with 1000, and kept unless `leave` says otherwise."""
    bars = panel(flat(*prices))
    return backtest(bars, orders(len(prices), enter=[0], leave=leave), Rules(cash=1000.0, **rules))


def test_metrics_of_the_curve_are_those_of_their_definitions() -> None:
    found = held(*PRICES)
    equity = [1000.0, 1000.0, 1200.0, 900.0, 1200.0, 1500.0, 1500.0, 1200.0]
    assert found.equity["equity"].to_list() == pytest.approx(equity, rel=1e-12)
    gains = [b / a - 1.0 for a, b in zip([1000.0, *equity], equity, strict=False)]
    n, year = len(gains), math.sqrt(252.0)
    expected = {
        "total_return": 0.2,
        "cagr": 1.2 ** (252.0 / n) - 1.0,
        "volatility": statistics.stdev(gains) * year,
        "sharpe": statistics.mean(gains) / statistics.stdev(gains) * year,
        "sortino": statistics.mean(gains) / math.sqrt(sum(min(g, 0.0) ** 2 for g in gains) / n) * year,
        "calmar": (1.2 ** (252.0 / n) - 1.0) / 0.25,
        "omega": sum(g for g in gains if g > 0.0) / -sum(g for g in gains if g < 0.0),
        "max_drawdown": -0.25,
        "max_drawdown_duration": 2,
        "trades": 1,
        "exposure": 7.0 / 8.0,
        "turnover": 1000.0 / statistics.mean(equity) / (n / 252.0),
        "fees_paid": 0.0,
    }
    assert {key: found.metrics[key] for key in expected} == pytest.approx(expected, rel=1e-12)
    assert tuple(found.metrics) == KEYS


def test_a_risk_free_rate_is_taken_off_the_sharpe_bar_by_bar() -> None:
    gains = [b / a - 1.0 - 0.0252 / 252.0 for a, b in zip([10.0, *PRICES], PRICES, strict=False)]
    expected = statistics.mean(gains) / statistics.stdev(gains) * math.sqrt(252.0)
    assert held(*PRICES, risk_free=0.0252).metrics["sharpe"] == pytest.approx(expected, rel=1e-12)


def test_metrics_of_trades_are_those_of_their_definitions() -> None:
    """Three closed trades of +20 %, −50 % and +10 % of what was put in, and an open one that counts only as a trade."""
    prices = (10.0, 10.0, 12.0, 20.0, 10.0, 10.0, 11.0, 5.0, 5.0)
    found = backtest(panel(flat(*prices)), orders(9, enter=[0, 2, 4, 6], leave=[1, 3, 5]), Rules(cash=1000.0, fees=0.0))
    returns = [0.2, -0.5, 0.1]
    money = [200.0, -600.0, 60.0]
    assert found.trades["return"].to_list()[:3] == pytest.approx(returns, rel=1e-12)
    assert found.trades["pnl"].to_list()[:3] == pytest.approx(money, rel=1e-12)
    assert found.trades["bars"].to_list() == [1, 1, 1, 1]
    assert found.metrics["trades"] == 4
    assert found.metrics["win_rate"] == pytest.approx(2.0 / 3.0)
    assert found.metrics["profit_factor"] == pytest.approx(260.0 / 600.0)
    assert found.metrics["expectancy"] == pytest.approx(statistics.mean(returns))
    assert found.metrics["sqn"] == pytest.approx(math.sqrt(3.0) * statistics.mean(returns) / statistics.stdev(returns))


@pytest.mark.parametrize(
    ("result", "missing"),
    [
        (lambda: held(10.0, 10.0, 10.0), {"sharpe", "sortino", "omega", "calmar", "break_even_bps"}),
        (lambda: held(10.0, 10.0, 11.0, 12.0), {"sortino", "omega", "calmar"}),
        (lambda: held(10.0), {"volatility", "sharpe", "sortino", "omega", "calmar", "break_even_bps"}),
        (lambda: held(10.0, 10.0, 9.0), {"break_even_bps"}),
        (lambda: held(10.0, 10.0, 9.0, 9.0, leave=(2,)), {"break_even_bps", "sqn"}),
        (lambda: held(10.0, 10.0, 11.0, 10.5, leave=(1,)), {"profit_factor", "sqn", "sortino", "omega", "calmar"}),
        (lambda: held(10.0, 10.0, 10.0, 30.0), {"sortino", "omega", "calmar", "break_even_bps"}),
    ],
    ids=["nothing moved", "only rises", "one bar", "a loss", "one losing trade", "one winning trade", "a fee of 100 %"],
)
def test_what_is_undefined_is_none_and_says_why(result: Any, missing: set[str]) -> None:
    found = result()
    closed = {"win_rate", "profit_factor", "expectancy", "sqn"} if found.metrics["win_rate"] is None else set()
    assert {key for key, value in found.metrics.items() if value is None} == missing | closed
    assert set(found.reasons) == missing | closed
    assert all(text for text in found.reasons.values())


def test_break_even_is_the_fee_at_which_the_total_return_is_zero() -> None:
    found = held(*PRICES, leave=(4,), slippage=0.001)
    fee = found.metrics["break_even_bps"]
    assert fee is not None
    again = held(*PRICES, leave=(4,), slippage=0.001, fees=fee * 1e-4)
    assert again.metrics["total_return"] == pytest.approx(0.0, abs=1e-12)


def test_break_even_of_a_round_trip_is_known_in_closed_form() -> None:
    """1000 / (1 + f) shares of value 1, sold at g: 1000 · g · (1 − f) / (1 + f) = 1000, so f = (g − 1) / (g + 1)."""
    found = held(10.0, 10.0, 12.0, 12.0, leave=(1,))
    assert found.metrics["break_even_bps"] == pytest.approx(1e4 * 0.2 / 2.2, rel=1e-10)


def test_break_even_solves_many_at_once_and_names_those_it_cannot() -> None:
    gains = np.array([1e-6, 0.2, 3.0, 0.0, -0.1, 1e9])

    def total(fees: Floats) -> Floats:
        return (1.0 + gains) * ((1.0 - fees) / (1.0 + fees)) ** 10 - 1.0

    fees, reasons = break_even(lambda fees: np.where(gains > 1e8, gains, total(fees)), gains.size)
    root = (1.0 + gains) ** 0.1
    np.testing.assert_allclose(fees[:3] * 1e-4, ((root - 1.0) / (root + 1.0))[:3], rtol=1e-8)
    assert np.isnan(fees[3:]).all()
    assert reasons[:3] == ["", "", ""]
    assert reasons[3:] == ["it gains nothing even free of fees"] * 2 + ["a fee of 100% would still gain"]


def test_by_symbol_each_break_even_is_its_own() -> None:
    bars = panel(flat(10.0, 10.0, 12.0, 12.0), flat(10.0, 10.0, 11.0, 11.0), flat(10.0, 10.0, 9.0, 9.0))
    found = backtest(bars, orders(12, enter=[0, 4, 8], leave=[1, 5, 9]), Rules(cash=3000.0))
    fees = [found.by_symbol[symbol]["break_even_bps"] for symbol in "ABC"]
    assert fees[:2] == pytest.approx([1e4 * 0.2 / 2.2, 1e4 * 0.1 / 2.1], rel=1e-9)
    assert fees[2] is None
    assert found.reasons_by_symbol["C"]["break_even_bps"] == "it gains nothing even free of fees"
    assert found.metrics["break_even_bps"] == pytest.approx(1e4 * 0.2 / 6.2, rel=1e-9)


def test_the_benchmark_is_buy_and_hold_of_the_same_symbols_at_the_same_costs() -> None:
    found = held(*PRICES, leave=(2,), fees=0.01)
    beside = found.context["benchmark"]
    assert beside["total_return"] == pytest.approx(1.2 / 1.01 - 1.0, rel=1e-12)
    assert found.metrics["total_return"] is not None
    assert beside["excess_return"] == pytest.approx(found.metrics["total_return"] - (1.2 / 1.01 - 1.0), rel=1e-12)
    assert found.equity["benchmark"][-1] == pytest.approx(1200.0 / 1.01, rel=1e-12)


def test_comparison_with_a_benchmark_by_hand() -> None:
    equity, other = np.array([1.1, 1.0, 1.2]), np.array([1.05, 1.02, 1.1])
    ours = [0.1, 1.0 / 1.1 - 1.0, 0.2]
    theirs = [0.05, 1.02 / 1.05 - 1.0, 1.1 / 1.02 - 1.0]
    beside = compare(equity, 1.0, other, 1.0, annualisation=100.0, risk_free=0.01)
    beta = statistics.covariance(ours, theirs) / statistics.variance(theirs)
    apart = [a - b for a, b in zip(ours, theirs, strict=True)]
    alpha = (statistics.mean(ours) - 1e-4 - beta * (statistics.mean(theirs) - 1e-4)) * 100.0
    assert beside["beta"] == pytest.approx(beta, rel=1e-12)
    assert beside["alpha"] == pytest.approx(alpha, rel=1e-12)
    assert beside["correlation"] == pytest.approx(statistics.correlation(ours, theirs), rel=1e-12)
    assert beside["tracking_error"] == pytest.approx(statistics.stdev(apart) * 10.0, rel=1e-12)
    ratio = statistics.mean(apart) / statistics.stdev(apart) * 10.0
    assert beside["information_ratio"] == pytest.approx(ratio, rel=1e-12)


def test_a_benchmark_that_does_not_move_has_no_beta() -> None:
    beside = compare(np.array([1.1, 1.0]), 1.0, np.array([1.0, 1.0]), 1.0, annualisation=252.0, risk_free=0.0)
    assert beside["beta"] is None
    assert beside["reasons"]["beta"] == "the benchmark does not vary"


@pytest.mark.parametrize("given", [np.ones(3), np.full(8, np.nan), np.zeros(8)])
def test_a_benchmark_for_other_sessions_is_refused(given: Floats) -> None:
    with pytest.raises(InvalidInput, match="one finite number for each of the 8 sessions"):
        backtest(panel(flat(*PRICES)), orders(8, enter=[0]), Rules(), benchmark=given)


def test_drawdowns_are_listed_deepest_first_with_their_dates() -> None:
    equity = np.array([10.0, 12.0, 9.0, 12.0, 11.0, 12.0, 13.0, 6.5, 8.0])
    ts = np.array([MONDAY + DAY * k for k in range(9)])
    found = drawdowns(equity, ts, top=2)
    assert [row["depth"] for row in found] == [-0.5, -0.25]
    assert [row["bars"] for row in found] == [2, 2]
    assert [row["recovery"] for row in found] == [None, "2016-01-07T21:00:00+00:00"]
    assert found[1]["peak"] == "2016-01-05T21:00:00+00:00"
    assert found[1]["trough"] == "2016-01-06T21:00:00+00:00"
    assert drawdowns(np.array([1.0, 1.0, 2.0]), ts[:3]) == []


def test_months_follow_the_calendar_and_the_first_counts_from_the_cash() -> None:
    ts = np.array([MONDAY + DAY * k for k in (0, 20, 30, 60, 400)])
    found = monthly(np.array([110.0, 121.0, 60.5, 121.0, 242.0]), 100.0, ts)
    assert [(row["year"], row["month"]) for row in found] == [(2016, 1), (2016, 2), (2016, 3), (2017, 2)]
    assert [row["return"] for row in found] == pytest.approx([0.21, -0.5, 1.0, 1.0])


def test_growth_of_a_few_minutes_is_no_growth_of_a_year() -> None:
    equity = np.array([100.0, 101.0, 103.0, 104.0])
    none = Trades(np.empty((0, 5), np.int64), np.empty((0, 6)))
    found = measure(
        equity,
        np.array([0, 4]),
        np.array([100.0]),
        none,
        np.empty(0, np.int64),
        np.array([1.0]),
        annualisation=98_280.0,
        risk_free=0.0,
    )[0]
    assert found.metrics["cagr"] is None
    assert found.reasons["cagr"] == "too few bars to speak of a year"
