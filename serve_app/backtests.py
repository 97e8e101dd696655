"""The backtest service: plans a test, answers it, keeps the result under its id, finds it again.

A result whose id is known is not computed again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.backtest.record import bound as bound_of
from agents.backtest.result import Result
from agents.backtest.rules import Rules
from agents.backtest.single import Question, ask
from data.clock import Clock
from data.settings import Settings
from data.store.jobs import Job
from data.store.runs import Run
from data.store.stores import Stores
from serve_app.runs import (
    ANOTHER_ID,
    LOCAL,
    Progress,
    Source,
    finish,
    folder_of,
    is_known,
    keep,
    reopened,
    with_stores,
)
from serve_app.stack import Say

KIND = "backtest"
_NS_PER_BAR = 470.0  # of one core; this and the next measured on 505 symbols of 5 years
_BYTES_PER_BAR = 120


@dataclass(frozen=True, eq=False)
class Plan:
    """A test that may be made; see `serve_app.runs.Plan`."""

    question: Question
    source: Source

    @property
    def spec(self) -> dict[str, Any]:
        """See `serve_app.runs.Plan`."""
        return {**self.question.spec, "source": self.source.facts()}

    @property
    def result_id(self) -> str:
        """See `agents.backtest.record`."""
        return self.question.result_id

    @property
    def total(self) -> int:
        """One test."""
        return 1

    @property
    def title(self) -> str:
        """A line for people."""
        return f"{self.question.bound.strategy.name} on {self.source.symbols or self.question.universe}"

    @property
    def seconds(self) -> float:
        """Of one core, predicted."""
        return len(self.question.panel) * _NS_PER_BAR * 1e-9

    @property
    def peak_bytes(self) -> int:
        """Memory it needs beside the bars, roughly."""
        return len(self.question.panel) * _BYTES_PER_BAR

    @classmethod
    def of(cls, settings: Settings, spec: Mapping[str, Any]) -> Plan:
        """What `spec` said. Raises InvalidInput when the bars are no longer what they were."""
        source, panel, universe = reopened(settings, spec)
        return cls(Question(bound_of(spec), panel, universe, Rules(**spec["rules"])), source)


@dataclass(frozen=True)
class Asked:
    """A result, and whether it was computed before."""

    result: Result
    known: bool


def run_backtest(settings: Settings, plan: Plan, *, clock: Clock, say: Say) -> Asked:
    """Make a test without a job, or find the result of the very same one."""

    async def run(stores: Stores) -> Asked:
        known = await is_known(settings, stores, plan.result_id)
        if not known:
            await _answer(settings, stores, plan, owner=LOCAL, job=None, clock=clock)
        return Asked(Result.load(folder_of(settings, plan.result_id)), known)

    return with_stores(settings, run, say=say)


async def work(
    settings: Settings, stores: Stores, plan: Plan, job: Job, *, ray: bool, clock: Clock, progress: Progress
) -> None:
    """Make a test whose job this process holds. One test is never worth sending away.

    Raises GoldenSignalsError with the reason.
    """
    await _answer(settings, stores, plan, owner=job.owner, job=job, clock=clock)
    progress(1, 1)


def verify(settings: Settings, run: Run) -> list[str]:
    """Compute a run again; what is not the same to the bit, nothing if all is. It counts no trial and keeps nothing.

    Raises InvalidInput when its bars are no longer what they were.
    """
    question = Plan.of(settings, run.spec).question
    if question.result_id != run.result_id:
        return [ANOTHER_ID]
    again, before = ask(question).result, Result.load(folder_of(settings, run.result_id))
    differing = [name for name in ("metrics", "by_symbol", "warnings") if getattr(again, name) != getattr(before, name)]
    return differing + [name for name in ("equity", "trades") if not getattr(again, name).equals(getattr(before, name))]


async def _answer(settings: Settings, stores: Stores, plan: Plan, *, owner: str, job: Job | None, clock: Clock) -> None:
    """Test, count the trial, keep the files and the row."""
    tested = await asyncio.to_thread(ask, plan.question)
    await stores.trials.count([tested.trial] if tested.trial else [])
    result = tested.judged(await stores.trials.total(*plan.question.family))
    await asyncio.to_thread(keep, result, folder_of(settings, plan.result_id))
    if job is not None:
        await stores.jobs.progress(job.fence, 1, total=1)
    found = {"metrics": result.metrics, "warnings": list(result.warnings), "context": judged(result)}
    await finish(stores, KIND, plan, found, owner=owner, job=job, clock=clock)


def judged(result: Result) -> dict[str, Any]:
    """How far a result can be believed, for a list of runs."""
    names = ("trials", "psr", "dsr", "min_track_bars", "sharpe_low", "sharpe_high")
    return {name: result.context.get(name) for name in names}
