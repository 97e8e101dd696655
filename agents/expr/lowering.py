"""From a typed tree and values for its parameters to what kernels compute: lines for numbers, conditions for truths.

What reads no bar is computed at once, so constants stay numbers. What is no bar and no indicator of bars (votes, ranks,
other symbols) becomes an input column under a stable name, a `Head`, that `agents.expr.evaluate` fills.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from agents.expr import tree
from agents.expr.conditions import Above, Always, And, AtLeast, Condition, Crosses, Equal, Not, Or, line_of
from agents.expr.parser import check_bars
from agents.expr.tree import Node, Other, Param, Rank, Vote
from agents.indicators import graph
from agents.indicators.graph import Line, carried, column, pointwise, rolling
from agents.indicators.registry import get
from agents.kernels import logic
from agents.kernels import points as formulas
from data.contracts.errors import GoldenSignalsError

Number = Line | float
Values = Mapping[str, Any]
Kept = dict[Any, Any]  # lines of calls already made, per expression

EXACT = 2**53  # whole numbers beyond it are floats anyway
_KEPT_CALLS = 65_536


def number(node: Node, values: Values, kept: Kept) -> Number:
    """A tree of the kind number as a line, or as a plain number where it reads no bar.

    Raises: InvalidInput where an indicator refuses a parameter.
    """
    return _NUMBERS[type(node)](node, values, kept)


def truth(node: Node, values: Values, kept: Kept) -> Condition:
    """A tree of the kind truth as a condition."""
    return _TRUTHS[type(node)](node, values, kept)


def head_name(node: Vote | Rank | Other) -> str:
    """The column of a bound head: its canonical text."""
    return tree.text(node)


def _call(node: tree.Call, values: Values, kept: Kept) -> Line:
    params = tuple(one if isinstance(one, str) else number(one, values, kept) for one in node.params)
    sources = tuple(number(source, values, kept) for source in node.sources)
    key = (node.indicator, sources, params, tuple(map(type, params)))
    lines = kept.get(key)
    if lines is None:
        entry = get(node.indicator)
        if len(kept) > _KEPT_CALLS:
            kept.clear()
        lines = kept[key] = entry.lines(sources, entry.bind(params, {}))  # type: ignore[arg-type]  # sources vary
    found: Line = lines[get(node.indicator).outputs.index(node.output)] if len(lines) > 1 else lines[0]
    return found


def _head(node: Vote | Rank | Other, values: Values, kept: Kept) -> Line:
    bound: Any = tree.bind(node, dict(values))
    return column(head_name(bound))


def _arithmetic(node: tree.Arithmetic, values: Values, kept: Kept) -> Number:
    return _COMBINE[node.op](number(node.a, values, kept), number(node.b, values, kept))


def _product(a: Number, b: Number) -> Number:
    return a * b if isinstance(a, Line) or isinstance(b, Line) else _whole(a * b)


def _quotient(a: Number, b: Number) -> Number:
    if isinstance(b, Line):
        return graph.ratio(a, b)
    if isinstance(a, Line):
        return a / b if b else pointwise(formulas.constant, a, math.nan)
    return a / b if b else math.nan


def _shift(node: tree.Shift, values: Values, kept: Kept) -> Number:
    of = number(node.of, values, kept)
    bars = check_bars(number(node.bars, values, kept), "a look back")
    return graph.lag(of, bars) if isinstance(of, Line) and bars else of


def _function(node: tree.Function, values: Values, kept: Kept) -> Number:
    match node.name, node.args:
        case "where", (condition, a, b):
            return _where(truth(condition, values, kept), number(a, values, kept), number(b, values, kept))
        case "count", (condition, bars):
            window = check_bars(number(bars, values, kept), "count", 1)
            return rolling(logic.count, line_of(truth(condition, values, kept)), window, reach=window - 1)
        case "bars_since", (condition,):
            return carried(logic.bars_since, line_of(truth(condition, values, kept)), carry=2)
        case "change", (of, bars):
            now = number(of, values, kept)
            before = check_bars(number(bars, values, kept), "change", 1)
            return graph.change(now, before) if isinstance(now, Line) else 0.0
        case ("max" | "min") as name, args:
            return reduce(_larger if name == "max" else _smaller, [number(arg, values, kept) for arg in args])
        case name, (only,):
            of_line, of_number = _PLAIN[name]
            value = number(only, values, kept)
            return of_line(value) if isinstance(value, Line) else of_number(value)
    raise GoldenSignalsError(f"{node.name} with {len(node.args)} values: the parser lets no such function pass")


def _where(condition: Condition, a: Number, b: Number) -> Number:
    if isinstance(condition, Always):
        return a if condition.value else b
    return graph.where(line_of(condition), a, b)


def _larger(a: Number, b: Number) -> Number:
    if isinstance(a, Line):
        return graph.maximum(a, b)
    return graph.maximum(b, a) if isinstance(b, Line) else _known(max, a, b)


def _smaller(a: Number, b: Number) -> Number:
    if isinstance(a, Line):
        return graph.minimum(a, b)
    return graph.minimum(b, a) if isinstance(b, Line) else _known(min, a, b)


def _compare(node: tree.Compare, values: Values, kept: Kept) -> Condition:
    if tree.kind(node.a) == "truth":
        a, b = truth(node.a, values, kept), truth(node.b, values, kept)
        same = _either(_both(a, b), _both(_opposite(a), _opposite(b)))
        return same if node.op == "==" else _opposite(same)
    x, y = number(node.a, values, kept), number(node.b, values, kept)
    if any(not isinstance(side, Line) and math.isnan(side) for side in (x, y)):
        return Above(pointwise(formulas.constant, column("close"), math.nan), 0.0)  # unknown on every bar
    if not isinstance(x, Line) and not isinstance(y, Line):
        return Always(_PYTHON[node.op](x, y))
    match node.op:
        case ">":
            return Above(x, y)
        case "<":
            return Above(y, x)
        case ">=":
            return AtLeast(x, y)
        case "<=":
            return AtLeast(y, x)
        case "==":
            return Equal(x, y)
        case "!=":
            return Not(Equal(x, y))
        case "crosses_above":
            return Crosses(x, y)
        case _:
            return Crosses(y, x)


def _logic(node: tree.Logic, values: Values, kept: Kept) -> Condition:
    join = _both if node.op == "and" else _either
    return join(truth(node.a, values, kept), truth(node.b, values, kept))


def _both(a: Condition, b: Condition) -> Condition:
    if isinstance(a, Always):
        return b if a.value else a
    if isinstance(b, Always):
        return a if b.value else b
    return And(a, b)


def _either(a: Condition, b: Condition) -> Condition:
    if isinstance(a, Always):
        return a if a.value else b
    if isinstance(b, Always):
        return b if b.value else a
    return Or(a, b)


def _opposite(of: Condition) -> Condition:
    return Always(not of.value) if isinstance(of, Always) else Not(of)


def _shifted(node: tree.Shift, values: Values, kept: Kept) -> Condition:
    bars = check_bars(number(node.bars, values, kept), "a look back")
    return _before(truth(node.of, values, kept), bars) if bars else truth(node.of, values, kept)


def _before(condition: Condition, bars: int) -> Condition:
    """The condition of `bars` ago: the same one over the lines of `bars` ago."""

    def lag(side: Number) -> Number:
        return graph.lag(side, bars) if isinstance(side, Line) else side

    match condition:
        case And(a, b) | Or(a, b):
            return type(condition)(_before(a, bars), _before(b, bars))
        case Not(of):
            return Not(_before(of, bars))
        case Always():
            return condition
        case _:
            return type(condition)(lag(condition.a), lag(condition.b))


def _whole(value: float) -> float:
    return value if abs(value) < EXACT else float(value)


def _known(choose: Callable[[float, float], float], a: float, b: float) -> float:
    return choose(a, b) if a == a and b == b else math.nan


def _exp(x: float) -> float:
    return math.exp(x) if x < 709.0 else math.inf


def _sign(x: float) -> float:
    return float((x > 0) - (x < 0)) if x == x else math.nan


_COMBINE: dict[str, Callable[[Any, Any], Number]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": _product,
    "/": _quotient,
}
_PLAIN: dict[str, tuple[Callable[[Line], Line], Callable[[float], float]]] = {
    "abs": (abs, abs),
    "sqrt": (graph.sqrt, lambda x: math.sqrt(x) if x >= 0 else math.nan),
    "log": (graph.log, lambda x: math.log(x) if x > 0 else math.nan),
    "exp": (graph.exp, _exp),
    "sign": (graph.sign, _sign),
}
_PYTHON: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "crosses_above": lambda a, b: False,  # what never moves never crosses
    "crosses_below": lambda a, b: False,
}
_NUMBERS: dict[type[Any], Callable[[Any, Values, Kept], Number]] = {
    tree.Constant: lambda node, values, kept: node.value,
    Param: lambda node, values, kept: values[node.name],
    tree.Bar: lambda node, values, kept: kept.get(node.name) or kept.setdefault(node.name, column(node.name)),
    tree.Negative: lambda node, values, kept: -number(node.of, values, kept),
    tree.Call: _call,
    tree.Arithmetic: _arithmetic,
    tree.Function: _function,
    tree.Shift: _shift,
    Vote: _head,
    Rank: _head,
    Other: _head,
}
_TRUTHS: dict[type[Any], Callable[[Any, Values, Kept], Condition]] = {
    tree.Truth: lambda node, values, kept: Always(node.value),
    tree.Opposite: lambda node, values, kept: _opposite(truth(node.of, values, kept)),
    tree.Compare: _compare,
    tree.Logic: _logic,
    tree.Shift: _shifted,
}
