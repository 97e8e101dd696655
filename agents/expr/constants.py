"""Constraints on parameters, for many sets of them at once: `fast < slow` over columns of values."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from agents.expr.expression import Expression
from agents.expr.tree import Arithmetic, Compare, Constant, Function, Logic, Negative, Node, Opposite, Param, Truth
from data.contracts.arrays import Bools
from data.contracts.errors import InvalidInput

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "and": np.logical_and,
    "or": np.logical_or,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {"abs": np.abs, "min": np.minimum, "max": np.maximum}


def holds(constraint: Expression, values: Mapping[str, Any], count: int) -> Bools:
    """Which of `count` sets of parameters the constraint allows.

    values: parameter -> column (count,) or one number.
    Raises: InvalidInput for a constraint that speaks of bars, or of a parameter without values.
    """
    if constraint.kind != "truth" or constraint.varies:
        raise InvalidInput(f"where compares parameters, as in fast < slow; {constraint.text!r} does not")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.array(np.broadcast_to(_of(constraint.tree, values, constraint.text), (count,)), dtype=np.bool_)


def _of(node: Node, values: Mapping[str, Any], text: str) -> Any:
    match node:
        case Constant(value) | Truth(value):
            return value
        case Param(name):
            if name not in values:
                raise InvalidInput(f"{text!r} speaks of {name!r}, which has no values here", parameter=name)
            return values[name]
        case Arithmetic(op, a, b) | Compare(op, a, b) | Logic(op, a, b) if op in _OPERATORS:
            return _OPERATORS[op](_of(a, values, text), _of(b, values, text))
        case Negative(of):
            return -_of(of, values, text)
        case Opposite(of):
            return np.logical_not(_of(of, values, text))
        case Function(name, args) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(_of(arg, values, text) for arg in args))
        case _:
            raise InvalidInput(f"a constraint on parameters may compare, add, multiply and use abs, min, max: {text!r}")
