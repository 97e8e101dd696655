"""Verbs of research: `backtest` a strategy, and `runs`, which finds, shows, verifies and exports what was found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from serve_app.cli.options import Calendar, Frame, Stamp, Zone
from serve_app.cli.output import AsJson, Out, require_format, say, show
from serve_app.cli.questions import (
    BarsPath,
    Cash,
    Fees,
    Fill,
    ParamWords,
    RuleWords,
    Slippage,
    StrategyWords,
    Symbols,
    pairs,
    plain,
    rules_of,
    split_words,
)

if TYPE_CHECKING:
    from agents.backtest.result import Result
    from data.store.runs import Run

runs = typer.Typer(help="Results of research: list, show, verify, report, export.", no_args_is_help=True)

RunId = Annotated[str, typer.Argument(help="Id of a run, or its first digits.")]
_LISTED = 50


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command("backtest")(backtest)
    app.add_typer(runs, name="runs")


def backtest(
    strategy: StrategyWords,
    bars: BarsPath = None,
    symbols: Symbols = None,
    param: ParamWords = None,
    fees: Fees = "0",
    slippage: Slippage = "0",
    fill: Fill = "next_open",
    cash: Cash = 100_000.0,
    rule: RuleWords = None,
    frame: Frame = None,
    stamp: Stamp = None,
    tz: Zone = None,
    calendar: Calendar = "XNYS",
    as_json: AsJson = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="A folder for every file, or one file: .json, .csv …")
    ] = None,
) -> None:
    """Test a strategy on past bars: its metrics, what they rest on, and how far they can be believed."""
    from agents.backtest.single import Question
    from data.clock import SystemClock
    from data.market.source import SAMPLE, Stamps
    from data.settings import Settings
    from serve_app.backtests import Plan, run_backtest
    from serve_app.cli.research_tables import BacktestCard
    from serve_app.logs import configure_logging
    from serve_app.runs import Source

    folder = out if out is not None and not out.suffix else None
    require_format(None if folder else out)
    configure_logging()
    rules = rules_of(fees, slippage, fill, cash, rule)
    chosen, values = split_words(strategy)
    bound = chosen.bind(**{name: plain(value) for name, value in {**values, **pairs(param, "--param")}.items()})
    source = Source(bars or SAMPLE, symbols, Stamps(frame, stamp, tz, calendar))
    settings = Settings.load()
    _, panel, universe = source.open(settings.home)
    plan = Plan(Question(bound, panel, universe, rules), source)
    asked = run_backtest(settings, plan, clock=SystemClock(), say=say)
    if folder is not None:
        asked.result.save(folder)
        say(f"wrote {folder}/ metrics.json, equity.parquet, trades.parquet, report.html")
    document = _document(asked.result, panel.content_hash)
    rows = asked.result.trades.to_dicts()
    show(document, rows, BacktestCard(asked.result), as_json=as_json, out=None if folder else out)


@runs.command("list")
def list_runs(
    kind: Annotated[
        Literal["backtest", "sweep", "walkforward", "crossvalidation"] | None, typer.Option(help="Only this kind.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = _LISTED,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """The newest results."""
    from data.settings import Settings
    from serve_app.cli.research_tables import RunTable
    from serve_app.runs import list_runs as found_in

    require_format(out)
    rows = [_run_row(run) for run in found_in(Settings.load(), kind=kind, limit=limit, say=say)]
    show({"runs": rows}, rows, RunTable(rows), as_json=as_json, out=out)


@runs.command("show")
def show_run(run_id: RunId, as_json: AsJson = False, out: Out = None) -> None:
    """One result, as it was printed when it was made."""
    from agents.backtest.crossvalidation import CrossValidated
    from agents.backtest.result import Result
    from agents.backtest.walkforward import WalkForward
    from cluster.sweep import Swept
    from serve_app.cli.crossvalidation import CrossCard
    from serve_app.cli.crossvalidation import document as cross_document
    from serve_app.cli.research_tables import BacktestCard, SweepCard
    from serve_app.cli.validation import WalkCard, fold_rows, walk_document

    require_format(out)
    run, folder = _kept(run_id)
    if run.kind == "sweep":
        summary = Swept(folder).summary
        document = {**summary, "spec": dict(run.spec)}
        show(document, summary["top"], SweepCard(summary, folder), as_json=as_json, out=out)
        return
    if run.kind == "walkforward":
        walk = WalkForward.load(folder)
        document = {**walk_document(walk, run.spec["data"]), "spec": dict(run.spec)}
        show(document, fold_rows(walk), WalkCard(walk), as_json=as_json, out=out)
        return
    if run.kind == "crossvalidation":
        found = CrossValidated.load(folder)
        document = {**cross_document(found), "spec": dict(run.spec)}
        show(document, found.paths.to_dicts(), CrossCard(found), as_json=as_json, out=out)
        return
    result = Result.load(folder)
    document = {**_document(result, run.spec["data"]), "spec": dict(run.spec)}
    show(document, result.trades.to_dicts(), BacktestCard(result), as_json=as_json, out=out)


@runs.command("verify")
def verify_run(run_id: RunId, as_json: AsJson = False, out: Out = None) -> None:
    """Compute a result again and compare every bit; exit code 1 when one differs."""
    from rich.text import Text

    from data.contracts.errors import GoldenSignalsError
    from data.settings import Settings
    from serve_app import backtests, crossvalidations, sweeps, walkforwards
    from serve_app.runs import find_run

    require_format(out)
    settings = Settings.load()
    run = find_run(settings, run_id, say=say)
    services = {module.KIND: module for module in (backtests, crossvalidations, sweeps, walkforwards)}
    differing = services[run.kind].verify(settings, run)
    row = {"result_id": run.result_id, "same": not differing, "differing": differing}
    words = "computed again: every bit is the same" if not differing else f"differs in {', '.join(differing)}"
    show(row, [row], Text(f"{run.result_id[:12]} {run.title}: {words}"), as_json=as_json, out=out)
    if differing:
        raise GoldenSignalsError(f"run {run.result_id[:12]} could not be reproduced")


@runs.command("report")
def report_run(
    run_id: RunId,
    file: Annotated[Path, typer.Argument(help="The page to write, .html.", dir_okay=False)] = Path("report.html"),
) -> None:
    """Write the tear sheet of a result: one page that needs nothing else."""
    from agents.backtest.result import Result
    from data.contracts.errors import InvalidInput

    run, folder = _kept(run_id)
    if run.kind in ("sweep", "crossvalidation"):
        raise InvalidInput(f"a {run.kind} has no tear sheet: backtest the set it prefers, and report that")
    say(f"wrote {Result.load(folder).report(file)}")


@runs.command("export")
def export_run(
    run_id: RunId, folder: Annotated[Path, typer.Argument(help="A folder, made if need be.", file_okay=False)]
) -> None:
    """Copy every file of a result to a folder."""
    import shutil

    from data.contracts.errors import GoldenSignalsError

    _, kept = _kept(run_id)
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
    except (OSError, shutil.Error) as problem:
        raise GoldenSignalsError(f"cannot write to {folder}: {problem}") from problem
    say(f"wrote {folder}/ {', '.join(sorted(path.name for path in kept.iterdir()))}")


def _kept(run_id: str) -> tuple[Run, Path]:
    """A run and the folder of its tables."""
    from data.settings import Settings
    from serve_app.runs import find_run, folder_of

    settings = Settings.load()
    run = find_run(settings, run_id, say=say)
    return run, folder_of(settings, run.result_id)


def _document(result: Result, data_hash: str) -> dict[str, Any]:
    facts = result.facts()
    kept = ("metrics", "reasons", "by_symbol", "reasons_by_symbol", "context", "warnings")
    return {"result_id": result.result_id, "data_hash": data_hash, **{name: facts[name] for name in kept}}


def _run_row(run: Run) -> dict[str, Any]:
    found = run.metrics.get("metrics", {})
    return {
        "result_id": run.result_id,
        "kind": run.kind,
        "title": run.title,
        "created_at": run.created_at.isoformat(),
        "owner": run.owner,
        "total_return": found.get("total_return"),
        "sharpe": found.get("sharpe"),
        "max_drawdown": found.get("max_drawdown"),
        "trades": found.get("trades"),
    }
