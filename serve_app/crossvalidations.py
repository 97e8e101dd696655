"""The cross-validation service: plans, runs where it is cheapest, keeps the result under its id, finds it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from agents.backtest.crossvalidation import CrossValidated, CrossValidation, Groups, cross_validate
from agents.backtest.grid import Grid
from agents.backtest.record import defined
from agents.backtest.rules import Rules
from cluster.books import JobBook
from cluster.crossvalidation import run_cross_validation
from cluster.plan import LOCAL_BELOW_S
from cluster.ray_workers import RayWorkers
from cluster.workers import LocalWorkers, Workers
from data.clock import Clock
from data.settings import Settings
from data.store.jobs import Job
from data.store.runs import Run
from data.store.stores import Stores
from serve_app.runs import ANOTHER_ID, Progress, Source, finish, folder_of, reopened, work_here
from serve_app.stack import Say

KIND = "crossvalidation"


@dataclass(frozen=True, eq=False)
class Plan:
    """A cross-validation that may be run; see `serve_app.runs.Plan`."""

    asked: CrossValidation
    source: Source

    @property
    def spec(self) -> dict[str, Any]:
        """See `serve_app.runs.Plan`."""
        return {**self.asked.spec, "source": self.source.facts()}

    @property
    def result_id(self) -> str:
        """See `agents.backtest.record`."""
        return self.asked.result_id

    @property
    def total(self) -> int:
        """Sets to try in each of the splits, all together."""
        return self.asked.total

    @property
    def title(self) -> str:
        """A line for people."""
        asked = self.asked
        paths = len(asked.combinations.paths)
        return f"{asked.grid.strategy.name}: {paths} paths on {self.source.symbols or asked.universe}"

    @property
    def seconds(self) -> float:
        """Of one core, predicted."""
        return self.asked.estimate.seconds

    @classmethod
    def of(cls, settings: Settings, spec: Mapping[str, Any]) -> Plan:
        """What `spec` said. Raises InvalidInput when the bars are no longer what they were."""
        source, panel, universe = reopened(settings, spec)
        grid = Grid.of(defined(spec["strategy"]), spec["grid"])
        groups = Groups(**{field.name: spec[field.name] for field in fields(Groups)})
        return cls(CrossValidation(grid, panel, universe, Rules(**spec["rules"]), groups), source)


def cross_validate_here(
    settings: Settings, plan: Plan, *, clock: Clock, say: Say, progress: Progress
) -> tuple[CrossValidated, bool]:
    """Cross-validate, or find what was found before; small work stays here. And whether it was known."""
    ray = plan.seconds >= LOCAL_BELOW_S
    known = work_here(settings, KIND, plan, work, ray=ray, clock=clock, say=say, progress=progress)
    return CrossValidated.load(folder_of(settings, plan.result_id)), known


async def work(
    settings: Settings, stores: Stores, plan: Plan, job: Job, *, ray: bool, clock: Clock, progress: Progress
) -> None:
    """Cross-validate for a job that this process holds; one that was interrupted goes on where it was.

    Raises GoldenSignalsError with the reason; chunks that are done stay done.
    """
    folder = folder_of(settings, plan.result_id)
    workers: Workers = RayWorkers(pin_threads=settings.ray.address is not None) if ray else LocalWorkers()
    try:
        book = JobBook(stores, job.fence, plan.total)
        result = await run_cross_validation(plan.asked, workers, book, folder, progress)
    finally:
        if isinstance(workers, RayWorkers):
            workers.close()
    found = {"metrics": {"sharpe": result.summary["median"]}, "context": result.context}
    await finish(stores, KIND, plan, found, owner=job.owner, job=job, clock=clock)


def verify(settings: Settings, run: Run) -> list[str]:
    """Compute a run again; what is not the same to the bit, nothing if all is. It counts no trial and keeps nothing.

    Raises InvalidInput when its bars are no longer what they were.
    """
    asked = Plan.of(settings, run.spec).asked
    if asked.result_id != run.result_id:
        return [ANOTHER_ID]
    again, before = cross_validate(asked).result, CrossValidated.load(folder_of(settings, run.result_id))
    differing = ["summary"] if again.summary != before.summary else []
    return differing + [name for name in ("paths", "splits") if not getattr(again, name).equals(getattr(before, name))]
