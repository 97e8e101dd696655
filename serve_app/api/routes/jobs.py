"""Jobs of every kind: what runs, how far it is, who works on it, and stopping or continuing it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from data.contracts.errors import Forbidden, NotFound
from data.contracts.events import JobState
from data.store.jobs import Job
from serve_app.api import views
from serve_app.api.inputs import After, Has, JobId, Limit, Reader, Runner
from serve_app.api.models import JobView, Page
from serve_app.api.paging import cut, key_of, moment_of
from serve_app.api.research_models import NodeView
from serve_app.api.services import Services
from serve_app.auth.access import Permission, Principal

router = APIRouter(prefix="/jobs", tags=["jobs"])
work = APIRouter(prefix="/jobs", tags=["jobs"])


@router.get("", response_model=Page[JobView])
async def jobs(
    services: Has,
    _: Reader,
    state: JobState | None = None,
    kind: Annotated[str | None, Query(max_length=32, pattern="^[a-z_]+$", examples=["scan"])] = None,
    limit: Limit = 100,
    after: After = None,
) -> Page[JobView]:
    """Jobs, newest first."""
    key = key_of(after, str, str)
    before = None if key is None else (moment_of(key[0]), str(key[1]))
    found = await services.jobs.listing(state=state, kind=kind, before=before, limit=limit + 1)
    page, following = cut(found, limit, lambda job: (job.created_at.isoformat(), job.job_id))
    return Page(items=[views.job(job) for job in page], next=following)


@router.get("/{job_id}", response_model=JobView)
async def job(services: Has, _: Reader, job_id: JobId) -> JobView:
    """One job."""
    return views.job(await _find(services, job_id))


@router.get("/{job_id}/nodes", response_model=list[NodeView])
async def nodes(services: Has, _: Reader, job_id: JobId) -> list[NodeView]:
    """What each machine did of a job in chunks, by name; empty for one that has none."""
    found = await _find(services, job_id)
    return views.nodes(found, await services.chunks.nodes(job_id))


@work.post("/{job_id}/cancel", response_model=JobView)
async def cancel(services: Has, caller: Runner, job_id: JobId) -> JobView:
    """Stop a job: its next write is refused. One that has ended stays as it is. Others' jobs: admins only."""
    await _own(services, caller, job_id)
    return views.job(await services.jobs.cancel(job_id))


@work.post("/{job_id}/pause", response_model=JobView)
async def pause(services: Has, caller: Runner, job_id: JobId) -> JobView:
    """Stop a job until it is resumed; what is done stays done. Others' jobs: admins only."""
    await _own(services, caller, job_id)
    return views.job(await services.jobs.pause(job_id))


@work.post("/{job_id}/resume", response_model=JobView)
async def resume(services: Has, caller: Runner, job_id: JobId) -> JobView:
    """Queue a paused job again; any other stays as it is. Others' jobs: admins only."""
    await _own(services, caller, job_id)
    return views.job(await services.jobs.resume(job_id))


async def _own(services: Services, caller: Principal, job_id: str) -> None:
    """Raises Forbidden for somebody else's job."""
    found = await _find(services, job_id)
    if found.owner != caller.name and not caller.may(Permission.ADMIN):
        raise Forbidden(f"job {job_id} belongs to somebody else; changing it needs the permission admin")


async def _find(services: Services, job_id: str) -> Job:
    found = await services.jobs.get(job_id)
    if found is None:
        raise NotFound(f"there is no job {job_id}; see GET /v1/jobs for those there are")
    return found
