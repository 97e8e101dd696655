"""The verb `sweep`: many sets of parameters at once, and how far the best of them can be believed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serve_app.cli.options import Calendar, Frame, Stamp, Zone
from serve_app.cli.output import AsJson, Out, progress_bar, require_format, say, show
from serve_app.cli.questions import (
    BarsPath,
    Cash,
    Fees,
    Fill,
    Metric,
    RuleWords,
    Sample,
    Seed,
    Slippage,
    SweptWords,
    Symbols,
    Where,
    grid_of,
    rules_of,
)

if TYPE_CHECKING:
    from agents.backtest.search import Search

By = Annotated[str, typer.Option(help="grid: every set; optuna: --trials of them, where the best is expected.")]
Trials = Annotated[int | None, typer.Option(min=1, help="With --search optuna: how many sets to try.")]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command("sweep")(sweep)


def sweep(
    words: SweptWords,
    bars: BarsPath = None,
    symbols: Symbols = None,
    where: Where = None,
    metric: Metric = "sharpe",
    sample: Sample = None,
    seed: Seed = 0,
    search: By = "grid",
    trials: Trials = None,
    fees: Fees = "0",
    slippage: Slippage = "0",
    fill: Fill = "next_open",
    cash: Cash = 100_000.0,
    rule: RuleWords = None,
    frame: Frame = None,
    stamp: Stamp = None,
    tz: Zone = None,
    calendar: Calendar = "XNYS",
    estimate: Annotated[bool, typer.Option("--estimate", help="Only say what it would take.")] = False,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Try many sets of parameters on many symbols; rank them, and say how much of the best is luck."""
    from agents.backtest.picking import Guide
    from agents.backtest.search import Search
    from data.clock import SystemClock
    from data.market.source import SAMPLE, Stamps
    from data.settings import Settings
    from serve_app.cli.research_tables import SweepCard
    from serve_app.logs import configure_logging
    from serve_app.runs import Source
    from serve_app.sweeps import Plan, run_sweep_here

    require_format(out)
    configure_logging()
    rules = rules_of(fees, slippage, fill, cash, rule)
    grid, guide = grid_of(words, where, sample, seed), Guide.of(search, trials)
    source = Source(bars or SAMPLE, symbols, Stamps(frame, stamp, tz, calendar))
    settings = Settings.load()
    _, panel, universe = source.open(settings.home)
    asked = Search(grid, panel, universe, rules, metric, guide=guide)
    if estimate:
        _tell(asked, as_json=as_json, out=out)
        return
    with progress_bar("sets") as progress:
        swept, _ = run_sweep_here(settings, Plan(asked, source), clock=SystemClock(), say=say, progress=progress)
    summary = swept.summary
    rows = summary["top"] if out is None else swept.table.sort("set").collect().to_dicts()
    show(summary, rows, SweepCard(summary, swept.folder), as_json=as_json, out=out)


def _tell(search: Search, *, as_json: bool, out: Path | None) -> None:
    from rich.text import Text

    found = search.estimate
    row: dict[str, Any] = {
        "sets": search.total,
        "symbols": len(search.panel.symbols),
        "backtests": found.backtests,
        "chunks": search.chunk_count,
        "core_seconds": round(found.seconds, 3),
        "worker_bytes": found.peak_bytes,
    }
    text = (
        f"{row['sets']:,} sets on {row['symbols']:,} symbols: {row['backtests']:,} backtests "
        f"in {row['chunks']:,} chunks, about {found.seconds:,.1f} s of one core, "
        f"{found.peak_bytes / 2**20:,.0f} MiB a worker beside the bars"
    )
    show(row, [row], Text(text), as_json=as_json, out=out)
