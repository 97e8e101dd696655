"""Follows a history bar by bar: a new bar costs what the formula looks at, not what came before.

    block, standing = begin(agent, panel)              votes of every bar so far, and where that leaves us
    block, standing = follow(agent, standing, new)     votes of each symbol's newest bar after the new ones

It promises the bits of `agent.evaluate` over the whole history, for any cut and any number of new bars, for symbols
that miss a session and for symbols that begin later. It is the same formula: it is given the last rows of the bars
and of its columns instead of all of them, and the columns are those of `Plan.resume`. A standing is never changed;
it can always be made again from the bars.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from agents.agent import Agent, VoteBlock, inputs_of
from agents.indicators.plans import Plan
from agents.indicators.ragged import Memory, Ragged, State
from data.contracts.arrays import Floats, Ints, runs
from data.contracts.errors import GoldenSignalsError
from data.contracts.panel import COLUMNS, Panel


@dataclass(frozen=True, eq=False)
class Standing:
    """What is kept of a history: the memory of its indicators, and the newest rows of bars and columns.

    Shapes: bars, a panel of the last rows of every symbol; columns (C, len(bars)) in the plan's order.
    """

    state: State
    bars: Panel
    columns: Floats


def begin(agent: Agent[Any], panel: Panel) -> tuple[VoteBlock, Standing]:
    """Votes for every bar of a panel, as `agent.evaluate`, and the standing after it."""
    _, plan = agent.plan
    everything = stand(plan, panel)
    return agent.judge(panel, everything.columns), _last(everything, _reach(agent))


def follow(agent: Agent[Any], standing: Standing, new: Panel) -> tuple[VoteBlock, Standing]:
    """Votes for the newest bar of every symbol seen so far, and the standing after the new bars.

    new: bars that follow those of the standing, with the context known by then; a symbol may have none, or be new.
    """
    _, plan = agent.plan
    after = go_on(plan, standing, new, reach=_reach(agent))
    return agent.judge(after.bars, after.columns).take(after.bars.last_rows), after


def stand(plan: Plan, panel: Panel) -> Standing:
    """The standing that keeps all rows of a panel."""
    columns, state = plan.resume(None, inputs_of(plan, panel))
    return Standing(state, panel, columns)


def go_on(plan: Plan, standing: Standing, new: Panel, *, reach: int) -> Standing:
    """The standing after new bars: of each symbol they and the `reach` rows before, or its newest row and as many."""
    old = standing.bars
    symbols = np.union1d(np.array(old.symbols, np.str_), np.array(new.symbols, np.str_))
    owners, joining = np.searchsorted(symbols, old.symbols), np.searchsorted(symbols, new.symbols)
    counts, fresh, ends, starts = np.zeros((4, symbols.size), np.int64)
    counts[owners], ends[owners] = np.diff(old.offsets), old.offsets[1:]
    fresh[joining], starts[joining] = np.diff(new.offsets), new.offsets[:-1] + len(old)

    columns, state = plan.resume(
        _widened(standing.state, owners, symbols.size), Ragged(inputs_of(plan, new).columns, _offsets(fresh))
    )
    kept = np.minimum(counts, np.where(fresh > 0, reach, reach + 1))
    rows = runs(np.stack([ends - kept, starts], axis=1).ravel(), np.stack([kept, fresh], axis=1).ravel())
    taken: dict[str, Any] = {
        name: np.concatenate([getattr(old, name), getattr(new, name)])[rows] for name in ("ts", *COLUMNS, "gap")
    }
    bars = replace(new, symbols=tuple(symbols.tolist()), offsets=_offsets(kept + fresh), **taken)
    return Standing(state, bars, np.concatenate([standing.columns, columns], axis=1)[:, rows])


def _reach(agent: Agent[Any]) -> int:
    if agent.reach is None:
        raise GoldenSignalsError(f"agent {agent.name} looks at the whole history: evaluate it")
    return agent.reach


def _last(standing: Standing, reach: int) -> Standing:
    """Only the rows that the next bar looks at."""
    bars = standing.bars
    kept = np.minimum(np.diff(bars.offsets), reach + 1)
    rows = runs(bars.offsets[1:] - kept, kept)
    taken: dict[str, Any] = {name: getattr(bars, name)[rows] for name in ("ts", *COLUMNS, "gap")}
    part = replace(bars, offsets=_offsets(kept), **taken)
    return Standing(standing.state, part, standing.columns[:, rows])


def _widened(state: State, owners: Ints, symbols: int) -> State:
    """The same state for more symbols, those it knows at the places `owners`."""
    if owners.size == symbols:
        return state

    def wide(memory: Memory) -> Memory:
        carry, tails = np.zeros((memory.carry.shape[0], symbols)), np.zeros(symbols, np.int64)
        carry[:, owners], tails[owners] = memory.carry, np.diff(memory.tail_offsets)
        return Memory(carry, memory.tail, _offsets(tails))

    seen = np.zeros(symbols, np.int64)
    seen[owners] = state.seen
    return State(state.identity, seen, tuple(map(wide, state.memories)))


def _offsets(counts: Ints) -> Ints:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
