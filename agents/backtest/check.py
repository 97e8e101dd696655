"""Proves that a strategy does not look ahead, by deciding again on less and comparing bit for bit, column by column.

Three questions are asked of every column of its orders: is a decision of the past the same when the bars and the
context after it are taken away; are the same bars decided twice with the same bits; does a symbol decide alone as it
does among its neighbours, when the strategy says that it looks at one symbol. A leak is caught when it changes a
decision within reach of one of the cuts, which are spread evenly over the sessions; a pass is evidence, not a proof for
every panel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Protocol

import numpy as np

from agents.backtest.orders import Orders
from agents.backtest.strategy import Bound
from agents.expr import AgentVotes, Votes
from data.contracts.arrays import Bools, Floats, Ints
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel, from_micros

MAX_FINDINGS = 3  # per column and question: a cheat breaks thousands of bars; a few name it


class Decider(Protocol):
    """What decides: a `Bound`, or an object of somebody's own Python. scope "symbol" says that symbols never meet."""

    @property
    def evaluate(self) -> Callable[[Panel, Votes], Orders]:
        """Orders of every bar of a panel."""


@dataclass(frozen=True)
class Finding:
    """One decision that differs. promise: future, repeat or neighbours; bar: its ISO time, UTC."""

    strategy: str
    promise: str
    column: str
    symbol: str
    bar: str
    text: str

    def __str__(self) -> str:
        return f"{self.strategy} {self.column} {self.symbol} {self.bar}: {self.text}"


@dataclass(frozen=True)
class Report:
    """What the check found. entries: how many bars it would enter on; a strategy that never does proves nothing."""

    strategy: str
    cuts: int
    entries: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """True when every decision was the same."""
        return not self.findings


def check_strategy(name: str, decider: Decider, panel: Panel, *, cuts: int, rng: np.random.Generator) -> Report:
    """Decide on prefixes and parts of a panel and report every decision that differs.

    cuts:   moments, one drawn at random from each of so many equal stretches of the sessions, from the one on at which
            every symbol that the strategy names has a bar. At a cut every symbol keeps the bars closed by then.
    Cost:   about cuts + 2 evaluations of the whole panel, and up to `cuts` single symbols.
    Raises: InvalidInput for fewer than 1 cut, fewer than 2 sessions, or orders for another number of bars. An
            exception of the strategy propagates.
    """
    if cuts < 1:
        raise InvalidInput("a look-ahead check needs at least 1 cut", cuts=cuts)
    if panel.sessions.size < 2:
        raise InvalidInput("a look-ahead check needs at least 2 sessions; check it on a longer history")
    whole = _orders(name, decider, panel)
    entries = int(np.count_nonzero(whole.enter) + np.count_nonzero(whole.short_enter))
    return Report(name, cuts, entries, tuple(_findings(name, decider, panel, whole, cuts, rng)))


def _findings(
    name: str, decider: Decider, panel: Panel, whole: Orders, cuts: int, rng: np.random.Generator
) -> Iterator[Finding]:
    again = _orders(name, decider, panel)
    yield from _differences(name, "repeat", "the same bars gave", panel, np.arange(len(panel)), whole, again)
    for moment in _moments(decider, panel, cuts, rng):
        told = f"without what came after {from_micros(moment):%Y-%m-%d %H:%M} it decides"
        rows = np.flatnonzero(panel.ts <= moment)
        before = _orders(name, decider, panel.until(moment))
        yield from _differences(name, "future", told, panel, rows, whole, before)
    if _scope(decider) == "symbol" and len(panel.symbols) > 1:
        for position in rng.choice(len(panel.symbols), size=min(cuts, len(panel.symbols)), replace=False).tolist():
            rows = np.arange(panel.offsets[position], panel.offsets[position + 1])
            alone = _orders(name, decider, panel.slice(position, position + 1))
            yield from _differences(name, "neighbours", "alone it decides", panel, rows, whole, alone)


def _orders(name: str, decider: Decider, panel: Panel) -> Orders:
    found = decider.evaluate(panel, AgentVotes(panel))
    if not isinstance(found, Orders) or found.enter.size != len(panel):
        told = f"{found.enter.size} bars" if isinstance(found, Orders) else type(found).__name__
        raise InvalidInput(f"{name}: evaluate must return Orders for all {len(panel)} bars it is given, not {told}")
    return found


def _moments(decider: Decider, panel: Panel, cuts: int, rng: np.random.Generator) -> list[int]:
    values = decider.values.values() if isinstance(decider, Bound) else ()
    begins = [int(panel.of(value).ts[0]) for value in values if isinstance(value, str)]
    first = int(np.searchsorted(panel.sessions, max(begins, default=0)))
    edges = np.unique(np.linspace(first, panel.sessions.size - 1, cuts + 1).astype(np.int64)).tolist()
    return [int(panel.sessions[rng.integers(lo, hi)]) for lo, hi in pairwise(edges)]


def _scope(decider: Decider) -> str:
    if isinstance(decider, Bound):
        return decider.strategy.scope
    return str(getattr(decider, "scope", "universe"))


def _differences(
    name: str, promise: str, told: str, panel: Panel, rows: Ints, whole: Orders, part: Orders
) -> Iterator[Finding]:
    """Where the orders of `part`, which stand for `rows` of the panel, are not those of `whole`."""
    for field in fields(Orders):
        ours, theirs = getattr(whole, field.name)[rows], getattr(part, field.name)
        for at in np.flatnonzero(~_same_bits(ours, theirs))[:MAX_FINDINGS].tolist():
            row = int(rows[at])
            symbol = panel.symbols[int(np.searchsorted(panel.offsets, row, side="right")) - 1]
            text = f"the whole panel gives {_say(ours[at])}; {told} {_say(theirs[at])}"
            yield Finding(name, promise, field.name, symbol, from_micros(int(panel.ts[row])).isoformat(), text)


def _same_bits(a: Floats | Bools, b: Floats | Bools) -> Bools:
    """Equal to the last bit; every NaN is the same "none"."""
    if a.dtype == np.bool_:
        return np.equal(a, b)
    same: Bools = (np.ascontiguousarray(a).view(np.int64) == np.ascontiguousarray(b).view(np.int64)) | (
        np.isnan(a) & np.isnan(b)
    )
    return same


def _say(value: np.bool_ | np.float64) -> str:
    if isinstance(value, np.bool_):
        return "yes" if value else "no"
    return "none" if np.isnan(value) else repr(float(value))
