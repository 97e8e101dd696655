"""A chunk of parameter sets over a panel: one number per set, symbol and metric; nothing of the size sets x bars.

    block = sweep(panel, bound_sets, Rules(fees=0.001), metrics=("sharpe", "max_drawdown"))
    block.values["sharpe"]                     (sets, symbols), NaN = undefined

Each distinct column of the sets is computed once per symbol, each distinct comparison once as bits; logic is done on 64
bars at a time. From there a set goes one of two ways, with the same answer to 1e-9 (and that of `engine.backtest`):

    by segments   long only, all in, no stop, target or trail, fees and slippage as rates: work per trade
                  (`agents.kernels.segments`), about 0.4 ns per bar
    bar by bar    everything else the rules allow: `agents.kernels.simulate` into arrays used again, about 15 ns per bar

`takes_segments` says which. The bits of a set's numbers depend on that set, its symbol and the rules alone, not on the
other sets, their order or how they are cut into chunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from agents.backtest.rules import Rules
from agents.backtest.sweep_bars import Room, Simulator, levels_of
from agents.backtest.sweep_metrics import BARS_ONLY, METRICS, WIDE, Sums
from agents.backtest.sweep_program import Group, Tradable, groups, is_mean, mean_of
from agents.indicators.columns import to_floats
from agents.indicators.graph import Line
from agents.indicators.plans import Plan
from agents.indicators.ragged import Ragged
from agents.kernels import outcomes, segments
from agents.kernels.masks import BITS, PADDING
from agents.kernels.means import many_means
from data.contracts.arrays import Bools, Floats, Ints
from data.contracts.errors import InvalidInput
from data.contracts.panel import COLUMNS, Panel

DEFAULT = ("total_return", "sharpe", "max_drawdown", "trades")
BLOCKS = 10  # of time, for the probability of backtest overfitting
DAY = 86_400_000_000  # microseconds
PATIENCE = 5  # days with sessions that a symbol may be missing at the end
SIDE_BY_SIDE = 8  # symbols that recursive indicators advance together: blocks are multiples of it

LINES_BYTES = 4 << 20  # columns of a group over a block of symbols
MASKS_BYTES = 128 << 10  # of a slice and one symbol: they stay in the second cache
RAW_ROWS = 1 << 16  # sets x symbols between two turns to metrics
LEAST_LINES = 64

NS_PER_LINE = 1.5  # per bar; these are measured: benchmarks/sweep.py
NS_BY_SEGMENTS = 0.45
NS_BY_BARS = 15.0
US_PER_SET = 12.0  # to bind and plan one, once per chunk


@dataclass(frozen=True, eq=False)
class SweepBlock:
    """What a chunk came to.

    values:     metric -> (sets, symbols), NaN = undefined.
    bars:       (symbols, B) bars in each block of time; B = 0 unless they were asked for.
    block_sums: (sets, symbols, B, 2) sum and sum of squares of the bar returns in each block.
    """

    first: int
    values: dict[str, Floats]
    bars: Ints
    block_sums: Floats

    def median(self, metric: str) -> Floats:
        """(sets,) median over the symbols for which it is defined; NaN for none: what sets are ranked by."""
        found = np.sort(self.values[metric], axis=1)  # NaN goes to the end
        count = np.count_nonzero(~np.isnan(found), axis=1)
        rows, last = np.arange(found.shape[0]), np.maximum(count - 1, 0)
        return np.asarray((found[rows, last // 2] + found[rows, (last + 1) // 2]) / 2.0)


@dataclass(frozen=True)
class Estimate:
    """What a sweep will take on one core; measured rates, so a rough one."""

    seconds: float
    peak_bytes: int
    backtests: int


def sweep(
    panel: Panel,
    sets: Iterable[Tradable],
    rules: Rules | None = None,
    metrics: Sequence[str] = DEFAULT,
    *,
    annualisation: float | None = None,
    columns: Mapping[str, Floats] | None = None,
    rows: Ints | None = None,
    finish: Bools | None = None,
    cash: float | None = None,
    blocks: int = 0,
    programs: Sequence[Group] | None = None,
) -> SweepBlock:
    """All sets of one chunk on every symbol of a panel.

    annualisation: bars of a year; None takes the rules' own, which must then be set.
    columns: (N,) by name, for lines that need more than bars (votes, ranks, other symbols).
    rows:    (N,) the rows of the panel's bars in the columns, where those are of more bars; None = they are the same.
    finish:  (S,) symbols to be sold at their last close; None = those that end more than five days of sessions before
             the panel (give it when the panel is a part of a larger one).
    cash:    money of one symbol at the start; None = an even share of the rules' cash.
    blocks:  also sum bar returns in so many equal blocks of the panel's time.
    programs: what `planned` made of the sets, when they are tried on many parts of one panel.
    Raises:  InvalidInput for an unknown metric, rules that a sweep cannot follow, or a set that needs too much.
    """
    found = list(sweep_blocks(
        panel, sets, rules, metrics,
        annualisation=annualisation, columns=columns, rows=rows, finish=finish, cash=cash, blocks=blocks,
        programs=programs,
    ))  # fmt: skip
    if not found:
        raise InvalidInput("there is no set of parameters to try; widen the ranges or the constraint on them")
    return SweepBlock(
        first=0,
        values={name: np.concatenate([block.values[name] for block in found]) for name in metrics},
        bars=found[0].bars,
        block_sums=np.concatenate([block.block_sums for block in found]),
    )


def sweep_blocks(
    panel: Panel,
    sets: Iterable[Tradable],
    rules: Rules | None = None,
    metrics: Sequence[str] = DEFAULT,
    *,
    annualisation: float | None = None,
    columns: Mapping[str, Floats] | None = None,
    rows: Ints | None = None,
    finish: Bools | None = None,
    cash: float | None = None,
    blocks: int = 0,
    programs: Sequence[Group] | None = None,
) -> Iterator[SweepBlock]:
    """The same, group by group as sets are drawn from an iterator: memory does not depend on how many there are."""
    market = _Market.of(panel, rules or Rules(), metrics, annualisation, columns, rows, finish, cash, blocks)
    room = Room()
    for group in planned(sets, market.rules, metrics, market.longest) if programs is None else programs:
        yield market.run(group, metrics, room)


def planned(sets: Iterable[Tradable], rules: Rules, metrics: Sequence[str], longest: int) -> Iterator[Group]:
    """Sets as programs for symbols of at most `longest` bars. Raises InvalidInput for a set that needs too much."""
    most_lines = max(LEAST_LINES, LINES_BYTES // (8 * longest))
    most_rows = max(16, MASKS_BYTES // (8 * _words(longest)))
    bars_only = not takes_segments(rules) or any(name in BARS_ONLY for name in metrics)
    for group in groups(sets, most_lines=most_lines, most_rows=most_rows, bars_only=bars_only):
        if len(group.lines) > max(most_lines, LEAST_LINES):
            raise InvalidInput(f"one set compares {len(group.lines)} columns; at most {most_lines} fit these bars")
        yield group


def takes_segments(rules: Rules) -> bool:
    """Whether these rules let a long-only, all-in set without levels be composed from segments of prices."""
    return rules.fee_per_share == 0.0 and rules.fee_per_trade == 0.0 and rules.volume_limit is None


def cost_estimate(panel: Panel, sets: Sequence[Tradable], total: int, rules: Rules | None = None) -> Estimate:
    """What `total` sets of which `sets` is a sample will take on one core.

    Columns are counted as the sample shares them, which is too many for a grid: an upper estimate.
    """
    if not sets:
        raise InvalidInput("an estimate needs a sample of at least one set of parameters")
    lines_per_set = by_bars = count = 0.0
    longest = int(np.diff(panel.offsets).max())
    for group in groups(
        sets, most_lines=LEAST_LINES * 16, most_rows=1 << 12, bars_only=not takes_segments(rules or Rules())
    ):
        lines_per_set += len(group.lines)
        by_bars += group.by_bars.size
        count += group.size
    share = by_bars / count
    per_bar = lines_per_set / count * NS_PER_LINE + share * NS_BY_BARS + (1.0 - share) * NS_BY_SEGMENTS
    seconds = total * (len(panel) * per_bar * 1e-9 + US_PER_SET * 1e-6)
    lines = max(LINES_BYTES, 8 * longest * LEAST_LINES)
    peak = lines + MASKS_BYTES + RAW_ROWS * outcomes.RAW * 8 + longest * 8 * 64 + 32 * (len(panel) if share else 0)
    return Estimate(seconds, int(peak), total * len(panel.symbols))


def ends_early(panel: Panel) -> Bools:
    """Symbols whose bars end more than five days of sessions before the panel's, (S,)."""
    last = panel.ts[panel.last_rows] // DAY
    if np.all(last == last.max()):
        return np.zeros(last.size, np.bool_)
    days = np.unique(panel.sessions // DAY)
    missing: Ints = days.size - np.searchsorted(days, last, side="right")
    return missing > PATIENCE


@dataclass(frozen=True, eq=False)
class _Market:
    """The panel and the rules, as kernels take them."""

    panel: Panel
    rules: Rules
    year: float
    columns: Mapping[str, Floats]
    rows: Ints | None  # of the bars in the columns
    finish: Bools
    cash: float
    edges: Ints  # (S, B + 1), rows of a symbol
    wide: bool

    @classmethod
    def of(
        cls,
        panel: Panel,
        rules: Rules,
        metrics: Sequence[str],
        annualisation: float | None,
        columns: Mapping[str, Floats] | None,
        rows: Ints | None,
        finish: Bools | None,
        cash: float | None,
        blocks: int,
    ) -> _Market:
        unknown = [name for name in metrics if name not in METRICS]
        if unknown or not metrics:
            raise InvalidInput(f"a sweep has no metric {', '.join(unknown) or 'at all'}; it has {', '.join(METRICS)}")
        if "break_even_bps" in metrics and any(name in BARS_ONLY for name in metrics):
            raise InvalidInput("break_even_bps and max_drawdown_duration cannot be swept together; ask for one of them")
        if rules.mode != "independent":
            raise InvalidInput('a sweep tries every symbol by itself; leave out mode="portfolio"')
        if len(panel) == 0:
            raise InvalidInput("there are no bars to test on; choose symbols and dates that have some")
        year = annualisation or rules.annualisation
        if year is None:
            raise InvalidInput("a sweep needs the number of bars in a year; set annualisation, for example 252")
        ends = ends_early(panel) if finish is None else np.ascontiguousarray(finish, np.bool_)
        if ends.shape != (len(panel.symbols),):
            raise InvalidInput(f"finish has one truth per symbol: {len(panel.symbols)}, not {ends.shape}")
        money = rules.cash / len(panel.symbols) if cash is None else cash
        wide = any(name in WIDE for name in metrics)
        return cls(panel, rules, float(year), columns or {}, rows, ends, money, _edges(panel, blocks), wide)

    @property
    def longest(self) -> int:
        """Bars of the longest symbol."""
        return int(np.diff(self.panel.offsets).max())

    def run(self, group: Group, metrics: Sequence[str], room: Room) -> SweepBlock:
        """A group on every symbol."""
        symbols, blocks = len(self.panel.symbols), self.edges.shape[1] - 1
        values = {name: np.empty((group.size, symbols)) for name in metrics}
        sums = np.empty((group.size, symbols, blocks, 2))
        source = _Lines.of(self, group.lines)
        table = room.take("masks", (group.height, _words(self.longest)), np.uint64)
        for first, last in self._blocks(group):
            lines = source.run(self._offsets(first, last), int(self.panel.offsets[first]), room)
            for kind, run in ((group.by_segments, self._by_segments), (group.by_bars, self._by_bars)):
                if kind.size:
                    found = run(group, first, last, lines, table, room)
                    for name in metrics:
                        measured = METRICS[name](found[0])
                        if name == "break_even_bps" and kind is group.by_bars:
                            measured = np.full_like(measured, np.nan)  # stops and shorts move with the fee
                        values[name][kind, first:last] = measured
                    sums[kind, first:last] = found[1]
        return SweepBlock(group.first, values, np.diff(self.edges, axis=1), sums)

    def column(self, name: str) -> Floats:
        """A column of the bars, or one that was given beside them."""
        whole, rows = self.placed(name)
        return whole if rows is None else whole[rows]

    def placed(self, name: str) -> tuple[Floats, Ints | None]:
        """The same, perhaps of more bars, and then the rows of the panel's."""
        if name in COLUMNS:
            return to_floats(getattr(self.panel, name)), None
        if name not in self.columns:
            raise InvalidInput(f"these sets need the column {name}; give it in columns, one value per bar")
        return to_floats(self.columns[name]), self.rows

    def _blocks(self, group: Group) -> Iterator[tuple[int, int]]:
        """Runs of symbols whose columns and raw sums fit their budgets."""
        offsets, count = self.panel.offsets, len(self.panel.symbols)
        rows = LINES_BYTES // (8 * max(1, len(group.lines)))
        most = max(1, RAW_ROWS // group.size)
        first = 0
        while first < count:
            few, lots = (
                int(np.searchsorted(offsets, offsets[first] + budget, side="right")) - 1
                for budget in (rows, rows * SIDE_BY_SIDE)
            )
            last = max(few, min(first + SIDE_BY_SIDE, lots))
            last = min(max(last, first + 1), first + most, count)
            if first + SIDE_BY_SIDE < last < count:
                last -= (last - first) % SIDE_BY_SIDE
            yield first, last
            first = last

    def _offsets(self, first: int, last: int) -> Ints:
        return np.ascontiguousarray(self.panel.offsets[first : last + 1] - self.panel.offsets[first])

    def _rooms(self, group: Group, room: Room) -> tuple[Any, Any, Any]:
        sizes = segments.rooms_of(self.longest, len(group.lines), _words(self.longest))
        names = (("room", np.float64), ("short", np.float32), ("found", np.int64))
        whole, short, found = (room.take(name, (size,), kind) for (name, kind), size in zip(names, sizes, strict=True))
        return whole, short, found

    def _sums(self, raw: Floats, first: int, last: int, *, whole: bool) -> Sums:
        bars = np.diff(self.panel.offsets[first : last + 1]).astype(np.float64)
        return Sums(raw, bars, self.cash, float(self.rules.fees), self.year, float(self.rules.risk_free), whole)

    def _by_segments(
        self, group: Group, first: int, last: int, lines: Floats, table: Any, room: Room
    ) -> tuple[Sums, Floats]:
        lo, hi = int(self.panel.offsets[first]), int(self.panel.offsets[last])
        shape = (group.by_segments.size, last - first)
        raw = room.take("raw", (*shape, outcomes.RAW))
        block_sums = room.take("blocks", (*shape, self.edges.shape[1] - 1, 2))
        segments.by_segments(
            lines,
            len(group.lines),
            self._offsets(first, last),
            to_floats(self.panel.open[lo:hi]),
            to_floats(self.panel.close[lo:hi]),
            self.finish[first:last],
            float(self.rules.fees),
            float(self.rules.slippage),
            int(self.rules.fill == "close"),
            int(self.wide),
            group.pairs,
            group.value_pairs,
            group.values,
            group.ops,
            group.rows,
            group.bounds,
            table,
            *self._rooms(group, room),
            self.edges[first:last],
            raw,
            block_sums,
        )
        return self._sums(raw, first, last, whole=False), block_sums

    def _by_bars(
        self, group: Group, first: int, last: int, lines: Floats, table: Any, room: Room
    ) -> tuple[Sums, Floats]:
        shape, offsets = (group.by_bars.size, last - first), self._offsets(first, last)
        raw = room.take("bar raw", (*shape, outcomes.RAW))
        block_sums = room.take("bar blocks", (*shape, self.edges.shape[1] - 1, 2))
        _, short, _ = self._rooms(group, room)
        simulator = Simulator.of(
            self.panel, self.rules, first, last, self.cash, self.finish[first:last], self.edges[first:last]
        )
        where = {line: number for number, line in enumerate(group.lines)}
        rows = int(offsets[-1])
        starts = [*group.bar_starts.tolist()]
        for piece in range(len(starts) - 1):
            wanted = np.ascontiguousarray(group.bar_rows[starts[piece] : starts[piece + 1]].ravel())
            if not wanted.size:
                continue
            truths = room.take("truths", (wanted.size, rows), np.bool_)
            segments.decisions(
                lines, len(group.lines), offsets, group.pairs, group.value_pairs, group.values, group.ops,
                wanted, group.bounds, piece, table, short, truths,
            )  # fmt: skip
            for k in range(starts[piece], starts[piece + 1]):
                at = 4 * (k - starts[piece])
                levels = levels_of(group.levels[k], where, lines, rows, room)
                simulator.run(truths[at : at + 4], levels, raw[k], block_sums[k], room)
        return self._sums(raw, first, last, whole=True), block_sums


@dataclass(frozen=True, eq=False)
class _Lines:
    """The columns of a group: a plan, and behind it the means of bar columns, all windows of one at once.

    Without a plan the columns are there already: only those of the block are laid out.
    """

    plan: Plan | None
    inputs: list[Floats]  # of the plan
    given: list[tuple[Floats, Ints | None]]  # see `_Market.placed`
    means: list[tuple[Floats, Ints]]  # column, windows

    @classmethod
    def of(cls, market: _Market, lines: Sequence[Line]) -> _Lines:
        others = [line for line in lines if not is_mean(line)]
        there = all(line.node.kind == "input" for line in others)
        plan = None if there else Plan(others)
        inputs = [] if plan is None else [market.column(name) for name in plan.inputs]
        given = [market.placed(line.node.name) for line in others] if there else []
        means = [
            (market.column(name), np.array([line.node.params[0] for line in of_one], np.int64))
            for name, of_one in groupby(lines[len(others) :], key=mean_of)
        ]
        return cls(plan, inputs, given, means)

    def run(self, offsets: Ints, lo: int, room: Room) -> Floats:
        """Of a block of symbols from row `lo` on: one line behind the other, and a little room behind them."""
        rows = int(offsets[-1])
        done = (len(self.given) if self.plan is None else len(self.plan.lines)) * rows
        whole: Floats = room.take("lines", (done + sum(windows.size for _, windows in self.means) * rows + PADDING,))
        if self.plan is not None:
            data = Ragged(tuple(column[lo : lo + rows] for column in self.inputs), offsets)
            self.plan.run(data, whole[:done].reshape(-1, rows))
        for number, (column, places) in enumerate(self.given):
            into = whole[number * rows : (number + 1) * rows]
            if places is None:
                into[:] = column[lo : lo + rows]
            else:
                np.take(column, places[lo : lo + rows], out=into, mode="clip")  # no other mode writes without a copy
        for column, windows in self.means:
            many_means(column[lo : lo + rows], offsets, windows, whole[done : done + windows.size * rows])
            done += windows.size * rows
        return whole


def _edges(panel: Panel, blocks: int) -> Ints:
    """Row of each symbol at which each of `blocks` equal parts of the sessions begins, and the last one ends."""
    if blocks == 0:
        return np.zeros((len(panel.symbols), 1), np.int64)
    sessions = panel.sessions
    if not 2 <= blocks <= sessions.size:
        raise InvalidInput(f"these bars have {sessions.size} sessions; choose between 2 and so many blocks of time")
    starts = sessions[np.arange(blocks) * sessions.size // blocks]
    found = np.empty((len(panel.symbols), blocks + 1), np.int64)
    for s in range(len(panel.symbols)):
        lo, hi = panel.offsets[s], panel.offsets[s + 1]
        found[s, :-1], found[s, -1] = np.searchsorted(panel.ts[lo:hi], starts), hi - lo
    return found


def _words(bars: int) -> int:
    return (bars + BITS - 1) // BITS
