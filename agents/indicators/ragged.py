"""Columns of many symbols laid end to end, and what must be kept of them so that a history can be fed in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.contracts.arrays import Floats, Ints
from data.contracts.errors import InvalidInput


@dataclass(frozen=True, eq=False)
class Ragged:
    """Input columns of S symbols.

    Shapes: every column (N,) read-only float64; offsets (S+1,); starts (S,) = rows at the head of a symbol that an
            earlier call has consumed and that stand there only as "the bars before".
    """

    columns: tuple[Floats, ...]
    offsets: Ints
    starts: Ints

    @classmethod
    def of(cls, columns: Sequence[Floats], offsets: Ints) -> Ragged:
        """Columns with nothing before them. Raises InvalidInput when lengths and offsets disagree."""
        sizes = {column.size for column in columns}
        if len(sizes) > 1:
            raise InvalidInput(f"the input columns have different lengths: {', '.join(str(c.size) for c in columns)}")
        edges = np.array(offsets, dtype=np.int64)  # copied: contiguous and writeable, whatever came
        if edges.size == 0 or edges[0] != 0 or edges[-1] != sizes.pop() or np.any(np.diff(edges) < 0):
            raise InvalidInput("offsets must ascend from 0 to the number of rows")
        return cls(tuple(columns), edges, np.zeros(edges.size - 1, np.int64))

    @classmethod
    def single(cls, columns: Sequence[Floats]) -> Ragged:
        """The columns of one symbol; no symbol at all when they are empty."""
        return cls.of(columns, np.array([0, columns[0].size] if columns[0].size else [0], dtype=np.int64))

    @property
    def rows(self) -> int:
        """N."""
        return int(self.offsets[-1])

    @property
    def symbols(self) -> int:
        """S."""
        return self.offsets.size - 1

    def order(self) -> Ints:
        """Symbols by number of rows, so that those advanced side by side end together."""
        return np.argsort(np.diff(self.offsets), kind="stable")

    def fresh_rows(self) -> Ints | None:
        """Where the rows not seen before stand; None = all are new."""
        if not self.starts.any():
            return None
        counts = np.diff(self.offsets) - self.starts
        return np.arange(counts.sum()) + np.repeat(np.cumsum(self.starts), counts)


@dataclass(frozen=True, eq=False)
class State:
    """All that one indicator remembers of S symbols: plain NumPy, picklable.

    Shapes: carry (K, S) accumulators; tail: the last rows of every input column, ragged by tail_offsets (S+1,).
    identity: indicator and parameters, so that a state is not fed to another.
    """

    identity: str
    carry: Floats
    tail: tuple[Floats, ...]
    tail_offsets: Ints


def continued(state: State | None, data: Ragged, *, keep: int, carry_rows: int, identity: str) -> tuple[Ragged, State]:
    """New rows with their remembered bars in front, and the state to be, its `carry` not yet advanced.

    Raises InvalidInput when the state belongs to another indicator, other parameters or another number of symbols.
    """
    if state is None:
        whole, carry = data, np.zeros((carry_rows, data.symbols))
    else:
        if state.identity != identity:
            raise InvalidInput(f"this state belongs to {state.identity}; start {identity} with state=None")
        if state.tail_offsets.size != data.offsets.size:
            raise InvalidInput(f"this state holds {state.tail_offsets.size - 1} symbols, not {data.symbols}")
        whole, carry = _joined(state, data), state.carry.copy()
    ends = whole.offsets[1:]
    counts = np.minimum(np.diff(whole.offsets), keep)
    tail_offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    rows = np.arange(tail_offsets[-1]) + np.repeat(ends - tail_offsets[1:], counts)
    return whole, State(identity, carry, tuple(column[rows] for column in whole.columns), tail_offsets)


def _joined(state: State, data: Ragged) -> Ragged:
    before, fresh = np.diff(state.tail_offsets), np.diff(data.offsets)
    offsets = state.tail_offsets + data.offsets
    old_rows = np.arange(state.tail_offsets[-1]) + np.repeat(data.offsets[:-1], before)
    new_rows = np.arange(data.rows) + np.repeat(state.tail_offsets[1:], fresh)
    columns = []
    for tail, column in zip(state.tail, data.columns, strict=True):
        joined = np.empty(offsets[-1])
        joined[old_rows], joined[new_rows] = tail, column
        joined.flags.writeable = False
        columns.append(joined)
    return Ragged(tuple(columns), offsets, before)
