"""Who computes votes: this process (small work, no Ray) or the agent pools. Same input, same bits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import ray

from agents.agent import Agent, VoteBlock, join
from cluster.actors import Rows, evaluate
from cluster.course import Step
from cluster.plan import Chunk, chunks_of
from cluster.pools import AgentPool, AgentUnavailable
from cluster.standings import Standings
from data.contracts.errors import GoldenSignalsError
from data.contracts.panel import Panel
from data.settings import AgentSettings

_ATTEMPTS = {"late": 3, "failed": 3, "busy": 60, "dead": 12}  # a killed actor needs some seconds to come back
_LONGEST_PAUSE_S = 2.0
_IN_FLIGHT = 2  # calls per actor: one works while the next one waits beside it

Progress = Callable[[int, int], None]  # symbol votes done, of how many


@dataclass(frozen=True, slots=True)
class Missing:
    """An agent that gave no vote in time, and why; only live serving goes on without it."""

    agent: str
    why: str


class Voters(Protocol):
    """Asks agents about a panel."""

    async def votes(
        self, panel: Panel, agents: Sequence[Agent[Any]], *, rows: Rows, progress: Progress
    ) -> list[VoteBlock]:
        """One block per agent, complete, in the order given; or GoldenSignalsError with the reason."""

    async def live_votes(self, panel: Panel, agents: Sequence[Agent[Any]]) -> list[VoteBlock | Missing]:
        """Last rows only; an agent that is late, dead or failing is Missing, never neutral."""

    async def session_votes(self, step: Step, agents: Sequence[Agent[Any]]) -> list[VoteBlock | Missing]:
        """As `live_votes` of `step.whole`, by agents that follow the market session by session."""


class LocalVoters:
    """Evaluates in this process."""

    def __init__(self) -> None:
        self._standings: dict[str, Standings] = {}

    async def votes(
        self, panel: Panel, agents: Sequence[Agent[Any]], *, rows: Rows, progress: Progress
    ) -> list[VoteBlock]:
        """See `Voters.votes`."""
        symbols = len(panel.symbols)
        blocks = []
        for done, agent in enumerate(agents, start=1):
            blocks.append(evaluate(agent.name, panel, 0, symbols, rows))
            progress(done * symbols, len(agents) * symbols)
        return blocks

    async def live_votes(self, panel: Panel, agents: Sequence[Agent[Any]]) -> list[VoteBlock | Missing]:
        """See `Voters.live_votes`: in one process a failing agent is a bug, and propagates."""
        return [*await self.votes(panel, agents, rows="last", progress=_silent)]

    async def session_votes(self, step: Step, agents: Sequence[Agent[Any]]) -> list[VoteBlock | Missing]:
        """See `Voters.session_votes`."""
        return [self._session_vote(step, agent) for agent in agents]

    def _session_vote(self, step: Step, agent: Agent[Any]) -> VoteBlock:
        if agent.reach is None:
            return agent.evaluate(step.whole).take(step.whole.last_rows)
        standings = self._standings.setdefault(agent.name, Standings(agent))
        blocks = []
        for part in step.parts(1, inputs=agent.inputs):
            block = None if part.before is None else standings.follow(part.before, part.after, part.new)
            blocks.append(block or standings.begin(part.after, step.whole.slice(part.first, part.last)))
        return join(blocks)


class PoolVoters:
    """Evaluates on the cluster: the panel is put once, chunks go to the pools, failed chunks go elsewhere."""

    def __init__(self, pools: Mapping[str, AgentPool], settings: AgentSettings) -> None:
        self._pools = pools
        self._settings = settings

    @property
    def pools(self) -> Mapping[str, AgentPool]:
        """The pools, by agent."""
        return self._pools

    async def votes(
        self, panel: Panel, agents: Sequence[Agent[Any]], *, rows: Rows, progress: Progress
    ) -> list[VoteBlock]:
        """See `Voters.votes`. Raises GoldenSignalsError naming the chunk and the reason after its last attempt."""
        ref = ray.put(panel)
        plan = {agent.name: chunks_of(panel, agent) for agent in agents}
        total = len(panel.symbols) * len(agents)
        done = 0

        async def run(chunk: Chunk, slots: asyncio.Semaphore) -> VoteBlock:
            nonlocal done
            async with slots:
                block = await self._ask_until_answered(chunk, ref, rows)
            done += chunk.last - chunk.first
            progress(done, total)
            return block

        try:
            async with asyncio.TaskGroup() as group:
                # dearest agent first: the cheap ones fill the gaps at the end
                tasks: dict[str, list[asyncio.Task[VoteBlock]]] = {}
                for agent in sorted(agents, key=lambda a: -a.cost_ns):
                    slots = asyncio.Semaphore(_IN_FLIGHT * self._pools[agent.name].size)
                    tasks[agent.name] = [group.create_task(run(chunk, slots)) for chunk in plan[agent.name]]
        except* GoldenSignalsError as problems:
            raise problems.exceptions[0] from None
        return [join([task.result() for task in tasks[agent.name]]) for agent in agents]

    async def live_votes(self, panel: Panel, agents: Sequence[Agent[Any]]) -> list[VoteBlock | Missing]:
        """See `Voters.live_votes`; all agents are asked at once and share one deadline."""
        ref = ray.put(panel)
        ends = time.monotonic() + self._settings.deadline_s
        return [*await asyncio.gather(*(self._ask_live(agent, ref, panel, ends) for agent in agents))]

    async def session_votes(self, step: Step, agents: Sequence[Agent[Any]]) -> list[VoteBlock | Missing]:
        """See `Voters.session_votes`; the market is put only for those who do not know it."""
        ends = time.monotonic() + self._settings.deadline_s
        put: list[ray.ObjectRef[Panel]] = []

        def whole() -> ray.ObjectRef[Panel]:
            if not put:
                put.append(ray.put(step.whole))
            return put[0]

        async def one(agent: Agent[Any]) -> VoteBlock | Missing:
            if agent.reach is None:
                return await self._ask_live(agent, whole(), step.whole, ends)
            pool = self._pools[agent.name]
            parts = step.parts(pool.size, inputs=agent.inputs)
            asked = (
                pool.follow(part, number, whole, deadline_s=max(0.001, ends - time.monotonic()))
                for number, part in enumerate(parts)
            )
            return await _joined(agent, asked)

        return [*await asyncio.gather(*map(one, agents))]

    async def _ask_live(
        self, agent: Agent[Any], ref: ray.ObjectRef[Panel], panel: Panel, ends: float
    ) -> VoteBlock | Missing:
        pool = self._pools[agent.name]

        async def once(chunk: Chunk) -> VoteBlock:
            left = max(0.001, ends - time.monotonic())
            return await pool.ask(ref, chunk.first, chunk.last, rows="last", deadline_s=left)

        return await _joined(agent, map(once, chunks_of(panel, agent)))

    async def _ask_until_answered(self, chunk: Chunk, panel: ray.ObjectRef[Panel], rows: Rows) -> VoteBlock:
        pool = self._pools[chunk.agent]
        failed: list[AgentUnavailable] = []
        while True:
            try:
                return await pool.ask(
                    panel,
                    chunk.first,
                    chunk.last,
                    rows=rows,
                    deadline_s=self._settings.chunk_deadline_s,
                    avoid={failed[-1].member} if failed else (),
                )
            except AgentUnavailable as problem:
                failed.append(problem)
                if problem.why == "late":
                    pool.restart(problem.member)
                if sum(earlier.why == problem.why for earlier in failed) >= _ATTEMPTS[problem.why]:
                    break
                await asyncio.sleep(min(_LONGEST_PAUSE_S, 0.1 * 2 ** len(failed)))
        reasons = "; ".join(dict.fromkeys(str(problem) for problem in failed))
        raise GoldenSignalsError(
            f"chunk {chunk.chunk_id} failed {len(failed)} times: {reasons}. Nothing was stored; run it again",
            chunk=chunk.chunk_id,
        )


async def _joined(agent: Agent[Any], parts: Iterable[Awaitable[VoteBlock]]) -> VoteBlock | Missing:
    """The votes of all parts, or why the agent is missing: it is heard whole or not at all."""
    answers = await asyncio.gather(*parts, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, AgentUnavailable):
            return Missing(agent.name, f"{answer.why}: {answer}")
        if isinstance(answer, BaseException):
            raise answer
    return join([answer for answer in answers if isinstance(answer, VoteBlock)])


def _silent(done: int, total: int) -> None:
    """Progress nobody watches."""
