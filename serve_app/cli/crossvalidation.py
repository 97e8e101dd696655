"""The verb `crossvalidate`: how much the answer of a search depends on which bars were kept for the test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from serve_app.cli.options import Calendar, Frame, Stamp, Zone
from serve_app.cli.output import AsJson, Out, progress_bar, require_format, say, show
from serve_app.cli.questions import (
    BarsPath,
    Cash,
    Fees,
    Fill,
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
from serve_app.cli.validation import cell, tell_estimate

if TYPE_CHECKING:
    from agents.backtest.crossvalidation import CrossValidated

_SPLITS_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command("crossvalidate")(crossvalidate)


def crossvalidate(
    words: SweptWords,
    groups: Annotated[int, typer.Option(min=2, help="Stretches the bars are cut into.")] = 6,
    test_groups: Annotated[int, typer.Option(min=1, help="Of them, tested in every split.")] = 2,
    purge: Annotated[int, typer.Option(min=0, help="Bars left out on either side of a test.")] = 0,
    embargo: Annotated[int, typer.Option(min=0, help="More bars left out after a test.")] = 0,
    bars: BarsPath = None,
    symbols: Symbols = None,
    where: Where = None,
    sample: Sample = None,
    seed: Seed = 0,
    fees: Fees = "0",
    slippage: Slippage = "0",
    fill: Fill = "next_open",
    cash: Cash = 100_000.0,
    rule: RuleWords = None,
    frame: Frame = None,
    stamp: Stamp = None,
    tz: Zone = None,
    calendar: Calendar = "XNYS",
    estimate: Annotated[bool, typer.Option("--estimate", help="Say what it would take, and do nothing.")] = False,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Choose on every combination of stretches of bars, test on the others: a distribution of Sharpe ratios."""
    from agents.backtest.crossvalidation import CrossValidation, Groups
    from data.clock import SystemClock
    from data.market.source import SAMPLE, Stamps
    from data.settings import Settings
    from serve_app.crossvalidations import Plan, cross_validate_here
    from serve_app.logs import configure_logging
    from serve_app.runs import Source

    require_format(out)
    configure_logging()
    grid = grid_of(words, where, sample, seed)
    rules = rules_of(fees, slippage, fill, cash, rule)
    source = Source(bars or SAMPLE, symbols, Stamps(frame, stamp, tz, calendar))
    settings = Settings.load()
    _, panel, universe = source.open(settings.home)
    asked = CrossValidation(grid, panel, universe, rules, Groups(groups, test_groups, purge, embargo))
    if estimate:
        tell_estimate(asked, "splits", as_json=as_json, out=out)
        return
    with progress_bar("sets in splits") as progress:
        found, _ = cross_validate_here(settings, Plan(asked, source), clock=SystemClock(), say=say, progress=progress)
    show(document(found), found.paths.to_dicts(), CrossCard(found), as_json=as_json, out=out)


def document(found: CrossValidated) -> dict[str, Any]:
    """A cross-validation as plain JSON."""
    return {**found.facts, "paths": found.paths.to_dicts(), "splits": found.splits.to_dicts()}


class CrossCard:
    """The Sharpe ratios of the paths and how they scatter, and what every split chose."""

    def __init__(self, found: CrossValidated) -> None:
        self._found = found

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        facts = self._found.facts
        yield Text.assemble(
            (f"{facts['strategy']}, cross-validated", "bold"),
            f"  {facts['symbols']} symbols, {facts['sets']:,} sets by {facts['metric']}, "
            f"{facts['test_groups']} of {facts['groups']} groups tested in {self._found.splits.height} splits",
        )
        yield _table(self._found.paths.to_dicts())
        yield Text(_words(self._found.summary, self._found.paths.height))
        yield Text("sets are also chosen on bars after a test: no path could have been traded", style="dim")
        splits = self._found.splits.to_dicts()
        yield _table(splits[:_SPLITS_SHOWN])
        if len(splits) > _SPLITS_SHOWN:
            yield Text(f"… {len(splits) - _SPLITS_SHOWN} more in --json", style="dim")
        trials = self._found.context["trials"]
        yield Text(f"run {self._found.result_id[:12]}; {trials:,} trials of its family here", style="dim")


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in rows[0]:
        table.add_column(name.replace("_", " "), justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(cell(name, value) for name, value in row.items()))
    return table


def _words(summary: dict[str, float | None], paths: int) -> str:
    if summary["median"] is None:
        return "no path has a Sharpe ratio: nothing was traded, or the money was gone"
    scatter = "" if summary["deviation"] is None else f", deviation {summary['deviation']:.2f}"
    return (
        f"Sharpe ratio of {paths} paths: median {summary['median']:.2f}, mean {summary['mean']:.2f}{scatter}, "
        f"from {summary['smallest']:.2f} to {summary['largest']:.2f}; {summary['below_zero']:.0%} of them below 0"
    )
