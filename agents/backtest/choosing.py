"""What questions have in common that choose sets of parameters on some bars to trade them on others.

The choice is most of the work. It can be made in pieces, anywhere and in any order: `Choice.chunks` of sets, each on
every train (`try_sets`), whose leaders `winners` puts together.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cached_property, reduce
from typing import Any

import numpy as np

from agents.backtest.grid import Grid
from agents.backtest.record import definition, result_id, spec_id
from agents.backtest.rules import Rules
from agents.backtest.selection import COLUMNS_BYTES, MOST_SETS, PLAIN, Leader, Selection, Stretches, choose
from agents.backtest.simulation import bars_of_a_year
from agents.backtest.strategy import Bound
from agents.backtest.sweep import Estimate, cost_estimate
from agents.expr import AgentVotes
from data.contracts.arrays import Ints
from data.contracts.errors import InvalidInput
from data.contracts.panel import COLUMNS, Panel, from_micros
from data.contracts.trials import TrialCount

CHUNK_S = 2.0  # of predicted work, which takes about half of that: columns are computed anew in each
_SAMPLED = 32  # sets an estimate looks at


class Choice(ABC):
    """A question about a grid of sets on a panel. universe: its id, by which trials are counted.

    metric:  sets are chosen by it.    chunk_s: predicted seconds of a chunk; it changes no result.
    """

    grid: Grid
    panel: Panel
    universe: str
    rules: Rules
    metric: str
    chunk_s: float

    @property
    @abstractmethod
    def kind(self) -> str:
        """What kind of question it is."""

    @property
    @abstractmethod
    def trains(self) -> Sequence[Stretches]:
        """Where sets are chosen, one choice for each."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What it depends on beside grid, panel and rules, as plain JSON."""

    def check(self, taken: Sequence[str], table: str) -> None:
        """Raises InvalidInput without bars, when a parameter has no value, or the name of a column of the table."""
        if not len(self.panel):
            raise InvalidInput("there are no bars to test on; choose symbols and dates that have some")
        clash = set(taken) & {axis.name for axis in self.grid.axes}
        if clash:
            raise InvalidInput(f"the table of {table} has a column {min(clash)} already; rename that parameter")
        self.bound(int(self.grid.positions[0]))

    @cached_property
    def year(self) -> float:
        """Bars of a year; of the whole panel, so it is the same in every part of it."""
        return float(self.rules.annualisation or bars_of_a_year(self.panel))

    @cached_property
    def spec(self) -> dict[str, Any]:
        """All that the result depends on but the code, as plain JSON."""
        return {
            "kind": self.kind,
            "strategy": definition(self.grid.strategy),
            "grid": self.grid.facts(),
            **self.facts(),
            "rules": self.rules.facts(),
            "universe": self.universe,
            "data": self.panel.content_hash,
            "context": {name: series.digest for name, series in sorted(self.panel.context.items())},
        }

    @cached_property
    def family(self) -> tuple[str, str, datetime, datetime]:
        """What its trials are counted with: the strategy's family, the universe, the first and last session."""
        return self._family_in((range(self.panel.sessions.size),))

    @cached_property
    def result_id(self) -> str:
        """See `record.result_id`."""
        return result_id(self.spec)

    @property
    def total(self) -> int:
        """How much there is to try: sets times trains."""
        return int(self.grid.positions.size) * len(self.trains)

    @cached_property
    def estimate(self) -> Estimate:
        """Seconds of one core, memory and backtests. Rough: columns of all bars once, trades on every train."""
        positions, bars = self.grid.positions, len(self.panel)
        some = positions[np.unique(np.linspace(0, positions.size - 1, min(_SAMPLED, positions.size)).astype(np.int64))]
        rules = replace(self.rules, annualisation=self.year, **PLAIN)  # type: ignore[arg-type]
        once = cost_estimate(self.panel, list(self.grid.sets(some)), positions.size, rules)
        stretches = {stretch for train in self.trains for stretch in train}
        share = sum(map(len, stretches)) / self.panel.sessions.size
        trained = int(16 * bars * len(COLUMNS) * share)  # the bars of every stretch by themselves
        return Estimate(
            once.seconds * (1.0 + share), once.peak_bytes + COLUMNS_BYTES + trained, once.backtests * len(self.trains)
        )

    def chunks(self) -> Iterator[Ints]:
        """Positions of the sets of each chunk. They depend on the question alone, not on who works."""
        positions = self.grid.positions
        step = min(max(int(self.chunk_s * positions.size / max(self.estimate.seconds, 1e-9)), 1), MOST_SETS)
        return (positions[first : first + step] for first in range(0, positions.size, step))

    def selection(self, votes: AgentVotes) -> Selection:
        """What every chunk needs; agents are asked here, once, if the strategy speaks of them."""
        return Selection.of(self.grid, self.panel, votes, self.rules, self.trains, metric=self.metric, year=self.year)

    def trial_counts(self, tried: Tried) -> list[TrialCount]:
        """A chunk's trials, for the ledger: every set on every train, none of a grid of one set: nothing is chosen."""
        if self.grid.positions.size == 1:
            return []
        part = f"{tried.counted.first}-{tried.counted.last}"
        return [
            TrialCount(
                f"{spec_id({**self.spec, 'train': number})}:{part}",
                *self._family_in(train),
                leader.trials,
                leader.mean,
                leader.m2,
            )
            for number, (train, leader) in enumerate(zip(self.trains, tried.leaders, strict=True))
            if leader.trials
        ]

    def bound(self, position: int) -> Bound:
        """A set of the grid."""
        return next(self.grid.sets(np.array([position], np.int64)))

    def _family_in(self, train: Stretches) -> tuple[str, str, datetime, datetime]:
        first, last = (from_micros(int(self.panel.sessions[at])) for at in (train[0].start, train[-1].stop - 1))
        return self.grid.strategy.family, self.universe, first, last


@dataclass(frozen=True)
class Counted:
    """How much a chunk was. first, last: positions; sets: times trains."""

    first: int
    last: int
    sets: int


@dataclass(frozen=True)
class Tried:
    """What a chunk came to: the leader of its sets on every train."""

    counted: Counted
    leaders: tuple[Leader, ...]

    def facts(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Tried:
        """What `facts` said."""
        leaders = (Leader(**{**one, "values": tuple(one["values"])}) for one in facts["leaders"])
        return cls(Counted(**facts["counted"]), tuple(leaders))


def try_sets(selection: Selection, positions: Ints) -> Tried:
    """A chunk of sets on every train."""
    counted = Counted(int(positions[0]), int(positions[-1]), positions.size * len(selection.trains))
    return Tried(counted, tuple(choose(selection, positions)))


def winners(selection: Selection, tried: Sequence[Tried]) -> list[Leader]:
    """The best of all chunks on each train."""
    return [reduce(selection.better, leaders) for leaders in zip(*(one.leaders for one in tried), strict=True)]
