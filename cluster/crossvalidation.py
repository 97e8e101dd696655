"""A cross-validation over the cluster: sets are tried in chunks (`choosing`), then the paths are put together here.

runs/ID/paths, splits.parquet    the histories out of sample, and what was chosen in every split
runs/ID/summary.json             written last: a run that has it is whole
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from agents.backtest.crossvalidation import FACTS, CrossValidated, CrossValidation, put_together
from agents.expr import AgentVotes
from cluster.books import Book
from cluster.choosing import Progress, keep, try_all
from cluster.workers import Workers


async def run_cross_validation(
    asked: CrossValidation, workers: Workers, book: Book, folder: Path, progress: Progress
) -> CrossValidated:
    """Do what is not done yet, put the paths together, and keep the result in the folder.

    Raises GoldenSignalsError with the reason; chunks that were done stay done.
    """
    votes = AgentVotes(asked.panel)
    # In threads: whoever hosts this must go on answering, or is taken for dead.
    selection = await asyncio.to_thread(asked.selection, votes)
    tried = await try_all(asked, selection, workers, book, folder, progress)
    checked = await asyncio.to_thread(put_together, asked, selection, tried, votes)
    result = checked.judged(await book.total(asked))
    await asyncio.to_thread(keep, result, folder, FACTS)
    return result


def is_whole(folder: Path) -> bool:
    """Whether a result was kept in this folder."""
    return (folder / FACTS).exists()
