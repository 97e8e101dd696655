"""Combinatorial purged cross-validation: many histories out of sample instead of the one that a walk-forward has.

    found = cross_validate(grid, panel, Rules(fees=0.0005), combinatorial(panel.sessions.size, groups=6, test_groups=2))
    found.paths["sharpe"]              how much the answer depends on which bars were kept for the test

Every split chooses on what its test groups leave, by the Sharpe ratio over those bars together, and trades its choice
in each test group: flat at its first bar, closed at its last close with costs. A path takes every group once, from the
split that tests it there. Indicators see all earlier bars. Sets are also chosen on bars after a test, so a path is no
history that anybody could have traded; it says how stable the search is.

Source: López de Prado, Advances in Financial Machine Learning (2018), ch. 12.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from agents.backtest.grid import Grid
from agents.backtest.metrics import bar_returns
from agents.backtest.rules import Rules
from agents.backtest.selection import Leader, Selection, choose
from agents.backtest.sharpe import track
from agents.backtest.simulation import bars_of_a_year
from agents.backtest.stitching import simulation
from agents.backtest.validation import Combinations
from agents.expr import AgentVotes, evaluate, parse
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel


@dataclass(frozen=True, eq=False)
class CrossValidated:
    """What was found.

    paths:  path, sharpe (per year), total_return, max_drawdown; null = undefined.
    splits: split, groups (that it tests, as "0+3"), the chosen parameters by name, train_score (Sharpe ratio per year).
    """

    paths: pl.DataFrame
    splits: pl.DataFrame

    def summary(self) -> dict[str, float | None]:
        """Mean, deviation (ddof 1), smallest, median and largest Sharpe ratio, and the share of paths below 0.

        None where no path has one (for the deviation: fewer than two).
        """
        found = self.paths["sharpe"].drop_nulls()
        stats = {"mean": found.mean(), "deviation": found.std(), "smallest": found.min()}
        stats |= {"median": found.median(), "largest": found.max(), "below_zero": (found < 0.0).mean()}
        return {name: None if value is None else float(value) for name, value in stats.items()}  # type: ignore[arg-type]


def cross_validate(grid: Grid, panel: Panel, rules: Rules, combinations: Combinations) -> CrossValidated:
    """Choose in every split, test in every group, and put the paths together.

    Raises: InvalidInput when the groups are not those of the panel's sessions, and what a walk-forward refuses.
    """
    if combinations.groups[-1].stop != panel.sessions.size:
        raise InvalidInput(
            f"the groups end at session {combinations.groups[-1].stop} and the bars have {panel.sessions.size}; "
            "make them of the panel's sessions"
        )
    year = float(rules.annualisation or bars_of_a_year(panel))
    rules, votes = replace(rules, annualisation=year), AgentVotes(panel)
    rank = None if rules.rank is None else evaluate({"rank": parse(rules.rank)}, panel, {}, votes)["rank"]
    trains = [split.train for split in combinations.splits]
    chosen = choose(Selection.of(grid, panel, votes, rules, trains, year=year))
    earned: dict[tuple[int, int], Floats] = {}  # by set and group: several splits choose the same
    for position in {best.position for best in chosen}:
        orders = next(grid.sets(np.array([position], np.int64))).evaluate(panel, votes)
        for split, best in zip(combinations.splits, chosen, strict=True):
            for group in split.groups if best.position == position else ():
                if (position, group) not in earned:
                    stretch = combinations.groups[group]
                    run = simulation(panel, stretch, orders, rules, rank, finish_all=True).run()
                    earned[position, group] = bar_returns(run.equity, rules.cash)
    rows = [
        _row(number, [earned[chosen[split].position, group] for group, split in enumerate(path)], rules, year)
        for number, path in enumerate(combinations.paths)
    ]
    schema = {"path": pl.Int64, "sharpe": pl.Float64, "total_return": pl.Float64, "max_drawdown": pl.Float64}
    return CrossValidated(pl.DataFrame(rows, schema=schema), pl.DataFrame(list(_splits(grid, combinations, chosen))))


def _row(number: int, parts: list[Floats], rules: Rules, year: float) -> dict[str, Any]:
    returns = np.concatenate(parts)
    if not np.isfinite(returns).all() or returns.min() <= -1.0:  # the money was gone
        return {"path": number, "sharpe": None, "total_return": -1.0, "max_drawdown": -1.0}
    curve = np.cumprod(np.concatenate([[1.0], 1.0 + returns]))
    record = track(returns, rules.risk_free / year)
    return {
        "path": number,
        "sharpe": None if record is None else record.sharpe * math.sqrt(year),
        "total_return": float(curve[-1]) - 1.0,
        "max_drawdown": float((curve / np.maximum.accumulate(curve)).min()) - 1.0,
    }


def _splits(grid: Grid, combinations: Combinations, chosen: list[Leader]) -> Iterator[dict[str, Any]]:
    for number, (split, best) in enumerate(zip(combinations.splits, chosen, strict=True)):
        parameters = {axis.name: value for axis, value in zip(grid.axes, best.values, strict=True)}
        yield {
            "split": number,
            "groups": "+".join(map(str, split.groups)),
            **parameters,
            "train_score": best.score,
        }
