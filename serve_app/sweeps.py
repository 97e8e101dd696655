"""The sweep service: plans, runs a sweep where it is cheapest, keeps its result under its id, finds it again."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agents.backtest.grid import Grid
from agents.backtest.picking import Guide
from agents.backtest.record import defined
from agents.backtest.rules import Rules
from agents.backtest.search import Search
from cluster.books import JobBook
from cluster.plan import LOCAL_BELOW_S
from cluster.ray_workers import RayWorkers
from cluster.sweep import Packed, Swept, run_sweep
from cluster.workers import Answer, LocalWorkers, Workers
from data.clock import Clock
from data.contracts.trials import TrialCount, TrialTotal
from data.settings import Settings
from data.store.jobs import Job
from data.store.runs import Run
from data.store.stores import Stores
from serve_app.runs import ANOTHER_ID, Progress, Source, finish, folder_of, reopened, work_here
from serve_app.stack import Say

KIND = "sweep"


@dataclass(frozen=True, eq=False)
class Plan:
    """A sweep that may be run; see `serve_app.runs.Plan`."""

    search: Search
    source: Source

    @property
    def spec(self) -> dict[str, Any]:
        """See `serve_app.runs.Plan`."""
        return {**self.search.spec, "source": self.source.facts()}

    @property
    def result_id(self) -> str:
        """See `agents.backtest.record`."""
        return self.search.result_id

    @property
    def total(self) -> int:
        """Sets to try."""
        return self.search.total

    @property
    def title(self) -> str:
        """A line for people."""
        search = self.search
        return f"{search.grid.strategy.name}: {self.total:,} sets on {self.source.symbols or search.universe}"

    @property
    def seconds(self) -> float:
        """Of one core, predicted."""
        return self.search.estimate.seconds

    @classmethod
    def of(cls, settings: Settings, spec: Mapping[str, Any]) -> Plan:
        """What `spec` said. Raises InvalidInput when the bars are no longer what they were."""
        source, panel, universe = reopened(settings, spec)
        grid = Grid.of(defined(spec["strategy"]), spec["grid"])
        guided = spec.get("search")
        guide = None if guided is None else Guide(guided["trials"], guided["batch"])
        return cls(Search(grid, panel, universe, Rules(**spec["rules"]), spec["metric"], guide=guide), source)


def run_sweep_here(settings: Settings, plan: Plan, *, clock: Clock, say: Say, progress: Progress) -> tuple[Swept, bool]:
    """Run a sweep, or find what it found before; small ones run in this process. And whether it was known."""
    ray = plan.seconds >= LOCAL_BELOW_S
    known = work_here(settings, KIND, plan, work, ray=ray, clock=clock, say=say, progress=progress)
    return Swept(folder_of(settings, plan.result_id)), known


async def work(
    settings: Settings, stores: Stores, plan: Plan, job: Job, *, ray: bool, clock: Clock, progress: Progress
) -> None:
    """Run a sweep whose job this process holds; one that was interrupted goes on where it was.

    Raises GoldenSignalsError with the reason; chunks that are done stay done.
    """
    folder = folder_of(settings, plan.result_id)
    workers: Workers = RayWorkers(pin_threads=settings.ray.address is not None) if ray else LocalWorkers()
    try:
        summary = await run_sweep(plan.search, workers, JobBook(stores, job.fence, plan.total), folder, progress)
    finally:
        if isinstance(workers, RayWorkers):
            workers.close()
    found = {"metrics": summary["top"][0].get("portfolio", {}), "context": summary["context"]}
    await finish(stores, KIND, plan, found, owner=job.owner, job=job, clock=clock)


def verify(settings: Settings, run: Run) -> list[str]:
    """Compute a sweep again; what is not the same to the bit, nothing if all is. It counts no trial and keeps nothing.

    Raises InvalidInput when its bars are no longer what they were.
    """
    search = Plan.of(settings, run.spec).search
    if search.result_id != run.result_id:
        return [ANOTHER_ID]
    kept = folder_of(settings, run.result_id)
    with TemporaryDirectory(dir=settings.home / "runs", prefix=".verify-") as place:
        again = Path(place)
        asyncio.run(run_sweep(search, LocalWorkers(), _NoBook(), again, lambda done, total: None))
        names = sorted(
            {str(path.relative_to(folder)) for folder in (again, kept) for path in folder.rglob("*.parquet")}
        )
        differing = [name for name in names if _bytes(again / name) != _bytes(kept / name)]
        if Swept(again).summary["top"] != Swept(kept).summary["top"]:
            differing.append("top")
    return differing


class _NoBook:
    """For a sweep that is only compared: nothing is done before, and nothing is written down."""

    async def done(self) -> Collection[str]:
        return ()

    async def record(self, chunk_id: str, answer: Answer[Packed], trials: list[TrialCount], done: int) -> None:
        """See `cluster.sweep.Book`."""

    async def total(self, search: Search) -> TrialTotal:
        return TrialTotal(0, None, None)


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
