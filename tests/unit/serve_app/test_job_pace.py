"""What `jobs watch` says: how fast a job goes, who does it, and what is left, and nothing that would be a guess."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from data.store.chunks import NodeWork
from data.store.jobs import Job
from serve_app.cli.jobs import job_line, node_lines
from serve_app.jobs import Seen

BEGAN = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
JOB = Job(
    job_id="0123456789abcdef" * 2,
    kind="sweep",
    spec={},
    owner="ann",
    priority=5,
    state="running",
    done=4_000,
    total=10_000,
    epoch=2,
    lease_holder="here:1",
    lease_until=BEGAN,
    error=None,
    result=None,
    created_at=BEGAN,
    started_at=BEGAN,
    updated_at=BEGAN + timedelta(seconds=20),
)
# a thousand sets of the first machine were done before the job was interrupted
NODES = (NodeWork("one", 3, 12.5, 3_000, 2_000), NodeWork("two", 1, 6.0, 1_000, 1_000))


def test_rate_and_rest_are_those_of_the_present_attempt() -> None:
    seen = Seen(JOB, NODES)
    assert seen.rate == pytest.approx(150.0)
    assert seen.left_s == pytest.approx(40.0)
    assert job_line(seen) == "sweep 0123456789ab running: 4,000 of 10,000, 40%, 150/s, about 40 s left"
    assert node_lines(seen) == [
        "one: 3 chunks, 75% of what is done, 100/s, 12.5 s of work",
        "two: 1 chunk, 25% of what is done, 50/s, 6.0 s of work",
    ]


def test_a_rate_is_told_after_three_seconds_or_two_per_cent() -> None:
    early = replace(JOB, done=150, updated_at=BEGAN + timedelta(seconds=2))
    little, enough = (NodeWork("one", 1, 1.0, units, units) for units in (150, 200))
    assert Seen(early, (little,)).rate is None
    assert Seen(early, (little,)).left_s is None
    assert Seen(replace(early, updated_at=BEGAN + timedelta(seconds=3)), (little,)).rate == pytest.approx(50.0)
    assert Seen(early, (enough,)).rate == pytest.approx(100.0)


def test_a_job_without_chunks_goes_by_its_own_count_and_one_that_waits_has_no_rate() -> None:
    assert Seen(JOB, ()).rate == pytest.approx(200.0)
    waits = Seen(replace(JOB, state="queued", started_at=None, done=0, total=0), ())
    assert (waits.rate, waits.left_s) == (None, None)
    assert job_line(waits) == "sweep 0123456789ab queued: 0 of 0"
    ended = Seen(replace(JOB, state="done", done=10_000), NODES)
    assert ended.left_s is None
    long = Seen(replace(JOB, total=10_000_000), NODES)
    assert job_line(long).endswith("150/s, about 18 h 30 min left")
