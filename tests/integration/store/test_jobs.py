"""A job has one writer: whoever started it last."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.contracts.errors import GoldenSignalsError, InvalidInput, NotFound, TemporarilyUnavailable
from data.contracts.events import JobChanged, read_event
from data.store.events import EventLog
from data.store.jobs import Fence, Job, JobStore, job_id_of
from data.store.pool import Pool, transaction
from data.store.signals import SignalStore
from data.store.stream import Sequencer
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


async def test_nothing_is_held_of_jobs_that_were_cancelled_or_taken_over(
    jobs: JobStore, pool: Pool, store_url: str
) -> None:
    lost = []
    for number in range(3):
        await queue(jobs, number)
        job = await jobs.claim(["scan"], lease_s=3600)
        assert job is not None
        await jobs.cancel(job.job_id)
        lost.append(job.fence)
    other = JobStore(pool, store_url)
    lost.append((await start(jobs)).fence)
    await start(other, take_over=True)
    assert await held(pool) == 5
    writes = [
        jobs.progress(lost[0], 1),
        jobs.fail(lost[1], "late"),
        jobs.finish(lost[2], {}),
        jobs.progress(lost[3], 1),
    ]
    for write in writes:
        with pytest.raises(GoldenSignalsError, match="nothing was written"):
            await write
    await until_held(pool, 1)
    await other.close()
    await until_held(pool, 0)


async def held(pool: Pool) -> int:
    """Session locks of jobs: one for each that a process holds, on a connection of its own."""
    async with pool.connection() as connection:
        rows = await connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        (count,) = await rows.fetchone() or (0,)
    return int(count)


async def until_held(pool: Pool, count: int) -> None:
    """PostgreSQL hears within milliseconds that a connection has ended."""
    async with asyncio.timeout(10):
        while await held(pool) != count:
            continue


async def test_a_job_that_ended_cannot_be_cancelled(jobs: JobStore) -> None:
    job = await start(jobs)
    await jobs.finish(job.fence, {})
    assert (await jobs.cancel(job.job_id)).state == "done"


async def test_an_unknown_job_is_refused(jobs: JobStore) -> None:
    assert await jobs.get("none") is None
    with pytest.raises(NotFound, match="no job none"):
        await jobs.cancel("none")
    with pytest.raises(NotFound, match="no job none"):
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


async def queue(store: JobStore, number: int, *, kind: str = "scan", owner: str = "us", priority: int = 1) -> Job:
    job, new = await store.enqueue(kind, {"number": number}, owner=owner, priority=priority)
    assert new
    return job


async def told(pool: Pool, url: str) -> list[tuple[str, str, int, int, str | None]]:
    """Every change of a job that an event tells of."""
    async with Sequencer(pool, url).lead(60) as term:
        assert term is not None
        await term.sequence(1000)
    changes = [read_event(row.body) for row in await EventLog(pool).after(0, limit=1000, pattern="jobs.*.progress")]
    return [
        (change.job_id, change.state, change.done, change.total, change.error)
        for change in changes
        if isinstance(change, JobChanged)
    ]


async def test_every_change_of_a_job_is_told(jobs: JobStore, pool: Pool, store_url: str) -> None:
    queued, new = await jobs.enqueue("scan", SPEC, owner="us", priority=1)
    assert (queued.state, queued.started_at, new) == ("queued", None, True)
    job = await jobs.claim(["scan"], lease_s=60)
    assert job is not None
    assert job.started_at is not None
    await jobs.progress(job.fence, 3, total=9)
    await jobs.fail(job.fence, "worker lost")
    await jobs.enqueue("scan", SPEC, owner="us", priority=1)
    again = await jobs.claim(["scan"], lease_s=60)
    assert again is not None
    await jobs.finish(again.fence, {})
    await jobs.cancel(job.job_id)  # it has ended: nothing changes, nothing is told
    other = await start(jobs)
    await jobs.cancel(other.job_id)
    await jobs.cancel(other.job_id)
    name = job.job_id
    assert await told(pool, store_url) == [
        (name, "queued", 0, 0, None),
        (name, "running", 0, 0, None),
        (name, "running", 3, 9, None),
        (name, "failed", 3, 9, "worker lost"),
        (name, "queued", 3, 9, None),
        (name, "running", 3, 9, None),
        (name, "done", 3, 9, None),
        (other.job_id, "running", 0, 10, None),
        (other.job_id, "cancelled", 0, 10, None),
    ]


async def test_a_refused_write_is_not_told(jobs: JobStore, pool: Pool, store_url: str) -> None:
    job = await start(jobs)
    await jobs.cancel(job.job_id)
    with pytest.raises(GoldenSignalsError, match="was cancelled"):
        await jobs.progress(job.fence, 5)
    assert [state for _, state, *_ in await told(pool, store_url)] == ["running", "cancelled"]


async def test_the_same_specification_queued_twice_is_one_job(jobs: JobStore) -> None:
    first, new = await jobs.enqueue("scan", SPEC, owner="us", priority=1, total=4)
    assert (new, first.state, first.total) == (True, "queued", 4)
    second, new = await jobs.enqueue("scan", dict(reversed(SPEC.items())), owner="them", priority=9)
    assert (new, second) == (False, first)
    job = await jobs.claim(["scan"], lease_s=60)
    assert job is not None
    running, new = await jobs.enqueue("scan", SPEC, owner="them", priority=9)
    assert (new, running) == (False, job)
    await jobs.finish(job.fence, {"best": 1})
    done, new = await jobs.enqueue("scan", SPEC, owner="them", priority=9)
    assert (new, done.state, done.result) == (False, "done", {"best": 1})


async def test_a_job_queued_again_is_written_no_more_by_who_ran_it(jobs: JobStore) -> None:
    """It was cancelled, and queued again before its worker noticed."""
    await queue(jobs, 1)
    old = await jobs.claim(["scan"], lease_s=3600)
    assert old is not None
    await jobs.cancel(old.job_id)
    again, new = await jobs.enqueue("scan", {"number": 1}, owner="them", priority=7)
    assert (new, again.state, again.owner, again.priority) == (True, "queued", "them", 7)
    with pytest.raises(GoldenSignalsError, match="another process took over"):
        await jobs.finish(old.fence, {})
    job = await jobs.claim(["scan"], lease_s=60)
    assert job is not None
    assert (await jobs.finish(job.fence, {})).state == "done"


async def test_the_highest_priority_is_claimed_first_then_the_oldest(jobs: JobStore) -> None:
    wanted = [await queue(jobs, number, priority=priority) for number, priority in enumerate([1, 5, 1, 5])]
    await queue(jobs, 9, kind="sweep", priority=50)
    claimed = [await jobs.claim(["scan"], lease_s=60) for _ in range(5)]
    order = [wanted[1].job_id, wanted[3].job_id, wanted[0].job_id, wanted[2].job_id]
    assert [job.job_id for job in claimed if job is not None] == order
    assert claimed[4] is None
    sweep = await jobs.claim(["scan", "sweep"], lease_s=60)
    assert sweep is not None
    assert (sweep.kind, sweep.state, sweep.epoch) == ("sweep", "running", 1)


async def test_workers_that_claim_at_once_never_get_the_same_job(jobs: JobStore, pool: Pool, store_url: str) -> None:
    names = {(await queue(jobs, number)).job_id for number in range(12)}
    workers = [JobStore(pool, store_url) for _ in range(4)]
    got: list[str] = []

    async def work(store: JobStore) -> None:
        while (job := await store.claim(["scan"], lease_s=60)) is not None:
            got.append(job.job_id)

    await asyncio.gather(*(work(store) for store in workers))
    assert sorted(got) == sorted(names)
    for store in workers:
        await store.close()


async def test_a_running_job_is_claimed_when_its_lease_has_passed_or_its_holder_has_died(
    jobs: JobStore, pool: Pool, store_url: str, holder: subprocess.Popen[str]
) -> None:
    frozen = JobStore(pool, store_url)
    await queue(jobs, 1)
    old = await frozen.claim(["scan"], lease_s=1e-6)
    assert old is not None
    taken = await jobs.claim(["scan", "sweep"], lease_s=60)
    assert taken is not None
    assert (taken.job_id, taken.epoch) == (old.job_id, 2)
    with pytest.raises(GoldenSignalsError, match="another process took over"):
        await frozen.progress(old.fence, 1)
    assert await jobs.claim(["scan", "sweep"], lease_s=60) is None  # the holder lives, and so do we
    holder.kill()
    while (sweep := await jobs.claim(["scan", "sweep"], lease_s=60)) is None:
        pass
    assert (sweep.kind, sweep.epoch, sweep.owner) == ("sweep", 2, "them")
    await frozen.close()


async def test_a_lock_that_postgresql_lost_with_its_own_end_says_nothing_of_its_holder(
    jobs: JobStore, pool: Pool, store_url: str
) -> None:
    """After a restart of the server no lock is left: its holder lives unless its lease passes or we see it gone."""
    holder = JobStore(pool, store_url)
    old = await holder.start("scan", SPEC, owner="us", priority=1, total=1, lease_s=60)
    await holder.close()  # its lock is gone, as after a restart
    started_before = "UPDATE job SET started_at = pg_postmaster_start_time() - interval '1 second'"
    async with transaction(pool, 10) as connection:
        await connection.execute(started_before)
    assert await jobs.claim(["scan"], lease_s=60) is None
    with pytest.raises(TemporarilyUnavailable, match="runs already"):
        await jobs.start("scan", SPEC, owner="us", priority=1, total=1, lease_s=60)
    assert (await holder.progress(old.fence, 1)).done == 1
    ended = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await ended.wait()
    for name, gone in ((f"elsewhere:{ended.pid}", False), (f"{socket.gethostname()}:{ended.pid}", True)):
        async with transaction(pool, 10) as connection:
            await connection.execute("UPDATE job SET lease_holder = %s", (name,))
        if gone:
            taken = await jobs.start("scan", SPEC, owner="us", priority=1, total=1, lease_s=60)
            assert taken.epoch == 2
        else:
            assert await jobs.claim(["scan"], lease_s=60) is None


async def test_a_lease_that_has_passed_lets_a_job_go_on_after_a_restart_of_postgresql(
    jobs: JobStore, pool: Pool, store_url: str
) -> None:
    holder = JobStore(pool, store_url)
    await holder.start("scan", SPEC, owner="us", priority=1, total=1, lease_s=60)
    await holder.close()
    async with transaction(pool, 10) as connection:
        await connection.execute("UPDATE job SET started_at = pg_postmaster_start_time() - interval '1 second'")
        await connection.execute("UPDATE job SET lease_until = now()")
    taken = await jobs.claim(["scan"], lease_s=60)
    assert taken is not None
    assert taken.epoch == 2


async def test_jobs_are_listed_page_by_page(jobs: JobStore) -> None:
    made = [await queue(jobs, number, owner="us" if number % 2 else "them") for number in range(5)]
    newest = [job.job_id for job in reversed(made)]
    pages, before = [], None
    while page := await jobs.listing(limit=2, before=before):
        pages.append([job.job_id for job in page])
        before = (page[-1].created_at, page[-1].job_id)
    assert pages == [newest[:2], newest[2:4], newest[4:]]
    assert [job.job_id for job in await jobs.listing(owner="us", kind="scan", state="queued")] == newest[1::2]
    assert await jobs.listing(kind="sweep") == []


async def test_a_paused_job_is_written_for_by_nobody_until_it_is_resumed(jobs: JobStore) -> None:
    job = await jobs.start("sweep", {"x": 7}, owner="ann", priority=1, total=3, lease_s=60)
    await jobs.progress(job.fence, 2)
    assert (await jobs.pause(job.job_id)).state == "paused"
    with pytest.raises(GoldenSignalsError, match="was paused"):
        await jobs.progress(job.fence, 3)
    assert await jobs.claim(["sweep"], lease_s=60) is None
    resumed = await jobs.resume(job.job_id)
    assert (resumed.state, resumed.done) == ("queued", 2)
    with pytest.raises(GoldenSignalsError, match="took over"):
        await jobs.progress(job.fence, 3)
    claimed = await jobs.claim(["sweep"], lease_s=60)
    assert claimed is not None
    assert (claimed.job_id, claimed.done, claimed.done_before) == (job.job_id, 2, 2)


async def test_pausing_a_job_that_has_ended_changes_nothing(jobs: JobStore) -> None:
    job = await jobs.start("sweep", {"x": 8}, owner="ann", priority=1, total=1, lease_s=60)
    done = await jobs.finish(job.fence, {})
    assert await jobs.pause(job.job_id) == done
    assert await jobs.resume(job.job_id) == done
    with pytest.raises(NotFound):
        await jobs.pause("no such job")
