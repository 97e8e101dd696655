"""Columns of many symbols laid end to end, and what must be kept of them so that a history can be fed in pieces."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from data.contracts.arrays import Floats, Ints
from data.contracts.errors import InvalidInput


@dataclass(frozen=True, eq=False)
class Ragged:
    """Input columns of S symbols.

    Shapes: every column (N,) read-only float64; offsets (S+1,).
    """

    columns: tuple[Floats, ...]
    offsets: Ints

    @classmethod
    def of(cls, columns: Sequence[Floats], offsets: Ints) -> Ragged:
        """Raises InvalidInput when lengths and offsets disagree."""
        sizes = {column.size for column in columns}
        if len(sizes) > 1:
            raise InvalidInput(f"the input columns have different lengths: {', '.join(str(c.size) for c in columns)}")
        edges = np.array(offsets, dtype=np.int64)  # copied: contiguous and writeable, whatever came
        if edges.size == 0 or edges[0] != 0 or edges[-1] != sizes.pop() or np.any(np.diff(edges) < 0):
            raise InvalidInput("offsets must ascend from 0 to the number of rows")
        return cls(tuple(columns), edges)

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


@dataclass(frozen=True, eq=False)
class Memory:
    """What one node remembers of S symbols.

    Shapes: carry (K, S) accumulators; tail: the last rows of every column it reads, ragged by tail_offsets (S+1,).
    """

    carry: Floats
    tail: tuple[Floats, ...]
    tail_offsets: Ints

    @classmethod
    def blank(cls, *, carry: int, columns: int, symbols: int) -> Memory:
        """Nothing seen yet."""
        return cls(np.zeros((carry, symbols)), (np.empty(0),) * columns, np.zeros(symbols + 1, np.int64))

    def before(self, columns: Sequence[Floats], offsets: Ints) -> tuple[tuple[Floats, ...], Ints]:
        """The remembered rows and the new ones, symbol by symbol, and their offsets."""
        if not self.tail_offsets[-1]:
            return tuple(columns), offsets
        joined_offsets = self.tail_offsets + offsets
        old_rows = _rows(joined_offsets[:-1], np.diff(self.tail_offsets))
        new_rows = _rows(joined_offsets[1:] - np.diff(offsets), np.diff(offsets))
        joined = []
        for tail, column in zip(self.tail, columns, strict=True):
            whole = np.empty(joined_offsets[-1])
            whole[old_rows], whole[new_rows] = tail, column
            joined.append(whole)
        return tuple(joined), joined_offsets

    def after(self, columns: Sequence[Floats], offsets: Ints, carry: Floats, reach: int) -> Memory:
        """The last `reach` rows of these columns with the new accumulators."""
        counts = np.minimum(np.diff(offsets), reach)
        rows = _rows(offsets[1:] - counts, counts)
        tail_offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        return Memory(carry, tuple(column[rows] for column in columns), tail_offsets)


@dataclass(frozen=True, eq=False)
class State:
    """All that a set of indicators remembers of S symbols: plain NumPy, picklable, or as bytes.

    identity: indicators, parameters and kernels, so that a state is not fed to others.
    seen:     (S,) bars consumed.
    """

    identity: str
    seen: Ints
    memories: tuple[Memory, ...]

    def snapshot(self) -> bytes:
        """As bytes that `restore` reads back to the same bits; NumPy's own format, nothing is pickled."""
        arrays: dict[str, Any] = {"seen": self.seen}
        for number, memory in enumerate(self.memories):
            arrays[f"{number}.carry"], arrays[f"{number}.offsets"] = memory.carry, memory.tail_offsets
            arrays |= {f"{number}.tail.{i}": column for i, column in enumerate(memory.tail)}
        file = io.BytesIO()
        np.savez(file, identity=np.frombuffer(self.identity.encode(), np.uint8), **arrays)
        return file.getvalue()

    @classmethod
    def restore(cls, snapshot: bytes) -> State:
        """Raises InvalidInput when these are not the bytes of a snapshot."""
        try:
            with np.load(io.BytesIO(snapshot), allow_pickle=False) as found:
                arrays = {name: found[name] for name in found.files}
            memories = []
            for number in range(sum(name.endswith(".carry") for name in arrays)):
                tails = sum(name.startswith(f"{number}.tail.") for name in arrays)
                tail = tuple(arrays[f"{number}.tail.{i}"] for i in range(tails))
                memories.append(Memory(arrays[f"{number}.carry"], tail, arrays[f"{number}.offsets"]))
            return cls(arrays["identity"].tobytes().decode(), arrays["seen"], tuple(memories))
        except (ValueError, KeyError, EOFError, OSError) as error:
            raise InvalidInput(f"this is not a snapshot of indicators ({error}); start with state=None") from None


def _rows(starts: Ints, counts: Ints) -> Ints:
    """Row numbers of runs of `counts` rows from `starts`, one after the other."""
    ends = np.cumsum(counts)
    rows: Ints = np.arange(ends[-1] if ends.size else 0) + np.repeat(starts - (ends - counts), counts)
    return rows
