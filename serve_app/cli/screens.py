"""Scans by expression in a terminal: the hits with what was compared, and the screens that have a name."""

from __future__ import annotations

import math
from pathlib import Path

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from agents.expr.screens import presets
from data.market.source import Bars
from serve_app.cli.output import show
from serve_app.screens import Screen, ScreenRequest, run_screen

_TOP = 20
_FEW = 8  # symbols named in a line of notes


def show_screen(bars: Bars, request: ScreenRequest, top: int | None, *, as_json: bool, out: Path | None) -> None:
    """Scan and print, or write to a file."""
    screen = run_screen(bars, request)
    show(screen.document(top), screen.rows()[:top], ScreenTable(screen, top or _TOP), as_json=as_json, out=out)


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

    def __init__(self, screen: Screen, top: int) -> None:
        self._screen, self._top = screen, top

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
        for symbols, what in (
            (found.left, "were found on the bar before and no longer are"),
            (found.unknown, "cannot be answered: too few bars, or a value that is not known"),
            (found.stale, "have no bar in this session"),
            (screen.missing, "of the universe are not in these bars by then"),
        ):
            if symbols:
                yield Text(f"{len(symbols)} {what}: {_few(symbols)}", style="dim")

    def _table(self) -> Table:
        found = self._screen.found
        table = Table(box=None, header_style="dim", pad_edge=False)
        table.add_column("", justify="right", no_wrap=True)
        table.add_column("symbol", no_wrap=True)
        table.add_column("", no_wrap=True)
        for name in found.values:
            table.add_column(Text(name), justify="right")
        for i, symbol in enumerate(found.symbols[: self._top]):
            numbers = [_number(column[i]) for column in found.values.values()]
            new = Text("new", style="cyan") if found.new[i] else Text("")
            table.add_row(str(i + 1), Text(symbol, style="bold"), new, *numbers)
        return table


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "unknown"
    return f"{value:,.0f}" if abs(value) >= 100_000 else f"{value:,.2f}" if abs(value) >= 1 else f"{value:.4f}"


def _few(symbols: tuple[str, ...]) -> str:
    return ", ".join(symbols[:_FEW]) + (" …" if len(symbols) > _FEW else "")
