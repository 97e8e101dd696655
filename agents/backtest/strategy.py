"""A strategy as data: expressions for when to trade and how much, with typed and ranged parameters.

    cross = catalogue.builtin("sma_cross").bind(fast=10)    a Bound: data again, one backtest, one set of a sweep
    orders = cross.evaluate(panel, votes)                   its decisions on every bar
    cross.conditions(), cross.levels()                      the same as conditions and lines, for a sweep

What is unknown never trades: an unknown condition is no decision, and nothing is entered on a bar where a stop, a
target, a trailing distance or a size that the strategy asks for is unknown or not above 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from agents.backtest.display import strategy_card, strategy_line
from agents.backtest.orders import Orders
from agents.backtest.rules import Rules
from agents.expr import Expression, Head, Votes, condition, fill, heads, number
from agents.expr.conditions import Above, Always, And, Condition, line_of
from agents.expr.evaluate import run
from agents.expr.lowering import Number
from agents.indicators.graph import Line
from data.contracts.arrays import Bools
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel

DECISIONS = ("enter", "exit", "short_enter", "short_exit")
LEVELS = ("stop", "target", "trail", "size")
OTHER_WORDS = ("where", "name", "strategy", "bars", "symbols", "universe", "params", "param", "votes", "benchmark")
SEARCH_WORDS = ("metric", "sample", "seed", "search", "trials", "out", "workers", "frame", "as_of")
FOLD_WORDS = ("train", "test", "purge", "embargo", "anchored", "groups", "test_groups")
SHOWING_WORDS = ("progress",)
RESERVED = frozenset(
    (
        *DECISIONS,
        *LEVELS,
        *OTHER_WORDS,
        *SEARCH_WORDS,
        *FOLD_WORDS,
        *SHOWING_WORDS,
        *(rule.name for rule in fields(Rules)),
    )
)

Value = int | float | str


@dataclass(frozen=True)
class Param:
    """One parameter: a number within low..high (both allowed), whole or not, or the name of a symbol.

    default: None = it must be given.
    """

    name: str
    default: Value | None
    low: float = -np.inf
    high: float = np.inf
    whole: bool = False
    kind: Literal["number", "symbol"] = "number"
    description: str = ""

    def check(self, owner: str, value: object) -> Value:
        """The value as expressions take it. Raises InvalidInput naming strategy, parameter and range."""
        if self.kind == "symbol":
            if not isinstance(value, str) or not value.strip():
                raise InvalidInput(f"{owner}: {self.name} must name a symbol, not {value!r}", parameter=self.name)
            return value.strip()
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise InvalidInput(f"{owner}: {self.name} must be a number, not {value!r}", parameter=self.name)
        if not self.low <= value <= self.high:
            span = f"between {self.low:g} and {self.high:g}"
            raise InvalidInput(f"{owner}: {self.name} must lie {span}, not {value!r}", parameter=self.name)
        if not self.whole:
            return float(value)
        if value != int(value):
            raise InvalidInput(f"{owner}: {self.name} must be a whole number, not {value!r}", parameter=self.name)
        return int(value)


class Conditions(NamedTuple):
    """When to trade."""

    enter: Condition
    exit: Condition
    short_enter: Condition
    short_exit: Condition


class Levels(NamedTuple):
    """Price distances from the fill, and the fraction of equity; None = not asked for."""

    stop: Number | None
    target: Number | None
    trail: Number | None
    size: Number | None


@dataclass(frozen=True)
class Strategy:
    """When to enter and leave, long or short; how far the stops are; how much to put in. See docs/expressions.md.

    Raises: InvalidInput at construction for expressions of the wrong kind and parameters that do not fit them.
    """

    name: str
    enter: Expression | None = None
    exit: Expression | None = None
    short_enter: Expression | None = None
    short_exit: Expression | None = None
    stop: Expression | None = None
    target: Expression | None = None
    trail: Expression | None = None
    size: Expression | None = None
    where: Expression | None = None  # which sets of parameters make sense
    params: tuple[Param, ...] = ()
    description: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if self.enter is None and self.short_enter is None:
            raise InvalidInput(f"{self.name} never enters; give it enter or short_enter")
        for side in ("enter", "short_enter"):
            leave = side.replace("enter", "exit")
            if getattr(self, side) is None and getattr(self, leave) is not None:
                raise InvalidInput(f"{self.name} has {leave} but no {side}; give it both, or neither")
        for key in (*DECISIONS, "where", *LEVELS):
            expression = getattr(self, key)
            wanted = "number" if key in LEVELS else "truth"
            if expression is not None and expression.kind != wanted:
                words = "a number" if wanted == "number" else "true or false"
                raise InvalidInput(f"{self.name}: {key} must be {words}; {expression.text!r} is not")
        if self.where is not None and self.where.varies:
            raise InvalidInput(f"{self.name}: where may speak of parameters only, not of bars: {self.where.text!r}")
        self._check_params()

    def _check_params(self) -> None:
        known = {param.name: param for param in self.params}
        for name in known:
            if name in RESERVED:
                raise InvalidInput(f"{self.name}: a parameter cannot be called {name!r}: backtests use that word")
        used: dict[str, str] = {}
        for expression in self.expressions.values():
            for name in expression.params:
                used[name] = "symbol" if name in expression.symbol_params else "number"
                if name not in known:
                    raise InvalidInput(f"{self.name}: {expression.text!r} speaks of {name!r}, which is no parameter")
                if known[name].kind != used[name]:
                    raise InvalidInput(f"{self.name}: {name} is used as a {used[name]} in {expression.text!r}")
        for name, param in known.items():
            if name not in used:
                raise InvalidInput(f"{self.name}: the parameter {name!r} is used nowhere; leave it out")
            if param.default is not None:
                param.check(self.name, param.default)

    @cached_property
    def expressions(self) -> dict[str, Expression]:
        """What it is made of, `where` included, by key."""
        keys = (*DECISIONS, *LEVELS, "where")
        return {key: value for key in keys if (value := getattr(self, key)) is not None}

    @cached_property
    def rules(self) -> dict[str, Expression]:
        """The expressions that read bars."""
        return {key: value for key, value in self.expressions.items() if key != "where"}

    @cached_property
    def family(self) -> str:
        """The rules without their constants: trials that differ in numbers only are one family, whatever its name."""
        return "; ".join(f"{key}: {value.shape}" for key, value in self.rules.items())

    @cached_property
    def digest(self) -> str:
        """Hash of the rules as written, without the values of parameters."""
        words = "; ".join(f"{key}: {value.text}" for key, value in self.expressions.items())
        return hashlib.sha256(words.encode()).hexdigest()[:16]

    @cached_property
    def agents(self) -> tuple[str, ...]:
        """Agents that must be asked."""
        return tuple(sorted({name for value in self.rules.values() for name in value.agents}))

    @cached_property
    def scope(self) -> Literal["symbol", "universe"]:
        """ "symbol" when any chunk of symbols will do."""
        return "universe" if any(value.scope == "universe" for value in self.rules.values()) else "symbol"

    def bind(self, **given: object) -> Bound:
        """The strategy with values for its parameters; defaults where none is given.

        Raises: InvalidInput naming strategy and parameter: unknown, missing, of the wrong type, out of range, or set
                against `where`.
        """
        values: dict[str, Value] = {}
        for param in self.params:
            value = given.pop(param.name, param.default)
            if value is None:
                raise InvalidInput(f"{self.name} needs a value for {param.name} ({param.description or param.kind})")
            values[param.name] = param.check(self.name, value)
        for name in given:
            known = ", ".join(param.name for param in self.params) or "none"
            raise InvalidInput(f"{self.name} has no parameter {name!r}; it has: {known}", parameter=name)
        if self.where is not None and condition(self.where, values) != Always(True):
            said = ", ".join(f"{name}={values[name]}" for name in self.where.params)
            raise InvalidInput(f"{self.name} needs {self.where.text}, which {said} is not")
        return Bound(self, values)

    def _repr_html_(self) -> str:
        return strategy_card(self)

    def __repr__(self) -> str:
        return strategy_line(self)


@dataclass(frozen=True)
class Bound:
    """A strategy and the values of its parameters; made by `Strategy.bind`."""

    strategy: Strategy
    values: Mapping[str, Value]

    @property
    def identity(self) -> str:
        """Name, values and rules as stable text."""
        said = ", ".join(f"{name}={value!r}" for name, value in self.values.items())
        return f"{self.strategy.name}({said}) [{self.strategy.digest}]"

    @property
    def family(self) -> str:
        """See `Strategy.family`."""
        return self.strategy.family

    def conditions(self) -> Conditions:
        """When to trade; entries hold only where every level asked for is known and above 0.

        Raises: InvalidInput when an indicator refuses a value, or a constant level is not above 0.
        """
        rules, never = self.strategy, Always(False)
        enter, leave, short, cover = (
            never if rule is None else condition(rule, self.values)
            for rule in (rules.enter, rules.exit, rules.short_enter, rules.short_exit)
        )
        for level in self.levels():
            if isinstance(level, Line):
                enter, short = (side if side == never else And(side, Above(level, 0.0)) for side in (enter, short))
        return Conditions(enter, leave, short, cover)

    def levels(self) -> Levels:
        """Distances and size. Raises InvalidInput as `conditions`."""
        found: list[Number | None] = []
        for key in LEVELS:
            rule: Expression | None = getattr(self.strategy, key)
            level = None if rule is None else number(rule, self.values)
            if isinstance(level, int | float) and not 0.0 < level < np.inf:
                raise InvalidInput(f"{self.strategy.name}: {key} must be above 0; {rule} is {level:g} here")
            found.append(level)
        return Levels(*found)

    def heads(self) -> tuple[Head, ...]:
        """Columns its lines need beside the bars."""
        return heads(self.strategy.rules.values(), self.values)

    def evaluate(self, panel: Panel, votes: Votes) -> Orders:
        """Its decisions on every bar, computed as one plan.

        Raises: InvalidInput as `conditions`, and for a symbol the panel does not hold.
        """
        conditions = self.conditions()._asdict()
        lines: dict[str, Number] = {key: line_of(one) for key, one in conditions.items() if not isinstance(one, Always)}
        lines |= {key: level for key, level in self.levels()._asdict().items() if level is not None}
        found = run(lines, panel, fill(self.heads(), panel, votes))

        def decided(key: str, one: Condition) -> Bools:
            if isinstance(one, Always):
                return np.full(len(panel), one.value)
            truths: Bools = found[key] == 1.0
            return truths

        enter, leave, short, cover = (decided(key, one) for key, one in conditions.items())
        stop, target, trail, size = (found.get(key) for key in LEVELS)
        return Orders.of(
            enter, leave, short_enter=short, short_exit=cover, stop=stop, target=target, trail=trail, size=size
        )

    def _repr_html_(self) -> str:
        return strategy_card(self.strategy, self.values)

    def __repr__(self) -> str:
        return strategy_line(self.strategy, self.values)
