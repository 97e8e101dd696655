"""What an expression of the kind "truth" is made of once its numbers are lines: comparisons, joined by logic.

A condition is data: `line_of` turns it into one more line (1 true, 0 false, NaN unknown) for a backtest, a scan or
a live state; a sweep turns the same condition into bits and never makes the column. Both mean the same.

    Above(fast, slow)            fast > slow
    AtLeast(rsi, 70.0)           rsi >= 70
    Equal(phase, 1.0)            phase == 1
    Crosses(fast, slow)          fast > slow now, fast <= slow on the bar before, all four known
    Not(c), And(c, d), Or(c, d)  Kleene
    Always(True)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from agents.indicators.graph import Line, column, pointwise, rolling
from agents.kernels import logic
from agents.kernels import points as formulas
from data.contracts.errors import GoldenSignalsError

Number: TypeAlias = "Line | float"


@dataclass(frozen=True, slots=True)
class Above:
    """a > b."""

    a: Number
    b: Number


@dataclass(frozen=True, slots=True)
class AtLeast:
    """a >= b."""

    a: Number
    b: Number


@dataclass(frozen=True, slots=True)
class Equal:
    """a == b."""

    a: Number
    b: Number


@dataclass(frozen=True, slots=True)
class Crosses:
    """a crosses above b."""

    a: Number
    b: Number


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; unknown stays unknown."""

    of: Condition


@dataclass(frozen=True, slots=True)
class And:
    """Both."""

    a: Condition
    b: Condition


@dataclass(frozen=True, slots=True)
class Or:
    """Either."""

    a: Condition
    b: Condition


@dataclass(frozen=True, slots=True)
class Always:
    """The same on every bar."""

    value: bool


Comparison: TypeAlias = Above | AtLeast | Equal | Crosses
Condition: TypeAlias = Comparison | Not | And | Or | Always


def comparisons(condition: Condition) -> Iterator[Comparison]:
    """The leaves, left to right."""
    match condition:
        case Not(of):
            yield from comparisons(of)
        case And(a, b) | Or(a, b):
            yield from comparisons(a)
            yield from comparisons(b)
        case Always():
            return
        case _:
            yield condition


def line_of(condition: Condition) -> Line:
    """The condition as a column to be: 1.0 true, 0.0 false, NaN unknown."""
    match condition:
        case Above(a, b):
            return pointwise(formulas.greater, *_pair(a, b))
        case AtLeast(a, b):
            return pointwise(formulas.at_least, *_pair(a, b))
        case Equal(a, b):
            return pointwise(logic.equal, *_pair(a, b))
        case Crosses(a, b):
            return rolling(logic.crosses, *_pair(a, b), reach=1)
        case Not(of):
            return 1.0 - line_of(of)
        case And(a, b):
            return pointwise(logic.both, line_of(a), line_of(b))
        case Or(a, b):
            return pointwise(logic.either, line_of(a), line_of(b))
        case Always(value):
            return pointwise(formulas.constant, column("close"), float(value))


def _pair(a: Number, b: Number) -> tuple[Line, Line]:
    """Both as lines; a number becomes a column known where the other side is."""
    if isinstance(a, Line):
        return a, b if isinstance(b, Line) else pointwise(formulas.constant, a, float(b))
    if isinstance(b, Line):
        return pointwise(formulas.constant, b, float(a)), b
    raise GoldenSignalsError("a comparison of two numbers is folded before it gets here")
