"""How far long work has come, for who works in Python: one line on a terminal or in a notebook, nothing elsewhere.

    with shown("sweep sma_cross", "sets") as report: work(report)        report(done, total), from any thread

The line appears after a second and is gone at the end; nothing ever goes into a pipe or a file.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from html import escape
from typing import Any, Protocol

SLOW_S = 1.0  # nobody needs to be told about less
_EVERY_S = 0.2
_SURE_AFTER_S = 3.0  # what is left is a guess before

Report = Callable[[int, int], None]  # done, of how many


@dataclass
class _Seen:
    """What was reported; before: done by an earlier run."""

    before: int = 0
    done: int = 0
    total: int = 0


class _Line(Protocol):
    def draw(self, text: str, share: float | None) -> None:
        """Show this instead of what was shown; share: done of all, 0 to 1."""

    def clear(self) -> None:
        """Leave nothing behind."""


@contextmanager
def shown(what: str, units: str, wanted: bool = True) -> Iterator[Report]:
    """Show the progress of the work inside. `units`: what is counted; work that never reports shows its time."""
    seen = _Seen()

    def report(done: int, total: int) -> None:
        if not seen.total:
            seen.before = done
        seen.done, seen.total = done, total

    line = _line() if wanted else None
    if line is None:
        yield report
        return
    over = threading.Event()
    # in the caller's context: a notebook knows by it which cell the line belongs to
    drawing = threading.Thread(target=copy_context().run, args=(_draw, line, what, units, seen, over), name="progress")
    drawing.start()
    try:
        yield report
    finally:
        over.set()
        drawing.join()


def _draw(line: _Line, what: str, units: str, seen: _Seen, over: threading.Event) -> None:
    began = time.monotonic()
    if over.wait(SLOW_S):
        return
    while True:
        share = seen.done / seen.total if seen.total else None
        line.draw(_text(what, units, seen, time.monotonic() - began), share)
        if over.wait(_EVERY_S):
            break
    line.clear()


def _text(what: str, units: str, seen: _Seen, spent_s: float) -> str:
    if not seen.total:
        return f"{what}: {spent_s:.0f} s"
    if seen.done == seen.total:
        return f"{what}: all {seen.total:,} {units} done, judging them"
    rate = (seen.done - seen.before) / spent_s
    text = f"{what}: {seen.done:,} of {seen.total:,} {units}"
    if rate and spent_s >= _SURE_AFTER_S:
        text += f", {rate:,.0f} a second, about {(seen.total - seen.done) / rate:,.0f} s left"
    return text


def _line() -> _Line | None:
    """Where a person looks; None where nobody does."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None and hasattr(shell, "kernel"):
        return _Notebook()
    return _Terminal() if sys.stderr.isatty() else None


class _Terminal:
    """One line of stderr, written over."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        columns = (BarColumn(30), TextColumn("{task.description}", markup=False))
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
        self._task = self._bar.add_task("", total=None)

    def draw(self, text: str, share: float | None) -> None:
        if not self._bar.live.is_started:
            self._bar.start()
        total = None if share is None else 1.0
        self._bar.update(self._task, description=text, completed=share or 0.0, total=total, refresh=True)

    def clear(self) -> None:
        self._bar.stop()


class _Notebook:
    """One output of the cell, written over."""

    def __init__(self) -> None:
        self._shown: Any = None

    def draw(self, text: str, share: float | None) -> None:
        if self._shown is None:
            self._shown = sys.modules["IPython"].display.display(_Words(text, share), display_id=True)
        else:
            self._shown.update(_Words(text, share))

    def clear(self) -> None:
        self._shown.update(_Words("", None))


class _Words:
    def __init__(self, text: str, share: float | None) -> None:
        self._text, self._share = text, share

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        if not self._text:
            return ""
        value = "" if self._share is None else f' value="{self._share:.3f}"'
        return f'<progress{value} style="width:12em"></progress> {escape(self._text)}'
