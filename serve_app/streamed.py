"""Scans by expression over a folder that does not fit into memory: file by file, through Ray Data.

The rows are those of `serve_app.screens.run_screen` on the same bars, to the bit. What compares symbols with each other
needs all of them at once and is refused.
"""

from __future__ import annotations

from pathlib import Path

import psutil

from agents.expr import Expression
from cluster.shards import Progress, ShardQuestion, gather, through_ray_data
from data.contracts.errors import InvalidInput
from data.contracts.panel import from_micros, to_micros
from data.market.dates import as_of as moment_of
from data.market.shards import bytes_in_memory, find_shards
from data.market.source import SAMPLE, Stamps
from data.market.universe import resolve
from data.settings import Settings
from serve_app.screens import Screen, ScreenRequest, nobody, parsed, screen_of
from serve_app.services import open_services
from serve_app.stack import Say

_SHARE = 0.5  # of the memory that bars may take before they are streamed
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))  # of a container


def too_large(source: str, say: Say) -> bool:
    """Whether a source is a folder of Parquet files that takes more than half of the memory; then it says so."""
    if source == SAMPLE:
        return False
    needed, there = bytes_in_memory(Path(source)), memory()
    if needed <= _SHARE * there:
        return False
    say(
        f"{source} would take about {needed / 2**30:,.1f} GiB of {there / 2**30:,.1f} GiB of memory: its files are "
        "scanned one by one, through Ray Data (--no-stream opens them all at once)"
    )
    return True


def memory() -> int:
    """Bytes that this process may have: of the machine, or of its container where that has less."""
    limits = [int(text) for file in _LIMITS if file.exists() and (text := file.read_text().strip()).isdigit()]
    return min([int(psutil.virtual_memory().total), *limits])


def stream_screen(
    settings: Settings, folder: str, request: ScreenRequest, stamps: Stamps, *, say: Say, progress: Progress
) -> Screen:
    """Ask every symbol of a folder of Parquet files, on the running system's Ray or on one for as long as it takes.

    Raises: InvalidInput before any work for bad expressions, universes and folders, for an expression that needs all
            symbols at once, a symbol in two files, and a file that does not fit into memory by itself.
    """
    when, by = parsed(request)
    for one in (when, by):
        _require_alone(one)
    moment = None if request.as_of is None else moment_of(request.as_of, request.calendar)
    shards = find_shards(Path(folder))
    universe = resolve(request.universe, shards.symbols)
    if shards.largest_bytes > memory():
        raise InvalidInput(
            f"the largest file of {folder} would take about {shards.largest_bytes / 2**30:,.1f} GiB of memory by "
            "itself; write its symbols into several files"
        )
    question = ShardQuestion(
        when,
        by,
        stamps,
        None if moment is None else to_micros(moment),
        None if request.universe is None else frozenset(universe.symbols),
        request.history,
    )
    with open_services(settings, ray=True, say=say):
        parts = list(
            through_ray_data(
                question,
                shards.files,
                largest_bytes=shards.largest_bytes,
                pin_threads=settings.ray.address is not None,
                progress=progress,
            )
        )
    found = gather(parts, moment)
    if found is None:
        raise nobody(moment or from_micros(max(part.last for part in parts if part is not None)))
    return screen_of(
        when,
        by,
        resolve(request.universe, found.symbols),
        Path(folder).name,
        found.session,
        found.answers,
        found.quarantined,
        lambda: found.data_hash,
        found.past,
    )


def _require_alone(expression: Expression | None) -> None:
    if expression is not None and expression.scope == "universe":
        raise InvalidInput(
            f"{expression.text!r} compares symbols with each other, so it needs all of them in memory at once: leave "
            'out rank, percentile_rank, symbol("…") and agents of the whole universe, or pass --no-stream'
        )
