"""Questions of research: asked for once, run as jobs, read as runs. Backtests, sweeps and walk-forwards alike."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from data.contracts.events import JobState
from serve_app.api import research, views
from serve_app.api.inputs import After, Has, JobId, Limit, Reader, Runner
from serve_app.api.models import JobView, Page
from serve_app.api.paging import cut, key_of, moment_of
from serve_app.api.research_models import (
    Asked,
    BacktestCreate,
    EstimateView,
    RunDetail,
    StrategyView,
    SweepCreate,
    WalkForwardCreate,
)
from serve_app.api.services import Services

router = APIRouter()
work = APIRouter()
_KNOWN: dict[int | str, dict[str, Any]] = {
    200: {"model": JobView, "description": "This very question was answered before"}
}


@router.get("/strategies", tags=["strategies"], response_model=list[StrategyView])
async def strategies(services: Has, _: Reader) -> list[StrategyView]:
    """The built-in strategies with their parameters, by name."""
    return await services.compute.strategies()


@work.post("/backtests", tags=["backtests"], response_model=JobView, status_code=202, responses=_KNOWN)
async def backtest(services: Has, caller: Runner, response: Response, wanted: BacktestCreate) -> JobView:
    """Queue a backtest. The same question is the same job, whoever posts it."""
    return await _queued(services, wanted, caller.name, response)


@work.post("/backtests/estimate", tags=["backtests"], response_model=EstimateView)
async def estimate_backtest(services: Has, _: Runner, wanted: BacktestCreate) -> EstimateView:
    """What a backtest would take. Nothing is queued."""
    return await research.estimate(services, wanted)


@work.post("/sweeps", tags=["sweeps"], response_model=JobView, status_code=202, responses=_KNOWN)
async def sweep(services: Has, caller: Runner, response: Response, wanted: SweepCreate) -> JobView:
    """Queue a sweep. The same question is the same job, whoever posts it."""
    return await _queued(services, wanted, caller.name, response)


@work.post("/sweeps/estimate", tags=["sweeps"], response_model=EstimateView)
async def estimate_sweep(services: Has, _: Runner, wanted: SweepCreate) -> EstimateView:
    """What a sweep would take. Nothing is queued."""
    return await research.estimate(services, wanted)


@work.post("/walkforwards", tags=["walkforwards"], response_model=JobView, status_code=202, responses=_KNOWN)
async def walk_forward(services: Has, caller: Runner, response: Response, wanted: WalkForwardCreate) -> JobView:
    """Queue a walk-forward. The same question is the same job, whoever posts it."""
    return await _queued(services, wanted, caller.name, response)


@work.post("/walkforwards/estimate", tags=["walkforwards"], response_model=EstimateView)
async def estimate_walk_forward(services: Has, _: Runner, wanted: WalkForwardCreate) -> EstimateView:
    """What a walk-forward would take. Nothing is queued."""
    return await research.estimate(services, wanted)


def _readable(kind: str) -> None:
    """The reading routes of one kind of question."""
    path = f"/{research.PLURALS[kind]}"
    tags: list[str] = [research.PLURALS[kind]]

    @router.get(path, tags=[*tags], response_model=Page[JobView])
    async def listed(
        services: Has, _: Reader, state: JobState | None = None, limit: Limit = 100, after: After = None
    ) -> Page[JobView]:
        """These jobs, newest first."""
        key = key_of(after, str, str)
        before = None if key is None else (moment_of(key[0]), str(key[1]))
        found = await services.jobs.listing(kind=kind, state=state, before=before, limit=limit + 1)
        page, following = cut(found, limit, lambda job: (job.created_at.isoformat(), job.job_id))
        return Page(items=[views.job(job) for job in page], next=following)

    @router.get(f"{path}/{{job_id}}", tags=[*tags], response_model=JobView)
    async def one(services: Has, _: Reader, job_id: JobId) -> JobView:
        """One of them as a job."""
        return views.job(await research.find(services, kind, job_id))

    @router.get(f"{path}/{{job_id}}/result", tags=[*tags], response_model=RunDetail)
    async def result(services: Has, _: Reader, job_id: JobId) -> RunDetail:
        """What a finished one found: its run."""
        return await research.result_of(services, await research.find(services, kind, job_id))


for _kind in research.PLURALS:
    _readable(_kind)


async def _queued(services: Services, wanted: Asked, owner: str, response: Response) -> JobView:
    job = await research.queue(services, wanted, owner=owner)
    response.headers["Location"] = f"/v1/{research.PLURALS[job.kind]}/{job.job_id}"
    if job.state == "done":
        response.status_code = 200
    return views.job(job)
