"""A walk-forward over the cluster: sets are tried in chunks (`choosing`), then the folds are tested here.

runs/ID/equity, trades, folds, drift.parquet    out of sample, and what was chosen
runs/ID/report.html, metrics.json               written last: a run that has metrics.json is whole
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from agents.backtest.choosing import Counted, Tried
from agents.backtest.walkforward import Walk, WalkForward, concluded
from agents.expr import AgentVotes
from cluster.books import Book
from cluster.choosing import Progress, keep, try_all
from cluster.workers import Answer, Workers

FACTS = "metrics.json"


async def run_walk(walk: Walk, workers: Workers, book: Book, folder: Path, progress: Progress) -> WalkForward:
    """Do what is not done yet, test the folds, and keep the result in the folder.

    Raises GoldenSignalsError with the reason; chunks that were done stay done.
    """
    votes = AgentVotes(walk.panel)
    # In threads: whoever hosts this must go on answering, or is taken for dead.
    selection = await asyncio.to_thread(walk.selection, votes)
    tried = await try_all(walk, selection, workers, book, folder, progress)
    began = time.perf_counter()
    walked = await asyncio.to_thread(concluded, walk, selection, tried, votes)
    if walk.grid.positions.size == 1:  # its one trial is the curve that there is only now
        position = int(walk.grid.positions[0])
        tests = Answer(Tried(Counted(position, position, 0), ()), time.perf_counter() - began, "this process")
        await book.record("curve", tests, list(walked.trials), walk.total)
    result = walked.judged(await book.total(walk))
    await asyncio.to_thread(keep, result, folder, FACTS)
    return result


def is_whole(folder: Path) -> bool:
    """Whether a result was kept in this folder."""
    return (folder / FACTS).exists()
