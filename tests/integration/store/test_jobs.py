"""A job has one writer: whoever started it last."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.contracts.errors import GoldenSignalsError, InvalidInput, TemporarilyUnavailable
from data.store.jobs import Fence, Job, JobStore, job_id_of
from data.store.pool import Pool
from data.store.signals import SignalStore
from tests.integration.store.samples import NOW, signal

SPEC = {"strategy": "sma_cross", "fast": [5, 10], "fees": 0.0005}
ROOT = Path(__file__).parents[3]

# Another process that starts the job and then waits to be killed.
HOLDER = """
import asyncio, sys
from data.store.jobs import JobStore
from data.store.pool import open_pool

async def main():
    url = sys.stdin.readline().strip()
    store = JobStore(await open_pool(url, size=2, connect_s=10), url)
    await store.start("sweep", {spec!r}, owner="them", priority=0, total=10, lease_s=3600)
    print("started", flush=True)
    sys.stdin.read()

asyncio.run(main())
"""


async def start(store: JobStore, *, lease_s: float = 3600, take_over: bool = False) -> Job:
    return await store.start("sweep", SPEC, owner="us", priority=1, total=10, lease_s=lease_s, take_over=take_over)


async def start_when_free(store: JobStore) -> Job:
    """PostgreSQL hears within milliseconds that a connection has ended."""
    while True:
        try:
            return await start(store)
        except TemporarilyUnavailable:
            continue


async def test_the_same_specification_is_the_same_job(jobs: JobStore) -> None:
    job = await start(jobs)
    assert job.job_id == job_id_of("sweep", dict(reversed(SPEC.items()))) != job_id_of("backtest", SPEC)
    assert (job.state, job.epoch, job.done, job.total, dict(job.spec)) == ("running", 1, 0, 10, SPEC)
    assert await jobs.get(job.job_id) == job
    assert await jobs.listing() == [job]


@pytest.mark.parametrize("spec", [{"x": float("nan")}, {"x": {1, 2}}])
async def test_a_specification_json_cannot_say_is_refused(jobs: JobStore, spec: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="plain JSON"):
        await jobs.start("sweep", spec, owner="us", priority=1, total=10, lease_s=60)
    assert await jobs.listing() == []


async def test_progress_and_result_are_kept_and_a_repeat_changes_nothing(jobs: JobStore) -> None:
    job = await start(jobs)
    assert (await jobs.progress(job.fence, 6)).done == 6
    assert (await jobs.progress(job.fence, 4)).done == 6
    done = await jobs.finish(job.fence, {"best": 1.5})
    assert (done.state, done.result) == ("done", {"best": 1.5})
    again = await jobs.finish(job.fence, {"best": 1.5})
    assert (again.state, again.result, again.epoch) == ("done", {"best": 1.5}, 1)


async def test_a_running_job_of_a_live_holder_is_not_started_twice(jobs: JobStore, pool: Pool, store_url: str) -> None:
    job = await start(jobs)
    other = JobStore(pool, store_url)
    with pytest.raises(TemporarilyUnavailable, match="runs already"):
        await start(other)
    assert (await jobs.progress(job.fence, 1)).epoch == 1


async def test_an_overtaken_process_can_write_nothing(
    jobs: JobStore, signals: SignalStore, pool: Pool, store_url: str
) -> None:
    """A frozen process keeps its lock; its lease runs out, somebody else starts, then it wakes up."""
    frozen = await start(jobs, lease_s=1e-6)
    other = JobStore(pool, store_url)
    taken = await start(other)
    assert taken.epoch == 2
    with pytest.raises(GoldenSignalsError, match="another process took over"):
        await signals.add_all([signal()], clock_now=NOW, correlation_id="test", fence=frozen.fence)
    with pytest.raises(GoldenSignalsError, match="another process took over"):
        await jobs.progress(frozen.fence, 9)
    with pytest.raises(GoldenSignalsError, match="another process took over"):
        await jobs.finish(frozen.fence, {})
    assert await signals.count() == 0
    assert (await signals.add_all([signal()], clock_now=NOW, correlation_id="test", fence=taken.fence))[0].new
    assert (await other.finish(taken.fence, {})).done == 0
    await other.close()


async def test_a_live_holder_is_overtaken_on_demand(jobs: JobStore, pool: Pool, store_url: str) -> None:
    old = await start(jobs)
    other = JobStore(pool, store_url)
    assert (await start(other, take_over=True)).epoch == 2
    with pytest.raises(GoldenSignalsError, match="another process took over"):
        await jobs.progress(old.fence, 1)
    await other.close()


@pytest.fixture
def holder(store_url: str) -> Iterator[subprocess.Popen[str]]:
    """A live process that holds the job."""
    command = [sys.executable, "-c", HOLDER.format(spec=SPEC)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{store_url}\n")
        process.stdin.flush()
        assert process.stdout.readline() == "started\n"
        yield process
        process.kill()


async def test_a_job_whose_process_was_killed_starts_again_before_its_lease_ends(
    jobs: JobStore, holder: subprocess.Popen[str]
) -> None:
    with pytest.raises(TemporarilyUnavailable, match=f":{holder.pid}"):
        await start(jobs)
    holder.kill()
    job = await start_when_free(jobs)
    assert (job.epoch, job.owner) == (2, "us")


async def test_a_failed_job_continues_and_a_finished_one_begins_anew(jobs: JobStore) -> None:
    job = await start(jobs)
    await jobs.progress(job.fence, 7)
    failed = await jobs.fail(job.fence, "worker lost")
    assert (failed.state, failed.error) == ("failed", "worker lost")
    again = await start(jobs)
    assert (again.epoch, again.done, again.error) == (2, 7, None)
    await jobs.finish(again.fence, {"best": 1})
    anew = await start(jobs)
    assert (anew.epoch, anew.done, anew.result, anew.state) == (3, 0, None, "running")


async def test_a_cancelled_job_is_written_no_more_until_it_is_started_again(
    jobs: JobStore, signals: SignalStore
) -> None:
    job = await start(jobs)
    assert (await jobs.cancel(job.job_id)).state == "cancelled"
    with pytest.raises(GoldenSignalsError, match="was cancelled"):
        await jobs.progress(job.fence, 1)
    with pytest.raises(GoldenSignalsError, match="was cancelled"):
        await signals.add_all([signal()], clock_now=NOW, correlation_id="test", fence=job.fence)
    assert await signals.count() == 0
    assert (await start(jobs)).epoch == 2


async def test_a_job_that_ended_cannot_be_cancelled(jobs: JobStore) -> None:
    job = await start(jobs)
    await jobs.finish(job.fence, {})
    assert (await jobs.cancel(job.job_id)).state == "done"


async def test_an_unknown_job_is_refused(jobs: JobStore) -> None:
    assert await jobs.get("none") is None
    with pytest.raises(InvalidInput, match="no job none"):
        await jobs.cancel("none")
    with pytest.raises(InvalidInput, match="no job none"):
        await jobs.progress(Fence("none", 1), 1)


async def test_closing_gives_the_job_up(jobs: JobStore, pool: Pool, store_url: str) -> None:
    await start(jobs)
    await jobs.close()
    other = JobStore(pool, store_url)
    assert (await start_when_free(other)).epoch == 2
    await other.close()


async def test_jobs_are_listed_by_state(jobs: JobStore) -> None:
    job = await start(jobs)
    await jobs.start("scan", {}, owner="us", priority=5, total=1, lease_s=60)
    await jobs.finish(job.fence, {})
    assert [found.kind for found in await jobs.listing(state="done")] == ["sweep"]
    assert [found.kind for found in await jobs.listing(state="running")] == ["scan"]
    assert len(await jobs.listing(limit=1)) == 1
