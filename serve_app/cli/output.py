"""How every verb writes: results on stdout or to a file, progress and notes on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from data.contracts.errors import GoldenSignalsError, InvalidInput

if TYPE_CHECKING:
    from cluster.voters import Progress as OnProgress

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Out = Annotated[
    Path | None, typer.Option("--out", help="Write to a file: .json, .csv, .parquet or .html.", dir_okay=False)
]

FORMATS = (".json", ".csv", ".parquet", ".html")
_WIDTH = 140  # of a table that goes to a file

notes = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _WIDTH)


def say(text: str) -> None:
    """A note on stderr."""
    notes.print(f"[dim]·[/] {text}")


def show(
    document: Mapping[str, object],
    rows: Sequence[Mapping[str, object]],
    table: RenderableType,
    *,
    as_json: bool,
    out: Path | None,
) -> None:
    """Print a result or write it to a file.

    document: the JSON object; rows: its flat form, for CSV and Parquet; table: what a person reads.
    Equal results give equal bytes. Raises InvalidInput for an unknown file extension, GoldenSignalsError when the file
    cannot be written.
    """
    if out is not None:
        _write(out, document, rows, table)
        say(f"wrote {out}")
    if as_json:
        typer.echo(as_text(document))
    elif out is None:
        Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH).print(table)


def done(document: Mapping[str, object], text: str, *, as_json: bool) -> None:
    """Say what a verb has done that has no result to look at; as JSON for a program that waits for it."""
    say(text)
    if as_json:
        typer.echo(as_text(document))


def require_format(out: Path | None) -> None:
    """Refuse an unknown extension or folder before any work is done."""
    if out is None:
        return
    if out.suffix.lower() not in FORMATS:
        raise InvalidInput(f"--out {out}: use a file name that ends in {', '.join(FORMATS)}")
    if not out.parent.is_dir():
        raise InvalidInput(f"--out {out}: there is no folder {out.parent}; make it first")


def as_text(document: object) -> str:
    """JSON with sorted keys inside, no NaN."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)


@contextmanager
def progress_bar(what: str) -> Iterator[OnProgress]:
    """A bar on stderr with rate and time left; plain silence when stderr is no terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal) as bars:
        task = bars.add_task(what, total=None)

        def update(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        yield update


def _write(out: Path, document: object, rows: Sequence[Mapping[str, object]], table: RenderableType) -> None:
    require_format(out)
    suffix = out.suffix.lower()
    try:
        if suffix == ".json":
            out.write_text(as_text(document) + "\n")
        elif suffix == ".html":
            page = Console(record=True, width=_WIDTH, file=StringIO(), highlight=False)
            page.print(table)
            out.write_text(page.export_html())
        else:
            import polars as pl

            frame = pl.DataFrame([{k: _cell(v) for k, v in row.items()} for row in rows], infer_schema_length=None)
            frame.write_csv(out) if suffix == ".csv" else frame.write_parquet(out)
    except OSError as problem:
        raise GoldenSignalsError(f"cannot write {out}: {problem.strerror or problem}") from problem


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | tuple) else value


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", style="dim")
