"""Verbs that make signals: `scan` over a universe, `signal` for one symbol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import ConsoleRenderable, Group
from rich.table import Table
from rich.text import Text

from serve_app.cli.options import Calendar, Frame, Stamp, Zone
from serve_app.cli.output import AsJson, Out, progress_bar, require_format, say, show

if TYPE_CHECKING:
    from cluster.scan import Found
    from data.contracts.signals import Signal, Vote
    from serve_app.scans import Scanned

_TOP = 20
_MARKS = {"BUY": ("▲ BUY", "bold cyan"), "SELL": ("▼ SELL", "bold red"), "HOLD": ("– HOLD", "dim")}

BarsOption = Annotated[
    str | None, typer.Option("--bars", help="Parquet, CSV or a folder; default: the bundled sample.")
]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command("scan")(scan)
    app.command("signal")(signal)


def scan(
    bars: BarsOption = None,
    universe: Annotated[str | None, typer.Option(help="@sp500, A,B,C or a file with one symbol a line.")] = None,
    agents: Annotated[str | None, typer.Option(help="Agents to ask, as a,b; default: all.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Decide at the close of this date, YYYY-MM-DD.")] = None,
    frame: Frame = None,
    stamp: Stamp = None,
    tz: Zone = None,
    calendar: Calendar = "XNYS",
    top: Annotated[int | None, typer.Option(min=1, help=f"Show the strongest N; default: {_TOP} in the table.")] = None,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Ask every agent about every symbol and rank the consensus."""
    from data.clock import SystemClock
    from data.home import Home
    from data.market.source import SAMPLE, Stamps, open_bars
    from data.settings import Settings
    from serve_app.bootstrap import configure_logging
    from serve_app.scans import ScanRequest, plan_scan, run_scan
    from serve_app.services import find_running

    require_format(out)
    configure_logging()
    settings = Settings.load()
    running = find_running(Home(settings.home))
    source = bars or (running.source if running else SAMPLE)
    names = None if agents is None else tuple(name.strip() for name in agents.split(",") if name.strip())
    loaded = open_bars(source, Stamps(frame, stamp, tz, calendar))
    spec = plan_scan(loaded, ScanRequest(universe, names, as_of))
    with progress_bar("votes") as progress:
        scanned = run_scan(settings, spec, clock=SystemClock(), say=say, progress=progress)
    summary = loaded.quarantined.summary()
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
    show(document, rows, scan_table(scanned, top or _TOP, summary), as_json=as_json, out=out)


def signal(
    symbol: Annotated[str, typer.Argument(help="Ticker, for example AAPL.")],
    explain: Annotated[bool, typer.Option("--explain", help="Say why each agent voted as it did.")] = False,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """The newest consensus for one symbol: live from the running system, else computed here."""
    from data.settings import Settings
    from serve_app.bootstrap import configure_logging
    from serve_app.live import decide_one

    require_format(out)
    configure_logging()
    found, reasons = decide_one(Settings.load(), symbol.strip(), explain=explain or as_json or out is not None, say=say)
    row = _row(found, reasons)
    show(row, [row], _card(found, reasons if explain else {}), as_json=as_json, out=out)


def scan_table(scanned: Scanned, top: int, quarantined: Mapping[str, object]) -> Group:
    """The strongest signals with the main reason of each, and what a reader must know about the rest."""
    from data.market.sample import companies

    names = dict(companies().select("symbol", "name").iter_rows())
    found = scanned.ranked()
    counts = {action: sum(f.signal.action == action for f in found) for action in _MARKS}
    table = Table(box=None, header_style="dim", pad_edge=False)
    for title in ("", "symbol", "name", "action"):
        table.add_column(title, justify="right" if title == "" else "left", no_wrap=True)
    for title in ("score", "agree", "votes", "stop", "target"):
        table.add_column(title, justify="left" if title == "votes" else "right", no_wrap=True)
    table.add_column("why", ratio=1)
    for rank, row in enumerate(found[:top], start=1):
        s = row.signal
        table.add_row(
            str(rank),
            Text(s.symbol, style="bold"),
            Text(str(names.get(s.symbol, ""))[:24], style="dim"),
            Text(*_MARKS[s.action]),
            _signed(s.score),
            f"{s.agreement:.0%}",
            Text("").join(_cell(vote) for vote in s.votes),
            _price(s.stop),
            _price(s.target),
            scanned.top_reason(s) + ("" if not s.warnings else f" ({'; '.join(s.warnings)})"),
        )
    day = scanned.result.as_of.strftime("%a %-d %b %Y %H:%M UTC")
    agents = ", ".join(agent.name for agent in scanned.spec.agents)
    lines: list[ConsoleRenderable] = [
        Text(f"{len(found)} symbols at {day}, universe {scanned.spec.universe}"),
        Text(f"▲ {counts['BUY']} buy   – {counts['HOLD']} hold   ▼ {counts['SELL']} sell"),
        Text(f"votes, one cell an agent: {agents}. Probability: uncalibrated.", style="dim"),
        table,
        Text(f"{quarantined['total']} rows of the bars are quarantined: {quarantined['by_reason']}", style="dim"),
    ]
    if scanned.result.skipped:
        listed = "; ".join(f"{symbol}: {why}" for symbol, why in list(scanned.result.skipped.items())[:5])
        lines.append(Text(f"{len(scanned.result.skipped)} symbols have no signal: {listed}", style="yellow"))
    new = sum(f.new for f in found)
    timing = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in scanned.result.seconds.items())
    lines.append(Text(f"{new} new, {len(found) - new} already stored. {timing}", style="dim"))
    return Group(*lines)


def _card(found: Found, reasons: Mapping[str, str]) -> Group:
    s = found.signal
    table = Table(box=None, header_style="dim", pad_edge=False)
    for title in ("agent", "score", "confidence", "weight", "why"):
        table.add_column(title, justify="left" if title in ("agent", "why") else "right")
    for vote in s.votes:
        silent = vote.score is None
        numbers = (
            ("abstains", "", "")
            if silent
            else (_signed(vote.score or 0.0), f"{vote.confidence:.2f}", f"{vote.weight:.2f}")
        )
        table.add_row(vote.agent, *numbers, reasons.get(vote.agent, ""))
    levels = (
        "" if s.entry is None else f"   entry {_price(s.entry)}   stop {_price(s.stop)}   target {_price(s.target)}"
    )
    lines: list[ConsoleRenderable] = [
        Text.assemble((s.symbol, "bold"), "  ", _MARKS[s.action], f"  at {s.as_of:%a %-d %b %Y %H:%M} UTC"),
        Text(
            f"score {_signed(s.score)}   agreement {s.agreement:.0%}   probability uncalibrated   "
            f"{s.horizon} bars ahead{levels}"
        ),
        table,
    ]
    lines += [Text(f"missing: {', '.join(s.missing)}", style="yellow")] if s.missing else []
    lines += [Text(warning, style="yellow") for warning in s.warnings]
    lines.append(Text(f"{s.signal_id[:12]} revision {found.revision}, input {s.input_hash[:12]}", style="dim"))
    return Group(*lines)


def _row(found: Found, reasons: Mapping[str, str]) -> dict[str, object]:
    s: Signal = found.signal
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


def _cell(vote: Vote) -> Text:
    if vote.score is None:
        return Text("○", style="dim")
    heights = "▁▂▃▄▅▆▇█"
    mark = heights[min(7, int(abs(vote.score) * 8))]
    return Text(mark, style="cyan" if vote.score > 0 else "red" if vote.score < 0 else "dim")


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _price(value: float | None) -> str:
    return "—" if value is None else f"{value:.2f}" if value >= 4 else f"{value:.4f}"
