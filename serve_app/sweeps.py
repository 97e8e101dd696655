"""The sweep service: plans, runs a sweep where it is cheapest, keeps its result under its id, finds it again."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agents.backtest.grid import Grid
from agents.backtest.record import defined
from agents.backtest.rules import Rules
from agents.backtest.search import Search
from cluster.books import JobBook
from cluster.plan import LOCAL_BELOW_S
from cluster.ray_workers import RayWorkers
from cluster.sweep import Packed, Progress, Swept, run_sweep
from cluster.workers import Answer, LocalWorkers, Workers
from data.clock import Clock
from data.contracts.errors import GoldenSignalsError, InvalidInput, TemporarilyUnavailable
from data.contracts.trials import TrialCount, TrialTotal
from data.ledger import FileLedger
from data.settings import Settings
from data.store.jobs import Job
from data.store.runs import Run
from data.store.stores import Stores, open_stores
from serve_app.runs import Source, folder_of
from serve_app.services import open_services
from serve_app.stack import Say

PRIORITY = 5  # behind scans
_LEASE_S = 60.0


@dataclass(frozen=True)
class Plan:
    """A sweep that may be run: its question, and where its bars come from."""

    search: Search
    source: Source

    @property
    def spec(self) -> dict[str, Any]:
        """The job's specification: enough to plan it again on another machine that sees the same bars."""
        return {**self.search.spec, "source": self.source.facts()}

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Plan:
        """What `spec` said. Raises InvalidInput when the bars are no longer what they were."""
        source = Source.of(spec["source"])
        _, panel, universe = source.open()
        if panel.content_hash != spec["data"]:
            raise InvalidInput("the bars of this sweep are no longer what they were; start it again")
        grid = Grid.of(defined(spec["strategy"]), spec["grid"])
        return cls(Search(grid, panel, universe, Rules(**spec["rules"]), spec["metric"]), source)


def sweep_here(settings: Settings, plan: Plan, *, clock: Clock, say: Say, progress: Progress) -> tuple[Swept, bool]:
    """Run a sweep on the running system, or on servers that live as long as it takes; or find what it found before.

    Small sweeps run in this process. The result, and whether it was known already.
    """
    search = plan.search
    folder = folder_of(settings, search.result_id)
    distribute = search.estimate.seconds >= LOCAL_BELOW_S
    with open_services(settings, ray=distribute, say=say) as services:

        async def run() -> tuple[Swept, bool]:
            async with open_stores(settings.postgres, services.postgres_url) as stores:
                await stores.trials.count(FileLedger(settings.home).read())
                known = await stores.runs.get(search.result_id) is not None and (folder / "summary.json").exists()
                if not known:
                    total = int(search.grid.positions.size)
                    job = await stores.jobs.start(
                        "sweep", plan.spec, owner="local", priority=PRIORITY, total=total, lease_s=_LEASE_S
                    )
                    await work(settings, stores, plan, job, ray=distribute, clock=clock, progress=progress)
                return Swept(folder), known

        return asyncio.run(run())


def verify(settings: Settings, run: Run) -> list[str]:
    """Compute a sweep again; what is not the same to the bit, nothing if all is. It counts no trial and keeps nothing.

    Raises InvalidInput when its bars are no longer what they were.
    """
    search = Plan.of(run.spec).search
    if search.result_id != run.result_id:
        return ["the id: another version of the code made it, or a machine that calculates differently"]
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


async def work(
    settings: Settings, stores: Stores, plan: Plan, job: Job, *, ray: bool, clock: Clock, progress: Progress
) -> None:
    """Run a sweep whose job this process holds; one that was interrupted goes on where it was.

    Raises GoldenSignalsError with the reason, which is also written to the job while it is ours; chunks that are done
    stay done.
    """
    search = plan.search
    total = int(search.grid.positions.size)
    folder = folder_of(settings, search.result_id)
    workers: Workers = RayWorkers(pin_threads=settings.ray.address is not None) if ray else LocalWorkers()
    try:
        summary = await run_sweep(search, workers, JobBook(stores, job.fence, total), folder, progress)
        best = summary["top"][0].get("portfolio", {})
        title = f"{search.grid.strategy.name}: {total:,} sets on {plan.source.symbols or search.universe}"
        metrics = {"metrics": best, "context": summary["context"]}
        await stores.runs.add(
            Run(search.result_id, "sweep", title, plan.spec, metrics, job.owner, job.job_id, clock.now())
        )
        await stores.jobs.finish(job.fence, {"result_id": search.result_id})
    except TemporarilyUnavailable:
        raise
    except GoldenSignalsError as problem:
        found = await stores.jobs.get(job.job_id)
        if found is not None and (found.state, found.epoch) == ("running", job.epoch):  # else it is no longer ours
            await stores.jobs.fail(job.fence, str(problem))
        raise
    finally:
        if isinstance(workers, RayWorkers):
            workers.close()
