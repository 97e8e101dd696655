"""Runs queued jobs: claims the most urgent one, works for it behind live signals, stores what it found.

The job's row is the truth: a worker that dies or hangs loses its claim, and the next one takes the job over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import structlog

from agents.registry import roster
from cluster.plan import LOCAL_BELOW_S
from cluster.scan import ScanSpec, scan
from cluster.voters import PoolVoters
from data.clock import Clock
from data.contracts.errors import GoldenSignalsError, InvalidInput, TemporarilyUnavailable
from data.market.archive import UPLOAD
from data.market.source import Bars
from data.settings import Settings
from data.store.jobs import Job
from data.store.stores import Stores
from serve_app import backtests, crossvalidations, sweeps, walkforwards
from serve_app.bootstrap import open_pools
from serve_app.runs import Source, is_known, run_of
from serve_app.scans import ScanRequest, plan_scan

_IDLE_S = 0.5
_RETRY_S = 2.0
_LEASE_S = 30.0
_BROKE = (
    "an error inside the job ended it; look for unusual values in its bars and post it again, "
    "or ask who runs this system: the log has the details under this job's id"
)
_SERVICES: dict[str, Any] = {  # kind -> a module with Plan, work and verify; see `serve_app.runs`
    module.KIND: module for module in (backtests, sweeps, walkforwards, crossvalidations)
}

log = structlog.get_logger(__name__)


class JobWorker:
    """Works on one job at a time, and outlives whatever is wrong with a job."""

    def __init__(self, settings: Settings, stores: Stores, clock: Clock) -> None:
        self._settings, self._stores, self._clock = settings, stores, clock
        self._voters: PoolVoters | None = None
        self._bars: tuple[str, Bars] | None = None  # of the last scan: the next one is often about the same
        self._kinds: dict[str, Callable[[Job], Awaitable[None]]] = {
            "scan": self._scan,
            **dict.fromkeys(_SERVICES, self._research),
            "verify": self._verify,
        }

    async def run(self) -> None:
        """Work until cancelled. PostgreSQL or Ray away: logged, and tried again."""
        while True:
            try:
                job = await self._stores.jobs.claim(list(self._kinds), lease_s=_LEASE_S)
                if job is None:
                    await asyncio.sleep(_IDLE_S)
                else:
                    await self._work(job)
            except TemporarilyUnavailable as problem:
                log.warning("worker_waits", reason=str(problem))
                await asyncio.sleep(_RETRY_S)

    async def _work(self, job: Job) -> None:
        try:
            await self._kinds[job.kind](job)
        except TemporarilyUnavailable:
            raise
        except GoldenSignalsError as problem:  # the job failed, the worker did not
            await self._fail(job, str(problem))
        except Exception:  # somebody's bars can break any agent, and the next job is not to blame
            log.exception("job_broke", job_id=job.job_id)
            await self._fail(job, _BROKE)

    async def _fail(self, job: Job, reason: str) -> None:
        try:
            await self._stores.jobs.fail(job.fence, reason)
        except TemporarilyUnavailable:
            raise  # its lease passes, and it is claimed again
        except GoldenSignalsError as problem:  # it was cancelled or taken over: it is no longer ours to end
            log.warning("job_ended", job_id=job.job_id, reason=str(problem))

    async def _research(self, job: Job) -> None:
        """A question; one whose answer is known already, from a command line, is done at once."""
        service = _SERVICES[job.kind]
        plan = await asyncio.to_thread(service.Plan.of, self._settings, job.spec)
        if await is_known(self._settings, self._stores, plan.result_id):
            await self._stores.jobs.progress(job.fence, plan.total, total=plan.total)
            await self._stores.jobs.finish(job.fence, {"result_id": plan.result_id})
            return
        ray = await asyncio.to_thread(lambda: plan.seconds) >= LOCAL_BELOW_S
        await service.work(self._settings, self._stores, plan, job, ray=ray, clock=self._clock, progress=_unseen)

    async def _verify(self, job: Job) -> None:
        """A run, computed again: the result says whether every bit is the same."""
        run = await run_of(self._stores, str(job.spec["result_id"]))
        if run.kind not in _SERVICES:
            raise InvalidInput(f"a {run.kind} is verified at the command line: `goldensignals runs verify`")
        differing = await asyncio.to_thread(_SERVICES[run.kind].verify, self._settings, run)
        await self._stores.jobs.progress(job.fence, 1, total=1)
        await self._stores.jobs.finish(job.fence, {"same": not differing, "differing": differing})

    async def _scan(self, job: Job) -> None:
        feed = await self._stores.feed.get()
        spec = await asyncio.to_thread(self._plan_scan, job, None if feed is None else feed.source)
        if self._voters is None:
            self._voters = await open_pools(roster(), self._settings, keep=True, duty="jobs")
        await scan(
            spec,
            self._voters,
            self._stores,
            clock=self._clock,
            owner=job.owner,
            correlation_id=job.job_id,
            progress=_unseen,
            job=job,
        )

    def _plan_scan(self, job: Job, feed: str | None) -> ScanSpec:
        spec = job.spec
        if "source" not in spec:  # it names its bars by their content only, and those were in a process that is gone
            raise InvalidInput("this scan was typed at a command line whose process has ended; type it again")
        uploaded = str(spec["source"]).removeprefix(UPLOAD) if str(spec["source"]).startswith(UPLOAD) else None
        if uploaded is None and feed is None:
            raise InvalidInput(
                "there is no feed any more whose bars could be scanned; start one with `goldensignals up`"
            )
        bars = self._open(str(feed) if uploaded is None else str(spec["source"]))
        if uploaded is None and bars.panel.content_hash != spec["data_hash"]:
            raise InvalidInput("the bars of the feed are no longer what they were; post the scan again")
        planned = plan_scan(bars, ScanRequest(spec["universe"], tuple(spec["agents"]), str(spec["as_of"])))
        if uploaded is None:
            return planned
        # Somebody's own bars must never become a revision of what the feed says of the same symbols.
        return replace(planned, universe=f"{UPLOAD}{uploaded[:12]}/{planned.universe}")

    def _open(self, source: str) -> Bars:
        if self._bars is None or self._bars[0] != source:
            self._bars = (source, Source(source).load(self._settings.home))
        return self._bars[1]


def _unseen(done: int, total: int) -> None:
    """Progress is read from the job's row."""
