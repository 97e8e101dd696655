"""The typed tree of an expression: what a text means once names, types and limits have been checked.

A tree is data: frozen, comparable, and printed by `text` in one canonical form from which the same tree is parsed.
Constants are numbers and parameters; what varies from bar to bar is everything that reads a bar, an agent or a symbol.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeAlias

from agents.indicators.registry import get

Kind = Literal["number", "truth"]
ANY = "_"  # what a shape shows in place of a constant


@dataclass(frozen=True, slots=True)
class Constant:
    """A number as written."""

    value: float


@dataclass(frozen=True, slots=True)
class Truth:
    """true or false."""

    value: bool


@dataclass(frozen=True, slots=True)
class Param:
    """A declared name that gets its value later."""

    name: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A column of the bars."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """One output of an indicator over sources; `params` in the indicator's order, a text where it is a choice."""

    indicator: str
    sources: tuple[Node, ...]
    params: tuple[Node | str, ...]
    output: str


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """a + b, a - b, a * b or a / b."""

    op: str
    a: Node
    b: Node


@dataclass(frozen=True, slots=True)
class Negative:
    """-x."""

    of: Node


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language: abs, sqrt, log, exp, sign, max, min, where, change, count, bars_since."""

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Shift:
    """The value of `bars` ago."""

    of: Node
    bars: Node


@dataclass(frozen=True, slots=True)
class Rank:
    """Place among the symbols of the same session: rank (1 = largest) or percentile_rank (1.0 = largest)."""

    name: str
    of: Node


@dataclass(frozen=True, slots=True)
class Vote:
    """What an agent says; agent None = the consensus of all."""

    agent: str | None
    output: str


@dataclass(frozen=True, slots=True)
class Other:
    """A column of another symbol, on the bars of the same time."""

    symbol: str | Param
    column: str


@dataclass(frozen=True, slots=True)
class Compare:
    """< <= > >= == != crosses_above crosses_below."""

    op: str
    a: Node
    b: Node


@dataclass(frozen=True, slots=True)
class Logic:
    """a and b, a or b."""

    op: str
    a: Node
    b: Node


@dataclass(frozen=True, slots=True)
class Opposite:
    """not x."""

    of: Node


Node: TypeAlias = (
    Constant
    | Truth
    | Param
    | Bar
    | Call
    | Arithmetic
    | Negative
    | Function
    | Shift
    | Rank
    | Vote
    | Other
    | Compare
    | Logic
    | Opposite
)

_LOOSEST, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _UNARY, _ATOM = range(9)  # how tightly a form binds
_OPERATORS = {"or": _OR, "and": _AND, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT}


def kind(node: Node) -> Kind:
    """Whether it is a number or a truth."""
    if isinstance(node, Shift):
        return kind(node.of)
    return "truth" if isinstance(node, Truth | Compare | Logic | Opposite) else "number"


def parts(node: Node) -> tuple[Node, ...]:
    """The nodes right below, left to right."""
    found: list[Node] = []
    for field in fields(node):
        value: Any = getattr(node, field.name)
        found += [one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, Node)]
    return tuple(found)


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, left to right; a symbol that is a parameter is one of them."""
    yield node
    for part in parts(node):
        yield from walk(part)


def varies(node: Node) -> bool:
    """Whether its value may differ from bar to bar."""
    return any(isinstance(one, Bar | Call | Vote | Other) for one in walk(node))


def bind(node: Node, values: dict[str, Any]) -> Node:
    """The tree with every parameter replaced by its value."""
    if isinstance(node, Param):
        return Constant(values[node.name])
    if isinstance(node, Other) and isinstance(node.symbol, Param):
        return Other(values[node.symbol.name], node.column)
    changed: dict[str, Any] = {}
    for field in fields(node):
        value: Any = getattr(node, field.name)
        if isinstance(value, Node):
            changed[field.name] = bind(value, values)
        elif isinstance(value, tuple):
            changed[field.name] = tuple(bind(one, values) if isinstance(one, Node) else one for one in value)
    return replace(node, **changed) if changed else node


def text(node: Node, *, constants: bool = True) -> str:
    """The canonical text: numbers of an indicator are spelled out, default sources and last default variants are not.

    constants: False puts `_` in place of numbers and parameters, so that texts of one family are equal.
    """
    return _text(node, constants, _LOOSEST)


def number_text(value: float) -> str:
    """A number as it is written, with all its digits."""
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)


def _text(node: Node, constants: bool, around: int) -> str:
    if not constants and kind(node) == "number" and not varies(node):
        return ANY
    words, binds = _form(node, constants)
    return f"({words})" if binds < around else words


def _form(node: Node, constants: bool) -> tuple[str, int]:
    """The text without outer brackets, and how tightly it binds."""

    def inner(part: Node, around: int) -> str:
        return _text(part, constants, around)

    match node:
        case Constant(value):
            return number_text(value), _UNARY if value < 0 else _ATOM
        case Truth(value):
            return str(value).lower(), _ATOM
        case Param(name) | Bar(name):
            return name, _ATOM
        case Call():
            return _call(node, constants), _ATOM
        case Arithmetic(op, a, b) | Logic(op, a, b):
            own = _OPERATORS[op]
            return f"{inner(a, own)} {op} {inner(b, own + 1)}", own
        case Negative(of):
            return f"-{inner(of, _UNARY)}", _UNARY
        case Function(name, args):
            return f"{name}({', '.join(inner(arg, _LOOSEST) for arg in args)})", _ATOM
        case Shift(of, bars):
            return f"{inner(of, _ATOM)}[{inner(bars, _LOOSEST)}]", _ATOM
        case Rank(name, of):
            return f"{name}({inner(of, _LOOSEST)})", _ATOM
        case Vote(agent, output):
            head = "consensus()" if agent is None else f'agent("{agent}")'
            return head if output == "score" else f"{head}.{output}", _ATOM
        case Other(symbol, column):
            if isinstance(symbol, Param):
                return f"{symbol.name if constants else ANY}.{column}", _ATOM
            return f'symbol("{symbol if constants else ANY}").{column}', _ATOM
        case Compare(op, a, b):
            return f"{inner(a, _COMPARE + 1)} {op} {inner(b, _COMPARE + 1)}", _COMPARE
        case Opposite(of):
            return f"not {inner(of, _NOT)}", _NOT


def _call(node: Call, constants: bool) -> str:
    entry = get(node.indicator)
    given: list[str] = []
    if node.sources != tuple(Bar(name) for name in entry.inputs):
        given += [_text(source, constants, _LOOSEST) for source in node.sources]
    params = list(zip(node.params, entry.params, strict=True))
    while params and isinstance(params[-1][0], str) and params[-1][0] == params[-1][1].default:
        params.pop()
    given += [f'"{one}"' if isinstance(one, str) else _text(one, constants, _LOOSEST) for one, _ in params]
    words = f"{node.indicator}({', '.join(given)})"
    return words if len(entry.outputs) == 1 else f"{words}.{node.output}"
