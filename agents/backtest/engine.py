"""Orders and rules to a result: simulate, measure, compare. Pure; the rules stand in `docs/backtests.md`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypedDict

import numpy as np
import polars as pl

from agents.backtest.metrics import (
    Measured,
    break_even,
    compare,
    drawdowns,
    measure,
    measure_trades,
    monthly,
    ordered,
)
from agents.backtest.orders import Orders
from agents.backtest.result import Result
from agents.backtest.rules import Rules
from agents.backtest.simulation import PATIENCE, Run, Simulation, bars_of_a_year
from agents.kernels import simulate
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel, from_micros

CURVE_BPS = tuple(range(0, 51, 5))
TS = pl.Datetime("us", "UTC")


class Year(TypedDict):
    """Bars of a year, and what money earns in it without risk."""

    annualisation: float
    risk_free: float


def backtest(
    panel: Panel,
    orders: Orders,
    rules: Rules | None = None,
    *,
    name: str = "strategy",
    rank: Floats | None = None,
    benchmark: Floats | Literal["buy_and_hold"] | None = "buy_and_hold",
    finish_all: bool = False,
    context: Mapping[str, Any] | None = None,
) -> Result:
    """Test orders on a panel.

    rank, finish_all: see `Simulation`.    context: more for `Result.context`, plain values.
    benchmark: an equity (M,) at the panel's sessions, from whose first value it is measured, or "buy_and_hold": the
               same symbols, even shares, bought at the first fill there is and kept, at the same costs.
    Raises: InvalidInput when panel, orders, rules, rank and benchmark do not fit together.
    """
    simulation = Simulation(panel, orders, rules or Rules(), rank, finish_all)
    rules = simulation.rules
    run = simulation.run()
    annualisation = float(rules.annualisation or bars_of_a_year(panel))
    year = Year(annualisation=annualisation, risk_free=float(rules.risk_free))
    together = _measure_together(simulation, run, year)
    single = _measure_symbols(simulation, run, together, year)
    other = _benchmark(simulation, benchmark)
    beside: dict[str, Any] = {"benchmark": None}
    if other is not None:
        kind = benchmark if isinstance(benchmark, str) else "given"
        beside = {"benchmark": {"kind": kind, **compare(run.equity, rules.cash, *other, **year)}}
    curve = simulation.total_returns(np.array(CURVE_BPS) * 1e-4)
    return Result(
        name=name,
        metrics=ordered(together),
        by_symbol={symbol: ordered(found) for symbol, found in zip(panel.symbols, single, strict=True)},
        equity=_equity_frame(simulation, run, other),
        trades=_trades_frame(simulation, run),
        context={
            "rules": rules.facts(),
            "annualisation": annualisation,
            "data": _data_facts(panel),
            **beside,
            "orders": {
                "cut_by_volume": run.cut,
                "exits_over_volume": run.over,
                "without_slot": run.no_slot,
                "without_money": run.no_money,
                "borrow_paid": float(math.fsum(run.trades.real[:, 4])),
            },
            "monthly": monthly(run.equity, rules.cash, panel.sessions),
            "drawdowns": drawdowns(run.equity, panel.sessions),
            "cost_curve": [[bps, float(value)] for bps, value in zip(CURVE_BPS, curve, strict=True)],
            **(context or {}),
        },
        warnings=tuple(_warnings(simulation, run)),
        reasons=together.reasons,
        reasons_by_symbol={
            symbol: found.reasons for symbol, found in zip(panel.symbols, single, strict=True) if found.reasons
        },
    )


def _measure_together(simulation: Simulation, run: Run, year: Year) -> Measured:
    held = run.gross > 0.0 if simulation.rules.mode == "portfolio" else run.position != 0.0
    found = measure(
        run.equity,
        np.array([0, run.equity.size]),
        np.array([float(simulation.rules.cash)]),
        run.trades,
        np.zeros(run.trades.symbol.size, np.int64),
        np.array([held.mean()]),
        **year,
    )[0]
    fees, why = break_even(simulation.total_returns, 1)
    found.put("break_even_bps", float(fees[0]), why[0])
    return found


def _measure_symbols(simulation: Simulation, run: Run, together: Measured, year: Year) -> list[Measured]:
    panel, count = simulation.panel, len(simulation.panel.symbols)
    if simulation.rules.mode == "portfolio":
        return measure_trades(run.trades, run.trades.symbol, count)
    if count == 1:
        return [together]
    held = np.add.reduceat(run.position != 0.0, panel.offsets[:-1], dtype=np.int64) / np.diff(panel.offsets)
    found = measure(run.rows, panel.offsets, simulation.start, run.trades, run.trades.symbol, held, **year)
    for measured, fee, why in zip(found, *break_even(simulation.returns_by_symbol, count), strict=True):
        measured.put("break_even_bps", float(fee), why)
    return found


def _benchmark(simulation: Simulation, wanted: Floats | str | None) -> tuple[Floats, float] | None:
    """The benchmark's equity (M,) and the money before it."""
    panel, rules = simulation.panel, simulation.rules
    if wanted is None:
        return None
    if isinstance(wanted, str):
        if wanted != "buy_and_hold":
            raise InvalidInput(f'benchmark is "buy_and_hold", an equity or None, not {wanted!r}')
        always, never = np.ones(len(panel), np.bool_), np.zeros(len(panel), np.bool_)
        plain = Rules(
            cash=rules.cash,
            fees=rules.fees,
            slippage=rules.slippage,
            fill=rules.fill,
            fee_per_share=rules.fee_per_share,
            fee_per_trade=rules.fee_per_trade,
        )
        kept = Simulation(panel, Orders.of(always, never), plain, finish_all=simulation.finish_all)
        return kept.run().equity, rules.cash
    if wanted.shape != panel.sessions.shape or not np.all(np.isfinite(wanted)) or wanted[0] <= 0.0:
        raise InvalidInput(
            f"a benchmark's equity needs one finite number for each of the {panel.sessions.size} sessions, "
            "the first above zero"
        )
    return np.asarray(wanted, np.float64), float(wanted[0])


def _equity_frame(simulation: Simulation, run: Run, benchmark: tuple[Floats, float] | None) -> pl.DataFrame:
    with np.errstate(divide="ignore", invalid="ignore"):
        exposure = np.where(run.equity > 0.0, run.gross / run.equity, np.nan)
    return pl.DataFrame(
        {
            "ts": pl.Series(simulation.panel.sessions).cast(TS),
            "equity": run.equity,
            "drawdown": run.equity / np.maximum.accumulate(run.equity) - 1.0,
            "exposure": pl.Series(exposure).fill_nan(None),
            "benchmark": pl.Series(
                np.full(run.equity.size, np.nan) if benchmark is None else benchmark[0], dtype=pl.Float64
            ).fill_nan(None),
        }
    )


def _trades_frame(simulation: Simulation, run: Run) -> pl.DataFrame:
    panel, trades = simulation.panel, run.trades
    symbol, entry, leave, side, reason = trades.whole.T
    shares, entry_price, exit_price, fees, lent, _ = trades.real.T
    order = np.lexsort((panel.ts[leave], symbol, panel.ts[entry]))
    frame = pl.DataFrame(
        {
            "symbol": pl.Series(panel.symbols, dtype=pl.String).gather(symbol),
            "side": pl.Series(["short", "long"], dtype=pl.String).gather((side + 1) // 2),
            "entry_ts": pl.Series(panel.ts[entry]).cast(TS),
            "exit_ts": pl.Series(panel.ts[leave]).cast(TS),
            "shares": shares,
            "entry_price": entry_price,
            "exit_price": exit_price,
            "fees": fees,
            "borrow": lent,
            "pnl": trades.pnl,
            "return": trades.returns,
            "bars": leave - entry,
            "reason": pl.Series(simulate.REASONS, dtype=pl.String).gather(reason),
        }
    )
    closed = pl.col("reason") != "open"
    return frame[order].with_columns(pl.when(closed).then(pl.col("exit_ts", "exit_price")))


def _data_facts(panel: Panel) -> dict[str, Any]:
    return {
        "hash": panel.content_hash,
        "symbols": len(panel.symbols),
        "bars": len(panel),
        "sessions": int(panel.sessions.size),
        "first": from_micros(int(panel.sessions[0])).isoformat(),
        "last": from_micros(int(panel.sessions[-1])).isoformat(),
        "frame": panel.frame,
        "adjust": panel.adjust,
    }


def _warnings(simulation: Simulation, run: Run) -> Iterator[str]:
    panel, rules, reasons = simulation.panel, simulation.rules, run.trades.whole[:, 4]
    if rules.fill == "close":
        yield "fills at the close that the decision was made from are optimistic; compare with fill next_open"
    if run.trades.symbol.size == 0:
        yield "no order was filled: no entry held on a bar that had a fill after it"
    early = [panel.symbols[s] for s in np.flatnonzero(simulation.ends_early)]
    if early:
        yield f"{_some(early)}: no bars in the last {PATIENCE} sessions and more; closed at the last close, with costs"
    ruined = [panel.symbols[s] for s in np.unique(run.trades.symbol[reasons == simulate.RUIN])]
    if ruined:
        yield f"{_some(ruined)}: the money was gone; the position was closed at that close and nothing opened after it"
    if run.cut:
        yield f"{run.cut} entries were cut to {rules.volume_limit:.2%} of the bar's volume; the rest was dropped"
    if run.over:
        yield f"{run.over} exits were larger than {rules.volume_limit:.2%} of the bar's volume; they are filled whole"
    if panel.adjust != "none" and (rules.fee_per_share or rules.volume_limit):
        yield f"fees per share and volume limits need raw prices; these are adjusted ({panel.adjust})"
    if rules.leverage > 1.0:
        yield "borrowed money costs no interest here"


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
