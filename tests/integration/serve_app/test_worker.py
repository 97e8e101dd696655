"""A worker outlives every job that breaks, and a job's row is written when something moved."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import pytest_asyncio
from pydantic import SecretStr

from agents.backtest.catalogue import builtin
from agents.backtest.grid import Axis, Grid
from agents.backtest.rules import Rules
from agents.backtest.search import Search
from cluster import scan
from cluster.sweep import Swept
from cluster.voters import LocalVoters, Progress
from data.clock import SystemClock
from data.contracts.events import JobChanged, read_event
from data.market.archive import UPLOAD, hash_of, keep_upload
from data.settings import PostgresSettings, Settings
from data.store.jobs import Job
from data.store.pool import Pool
from data.store.stores import Stores, open_stores
from data.store.stream import Sequencer
from serve_app.runs import Source
from serve_app.sweeps import Plan
from serve_app.worker import JobWorker

GUARD_S = 60.0
PRICES = ("open", "high", "low", "close")


@pytest_asyncio.fixture
async def stores(store_url: str) -> AsyncIterator[Stores]:
    async with open_stores(PostgresSettings(url=SecretStr(store_url)), store_url) as opened:
        yield opened


@pytest.fixture
def worker(stores: Stores, store_url: str, tmp_path: Path) -> JobWorker:
    settings = Settings(home=tmp_path, postgres=PostgresSettings(url=SecretStr(store_url)))
    made = JobWorker(settings, stores, SystemClock())
    made._voters = LocalVoters()  # type: ignore[assignment]  # the worker as it is, but for its actors
    return made


def uploaded(home: Path, file: Path, *, scale: float = 1.0) -> dict[str, Any]:
    """A scan of these bars, whose prices were multiplied."""
    body = io.BytesIO()
    bars = pl.read_parquet(file)
    bars.with_columns(pl.col(*PRICES).cast(pl.Float64) * scale).write_parquet(body)
    data_hash = hash_of(body.getvalue())
    keep_upload(home, data_hash, body.getvalue())
    return {
        "source": f"{UPLOAD}{data_hash}",
        "data_hash": data_hash,
        "universe": None,
        "agents": ["patterns", "trend"],
        "as_of": str(bars["date"].max()),
    }


async def ended(stores: Stores, job: Job) -> Job:
    """The job once it has come to an end."""
    async with asyncio.timeout(GUARD_S):
        while True:
            found = await stores.jobs.get(job.job_id)
            assert found is not None
            if found.state in ("done", "failed", "cancelled"):
                return found


async def queue(stores: Stores, spec: dict[str, Any], *, priority: int = 5) -> Job:
    return (await stores.jobs.enqueue("scan", spec, owner="trader", priority=priority))[0]


async def test_a_job_that_breaks_fails_and_the_next_one_is_done(
    worker: JobWorker, stores: Stores, few_bars: Path, tmp_path: Path
) -> None:
    halved = await queue(stores, {"source": f"{UPLOAD}{'0' * 64}"}, priority=9)  # a row no version of ours would write
    absent = await queue(stores, uploaded(tmp_path, few_bars) | {"source": f"{UPLOAD}{'0' * 64}"}, priority=8)
    huge = await queue(stores, uploaded(tmp_path, few_bars, scale=1e305), priority=7)  # an overflow raises in tests
    good = await queue(stores, uploaded(tmp_path, few_bars), priority=1)
    working = asyncio.create_task(worker.run())
    try:
        assert (await ended(stores, good)).state == "done"
        assert not working.done()
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    found = [await ended(stores, job) for job in (halved, absent, huge)]
    assert [job.state for job in found] == ["failed"] * 3
    reasons = [job.error or "" for job in found]
    assert "no uploaded bars" in reasons[0]
    assert "no uploaded bars" in reasons[1]
    assert "an error inside the job ended it" in reasons[2]
    assert "Warning" not in reasons[2]


async def test_a_job_that_was_cancelled_does_not_end_the_worker_that_would_fail_it(
    worker: JobWorker, stores: Stores, few_bars: Path, tmp_path: Path
) -> None:
    whole = uploaded(tmp_path, few_bars)
    for spec in ({}, {"source": whole["source"]}, uploaded(tmp_path, few_bars, scale=1e305)):
        job = await queue(stores, spec)
        claimed = await stores.jobs.claim(["scan"], lease_s=60)
        assert claimed is not None
        assert claimed.job_id == job.job_id
        await stores.jobs.cancel(job.job_id)
        await worker._work(claimed)
        assert (await ended(stores, job)).state == "cancelled"


async def told(pool: Pool, stores: Stores, url: str) -> list[int]:
    """What was told to be done, in order."""
    async with Sequencer(pool, url).lead(60) as term:
        assert term is not None
        await term.sequence(1000)
    rows = await stores.events.after(0, limit=1000, pattern="jobs.*.progress")
    changes = [read_event(row.body) for row in rows]
    return [change.done for change in changes if isinstance(change, JobChanged)]


async def test_a_job_that_does_not_move_is_not_told_again(
    stores: Stores, pool: Pool, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "_REPORT_S", 0.0)
    job = await stores.jobs.start("scan", {}, owner="us", priority=1, total=9, lease_s=60)

    async def work(progress: Progress) -> str:
        for done in (1, 2):
            progress(done, 9)
            looks = 0
            while looks < 50:  # each a chance to write once more
                found = await stores.jobs.get(job.job_id)
                assert found is not None
                looks += found.done == done
        return "votes"

    async with asyncio.timeout(GUARD_S):
        assert await scan._reported(stores.jobs, job.fence, 9, lambda done, total: None, work) == "votes"
    assert await told(pool, stores, store_url) == [0, 0, 1, 2]  # started, and three writes


async def test_the_lease_of_a_job_that_does_not_move_is_renewed(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "_REPORT_S", 0.0)
    monkeypatch.setattr(scan, "_RENEW_S", 0.01)
    job = await stores.jobs.start("scan", {}, owner="us", priority=1, total=9, lease_s=60)

    async def work(progress: Progress) -> int:
        leases: set[datetime | None] = set()
        while len(leases) < 4:
            found = await stores.jobs.get(job.job_id)
            assert found is not None
            leases.add(found.lease_until)
        return len(leases)

    async with asyncio.timeout(GUARD_S):
        assert await scan._reported(stores.jobs, job.fence, 9, lambda done, total: None, work) == 4


def crosses(file: Path) -> Plan:
    """A small sweep over these bars."""
    source = Source(str(file))
    _, panel, universe = source.open(file.parent)
    grid = Grid(builtin("sma_cross"), (Axis.of("fast", "5:9"), Axis.of("slow", "20:40:10")))
    return Plan(Search(grid, panel, universe, Rules(fees=0.0005)), source)


async def test_a_queued_sweep_is_done_kept_and_counted(
    worker: JobWorker, stores: Stores, few_bars: Path, tmp_path: Path
) -> None:
    plan = crosses(few_bars)
    job, _ = await stores.jobs.enqueue("sweep", plan.spec, owner="ann", priority=5)
    await stores.jobs.pause(job.job_id)
    working = asyncio.create_task(worker.run())
    try:
        await stores.jobs.resume(job.job_id)
        done = await ended(stores, job)
    finally:
        working.cancel()
    assert (done.state, done.error) == ("done", None)
    assert done.result == {"result_id": plan.search.result_id}
    run = await stores.runs.get(plan.search.result_id)
    assert run is not None
    assert (run.owner, run.job_id) == ("ann", job.job_id)
    assert (await stores.trials.total(*plan.search.family)).trials == 8
    assert Swept(tmp_path / "runs" / plan.search.result_id).table.collect().height == 8


async def test_a_sweep_whose_bars_have_changed_fails_with_what_to_do(
    worker: JobWorker, stores: Stores, few_bars: Path, tmp_path: Path
) -> None:
    file = tmp_path / "bars.parquet"
    pl.read_parquet(few_bars).write_parquet(file)
    job, _ = await stores.jobs.enqueue("sweep", crosses(file).spec, owner="ann", priority=5)
    pl.read_parquet(few_bars).with_columns(pl.col("volume") * 2).write_parquet(file)
    working = asyncio.create_task(worker.run())
    try:
        done = await ended(stores, job)
    finally:
        working.cancel()
    assert done.state == "failed"
    assert done.error == "the bars of this sweep are no longer what they were; start it again"
