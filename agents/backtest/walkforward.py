"""Choose on the past, trade what follows, move on: a strategy judged on bars that nothing about it was chosen on.

    walk = Walk(grid, panel, "sp500", Rules(fees=0.0005), Lengths(train=504, test=126, purge=5))
    walked = walk_forward(walk)
    ledger.count(walked.trials); walked.judged(ledger.total(*walk.family))

Every fold chooses on its own train bars (`selection`) and trades the choice on its test bars: flat at the first of
them, closed at the last close with costs, indicators having seen all earlier bars. A fold starts with the money the one
before ended with, shared out anew. What the strategy did out of sample is the tests one after the other. A grid of one
set (an agent, the consensus) chooses nothing and is tested fold by fold all the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs

from agents.backtest.choosing import CHUNK_S, Choice, Tried, try_sets, winners
from agents.backtest.display import Chart
from agents.backtest.display_search import walk_card, walk_chart, walk_line
from agents.backtest.grid import Grid
from agents.backtest.metrics import bar_returns
from agents.backtest.record import spec_id
from agents.backtest.result import Result
from agents.backtest.rules import Rules
from agents.backtest.selection import RANKED, Leader, Selection, Stretches
from agents.backtest.sharpe import Track, track
from agents.backtest.single import judgement
from agents.backtest.stitching import Test, simulation, stitched, tested
from agents.backtest.validation import Fold
from agents.backtest.validation import walk_forward as folds_of
from agents.expr import AgentVotes, evaluate, parse
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel, from_micros
from data.contracts.trials import TrialCount, TrialTotal

TESTED = ("total_return", "cagr", "sharpe", "max_drawdown", "trades")  # of each fold, in the table of folds
COLUMNS = ("fold", "partial", "train_first", "train_last", "test_first", "test_last", "train_score", "train_return")
TABLES = ("folds", "drift")
LARGEST_POWER = 700.0  # e to it is near the largest float
TOO_SHORT = "so few bars gained so much that a year of it is no number"
NO_TRAIN_GAIN = "the chosen sets gained nothing on the bars they were chosen on"


@dataclass(frozen=True, slots=True)
class Lengths:
    """Of the folds, in sessions; see `validation`."""

    train: int
    test: int
    purge: int = 0
    embargo: int = 0
    anchored: bool = False


@dataclass(frozen=True, eq=False)
class Walk(Choice):
    """What is asked.

    Raises: InvalidInput when there are too few bars, sets cannot be ranked by the metric, or a parameter has no value.
    """

    grid: Grid
    panel: Panel
    universe: str
    rules: Rules
    lengths: Lengths
    metric: str = "sharpe"
    chunk_s: float = CHUNK_S

    def __post_init__(self) -> None:
        if self.metric not in RANKED:
            known = ", ".join(RANKED)
            raise InvalidInput(f"sets cannot be ranked by {self.metric!r}; choose one of {known}", metric=self.metric)
        self.check((*COLUMNS, *(f"test_{name}" for name in TESTED)), "folds")
        assert self.folds  # raises for too few bars

    @property
    def kind(self) -> str:
        """See `Choice.kind`."""
        return "walkforward"

    @cached_property
    def folds(self) -> tuple[Fold, ...]:
        """Positions among the panel's sessions."""
        return folds_of(int(self.panel.sessions.size), **asdict(self.lengths))

    @cached_property
    def trains(self) -> Sequence[Stretches]:
        """One for every fold."""
        return [(fold.train,) for fold in self.folds]

    def facts(self) -> dict[str, Any]:
        """See `Choice.facts`."""
        return {"lengths": asdict(self.lengths), "metric": self.metric}


@dataclass(frozen=True, eq=False)
class WalkForward:
    """What was found.

    stitched: the tests one after the other, as one backtest. With every fold the money is shared out anew, so
              `by_symbol` has only the metrics that follow from trades.
    folds:    fold, partial, train_first, train_last, test_first, test_last (sessions), the chosen parameters by name,
              train_score (the metric that chose them), train_return, test_total_return, … (`TESTED`); null = undefined.
    drift:    one row per parameter that was searched: most_often, distinct (values chosen), changes (from a fold to
              the next), smallest, largest, mean_step (mean change as a share of the grid's range; null for symbols).
    Equal results give equal bytes in every file.
    """

    stitched: Result
    folds: pl.DataFrame
    drift: pl.DataFrame

    @property
    def equity(self) -> pl.DataFrame:
        """Out of sample; see `Result.equity`."""
        return self.stitched.equity

    @property
    def trades(self) -> pl.DataFrame:
        """Out of sample; see `Result.trades`."""
        return self.stitched.trades

    @property
    def metrics(self) -> dict[str, float | None]:
        """Of the stitched curve."""
        return self.stitched.metrics

    @property
    def context(self) -> dict[str, Any]:
        """See `Result.context`; `walkforward` holds the folds' lengths and the efficiency."""
        return self.stitched.context

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know."""
        return self.stitched.warnings

    @property
    def result_id(self) -> str:
        """What the bits stand for."""
        return self.stitched.result_id

    def plot(self) -> Chart:
        """The stitched curve with the first session of every test; `.save("walk.svg")` keeps it."""
        return walk_chart(self)

    def _repr_html_(self) -> str:
        return walk_card(self)

    def __repr__(self) -> str:
        return walk_line(self)

    def report(self, path: str | Path) -> Path:
        """Write the tear sheet of the stitched curve; returns where it lies."""
        return self.stitched.report(path)

    def save(self, folder: str | Path) -> Path:
        """Write the files of `Result.save`, folds.parquet and drift.parquet."""
        target = self.stitched.save(folder)
        for name in TABLES:
            getattr(self, name).write_parquet(target / f"{name}.parquet")
        return target

    @classmethod
    def load(cls, folder: str | Path) -> WalkForward:
        """What `save` wrote. Raises InvalidInput when a file is missing or cannot be read."""
        stitched, tables = Result.load(folder), []
        for name in TABLES:
            try:
                tables.append(pl.read_parquet(Path(folder) / f"{name}.parquet"))
            except (OSError, pl.exceptions.PolarsError) as problem:
                raise InvalidInput(f"the result in {folder} cannot be read ({problem}); run it again") from None
        return cls(stitched, *tables)


@dataclass(frozen=True, eq=False)
class Walked:
    """A result and the trials it adds to its family: every set in every fold; of one set, the stitched curve."""

    walk: Walk
    result: WalkForward
    record: Track | None
    trials: tuple[TrialCount, ...]

    def judged(self, total: TrialTotal) -> WalkForward:
        """The result beside all trials of its family on this universe, these among them."""
        stitched = self.result.stitched
        said = replace(stitched, context={**stitched.context, **judgement(stitched, self.record, total)})
        return replace(self.result, stitched=said)


def walk_forward(walk: Walk) -> Walked:
    """Choose and test, fold by fold, here and now.

    Raises: InvalidInput for parameters and symbols that the strategy cannot use, and rules that do not fit.
    """
    votes = AgentVotes(walk.panel)
    selection = walk.selection(votes)
    return concluded(walk, selection, [try_sets(selection, positions) for positions in walk.chunks()], votes)


def concluded(walk: Walk, selection: Selection, tried: Sequence[Tried], votes: AgentVotes) -> Walked:
    """Test what the leaders of all chunks have shown to be best, fold by fold. Their order does not matter."""
    parts, panel = sorted(tried, key=lambda one: one.counted.first), walk.panel
    chosen = winners(selection, parts)
    rules = replace(walk.rules, annualisation=walk.year)
    rank = None if rules.rank is None else evaluate({"rank": parse(rules.rank)}, panel, {}, votes)["rank"]
    orders = {best.position: walk.bound(best.position).evaluate(panel, votes) for best in chosen}
    tests: list[Test] = []
    growths: list[float] = []
    for fold, best in zip(walk.folds, chosen, strict=True):
        decided = orders[best.position]
        train = simulation(panel, fold.train, decided, rules, rank, finish_all=False).run()
        growths.append(float(train.equity[-1]) / rules.cash)
        before = tests[-1] if tests else None
        money = rules.cash if before is None else 0.0 if before.result is None else before.result.equity["equity"][-1]
        if money > 0.0:
            tests.append(tested(panel, fold.test, decided, replace(rules, cash=money), rank))
        else:
            tests.append(Test(fold.test, None, None))
    name = f"{walk.grid.strategy.name}, walked forward"
    found = stitched(panel, rules, tests, name)
    facts = {"universe": walk.universe, "walkforward": {**asdict(walk.lengths), **_efficiency(walk, growths, found)}}
    last = walk.folds[-1]
    short = f"the last test has {len(last.test)} of {walk.lengths.test} bars: there are no more"
    found = replace(
        found,
        context={**found.context, **facts},
        warnings=(*found.warnings, short) if last.partial else found.warnings,
        result_id=walk.result_id,
    )
    rows = [_row(walk, *one) for one in zip(walk.folds, chosen, tests, growths, strict=True)]
    folds = pl.DataFrame(rows, infer_schema_length=None).with_columns(cs.by_dtype(pl.Null).cast(pl.Float64))
    result = WalkForward(found, folds, _drift(walk, chosen))
    returns = bar_returns(result.equity["equity"].to_numpy(), rules.cash)
    record = track(returns, rules.risk_free / walk.year) if np.isfinite(returns).all() else None
    trials = [count for one in parts for count in walk.trial_counts(one)]
    if walk.grid.positions.size == 1 and record is not None:  # nothing was chosen: what was tried is the curve itself
        trials.append(TrialCount(spec_id(walk.spec), *walk.family, 1, record.sharpe, 0.0))
    return Walked(walk, result, record, tuple(trials))


def _row(walk: Walk, fold: Fold, best: Leader, test: Test, growth: float) -> dict[str, Any]:
    sessions = {"train_first": fold.train[0], "train_last": fold.train[-1]}
    sessions |= {"test_first": fold.test[0], "test_last": fold.test[-1]}
    metrics = {} if test.result is None else test.result.metrics
    return {
        "fold": fold.number,
        "partial": fold.partial,
        **{name: from_micros(int(walk.panel.sessions[at])) for name, at in sessions.items()},
        **{axis.name: value for axis, value in zip(walk.grid.axes, best.values, strict=True)},
        "train_score": best.score,
        "train_return": growth - 1.0,
        **{f"test_{name}": metrics.get(name) for name in TESTED},
    }


def _efficiency(walk: Walk, growths: Sequence[float], found: Result) -> dict[str, Any]:
    """What was earned per year out of sample as a share of what was earned where the sets were chosen."""
    bars = sum(len(fold.train) for fold in walk.folds)
    train = _per_year(math.prod(max(growth, 0.0) for growth in growths), bars, walk.year)
    test = _per_year(1.0 + float(found.metrics["total_return"] or 0.0), found.equity.height, walk.year)
    why = TOO_SHORT if train is None or test is None else NO_TRAIN_GAIN if train <= 0.0 else None
    return {
        "metric": walk.metric,
        "folds": len(walk.folds),
        "sets": int(walk.grid.positions.size),
        "train_return_per_year": train,
        "test_return_per_year": test,
        "efficiency": None if why or test is None or train is None else test / train,
        "efficiency_reason": why,
    }


_DRIFT = {
    "parameter": pl.String,
    "most_often": pl.String,
    "distinct": pl.Int64,
    "changes": pl.Int64,
    "smallest": pl.Float64,
    "largest": pl.Float64,
    "mean_step": pl.Float64,
}


def _drift(walk: Walk, chosen: Sequence[Leader]) -> pl.DataFrame:
    rows = []
    for at, axis in enumerate(walk.grid.axes):
        if len(axis.values) == 1:
            continue
        values = [best.values[at] for best in chosen]
        row: dict[str, Any] = {
            "parameter": axis.name,
            "most_often": str(max(axis.values, key=values.count)),
            "distinct": len(set(values)),
            "changes": sum(a != b for a, b in pairwise(values)),
        }
        numbers = [float(value) for value in values if not isinstance(value, str)]
        if len(numbers) == len(values):
            grid = [float(value) for value in axis.values]
            steps = [abs(b - a) / (max(grid) - min(grid)) for a, b in pairwise(numbers)]
            row |= {"smallest": min(numbers), "largest": max(numbers)}
            row["mean_step"] = math.fsum(steps) / len(steps) if steps else None
        rows.append(row)
    return pl.DataFrame(rows, schema=_DRIFT)


def _per_year(growth: float, bars: int, year: float) -> float | None:
    """None where a few good bars would make more of a year than a number can hold."""
    power = math.log(growth) * year / bars if growth > 0.0 else -math.inf
    return math.expm1(power) if power < LARGEST_POWER else None
