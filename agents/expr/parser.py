"""From Python's syntax tree to the typed tree: names are known, kinds fit, sizes are bounded, or it is refused.

Only the forms that have a method here exist; everything else of Python's grammar is refused by default.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection
from typing import Any

from agents.expr.syntax import CROSSINGS, Source, did_you_mean, read
from agents.expr.tree import (
    Arithmetic,
    Bar,
    Call,
    Compare,
    Constant,
    Function,
    Kind,
    Logic,
    Negative,
    Node,
    Opposite,
    Other,
    Param,
    Rank,
    Shift,
    Truth,
    Vote,
    kind,
    parts,
    varies,
)
from agents.indicators.registry import LONGEST, Choice, Indicator, get, registered
from agents.indicators.registry import Param as IndicatorParam
from agents.registry import all_agents
from data.contracts.errors import InvalidInput
from data.contracts.panel import COLUMNS

MAX_DEPTH = 40  # forms within each other, as they are written
MAX_LEVELS = 120  # of the tree: a long row of `and` is deep there
MAX_NODES = 500
LARGEST = 1e15  # a number of a text

VOTES = {True: ("score", "confidence"), False: ("score", "strength", "agreement")}  # of an agent, of the consensus
RANKS = ("rank", "percentile_rank")
# what each function takes: n a number, t a truth, c a number of bars that does not vary
FUNCTIONS = {
    "abs": "n",
    "sqrt": "n",
    "log": "n",
    "exp": "n",
    "sign": "n",
    "max": "nn",  # two or more
    "min": "nn",
    "where": "tnn",
    "lag": "nc",
    "change": "nc",
    "count": "tc",
    "bars_since": "t",
    "rank": "n",
    "percentile_rank": "n",
    "crosses_above": "nn",
    "crosses_below": "nn",
}
_SOURCES = ("agent", "consensus", "symbol")
_KINDS: dict[str, Kind] = {"n": "number", "t": "truth", "c": "number"}
_ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "crosses_above",
    ast.Is: "crosses_below",
}


def parse_tree(text: str, params: Collection[str]) -> Node:
    """The typed tree of a text in which the names `params` stand for values to come.

    Raises: InvalidInput that names the place, what was found there and what to do.
    """
    body, source = read(text)
    return _Parser(source, params).node(body)


def check_bars(value: object, what: str, least: int = 0) -> int:
    """A number of bars that may be looked back. Raises InvalidInput otherwise."""
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value and value == value // 1
    if whole and value < 0:  # type: ignore[operator]
        raise InvalidInput(f"{what} of {value:g} bars would look ahead; only what is past is known, use 0 or more")
    if not whole or not least <= value <= LONGEST:  # type: ignore[operator]
        raise InvalidInput(f"{what} must be a whole number of bars between {least} and {LONGEST:,}, not {value!r}")
    return int(value)  # type: ignore[call-overload, no-any-return]


class _Parser:
    def __init__(self, source: Source, params: Collection[str]) -> None:
        self._source, self._params, self._depth = source, frozenset(params), 0
        self._sizes: dict[int, tuple[int, int, Node]] = {}  # nodes and levels; the node itself keeps its id taken

    def node(self, at: ast.expr) -> Node:
        """The typed tree of any form."""
        method: Callable[[Any], Node] | None = getattr(self, f"_{type(at).__name__.lower()}", None)
        if method is None:
            raise self._source.problem_at("this form is not part of the language", at)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._source.problem_at(f"more than {MAX_DEPTH} levels are nested here; split the expression up", at)
        found = method(at)
        self._depth -= 1
        return self._bounded(found, at)

    def _bounded(self, found: Node, at: ast.expr) -> Node:
        """The node, unless the tree below it, written out, is too large: chains of comparisons hold parts twice."""
        inside = [self._sizes[id(part)] for part in parts(found) if id(part) in self._sizes]
        nodes = 1 + sum(nodes for nodes, _, _ in inside)
        levels = 1 + max((levels for _, levels, _ in inside), default=0)
        if nodes > MAX_NODES or levels > MAX_LEVELS:
            raise self._source.problem_at(f"this has more than {MAX_NODES} parts; split the expression up", at)
        self._sizes[id(found)] = nodes, levels, found
        return found

    # -- forms -------------------------------------------------------------------------------------------------

    def _constant(self, at: ast.Constant) -> Node:
        value: object = at.value
        if isinstance(value, bool):
            return Truth(value)
        if isinstance(value, int | float):
            if not abs(value) <= LARGEST:
                raise self._source.problem_at(f"a number must lie between -{LARGEST:g} and {LARGEST:g}", at)
            return Constant(int(value) if value == int(value) else value)
        raise self._source.problem_at(
            "a text in quotes names an agent, a symbol or a variant, and stands nowhere else", at
        )

    def _name(self, at: ast.Name) -> Node:
        name = at.id
        if name in self._params:
            return Param(name)
        if name in COLUMNS:
            return Bar(name)
        if name in ("true", "false"):
            return Truth(name == "true")
        if name in FUNCTIONS or name in _SOURCES:
            raise self._source.problem_at(f"{name} is a function; give it what it works on: {name}(…)", at)
        if name in registered():
            raise self._source.problem_at(f"{name} is an indicator; call it: {_example(get(name))}", at)
        known = [*self._params, *COLUMNS, "true", "false", *FUNCTIONS, *registered()]
        words = f"there is nothing called {name!r}{did_you_mean(name, known)}"
        raise self._source.problem_at(
            words if "mean" in words else f"{words}; the columns are {', '.join(COLUMNS)}", at
        )

    def _unaryop(self, at: ast.UnaryOp) -> Node:
        if isinstance(at.op, ast.Not):
            return Opposite(self._of("truth", at.operand, "not"))
        if isinstance(at.op, ast.Invert):
            raise self._source.problem_at("write not", at)
        of = self._of("number", at.operand, "a sign")
        if isinstance(at.op, ast.UAdd):
            return of
        return Constant(-of.value) if isinstance(of, Constant) and of.value else Negative(of)

    def _binop(self, at: ast.BinOp) -> Node:
        op = _ARITHMETIC.get(type(at.op))
        if op is None:
            raise self._source.problem_at("only + - * / combine numbers", at)
        return Arithmetic(op, self._of("number", at.left, op), self._of("number", at.right, op))

    def _boolop(self, at: ast.BoolOp) -> Node:
        op = "and" if isinstance(at.op, ast.And) else "or"
        found = self._of("truth", at.values[0], op)
        for value in at.values[1:]:
            found = self._bounded(Logic(op, found, self._of("truth", value, op)), at)
        return found

    def _compare(self, at: ast.Compare) -> Node:
        ops = [_COMPARE.get(type(op)) for op in at.ops]
        if len(ops) > 1 and any(op in CROSSINGS for op in ops):
            raise self._source.problem_at("a crossing stands alone; join two of them by and", at)
        sides = [self.node(side) for side in (at.left, *at.comparators)]
        found: Node | None = None
        for op, a, b, left, right in zip(
            ops, sides, sides[1:], (at.left, *at.comparators), at.comparators, strict=False
        ):
            if op is None:
                raise self._source.problem_at("this comparison is not part of the language", at)
            if op not in ("==", "!="):
                self._need("number", a, left, op)
            self._need(kind(a), b, right, op)
            one = self._bounded(Compare(op, a, b), at)
            found = one if found is None else self._bounded(Logic("and", found, one), at)
        assert found is not None  # Python's comparisons have at least one operator
        return found

    def _subscript(self, at: ast.Subscript) -> Node:
        of = self.node(at.value)
        if isinstance(at.slice, ast.Slice | ast.Tuple):
            raise self._source.problem_at("one number of bars stands in the brackets: close[1] is the bar before", at)
        return self._shift(at, of, at.slice)

    def _attribute(self, at: ast.Attribute) -> Node:
        value = at.value
        if isinstance(value, ast.Name) and value.id in self._params:
            return self._column_of(Param(value.id), at)
        if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name):
            raise self._source.problem_at("only an indicator's, an agent's or a symbol's value has parts", at)
        name = value.func.id
        if name == "symbol":
            return self._column_of(self._quoted(value, "symbol"), at)
        if name in ("agent", "consensus"):
            return self._vote(value, name, at)
        if name in FUNCTIONS:
            raise self._source.problem_at(f"{name} gives one value, it has no {at.attr!r}", at)
        entry, found = self._indicator(value, name)
        if at.attr not in entry.outputs or len(entry.outputs) == 1:
            known = f"it gives {', '.join(entry.outputs)}" if len(entry.outputs) > 1 else "it gives one value"
            raise self._source.problem_at(f"{entry.name} has no {at.attr!r}; {known}", at)
        return Call(found.indicator, found.sources, found.params, at.attr)

    def _call(self, at: ast.Call) -> Node:
        if not isinstance(at.func, ast.Name):
            raise self._source.problem_at("only the language's functions and indicators can be called", at)
        name = at.func.id
        if name == "symbol":
            raise self._source.problem_at(f"say which column: {self._source.said(at)}.close", at)
        if name in ("agent", "consensus"):
            return self._vote(at, name, None)
        if name in FUNCTIONS:
            return self._function(at, name)
        entry, found = self._indicator(at, name)
        if len(entry.outputs) > 1 and entry.name not in entry.outputs:
            known = ", ".join(f"{self._source.said(at)}.{output}" for output in entry.outputs)
            raise self._source.problem_at(f"{entry.name} gives several values; choose one: {known}", at)
        return found

    # -- what is called ----------------------------------------------------------------------------------------

    def _function(self, at: ast.Call, name: str) -> Node:
        if at.keywords:
            raise self._source.problem_at(f"{name} takes its values by position", at)
        wanted = FUNCTIONS[name]
        given = list(at.args)
        if name in ("max", "min"):
            wanted = "n" * max(2, len(given))
        if name == "change" and len(given) == 1:
            given.append(ast.Constant(1, col_offset=at.col_offset, end_col_offset=at.end_col_offset))
        if len(given) != len(wanted):
            raise self._source.problem_at(f"{name} takes {len(wanted)} values, not {len(given)}", at)
        args = tuple(self._of(_KINDS[one], arg, name) for one, arg in zip(wanted, given, strict=True))
        if name in CROSSINGS:
            return Compare(name, *args)
        if name == "lag":
            return self._shift(at, args[0], given[1])
        if name in ("change", "count", "bars_since", *RANKS) and not varies(args[0]):
            raise self._source.problem_at(f"{name} needs something that varies from bar to bar", given[0])
        if wanted[-1] == "c":
            self._bars(args[1], given[1], name, 1)
        return Rank(name, args[0]) if name in RANKS else Function(name, args)

    def _shift(self, at: ast.expr, of: Node, index: ast.expr) -> Node:
        if not varies(of):
            raise self._source.problem_at("a number is the same on every bar; only what varies has a past", at)
        bars = self._of("number", index, "a number of bars")
        self._bars(bars, index, "a look back", 0)
        return Shift(of, bars)

    def _bars(self, bars: Node, at: ast.expr, what: str, least: int) -> None:
        if varies(bars):
            raise self._source.problem_at("a number of bars must be the same on every bar", at)
        if isinstance(bars, Constant | Negative):
            value = bars.value if isinstance(bars, Constant) else 0
            self._checked(at, check_bars, value, what, least)

    def _vote(self, at: ast.Call, name: str, part: ast.Attribute | None) -> Node:
        agent = None
        if name == "agent":
            agent = self._quoted(at, "agent")
            if agent not in all_agents():
                known = f"; the agents are {', '.join(all_agents())}"
                raise self._source.problem_at(
                    f"there is no agent {agent!r}{did_you_mean(agent, all_agents()) or known}", at
                )
        elif at.args or at.keywords:
            raise self._source.problem_at("consensus() takes nothing", at)
        output = "score" if part is None else part.attr
        if output not in VOTES[agent is not None]:
            raise self._source.problem_at(f"{name} has no {output!r}; it has {', '.join(VOTES[agent is not None])}", at)
        return Vote(agent, output)

    def _quoted(self, at: ast.Call, what: str) -> str:
        only = at.args[0] if len(at.args) == 1 and not at.keywords else None
        if not isinstance(only, ast.Constant) or not isinstance(only.value, str) or not only.value.strip():
            raise self._source.problem_at(f'{what} takes one name in quotes, such as {what}("…")', at)
        return only.value.strip()

    def _column_of(self, symbol: str | Param, at: ast.Attribute) -> Node:
        if at.attr not in COLUMNS:
            raise self._source.problem_at(f"a symbol has the columns {', '.join(COLUMNS)}, not {at.attr!r}", at)
        return Other(symbol, at.attr)

    # -- indicators --------------------------------------------------------------------------------------------

    def _indicator(self, at: ast.Call, name: str) -> tuple[Indicator, Call]:
        try:
            entry = get(name)
        except InvalidInput:
            known = [*FUNCTIONS, *_SOURCES, *registered()]
            hint = did_you_mean(name, known) or "; goldensignals indicators lists them all"
            words = f"there is no indicator or function called {name!r}{hint}"
            raise self._source.problem_at(words, at.func) from None
        given: list[Node | str] = [self._argument(arg) for arg in at.args]
        sources = _leading(given)
        if sources and len(sources) != len(entry.inputs):
            raise self._source.problem_at(
                f"{entry.name} works on {', '.join(entry.inputs)}: give it that many columns first, or none", at
            )
        if not sources and "other" in entry.inputs:
            raise self._source.problem_at(
                f'{entry.name} compares two series: {entry.name}(close, symbol("SPY").close, …)', at
            )
        named: dict[str, Node | str] = {}
        for word in at.keywords:
            if word.arg is None or word.arg in named:
                raise self._source.problem_at(f"{word.arg} is given twice", at)
            named[word.arg] = self._argument(word.value)
        positional = given[len(sources) :]
        for one in (*positional, *named.values()):
            if not isinstance(one, str) and varies(one):
                raise self._source.problem_at(f"{entry.name}'s parameters must be the same on every bar", at)
        params = self._params_of(at, entry, positional, named)
        bars: tuple[Node, ...] = tuple(Bar(column) for column in entry.inputs)
        return entry, Call(entry.name, sources or bars, params, entry.name if entry.name in entry.outputs else "")

    def _argument(self, at: ast.expr) -> Node | str:
        if isinstance(at, ast.Constant) and isinstance(at.value, str):
            return at.value
        return self._of("number", at, "an indicator")

    def _params_of(
        self, at: ast.Call, entry: Indicator, positional: list[Node | str], named: dict[str, Node | str]
    ) -> tuple[Node | str, ...]:
        """Every parameter in the indicator's order, defaults included; what has a value by now is checked."""
        given = self._checked(at, _by_name, entry, positional, named)
        values = {name: one.value if isinstance(one, Constant) else one for name, one in given.items()}
        if all(isinstance(value, int | float | str) for value in values.values()):
            bound = self._checked(at, entry.bind, (), values)
        else:  # the others, and whether they fit together, when the parameters are known
            bound = {param.name: self._checked(at, _checked_param, entry, param, values) for param in entry.params}
        return tuple(_as_param(value) for value in bound.values())

    # -- kinds and refusals ------------------------------------------------------------------------------------

    def _of(self, wanted: Kind, at: ast.expr, what: str) -> Node:
        found = self.node(at)
        self._need(wanted, found, at, what)
        return found

    def _need(self, wanted: Kind, found: Node, at: ast.expr, what: str) -> None:
        if kind(found) != wanted:
            found_kind = "a number" if wanted == "truth" else "true or false"
            needs = "something true or false, such as close > open" if wanted == "truth" else "a number"
            raise self._source.problem_at(f"{what} needs {needs}; this is {found_kind}", at)

    def _checked(self, at: ast.expr, function: Callable[..., Any], *args: Any) -> Any:
        """What a function of ours says about a part of the text, with its place."""
        try:
            return function(*args)
        except InvalidInput as error:
            raise self._source.problem_at(str(error), at) from None


def _by_name(entry: Indicator, positional: list[Node | str], named: dict[str, Node | str]) -> dict[str, Node | str]:
    """What was given, under each parameter's own name."""
    if len(positional) > len(entry.params):
        raise InvalidInput(f"{entry.name} takes {len(entry.params)} parameters, not {len(positional)}")
    given = {param.name: value for param, value in zip(entry.params, positional, strict=False)}
    for name, value in named.items():
        param = next((p for p in entry.params if name == p.name or name in p.range.aliases), None)
        if param is None:
            known = ", ".join(p.name for p in entry.params) or "none"
            raise InvalidInput(f"{entry.name} has no parameter {name!r}; it has: {known}")
        if param.name in given:
            raise InvalidInput(f"{entry.name} was given {param.name} twice")
        given[param.name] = value
    return given


def _checked_param(entry: Indicator, param: IndicatorParam, values: dict[str, Any]) -> Any:
    value = values.get(param.name, param.default)
    if isinstance(value, int | float | str):
        return param.range.check(entry.name, param.name, param.default, value)
    if isinstance(param.range, Choice):
        raise InvalidInput(f"{entry.name} {param.name} is one of {', '.join(param.range.names)}, in quotes")
    return value


def _as_param(value: Any) -> Node | str:
    if isinstance(value, int | float):
        return Constant(int(value) if value == int(value) else value)
    found: Node | str = value
    return found


def _leading(given: list[Node | str]) -> tuple[Node, ...]:
    """The sources: what varies, up to the first argument that does not."""
    found: list[Node] = []
    for one in given:
        if isinstance(one, str) or not varies(one):
            break
        found.append(one)
    return tuple(found)


def _example(entry: Indicator) -> str:
    numbers = [f"{p.default:g}" for p in entry.params if not isinstance(p.default, str)]
    return f"{entry.name}({', '.join(numbers)})"
