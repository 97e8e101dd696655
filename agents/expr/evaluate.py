"""Runs expressions over a panel: all of them as one plan, after the columns that are no bars have been filled.

Those columns are heads: votes are asked for, another symbol's prices are laid beside the bars of the same time, and
ranks are taken session by session over what lies inside them, inner ones first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.expr import lowering, tree
from agents.expr.conditions import line_of
from agents.expr.expression import Expression, condition, number
from agents.expr.tree import Node, Other, Rank, Vote
from agents.expr.votes import CONSENSUS, Votes
from agents.indicators.columns import to_floats
from agents.indicators.graph import Line
from agents.indicators.plans import Plan
from agents.indicators.ragged import Ragged
from data.contracts.arrays import Floats
from data.contracts.errors import GoldenSignalsError
from data.contracts.panel import COLUMNS, Panel


@dataclass(frozen=True)
class Head:
    """An input column that is no column of the bars."""

    name: str
    node: Vote | Rank | Other

    @property
    def line(self) -> Line:
        """What a rank is taken of."""
        assert isinstance(self.node, Rank)
        found = lowering.number(self.node.of, {}, {})
        assert isinstance(found, Line)  # the parser lets no constant be ranked
        return found


def evaluate(
    wanted: Mapping[str, Expression], panel: Panel, values: Mapping[str, Any], votes: Votes
) -> dict[str, Floats]:
    """Every expression on every bar; what they share is computed once.

    Shapes: panel of N bars -> (N,) per name: numbers, or 1 = true, 0 = false, NaN = unknown.
    Raises: InvalidInput for a missing value, a refused parameter or a symbol the panel does not hold.
    """
    return run(lower(wanted, values), panel, fill(heads(wanted.values(), values), panel, votes))


def newest(
    wanted: Mapping[str, Expression], panel: Panel, values: Mapping[str, Any], votes: Votes
) -> dict[str, Floats]:
    """The same at the newest bar of each symbol, (S,), with the bits of `evaluate`; whole columns are not kept."""
    lines, constants = _split(lower(wanted, values))
    found = {name: np.full(len(panel.symbols), value) for name, value in constants.items()}
    if lines:
        plan = Plan(list(lines.values()))
        columns = fill(heads(wanted.values(), values), panel, votes)
        found |= dict(zip(lines, plan.last(ragged(plan, panel, columns)), strict=True))
    return {name: found[name] for name in wanted}


def lower(wanted: Mapping[str, Expression], values: Mapping[str, Any]) -> dict[str, Line | float]:
    """Expressions as lines; truths as lines of 1, 0 and NaN."""
    return {
        name: number(one, values) if one.kind == "number" else line_of(condition(one, values))
        for name, one in wanted.items()
    }


def run(lines: Mapping[str, Line | float], panel: Panel, columns: Mapping[str, Floats]) -> dict[str, Floats]:
    """Lines on every bar, as one plan; `columns` holds the heads they need."""
    varying, constants = _split(lines)
    found = {name: np.full(len(panel), value) for name, value in constants.items()}
    if varying:
        plan = Plan(list(varying.values()))
        found |= dict(zip(varying, plan.run(ragged(plan, panel, columns)), strict=True))
    return {name: found[name] for name in lines}


def ragged(plan: Plan, panel: Panel, columns: Mapping[str, Floats]) -> Ragged:
    """The inputs of a plan: columns of the bars, and heads by name."""
    given = [getattr(panel, name) if name in COLUMNS else columns[name] for name in plan.inputs]
    return Ragged.of([to_floats(column) for column in given], panel.offsets)


def heads(expressions: Iterable[Expression], values: Mapping[str, Any]) -> tuple[Head, ...]:
    """The columns these expressions need beside the bars, inner ones before those made of them."""
    found: dict[str, Head] = {}
    for expression in expressions:
        if any(isinstance(node, Vote | Rank | Other) for node in tree.walk(expression.tree)):
            for head in _heads(tree.bind(expression.tree, dict(values))):
                found.setdefault(head.name, head)
    return tuple(found.values())


def fill(wanted: Sequence[Head], panel: Panel, votes: Votes) -> dict[str, Floats]:
    """The columns of heads, as `heads` orders them: (N,) each, NaN where there is no value.

    Raises: InvalidInput for a symbol that the panel does not hold.
    """
    columns: dict[str, Floats] = {}
    waiting: list[Head] = []
    for head in wanted:
        match head.node:
            case Vote(agent, output):
                columns[head.name] = votes(f"{agent or CONSENSUS}.{output}")
            case Other(symbol, column):
                columns[head.name] = _beside(panel, str(symbol), column)
            case Rank():
                waiting.append(head)
    while waiting:  # ranks of what is known by now, as one plan; then those of them
        lines = {head.name: head.line for head in waiting}
        ready = {name for name, line in lines.items() if set(Plan([line]).inputs) <= {*COLUMNS, *columns}}
        if not ready:
            raise GoldenSignalsError(
                f"{waiting[0].name} is made of columns that were not asked for; pass all of `heads`"
            )
        inside = run({name: lines[name] for name in lines if name in ready}, panel, columns)
        for head in waiting:
            if head.name in ready:
                columns[head.name] = _ranked(panel, inside[head.name], share=head.node.name == "percentile_rank")  # type: ignore[union-attr]
        waiting = [head for head in waiting if head.name not in ready]
    return columns


def _heads(node: Node) -> Iterator[Head]:
    for part in tree.parts(node):
        yield from _heads(part)
    if isinstance(node, Vote | Rank | Other):
        yield Head(lowering.head_name(node), node)


def _split(lines: Mapping[str, Line | float]) -> tuple[dict[str, Line], dict[str, float]]:
    varying = {name: line for name, line in lines.items() if isinstance(line, Line)}
    return varying, {name: float(line) for name, line in lines.items() if not isinstance(line, Line)}


def _beside(panel: Panel, symbol: str, column: str) -> Floats:
    """Another symbol's column at the bars of the same time; NaN where it has none."""
    other = panel.of(symbol)
    at = np.minimum(np.searchsorted(other.ts, panel.ts), len(other) - 1)
    return np.where(other.ts[at] == panel.ts, getattr(other, column)[at], np.nan)


def _ranked(panel: Panel, values: Floats, *, share: bool) -> Floats:
    """Place among the symbols that have a value in the same session; NaN stays out.

    share: False: 1 = the largest, equals share the better place. True: the mean place from below as a share of them,
           1.0 = the largest.
    """
    out = np.full(values.size, np.nan)
    known = np.flatnonzero(~np.isnan(values))
    if not known.size:
        return out
    order = known[np.lexsort((-values[known], panel.ts[known]))]
    session, value = panel.ts[order], values[order]
    place = np.arange(order.size)
    heads_session = np.append(True, session[1:] != session[:-1])
    heads_tie = heads_session | np.append(True, value[1:] != value[:-1])
    first = np.maximum.accumulate(np.where(heads_session, place, 0))  # of the session
    best = np.maximum.accumulate(np.where(heads_tie, place, 0))  # of the equals
    if not share:
        out[order] = best - first + 1
        return out
    ends = np.append(np.flatnonzero(heads_tie)[1:], order.size) - 1
    worst = ends[np.cumsum(heads_tie) - 1]
    count = np.diff(np.append(np.flatnonzero(heads_session), order.size))[np.cumsum(heads_session) - 1]
    from_below = count - (0.5 * (best + worst) - first)
    out[order] = from_below / count
    return out
