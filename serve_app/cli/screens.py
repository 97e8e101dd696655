"""Scans by expression in a terminal: the hits with what was compared, and the screens that have a name."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from agents.backtest.past_hits import HORIZON
from agents.expr.screens import presets
from data.contracts.errors import GoldenSignalsError
from data.last_scans import Since
from data.settings import Settings
from serve_app.cli.output import say, show
from serve_app.screens import Screen, remember

_TOP = 20
_FEW = 8  # symbols named in a line of notes
_PAST = {"past": "past_apart", "up": "up_rate", "base": "base_rate", "p": "p_value", "BH": "p_bh", "Holm": "p_holm"}


def show_screen(
    settings: Settings, screen: Screen, top: int | None, *, since_last: bool, as_json: bool, out: Path | None
) -> None:
    """Print a scan or write it to a file, and keep what it found for the next one.

    since_last: the difference to the last run goes into JSON and files, too; without it equal scans of equal bars give
    equal bytes there, whatever was asked before. A person at a terminal always sees it.
    """
    since = _remembered(settings, screen)
    document, told = screen.document(top), since if since_last or not (as_json or out) else None
    if since_last:
        document["since_last"] = None if since is None else {**asdict(since), "as_of": since.as_of.isoformat()}
    show(document, screen.rows()[:top], ScreenTable(screen, top or _TOP, told), as_json=as_json, out=out)


def _remembered(settings: Settings, screen: Screen) -> Since | None:
    try:
        return remember(settings.home, screen)
    except GoldenSignalsError as problem:  # what was found is worth more than what was found before
        say(f"{problem}; so there is no difference to the last run")
        return None


def show_screens(*, as_json: bool, out: Path | None) -> None:
    """Every screen that has a name."""
    rows = [
        {
            "name": f"@{one.name}",
            "description": one.description,
            "when": one.when.text,
            "by": None if one.by is None else one.by.text,
            "source": one.source,
        }
        for one in presets().values()
    ]
    table = Table(box=None, header_style="dim", pad_edge=False)
    for title in ("screen", "finds", "when"):
        table.add_column(title, no_wrap=title == "screen")
    for row in rows:
        table.add_row(Text(str(row["name"]), style="bold"), row["description"], Text(str(row["when"]), style="dim"))
    show({"screens": rows}, rows, table, as_json=as_json, out=out)


class ScreenTable:
    """The hits, ranked, and what a reader must know about the rest."""

    def __init__(self, screen: Screen, top: int, since: Since | None) -> None:
        self._screen, self._top, self._since = screen, top, since

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        screen, found = self._screen, self._screen.found
        yield Text(
            f"{len(found.symbols)} of {screen.asked} symbols at {screen.as_of:%a %-d %b %Y %H:%M} UTC, "
            f"universe {screen.universe}"
        )
        yield Text(screen.when.text, style="bold")
        yield Text(f"ranked by {screen.by.text}" if screen.by else "in the order of symbols", style="dim")
        yield self._table()
        if len(found.symbols) > self._top:
            yield Text(f"{len(found.symbols) - self._top} more; --top N shows more of them", style="dim")
        if screen.history is not None:
            yield Text(screen.history.verdict, style="bold")
            yield Text(
                f"of past hits at least {HORIZON} bars apart: up = share with a rise from the next open to the close "
                f"{HORIZON} bars later; base = the same after any bar; p = exact, both sides; BH, Holm = p corrected",
                style="dim",
            )
        fresh = tuple(symbol for symbol, new in zip(found.symbols, found.new, strict=True) if new)
        yield _difference("the bar before", fresh, found.left, len(found.symbols) - len(fresh))
        if (since := self._since) is not None:
            yield _difference(
                f"your last run, as of {since.as_of:%a %-d %b %Y}", since.new, since.gone, len(since.kept)
            )
        for symbols, what in (
            (found.unknown, "cannot be answered: too few bars, or a value that is not known"),
            (found.stale, "have no bar in this session"),
            (screen.missing, "of the universe are not in these bars by then"),
        ):
            if symbols:
                yield Text(f"{len(symbols)} {what}: {_few(symbols)}", style="dim")

    def _table(self) -> Table:
        found, history = self._screen.found, self._screen.history
        table = Table(box=None, header_style="dim", pad_edge=False)
        table.add_column("", justify="right", no_wrap=True)
        table.add_column("symbol", no_wrap=True)
        table.add_column("", no_wrap=True)
        for name in (*found.values, *(_PAST if history else ())):
            table.add_column(Text(name), justify="right")
        for i, symbol in enumerate(found.symbols[: self._top]):
            cells = [_number(column[i]) for column in found.values.values()]
            if history is not None:
                cells += [_past(name, history.columns[name][i]) for name in _PAST.values()]
            new = Text("new", style="cyan") if found.new[i] else Text("")
            table.add_row(str(i + 1), Text(symbol, style="bold"), new, *cells)
        return table


def _difference(since: str, new: tuple[str, ...], gone: tuple[str, ...], kept: int) -> Text:
    parts = [f"{len(some)} {word}{': ' if some else ''}{_few(some)}" for some, word in ((new, "new"), (gone, "gone"))]
    return Text(f"since {since}: {'; '.join(parts)}; {kept} kept", style="dim")


def _past(name: str, value: float | None) -> str:
    if value is None:
        return "none"
    return str(value) if name == "past_apart" else f"{value:.0%}" if name.endswith("rate") else f"{value:.3f}"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "unknown"
    return f"{value:,.0f}" if abs(value) >= 100_000 else f"{value:,.2f}" if abs(value) >= 1 else f"{value:.4f}"


def _few(symbols: tuple[str, ...]) -> str:
    return ", ".join(symbols[:_FEW]) + (" …" if len(symbols) > _FEW else "")
