"""Combinatorial purged cross-validation: many histories out of sample instead of the one that a walk-forward has.

    asked = CrossValidation(grid, panel, "sp500", Rules(fees=0.0005), Groups(groups=6, test_groups=2, purge=5))
    checked = cross_validate(asked)
    ledger.count(checked.trials); checked.judged(ledger.total(*asked.family)).paths["sharpe"]

Every split chooses on what its test groups leave, by the Sharpe ratio over those bars together, and trades its choice
in each test group: flat at its first bar, closed at its last close with costs. A path takes every group once, from the
split that tests it there. Indicators see all earlier bars. Sets are also chosen on bars after a test, so a path is no
history that anybody could have traded; it says how stable the search is.

Choosing can be done in pieces (`choosing`); `put_together` trades what they came to.
Source: López de Prado, Advances in Financial Machine Learning (2018), ch. 12.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from agents.backtest.choosing import CHUNK_S, Choice, Tried, try_sets, winners
from agents.backtest.display_search import paths_card, paths_line
from agents.backtest.grid import Grid
from agents.backtest.metrics import bar_returns
from agents.backtest.rules import Rules
from agents.backtest.selection import Leader, Selection, Stretches
from agents.backtest.sharpe import track
from agents.backtest.stitching import simulation
from agents.backtest.validation import Combinations, combinatorial
from agents.expr import AgentVotes, evaluate, parse
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel
from data.contracts.trials import TrialCount, TrialTotal

FACTS = "summary.json"
TABLES = ("paths", "splits")
_PATHS = {"path": pl.Int64, "sharpe": pl.Float64, "total_return": pl.Float64, "max_drawdown": pl.Float64}


@dataclass(frozen=True, slots=True)
class Groups:
    """How the sessions are cut, in sessions; see `validation.combinatorial`."""

    groups: int = 6
    test_groups: int = 2
    purge: int = 0
    embargo: int = 0


@dataclass(frozen=True, eq=False)
class CrossValidation(Choice):
    """What is asked. Sets are chosen by their Sharpe ratio.

    Raises: InvalidInput when there are too few bars, too many splits, or a parameter has no value.
    """

    grid: Grid
    panel: Panel
    universe: str
    rules: Rules
    groups: Groups
    metric: str = "sharpe"
    chunk_s: float = CHUNK_S

    def __post_init__(self) -> None:
        self.check(("split", "groups", "train_score"), "splits")
        if self.metric != "sharpe":
            raise InvalidInput(f"a cross-validation chooses by sharpe, not by {self.metric!r}")
        assert self.combinations  # raises for too few bars

    @property
    def kind(self) -> str:
        """See `Choice.kind`."""
        return "crossvalidation"

    @cached_property
    def combinations(self) -> Combinations:
        """Positions among the panel's sessions."""
        return combinatorial(int(self.panel.sessions.size), **asdict(self.groups))

    @cached_property
    def trains(self) -> Sequence[Stretches]:
        """One for every split."""
        return [split.train for split in self.combinations.splits]

    def facts(self) -> dict[str, Any]:
        """See `Choice.facts`."""
        return asdict(self.groups)


@dataclass(frozen=True, eq=False)
class CrossValidated:
    """What was found.

    facts:  result_id, data_hash, strategy, metric, sets, symbols, groups, test_groups, purge, embargo, summary (see
            there), context (trials).
    paths:  path, sharpe (per year), total_return, max_drawdown; null = undefined.
    splits: split, groups (that it tests, as "0+3"), the chosen parameters by name, train_score (Sharpe ratio per year).
    Equal results give equal bytes in every file.
    """

    facts: dict[str, Any]
    paths: pl.DataFrame
    splits: pl.DataFrame

    @property
    def result_id(self) -> str:
        """What the bits stand for."""
        return str(self.facts["result_id"])

    @property
    def summary(self) -> dict[str, float | None]:
        """Of the paths' Sharpe ratios: mean, deviation (ddof 1), smallest, median, largest, and the share below 0.

        None where no path has one (for the deviation: fewer than two).
        """
        found: dict[str, float | None] = self.facts["summary"]
        return found

    @property
    def context(self) -> dict[str, Any]:
        """trials: parameter sets of this family ever tried here."""
        found: dict[str, Any] = self.facts["context"]
        return found

    def _repr_html_(self) -> str:
        return paths_card(self)

    def __repr__(self) -> str:
        return paths_line(self)

    def save(self, folder: str | Path) -> Path:
        """Write paths.parquet, splits.parquet and summary.json into a folder, made if need be."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        for name in TABLES:
            getattr(self, name).write_parquet(target / f"{name}.parquet")
        (target / FACTS).write_text(json.dumps(self.facts, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        return target

    @classmethod
    def load(cls, folder: str | Path) -> CrossValidated:
        """What `save` wrote. Raises InvalidInput when a file is missing or cannot be read."""
        source = Path(folder)
        try:
            facts = json.loads((source / FACTS).read_text(encoding="utf-8"))
            return cls(facts, *(pl.read_parquet(source / f"{name}.parquet") for name in TABLES))
        except (OSError, ValueError, pl.exceptions.PolarsError) as problem:
            raise InvalidInput(f"the result in {folder} cannot be read ({problem}); run it again") from None


@dataclass(frozen=True, eq=False)
class Checked:
    """A result and the trials it adds to its family: every set in every split."""

    result: CrossValidated
    trials: tuple[TrialCount, ...]

    def judged(self, total: TrialTotal) -> CrossValidated:
        """The result beside all trials of its family on this universe, these among them."""
        return replace(self.result, facts={**self.result.facts, "context": {"trials": total.trials}})


def cross_validate(asked: CrossValidation) -> Checked:
    """Choose in every split, test in every group, and put the paths together, here and now.

    Raises: InvalidInput for parameters and symbols that the strategy cannot use, and rules that do not fit.
    """
    votes = AgentVotes(asked.panel)
    selection = asked.selection(votes)
    return put_together(asked, selection, [try_sets(selection, positions) for positions in asked.chunks()], votes)


def put_together(asked: CrossValidation, selection: Selection, tried: Sequence[Tried], votes: AgentVotes) -> Checked:
    """Trade what the leaders of all chunks have shown to be best. Their order does not matter."""
    parts = sorted(tried, key=lambda one: one.counted.first)
    chosen, combinations, panel = winners(selection, parts), asked.combinations, asked.panel
    rules = replace(asked.rules, annualisation=asked.year)
    rank = None if rules.rank is None else evaluate({"rank": parse(rules.rank)}, panel, {}, votes)["rank"]
    earned: dict[tuple[int, int], Floats] = {}  # by set and group: several splits choose the same
    for position in {best.position for best in chosen}:
        orders = asked.bound(position).evaluate(panel, votes)
        for split, best in zip(combinations.splits, chosen, strict=True):
            for group in split.groups if best.position == position else ():
                if (position, group) not in earned:
                    stretch = combinations.groups[group]
                    run = simulation(panel, stretch, orders, rules, rank, finish_all=True).run()
                    earned[position, group] = bar_returns(run.equity, rules.cash)
    rows = [
        _row(number, [earned[chosen[split].position, group] for group, split in enumerate(path)], rules, asked.year)
        for number, path in enumerate(combinations.paths)
    ]
    paths = pl.DataFrame(rows, schema=_PATHS)
    facts = {
        "result_id": asked.result_id,
        "data_hash": panel.content_hash,
        "strategy": asked.grid.strategy.name,
        "metric": asked.metric,
        "sets": int(asked.grid.positions.size),
        "symbols": len(panel.symbols),
        **asdict(asked.groups),
        "summary": _summary(paths["sharpe"].drop_nulls()),
        "context": {},
    }
    found = CrossValidated(facts, paths, pl.DataFrame(list(_splits(asked.grid, combinations, chosen))))
    return Checked(found, tuple(count for one in parts for count in asked.trial_counts(one)))


def _summary(found: pl.Series) -> dict[str, float | None]:
    stats = {"mean": found.mean(), "deviation": found.std(), "smallest": found.min()}
    stats |= {"median": found.median(), "largest": found.max(), "below_zero": (found < 0.0).mean()}
    return {name: None if value is None else float(value) for name, value in stats.items()}  # type: ignore[arg-type]


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


def _splits(grid: Grid, combinations: Combinations, chosen: Sequence[Leader]) -> Iterator[dict[str, Any]]:
    for number, (split, best) in enumerate(zip(combinations.splits, chosen, strict=True)):
        parameters = {axis.name: value for axis, value in zip(grid.axes, best.values, strict=True)}
        yield {
            "split": number,
            "groups": "+".join(map(str, split.groups)),
            **parameters,
            "train_score": best.score,
        }
