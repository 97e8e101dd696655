"""Verbs about bars: `data list`, `data check`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import ConsoleRenderable, Group
from rich.table import Table
from rich.text import Text

from serve_app.cli.options import Calendar, Frame, Stamp, Zone
from serve_app.cli.output import AsJson, Out, require_format, show

_SHOWN = 20

data = typer.Typer(name="data", help="Bars: what is bundled, and what is wrong with a file.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    data.command("list")(list_data)
    data.command("check")(check_data)
    app.add_typer(data)


def list_data(as_json: AsJson = False, out: Out = None) -> None:
    """The bundled data sets with dates and licence."""
    from data.market.sample import listing

    require_format(out)
    table = Table(box=None, header_style="dim", pad_edge=False)
    for title in ("data set", "rows", "symbols", "from", "to", "licence", "what"):
        table.add_column(title, justify="right" if title in ("rows", "symbols") else "left")
    rows: list[dict[str, object]] = []
    for d in listing():
        table.add_row(d.name, f"{d.rows:,}", str(d.symbols), str(d.first), str(d.last), d.licence, d.what)
        rows.append(
            {
                "name": d.name,
                "what": d.what,
                "licence": d.licence,
                "rows": d.rows,
                "symbols": d.symbols,
                "first": d.first.isoformat(),
                "last": d.last.isoformat(),
            }
        )
    show({"datasets": rows}, rows, table, as_json=as_json, out=out)


def check_data(
    bars: Annotated[str, typer.Argument(help="Parquet, CSV or a folder; default: the bundled sample.")] = "sample",
    frame: Frame = None,
    stamp: Stamp = None,
    tz: Zone = None,
    calendar: Calendar = "XNYS",
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Load bars, and say which rows cannot be used and why."""
    from data.market.source import Stamps, open_bars

    require_format(out)
    found = open_bars(bars, Stamps(frame, stamp, tz, calendar))
    bad = found.quarantined
    document = {
        "rows": len(found.panel) + bad.total,
        "symbols": len(found.panel.symbols),
        "quarantined": bad.summary(),
    }
    table = Table(box=None, header_style="dim", pad_edge=False)
    for title in bad.frame.columns:
        table.add_column(title)
    for row in bad.frame.head(_SHOWN).iter_rows():
        table.add_row(*(("—" if value is None else str(value)) for value in row))
    lines: list[ConsoleRenderable] = [
        Text(f"{document['rows']:,} rows of {document['symbols']} symbols, {bad.total} quarantined: {bad.by_reason}"),
        Text(f"bars {found.panel.content_hash[:12]}, frame {found.panel.frame}", style="dim"),
    ]
    lines += [table] if bad.total else []
    lines += (
        [Text(f"… and {bad.total - _SHOWN} more; --out rows.csv writes them all", style="dim")]
        if bad.total > _SHOWN
        else []
    )
    flat = [{key: str(value) if key == "ts" else value for key, value in row.items()} for row in bad.frame.to_dicts()]
    show(document, flat, Group(*lines), as_json=as_json, out=out)
