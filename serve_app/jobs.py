"""Jobs for a command line: what there is, how far one is and who works on it, and stopping or continuing it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from data.contracts.errors import NotFound
from data.contracts.events import JobState
from data.settings import Settings
from data.store.chunks import NodeWork
from data.store.jobs import Job
from data.store.stores import Stores, open_stores
from serve_app.runs import with_stores
from serve_app.services import open_services
from serve_app.stack import Say

STATES: tuple[str, ...] = get_args(JobState)
_KNOWN_AFTER_S, _KNOWN_FROM = 3.0, 0.02  # before neither, a rate is a guess


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


@dataclass(frozen=True)
class Seen:
    """A job at a moment, and what each machine did of it."""

    job: Job
    nodes: Sequence[NodeWork]

    @property
    def ran_s(self) -> float:
        """Seconds of the present attempt, by the clock of the database, up to its newest sign of life."""
        return 0.0 if self.job.started_at is None else (self.job.updated_at - self.job.started_at).total_seconds()

    @property
    def rate(self) -> float | None:
        """Units done per second of the present attempt; None while that says nothing yet."""
        job = self.job
        done = sum(node.recent for node in self.nodes) if self.nodes else job.done
        known = job.total > 0 and (self.ran_s >= _KNOWN_AFTER_S or done >= _KNOWN_FROM * job.total)
        return done / self.ran_s if known and done and self.ran_s > 0.0 else None

    @property
    def left_s(self) -> float | None:
        """Seconds that a running job will take yet, at this rate; None where nobody can say."""
        if self.job.state != "running" or self.rate is None:
            return None
        return max(self.job.total - self.job.done, 0) / self.rate

    def rate_of(self, node: NodeWork) -> float | None:
        """The same for one machine."""
        return node.recent / self.ran_s if node.recent and self.ran_s > 0.0 else None

    def share_of(self, node: NodeWork) -> float:
        """Of all that was done."""
        units = sum(one.units for one in self.nodes)
        return node.units / units if units else 0.0


def watched(settings: Settings, job_id: str, *, say: Say) -> Iterator[Seen]:
    """A job again and again, until it is neither queued nor running. Raises NotFound."""
    with open_services(settings, ray=False, say=say) as services, asyncio.Runner() as runner:

        async def look(stores: Stores) -> Seen:
            job = await stores.jobs.get(job_id)
            if job is None:
                raise NotFound(f"there is no job {job_id}; `goldensignals jobs list` shows them", job_id=job_id)
            return Seen(job, await stores.chunks.nodes(job_id))

        opened = open_stores(settings.postgres, services.postgres_url)
        stores = runner.run(opened.__aenter__())
        try:
            while True:
                found = runner.run(look(stores))
                yield found
                if found.job.state not in ("queued", "running"):
                    return
        finally:
            runner.run(opened.__aexit__(None, None, None))
