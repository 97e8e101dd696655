"""Runs queued scans and sweeps: claims the most urgent job, works for it behind live signals, stores what it found.

The job's row is the truth: a worker that dies or hangs loses its claim, and the next one takes the job over.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog

from agents.registry import roster
from cluster.plan import LOCAL_BELOW_S
from cluster.scan import ScanSpec, scan
from cluster.voters import PoolVoters
from data.clock import Clock
from data.contracts.errors import GoldenSignalsError, InvalidInput, TemporarilyUnavailable
from data.market.archive import UPLOAD, open_upload
from data.market.source import Bars, open_bars
from data.settings import Settings
from data.store.jobs import Job
from data.store.stores import Stores
from serve_app.bootstrap import open_pools
from serve_app.scans import ScanRequest, plan_scan
from serve_app.sweeps import Plan, work

_IDLE_S = 0.5
_RETRY_S = 2.0
_LEASE_S = 30.0
_BROKE = (
    "an error inside the job ended it; look for unusual values in its bars and post it again, "
    "or ask who runs this system: the log has the details under this job's id"
)

log = structlog.get_logger(__name__)


class JobWorker:
    """Works on one job at a time, and outlives whatever is wrong with a job."""

    def __init__(self, settings: Settings, stores: Stores, clock: Clock) -> None:
        self._settings, self._stores, self._clock = settings, stores, clock
        self._voters: PoolVoters | None = None
        self._bars: tuple[str, Bars] | None = None  # of the last job: the next one is often about the same

    async def run(self) -> None:
        """Work until cancelled. PostgreSQL or Ray away: logged, and tried again."""
        while True:
            try:
                job = await self._stores.jobs.claim(["scan", "sweep"], lease_s=_LEASE_S)
                if job is None:
                    await asyncio.sleep(_IDLE_S)
                else:
                    await self._work(job)
            except TemporarilyUnavailable as problem:
                log.warning("worker_waits", reason=str(problem))
                await asyncio.sleep(_RETRY_S)

    async def _work(self, job: Job) -> None:
        try:
            if job.kind == "sweep":
                plan = await asyncio.to_thread(Plan.of, self._settings, job.spec)
                ray = plan.search.estimate.seconds >= LOCAL_BELOW_S
                await work(self._settings, self._stores, plan, job, ray=ray, clock=self._clock, progress=_unseen)
                return
            feed = await self._stores.feed.get()
            spec = await asyncio.to_thread(self._plan, job, None if feed is None else feed.source)
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

    def _plan(self, job: Job, feed: str | None) -> ScanSpec:
        spec = job.spec
        if "source" not in spec:  # it names its bars by their content only, and those were in a process that is gone
            raise InvalidInput("this scan was typed at a command line whose process has ended; type it again")
        uploaded = str(spec["source"]).removeprefix(UPLOAD) if str(spec["source"]).startswith(UPLOAD) else None
        if uploaded is None and feed is None:
            raise InvalidInput(
                "there is no feed any more whose bars could be scanned; start one with `goldensignals up`"
            )
        bars = self._open(uploaded, feed)
        if uploaded is None and bars.panel.content_hash != spec["data_hash"]:
            raise InvalidInput("the bars of the feed are no longer what they were; post the scan again")
        planned = plan_scan(bars, ScanRequest(spec["universe"], tuple(spec["agents"]), str(spec["as_of"])))
        if uploaded is None:
            return planned
        # Somebody's own bars must never become a revision of what the feed says of the same symbols.
        return replace(planned, universe=f"{UPLOAD}{uploaded[:12]}/{planned.universe}")

    def _open(self, uploaded: str | None, feed: str | None) -> Bars:
        key = uploaded or str(feed)
        if self._bars is None or self._bars[0] != key:
            bars = open_bars(key) if uploaded is None else open_upload(self._settings.home, uploaded)
            self._bars = (key, bars)
        return self._bars[1]


def _unseen(done: int, total: int) -> None:
    """Progress is read from the job's row."""
