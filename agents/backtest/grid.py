"""Which sets of parameters a sweep tries: every combination that its constraint allows, or a seeded sample of them.

A set is known by its position in the full product of its axes (the last axis runs fastest), whether or not those
before it are allowed: so a set has the same id in every sweep over the same axes, in any chunk.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from agents.backtest.strategy import Bound, Strategy, Value
from agents.expr import parse
from agents.expr.constants import holds
from agents.expr.expression import Expression
from data.contracts.arrays import Ints
from data.contracts.errors import InvalidInput

MOST = 10_000_000  # combinations; with 4 metrics on one symbol the trials of so many take a gigabyte
_STEP = 1 << 16  # candidates that are looked at together


@dataclass(frozen=True)
class Axis:
    """The values of one parameter, each once, in the order given."""

    name: str
    values: tuple[Value, ...]

    @classmethod
    def of(cls, name: str, given: object) -> Axis:
        """From a range, a list, one value, or a text: "5:50" is range(5, 50), "20:200:5", "0.5:2:0.25", "10,20,50".

        Raises: InvalidInput for texts that cannot be read, no value, and a value given twice.
        """
        values = tuple(_read(name, given) if isinstance(given, str) else _listed(given))
        if not values:
            raise InvalidInput(f"{name} has no value to try in {given!r}; 5:50 means 5 up to 49", parameter=name)
        if len(set(values)) < len(values):
            raise InvalidInput(f"{name} names a value twice in {given!r}", parameter=name)
        return cls(name, values)


@dataclass(frozen=True)
class Grid:
    """The sets of a sweep. where: a constraint beside the strategy's own. sample: so many of them, by `seed`.

    Raises: InvalidInput for an unknown parameter, a value out of range, too many combinations, or none allowed.
    """

    strategy: Strategy
    axes: tuple[Axis, ...]
    where: str | None = None
    sample: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        known = {param.name: param for param in self.strategy.params}
        for axis in self.axes:
            if axis.name not in known:
                names = ", ".join(known) or "none"
                raise InvalidInput(f"{self.strategy.name} has no parameter {axis.name!r}; it has: {names}")
            for value in axis.values:
                known[axis.name].check(self.strategy.name, value)
        if self.combinations > MOST:
            raise InvalidInput(
                f"{self.combinations:,} combinations are too many (at most {MOST:,}); use wider steps, or --sample N "
                "of a smaller grid"
            )
        if self.sample is not None and self.sample < 1:
            raise InvalidInput("a sample has at least 1 set")
        if not self.positions.size:
            raise InvalidInput(f"no set of parameters is allowed: {self._allowed_text} holds nowhere on this grid")

    @cached_property
    def combinations(self) -> int:
        """Size of the full product."""
        return math.prod(len(axis.values) for axis in self.axes)

    @cached_property
    def positions(self) -> Ints:
        """Positions of the sets that are tried, ascending."""
        whole = [found for lo in range(0, self.combinations, _STEP) if (found := self._allowed(lo)).size]
        allowed = np.concatenate(whole) if whole else np.empty(0, np.int64)
        if self.sample is None or self.sample >= allowed.size:
            return allowed
        chosen = np.random.default_rng(self.seed).choice(allowed.size, self.sample, replace=False)
        return np.sort(allowed[chosen])

    def columns(self, positions: Ints) -> dict[str, np.ndarray[Any, Any]]:
        """The parameters of these sets, as columns; those that are not swept have their default."""
        found: dict[str, Any] = {}
        stride = self.combinations
        for axis in self.axes:
            stride //= len(axis.values)
            found[axis.name] = np.array(axis.values)[positions // stride % len(axis.values)]
        return found

    def sets(self, positions: Ints) -> Iterator[Bound]:
        """These sets, ready to be tried."""
        columns = {name: column.tolist() for name, column in self.columns(positions).items()}
        for i in range(positions.size):
            yield self.strategy.bind(**{name: column[i] for name, column in columns.items()})

    def neighbours(self, position: int) -> Ints:
        """Positions one step away in some of the parameters, ascending, whether or not they are allowed.

        A step goes to the next smaller or larger value of the grid; names have no neighbours.
        """
        around, stride = np.zeros(1, np.int64), self.combinations
        for axis in self.axes:
            stride //= len(axis.values)
            index = position // stride % len(axis.values)
            near = [index]
            if not any(isinstance(value, str) for value in axis.values):
                order = np.argsort(np.array(axis.values))
                place = int(np.flatnonzero(order == index)[0])
                near = order[max(place - 1, 0) : place + 2].tolist()
            around = (around[:, None] + np.array(near, np.int64) * stride).ravel()
        return np.sort(around[around != position])

    def facts(self) -> dict[str, Any]:
        """As plain JSON."""
        axes = {axis.name: list(axis.values) for axis in self.axes}
        return {"axes": axes, "where": self.where, "sample": self.sample, "seed": self.seed}

    @classmethod
    def of(cls, strategy: Strategy, facts: Mapping[str, Any]) -> Grid:
        """What `facts` said."""
        axes = tuple(Axis(name, tuple(values)) for name, values in facts["axes"].items())
        return cls(strategy, axes, facts["where"], facts["sample"], facts["seed"])

    @cached_property
    def _constraints(self) -> tuple[Expression, ...]:
        names = tuple(param.name for param in self.strategy.params)
        own = () if self.where is None else (parse(self.where, params=names),)
        return own if self.strategy.where is None else (self.strategy.where, *own)

    @property
    def _allowed_text(self) -> str:
        return " and ".join(f"({one.text})" for one in self._constraints) or "it"

    def _allowed(self, first: int) -> Ints:
        positions = np.arange(first, min(first + _STEP, self.combinations), dtype=np.int64)
        if not self._constraints:
            return positions
        values: dict[str, Any] = {p.name: p.default for p in self.strategy.params if p.default is not None}
        values |= self.columns(positions)
        keep = np.ones(positions.size, np.bool_)
        for constraint in self._constraints:
            keep &= holds(constraint, values, positions.size)
        return positions[keep]


def _listed(given: object) -> Sequence[Value]:
    if isinstance(given, bool):
        raise InvalidInput(f"{given!r} is no value of a parameter")
    if isinstance(given, int | float):
        return (given,)
    try:
        values = [value.item() if isinstance(value, np.generic) else value for value in given]  # type: ignore[attr-defined]
    except TypeError:
        raise InvalidInput(f"{given!r} is no range or list of values") from None
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise InvalidInput(f"{value!r} is no value of a parameter")
    return values


def _read(name: str, text: str) -> Sequence[Value]:
    parts = text.split(":")
    if len(parts) == 1:
        return [_value(name, word.strip(), text) for word in text.split(",")]
    if len(parts) > 3:
        raise InvalidInput(f"{name}={text}: a range is first:end or first:end:step", parameter=name)
    numbers = [_value(name, word.strip(), text) for word in parts]
    if any(isinstance(number, str) for number in numbers):
        raise InvalidInput(f"{name}={text}: a range has numbers, as in 5:50 or 20:200:5", parameter=name)
    first, end, step = (*numbers, 1)[:3]
    assert not isinstance(first, str)
    assert not isinstance(end, str)
    assert not isinstance(step, str)
    if step <= 0:
        raise InvalidInput(f"{name}={text}: the step must be above 0", parameter=name)
    count = max(0, math.ceil((end - first) / step - 1e-9))  # 0.5:2:0.25 ends before 2, whatever binary fractions say
    if count > MOST:
        raise InvalidInput(f"{name}={text} has {count:,} values; at most {MOST:,} can be tried", parameter=name)
    return [first + i * step for i in range(count)]


def _value(name: str, word: str, text: str) -> Value:
    for kind in (int, float):
        try:
            number = kind(word)
        except ValueError:
            continue
        if not math.isfinite(number):
            break
        return number
    else:
        if word and not any(mark in word for mark in "=<>()"):
            return word
    raise InvalidInput(f"{name}={text}: cannot read {word!r}; write 5:50, 20:200:5, or 10,20,50", parameter=name)
