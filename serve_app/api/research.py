"""Research by job: a question becomes one exact specification, a finished job leads to its run.

The specification is what identifies a job, so the same question, in whatever words, is the same job; its answer is
found again by its result id.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path

from data.contracts.errors import Conflict, InvalidInput, NotFound
from data.store.jobs import Job
from data.store.runs import Run
from serve_app.api import views
from serve_app.api.compute import Planned
from serve_app.api.research_models import Asked, EstimateView, RunDetail
from serve_app.api.services import Services

VERIFY = "verify"
PLURALS = {"backtest": "backtests", "sweep": "sweeps", "walkforward": "walkforwards"}
_PRIORITY = 4
_HOUR_S = 3600.0


async def queue(services: Services, wanted: Asked, *, owner: str) -> Job:
    """The job of a question, queued unless it is there. Raises InvalidInput for what cannot be asked."""
    planned = await services.compute.plan(wanted)
    hours, most = planned.core_seconds / _HOUR_S, services.settings.api.job_core_hours
    if hours > most:
        raise InvalidInput(
            f"this would take about {hours:,.0f} hours of one core, and a job may take {most:g}: try fewer sets "
            "(sample), or let who runs this server raise GS_API__JOB_CORE_HOURS"
        )
    job = await _enqueue(services, planned, wanted.priority, owner, again=False)
    if job.state == "done" and not await _known(services, planned.result_id):  # by another version, or its files went
        job = await _enqueue(services, planned, wanted.priority, owner, again=True)
    return job


async def estimate(services: Services, wanted: Asked) -> EstimateView:
    """What a question would take. Nothing is queued."""
    planned = asdict(await services.compute.plan(wanted))
    told = {name: planned[name] for name in EstimateView.model_fields if name in planned}
    return EstimateView(**told, known=await _known(services, planned["result_id"]))


async def find(services: Services, kind: str, job_id: str) -> Job:
    """A job of research. Raises NotFound for none, also when it is of another kind."""
    job = await services.jobs.get(job_id)
    if job is None or job.kind != kind:
        raise NotFound(f"there is no {kind} {job_id}; see GET /v1/{PLURALS[kind]} for those there are")
    return job


async def result_of(services: Services, job: Job) -> RunDetail:
    """What a finished job found. Raises Conflict while it has not finished."""
    if job.state != "done" or job.result is None:
        raise Conflict(f"{job.kind} {job.job_id} is {job.state} and has no result; wait until it is done")
    return await detail(services, await run_of(services, str(job.result["result_id"])))


async def run_of(services: Services, result_id: str) -> Run:
    """A run by its id or the first digits. Raises NotFound for none, and for more than one."""
    found = await services.runs.get(result_id)
    if found is None:
        raise NotFound(f"there is no one run {result_id}; see GET /v1/runs for those there are")
    return found


async def detail(services: Services, run: Run) -> RunDetail:
    """A run with what its files say. Raises NotFound when these are not on this machine."""
    facts = await asyncio.to_thread(services.results.facts, run.result_id)
    return RunDetail(**dict(views.run(run)), spec=dict(run.spec), facts=facts)


async def report(services: Services, run: Run) -> str:
    """The tear sheet of a run, as it was written when it was made. Raises Conflict for a kind that has none."""
    if run.kind in ("sweep", "crossvalidation"):
        raise Conflict(f"a {run.kind} has no tear sheet: backtest its best set, and read that one's")
    await asyncio.to_thread(services.results.facts, run.result_id)  # refused when its files are not here
    page: Path = services.settings.home / "runs" / run.result_id / "report.html"
    return await asyncio.to_thread(page.read_text, encoding="utf-8")


async def verify(services: Services, run: Run, *, owner: str) -> Job:
    """The job that computes a run again and compares every bit; done before, it is done anew."""
    job, _ = await services.jobs.enqueue(
        VERIFY, {"result_id": run.result_id}, owner=owner, priority=_PRIORITY, total=1, again=True
    )
    return job


async def _enqueue(services: Services, planned: Planned, priority: int, owner: str, *, again: bool) -> Job:
    job, _ = await services.jobs.enqueue(
        planned.kind, planned.spec, owner=owner, priority=priority, total=planned.total, again=again
    )
    return job


async def _known(services: Services, result_id: str) -> bool:
    """Whether a result was kept, and its files are on this machine."""
    if await services.runs.get(result_id) is None:
        return False
    try:
        await asyncio.to_thread(services.results.facts, result_id)
    except NotFound:
        return False
    return True
