"""A market gone through session by session: what is new in each, and what the consensus needs of it.

`Course.at(session)` gives a `Step`. The next session costs what is new in it; an earlier one begins anew. The parts of
a step are named by the hash of their bars and context, so an actor (`cluster.standings`) knows whether it stands where
a part begins.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from agents.newest import Newest, NewestFollower
from data.contracts.panel import Panel


@dataclass(frozen=True)
class Part:
    """Neighbouring symbols of a step, from `first` (inclusive) to `last` in `Step.whole`.

    before: names their bars, and the context asked for, before `new`; None when nothing was before.
    after:  names them with `new`.
    """

    first: int
    last: int
    before: str | None
    after: str
    new: Panel


@dataclass(frozen=True, eq=False)
class Step:
    """The market at one session, and how it came there.

    new: the bars since `before`, with all context known now; without a `before` it is not used.
    """

    market: Panel = field(repr=False)
    session: int
    newest: Newest
    before: Newest | None
    new: Panel

    @cached_property
    def whole(self) -> Panel:
        """All bars and context known at the session; a copy of them, for who cannot follow."""
        return self.market.until(self.session)

    def parts(self, pieces: int, *, inputs: Collection[str]) -> list[Part]:
        """At most `pieces` parts, cut by the symbols of the market, so the same ones at every session.

        inputs: names of the context series that the new bars are to carry.
        """
        used = sorted(self.newest.context.keys() & set(inputs))
        new = replace(self.new, context={name: self.newest.context[name] for name in used})
        names = self.market.symbols
        found = []
        for edge, end in pairwise(_edges(len(names), pieces)):
            first, last = _range(self.newest, names, edge, end)
            if first < last:
                before = None if self.before is None else _name(self.before, names, edge, end, used)
                part = new.slice(*_range(new, names, edge, end))
                found.append(Part(first, last, before, _name(self.newest, names, edge, end, used), part))
        return found


class Course:
    """Goes through one market; the steps of one course must be asked for one after the other."""

    def __init__(self, market: Panel, *, atr_window: int) -> None:
        self._market, self._atr_window = market, atr_window
        self._follower: NewestFollower | None = None
        self._step: Step | None = None

    def at(self, session: int) -> Step:
        """The market at a session (microseconds); the same step again for the same session."""
        old = self._step
        if old is not None and old.session == session:
            return old
        if old is None or self._follower is None or session < old.session:
            whole = self._market.until(session)
            self._follower = NewestFollower(whole, atr_window=self._atr_window)
            self._step = Step(self._market, session, self._follower.newest, None, whole.slice(0, 0))
        else:
            self._step = None  # should what follows fail, the next call begins anew
            new = self._market.between(old.session, session)
            self._follower.follow(new)
            self._step = Step(self._market, session, self._follower.newest, old.newest, new)
        return self._step


def _edges(symbols: int, pieces: int) -> list[int]:
    edges: list[int] = np.unique(np.linspace(0, symbols, max(1, min(pieces, symbols)) + 1).astype(np.int64)).tolist()
    return edges


def _range(some: Newest | Panel, names: tuple[str, ...], edge: int, end: int) -> tuple[int, int]:
    """Where the symbols names[edge:end] stand among those that there are."""
    first = bisect_left(some.symbols, names[edge])
    return first, bisect_left(some.symbols, names[end]) if end < len(names) else len(some.symbols)


def _name(newest: Newest, names: tuple[str, ...], edge: int, end: int, inputs: Sequence[str]) -> str:
    bars = newest.hash_of(*_range(newest, names, edge, end))
    return ":".join([bars, *(newest.context[name].digest for name in inputs if name in newest.context)])
