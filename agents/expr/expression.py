"""A parsed expression: what it is of, what it needs, and its meaning once its parameters have values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from agents.expr import lowering, tree
from agents.expr.conditions import Condition
from agents.expr.lowering import Number
from agents.expr.parser import parse_tree
from agents.expr.syntax import MAX_TEXT
from agents.expr.tree import Call, Kind, Node, Other, Param, Rank, Vote
from agents.registry import all_agents
from data.contracts.errors import InvalidInput

_RESERVED = ("and", "or", "not", "true", "false", "crosses_above", "crosses_below", "agent", "consensus", "symbol")


@dataclass(frozen=True)
class Expression:
    """A checked expression; made by `parse`. Two that mean the same tree are equal, whatever their spelling."""

    tree: Node

    @cached_property
    def text(self) -> str:
        """The canonical text; `parse(e.text, params=e.params) == e`."""
        return tree.text(self.tree)

    @cached_property
    def shape(self) -> str:
        """The text with `_` for numbers, parameters and symbols: equal for all trials of one family."""
        return tree.text(self.tree, constants=False)

    @cached_property
    def kind(self) -> Kind:
        """ "number" or "truth"."""
        return tree.kind(self.tree)

    @cached_property
    def params(self) -> tuple[str, ...]:
        """Names that need a value, in order of appearance."""
        return tuple(dict.fromkeys(node.name for node in tree.walk(self.tree) if isinstance(node, Param)))

    @cached_property
    def symbol_params(self) -> frozenset[str]:
        """Those of them that name a symbol; the others are numbers."""
        others = (node.symbol for node in tree.walk(self.tree) if isinstance(node, Other))
        return frozenset(symbol.name for symbol in others if isinstance(symbol, Param))

    @cached_property
    def indicators(self) -> tuple[str, ...]:
        """Indicators it uses, in alphabetical order."""
        return tuple(sorted({node.indicator for node in tree.walk(self.tree) if isinstance(node, Call)}))

    @cached_property
    def agents(self) -> tuple[str, ...]:
        """Agents that must be asked, in alphabetical order; all of them when it speaks of the consensus."""
        votes = [node.agent for node in tree.walk(self.tree) if isinstance(node, Vote)]
        return tuple(all_agents()) if None in votes else tuple(sorted({name for name in votes if name}))

    @cached_property
    def scope(self) -> Literal["symbol", "universe"]:
        """ "symbol" when any chunk of symbols will do, "universe" when all are needed at once."""
        wide = any(isinstance(node, Rank | Other) for node in tree.walk(self.tree))
        return "universe" if wide or any(all_agents()[name].scope == "universe" for name in self.agents) else "symbol"

    @cached_property
    def varies(self) -> bool:
        """Whether it reads bars at all."""
        return tree.varies(self.tree)

    @cached_property
    def kept(self) -> dict[Any, Any]:
        """Lines already made, so that a million parameter sets make each of them once."""
        return {}

    def __reduce__(self) -> tuple[Callable[[Node], Expression], tuple[Node]]:
        return Expression, (self.tree,)  # lines stay at home

    def __str__(self) -> str:
        return self.text


def parse(text: str, *, params: Sequence[str] = ()) -> Expression:
    """Check a text and make it an expression.

    params: names that stand for values to come; they win over columns of the same name.
    Raises: InvalidInput that names the place in the text, what was found there and what to do. Hostile text (too long,
            too deep, too many parts) is refused in milliseconds.
    """
    for name in params:
        if not (name.isascii() and name.isidentifier()) or name in _RESERVED:
            raise InvalidInput(f"a parameter cannot be called {name!r}; use letters, digits and _, and no word of ours")
    found = Expression(parse_tree(text, params))
    if len(found.text) > MAX_TEXT:
        raise InvalidInput(f"written out this expression has {len(found.text):,} characters: split it up")
    if not found.params:
        (number if found.kind == "number" else condition)(found, {})  # an indicator may still refuse what it is given
    return found


def number(expression: Expression, values: Mapping[str, Any]) -> Number:
    """A number as a line to be computed, or as a plain number when it reads no bar.

    Raises: InvalidInput when it is a truth, a value is missing, or an indicator refuses one.
    """
    _require(expression, "number", values)
    return lowering.number(expression.tree, values, expression.kept)


def condition(expression: Expression, values: Mapping[str, Any]) -> Condition:
    """A truth as a condition over lines and numbers. Raises InvalidInput as `number`."""
    _require(expression, "truth", values)
    return lowering.truth(expression.tree, values, expression.kept)


def _require(expression: Expression, kind: Kind, values: Mapping[str, Any]) -> None:
    if expression.kind != kind:
        wanted, found = ("a number", "true or false") if kind == "number" else ("true or false", "a number")
        hint = "compare it with something" if kind == "truth" else "use what it compares"
        raise InvalidInput(f"{expression.text!r} is {found}, but {wanted} is needed; {hint}")
    for name in expression.params:
        if name not in values:
            raise InvalidInput(f"{expression.text!r} needs a value for {name}", parameter=name)
