"""The best set of parameters on each of several stretches of bars, all stretches in one pass over the sets.

    selection = Selection.of(grid, panel, votes, rules, trains, year=252.0)
    leaders = choose(selection, some_positions)       a piece; leaders of pieces are put together by `selection.better`

A set trades inside a stretch only: it starts flat at the first bar, a decision made before it fills nowhere in it, and
what is open at its end is marked at the last close. Its indicators see every earlier bar: the columns of the sets are
computed once over all bars, then cut; no value depends on a later bar (`check` proves it), so that is the same.

Sets are ranked by the median over the symbols for which the metric is defined. Undefined comes last; equals are
decided by the smallest tuple of parameters, in the order of the grid's axes.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from agents.backtest.grid import Grid
from agents.backtest.metrics import KEYS
from agents.backtest.orders import Orders
from agents.backtest.rules import Rules
from agents.backtest.strategy import Bound, Value
from agents.backtest.sweep import SIDE_BY_SIDE, SweepBlock, ends_early, planned, sweep
from agents.backtest.sweep_metrics import METRICS
from agents.backtest.sweep_program import Number, Rule
from agents.expr import Head, Votes, fill
from agents.expr.conditions import Above, Always, And, AtLeast, Condition, Crosses, Not, Or, line_of
from agents.expr.evaluate import run
from agents.expr.tree import Vote
from agents.indicators.graph import Line, column, lag
from data.contracts.arrays import Bools, Floats, Ints
from data.contracts.errors import InvalidInput
from data.contracts.metrics import larger_is_better
from data.contracts.panel import Panel

RANKED = tuple(name for name in KEYS if name in METRICS)
PLAIN = {"mode": "independent", "max_positions": None, "rank": None, "rebalance": None, "max_exposure": None}
COLUMNS_BYTES = 128 << 20  # of the columns of a chunk, for a block of symbols
MOST_COLUMNS, MOST_SETS = 512, 4_096  # of a chunk

Stretches = tuple[range, ...]  # positions among the panel's sessions, oldest first


@dataclass(frozen=True)
class Leader:
    """The best of some sets on one of the trains, and what the ledger is told of all of them.

    score:  the median over the symbols; None = undefined for every set.
    trials: sets with a Sharpe ratio; mean: of those, per bar; m2: sum of their squared distances from it.
    """

    position: int
    values: tuple[Value, ...]
    score: float | None
    trials: int
    mean: float
    m2: float


@dataclass(frozen=True, eq=False)
class Selection:
    """What is to be chosen, and on which bars: what every piece of the search needs, handed to each worker once.

    rules:  for sets by themselves, with the bars of a year.
    trains: each one stretch of sessions; or a few, whose bars count together, which can be ranked by Sharpe only.
    votes:  the columns of agents that the strategy speaks of.
    """

    grid: Grid
    panel: Panel
    rules: Rules
    trains: tuple[Stretches, ...]
    metric: str
    votes: Mapping[str, Floats]

    @classmethod
    def of(
        cls,
        grid: Grid,
        panel: Panel,
        votes: Votes,
        rules: Rules,
        trains: Sequence[Stretches],
        *,
        metric: str = "sharpe",
        year: float,
    ) -> Selection:
        """Agents are asked here, once, if the strategy speaks of them.

        rules:  with shared cash sets are ranked with cash of their own for every symbol.    year: bars of one.
        Raises: InvalidInput for a metric that sets cannot be ranked by.
        """
        if metric not in RANKED:
            raise InvalidInput(f"sets cannot be ranked by {metric!r}; choose one of {', '.join(RANKED)}", metric=metric)
        if metric != "sharpe" and any(len(train) > 1 for train in trains):
            raise InvalidInput(f"several stretches together are ranked by sharpe, not by {metric}")
        plain = replace(rules, annualisation=year, **PLAIN)  # type: ignore[arg-type]
        return cls(grid, panel, plain, tuple(trains), metric, votes_of(grid, votes))

    @cached_property
    def market(self) -> _Market:
        """The bars of every stretch; each process makes them for itself."""
        return _Market.of(self.panel, self.rules, self.trains)

    def better(self, a: Leader, b: Leader) -> Leader:
        """The leader of the sets of both."""
        trials = a.trials + b.trials
        step, share = b.mean - a.mean, b.trials / trials if trials else 0.0
        mean, m2 = a.mean + step * share, a.m2 + b.m2 + step * step * a.trials * share
        return replace(min(a, b, key=self._order), trials=trials, mean=mean, m2=m2)

    def _order(self, leader: Leader) -> tuple[float, tuple[Any, ...], int]:
        ranked = math.inf if leader.score is None else _sign(self.metric) * leader.score
        return ranked, leader.values, leader.position


def choose(selection: Selection, positions: Ints | None = None) -> list[Leader]:
    """The best of these sets for each of the trains; None: of all sets.

    Whatever the sets are cut into, the leader of the leaders (`Selection.better`) is the same.
    Raises: InvalidInput for what `sweep` and a strategy refuse.
    """
    year = float(selection.rules.annualisation or math.nan)
    names = tuple(dict.fromkeys((selection.metric, "sharpe", "volatility", "total_return")))
    sets = selection.grid.positions if positions is None else positions
    market = selection.market
    ends = [_End(selection.metric) for _ in selection.trains]
    for chunk in _chunks(selection.grid, sets, selection.panel, selection.votes.__getitem__):
        columns = selection.grid.columns(chunk.positions).values()
        values = list(zip(*(column.tolist() for column in columns), strict=True)) or [()]
        found = market.tried(chunk, names)
        for end, train in zip(ends, selection.trains, strict=True):
            first = found[train[0]]
            several = [(found[stretch], market.parts[stretch]) for stretch in train]
            sharpes = _median(_pooled(several, market.rules)) if len(train) > 1 else first.median("sharpe")
            scores = sharpes if selection.metric == "sharpe" else first.median(selection.metric)
            end.add(chunk.positions, values, scores, sharpes / math.sqrt(year))
    return [end.leader() for end in ends]


def votes_of(grid: Grid, votes: Votes) -> dict[str, Floats]:
    """The columns of agents that the sets of a grid read."""
    nodes = [head.node for head in next(grid.sets(grid.positions[:1])).heads()]
    terms = {f"{node.agent or 'consensus'}.{node.output}" for node in nodes if isinstance(node, Vote)}
    return {term: votes(term) for term in sorted(terms)}


def cut(panel: Panel, stretch: range) -> Panel:
    """The bars of a stretch of sessions; symbols without one are left out."""
    sessions = panel.sessions
    return panel.between(int(sessions[stretch.start]) - 1, int(sessions[stretch.stop - 1]))


def rows_of(panel: Panel, stretch: range) -> Ints:
    """The rows of `cut`, in its order."""
    first, last = panel.sessions[stretch.start], panel.sessions[stretch.stop - 1]
    return np.flatnonzero((panel.ts >= first) & (panel.ts <= last))


def cut_orders(orders: Orders, rows: Ints) -> Orders:
    """The decisions on these rows: what was decided before the first of them is not among them, so it never fills."""
    return Orders(*(getattr(orders, name)[rows] for name in Orders.__slots__))


class _End:
    """The best so far of one train."""

    def __init__(self, metric: str) -> None:
        self._sign = _sign(metric)
        self._best: tuple[float, tuple[Any, ...], int] | None = None
        self._sharpes: list[Floats] = []

    def add(self, positions: Ints, values: Sequence[tuple[Any, ...]], scores: Floats, sharpes: Floats) -> None:
        """More sets. scores, sharpes: (sets,), NaN = undefined; the latter per bar."""
        self._sharpes.append(sharpes[~np.isnan(sharpes)])
        ranked = np.where(np.isnan(scores), np.inf, self._sign * scores)
        equals = np.flatnonzero(ranked == ranked.min())
        first = min(equals.tolist(), key=lambda at: values[at])
        here = (float(ranked[first]), values[first], int(positions[first]))
        self._best = here if self._best is None else min(self._best, here)

    def leader(self) -> Leader:
        """After the last of them."""
        assert self._best is not None  # there was at least one set
        ranked, values, position = self._best
        sharpes = np.concatenate(self._sharpes)
        mean = math.fsum(sharpes) / max(sharpes.size, 1)
        m2 = math.fsum((sharpes - mean) ** 2)
        return Leader(position, values, None if math.isinf(ranked) else self._sign * ranked, sharpes.size, mean, m2)


def _sign(metric: str) -> float:
    """By which a metric is multiplied so that the smallest is best."""
    return -1.0 if larger_is_better(metric) else 1.0


@dataclass(frozen=True, eq=False)
class _Chunk:
    """Sets as rules over columns; heads: what the lines of those columns need beside the bars, of all rows."""

    positions: Ints
    sets: list[Rule]
    lines: _Lines
    heads: dict[str, Floats]


def _chunks(grid: Grid, positions: Ints, panel: Panel, votes: Votes) -> Iterator[_Chunk]:
    """These sets, in their order."""
    heads: dict[str, Floats] = {}
    wanted: dict[str, Head] = {}
    sets: list[Rule] = []
    lines, first = _Lines(), 0
    for at, bound in enumerate(grid.sets(positions), start=1):
        wanted |= {head.name: head for head in bound.heads() if head.name not in heads}
        sets.append(lines.rule(bound))
        if at == positions.size or len(lines.names) >= MOST_COLUMNS or len(sets) == MOST_SETS:
            if wanted:
                heads |= fill(tuple(wanted.values()), panel, votes)
                wanted = {}
            yield _Chunk(positions[first:at], sets, lines, heads)
            lines, sets, first = _Lines(), [], at


@dataclass(frozen=True, eq=False)
class _Market:
    """The bars, and every stretch of them by itself. finish: its symbols that end before it does."""

    panel: Panel
    rules: Rules
    parts: dict[range, Panel]
    rows: dict[range, Ints]
    finish: dict[range, Bools]

    @classmethod
    def of(cls, panel: Panel, rules: Rules, trains: Sequence[Stretches]) -> _Market:
        whole = dict.fromkeys(stretch for train in trains for stretch in train)
        parts = {stretch: cut(panel, stretch) for stretch in whole}
        rows = {stretch: rows_of(panel, stretch) for stretch in whole}
        return cls(panel, rules, parts, rows, {stretch: ends_early(part) for stretch, part in parts.items()})

    def tried(self, chunk: _Chunk, metrics: Sequence[str]) -> dict[range, SweepBlock]:
        """The sets of a chunk on every stretch; columns are made for a block of symbols at a time."""
        found: dict[range, list[SweepBlock]] = {stretch: [] for stretch in self.parts}
        programs = list(planned(chunk.sets, self.rules, metrics, int(np.diff(self.panel.offsets).max())))
        for first, last in self._blocks(len(chunk.lines.names)):
            lo, hi = int(self.panel.offsets[first]), int(self.panel.offsets[last])
            heads = {name: head[lo:hi] for name, head in chunk.heads.items()}
            columns = chunk.lines.columns(self.panel.slice(first, last), heads)
            for stretch, part in self.parts.items():
                rows = self.rows[stretch]
                rows = rows[np.searchsorted(rows, lo) : np.searchsorted(rows, hi)] - lo
                a = bisect_left(part.symbols, self.panel.symbols[first])
                b = bisect_right(part.symbols, self.panel.symbols[last - 1])
                if a < b:
                    found[stretch].append(
                        sweep(
                            part.slice(a, b),
                            chunk.sets,
                            self.rules,
                            metrics,
                            columns=columns,
                            rows=rows,
                            finish=self.finish[stretch][a:b],
                            cash=self.rules.cash / len(part.symbols),
                            programs=programs,
                        )
                    )
        return {stretch: _beside(blocks, metrics) for stretch, blocks in found.items()}

    def _blocks(self, columns: int) -> Iterator[tuple[int, int]]:
        """Runs of symbols for whose bars so many columns are within the budget; of 8, which advance together."""
        offsets, first = self.panel.offsets, 0
        rows = COLUMNS_BYTES // (8 * max(columns, 1))
        while first < len(self.panel.symbols):
            last = int(np.searchsorted(offsets, offsets[first] + rows, side="right")) - 1
            last = min(max(last - (last - first) % SIDE_BY_SIDE, first + 1), len(self.panel.symbols))
            yield first, last
            first = last


def _beside(blocks: Sequence[SweepBlock], metrics: Sequence[str]) -> SweepBlock:
    """The same sets on blocks of symbols, as one."""
    values = {name: np.concatenate([block.values[name] for block in blocks], axis=1) for name in metrics}
    return replace(blocks[0], values=values)


class _Lines:
    """Lines that become columns: a rule over columns means the same on any cut of the bars.

    A crossing looks at the bar before, which a cut may not hold, so that bar's values are columns too.
    """

    def __init__(self) -> None:
        self.names: dict[Line, str] = {}

    def columns(self, panel: Panel, heads: dict[str, Floats]) -> dict[str, Floats]:
        """(N,) by name."""
        return run({name: line for line, name in self.names.items()}, panel, heads)

    def rule(self, bound: Bound) -> Rule:
        """A set over columns."""
        enter, leave, short, cover = (self._condition(one, exact=False) for one in bound.conditions())
        levels = (None if level is None else self._number(level) for level in bound.levels())
        return Rule(enter, leave, short, cover, *levels)

    def _number(self, side: Number) -> Number:
        return column(self.names.setdefault(side, f"line {len(self.names)}")) if isinstance(side, Line) else side

    def _before(self, side: Number) -> Number:
        return self._number(lag(side, 1)) if isinstance(side, Line) else side

    def _condition(self, one: Condition, *, exact: bool) -> Condition:
        """exact: also what is known to be false must stay apart from what is unknown, as under a `not`."""
        match one:
            case Always():
                return one
            case Not(of):
                return Not(self._condition(of, exact=True))
            case And(a, b) | Or(a, b):
                return type(one)(self._condition(a, exact=exact), self._condition(b, exact=exact))
            case Crosses() if exact:
                return Above(self._number(line_of(one)), 0.5)
            case Crosses(a, b):
                now, before = Above(self._number(a), self._number(b)), AtLeast(self._before(b), self._before(a))
                return And(now, before)
            case _:
                return type(one)(self._number(one.a), self._number(one.b))


def _pooled(blocks: Sequence[tuple[SweepBlock, Panel]], rules: Rules) -> Floats:
    """The yearly Sharpe ratio over the bars of several stretches, (sets, symbols of any of them).

    From each stretch's own ratio and deviation; where returns never vary each of them is the mean that compounds to
    the total.
    """
    symbols = sorted({symbol for _, part in blocks for symbol in part.symbols})
    place = {symbol: at for at, symbol in enumerate(symbols)}
    year = float(rules.annualisation or math.nan)
    free = float(rules.risk_free) / year
    sets = blocks[0][0].values["sharpe"].shape[0]
    count, total, squares = np.zeros((3, sets, len(symbols)))
    for block, part in blocks:
        at = [place[symbol] for symbol in part.symbols]
        bars = np.diff(part.offsets).astype(np.float64)
        deviation = block.values["volatility"] / math.sqrt(year)
        still = np.maximum(1.0 + block.values["total_return"], 0.0) ** (1.0 / bars) - 1.0
        mean = np.where(deviation > 0.0, block.values["sharpe"] * deviation / math.sqrt(year) + free, still)
        count[:, at] += bars
        total[:, at] += mean * bars
        squares[:, at] += np.where(bars > 1.0, deviation**2, 0.0) * (bars - 1.0) + mean**2 * bars
    mean = total / count
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = np.sqrt((squares - count * mean**2) / (count - 1.0))
        return np.where(deviation > 1e-12 * np.abs(mean), (mean - free) / deviation * math.sqrt(year), np.nan)


def _median(values: Floats) -> Floats:
    return SweepBlock(0, {"": values}, np.empty(0, np.int64), np.empty(0)).median("")
