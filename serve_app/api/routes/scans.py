"""Scans: asked for once, run as jobs, read as results and as differences."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from data.contracts.events import JobState
from serve_app.api import export, scanning, views
from serve_app.api.inputs import After, Has, JobId, Limit, Reader, Runner
from serve_app.api.models import JobView, Page, ScanCreate, ScanDifference, ScanResultView
from serve_app.api.paging import cut, key_of, moment_of

router = APIRouter(prefix="/scans", tags=["scans"])
work = APIRouter(prefix="/scans", tags=["scans"])


@router.get("", response_model=Page[JobView])
async def scans(
    services: Has, _: Reader, state: JobState | None = None, limit: Limit = 100, after: After = None
) -> Page[JobView]:
    """Scans, newest first."""
    key = key_of(after, str, str)
    before = None if key is None else (moment_of(key[0]), str(key[1]))
    found = await services.jobs.listing(kind=scanning.KIND, state=state, before=before, limit=limit + 1)
    page, following = cut(found, limit, lambda job: (job.created_at.isoformat(), job.job_id))
    return Page(items=[views.job(job) for job in page], next=following)


@router.get("/{job_id}", response_model=JobView)
async def scan(services: Has, _: Reader, job_id: JobId) -> JobView:
    """One scan as a job."""
    return views.job(await scanning.find(services, job_id))


@router.get("/{job_id}/result", response_model=ScanResultView, responses=export.RESPONSES)
async def result(
    request: Request,
    services: Has,
    _: Reader,
    job_id: JobId,
    format: export.Format = "json",  # noqa: A002  a parameter
) -> ScanResultView | Response:
    """What a finished scan found, strongest first; `format` gives its signals as a file."""
    found = await scanning.result_of(services, await scanning.find(services, job_id))
    if format == "json":
        return found
    return await export.answer(export.table(found.signals), format, name=f"scan-{job_id}", request=request)


@router.get("/{job_id}/difference", response_model=ScanDifference)
async def difference(
    services: Has,
    _: Reader,
    job_id: JobId,
    against: Annotated[
        str | None,
        Query(pattern="^[0-9a-f]{32}$", description="default: the last finished scan of this universe before it"),
    ] = None,
) -> ScanDifference:
    """What a finished scan says differently from an earlier one, largest move in score first."""
    return await scanning.difference(services, job_id, against)


@work.post(
    "",
    response_model=JobView,
    status_code=202,
    responses={200: {"model": JobView, "description": "This very scan was done before"}},
)
async def create(services: Has, caller: Runner, response: Response, wanted: ScanCreate) -> JobView:
    """Queue a scan. The same specification is the same job, whoever posts it."""
    job = await scanning.queue(services, wanted, owner=caller.name)
    response.headers["Location"] = f"/v1/scans/{job.job_id}"
    if job.state == "done":
        response.status_code = 200
    return views.job(job)
