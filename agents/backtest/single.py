"""One strategy on one set of bars: the question, its result with an id, and how far its Sharpe ratio can be believed.

    tested = ask(Question(bound, panel, universe="sp500", rules=Rules(fees=0.0005)))
    ledger.count([tested.trial]); tested.judged(ledger.total(...))

The result's bits depend on the question only. `judged` adds to `context` what depends on the trials made so far.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np

from agents.backtest.bootstrap import affordable_draws, intervals, repeatable
from agents.backtest.engine import backtest
from agents.backtest.metrics import bar_returns
from agents.backtest.record import definition, result_id, spec_id
from agents.backtest.result import Result
from agents.backtest.rules import Rules
from agents.backtest.sharpe import (
    Track,
    deflated_sharpe,
    effective_trials,
    minimum_track_record,
    probabilistic_sharpe,
    sharpe_interval,
    track,
)
from agents.backtest.strategy import Bound
from agents.expr import AgentVotes, evaluate, parse
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel, from_micros
from data.contracts.trials import TrialCount, TrialTotal

SCATTER = 0.90  # share of the drawn histories between sharpe_low and sharpe_high


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked. universe: its id, by which trials are counted.

    Raises: InvalidInput when there are no bars.
    """

    bound: Bound
    panel: Panel
    universe: str
    rules: Rules

    def __post_init__(self) -> None:
        if not len(self.panel):
            raise InvalidInput("there are no bars to test on; choose symbols and dates that have some")

    @cached_property
    def spec(self) -> dict[str, Any]:
        """All that the result depends on but the code, as plain JSON."""
        return {
            "kind": "backtest",
            "strategy": definition(self.bound.strategy),
            "params": dict(self.bound.values),
            "rules": self.rules.facts(),
            "universe": self.universe,
            "data": self.panel.content_hash,
            "context": {name: series.digest for name, series in sorted(self.panel.context.items())},
        }

    @cached_property
    def family(self) -> tuple[str, str, datetime, datetime]:
        """What its trial is counted with: the strategy's family, the universe, the first and last session."""
        first, last = (from_micros(int(self.panel.sessions[at])) for at in (0, -1))
        return self.bound.family, self.universe, first, last

    @cached_property
    def result_id(self) -> str:
        """See `record.result_id`."""
        return result_id(self.spec)


@dataclass(frozen=True, eq=False)
class Tested:
    """A result, and the one trial it adds to its family; None where it has no Sharpe ratio."""

    question: Question
    result: Result
    record: Track | None

    @property
    def trial(self) -> TrialCount | None:
        """For the ledger."""
        if self.record is None:
            return None
        return TrialCount(spec_id(self.question.spec), *self.question.family, 1, self.record.sharpe, 0.0)

    def judged(self, total: TrialTotal) -> Result:
        """The result beside all trials of its family on this universe, this one among them."""
        return replace(self.result, context={**self.result.context, **judgement(self.result, self.record, total)})


def ask(question: Question) -> Tested:
    """Run the backtest.

    Raises: InvalidInput for parameters and symbols that the strategy cannot use, and rules that do not fit.
    """
    panel, rules = question.panel, question.rules
    votes = AgentVotes(panel)
    orders = question.bound.evaluate(panel, votes)
    rank = None if rules.rank is None else evaluate({"rank": parse(rules.rank)}, panel, {}, votes)["rank"]
    found = backtest(
        panel,
        orders,
        rules,
        name=question.bound.strategy.name,
        rank=rank,
        context={"params": dict(question.bound.values), "universe": question.universe},
    )
    found = replace(found, result_id=question.result_id)
    returns = bar_returns(found.equity["equity"].to_numpy(), rules.cash)
    year = float(found.context["annualisation"])
    return Tested(question, found, track(returns, rules.risk_free / year) if np.isfinite(returns).all() else None)


def judgement(
    result: Result, record: Track | None, total: TrialTotal, correlation: float | None = None
) -> Mapping[str, Any]:
    """How far the Sharpe ratio of a result can be believed after so many trials; None where that is undefined.

    record: its track. trials: parameter sets of this family ever tried here. effective_trials: what they are worth if
    they are alike (`correlation`, the average between them; None: not known); the deflated ratio uses the raw count.
    psr, dsr: probability that the true ratio is above 0, and above what luck makes of the best of all trials.
    min_track_bars: bars after which this ratio would be above 0 with 95 %. sharpe_interval: 95 %, per year's root bar.
    sharpe_low, sharpe_high: 90 % of drawn histories have a ratio between them, per year like the metric.
    """
    trials = max(total.trials, 1)
    effective = None if correlation is None else effective_trials(trials, correlation)
    said: dict[str, Any] = {"trials": trials, "effective_trials": effective}
    if record is None:
        nothing = ("psr", "dsr", "min_track_bars", "sharpe_interval_per_bar", "sharpe_low", "sharpe_high")
        return {**said, **dict.fromkeys(nothing)}
    interval = sharpe_interval(record)
    length = minimum_track_record(record)
    low, high = _scatter(result) or (None, None)
    return {
        **said,
        "psr": probabilistic_sharpe(record),
        "dsr": deflated_sharpe(record, trials, total.variance),
        "min_track_bars": None if length is None else math.ceil(length),
        "sharpe_interval_per_bar": None if interval is None else list(interval),
        "sharpe_low": low,
        "sharpe_high": high,
    }


def _scatter(result: Result) -> tuple[float, float] | None:
    """Where the annual Sharpe ratio lies in 90 % of the histories drawn from the result's own bars."""
    rules, year = result.context["rules"], float(result.context["annualisation"])
    returns = bar_returns(result.equity["equity"].to_numpy(), float(rules["cash"]))
    draws = affordable_draws(returns.size)
    if draws is None:
        return None
    excess = returns - float(rules["risk_free"]) / year
    return intervals(excess, repeatable(), annualisation=year, draws=draws, confidence=SCATTER).sharpe
