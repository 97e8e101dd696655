"""Jobs for a command line: what there is, how far one is and who works on it, and stopping or continuing it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import get_args

from data.contracts.errors import NotFound
from data.contracts.events import JobState
from data.settings import Settings
from data.store.jobs import Job
from data.store.stores import Stores, open_stores
from serve_app.runs import with_stores
from serve_app.services import open_services
from serve_app.stack import Say

STATES: tuple[str, ...] = get_args(JobState)
Nodes = dict[str, tuple[int, float]]  # node -> chunks it did, seconds of work


def list_jobs(settings: Settings, *, state: str | None, kind: str | None, limit: int, say: Say) -> list[Job]:
    """The newest jobs first. state: one of STATES."""
    return with_stores(
        settings,
        lambda stores: stores.jobs.listing(state=state, kind=kind, limit=limit),  # type: ignore[arg-type]
        say=say,
    )


def change(settings: Settings, job_id: str, how: str, *, say: Say) -> tuple[Job, str]:
    """Cancel, pause or resume a job; the job, and what is still to be done. Raises NotFound."""
    with open_services(settings, ray=False, say=say) as services:

        async def run() -> Job:
            async with open_stores(settings.postgres, services.postgres_url) as stores:
                changed: Job = await getattr(stores.jobs, how)(job_id)
                return changed

        job = asyncio.run(run())
        waits = job.state == "queued" and services.running is None
        return job, "; it goes on when `goldensignals up` runs, or when its command is typed again" if waits else ""


def watched(settings: Settings, job_id: str, *, say: Say) -> Iterator[tuple[Job, Nodes]]:
    """A job again and again, until it is neither queued nor running. Raises NotFound."""
    with open_services(settings, ray=False, say=say) as services, asyncio.Runner() as runner:

        async def look(stores: Stores) -> tuple[Job, Nodes]:
            job = await stores.jobs.get(job_id)
            if job is None:
                raise NotFound(f"there is no job {job_id}; `goldensignals jobs list` shows them", job_id=job_id)
            nodes: Nodes = {}
            for chunk in (await stores.chunks.done(job_id)).values():
                count, work_s = nodes.get(chunk.node, (0, 0.0))
                nodes[chunk.node] = (count + 1, work_s + chunk.work_s)
            return job, dict(sorted(nodes.items()))

        opened = open_stores(settings.postgres, services.postgres_url)
        stores = runner.run(opened.__aenter__())
        try:
            while True:
                found = runner.run(look(stores))
                yield found
                if found[0].state not in ("queued", "running"):
                    return
        finally:
            runner.run(opened.__aexit__(None, None, None))
