"""Backtests by other people's programs, on the bundled bars: `make golden-backtests` writes the files beside this one.

It runs in an environment of its own and imports nothing of this project. Every file names the tool and its version.
Signals: a simple average of 'fast' closes crossing one of 'slow' closes, all four values known; the exit is the mirror.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import backtesting
import backtrader as bt
import empyrical
import ffn
import numpy as np
import pandas as pd
import vectorbt as vbt

HERE = Path(__file__).parent
BARS = HERE.parents[2] / "data" / "sample" / "sp500_daily.parquet"
SYMBOLS = ("AAPL", "GOOGL", "JPM", "KO", "XOM")
PAIRS = ((5, 20), (10, 30), (20, 100))
CASH, FEES, SLIPPAGE = 100_000.0, 0.001, 0.0005
LARGE = 1e14  # cash of tools that trade whole shares: rounding to one share is then far below 1e-9
YEAR = 252


def bars_of(symbol: str) -> pd.DataFrame:
    rows = pd.read_parquet(BARS)
    rows.columns = [name.lower() for name in rows.columns]
    named = "symbol" if "symbol" in rows.columns else "name"
    rows = rows[rows[named] == symbol].rename(columns={"date": "ts"})
    rows["ts"] = pd.to_datetime(rows["ts"])
    return rows.set_index("ts").sort_index()[["open", "high", "low", "close", "volume"]].astype(float)


def crossings(close: pd.Series, fast: int, slow: int) -> tuple[pd.Series, pd.Series]:
    """In whole numbers: where two averages are equal, rounding must not decide who is above."""
    units = (close * 10_000).round().astype("int64")
    if not np.allclose(units / 10_000, close, rtol=0.0, atol=1e-9):
        raise ValueError("prices have more than four decimals")
    apart = units.rolling(fast).sum() * slow - units.rolling(slow).sum() * fast  # exact: far below 2 ** 53
    before = apart.shift()
    return (apart > 0) & (before <= 0), (apart < 0) & (before >= 0)


def with_vectorbt() -> list[dict[str, Any]]:
    cases = []
    for symbol in SYMBOLS:
        bars = bars_of(symbol)
        for fast, slow in PAIRS:
            enter, leave = crossings(bars["close"], fast, slow)
            later = {
                "entries": enter.shift(fill_value=False),
                "exits": leave.shift(fill_value=False),
                "price": bars["open"],
            }
            now = {"entries": enter, "exits": leave, "price": bars["close"]}
            for fill, signals in (("next_open", later), ("close", now)):
                cases += [
                    _vectorbt_case(symbol, fast, slow, fill, direction, bars, {**signals, "direction": direction})
                    for direction in ("longonly", "shortonly")
                ]
            levels = {
                "stop": {"sl_stop": 0.03, "stop_exit_price": "StopMarket"},
                "target": {"tp_stop": 0.04, "stop_exit_price": "StopLimit"},
            }
            for kind, given in levels.items():
                extra = {
                    **now,
                    **given,
                    "stop_entry_price": "FillPrice",
                    "open": bars["open"],
                    "high": bars["high"],
                    "low": bars["low"],
                }
                cases.append(
                    _vectorbt_case(symbol, fast, slow, "close", kind, bars, {**extra, "direction": "longonly"})
                )
    return cases


def _vectorbt_case(
    symbol: str, fast: int, slow: int, fill: str, kind: str, bars: pd.DataFrame, given: dict[str, Any]
) -> dict[str, Any]:
    folio = vbt.Portfolio.from_signals(
        bars["close"], **given, init_cash=CASH, fees=FEES, slippage=SLIPPAGE, freq="1D", size=np.inf, accumulate=False
    )
    trades = folio.trades
    return {
        "symbol": symbol,
        "fast": fast,
        "slow": slow,
        "fill": fill,
        "kind": kind,
        "total_return": float(folio.total_return()),
        "sharpe": float(folio.sharpe_ratio()),
        "sortino": float(folio.sortino_ratio()),
        "omega": float(folio.omega_ratio()),
        "calmar": float(folio.calmar_ratio()),
        "max_drawdown": float(folio.max_drawdown()),
        "trades": int(trades.count()),
        "closed": int(trades.closed.count()),
        "win_rate": float(trades.closed.win_rate()),
        "profit_factor": float(trades.closed.profit_factor()),
        "expectancy": float(trades.closed.returns.mean()),
        "fees_paid": float(folio.orders.fees.sum()),
        "exposure": float(folio.position_coverage()),
    }


def rebalanced_by_vectorbt() -> dict[str, Any]:
    """Equal weights set back every 21 sessions at the open, no costs: the rule of a portfolio's `rebalance`."""
    closes = pd.DataFrame({symbol: bars_of(symbol)["close"] for symbol in SYMBOLS})
    opens = pd.DataFrame({symbol: bars_of(symbol)["open"] for symbol in SYMBOLS})
    size = pd.DataFrame(np.nan, index=closes.index, columns=closes.columns)
    size.iloc[1] = 1.0 / len(SYMBOLS)
    size.iloc[21::21] = 1.0 / len(SYMBOLS)
    folio = vbt.Portfolio.from_orders(
        closes, size=size, size_type="targetpercent", price=opens, val_price=opens, init_cash=CASH, freq="1D",
        group_by=True, cash_sharing=True, call_seq="auto",
    )  # fmt: skip
    return {
        "every": 21,
        "total_return": float(folio.total_return()),
        "sharpe": float(folio.sharpe_ratio()),
        "max_drawdown": float(folio.max_drawdown()),
        "equity": [float(value) for value in folio.value().iloc[::50]],
    }


class CrossOver(backtesting.Strategy):  # type: ignore[misc]
    enter: Any = None
    leave: Any = None

    def init(self) -> None:
        pass

    def next(self) -> None:
        now = len(self.data) - 1
        if self.position and self.leave[now]:
            self.position.close()
        elif not self.position and self.enter[now]:
            self.buy()


def bars_of_longest(curve: pd.DataFrame) -> int:
    """Its durations are in time and stand at the end of each drawdown: back to bars by looking up both ends."""
    bars = curve.index.get_loc
    return int(max(bars(end) - bars(end - span) for end, span in curve["DrawdownDuration"].dropna().items()))


def with_backtesting() -> list[dict[str, Any]]:
    """No slippage: its spread is charged on one side of the price only."""
    cases = []
    for symbol in SYMBOLS:
        bars = bars_of(symbol)
        named = bars.rename(columns=str.capitalize)
        for fast, slow in PAIRS:
            enter, leave = (signal.to_numpy() for signal in crossings(bars["close"], fast, slow))
            found = backtesting.Backtest(named, CrossOver, cash=LARGE, commission=FEES).run(enter=enter, leave=leave)
            curve, trades = found["_equity_curve"], found["_trades"]
            cases.append(
                {
                    "symbol": symbol,
                    "fast": fast,
                    "slow": slow,
                    "total_return": float(curve["Equity"].iloc[-1] / LARGE - 1.0),
                    "max_drawdown": -float(curve["DrawdownPct"].max()),
                    "max_drawdown_duration": bars_of_longest(curve),
                    "closed": int(found["# Trades"]),
                    "win_rate": float(found["Win Rate [%]"]) / 100.0,
                    "fees_of_closed": float(trades["Commission"].sum() / LARGE),
                    "equity": [float(value) / LARGE for value in curve["Equity"].iloc[::50]],
                }
            )
    return cases


class OpenCrossOver(bt.Strategy):  # type: ignore[misc]
    """Decides on yesterday's signal and knows today's open, so that it can spend all its cash, as the others do."""

    params = (("enter", None), ("leave", None))

    def __init__(self) -> None:
        self.equity: list[float] = []
        self.fees = 0.0
        self.filled = 0

    def next_open(self) -> None:
        before = len(self) - 1  # in next_open the strategy has not counted today yet
        if before < 0:
            return
        if self.position and self.p.leave[before]:
            self.close()
        elif not self.position and self.p.enter[before]:
            self.buy(size=self.broker.getcash() / (1.0 + FEES) / self.data.open[0] * (1.0 - 1e-13))

    def next(self) -> None:
        self.equity.append(self.broker.getvalue())

    def notify_order(self, order: Any) -> None:
        if order.status == order.Completed:
            self.fees += order.executed.comm
            self.filled += order.isbuy()


def with_backtrader() -> list[dict[str, Any]]:
    """No slippage: it caps a slipped price at the bar's high and low."""
    cases = []
    for symbol in SYMBOLS:
        bars = bars_of(symbol)
        for fast, slow in PAIRS:
            enter, leave = (signal.to_numpy() for signal in crossings(bars["close"], fast, slow))
            brain = bt.Cerebro(cheat_on_open=True, stdstats=False)
            brain.broker.setcash(CASH)
            brain.broker.setcommission(commission=FEES)
            brain.adddata(bt.feeds.PandasData(dataname=bars))
            brain.addstrategy(OpenCrossOver, enter=enter, leave=leave)
            found = brain.run()[0]
            equity = pd.Series(found.equity)
            cases.append(
                {
                    "symbol": symbol,
                    "fast": fast,
                    "slow": slow,
                    "total_return": float(equity.iloc[-1] / CASH - 1.0),
                    "max_drawdown": float((equity / equity.cummax() - 1.0).min()),
                    "trades": int(found.filled),
                    "fees_paid": float(found.fees),
                    "equity": [float(value) for value in equity.iloc[::50]],
                }
            )
    return cases


def metrics_of_others() -> dict[str, Any]:
    """Metrics of one equity curve (GOOGL, 10/30) beside the price of the same stock, by empyrical and by ffn."""
    bars = bars_of("GOOGL")
    enter, leave = crossings(bars["close"], 10, 30)
    folio = vbt.Portfolio.from_signals(bars["close"], enter, leave, init_cash=CASH, fees=FEES, freq="1D")
    equity = folio.value()
    gains = equity.pct_change()
    gains.iloc[0] = equity.iloc[0] / CASH - 1.0
    market = bars["close"].pct_change().fillna(0.0)
    free = 0.02 / YEAR
    whole = pd.concat([pd.Series([CASH], index=[equity.index[0] - pd.Timedelta(days=1)]), equity])
    details = ffn.drawdown_details(ffn.to_drawdown_series(equity))
    return {
        "equity": [float(value) for value in equity],
        "benchmark": [float(value) for value in bars["close"]],
        "risk_free": 0.02,
        "empyrical": {
            "total_return": float(empyrical.cum_returns_final(gains)),
            "cagr": float(empyrical.annual_return(gains)),
            "volatility": float(empyrical.annual_volatility(gains)),
            "sharpe": float(empyrical.sharpe_ratio(gains)),
            "sharpe_above_risk_free": float(empyrical.sharpe_ratio(gains, risk_free=free)),
            "sortino": float(empyrical.sortino_ratio(gains)),
            "calmar": float(empyrical.calmar_ratio(gains)),
            "omega": float(empyrical.omega_ratio(gains)),
            "max_drawdown": float(empyrical.max_drawdown(gains)),
            "beta": float(empyrical.beta(gains, market)),
            "information_ratio": float(empyrical.excess_sharpe(gains, market)) * YEAR**0.5,
        },
        "ffn": {
            "total_return": float(ffn.calc_total_return(whole)),
            "max_drawdown": float(ffn.calc_max_drawdown(equity)),
            "sharpe": float(ffn.calc_sharpe(gains, nperiods=YEAR)),
            "drawdowns": sorted(float(value) for value in details["drawdown"])[:5],
        },
        "monthly": [
            [int(month.year), int(month.month), float(value)]
            for month, value in (ffn.to_monthly(whole).pct_change().dropna()).items()
        ],
    }


def write(name: str, tools: tuple[str, ...], notes: list[str], found: dict[str, Any]) -> None:
    facts = {"tools": {tool: version(tool) for tool in tools}, "cash": CASH, "fees": FEES, "notes": notes}
    (HERE / f"{name}.json").write_text(json.dumps({**facts, **found}, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    write(
        "vectorbt",
        ("vectorbt", "numba", "numpy", "pandas"),
        [
            f"slippage {SLIPPAGE}; fill next_open = signals shifted by one bar, filled at the open",
            "its year has 365 days; its expectancy is in money: 'expectancy' here is the mean of its trade returns",
            "stop 3 %, target 4 % of the fill price; its entry bar is not checked, as under our fill close",
            "no trailing stop: its distance is a share of the best price, ours is a fixed distance in money",
            "no drawdown duration: it counts from the first bar below the peak, we count from the peak",
        ],
        {"slippage": SLIPPAGE, "cases": with_vectorbt(), "rebalanced": rebalanced_by_vectorbt()},
    )
    write(
        "backtesting",
        ("backtesting", "numpy", "pandas"),
        [
            "no slippage: its spread is another model; Sharpe is left out: it compounds means and volatilities",
            "open positions are not among its trades; amounts are fractions of the cash at the start",
            "fill next_open only: at the close it books a fill on the bar after, and never one of the last bar",
        ],
        {"cases": with_backtesting()},
    )
    write(
        "backtrader",
        ("backtrader", "pandas"),
        ["no slippage: it caps a slipped price at the bar's range; trades = entries filled"],
        {"cases": with_backtrader()},
    )
    write(
        "metrics",
        ("empyrical-reloaded", "ffn", "numpy", "pandas"),
        [
            "252 bars a year; alpha is left out: empyrical compounds it; ffn's cagr and sortino are other definitions",
            "equity: GOOGL, 10/30, filled at the close; benchmark: the stock's closes",
        ],
        metrics_of_others(),
    )


if __name__ == "__main__":
    main()
