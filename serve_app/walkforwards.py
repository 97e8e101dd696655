"""The walk-forward service: plans, walks where it is cheapest, keeps the result under its id, finds it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.backtest.grid import Grid
from agents.backtest.record import defined
from agents.backtest.rules import Rules
from agents.backtest.walkforward import Lengths, Walk, WalkForward, walk_forward
from cluster.books import JobBook
from cluster.plan import LOCAL_BELOW_S
from cluster.ray_workers import RayWorkers
from cluster.walkforward import run_walk
from cluster.workers import LocalWorkers, Workers
from data.clock import Clock
from data.settings import Settings
from data.store.jobs import Job
from data.store.runs import Run
from data.store.stores import Stores
from serve_app.backtests import judged
from serve_app.runs import ANOTHER_ID, Progress, Source, finish, folder_of, reopened, work_here
from serve_app.stack import Say

KIND = "walkforward"
_COMPARED = ("metrics", "warnings")
_TABLES = ("equity", "trades", "folds", "drift")


@dataclass(frozen=True, eq=False)
class Plan:
    """A walk-forward that may be run; see `serve_app.runs.Plan`."""

    walk: Walk
    source: Source

    @property
    def spec(self) -> dict[str, Any]:
        """See `serve_app.runs.Plan`."""
        return {**self.walk.spec, "source": self.source.facts()}

    @property
    def result_id(self) -> str:
        """See `agents.backtest.record`."""
        return self.walk.result_id

    @property
    def total(self) -> int:
        """Sets to try in each of the folds, all together."""
        return self.walk.total

    @property
    def title(self) -> str:
        """A line for people."""
        walk = self.walk
        return f"{walk.grid.strategy.name}: {len(walk.folds)} folds on {self.source.symbols or walk.universe}"

    @property
    def seconds(self) -> float:
        """Of one core, predicted."""
        return self.walk.estimate.seconds

    @classmethod
    def of(cls, settings: Settings, spec: Mapping[str, Any]) -> Plan:
        """What `spec` said. Raises InvalidInput when the bars are no longer what they were."""
        source, panel, universe = reopened(settings, spec)
        grid = Grid.of(defined(spec["strategy"]), spec["grid"])
        walk = Walk(grid, panel, universe, Rules(**spec["rules"]), Lengths(**spec["lengths"]), spec["metric"])
        return cls(walk, source)


def run_walk_here(
    settings: Settings, plan: Plan, *, clock: Clock, say: Say, progress: Progress
) -> tuple[WalkForward, bool]:
    """Walk a strategy forward, or find what was found before; small work stays here. And whether it was known."""
    ray = plan.seconds >= LOCAL_BELOW_S
    known = work_here(settings, KIND, plan, work, ray=ray, clock=clock, say=say, progress=progress)
    return WalkForward.load(folder_of(settings, plan.result_id)), known


async def work(
    settings: Settings, stores: Stores, plan: Plan, job: Job, *, ray: bool, clock: Clock, progress: Progress
) -> None:
    """Walk forward for a job that this process holds; one that was interrupted goes on where it was.

    Raises GoldenSignalsError with the reason; chunks that are done stay done.
    """
    folder = folder_of(settings, plan.result_id)
    workers: Workers = RayWorkers(pin_threads=settings.ray.address is not None) if ray else LocalWorkers()
    try:
        result = await run_walk(plan.walk, workers, JobBook(stores, job.fence, plan.total), folder, progress)
    finally:
        if isinstance(workers, RayWorkers):
            workers.close()
    found = {"metrics": result.metrics, "warnings": list(result.warnings), "context": judged(result.stitched)}
    await finish(stores, KIND, plan, found, owner=job.owner, job=job, clock=clock)


def verify(settings: Settings, run: Run) -> list[str]:
    """Compute a run again; what is not the same to the bit, nothing if all is. It counts no trial and keeps nothing.

    Raises InvalidInput when its bars are no longer what they were.
    """
    walk = Plan.of(settings, run.spec).walk
    if walk.result_id != run.result_id:
        return [ANOTHER_ID]
    again, before = walk_forward(walk).result, WalkForward.load(folder_of(settings, run.result_id))
    differing = [name for name in _COMPARED if getattr(again, name) != getattr(before, name)]
    return differing + [name for name in _TABLES if not getattr(again, name).equals(getattr(before, name))]
