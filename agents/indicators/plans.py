"""Runs a graph of kernels over many symbols: shared parts once, block by block so that they stay in the cache.

    plan = Plan((sma_line, rsi_line, upper_line))
    plan.run(data)                  every row: one column per line
    plan.last(data)                 only the newest row of each symbol; nothing else is stored
    plan.resume(state, data)        only new rows, and the state after them

All three give the same bits, for any block size, number of symbols and cut of the history, because every kernel does
and no kernel is ever shown part of a window.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from agents.indicators import rooms
from agents.indicators.columns import INPUTS
from agents.indicators.graph import WHOLE, Line, Node, column, inputs_of, ordered
from agents.indicators.ragged import Memory, Ragged, State
from agents.indicators.running import by_length, read_only, run_fresh, run_on
from agents.kernels.compiling import EDITION
from agents.kernels.newest import COLUMNS, newest
from agents.kernels.recursive import LANES
from data.contracts.arrays import Floats, Ints
from data.contracts.errors import InvalidInput

BLOCK_ROWS = 1 << 17  # 1 MiB a column: what a block reads and makes stays in the caches, and calls weigh little


class Plan:
    """Lines to be computed together.

    inputs: the columns they need, in the order open, high, low, close, volume, other, then any further ones by name;
            `Ragged.columns` has that order.
    """

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = tuple(lines)
        needed = inputs_of(self.lines)
        self.inputs: tuple[str, ...] = (*(name for name in INPUTS if name in needed), *sorted(needed - set(INPUTS)))
        self.nodes = ordered(self.lines)

    def run(self, data: Ragged, out: Floats | None = None) -> Floats:
        """Values of every row: (lines, N); `out` of that shape is written to and returned."""
        block, scratch = self._room(data, out), _Scratch()
        for first, last in self._blocks(data):
            lo, hi = data.offsets[first], data.offsets[last]
            columns = dict(zip(self.inputs, (column[lo:hi] for column in data.columns), strict=True))
            self._evaluate(columns, data.offsets[first : last + 1] - lo, list(block[:, lo:hi]), scratch)
        return block

    def last(self, data: Ragged) -> Floats:
        """Values of the newest row of each symbol: (lines, S); NaN for a symbol without rows.

        Lines that depend on a few bars are computed from those bars only.
        """
        block = np.full((len(self.lines), data.symbols), np.nan)
        near = [i for i, line in enumerate(self.lines) if line.history < WHOLE]
        if near:
            history = max(self.lines[i].history for i in near)
            part = Plan([self.lines[i] for i in near])
            block[near] = part._newest(_tail(part._of(self, data), history + 1))
        quick = [i for i, line in enumerate(self.lines) if i not in near and _has_quick_way(line.node)]
        if quick:
            part = Plan([self.lines[i] for i in quick])
            block[quick] = part._newest_quickly(part._of(self, data))
        far = [i for i in range(len(self.lines)) if i not in near and i not in quick]
        if far:
            part = Plan([self.lines[i] for i in far])
            block[far] = part._newest(part._of(self, data))
        return block

    def resume(self, state: State | None, data: Ragged) -> tuple[Floats, State]:
        """Values of the new rows, (lines, N), and the state after them; `state` None = nothing came before.

        Raises InvalidInput when the state belongs to other lines or another number of symbols.
        """
        before = self._state(data) if state is None else state
        if before.identity != self.identity:
            raise InvalidInput(f"this state belongs to {before.identity}; start {self.identity} with state=None")
        if before.seen.size != data.symbols:
            raise InvalidInput(f"this state holds {before.seen.size} symbols, not {data.symbols}")
        block = np.empty((len(self.lines), data.rows))
        columns = dict(zip(self.inputs, data.columns, strict=True))
        after = self._evaluate(columns, data.offsets, list(block), _Scratch(), before)
        return block, State(self.identity, before.seen + np.diff(data.offsets), after)

    @cached_property
    def identity(self) -> str:
        """Names the lines and the edition of the kernels."""
        number = {node: i for i, node in enumerate(self.nodes)}
        facts = [
            f"{node.kernel.__module__}.{node.kernel.__name__}{node.params}"
            f"{[(number.get(line.node, line.node.name), line.output) for line in node.inputs]}"
            for node in self.nodes
            if node.kernel
        ]
        wanted = [(number.get(line.node, line.node.name), line.output) for line in self.lines]
        digest = hashlib.sha256(f"{facts}{wanted}{EDITION}".encode()).hexdigest()
        return f"{' '.join(node.kernel.__name__ for node in self.nodes if node.kernel)} ({digest[:16]})"

    def _room(self, data: Ragged, out: Floats | None) -> Floats:
        shape = (len(self.lines), data.rows)
        if out is None:
            return rooms.empty(shape)
        if out.shape != shape or not out.flags.c_contiguous or out.dtype != np.float64:
            raise InvalidInput(f"out must be a contiguous float64 array {shape}")
        return out

    def _blocks(self, data: Ragged) -> list[tuple[int, int]]:
        """Runs of whole symbols, first and last; one alone when there is nothing to share.

        As many as kernels advance side by side, or a multiple of that: those left over would have to go alone.
        """
        if len(self.nodes) <= 1 or data.rows <= BLOCK_ROWS:
            return [(0, data.symbols)]
        blocks, first = [], 0
        for last in range(LANES, data.symbols, LANES):
            if data.offsets[last] - data.offsets[first] >= BLOCK_ROWS:
                blocks.append((first, last))
                first = last
        blocks.append((first, data.symbols))
        return blocks

    def _of(self, owner: Plan, data: Ragged) -> Ragged:
        """The data of a larger plan, only the columns of this one."""
        return Ragged(tuple(data.columns[owner.inputs.index(name)] for name in self.inputs), data.offsets)

    def _newest_quickly(self, data: Ragged) -> Floats:
        """By the kernel that gives nothing else; all nodes in one call: a column is fetched from memory once."""
        together = [self.nodes] if len(self.inputs) <= COLUMNS else [(node,) for node in self.nodes]
        order = by_length(data.offsets)
        found: dict[Line, Floats] = {}
        for nodes in together:
            names = sorted({line.node.name for node in nodes for line in node.inputs})
            columns = [read_only(data.columns[self.inputs.index(name)]) for name in names]
            chains = [node.newest(*node.params) for node in nodes if node.newest]
            slots = [[names.index(line.node.name) for line in node.inputs] for node in nodes]
            rooms = newest(columns, data.offsets, order, chains, slots)
            found |= {Line(node, i): row for node, rows in zip(nodes, rooms, strict=True) for i, row in enumerate(rows)}
        return np.stack([found[line] for line in self.lines])

    def _newest(self, data: Ragged) -> Floats:
        block = np.full((len(self.lines), data.symbols), np.nan)
        rooms, scratch = np.empty((len(self.lines), 0)), _Scratch()
        for first, last in self._blocks(data):
            lo, hi = data.offsets[first], data.offsets[last]
            if rooms.shape[1] < hi - lo:
                rooms = np.empty((len(self.lines), hi - lo))
            columns = dict(zip(self.inputs, (column[lo:hi] for column in data.columns), strict=True))
            offsets = data.offsets[first : last + 1] - lo
            self._evaluate(columns, offsets, [room[: hi - lo] for room in rooms], scratch)
            some = np.flatnonzero(np.diff(offsets) > 0)
            block[:, first + some] = rooms[:, offsets[1:][some] - 1]
        return block

    def _state(self, data: Ragged) -> State:
        memories = tuple(
            Memory.blank(carry=node.carry, columns=len(node.inputs), symbols=data.symbols)
            for node in self.nodes
            if node.kind != "points"
        )
        return State(self.identity, np.zeros(data.symbols, np.int64), memories)

    def _evaluate(
        self,
        columns: dict[str, Floats],
        offsets: Ints,
        out: list[Floats],
        scratch: _Scratch,
        state: State | None = None,
    ) -> tuple[Memory, ...]:
        """Fill `out`, one column per line; the memories after these rows when a state is given."""
        rows = int(offsets[-1])
        wanted: dict[Line, Floats] = {}
        for line, room in zip(self.lines, out, strict=True):
            wanted.setdefault(line, room)
        values = {column(name): read_only(given) for name, given in columns.items()}
        after: list[Memory] = []
        for node, dying in self._schedule:
            made = [Line(node, i) for i in range(len(node.warmups))]
            rooms = [wanted[line] if line in wanted else scratch.take(rows) for line in made]
            given = [values[line] for line in node.inputs]
            if node.kind == "points":
                kernel: Any = node.kernel
                kernel(*given, *node.params, *rooms)
            elif state is None:
                run_fresh(node, given, offsets, rooms)
            else:
                after.append(run_on(node, state.memories[len(after)], state.seen, given, offsets, rooms))
            values |= {line: read_only(room) for line, room in zip(made, rooms, strict=True)}
            for line in dying:
                gone = values.pop(line)
                if line not in wanted:
                    scratch.give(gone)
        for line, room in zip(self.lines, out, strict=True):
            if wanted[line] is not room or line.node.kind == "input":
                room[:] = values[line] if line in values else wanted[line]
        return tuple(after)

    @cached_property
    def _schedule(self) -> tuple[tuple[Node, tuple[Line, ...]], ...]:
        """Each node with the lines that nobody reads after it."""
        final: dict[Line, Node] = {}
        for node in self.nodes:
            final |= {line: node for line in node.inputs if line.node.kind != "input"}
            final |= {line: node for i in range(len(node.warmups)) if (line := Line(node, i)) not in final}
        return tuple((node, tuple(line for line, at in final.items() if at is node)) for node in self.nodes)


class _Scratch:
    """Columns for what is between inputs and outputs, used over and over."""

    def __init__(self) -> None:
        self._free: list[Floats] = []

    def take(self, rows: int) -> Floats:
        """An (N,) column of any content."""
        if self._free and self._free[-1].size >= rows:
            return self._free.pop()[:rows]
        return np.empty(max(rows, BLOCK_ROWS))[:rows]

    def give(self, used: Floats) -> None:
        """A column that nobody reads any more."""
        whole: Any = used
        while whole.base is not None:
            whole = whole.base
        self._free.append(whole)


def _has_quick_way(node: Node) -> bool:
    return node.newest is not None and all(line.node.kind == "input" for line in node.inputs)


def _tail(data: Ragged, rows: int) -> Ragged:
    """The last rows of each symbol."""
    kept = Memory.blank(carry=0, columns=0, symbols=0).after(data.columns, data.offsets, np.empty((0, 0)), rows)
    return Ragged(kept.tail, kept.tail_offsets)
