"""What an indicator is made of: kernels and the columns between them, as a graph that is built before it is run.

A `Line` is a column to be: an input, or one output of a `Node` (a kernel with its inputs and parameters). Equal nodes
are one object, so what several indicators share (a true range, an average) is computed once by `plans.Plan`, and
warm-ups follow from the parts. Three kinds of kernels (their arguments stand in `agents.kernels`):

    pointwise(kernel, a, b, 2.0)                     a formula of one bar
    rolling(kernel, a, 20, reach=19)                 a function of the last `reach` bars and the present one
    carried(kernel, a, 20, carry=2, warmup=19)       carries numbers from bar to bar, per symbol

    middle = (high + low) / 2; step = close - lag(close, 1); share = ratio(up, up + down, otherwise=0.5)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, overload
from weakref import WeakValueDictionary

from agents.kernels import points as formulas
from agents.kernels import windows
from agents.kernels.newest import Chain

Kind = Literal["input", "points", "window", "memory"]
Number: TypeAlias = "Line | float"

WHOLE = 1 << 40  # bars: a reach that is the whole history


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Node:
    """A kernel, what it reads, and what must be known to run it. Made by `pointwise`, `rolling` and `carried` only.

    skip:    rows at the head of a symbol in which an input is still warming up.
    warmups: rows that are NaN at the head of a symbol, per output, `skip` included.
    reach:   rows before the present one that the kernel looks at.
    carry:   rows of float64 state per symbol.
    guarded: the kernel must not see NaN; `running` cuts the history there. The others carry NaN through themselves.
    newest:  says how `kernels.newest` finds the last value of each symbol alone, to the same bits; None = it cannot.
    """

    kind: Kind
    kernel: Callable[..., None] | None
    name: str
    inputs: tuple[Line, ...]
    params: tuple[float, ...]
    skip: int
    warmups: tuple[int, ...]
    reach: int
    carry: int
    guarded: bool
    newest: Callable[..., Chain] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One column to be; `+ - *`, comparisons and unary minus make new ones. Quotients say what 0 gives: `ratio`."""

    node: Node
    output: int = 0

    @property
    def warmup(self) -> int:
        """Rows that are NaN at the head of a symbol."""
        return self.node.warmups[self.output]

    @property
    def history(self) -> int:
        """Bars before the present one that its value depends on; `WHOLE` = all of them."""
        if self.node.kind == "memory":
            return WHOLE
        return min(WHOLE, self.node.reach + max((line.history for line in self.node.inputs), default=0))

    def __add__(self, other: Number) -> Line:
        return pointwise(formulas.add, self, other) if isinstance(other, Line) else _linear(self, 1.0, other)

    def __radd__(self, other: float) -> Line:
        return _linear(self, 1.0, other)

    def __sub__(self, other: Number) -> Line:
        return pointwise(formulas.subtract, self, other) if isinstance(other, Line) else _linear(self, 1.0, -other)

    def __rsub__(self, other: float) -> Line:
        return _linear(self, -1.0, other)

    def __mul__(self, other: Number) -> Line:
        return pointwise(formulas.multiply, self, other) if isinstance(other, Line) else _linear(self, other, 0.0)

    def __rmul__(self, other: float) -> Line:
        return _linear(self, other, 0.0)

    def __truediv__(self, divisor: float) -> Line:
        return pointwise(formulas.divide_by, self, float(divisor))

    def __neg__(self) -> Line:
        return _linear(self, -1.0, 0.0)

    def __abs__(self) -> Line:
        return pointwise(formulas.absolute, self)

    def __gt__(self, other: Number) -> Line:
        return pointwise(formulas.greater, self, _line(other, self))

    def __lt__(self, other: Number) -> Line:
        return pointwise(formulas.greater, _line(other, self), self)

    def __ge__(self, other: Number) -> Line:
        return pointwise(formulas.at_least, self, _line(other, self))

    def __le__(self, other: Number) -> Line:
        return pointwise(formulas.at_least, _line(other, self), self)


_NODES: WeakValueDictionary[Any, Node] = WeakValueDictionary()


def column(name: str) -> Line:
    """An input column: open, high, low, close, volume or other."""
    return Line(_node("input", None, name, (), (), (0,), 0, 0, guarded=False))


@overload
def pointwise(kernel: Callable[..., None], *arguments: Line | float) -> Line: ...
@overload
def pointwise(kernel: Callable[..., None], *arguments: Line | float, outputs: int) -> tuple[Line, ...]: ...
def pointwise(kernel: Callable[..., None], *arguments: Line | float, outputs: int = 1) -> Line | tuple[Line, ...]:
    """A formula of one bar, `kernel(*columns, *params, *out)`; a Line, or a tuple of them for several outputs."""
    inputs, params = _split(arguments)
    skip = max(line.warmup for line in inputs)
    return _lines(_node("points", kernel, "", inputs, params, (skip,) * outputs, 0, 0, guarded=False))


@overload
def rolling(
    kernel: Callable[..., None],
    *arguments: Line | float,
    reach: int,
    warmup: int | tuple[int, ...] | None = None,
    guarded: bool = False,
) -> Line: ...
@overload
def rolling(
    kernel: Callable[..., None],
    *arguments: Line | float,
    reach: int,
    outputs: int,
    warmup: int | tuple[int, ...] | None = None,
    guarded: bool = False,
) -> tuple[Line, ...]: ...
def rolling(
    kernel: Callable[..., None],
    *arguments: Line | float,
    reach: int,
    outputs: int = 1,
    warmup: int | tuple[int, ...] | None = None,
    guarded: bool = False,
) -> Line | tuple[Line, ...]:
    """A function of `reach` earlier bars and this one, `kernel(*columns, offsets, *params, *out)`.

    warmup: rows without a value after its inputs have theirs, one number or one per output; default `reach`.
    """
    inputs, params = _split(arguments)
    warmups = _warmups(inputs, reach if warmup is None else warmup, outputs)
    return _lines(_node("window", kernel, "", inputs, params, warmups, reach, 0, guarded=guarded))


@overload
def carried(
    kernel: Callable[..., None],
    *arguments: Line | float,
    carry: int,
    warmup: int | tuple[int, ...] = 0,
    reach: int = 1,
    guarded: bool = False,
    newest: Callable[..., Chain] | None = None,
) -> Line: ...
@overload
def carried(
    kernel: Callable[..., None],
    *arguments: Line | float,
    carry: int,
    warmup: int | tuple[int, ...] = 0,
    outputs: int,
    reach: int = 1,
    guarded: bool = False,
    newest: Callable[..., Chain] | None = None,
) -> tuple[Line, ...]: ...
def carried(
    kernel: Callable[..., None],
    *arguments: Line | float,
    carry: int,
    warmup: int | tuple[int, ...] = 0,
    outputs: int = 1,
    reach: int = 1,
    guarded: bool = False,
    newest: Callable[..., Chain] | None = None,
) -> Line | tuple[Line, ...]:
    """What carries numbers along, `kernel(*columns, offsets, order, starts, carry, *params, *out)`.

    carry: rows of state; row 0 is the count of bars seen, which the kernel keeps. A history may be cut anywhere: then
           the last `reach` bars stand in front of the new ones, below `starts`.
    newest: `newest(*params)`, the chain of `kernels.newest` that does the same for the last bar alone, if there is one.
    """
    inputs, params = _split(arguments)
    warmups = _warmups(inputs, warmup, outputs)
    return _lines(_node("memory", kernel, "", inputs, params, warmups, reach, carry, guarded=guarded, newest=newest))


def lag(line: Line, bars: int) -> Line:
    """The value `bars` earlier."""
    return rolling(windows.lag, line, bars, reach=bars)


def change(line: Line, bars: int = 1) -> Line:
    """The value less the one `bars` earlier."""
    return line - lag(line, bars)


def ratio(a: Number, b: Line, otherwise: float = float("nan")) -> Line:
    """a / b; `otherwise` where b is 0."""
    if isinstance(a, Line):
        return pointwise(formulas.ratio, a, b, float(otherwise))
    return pointwise(formulas.inverse, b, float(a), float(otherwise))


def maximum(a: Line, b: Number) -> Line:
    """The larger of the two."""
    return pointwise(formulas.larger, a, _line(b, a))


def minimum(a: Line, b: Number) -> Line:
    """The smaller of the two."""
    return pointwise(formulas.smaller, a, _line(b, a))


def clip(line: Line, low: float, high: float) -> Line:
    """The value, at least `low` and at most `high`."""
    return pointwise(formulas.clip, line, float(low), float(high))


def where(condition: Line, a: Number, b: Number) -> Line:
    """a where the condition holds, else b; NaN where it is unknown."""
    return pointwise(formulas.choose, condition, _line(a, condition), _line(b, condition))


def sqrt(line: Line) -> Line:
    """Square root; NaN below 0."""
    return pointwise(formulas.square_root, line)


def log(line: Line) -> Line:
    """Natural logarithm; NaN unless the value is positive."""
    return pointwise(formulas.logarithm, line)


def exp(line: Line) -> Line:
    """e to the value."""
    return pointwise(formulas.exponential, line)


def arctan(line: Line) -> Line:
    """Inverse tangent, radians."""
    return pointwise(formulas.arctangent, line)


def sign(line: Line) -> Line:
    """1, 0 or -1."""
    return pointwise(formulas.sign, line)


def ordered(lines: tuple[Line, ...]) -> tuple[Node, ...]:
    """Every node the lines need, inputs left out, each after those it reads."""
    found: dict[Node, None] = {}

    def visit(node: Node) -> None:
        if node in found or node.kind == "input":
            return
        for line in node.inputs:
            visit(line.node)
        found[node] = None

    for line in lines:
        visit(line.node)
    return tuple(found)


def inputs_of(lines: tuple[Line, ...]) -> set[str]:
    """Names of the input columns that the lines need."""
    heads = [line for node in ordered(lines) for line in node.inputs]
    return {line.node.name for line in [*heads, *lines] if line.node.kind == "input"}


def _linear(line: Line, factor: float, shift: float) -> Line:
    return pointwise(formulas.linear, line, float(factor), float(shift))


def _line(value: Number, like: Line) -> Line:
    if isinstance(value, Line):
        return value
    return pointwise(formulas.constant, like, float(value))


def _split(arguments: tuple[Line | float, ...]) -> tuple[tuple[Line, ...], tuple[float, ...]]:
    inputs = tuple(argument for argument in arguments if isinstance(argument, Line))
    return inputs, tuple(argument for argument in arguments if not isinstance(argument, Line))


def _warmups(inputs: tuple[Line, ...], own: int | tuple[int, ...], outputs: int) -> tuple[int, ...]:
    skip = max(line.warmup for line in inputs)
    return tuple(skip + rows for rows in (own if isinstance(own, tuple) else (own,) * outputs))


def _lines(node: Node) -> Line | tuple[Line, ...]:
    lines = tuple(Line(node, output) for output in range(len(node.warmups)))
    return lines[0] if len(lines) == 1 else lines


def _node(
    kind: Kind,
    kernel: Callable[..., None] | None,
    name: str,
    inputs: tuple[Line, ...],
    params: tuple[float, ...],
    warmups: tuple[int, ...],
    reach: int,
    carry: int,
    *,
    guarded: bool,
    newest: Callable[..., Chain] | None = None,
) -> Node:
    types = tuple(type(value) for value in params)  # 1 and 1.0 are one key but two compiled forms
    key = (kind, kernel, name, tuple((id(line.node), line.output) for line in inputs), params, types, warmups, reach)
    node = _NODES.get(key)
    if node is None:
        skip = max((line.warmup for line in inputs), default=0)
        node = Node(kind, kernel, name, inputs, params, skip, warmups, reach, carry, guarded, newest)
        _NODES[key] = node
    return node
