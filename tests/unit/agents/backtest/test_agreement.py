"""Our fills, costs and metrics are those of other people's programs, on real bars, to a billionth.

Their figures and the script that made them lie in `tests/golden/backtests`; `make golden-backtests` makes them anew.
"""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.backtest.engine import backtest
from agents.backtest.metrics import compare, drawdowns, monthly
from agents.backtest.orders import Orders
from agents.backtest.result import Result
from agents.backtest.rules import Rules
from data.contracts.arrays import Bools, Floats, Ints
from data.contracts.panel import Panel
from data.market.sample import sample_bars
from data.panel import build

GOLDEN = Path(__file__).parents[3] / "golden" / "backtests"
SYMBOLS = ("AAPL", "GOOGL", "JPM", "KO", "XOM")
CLOSE = 1e-9
LEVELS = {"stop": 0.03, "target": 0.04}


def golden(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    return found


def cases(name: str) -> list[Any]:
    return [
        pytest.param(
            case, id=" ".join(str(case[key]) for key in ("symbol", "fast", "slow", "fill", "kind") if key in case)
        )
        for case in golden(name)["cases"]
    ]


@cache
def market() -> Panel:
    return build(sample_bars())[0].select(SYMBOLS)


@cache
def crossings(symbol: str, fast: int, slow: int) -> tuple[Bools, Bools]:
    """Where the averages cross, in whole numbers: where they are equal, rounding must not decide who is above."""
    units = np.round(market().of(symbol).close * 10_000).astype(np.int64)
    total = np.concatenate([[0], np.cumsum(units)])
    ends = np.arange(slow, units.size + 1)
    apart: Ints = (total[ends] - total[ends - fast]) * slow - (total[ends] - total[ends - slow]) * fast
    enter, leave = np.zeros(units.size, np.bool_), np.zeros(units.size, np.bool_)
    enter[slow:] = (apart[1:] > 0) & (apart[:-1] <= 0)
    leave[slow:] = (apart[1:] < 0) & (apart[:-1] >= 0)
    return enter, leave


def ours(case: dict[str, Any], **rules: Any) -> Result:
    bars = market().of(case["symbol"])
    enter, leave = crossings(case["symbol"], case["fast"], case["slow"])
    kind, never = case.get("kind", "longonly"), np.zeros(len(bars), np.bool_)
    levels = {kind: LEVELS[kind] * bars.close * (1.0 + rules["slippage"])} if kind in LEVELS else {}
    if kind == "shortonly":
        wanted = Orders.of(never, never, short_enter=enter, short_exit=leave)
    else:
        wanted = Orders.of(enter, leave, **levels)
    return backtest(bars, wanted, Rules(fees=0.001, fill=case.get("fill", "next_open"), **rules), benchmark=None)


def same(found: float | None, theirs: float) -> bool:
    """Equal to a billionth, of one or of the value; what has no value here is no finite number there."""
    return not math.isfinite(theirs) if found is None else math.isclose(found, theirs, rel_tol=CLOSE, abs_tol=CLOSE)


@pytest.mark.parametrize("case", cases("vectorbt"))
def test_fills_fees_and_metrics_are_those_of_vectorbt(case: dict[str, Any]) -> None:
    """Both fill modes, long and short; levels under fill close, where its entry bar is not checked either."""
    found = ours(case, slippage=0.0005, annualisation=365.0)
    compared = [key for key in case if key in found.metrics]
    assert len(compared) == 12
    assert {key: found.metrics[key] for key in compared if not same(found.metrics[key], case[key])} == {}
    assert found.trades.filter(found.trades["reason"] != "open").height == case["closed"]


@pytest.mark.parametrize("case", cases("backtesting"))
def test_fills_fees_and_equity_are_those_of_backtesting_py(case: dict[str, Any]) -> None:
    found = ours(case, slippage=0.0)
    closed = found.trades.filter(found.trades["reason"] != "open")
    assert closed.height == case["closed"]
    assert closed["fees"].to_numpy().sum() / 100_000.0 == pytest.approx(case["fees_of_closed"], rel=CLOSE)
    for key in ("total_return", "max_drawdown", "max_drawdown_duration", "win_rate"):
        assert same(found.metrics[key], case[key]), key
    np.testing.assert_allclose(found.equity["equity"].to_numpy()[::50] / 100_000.0, case["equity"], rtol=CLOSE)


@pytest.mark.parametrize("case", cases("backtrader"))
def test_fills_fees_and_equity_are_those_of_backtrader(case: dict[str, Any]) -> None:
    found = ours(case, slippage=0.0)
    for key in ("total_return", "max_drawdown", "trades", "fees_paid"):
        assert same(found.metrics[key], case[key]), key
    np.testing.assert_allclose(found.equity["equity"].to_numpy()[::50], case["equity"], rtol=CLOSE)


def test_rebalancing_of_shared_cash_is_that_of_vectorbt() -> None:
    theirs = golden("vectorbt")["rebalanced"]
    bars = market()
    enter = np.zeros(len(bars), np.bool_)
    enter[bars.offsets[:-1]] = True
    rules = Rules(mode="portfolio", rebalance=theirs["every"], annualisation=365.0)
    found = backtest(bars, Orders.of(enter, np.zeros_like(enter)), rules, benchmark=None)
    for key in ("total_return", "sharpe", "max_drawdown"):
        assert same(found.metrics[key], theirs[key]), key
    np.testing.assert_allclose(found.equity["equity"].to_numpy()[::50], theirs["equity"], rtol=CLOSE)


def test_metrics_of_one_equity_curve_are_those_of_empyrical_and_ffn() -> None:
    theirs = golden("metrics")
    curve, prices = np.array(theirs["equity"]), np.array(theirs["benchmark"])
    found = ours({"symbol": "GOOGL", "fast": 10, "slow": 30, "fill": "close"}, slippage=0.0)
    np.testing.assert_allclose(found.equity["equity"].to_numpy(), curve, rtol=CLOSE)
    for tool in ("empyrical", "ffn"):
        for key, value in theirs[tool].items():
            if key in found.metrics:
                assert same(found.metrics[key], value), (tool, key)
    above = ours({"symbol": "GOOGL", "fast": 10, "slow": 30, "fill": "close"}, slippage=0.0, risk_free=0.02)
    assert same(above.metrics["sharpe"], theirs["empyrical"]["sharpe_above_risk_free"])
    beside = compare(curve, 100_000.0, prices, prices[0], annualisation=252.0, risk_free=0.0)
    assert same(beside["beta"], theirs["empyrical"]["beta"])
    assert same(beside["information_ratio"], theirs["empyrical"]["information_ratio"])
    depths = [row["depth"] for row in drawdowns(curve, market().sessions)]
    np.testing.assert_allclose(depths, theirs["ffn"]["drawdowns"], rtol=CLOSE)


def test_monthly_returns_are_those_of_ffn() -> None:
    theirs = golden("metrics")
    curve: Floats = np.array(theirs["equity"])
    found = {(row["year"], row["month"]): row["return"] for row in monthly(curve, 100_000.0, market().sessions)}
    assert len(theirs["monthly"]) > 50
    for year, month, value in theirs["monthly"]:
        assert same(found[year, month], value), (year, month)
