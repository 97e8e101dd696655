"""Runs, chunks of jobs and trials: each is written once, and a chunk together with its trials or not at all."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from data.contracts.errors import GoldenSignalsError
from data.contracts.trials import TrialCount
from data.store.chunks import ChunkStore, DoneChunk
from data.store.jobs import Job, JobStore
from data.store.pool import Pool
from data.store.runs import Run, RunStore
from data.store.trials import TrialStore
from tests.integration.store.samples import FIRST_BAR, NOW

RUN = Run("a1" * 16, "backtest", "sma_cross on AAPL", {"fast": 10}, {"sharpe": 0.5}, "ann", None, NOW)
CHUNK = DoneChunk("sets 0-10", "node-1", 0.25, {"file": "0-10.parquet", "rows": 10})
TRIALS = TrialCount("r1:0-10", "cross(sma, sma)", "u1", FIRST_BAR, NOW, 10, 0.01, 0.5)


@pytest_asyncio.fixture
async def job(jobs: JobStore) -> AsyncIterator[Job]:
    yield await jobs.start("sweep", {"x": 1}, owner="ann", priority=1, total=3, lease_s=60)


async def test_a_result_is_kept_once(pool: Pool) -> None:
    runs = RunStore(pool)
    assert await runs.add(RUN)
    assert not await runs.add(replace(RUN, title="again"))
    assert await runs.get(RUN.result_id) == RUN


async def test_a_result_is_found_by_the_beginning_of_its_id_if_that_is_clear(pool: Pool) -> None:
    runs = RunStore(pool)
    await runs.add(RUN)
    await runs.add(replace(RUN, result_id="a1b2"))
    assert await runs.get("a1b") == replace(RUN, result_id="a1b2")
    assert await runs.get("a1") is None
    assert await runs.get("ff") is None


async def test_runs_are_listed_newest_first_and_page_by_page(pool: Pool) -> None:
    runs = RunStore(pool)
    kept = [replace(RUN, result_id=f"{i}", created_at=NOW + timedelta(hours=i // 2)) for i in range(5)]
    for run in kept:
        await runs.add(run)
    first = await runs.listing(limit=2)
    rest = await runs.listing(before=(first[-1].created_at, first[-1].result_id))
    assert [run.result_id for run in [*first, *rest]] == ["4", "3", "2", "1", "0"]
    assert await runs.listing(kind="sweep") == []


async def test_a_done_chunk_and_its_trials_count_once(pool: Pool, job: Job) -> None:
    chunks, trials = ChunkStore(pool), TrialStore(pool)
    assert await chunks.record(job.fence, CHUNK, [TRIALS])
    assert not await chunks.record(job.fence, replace(CHUNK, node="node-2"), [TRIALS])
    assert await chunks.done(job.job_id) == {CHUNK.chunk_id: CHUNK}
    assert (await trials.total(TRIALS.family, "u1", FIRST_BAR, NOW)).trials == 10


async def test_a_holder_that_was_overtaken_writes_neither_chunk_nor_trials(
    pool: Pool, jobs: JobStore, job: Job
) -> None:
    await jobs.start("sweep", {"x": 1}, owner="ann", priority=1, total=3, lease_s=60, take_over=True)
    with pytest.raises(GoldenSignalsError, match="took over"):
        await ChunkStore(pool).record(job.fence, CHUNK, [TRIALS])
    assert await ChunkStore(pool).done(job.job_id) == {}
    assert (await TrialStore(pool).total(TRIALS.family, "u1", FIRST_BAR, NOW)).trials == 0


async def test_a_forgotten_chunk_may_be_done_again_and_its_trials_still_count_once(pool: Pool, job: Job) -> None:
    chunks = ChunkStore(pool)
    await chunks.record(job.fence, CHUNK, [TRIALS])
    await chunks.forget(job.fence, [CHUNK.chunk_id])
    assert await chunks.done(job.job_id) == {}
    assert await chunks.record(job.fence, CHUNK, [TRIALS])
    assert (await TrialStore(pool).total(TRIALS.family, "u1", FIRST_BAR, NOW)).trials == 10


async def test_only_trials_of_the_family_universe_and_overlapping_period_count(pool: Pool) -> None:
    trials, later = TrialStore(pool), NOW + timedelta(days=1)
    others = [
        replace(TRIALS, key="2", family="other"),
        replace(TRIALS, key="3", universe="u2"),
        replace(TRIALS, key="4", first_ts=later, last_ts=later),
    ]
    assert await trials.count([TRIALS, *others]) == 4
    assert await trials.count([TRIALS]) == 0
    assert (await trials.total(TRIALS.family, "u1", FIRST_BAR, NOW)).trials == 10
