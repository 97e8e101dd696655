"""Conditions of many sets of parameters as one program over bit masks: what sets share is there once.

A group is as many sets as one buffer of lines serves; a slice of a group is as many as one table of masks serves. So
memory depends on neither the number of sets nor on what they have in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from agents.expr.conditions import Above, Always, And, AtLeast, Condition, Crosses, Equal, Not, Or
from agents.indicators.graph import Line
from agents.kernels import windows
from agents.kernels.masks import AND, CROSS, NO_CROSS, NOT_ABOVE, OR
from data.contracts.arrays import Ints
from data.contracts.panel import COLUMNS

ALL, NONE, FIRST_LINE = -1, -2, -3  # rows that every slice has, counted down: true, false, known of line 0, 1, ...
HEAD = 2  # rows of a table before those of its lines: all true, all false
MOST_SETS = 4_096  # of a group

Number: TypeAlias = "Line | float"
Decisions: TypeAlias = tuple[Condition, Condition, Condition, Condition]
Levels: TypeAlias = "tuple[Number | None, Number | None, Number | None, Number | None]"


class Tradable(Protocol):
    """What a sweep needs of one set of parameters: `strategy.Bound` is one."""

    def conditions(self) -> Decisions:
        """enter, exit, short_enter, short_exit."""

    def levels(self) -> Levels:
        """stop, target, trail (price distances from the fill) and size; None = not asked for."""


class Rule(NamedTuple):
    """One set of parameters as conditions: a `Tradable` without a strategy behind it."""

    enter: Condition
    exit: Condition = Always(False)
    short_enter: Condition = Always(False)
    short_exit: Condition = Always(False)
    stop: Number | None = None
    target: Number | None = None
    trail: Number | None = None
    size: Number | None = None

    def conditions(self) -> Decisions:
        """enter, exit, short_enter, short_exit."""
        return self.enter, self.exit, self.short_enter, self.short_exit

    def levels(self) -> Levels:
        """stop, target, trail, size."""
        return self.stop, self.target, self.trail, self.size


@dataclass(frozen=True, eq=False)
class Group:
    """The program of some sets: arrays as `agents.kernels.segments` takes them.

    first:   position of its first set; sets follow one another.
    lines:   distinct columns of all its sets; means of bar columns stand last (`is_mean`).
    by_segments, by_bars: positions in the group of the sets that each kind of kernel takes.
    rows:    (sets of a kind, 2 or 4) rows of the decisions.    bounds: where slices begin and end, per kind.
    levels:  of the sets that are taken bar by bar.    height: rows of a table of masks.
    """

    first: int
    lines: tuple[Line, ...]
    by_segments: Ints
    by_bars: Ints
    pairs: Ints
    value_pairs: Ints
    values: np.ndarray[Any, np.dtype[np.float64]]
    ops: Ints
    rows: Ints
    bar_rows: Ints
    bounds: Ints
    bar_starts: Ints
    levels: tuple[Levels, ...]
    height: int

    @property
    def size(self) -> int:
        """Sets in it."""
        return self.by_segments.size + self.by_bars.size


def groups(sets: Iterable[Tradable], *, most_lines: int, most_rows: int, bars_only: bool) -> Iterator[Group]:
    """Cut sets into groups with at most `most_lines` columns and slices with about `most_rows` masks.

    bars_only: no set is taken by segments.
    """
    builder, first = _Builder(0, most_rows, bars_only), 0
    for number, one in enumerate(sets):
        conditions, levels = one.conditions(), one.levels()
        if number > first and not builder.has_room(conditions, levels, most_lines):
            yield builder.group()
            builder, first = _Builder(number, most_rows, bars_only), number
        builder.add(conditions, levels)
    if builder.count:
        yield builder.group()


def is_mean(line: Line) -> bool:
    """Whether the line is a plain mean of a column of the bars, which `many_means` gives for all windows at once."""
    node = line.node
    return node.kernel is windows.sma and node.inputs[0].node.kind == "input" and node.inputs[0].node.name in COLUMNS


def mean_of(line: Line) -> str:
    """The column it is a mean of; "" for any other line."""
    return line.node.inputs[0].node.name if is_mean(line) else ""


def lines_of(condition: Condition) -> Iterator[Line]:
    """The columns a condition compares."""
    kind = type(condition)
    if kind is Not:
        yield from lines_of(condition.of)  # type: ignore[union-attr]
    elif kind is not Always:
        for side in (condition.a, condition.b):  # type: ignore[union-attr]
            if type(side) is Line:
                yield side
            elif kind is And or kind is Or:
                yield from lines_of(side)  # type: ignore[arg-type]


class _Builder:
    """A group that grows set by set. Rows of masks are interned within a slice."""

    def __init__(self, first: int, most_rows: int, bars_only: bool) -> None:
        self.first, self.count, self._most_rows, self._bars_only = first, 0, most_rows, bars_only
        self._lines: dict[Line, int] = {}
        self._pairs: list[tuple[int, int, int]] = []
        self._value_pairs: list[tuple[int, int]] = []
        self._values: list[float] = []
        self._ops: list[tuple[int, int, int, int, int]] = []
        self._segment_sets: list[int] = []
        self._segment_rows: list[tuple[int, int]] = []
        self._bar_sets: list[int] = []
        self._bar_rows: list[tuple[int, int, int, int]] = []
        self._levels: list[Levels] = []
        self._bounds: list[tuple[int, int, int, int]] = []
        self._bar_starts: list[int] = []
        self._height = 0
        self._next_slice()

    def has_room(self, conditions: Decisions, levels: Levels, most_lines: int) -> bool:
        """Whether one more set fits."""
        if self.count >= MOST_SETS:
            return False
        if len(self._lines) + 8 < most_lines:  # so few that looking is not worth it
            return True
        asked = chain(*map(lines_of, conditions), (level for level in levels if isinstance(level, Line)))
        return len(self._lines) + len(set(asked) - self._lines.keys()) <= most_lines

    def add(self, conditions: Decisions, levels: Levels) -> None:
        """One more set."""
        enter, leave, short, cover = conditions
        if self._row >= self._most_rows:
            self._next_slice()
        if not self._bars_only and levels[:3] == (None,) * 3 and levels[3] in (None, 1.0) and _never(short):
            self._segment_sets.append(self.count)
            self._segment_rows.append((self._true(enter), self._true(leave)))
        else:
            self._bar_sets.append(self.count)
            self._bar_rows.append((self._true(enter), self._true(leave), self._true(short), self._true(cover)))
            self._levels.append(levels)
            for level in levels:
                if isinstance(level, Line):
                    self._line(level)
        self.count += 1
        self._height = max(self._height, self._row)

    def group(self) -> Group:
        """What has been added."""
        self._bound()
        ops, rows = _table(self._ops, 5), _table(self._segment_rows, 2)
        bar_rows, pairs, value_pairs = _table(self._bar_rows, 4), _table(self._pairs, 3), _table(self._value_pairs, 2)
        head = len(self._lines) + HEAD
        lines = sorted(self._lines, key=mean_of)
        moved = np.empty(len(lines), np.int64)
        moved[[self._lines[line] for line in lines]] = np.arange(len(lines))
        pairs[:, :2], value_pairs[:, 0] = moved[pairs[:, :2]], moved[value_pairs[:, 0]]
        for part in (ops[:, 2:], rows, bar_rows):
            known = part <= FIRST_LINE
            part[known] = FIRST_LINE - moved[FIRST_LINE - part[known]]
        for part in (ops[:, 1:], rows, bar_rows, pairs[:, 2:], value_pairs[:, 1:]):
            part[...] = np.where(part < 0, -1 - part, part + head)
        return Group(
            first=self.first,
            lines=tuple(lines),
            by_segments=np.array(self._segment_sets, np.int64),
            by_bars=np.array(self._bar_sets, np.int64),
            pairs=pairs,
            value_pairs=value_pairs,
            values=np.array(self._values, np.float64),
            ops=ops,
            rows=rows,
            bar_rows=bar_rows,
            bounds=_table(self._bounds, 4),
            bar_starts=np.array(self._bar_starts, np.int64),
            levels=tuple(self._levels),
            height=head + self._height,
        )

    def _next_slice(self) -> None:
        self._bound()
        self._row = 0
        self._known: dict[Any, int] = {}

    def _bound(self) -> None:
        self._bounds.append((len(self._pairs), len(self._value_pairs), len(self._ops), len(self._segment_sets)))
        self._bar_starts.append(len(self._bar_sets))

    def _take(self, rows: int) -> int:
        self._row += rows
        return self._row - rows

    def _line(self, line: Line) -> int:
        return self._lines.setdefault(line, len(self._lines))

    def _true(self, condition: Condition) -> int:
        """The row where the condition holds."""
        match condition:
            case Crosses(a, b):
                return self._op(CROSS, self._above(a, b), self._known_of(a), self._known_of(b))
            case Above(a, b):
                return self._above(a, b)
            case AtLeast(a, b):
                return self._not_above(b, a)
            case Equal(a, b):
                return self._op(AND, self._not_above(a, b), self._not_above(b, a))
            case Not(of):
                return self._false(of)
            case And(a, b):
                return self._joined(AND, self._true(a), self._true(b))
            case Or(a, b):
                return self._joined(OR, self._true(a), self._true(b))
            case Always(value):
                return ALL if value else NONE

    def _false(self, condition: Condition) -> int:
        """The row where the condition is known not to hold."""
        match condition:
            case Crosses(a, b):
                return self._op(NO_CROSS, self._true(condition), self._known_of(a), self._known_of(b))
            case Above(a, b):
                return self._not_above(a, b)
            case AtLeast(a, b):
                return self._above(b, a)
            case Equal(a, b):
                return self._op(OR, self._above(a, b), self._above(b, a))
            case Not(of):
                return self._true(of)
            case And(a, b):
                return self._joined(OR, self._false(a), self._false(b))
            case Or(a, b):
                return self._joined(AND, self._false(a), self._false(b))
            case Always(value):
                return NONE if value else ALL

    def _above(self, a: Number, b: Number) -> int:
        """The row of a > b; with it comes b > a."""
        if type(a) is Line and type(b) is Line:
            left, right = self._line(a), self._line(b)
            key = (left, right) if left < right else (right, left)
            row = self._known.get(key)
            if row is None:
                row = self._known[key] = self._take(2)
                self._pairs.append((*key, row))
            return row if left < right else row + 1
        line, value = (a, b) if type(a) is Line else (b, a)
        at, limit = self._line(line), float(value)  # type: ignore[arg-type]
        row = self._known.get((at, limit, "value"))
        if row is None:
            row = self._known[at, limit, "value"] = self._take(2)
            self._value_pairs.append((at, row))
            self._values.append(limit)
        return row if line is a else row + 1

    def _not_above(self, a: Number, b: Number) -> int:
        return self._op(NOT_ABOVE, self._above(a, b), self._known_of(a), self._known_of(b))

    def _known_of(self, side: Number) -> int:
        if type(side) is Line:
            return FIRST_LINE - self._line(side)
        return ALL if side == side else NONE  # NaN is never known

    def _joined(self, code: int, a: int, b: int) -> int:
        """`a` and/or `b`, without a step where one of them says it all."""
        neutral, ruling = (ALL, NONE) if code == AND else (NONE, ALL)
        if a == ruling or b == ruling:
            return ruling
        return b if a == neutral else a if b == neutral else self._op(code, a, b)

    def _op(self, code: int, x: int, y: int, z: int = ALL) -> int:
        key = (code, x, y, z)
        row = self._known.get(key)
        if row is None:
            row = self._known[key] = self._take(1)
            self._ops.append((code, row, x, y, z))
        return row


def _never(condition: Condition) -> bool:
    return type(condition) is Always and not condition.value


def _table(rows: Sequence[tuple[int, ...]], width: int) -> Ints:
    return np.array(rows, np.int64).reshape(len(rows), width)
