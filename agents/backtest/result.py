"""What a backtest found: numbers, curves, trades, what they rest on, and the files that keep them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from agents.backtest.display import Chart, result_card, result_chart, result_line
from agents.backtest.report import page
from data.contracts.errors import InvalidInput

Metrics = dict[str, float | None]


@dataclass(frozen=True, eq=False)
class Result:
    """One backtest.

    metrics:   the keys of `metrics.KEYS`; None = undefined, and `reasons` says why.
    by_symbol: symbol -> the same keys. With shared cash only those that follow from trades are defined.
    equity:    ts, equity, drawdown, exposure (gross value of positions over equity), benchmark (null without one); one
               row per session, at its close.
    trades:    symbol, side, entry_ts, exit_ts (null = still open), shares, entry_price, exit_price (null = still open),
               fees, borrow, pnl, return (of the entry's value), bars, reason; ordered by entry, then symbol.
    context:   what the numbers rest on or stand beside: rules, data, annualisation, benchmark, monthly, drawdowns,
               cost_curve, orders, and whatever the caller adds (psr, dsr, pbo, trials).
    result_id: what the bits stand for, see `record`; empty when nobody asked for one.
    Equal results give equal bytes in every file.
    """

    name: str
    metrics: Metrics
    by_symbol: dict[str, Metrics]
    equity: pl.DataFrame
    trades: pl.DataFrame
    context: dict[str, Any]
    warnings: tuple[str, ...] = ()
    reasons: dict[str, str] = field(default_factory=dict)
    reasons_by_symbol: dict[str, dict[str, str]] = field(default_factory=dict)
    result_id: str = ""

    def facts(self) -> dict[str, Any]:
        """All but the tables, as plain values: what `metrics.json` holds."""
        return {
            "result_id": self.result_id,
            "name": self.name,
            "metrics": self.metrics,
            "reasons": self.reasons,
            "by_symbol": self.by_symbol,
            "reasons_by_symbol": self.reasons_by_symbol,
            "context": self.context,
            "warnings": list(self.warnings),
        }

    def html(self) -> str:
        """The tear sheet: one page that needs nothing else."""
        return page(self)

    def plot(self) -> Chart:
        """The equity curve beside the benchmark's; `.save("equity.svg")` keeps it."""
        return result_chart(self)

    def report(self, path: str | Path) -> Path:
        """Write the tear sheet; returns where it lies."""
        target = Path(path)
        target.write_text(self.html(), encoding="utf-8")
        return target

    def save(self, folder: str | Path) -> Path:
        """Write metrics.json, equity.parquet, trades.parquet and report.html into a folder, made if need be."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.facts(), indent=1, allow_nan=False)
        (target / "metrics.json").write_text(text + "\n", encoding="utf-8")
        self.equity.write_parquet(target / "equity.parquet")
        self.trades.write_parquet(target / "trades.parquet")
        self.report(target / "report.html")
        return target

    @classmethod
    def load(cls, folder: str | Path) -> Result:
        """What `save` wrote. Raises InvalidInput naming the file that is missing or cannot be read."""
        source = Path(folder)
        try:
            facts = json.loads((source / "metrics.json").read_text(encoding="utf-8"))
            tables = {name: pl.read_parquet(source / f"{name}.parquet") for name in ("equity", "trades")}
            return cls(**{**facts, **tables, "warnings": tuple(facts["warnings"])})
        except (OSError, ValueError, TypeError, KeyError, pl.exceptions.PolarsError) as problem:
            raise InvalidInput(f"the result in {source} cannot be read ({problem}); run it again") from None

    def _repr_html_(self) -> str:
        return result_card(self)

    def __repr__(self) -> str:
        return result_line(self)
