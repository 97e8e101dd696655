"""Tests of several stretches of bars, one after the other, as one backtest: what was done out of sample.

Each stretch was traded by itself: flat at its first bar, closed at its last close, with the money that the one before
ended with, shared out anew among its symbols. So a symbol has no equity of its own, only trades.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from agents.backtest.engine import CURVE_BPS, TS, Year, backtest
from agents.backtest.metrics import Trades, break_even, compare, drawdowns, measure, measure_trades, monthly, ordered
from agents.backtest.orders import Orders
from agents.backtest.result import Result
from agents.backtest.rules import Rules
from agents.backtest.selection import PLAIN, cut, cut_orders, rows_of
from agents.backtest.simulation import Simulation
from agents.kernels import simulate
from data.contracts.arrays import Floats
from data.contracts.panel import Panel, from_micros


@dataclass(frozen=True, eq=False)
class Test:
    """One stretch of sessions, and what was done in it; nothing, when there was no money left."""

    __test__ = False  # no test of ours

    stretch: range
    simulation: Simulation | None
    result: Result | None


def simulation(
    panel: Panel, stretch: range, orders: Orders, rules: Rules, rank: Floats | None, *, finish_all: bool
) -> Simulation:
    """Orders and ranks of all bars, traded inside a stretch only."""
    rows = rows_of(panel, stretch)
    some = None if rank is None else rank[rows]
    return Simulation(cut(panel, stretch), cut_orders(orders, rows), rules, some, finish_all)


def tested(panel: Panel, stretch: range, orders: Orders, rules: Rules, rank: Floats | None) -> Test:
    """Trade a stretch and close what is open at its last close, with costs."""
    asked = simulation(panel, stretch, orders, rules, rank, finish_all=True)
    found = backtest(asked.panel, asked.orders, rules, rank=asked.rank, benchmark=None, finish_all=True)
    return Test(stretch, asked, found)


def stitched(panel: Panel, rules: Rules, tests: Sequence[Test], name: str) -> Result:
    """The tests as one backtest. rules: with the bars of a year and the money before the first test.

    The tests follow one another without a gap. Its benchmark is bought at the first fill of all and kept to the end.
    """
    found = _Stitched(panel, rules, tests)
    year = Year(annualisation=float(rules.annualisation or math.nan), risk_free=float(rules.risk_free))
    equity, benchmark, sessions = found.equity(), found.benchmark(), panel.sessions[found.stretch]
    frame = pl.concat(test.result.trades for test in tests if test.result is not None)
    trades = _as_trades(frame, panel.symbols)
    measured = measure(
        equity,
        np.array([0, equity.size]),
        np.array([float(rules.cash)]),
        trades,
        np.zeros(frame.height, np.int64),
        np.array([found.held()]),
        **year,
    )[0]
    fees, why = break_even(found.returns_at, 1)
    measured.put("break_even_bps", float(fees[0]), why[0])
    by_symbol = dict(zip(panel.symbols, measure_trades(trades, trades.symbol, len(panel.symbols)), strict=True))
    curve = found.returns_at(np.array(CURVE_BPS) * 1e-4)
    return Result(
        name=name,
        metrics=ordered(measured),
        by_symbol={symbol: ordered(one) for symbol, one in by_symbol.items()},
        equity=pl.DataFrame(
            {
                "ts": pl.Series(sessions).cast(TS),
                "equity": equity,
                "drawdown": equity / np.maximum.accumulate(equity) - 1.0,
                "exposure": found.exposure(),
                "benchmark": benchmark,
            }
        ),
        trades=frame,
        context={
            "rules": rules.facts(),
            "annualisation": year["annualisation"],
            "data": found.data(),
            "benchmark": {"kind": "buy_and_hold", **compare(equity, rules.cash, benchmark, rules.cash, **year)},
            "orders": found.orders(),
            "monthly": monthly(equity, rules.cash, sessions),
            "drawdowns": drawdowns(equity, sessions),
            "cost_curve": [[bps, float(value)] for bps, value in zip(CURVE_BPS, curve, strict=True)],
        },
        warnings=tuple(found.warnings()),
        reasons=measured.reasons,
        reasons_by_symbol={symbol: one.reasons for symbol, one in by_symbol.items() if one.reasons},
    )


@dataclass(frozen=True, eq=False)
class _Stitched:
    panel: Panel
    rules: Rules
    tests: Sequence[Test]

    @property
    def stretch(self) -> slice:
        return slice(self.tests[0].stretch.start, self.tests[-1].stretch.stop)

    def equity(self) -> Floats:
        found: list[Floats] = []
        for test in self.tests:
            before = float(found[-1][-1]) if found else float(self.rules.cash)
            idle = np.full(len(test.stretch), before)
            found.append(idle if test.result is None else test.result.equity["equity"].to_numpy())
        return np.concatenate(found)

    def exposure(self) -> pl.Series:
        return pl.concat(
            pl.Series([None] * len(test.stretch), dtype=pl.Float64)
            if test.result is None
            else test.result.equity["exposure"]
            for test in self.tests
        )

    def held(self) -> float:
        """Share of bars (with shared cash: of sessions) with a position."""
        sizes, held = [], []
        for test in self.tests:
            part = cut(self.panel, test.stretch)
            sizes.append(len(test.stretch) if self.rules.mode == "portfolio" else len(part))
            held.append(0.0 if test.result is None else float(test.result.metrics["exposure"] or 0.0))
        return math.fsum(size * share for size, share in zip(sizes, held, strict=True)) / sum(sizes)

    def benchmark(self) -> Floats:
        part = cut(self.panel, range(self.stretch.start, self.stretch.stop))
        always, never = np.ones(len(part), np.bool_), np.zeros(len(part), np.bool_)
        plain = replace(self.rules, **PLAIN, leverage=1.0, volume_limit=None)  # type: ignore[arg-type]
        return Simulation(part, Orders.of(always, never), plain, finish_all=True).run().equity

    def returns_at(self, fees: Floats) -> Floats:
        """(C,) total returns at C fees, every test with the money that it had at the real ones."""
        growth = np.ones(fees.size)
        for test in self.tests:
            if test.simulation is not None:
                growth *= np.maximum(1.0 + test.simulation.total_returns(fees), 0.0)
        return growth - 1.0

    def data(self) -> dict[str, Any]:
        sessions = self.panel.sessions[self.stretch]
        return {
            "hash": self.panel.content_hash,
            "symbols": len(self.panel.symbols),
            "bars": int(np.count_nonzero((self.panel.ts >= sessions[0]) & (self.panel.ts <= sessions[-1]))),
            "sessions": int(sessions.size),
            "first": from_micros(int(sessions[0])).isoformat(),
            "last": from_micros(int(sessions[-1])).isoformat(),
            "frame": self.panel.frame,
            "adjust": self.panel.adjust,
        }

    def orders(self) -> dict[str, float]:
        found = [test.result.context["orders"] for test in self.tests if test.result is not None]
        return {key: sum(one[key] for one in found) for key in found[0]}

    def warnings(self) -> Iterator[str]:
        said: dict[str, list[str]] = {}
        for number, test in enumerate(self.tests):
            for text in () if test.result is None else test.result.warnings:
                said.setdefault(text, []).append(str(number))
        for text, numbers in said.items():
            yield text if len(numbers) == len(self.tests) else f"fold {', '.join(numbers)}: {text}"
        broke = [str(number) for number, test in enumerate(self.tests) if test.result is None]
        if broke:
            yield f"the money was gone before fold {broke[0]}; nothing was traded from there on"


def _as_trades(frame: pl.DataFrame, symbols: Sequence[str]) -> Trades:
    """A table of closed trades as metrics take them; those ask for no rows of bars."""
    whole = np.zeros((frame.height, 5), np.int64)
    whole[:, 0] = np.searchsorted(np.array(symbols), frame["symbol"].to_numpy())
    whole[:, 3] = np.where(frame["side"].to_numpy() == "long", 1, -1)
    whole[:, 4] = [simulate.REASONS.index(reason) for reason in frame["reason"]]
    shares, entry, leave, fees, lent = (
        frame[name].to_numpy() for name in ("shares", "entry_price", "exit_price", "fees", "borrow")
    )
    return Trades(whole, np.column_stack([shares, entry, leave, fees, lent, shares * (entry + leave)]))
