"""Options that several verbs share: how to read the times of a file of bars."""

from typing import Annotated, Literal

import typer

_PANEL = "Times of a file"

Frame = Annotated[
    str | None, typer.Option(help="Length of a bar: 1d, 1h, 5m …; default: read off the file.", rich_help_panel=_PANEL)
]
Stamp = Annotated[
    Literal["open", "close"] | None, typer.Option(help="What an intraday time marks.", rich_help_panel=_PANEL)
]
Zone = Annotated[str | None, typer.Option("--tz", help="Zone of times that have none.", rich_help_panel=_PANEL)]
Calendar = Annotated[
    str, typer.Option(help="Exchange whose sessions daily bars belong to; 24/7 for crypto.", rich_help_panel=_PANEL)
]
