"""Agent pools on a real Ray cluster: who is asked, what a refusal says, and that nothing is copied."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import ray

from agents.agent import Agent, VoteBlock
from agents.registry import roster
from cluster.actors import evaluate
from cluster.connect import NAMESPACE
from cluster.course import Course, Step
from cluster.plan import chunks_of
from cluster.pools import AgentPool, AgentUnavailable
from cluster.voters import Missing, PoolVoters
from data.contracts.errors import TemporarilyUnavailable
from data.contracts.panel import Panel
from data.settings import AgentSettings
from tests.cluster.installation import eventually, frozen

_START_S = 90.0
_OTHER, _AGENT = roster(["mean_reversion", "trend"])
_SETTINGS = AgentSettings(actors=2, deadline_s=1.0, max_pending_calls=2)

pytestmark = pytest.mark.usefixtures("local_ray")


@pytest.fixture(scope="module")
def pool(local_ray: None) -> Iterator[AgentPool]:
    """Two named actors, each with room for two calls."""
    found = AgentPool.ensure(_AGENT, _SETTINGS, keep=True, pin_threads=False)
    yield found
    found.stop()


@pytest.fixture(scope="module")
def pinned_pool(local_ray: None) -> Iterator[AgentPool]:
    """One actor of another agent, started as on a cluster whose workers have as many threads as they like."""
    found = AgentPool.ensure(_OTHER, _SETTINGS.model_copy(update={"actors": 1}), keep=True)
    yield found
    found.stop()


@pytest.fixture(scope="module")
def shared(local_ray: None, sample_panel: Panel) -> Any:
    return ray.put(sample_panel)


async def pids(pool: AgentPool) -> list[int]:
    return await pool.ready(deadline_s=_START_S)


def inside(agent: Agent[Any], member: int, look: Any, *arguments: Any) -> Any:
    """What a function sees that runs in an actor of the pool; its first argument is the actor itself."""
    handle = ray.get_actor(f"agent/{agent.name}/{member}", namespace=NAMESPACE)
    return ray.get(handle.__ray_call__.remote(look, *arguments), timeout=_START_S)


async def test_ensure_again_finds_the_same_named_actors(pool: AgentPool) -> None:
    first = await pids(pool)
    assert await pids(AgentPool.ensure(_AGENT, _SETTINGS, keep=True)) == first
    assert len(set(first)) == 2
    assert inside(_AGENT, 0, lambda _: os.getpid()) == first[0]


async def test_a_found_actor_that_hangs_is_restarted_and_the_pool_gets_ready(pool: AgentPool) -> None:
    first = await pids(pool)
    with frozen(first[0]):
        again = AgentPool.ensure(_AGENT, _SETTINGS, keep=True)
        found = await again.ready(deadline_s=_START_S, hung_after_s=2.0)
    assert found[0] != first[0]
    assert found[1] == first[1]


async def test_larger_pool_keeps_the_named_actors_and_adds_its_own(pool: AgentPool) -> None:
    larger = AgentPool.ensure(_AGENT, _SETTINGS.model_copy(update={"actors": 3}), keep=False, pin_threads=False)
    found = await pids(larger)
    assert found[:2] == await pids(pool)
    assert len(set(found)) == 3


async def test_votes_of_a_pool_have_the_bits_of_this_process(pool: AgentPool, shared: Any, sample_panel: Panel) -> None:
    found = await pool.ask(shared, 100, 200, rows="all", deadline_s=_START_S)
    expected = evaluate(_AGENT.name, sample_panel, 100, 200, "all")
    np.testing.assert_array_equal(found.score.view(np.int64), expected.score.view(np.int64))
    np.testing.assert_array_equal(found.confidence.view(np.int64), expected.confidence.view(np.int64))


class Recording(AgentPool):
    """A pool that remembers which symbols it was asked for."""

    asked: list[tuple[int, int]]

    async def ask(self, panel: Any, first: int, last: int, **how: Any) -> VoteBlock:
        self.asked.append((first, last))
        return await super().ask(panel, first, last, **how)


@pytest.mark.usefixtures("pool")
async def test_chunks_and_votes_do_not_depend_on_the_number_of_actors(sample_panel: Panel) -> None:
    dear = replace(_AGENT, cost_ns=40 * _AGENT.cost_ns)  # so that its work is worth many chunks
    asked, votes = [], []
    for actors in (1, 2):
        settings = _SETTINGS.model_copy(update={"actors": actors})
        recording = Recording.ensure(dear, settings, keep=True)
        assert isinstance(recording, Recording)
        recording.asked = []
        voters = PoolVoters({dear.name: recording}, settings)
        (block,) = await voters.votes(sample_panel, [dear], rows="last", progress=lambda done, total: None)
        asked.append(sorted(recording.asked))
        votes.append(block.score.tobytes() + block.confidence.tobytes())
    assert asked[0] == asked[1] == [(chunk.first, chunk.last) for chunk in chunks_of(sample_panel, dear)]
    assert len(asked[0]) > 10
    assert votes[0] == votes[1]


async def test_killed_actor_is_unavailable_then_started_again_under_its_name(pool: AgentPool, shared: Any) -> None:
    before = await pids(pool)
    os.kill(before[0], signal.SIGKILL)
    eventually("the end of the process", lambda: not psutil.pid_exists(before[0]))
    with pytest.raises(AgentUnavailable, match="died") as refused:
        await pool.ask(shared, 0, 1, rows="last", deadline_s=_START_S, avoid={1})
    assert (refused.value.why, refused.value.member) == ("dead", 0)
    after = await pids(pool)
    assert after[0] != before[0]
    assert after[1] == before[1]
    assert inside(_AGENT, 0, lambda _: os.getpid()) == after[0]


@pytest.mark.usefixtures("pool", "pinned_pool")
@pytest.mark.parametrize("agent", [_AGENT, _OTHER], ids=["inherited", "pinned"])
def test_actor_runs_one_thread_of_numba_and_polars(agent: Agent[Any]) -> None:
    def threads(_: object) -> tuple[int, int, str | None]:
        import numba
        import polars

        return numba.get_num_threads(), polars.thread_pool_size(), os.environ.get("OPENBLAS_NUM_THREADS")

    assert inside(agent, 0, threads) == (1, 1, "1")


def test_panel_reaches_an_actor_read_only_in_shared_memory(pool: AgentPool, shared: Any) -> None:
    def place(_: object, panel: Panel) -> tuple[bool, str]:
        """Whether the prices can be written, and what their memory is mapped from."""
        address = panel.close.ctypes.data
        for line in Path("/proc/self/maps").read_text().splitlines():
            first, last = (int(edge, 16) for edge in line.split()[0].split("-"))
            if first <= address < last:
                return panel.close.flags.writeable, line.split(maxsplit=5)[5]
        return panel.close.flags.writeable, "nothing"

    writeable, mapped = inside(_AGENT, 0, place, shared)
    assert not writeable
    assert mapped.startswith("/dev/shm/")


async def test_call_to_a_full_queue_is_refused_as_busy_at_once(pool: AgentPool, shared: Any) -> None:
    found = await pids(pool)
    with frozen(*found):
        waiting = [asyncio.create_task(pool.ask(shared, 0, 1, rows="last", deadline_s=3.0)) for _ in range(4)]
        await asyncio.sleep(0)  # lets every one of them make its call
        with pytest.raises(AgentUnavailable, match="too many calls") as refused:
            await pool.ask(shared, 0, 1, rows="last", deadline_s=_START_S)
        assert refused.value.why == "busy"
        late = await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(TemporarilyUnavailable, match="not ready within 0\\.2 s"):
            await pool.ready(deadline_s=0.2)
    assert [getattr(answer, "why", answer) for answer in late] == ["late"] * 4
    assert await pids(pool) == found


async def test_call_to_a_frozen_actor_ends_at_its_deadline(pool: AgentPool, shared: Any) -> None:
    found = await pids(pool)
    with frozen(*found):
        started = time.monotonic()
        with pytest.raises(AgentUnavailable, match=r"did not answer in 0\.5 s") as refused:
            await pool.ask(shared, 0, 1, rows="last", deadline_s=0.5)
        assert 0.5 <= time.monotonic() - started < 1.0
    assert refused.value.why == "late"


async def test_live_votes_keep_the_deadline_and_name_the_frozen_agent(
    pool: AgentPool, pinned_pool: AgentPool, sample_panel: Panel
) -> None:
    await pids(pinned_pool)
    voters = PoolVoters({_AGENT.name: pool, _OTHER.name: pinned_pool}, _SETTINGS)
    panel = sample_panel.of("AAPL")
    with frozen(*await pids(pool)):
        started = time.monotonic()
        voted, missing = await voters.live_votes(panel, [_OTHER, _AGENT])
        assert time.monotonic() - started < _SETTINGS.deadline_s + 0.5
    assert isinstance(voted, VoteBlock)
    assert isinstance(missing, Missing)
    assert (missing.agent, missing.why.split(":")[0]) == (_AGENT.name, "late")
    again = await voters.live_votes(panel, [_AGENT])
    assert isinstance(again[0], VoteBlock)


async def test_live_votes_name_a_killed_agent(pool: AgentPool, sample_panel: Panel) -> None:
    found = await pids(pool)
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    (missing,) = await PoolVoters({_AGENT.name: pool}, _SETTINGS).live_votes(sample_panel.of("AAPL"), [_AGENT])
    assert isinstance(missing, Missing)
    assert missing.agent == _AGENT.name
    assert missing.why.split(":")[0] in ("dead", "late")  # late, when Ray was quicker to start it than to say so
    assert not set(await pids(pool)) & set(found)


class Followed(AgentPool):
    """A pool that remembers how often it had to send the whole history."""

    begun = 0

    async def follow(self, part: Any, number: int, whole: Any, *, deadline_s: float) -> VoteBlock:
        def counted() -> Any:
            self.begun += 1
            return whole()

        return await super().follow(part, number, counted, deadline_s=deadline_s)


def bits_of_the_whole(step: Step) -> bytes:
    block = evaluate(_AGENT.name, step.whole, 0, len(step.whole.symbols), "last")
    return block.score.tobytes() + block.confidence.tobytes()


async def kill_first(pool: AgentPool) -> None:
    """Kill one actor, and wait until another has taken its place."""
    victim = (await pids(pool))[0]
    os.kill(victim, signal.SIGKILL)
    eventually("the end of the process", lambda: not psutil.pid_exists(victim))
    assert victim not in await pids(pool)


async def test_sessions_are_followed_to_the_bit_and_an_actor_killed_between_them_begins_again(
    pool: AgentPool, sample_panel: Panel
) -> None:
    await pids(pool)
    patient = _SETTINGS.model_copy(update={"deadline_s": 30.0})
    followed = Followed.ensure(_AGENT, patient, keep=True)
    assert isinstance(followed, Followed)
    voters, course = PoolVoters({_AGENT.name: followed}, patient), Course(sample_panel, atr_window=14)
    begun = []
    for number, session in enumerate(sample_panel.sessions[-6:].tolist()):
        if number == 3:
            await kill_first(pool)
        step = course.at(session)
        (block,) = await voters.session_votes(step, [_AGENT])
        assert isinstance(block, VoteBlock)
        assert block.score.tobytes() + block.confidence.tobytes() == bits_of_the_whole(step)
        begun.append(followed.begun)
    assert begun == [2, 2, 2, 3, 3, 3]  # both actors at first, later only the one that lost its standing


async def test_a_frozen_actor_makes_its_agent_missing_in_a_session(pool: AgentPool, sample_panel: Panel) -> None:
    found = await pids(pool)
    with frozen(*found):
        step = Course(sample_panel, atr_window=14).at(int(sample_panel.sessions[-1]))
        (missing,) = await PoolVoters({_AGENT.name: pool}, _SETTINGS).session_votes(step, [_AGENT])
    assert isinstance(missing, Missing)
    assert (missing.agent, missing.why.split(":")[0]) == (_AGENT.name, "late")
