"""Verbs that doubt a strategy: `walkforward` tests it on bars it was not chosen on, `check` looks for look-ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
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
    Metric,
    ParamWords,
    RuleWords,
    Sample,
    Seed,
    Slippage,
    SweptWords,
    Symbols,
    Where,
    grid_of,
    pairs,
    plain,
    rules_of,
)
from serve_app.cli.research_tables import metric_tables, sharpe_words

if TYPE_CHECKING:
    from agents.backtest.check import Finding as StrategyFinding
    from agents.backtest.choosing import Choice
    from agents.backtest.walkforward import WalkForward
    from agents.lookahead import Finding as AgentFinding
    from data.contracts.panel import Panel

_CHECK_SYMBOLS = 12
_CHECK_CUTS = 25
_SEED = 20_180_207
_HIDDEN = ("partial", "train_last", "test_last")  # of a fold's row, in a terminal


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command("walkforward")(walkforward)
    app.command("check")(check)


def walkforward(
    words: SweptWords,
    train: Annotated[int, typer.Option(min=1, help="Bars to choose on.")],
    test: Annotated[int, typer.Option(min=1, help="Bars to test the choice on.")],
    purge: Annotated[int, typer.Option(min=0, help="Bars left out before a test.")] = 0,
    embargo: Annotated[int, typer.Option(min=0, help="More bars left out before a test.")] = 0,
    anchored: Annotated[bool, typer.Option("--anchored", help="Every train begins at the first bar.")] = False,
    bars: BarsPath = None,
    symbols: Symbols = None,
    where: Where = None,
    metric: Metric = "sharpe",
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
    """Choose parameters on past bars, test them on the bars after, move on: what a strategy earns out of sample."""
    from agents.backtest.walkforward import Lengths, Walk
    from data.clock import SystemClock
    from data.market.source import SAMPLE, Stamps
    from data.settings import Settings
    from serve_app.logs import configure_logging
    from serve_app.runs import Source
    from serve_app.walkforwards import Plan, run_walk_here

    require_format(out)
    configure_logging()
    grid = grid_of(words, where, sample, seed)
    rules = rules_of(fees, slippage, fill, cash, rule)
    source = Source(bars or SAMPLE, symbols, Stamps(frame, stamp, tz, calendar))
    settings = Settings.load()
    _, panel, universe = source.open(settings.home)
    walk = Walk(grid, panel, universe, rules, Lengths(train, test, purge, embargo, anchored), metric)
    if estimate:
        tell_estimate(walk, "folds", as_json=as_json, out=out)
        return
    with progress_bar("sets in folds") as progress:
        found, _ = run_walk_here(settings, Plan(walk, source), clock=SystemClock(), say=say, progress=progress)
    show(walk_document(found, panel.content_hash), fold_rows(found), WalkCard(found), as_json=as_json, out=out)


def check(
    target: Annotated[
        str, typer.Argument(help="A strategy, a .yaml file, a .py file of your own (it is run), or an agent.")
    ],
    bars: Annotated[str, typer.Option(help="sample, or a path to bars.")] = "sample",
    symbols: Annotated[
        str | None, typer.Option(help="A,B,C or a file with one symbol a line; default: twelve of the bars.")
    ] = None,
    param: ParamWords = None,
    cuts: Annotated[int, typer.Option(min=1, help="Moments at which the future is taken away.")] = _CHECK_CUTS,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Prove that a strategy or an agent does not look ahead, by prefix replay. Exit code 1 when it does."""
    import numpy as np

    from agents.backtest.check import check_strategy
    from agents.lookahead import check_agent
    from data.contracts.errors import InvalidInput
    from serve_app.targets import agent_of, deciders

    require_format(out)
    values = {name: plain(value) for name, value in pairs(param, "--param").items()}
    rows: list[dict[str, Any]] = []
    agent = agent_of(target)
    if agent is not None:
        if values:
            raise InvalidInput(f"{target} is an agent; it is checked as it is, so leave --param out")
        panel = _some(bars, symbols, ())
        checked = check_agent(agent, panel, cuts=cuts, rng=np.random.default_rng(_SEED))
        rows.append({"name": target, "kind": "agent", "ok": checked.ok, "findings": _told(checked.findings)})
    else:
        strategies = deciders(target, values)
        panel = _some(bars, symbols, [value for value in values.values() if isinstance(value, str)])
        with progress_bar("strategies") as progress:
            for done, (name, one) in enumerate(strategies.items(), start=1):
                report = check_strategy(name, one, panel, cuts=cuts, rng=np.random.default_rng(_SEED))
                row = {"name": name, "kind": "strategy", "ok": report.ok, "findings": _told(report.findings)}
                rows.append({**row, "entries": report.entries})
                progress(done, len(strategies))
    ok = all(row["ok"] for row in rows)
    scope = {"symbols": len(panel.symbols), "sessions": int(panel.sessions.size), "cuts": cuts}
    show({"ok": ok, **scope, "checked": rows}, rows, CheckTable(rows, scope), as_json=as_json, out=out)
    if not ok:
        raise typer.Exit(1)


def walk_document(found: WalkForward, data_hash: str) -> dict[str, Any]:
    """A walk-forward as plain JSON."""
    kept = {"metrics": found.metrics, "reasons": found.stitched.reasons, "context": found.context}
    tables = {"folds": fold_rows(found), "drift": found.drift.to_dicts()}
    return {"result_id": found.result_id, "data_hash": data_hash, **kept, **tables, "warnings": list(found.warnings)}


def fold_rows(found: WalkForward) -> list[dict[str, Any]]:
    """Its folds, with moments as text."""
    return [_plain_row(row) for row in found.folds.to_dicts()]


def tell_estimate(asked: Choice, trains: str, *, as_json: bool, out: Path | None) -> None:
    """Print what a question would take. trains: what it has several of, "folds" or "splits"."""
    found = asked.estimate
    row: dict[str, Any] = {
        "sets": int(asked.grid.positions.size),
        "symbols": len(asked.panel.symbols),
        trains: len(asked.trains),
        "backtests": found.backtests,
        "chunks": sum(1 for _ in asked.chunks()),
        "core_seconds": round(found.seconds, 3),
        "worker_bytes": found.peak_bytes,
    }
    text = (
        f"{row['sets']:,} sets on {row['symbols']:,} symbols in {row[trains]:,} {trains}: {row['backtests']:,} "
        f"backtests in {row['chunks']:,} chunks, at most about {found.seconds:,.1f} s of one core, "
        f"{found.peak_bytes / 2**20:,.0f} MiB a worker beside the bars"
    )
    show(row, [row], Text(text), as_json=as_json, out=out)


class WalkCard:
    """The folds, what they come to together, how much of the gain was left out of sample, how the choice moved."""

    def __init__(self, found: WalkForward) -> None:
        self._found = found

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        found, said = self._found, self._found.context["walkforward"]
        data = found.context["data"]
        yield Text.assemble(
            (found.stitched.name, "bold"),
            f"  {data['symbols']} symbols, {said['sets']:,} sets by {said['metric']}, "
            f"{said['folds']} folds of {said['train']} + {said['test']} bars",
        )
        yield self._folds()
        yield Text(f"out of sample, {data['first'][:10]} to {data['last'][:10]}:", style="dim")
        yield from metric_tables(found.metrics)
        yield Text(sharpe_words(found.context))
        yield Text(_efficiency(said))
        for row in found.drift.to_dicts():
            yield Text(_drift(row, said["folds"]))
        other = found.context["benchmark"]
        if other["total_return"] is not None:
            yield Text(f"buy and hold of the same: {other['total_return']:.1%} in all")
        for name, why in found.stitched.reasons.items():
            yield Text(f"{name.replace('_', ' ')} is undefined: {why}", style="dim")
        for warning in found.warnings:
            yield Text(warning, style="yellow")
        yield Text(
            f"run {found.result_id[:12]}; `goldensignals runs report {found.result_id[:12]}` draws it", style="dim"
        )

    def _folds(self) -> Table:
        table = Table(box=None, header_style="dim", pad_edge=False)
        rows = self._found.folds.to_dicts()
        names = [name for name in rows[0] if name not in _HIDDEN]
        for name in names:
            table.add_column(name.replace("_", " "), justify="right", no_wrap=True)
        for row in rows:
            cells = [cell(name, row[name]) for name in names]
            table.add_row(*cells, style="dim" if row["partial"] else "")
        return table


class CheckTable:
    """What was checked, and each finding."""

    def __init__(self, rows: list[dict[str, Any]], scope: Mapping[str, int]) -> None:
        self._rows, self._scope = rows, scope

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        proof = f"{self._scope['symbols']} symbols, {self._scope['cuts']} cuts of {self._scope['sessions']} sessions"
        for row in self._rows:
            mark = Text("ok", style="green") if row["ok"] else Text("✗ looks ahead or is not repeatable", style="red")
            idle = "; it never enters here, so this proves nothing" if row.get("entries") == 0 else ""
            words = f"same decisions, {proof}{idle}" if row["ok"] else ""
            yield Text.assemble((row["name"], "bold"), "  ", mark, "  ", words)
            for finding in row["findings"]:
                where = (finding.get("column"), finding["symbol"], finding["bar"])
                yield Text(f"  {' '.join(word for word in where if word)}: {finding['text']}")


def _some(bars: str, symbols: str | None, needed: list[str] | tuple[str, ...]) -> Panel:
    """The chosen symbols, or a dozen evenly through the alphabet, and those that are needed."""
    import numpy as np

    from data.market.source import choose_universe, open_bars

    loaded = open_bars(bars)
    panel = loaded.panel
    if symbols is not None:
        wanted = [*choose_universe(loaded, symbols).symbols]
    else:
        spread = np.linspace(0, len(panel.symbols) - 1, min(_CHECK_SYMBOLS, len(panel.symbols))).astype(int)
        wanted = [panel.symbols[i] for i in spread]
    return panel.select([*wanted, *needed])


def _told(findings: Sequence[AgentFinding | StrategyFinding]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in asdict(one).items() if name not in ("agent", "strategy")} for one in findings
    ]


def _plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def cell(name: str, value: Any) -> str:
    """A value of a table of results, for a person."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}"
    if name.endswith(("return", "cagr", "drawdown")):
        return f"{value:.1%}"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def _efficiency(said: Mapping[str, Any]) -> str:
    test, train = (cell("return", said[f"{name}_return_per_year"]) for name in ("test", "train"))
    years = f"{test} a year out of sample, {train} where chosen"
    if said["efficiency"] is None:
        return f"{years}; efficiency is undefined: {said['efficiency_reason']}"
    return f"{years}: efficiency {said['efficiency']:.0%}"


def _drift(row: Mapping[str, Any], folds: int) -> str:
    span = "" if row["smallest"] is None else f" between {row['smallest']:g} and {row['largest']:g}"
    return (
        f"{row['parameter']}: {row['distinct']} values in {folds} folds{span}, changed {row['changes']} times, "
        f"mostly {row['most_often']}"
    )
