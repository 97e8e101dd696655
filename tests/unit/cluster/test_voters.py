"""Votes computed in this process: whole, in the order asked, and the same bits as any split of the panel."""

import numpy as np
import pytest

from agents.agent import VoteBlock, join
from agents.registry import roster
from cluster.actors import AgentActor, evaluate
from cluster.plan import chunks_of
from cluster.voters import LocalVoters
from data.contracts.panel import Panel


class Seen(list[tuple[int, int]]):
    """Progress that is written down."""

    def __call__(self, done: int, total: int) -> None:
        self.append((done, total))


def same_bits(a: VoteBlock, b: VoteBlock) -> bool:
    return (
        a.agent == b.agent
        and a.score.tobytes() == b.score.tobytes()
        and a.confidence.tobytes() == b.confidence.tobytes()
    )


async def test_one_block_per_agent_in_the_order_given(panel: Panel) -> None:
    agents = roster(["volume", "trend"])[::-1]
    progress = Seen()
    blocks = await LocalVoters().votes(panel, agents, rows="all", progress=progress)
    assert [block.agent for block in blocks] == [agent.name for agent in agents]
    assert [block.score.size for block in blocks] == [len(panel)] * 2
    assert progress == [(5, 10), (10, 10)]


async def test_the_last_row_has_the_bits_of_the_whole_history(panel: Panel) -> None:
    voters = LocalVoters()
    last = await voters.votes(panel, roster(), rows="last", progress=Seen())
    whole = await voters.votes(panel, roster(), rows="all", progress=Seen())
    assert all(same_bits(a, b.take(panel.last_rows)) for a, b in zip(last, whole, strict=True))
    assert any(np.isfinite(block.score).all() for block in last)


async def test_live_votes_are_the_last_rows(panel: Panel) -> None:
    live = await LocalVoters().live_votes(panel, roster())
    last = await LocalVoters().votes(panel, roster(), rows="last", progress=Seen())
    assert all(isinstance(a, VoteBlock) and same_bits(a, b) for a, b in zip(live, last, strict=True))


@pytest.mark.parametrize("name", [agent.name for agent in roster()])
def test_chunks_joined_have_the_bits_of_the_whole(panel: Panel, name: str) -> None:
    (agent,) = roster([name])
    chunks = chunks_of(panel, agent, chunk_s=agent.cost_ns * 1e-9 * 400)
    assert len(chunks) > 1
    parts = [evaluate(name, panel, chunk.first, chunk.last, "last") for chunk in chunks]
    assert same_bits(join(parts), evaluate(name, panel, 0, len(panel.symbols), "last"))


def test_the_actor_without_ray_answers_like_the_function(panel: Panel) -> None:
    actor = AgentActor("mean_reversion")
    assert same_bits(actor.vote(panel, 1, 3, "all"), evaluate("mean_reversion", panel, 1, 3, "all"))
    assert actor.vote(panel, 1, 3, "last").score.size == 2
