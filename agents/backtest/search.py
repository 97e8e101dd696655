"""A search over parameter sets: the question, how it is cut into chunks, and what one chunk comes to.

    search = Search(grid, panel, universe, rules)
    for positions in search.chunks(): tried = try_sets(search.shared(votes), positions)

A chunk's numbers do not depend on how the sets were cut, nor on where it runs. Sets are ranked by the median over
symbols of `metric`; ties go to the smaller position in the grid, undefined ones come last.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from agents.backtest.grid import Grid
from agents.backtest.overfitting import BLOCKS
from agents.backtest.picking import Everything, Guide, Guided, Picker
from agents.backtest.record import definition, result_id, spec_id
from agents.backtest.rules import Rules
from agents.backtest.simulation import bars_of_a_year
from agents.backtest.strategy import Bound
from agents.backtest.sweep import DEFAULT, Estimate, SweepBlock, cost_estimate, sweep
from agents.backtest.sweep_metrics import METRICS
from agents.expr import AgentVotes, fill
from agents.expr.tree import Vote
from data.contracts.arrays import Floats, Ints
from data.contracts.errors import InvalidInput
from data.contracts.metrics import larger_is_better
from data.contracts.panel import Panel, from_micros
from data.contracts.trials import TrialCount

CHUNK_S = 0.5  # of predicted work: a worker's journey costs a thousandth of that
MOST_SETS = 20_000  # of a chunk
_SAMPLED = 32  # sets an estimate looks at


@dataclass(frozen=True, eq=False)
class Search:
    """What is asked. universe: its id, by which trials are counted. metric: what sets are ranked by.

    chunk_s: predicted seconds of a chunk; it changes no result. guide: try few sets of the grid, see `picking`; None =
    all of them.
    Raises: InvalidInput for an unknown metric, no bars, a guided sample, and rules that a sweep cannot follow.
    """

    grid: Grid
    panel: Panel
    universe: str
    rules: Rules
    metric: str = "sharpe"
    chunk_s: float = CHUNK_S
    guide: Guide | None = None

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise InvalidInput(f"a sweep has no metric {self.metric!r}; it has {', '.join(METRICS)}")
        if not len(self.panel):
            raise InvalidInput("there are no bars to test on; choose symbols and dates that have some")
        if self.rules.mode != "independent":
            raise InvalidInput('a sweep tries every symbol by itself; leave out mode="portfolio"')
        if self.guide is not None and self.grid.sample is not None:
            raise InvalidInput("a guided search chooses its sets itself; leave out the sample, or the guide")

    @cached_property
    def total(self) -> int:
        """Sets to try."""
        size = int(self.grid.positions.size)
        return size if self.guide is None else min(size, self.guide.trials)

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """What is kept of every trial."""
        return DEFAULT if self.metric in DEFAULT else (*DEFAULT, self.metric)

    @property
    def descending(self) -> bool:
        """Whether larger values of the metric are better."""
        return larger_is_better(self.metric)

    @cached_property
    def year(self) -> float:
        """Bars of a year."""
        return float(self.rules.annualisation or bars_of_a_year(self.panel))

    @cached_property
    def spec(self) -> dict[str, Any]:
        """All that the result depends on but the code, as plain JSON."""
        return {
            "kind": "sweep",
            "strategy": definition(self.grid.strategy),
            "grid": self.grid.facts(),
            **({} if self.guide is None else {"search": self.guide.facts()}),
            "metric": self.metric,
            "rules": self.rules.facts(),
            "universe": self.universe,
            "data": self.panel.content_hash,
            "context": {name: series.digest for name, series in sorted(self.panel.context.items())},
        }

    @cached_property
    def family(self) -> tuple[str, str, datetime, datetime]:
        """What its trials are counted with: the strategy's family, the universe, the first and last session."""
        first, last = (from_micros(int(self.panel.sessions[at])) for at in (0, -1))
        return self.grid.strategy.family, self.universe, first, last

    @cached_property
    def result_id(self) -> str:
        """See `record.result_id`."""
        return result_id(self.spec)

    @cached_property
    def estimate(self) -> Estimate:
        """Seconds of one core, memory and backtests, from measured rates."""
        positions = self.grid.positions
        some = positions[np.unique(np.linspace(0, positions.size - 1, min(_SAMPLED, positions.size)).astype(np.int64))]
        rules = replace(self.rules, annualisation=self.year)
        return cost_estimate(self.panel, list(self.grid.sets(some)), self.total, rules)

    @cached_property
    def block_edges(self) -> Ints | None:
        """Bars of all symbols before each of the blocks of time and after the last; None for too short a history."""
        blocks, sessions = _blocks(self.panel), self.panel.sessions
        if not blocks:
            return None
        starts = sessions[np.arange(blocks) * sessions.size // blocks]
        block = np.searchsorted(starts, self.panel.ts, side="right") - 1
        return np.concatenate([[0], np.cumsum(np.bincount(block, minlength=blocks))]).astype(np.int64)

    def picker(self) -> Picker:
        """Names the sets to try, from the first one on."""
        if self.guide is None:
            return Everything(self.grid)
        return Guided(self.grid, self.guide, larger_is_better=self.descending)

    @property
    def chunk_count(self) -> int:
        """How many chunks there will be."""
        batch = self.total if self.guide is None else self.guide.batch
        whole, rest = divmod(self.total, batch)
        return whole * math.ceil(batch / self._step) + math.ceil(rest / self._step)

    def chunks(self, positions: Ints | None = None) -> Iterator[Ints]:
        """Positions of the sets of each chunk, of these or of the whole grid: by the question, not by who works."""
        whole = self.grid.positions if positions is None else positions
        return (whole[first : first + self._step] for first in range(0, whole.size, self._step))

    @cached_property
    def _step(self) -> int:
        """Sets of a chunk."""
        sets = int(self.chunk_s * self.total / max(self.estimate.seconds, 1e-9))
        return min(max(sets, 1), MOST_SETS)

    def shared(self, votes: AgentVotes) -> Shared:
        """What every chunk needs; agents are asked here, once, if the strategy speaks of them."""
        nodes = [head.node for head in next(self.grid.sets(self.grid.positions[:1])).heads()]
        terms = {f"{node.agent or 'consensus'}.{node.output}" for node in nodes if isinstance(node, Vote)}
        columns = {term: votes(term) for term in sorted(terms)}
        return Shared(self.grid, self.panel, replace(self.rules, annualisation=self.year), self.metrics, columns)

    def trial_count(self, chunk: Counted) -> TrialCount | None:
        """The chunk's trials, for the ledger; None where none of them has a Sharpe ratio."""
        if not chunk.trials:
            return None
        key = f"{spec_id(self.spec)}:{chunk.first}-{chunk.last}"
        return TrialCount(key, *self.family, chunk.trials, chunk.mean, chunk.m2)


@dataclass(frozen=True, eq=False)
class Shared:
    """What every chunk of a search needs: handed to each worker once."""

    grid: Grid
    panel: Panel
    rules: Rules
    metrics: tuple[str, ...]
    votes: Mapping[str, Floats]


@dataclass(frozen=True)
class Counted:
    """What the ledger is told of a chunk.

    first, last: positions. sets: how many; trials: of them with a Sharpe ratio; mean, m2: moments of those, per bar.
    """

    first: int
    last: int
    sets: int
    trials: int
    mean: float
    m2: float


@dataclass(frozen=True, eq=False)
class Tried:
    """What a chunk came to.

    sets: a row per set: set (its position), its parameters, the median over symbols of every metric, and `blocks`:
          sums and sums of squares of the bar returns of all symbols in ten blocks of time, for overfitting.
    rows: a row per set and symbol with every metric; null = undefined.
    """

    counted: Counted
    sets: pl.DataFrame
    rows: pl.DataFrame


def try_sets(shared: Shared, positions: Ints) -> Tried:
    """Every set of a chunk on every symbol."""
    sets = list(shared.grid.sets(positions))
    panel, year = shared.panel, float(shared.rules.annualisation or 0.0)
    found = sweep(panel, sets, shared.rules, shared.metrics, columns=_heads(shared, sets), blocks=_blocks(panel))
    sharpe = found.median("sharpe") / np.sqrt(year)
    sharpe = sharpe[~np.isnan(sharpe)]
    mean = float(sharpe.mean()) if sharpe.size else 0.0
    squares = float(((sharpe - mean) ** 2).sum())
    counted = Counted(int(positions[0]), int(positions[-1]), positions.size, int(sharpe.size), mean, squares)
    return Tried(counted, _sets_frame(shared, positions, found), _rows_frame(shared, positions, found))


def _blocks(panel: Panel) -> int:
    return BLOCKS if panel.sessions.size >= 2 * BLOCKS else 0


def _heads(shared: Shared, sets: list[Bound]) -> dict[str, Floats]:
    """Columns beside the bars that any set of the chunk needs, each once."""
    wanted = {head.name: head for one in sets for head in one.heads()}
    return fill(list(wanted.values()), shared.panel, shared.votes.__getitem__) if wanted else {}


def _sets_frame(shared: Shared, positions: Ints, found: SweepBlock) -> pl.DataFrame:
    frame = pl.DataFrame({"set": positions, **shared.grid.columns(positions)})
    frame = frame.with_columns(pl.Series(name, found.median(name)).fill_nan(None) for name in shared.metrics)
    pooled = found.block_sums.sum(axis=1).transpose(0, 2, 1).reshape(positions.size, -1)
    return frame.with_columns(pl.Series("blocks", pooled, dtype=pl.Array(pl.Float64, pooled.shape[1])))


def _rows_frame(shared: Shared, positions: Ints, found: SweepBlock) -> pl.DataFrame:
    symbols = len(shared.panel.symbols)
    return pl.DataFrame(
        {
            "set": np.repeat(positions, symbols),
            "symbol": pl.Series(shared.panel.symbols * positions.size, dtype=pl.String),
            **{name: pl.Series(found.values[name].ravel()).fill_nan(None) for name in shared.metrics},
        }
    )
