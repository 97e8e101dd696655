"""How far the best set of a sweep can be believed: the `context` of its summary.

It reads the chunks' files one after the other and simulates a sample of the sets, so its memory does not grow with the
sweep. Its random numbers are the same every time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from agents.backtest.bootstrap import (
    affordable_candidates,
    affordable_draws,
    optimal_block_length,
    repeatable,
    snooping,
)
from agents.backtest.metrics import bar_returns
from agents.backtest.overfitting import Best, Chunk, Ranks, best_in_sample, overfitting, ranks_out_of_sample
from agents.backtest.search import Search
from agents.backtest.sharpe import SAMPLE, average_correlation, sampled
from agents.backtest.simulation import Simulation
from agents.backtest.single import Tested, judgement
from agents.expr import AgentVotes
from data.contracts.arrays import Floats, Ints
from data.contracts.trials import TrialTotal

_SAMPLE_BARS = 20_000_000  # bars x sets that are simulated to see what the trials are like


def judged(
    search: Search,
    tried: Ints,
    best: Tested,
    position: int,
    votes: AgentVotes,
    total: TrialTotal,
    chunks: Sequence[Path],
    sets: pl.LazyFrame,
) -> dict[str, Any]:
    """What `single.judgement` says, overfitting, luck and the plateau; docs/statistics.md explains the words.

    tried: positions of all sets. best, position: the one that ranks first, as one portfolio. chunks: files with a row
    per set and its block sums, together all sets. sets: the table of all sets.
    """
    chosen, returns = _sample(search, tried, votes)
    correlation = average_correlation(returns) if len(returns) > 1 else None
    return {
        **judgement(best.result, best.record, total, correlation),
        **_overfitting(search, tried.size, chunks),
        **_luck(search, tried.size, best, chosen, returns),
        **_plateau(search, position, sets),
    }


def _sample(search: Search, tried: Ints, votes: AgentVotes) -> tuple[Ints, Floats]:
    """Some of the sets, chosen by chance, and their bar returns, all symbols together: (k,) and (k, n)."""
    most = min(SAMPLE, max(2, _SAMPLE_BARS // len(search.panel)))
    chosen = np.sort(tried[sampled(tried, tried.size, most)])
    returns = []
    for bound in search.grid.sets(chosen):
        run = Simulation(search.panel, bound.evaluate(search.panel, votes), search.rules).run()
        returns.append(bar_returns(run.equity, search.rules.cash))
    return chosen, np.array(returns)


def _overfitting(search: Search, sets: int, chunks: Sequence[Path]) -> dict[str, Any]:
    """Probability of backtest overfitting, in two passes over the files."""
    undefined = {"pbo": None, "pbo_splits": None, "probability_of_loss": None}
    edges = search.block_edges
    if edges is None or sets < 2:
        return undefined
    best = reduce(Best.joined, (best_in_sample(edges, chunk) for chunk in _sums(chunks)))
    ranks = reduce(Ranks.joined, (ranks_out_of_sample(edges, chunk, best) for chunk in _sums(chunks)))
    found = overfitting(best, ranks)
    if found is None:
        return undefined
    return {"pbo": found.pbo, "pbo_splits": found.splits, "probability_of_loss": found.probability_of_loss}


def _sums(chunks: Sequence[Path]) -> Iterator[Chunk]:
    for path in chunks:
        frame = pl.read_parquet(path, columns=["set", "blocks"])
        both: Floats = frame["blocks"].to_numpy()
        half = both.shape[1] // 2
        yield Chunk(frame["set"].to_numpy(), np.ascontiguousarray(both[:, :half]), np.ascontiguousarray(both[:, half:]))


def _luck(search: Search, sets: int, best: Tested, chosen: Ints, returns: Floats) -> dict[str, Any]:
    """Reality check and SPA over a random sample of the sets, which are all of them where there are few.

    The best set is a candidate only if chance chose it: put among a few others it would always look like skill.
    """
    undefined = {"reality_check": None, "spa": None, "spa_candidates": None}
    curve = best.result.equity["benchmark"].to_numpy()
    market = bar_returns(curve, search.rules.cash)
    bars = market.size
    draws = affordable_draws(bars)
    if draws is None or not np.isfinite(market).all():
        return undefined
    block = optimal_block_length(market)
    few = sampled(chosen, sets, affordable_candidates(bars, block, draws))
    excess = returns[few & np.isfinite(returns).all(axis=1)] - market
    if not excess.size:
        return undefined
    found = snooping([np.ascontiguousarray(excess.T)], repeatable(), block=block, draws=draws)
    return {"reality_check": found.reality_check, "spa": found.consistent, "spa_candidates": found.candidates}


def _plateau(search: Search, position: int, sets: pl.LazyFrame) -> dict[str, Any]:
    """Whether the sets around the best one do nearly as well: 1 = as well, 0 = nothing is left; None without any.

    The median of the neighbours' metric as a share of its own, or the other way round where both are losses or costs.
    """
    around = search.grid.neighbours(position)
    wanted = sets.filter(pl.col("set").is_in([position, *around.tolist()])).select("set", search.metric).collect()
    values = dict(wanted.drop_nulls().rows())
    own = values.pop(position, None)
    if own is None or not values:
        return {"plateau": None, "plateau_neighbours": len(values)}
    middle = median(values.values())
    part, whole = (middle, own) if search.descending and own > 0.0 else (own, middle)
    return {"plateau": part / whole if whole else None, "plateau_neighbours": len(values)}
