"""Verbs that make signals: `scan` over a universe, `signal` for one symbol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from serve_app.cli.options import Calendar, Frame, Stamp, Zone
from serve_app.cli.output import AsJson, Out, progress_bar, require_format, say, show
from serve_app.cli.render import ScanTable, SignalCard

if TYPE_CHECKING:
    from cluster.scan import Found

_TOP = 20

BarsOption = Annotated[
    str | None, typer.Option("--bars", help="Parquet, CSV or a folder; default: the bundled sample.")
]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command("scan")(scan)
    app.command("signal")(signal)


def scan(
    expression: Annotated[
        str | None,
        typer.Argument(
            metavar="[EXPR]", help='"rsi(14) < 30", or @oversold; none: ask the agents.', show_default=False
        ),
    ] = None,
    bars: BarsOption = None,
    universe: Annotated[str | None, typer.Option(help="@sp500, A,B,C or a file with one symbol a line.")] = None,
    agents: Annotated[str | None, typer.Option(help="Agents to ask, as a,b; default: all.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Decide at the close of this date, YYYY-MM-DD.")] = None,
    frame: Frame = None,
    stamp: Stamp = None,
    tz: Zone = None,
    calendar: Calendar = "XNYS",
    top: Annotated[int | None, typer.Option(min=1, help=f"Show the strongest N; default: {_TOP} in the table.")] = None,
    by: Annotated[str | None, typer.Option(help="With EXPR: rank by this expression, the largest first.")] = None,
    history: Annotated[
        bool, typer.Option("--history", help="With EXPR: what followed past hits, corrected for all symbols.")
    ] = False,
    since_last: Annotated[
        bool, typer.Option("--since-last", help="With EXPR: the difference to your last run in JSON and files, too.")
    ] = False,
    stream: Annotated[
        bool | None,
        typer.Option(
            "--stream/--no-stream",
            help="With EXPR: scan a folder of Parquet files one by one, through Ray Data; default: where they would "
            "take more than half of the memory.",
            show_default=False,
        ),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the screens that @NAME stands for.")] = False,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Ask every agent about every symbol and rank the consensus; with EXPR, find the symbols for which it is true.

    EXPR is an expression such as "rsi(14) < 30 and close > sma(200)"; docs/expressions.md has the language.
    """
    from data.clock import SystemClock
    from data.contracts.errors import InvalidInput
    from data.market.source import SAMPLE, Stamps, open_bars
    from data.settings import Settings
    from serve_app.cli.screens import show_screen, show_screens
    from serve_app.logs import configure_logging
    from serve_app.scans import ScanRequest, plan_scan, run_scan
    from serve_app.screens import ScreenRequest, run_screen
    from serve_app.services import settled
    from serve_app.streamed import stream_screen, too_large

    require_format(out)
    if listed:
        show_screens(as_json=as_json, out=out)
        return
    for name, value in (("EXPR", expression), ("--by", by), ("--bars", bars), ("--universe", universe)):
        if value is not None and not value.strip():  # an empty shell variable must not mean the whole sample
            raise InvalidInput(f"{name} is empty; give it a value, or leave it out for the default")
    configure_logging()
    if expression is not None and agents is not None:
        raise InvalidInput('leave --agents out: an expression names the agents it asks, as in agent("trend") > 0.3')
    for name, given in (
        ("--by", by is not None),
        ("--history", history),
        ("--since-last", since_last),
        ("--stream", stream),
    ):
        if expression is None and given:
            raise InvalidInput(f"{name} speaks of the hits of an expression; give one, or leave {name} out")
    settings = Settings.load()
    running = settled(settings, say)
    source = bars or (running.source if running else SAMPLE)
    if expression is not None:
        request = ScreenRequest(expression, by, universe, as_of, calendar, history)
        stamps = Stamps(frame, stamp, tz, calendar)
        if too_large(source, say) if stream is None else stream:
            with progress_bar("files") as progress:
                screen = stream_screen(settings, source, request, stamps, say=say, progress=progress)
        else:
            screen = run_screen(open_bars(source, stamps), request)
        show_screen(settings, screen, top, since_last=since_last, as_json=as_json, out=out)
        return
    names = None if agents is None else tuple(name.strip() for name in agents.split(",") if name.strip())
    loaded = open_bars(source, Stamps(frame, stamp, tz, calendar))
    spec = plan_scan(loaded, ScanRequest(universe, names, as_of, calendar))
    with progress_bar("votes") as progress:
        scanned = run_scan(settings, spec, clock=SystemClock(), say=say, progress=progress)
    summary = loaded.quarantined.of(spec.panel.symbols, int(spec.panel.ts.max())).summary()
    shown = scanned.ranked()[:top]
    full = as_json or out is not None  # only then is every vote explained
    rows = [_row(found, scanned.reasons(found.signal)) for found in shown] if full else []
    document = {
        "as_of": scanned.result.as_of.isoformat(),
        "agents": [agent.name for agent in spec.agents],
        "universe": spec.universe,
        "signals": rows,
        "skipped": scanned.result.skipped,
        "quarantined": summary,
    }
    show(document, rows, ScanTable(scanned, top or _TOP, summary), as_json=as_json, out=out)


def signal(
    symbol: Annotated[str, typer.Argument(help="Ticker, for example AAPL.")],
    explain: Annotated[bool, typer.Option("--explain", help="Say why each agent voted as it did.")] = False,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """The newest consensus for one symbol: live from the running system, else computed here."""
    from data.settings import Settings
    from serve_app.live import decide_one
    from serve_app.logs import configure_logging

    require_format(out)
    configure_logging()
    found, reasons = decide_one(Settings.load(), symbol.strip(), explain=explain or as_json or out is not None, say=say)
    row = _row(found, reasons)
    show(row, [row], SignalCard(found, reasons if explain else {}), as_json=as_json, out=out)


def _row(found: Found, reasons: Mapping[str, str]) -> dict[str, object]:
    s = found.signal
    return {
        "symbol": s.symbol,
        "as_of": s.as_of.isoformat(),
        "action": s.action.value,
        "score": s.score,
        "probability": s.probability,
        "calibrated": s.calibrated,
        "strength": s.strength,
        "agreement": s.agreement,
        "votes": [{**vote.model_dump(), "reason": reasons.get(vote.agent)} for vote in s.votes],
        "missing": list(s.missing),
        "entry": s.entry,
        "stop": s.stop,
        "target": s.target,
        "warnings": list(s.warnings),
        "horizon": s.horizon,
        "signal_id": s.signal_id,
        "input_hash": s.input_hash,
        "revision": found.revision,
    }
