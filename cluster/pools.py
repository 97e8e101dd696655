"""Agent pools: N named actors per agent, spread over the nodes, asked with a deadline.

A pool answers with a VoteBlock or raises AgentUnavailable; what an unavailable agent means is the caller's
to decide: named as missing in live serving, asked elsewhere and then failed in a scan.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import ray
from ray.exceptions import (
    ActorUnavailableError,
    PendingCallsLimitExceeded,
    RayActorError,
    RayError,
    RayTaskError,
    TaskCancelledError,
)

from agents.agent import Agent, VoteBlock
from cluster.actors import AgentActor, Rows, Vitals
from cluster.connect import NAMESPACE, ONE_THREAD
from cluster.course import Part
from cluster.process import last_line
from data.contracts.errors import TemporarilyUnavailable
from data.contracts.panel import Panel
from data.settings import AgentSettings

_POLL_S = 0.1

Why = Literal["late", "dead", "busy", "failed"]
Silence = Literal["busy", "dead"]
Duty = Literal["live", "jobs"]  # whom a pool works for; live actors come first on a full machine
_DUTIES: tuple[Duty, ...] = get_args(Duty)


class AgentUnavailable(TemporarilyUnavailable):
    """One call got no vote. `why`: late, dead, busy or failed (the agent itself raised)."""

    def __init__(self, message: str, *, why: Why = "failed", member: int = 0) -> None:
        super().__init__(message, why=why, member=member)
        self.why: Why = why
        self.member = member

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (str(self), self.why, self.member)


@dataclass(slots=True)
class _Member:
    handle: Any  # ActorHandle[AgentActor]; Ray's own types do not follow its actors' methods
    pending: int = 0


class AgentPool:
    """The actors of one agent. Every call has a deadline; queues are bounded by `max_pending_calls`."""

    def __init__(self, agent: Agent[Any], handles: Sequence[Any], started: Sequence[Any] = ()) -> None:
        self.agent = agent
        self._members = [_Member(handle) for handle in handles]
        self._started = started

    @classmethod
    def ensure(
        cls, agent: Agent[Any], settings: AgentSettings, *, keep: bool, pin_threads: bool = True, duty: Duty = "live"
    ) -> AgentPool:
        """The first `settings.actors` actors of this agent: those that run already, and new ones for the rest.

        keep=True makes new ones named and detached: they outlive this process and the next one finds them.
        Otherwise they end with this process. Returns at once; `ready` waits for them.
        pin_threads=False is for a cluster of our own, whose workers have one thread anyway: its idle workers then
        become the actors, which saves seconds.
        """
        names = [_actor_name(duty, agent.name, member) for member in range(settings.actors)]
        env = ONE_THREAD if pin_threads else {}
        found = [_find(name) for name in names]
        absent = [name for name, handle in zip(names, found, strict=True) if handle is None]
        started = [_start(agent, name if keep else None, settings, env, behind=duty == "jobs") for name in absent]
        return cls(agent, [*filter(None, found), *started], started)

    @classmethod
    def find(cls, agent: Agent[Any], settings: AgentSettings) -> AgentPool:
        """The named actors of this agent that run now; starts nothing."""
        found = (_find(_actor_name("live", agent.name, member)) for member in range(settings.actors))
        return cls(agent, [handle for handle in found if handle])

    @staticmethod
    def end(agent: Agent[Any], settings: AgentSettings) -> None:
        """End the named actors of this agent, for live serving and for jobs, whoever started them."""
        for duty in _DUTIES:
            for member in range(settings.actors):
                handle = _find(_actor_name(duty, agent.name, member))
                if handle is not None:
                    ray.kill(handle)

    @property
    def size(self) -> int:
        """Actors in this pool."""
        return len(self._members)

    async def ready(self, *, deadline_s: float, hung_after_s: float | None = None) -> list[int]:
        """Wait until every actor, also one that Ray is starting again, has loaded its agent; their process ids.

        hung_after_s: actors that were found, and so have been ready before, are restarted when they do not answer
        in that time; None restarts nothing.
        """
        try:
            async with asyncio.timeout(deadline_s):
                return await asyncio.gather(*(self._pid(number, hung_after_s) for number in range(self.size)))
        except TimeoutError:
            raise TemporarilyUnavailable(
                f"the {self.agent.name} agents were not ready within {deadline_s:g} s"
            ) from None
        except RayError as problem:
            raise TemporarilyUnavailable(
                f"the {self.agent.name} agents did not start: {last_line(problem)}"
            ) from problem

    async def ask(
        self,
        panel: ray.ObjectRef[Panel],
        first: int,
        last: int,
        *,
        rows: Rows,
        deadline_s: float,
        avoid: Collection[int] = (),
    ) -> VoteBlock:
        """Votes for symbols first..last of the panel, from the least busy actor not in `avoid` (if any is left).

        Raises AgentUnavailable. The call may still run after a deadline; it writes nothing, so that is harmless.
        """
        block: VoteBlock = await self._call(
            self._pick(avoid), lambda handle: handle.vote.remote(panel, first, last, rows), deadline_s
        )
        return block

    async def follow(
        self, part: Part, number: int, whole: Callable[[], ray.ObjectRef[Panel]], *, deadline_s: float
    ) -> VoteBlock:
        """Votes on the newest bars of a part, from the actor that has followed it: only new bars travel.

        number: the part's own, so that the same actor is asked each time. An actor that does not know the history,
                because it was started again or missed a session, is sent it: `whole()` of `Step.whole`.
        Raises AgentUnavailable, as `ask`.
        """
        ends = time.monotonic() + deadline_s
        member = number % len(self._members)
        if part.before is not None:
            before, after, new = part.before, part.after, part.new
            block: VoteBlock | None = await self._call(
                member, lambda handle: handle.follow.remote(before, after, new), deadline_s
            )
            if block is not None:
                return block
        panel = whole()
        begun: VoteBlock = await self._call(
            member,
            lambda handle: handle.begin.remote(part.after, panel, part.first, part.last),
            max(0.001, ends - time.monotonic()),
        )
        return begun

    async def _call(self, number: int, start: Callable[[Any], Any], deadline_s: float) -> Any:
        """The answer of one actor, or AgentUnavailable with the reason."""
        member, name = self._members[number], self.agent.name
        member.pending += 1
        try:
            ref: Any = start(member.handle)
            async with asyncio.timeout(deadline_s):
                return await ref
        except TimeoutError:
            ray.cancel(ref)
            raise AgentUnavailable(f"{name} did not answer in {deadline_s:g} s", why="late", member=number) from None
        except PendingCallsLimitExceeded:
            raise AgentUnavailable(f"{name} has too many calls waiting", why="busy", member=number) from None
        except RayTaskError as problem:
            raise AgentUnavailable(f"{name} failed: {last_line(problem)}", why="failed", member=number) from problem
        except (RayActorError, TaskCancelledError) as problem:
            raise AgentUnavailable(f"a {name} actor died", why="dead", member=number) from problem
        except RayError as problem:
            raise AgentUnavailable(f"{name}: {last_line(problem)}", why="failed", member=number) from problem
        finally:
            member.pending -= 1

    async def look(self, *, deadline_s: float) -> list[Vitals | Silence]:
        """How every actor is, in order, or why that is not known: it works on something, or is being started."""

        async def one(member: _Member) -> Vitals | Silence:
            try:
                async with asyncio.timeout(deadline_s):
                    found: Vitals = await member.handle.vitals.remote()
                return found
            except (TimeoutError, PendingCallsLimitExceeded):
                return "busy"
            except RayError:
                return "dead"

        return await asyncio.gather(*(one(member) for member in self._members))

    async def _pid(self, number: int, hung_after_s: float | None) -> int:
        handle = self._members[number].handle
        if hung_after_s is not None and handle not in self._started:
            try:
                async with asyncio.timeout(hung_after_s):
                    return await _pid_when_ready(handle)
            except TimeoutError:
                self.restart(number)
        return await _pid_when_ready(handle)

    def restart(self, number: int) -> None:
        """Kill one actor; Ray starts it again."""
        ray.kill(self._members[number].handle, no_restart=False)

    def restart_all(self) -> int:
        """Restart every actor; how many."""
        for number in range(self.size):
            self.restart(number)
        return self.size

    def stop(self) -> None:
        """End for good the actors that this process started; those it found belong to others."""
        for handle in self._started:
            ray.kill(handle)

    def _pick(self, avoid: Collection[int]) -> int:
        free = [n for n in range(len(self._members)) if n not in avoid] or range(len(self._members))
        return min(free, key=lambda n: self._members[n].pending)


def _rebuild(message: str, why: Why, member: int) -> AgentUnavailable:
    return AgentUnavailable(message, why=why, member=member)


def _actor_name(duty: Duty, agent: str, member: int) -> str:
    return f"{'agent' if duty == 'live' else 'job'}/{agent}/{member}"


def _find(name: str) -> Any:
    try:
        return ray.get_actor(name, namespace=NAMESPACE)
    except ValueError:  # Ray's way to say that no such actor lives
        return None


def _start(
    agent: Agent[Any], name: str | None, settings: AgentSettings, env: Mapping[str, str], *, behind: bool
) -> Any:
    remote: Any = ray.remote(AgentActor)
    options: dict[str, Any] = {
        "num_cpus": settings.cpus_per_actor,
        "max_restarts": -1,
        "max_task_retries": 0,  # retries are ours: they go elsewhere, and are counted
        "max_pending_calls": settings.max_pending_calls,
        "scheduling_strategy": "SPREAD",
    }
    if env:
        options["runtime_env"] = {"env_vars": dict(env)}
    if name is not None:
        options |= {"name": name, "namespace": NAMESPACE, "lifetime": "detached", "get_if_exists": True}
    return remote.options(**options).remote(agent.name, behind)


async def _pid_when_ready(handle: Any) -> int:
    while True:
        try:
            pid: int = await handle.ready.remote()
            return pid
        except (ActorUnavailableError, PendingCallsLimitExceeded):  # it is being started again, or its queue is full
            await asyncio.sleep(_POLL_S)
