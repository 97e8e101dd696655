"""Which sets a search tries, a batch after the other: the whole grid at once, or few, chosen by what those before made.

    picker = search.picker()
    while (positions := picker.ask()).size:
        picker.tell(positions, values)          # only if picker.learns

What is asked next depends on the question and on the values told, never on who computed them, in which order or when.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from agents.backtest.grid import Axis, Grid
from data.contracts.arrays import Bools, Floats, Ints
from data.contracts.errors import InvalidInput

MOST_TRIALS = 5_000  # each suggestion looks at all before it: so many take minutes of one core
SEARCHES = ("grid", "optuna")
BATCH = 50  # asked together, so that many workers have something to do


class Picker(Protocol):
    """Names the sets to try. learns: whether it must be told what they came to before it is asked again."""

    learns: bool

    def ask(self) -> Ints:
        """Positions in the grid, ascending, none of them named before; empty: that was all."""

    def tell(self, positions: Ints, values: Floats) -> None:
        """What the last ones came to, in the same order; NaN = undefined, which is worse than any number."""


@dataclass(frozen=True, slots=True)
class Guide:
    """Try `trials` sets of the grid, `batch` at a time, where Optuna's TPE sampler expects the best.

    Raises: InvalidInput for numbers out of range.
    """

    trials: int
    batch: int = BATCH

    def __post_init__(self) -> None:
        if not 1 <= self.trials <= MOST_TRIALS:
            raise InvalidInput(
                f"a guided search tries between 1 and {MOST_TRIALS:,} sets; leave it out to try the whole grid",
                trials=self.trials,
            )
        if self.batch < 1:
            raise InvalidInput("a guided search asks for at least 1 set at a time", batch=self.batch)

    @classmethod
    def of(cls, search: str, trials: int | None) -> Guide | None:
        """As people ask for it: search="optuna" with trials, or search="grid" (None: the whole grid) without."""
        if search not in SEARCHES:
            raise InvalidInput(f"a sweep searches by {' or '.join(SEARCHES)}, not by {search!r}", search=search)
        if (search == "optuna") != (trials is not None):
            raise InvalidInput('trials go with search="optuna", and only with it: give both, or neither')
        return None if trials is None else cls(trials)

    def facts(self) -> dict[str, Any]:
        """As plain JSON. The version is named because another one may suggest other sets."""
        from importlib.metadata import version

        return {"by": "optuna", **asdict(self), "version": version("optuna")}


class Everything:
    """All sets of a grid, at once."""

    learns = False

    def __init__(self, grid: Grid) -> None:
        self._left = grid.positions

    def ask(self) -> Ints:
        """See `Picker.ask`."""
        positions, self._left = self._left, self._left[:0]
        return positions

    def tell(self, positions: Ints, values: Floats) -> None:
        """See `Picker.tell`: nothing to learn."""


class Guided:
    """A random first batch, then what a tree-structured Parzen estimator suggests.

    The sampler sees the place of a value among the axis' values in ascending order; symbols have no order. A suggestion
    that the constraint forbids or that was tried before becomes the nearest set that is allowed and new.
    Source: Bergstra, Bardenet, Bengio and Kégl, Algorithms for Hyper-Parameter Optimization (2011), as in Optuna.
    """

    learns = True

    def __init__(self, grid: Grid, guide: Guide, *, larger_is_better: bool) -> None:
        import optuna  # a second to import: only who is guided waits for it

        self._grid, self._guide = grid, guide
        self._new: Bools = np.ones(grid.positions.size, np.bool_)
        self._axes = [_Coordinate(axis) for axis in grid.axes]
        self._kinds: dict[str, Any] = {one.axis.name: one.distribution for one in self._axes}
        self._pending: dict[int, Any] = {}
        self._states = optuna.trial.TrialState
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                seed=grid.seed, n_startup_trials=1, multivariate=True, constant_liar=True
            )
        self._study = optuna.create_study(direction="maximize" if larger_is_better else "minimize", sampler=sampler)

    def ask(self) -> Ints:
        """See `Picker.ask`."""
        tried = self._new.size - int(self._new.sum())
        count = min(self._guide.batch, self._guide.trials - tried, self._new.size - tried)
        if tried == 0:
            for place in np.random.default_rng(self._grid.seed).choice(self._new.size, count, replace=False):
                self._take(int(place))
        else:
            for _ in range(count):
                self._suggest()
        return np.array(sorted(self._pending), np.int64)

    def tell(self, positions: Ints, values: Floats) -> None:
        """See `Picker.tell`."""
        for position, value in zip(positions.tolist(), values.tolist(), strict=True):
            trial = self._pending.pop(position)
            if math.isnan(value):
                self._study.tell(trial, state=self._states.PRUNED)
            else:
                self._study.tell(trial, value)

    def _suggest(self) -> None:
        trial = self._study.ask(self._kinds)
        wanted = self._position(trial.params)
        place = int(np.searchsorted(self._grid.positions, wanted))
        if place < self._new.size and self._grid.positions[place] == wanted and self._new[place]:
            self._new[place], self._pending[wanted] = False, trial
        else:
            self._study.tell(trial, state=self._states.FAIL)
            self._take(self._nearest(trial.params))

    def _take(self, place: int) -> None:
        """Try the set at this place of the grid's positions, whatever the sampler would have said."""
        position = int(self._grid.positions[place])
        index = self._indices(np.array([position], np.int64))
        self._study.enqueue_trial(
            {one.axis.name: one.rank[int(i[0])] for one, i in zip(self._axes, index, strict=True)}
        )
        self._new[place], self._pending[position] = False, self._study.ask(self._kinds)

    def _position(self, params: dict[str, int]) -> int:
        position = 0
        for one in self._axes:
            position = position * len(one.axis.values) + one.index[params[one.axis.name]]
        return position

    def _nearest(self, params: dict[str, int]) -> int:
        """Place of the closest set that is new, every axis being as long as any other; ties: the smallest position."""
        away = np.where(self._new, np.float32(0.0), np.float32(np.inf))
        for one, place in zip(self._axes, self._places, strict=True):
            step = place - np.float32(one.place(params[one.axis.name]))
            away += step * step if one.ordered else step != 0.0
        return int(away.argmin())

    @cached_property
    def _places(self) -> list[np.ndarray[tuple[int], np.dtype[np.float32]]]:
        """Where every set of the grid lies on each axis."""
        every = (np.array([one.place(rank) for rank in one.rank], np.float32) for one in self._axes)
        return [places[index] for places, index in zip(every, self._indices(self._grid.positions), strict=True)]

    def _indices(self, positions: Ints) -> list[Ints]:
        """Which value of each axis these sets have."""
        found, stride = [], self._grid.combinations
        for one in self._axes:
            stride //= len(one.axis.values)
            found.append(positions // stride % len(one.axis.values))
        return found


class _Coordinate:
    """An axis as the sampler sees it. rank: place in ascending order of each value; index: the way back."""

    def __init__(self, axis: Axis) -> None:
        from optuna.distributions import CategoricalDistribution, IntDistribution

        count = len(axis.values)
        self.axis = axis
        self.ordered = not any(isinstance(value, str) for value in axis.values)
        self.index = [int(i) for i in np.argsort(np.array(axis.values))] if self.ordered else list(range(count))
        self.rank = [int(i) for i in np.argsort(self.index)]
        self.distribution = IntDistribution(0, count - 1) if self.ordered else CategoricalDistribution(range(count))

    def place(self, rank: int) -> float:
        """From 0 to 1; of symbols, only whether two are the same means anything."""
        return rank / max(len(self.rank) - 1, 1)
