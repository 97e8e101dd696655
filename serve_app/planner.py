"""Turns a question that came over the wire into a plan that a worker can answer: strategy, bars, sets, costs, checked.

Nothing is computed here but what a question needs to be known by: its bars' hash, its sets, its predicted cost. Files
are never read because a question names them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from agents.backtest.catalogue import builtin, builtins, load_mapping
from agents.backtest.catalogue import strategy as strategy_of
from agents.backtest.grid import MOST, Axis, Grid
from agents.backtest.picking import Guide
from agents.backtest.rules import Rules
from agents.backtest.search import Search
from agents.backtest.single import Question
from agents.backtest.strategy import DECISIONS, LEVELS, RESERVED, Param, Strategy
from agents.backtest.walkforward import Lengths, Walk
from data.contracts.errors import InvalidInput, NotFound
from data.contracts.panel import Panel
from data.market.archive import UPLOAD
from data.market.source import Bars
from data.market.universe import spelled
from data.settings import Settings
from serve_app import backtests, sweeps, walkforwards
from serve_app.api.compute import Planned
from serve_app.api.research_models import (
    Asked,
    BacktestCreate,
    Searched,
    StrategyParam,
    StrategyView,
    SweepCreate,
    WalkForwardCreate,
)
from serve_app.api.research_models import Question as Wanted
from serve_app.runs import Plan, Source

MOST_VALUES = 10_000  # of one parameter: they stand in the job's row
_SPELLED = {"name", "where", *DECISIONS, *LEVELS}
_RANGE = re.compile(r"\s*(-?[0-9.eE+-]+)\s*:\s*(-?[0-9.eE+-]+)\s*(?::\s*([0-9.eE+-]+)\s*)?")


class Planner:
    """Plans questions about the bars of a feed, and about uploads."""

    def __init__(self, settings: Settings, source: str, bars: Bars) -> None:
        """source: what other processes open the feed's bars by; bars: these."""
        self._settings, self._source, self._feed = settings, source, bars
        self._upload: tuple[str, Bars] | None = None  # the last one: the next question is often about the same

    def strategies(self) -> list[StrategyView]:
        """The built-in ones, by name."""
        return [_view(one) for one in builtins().values()]

    def plan(self, wanted: Asked, clock: datetime | None) -> Planned:
        """What is asked, and what it would take. clock: the feed's; its bars after that are not used.

        Raises: InvalidInput for what cannot be asked.
        """
        asked = self._bars(wanted, clock)
        rules = Rules.of({name: value for name, value in wanted.rules.items() if value is not None})
        if isinstance(wanted, BacktestCreate):
            return _backtest(wanted, asked, rules)
        grid = _grid(wanted)
        if isinstance(wanted, SweepCreate):
            return _sweep(wanted, asked, rules, grid)
        return _walk(wanted, asked, rules, grid)

    def _bars(self, wanted: Wanted, clock: datetime | None) -> _Asked:
        if wanted.bars is None:
            loaded, until = self._feed, None if clock is None else clock.astimezone(UTC).isoformat()
            source = Source(self._source, until=until)
        else:
            source = Source(f"{UPLOAD}{wanted.bars}")
            loaded = self._uploaded(wanted.bars, source)
        symbols = None if wanted.symbols is None else spelled(wanted.symbols, loaded.panel.symbols)
        source = Source(source.bars, symbols, until=source.until)
        panel, universe = source.chosen(loaded)
        return _Asked(source, panel, universe)

    def _uploaded(self, data_hash: str, source: Source) -> Bars:
        held = self._upload
        if held is None or held[0] != data_hash:
            try:
                held = data_hash, source.load(self._settings.home)
            except NotFound as problem:  # it is the question that is wrong, not its address
                raise InvalidInput(str(problem)) from None
            self._upload = held
        return held[1]


@dataclass(frozen=True, eq=False)
class _Asked:
    """The bars of a question."""

    source: Source
    panel: Panel
    universe: str


def _backtest(wanted: BacktestCreate, asked: _Asked, rules: Rules) -> Planned:
    bound = _strategy(wanted, wanted.params).bind(**wanted.params)
    plan = backtests.Plan(Question(bound, asked.panel, asked.universe, rules), asked.source)
    symbols = len(asked.panel.symbols)
    return _planned(backtests.KIND, plan, asked, sets=1, backtests=symbols, chunks=1, worker_bytes=plan.peak_bytes)


def _sweep(wanted: SweepCreate, asked: _Asked, rules: Rules, grid: Grid) -> Planned:
    guide = Guide.of(wanted.search, wanted.trials)
    search = Search(grid, asked.panel, asked.universe, rules, wanted.metric, guide=guide)
    plan = sweeps.Plan(search, asked.source)
    found = search.estimate
    return _planned(
        sweeps.KIND,
        plan,
        asked,
        sets=plan.total,
        backtests=found.backtests,
        chunks=search.chunk_count,
        worker_bytes=found.peak_bytes,
    )


def _walk(wanted: WalkForwardCreate, asked: _Asked, rules: Rules, grid: Grid) -> Planned:
    lengths = Lengths(wanted.train, wanted.test, wanted.purge, wanted.embargo, wanted.anchored)
    walk = Walk(grid, asked.panel, asked.universe, rules, lengths, wanted.metric)
    found = walk.estimate
    return _planned(
        walkforwards.KIND,
        walkforwards.Plan(walk, asked.source),
        asked,
        sets=int(grid.positions.size),
        backtests=found.backtests,
        chunks=sum(1 for _ in walk.chunks()),
        worker_bytes=found.peak_bytes,
    )


def _planned(
    kind: str, plan: Plan, asked: _Asked, *, sets: int, backtests: int, chunks: int, worker_bytes: int
) -> Planned:
    return Planned(
        kind=kind,
        spec=plan.spec,
        result_id=plan.result_id,
        total=plan.total,
        sets=sets,
        symbols=len(asked.panel.symbols),
        bars=len(asked.panel),
        backtests=backtests,
        chunks=chunks,
        core_seconds=plan.seconds,
        worker_bytes=worker_bytes,
    )


def _strategy(wanted: Wanted, defaults: Mapping[str, object]) -> Strategy:
    """The strategy of a question; defaults: of the free names of one that is spelled out."""
    if isinstance(wanted.strategy, str):
        try:
            return builtin(wanted.strategy)
        except NotFound as problem:
            raise InvalidInput(str(problem)) from None
    told = wanted.strategy
    if told.params is not None:
        return load_mapping(told.model_dump(exclude_none=True), origin=told.name)
    taken = sorted(RESERVED & set(defaults))
    if taken:
        raise InvalidInput(f"a parameter cannot be called {taken[0]!r}: backtests use that word")
    return strategy_of(**told.model_dump(include=_SPELLED), **dict(defaults))  # type: ignore[arg-type]  # checked there


def _grid(wanted: Searched) -> Grid:
    axes: list[Axis] = []
    for name, given in wanted.grid.items():
        _check_size(name, given)
        axes.append(Axis.of(name, given))
        if math.prod(len(axis.values) for axis in axes) > MOST:
            raise InvalidInput(f"more than {MOST:,} combinations are too many; use wider steps, or fewer parameters")
    strategy = _strategy(wanted, {axis.name: axis.values[0] for axis in axes})
    return Grid(strategy, tuple(axes), wanted.where, wanted.sample, wanted.seed)


def _check_size(name: str, given: object) -> None:
    """Before a range is written out."""
    found = _RANGE.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        return  # a list is as long as it was sent, and what is no range is told by `Axis.of`
    try:
        first, end, step = (float(part) for part in (found[1], found[2], found[3] or "1"))
    except ValueError:
        return
    if step > 0 and not (end - first) / step <= MOST_VALUES:
        raise InvalidInput(f"{name}={given} has more than {MOST_VALUES:,} values; use a wider step", parameter=name)


def _view(strategy: Strategy) -> StrategyView:
    return StrategyView(
        name=strategy.name,
        description=strategy.description,
        source=strategy.source,
        params=[_param(param) for param in strategy.params],
        rules={key: expression.text for key, expression in strategy.rules.items()},
        where=None if strategy.where is None else strategy.where.text,
    )


def _param(param: Param) -> StrategyParam:
    low, high = (None if not math.isfinite(edge) else float(edge) for edge in (param.low, param.high))
    return StrategyParam(
        name=param.name,
        kind=param.kind,
        default=param.default,
        low=low,
        high=high,
        whole=param.whole,
        description=param.description,
    )
