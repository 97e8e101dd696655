"""Workers on a cluster: one actor for every processor of every node, behind live work."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any, TypeVar

import ray
from ray.exceptions import PendingCallsLimitExceeded, RayActorError, RayError, RayTaskError, TaskCancelledError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster.connect import ONE_THREAD
from cluster.process import last_line, let_others_first
from cluster.warm import warm_for_sweeps
from cluster.workers import Answer, Task, timed
from data.contracts.errors import GoldenSignalsError, InvalidInput

T = TypeVar("T")

_ATTEMPTS = 4
_PAUSE_S = 0.5
_IN_FLIGHT = 2  # pieces per worker: one is worked on while the next one waits beside it


class WorkActor:
    """Becomes a Ray actor in `RayWorkers`; a plain class, so a test can call it without Ray."""

    def __init__(self) -> None:
        let_others_first()
        warm_for_sweeps()
        self._node = ray.get_runtime_context().get_node_id()[:12] if ray.is_initialized() else ""

    def ready(self) -> int:
        """Answers, with its process id, once it can work."""
        return os.getpid()

    def run(self, task: Task[T], shared: Any, payload: object) -> Answer[T]:
        """One piece."""
        return timed(task, shared, payload, self._node)


class RayWorkers:
    """Workers on the cluster. Close them when the job is over."""

    def __init__(self, *, count: int | None = None, pin_threads: bool) -> None:
        """Start workers on every living node; they end with this process.

        count: so many; None = one for every processor.
        pin_threads: False on a cluster of our own, whose processes have one thread anyway.
        """
        nodes: Any = ray.nodes  # untyped in Ray
        places = [
            node["NodeID"] for node in nodes() if node["Alive"] for _ in range(int(node["Resources"].get("CPU", 0)))
        ]
        if not places:
            raise GoldenSignalsError("the Ray cluster has no processor to work on; see `goldensignals cluster status`")
        self._members = [_start(places[n % len(places)], pin_threads) for n in range(count or len(places))]
        self._pending = [0] * len(self._members)

    async def pids(self) -> list[int]:
        """Process ids of the workers, once all are ready."""
        return list(await asyncio.gather(*(member.ready.remote() for member in self._members)))

    @property
    def slots(self) -> int:
        """See `Workers.slots`."""
        return _IN_FLIGHT * len(self._members)

    def share(self, value: object) -> Any:
        """See `Workers.share`: put once into the object store, read there without copying."""
        return ray.put(value)

    async def run(self, task: Task[T], shared: Any, payload: object, *, name: str, deadline_s: float) -> Answer[T]:
        """See `Workers.run`. Each attempt goes to another worker where there is one; a late worker is restarted.

        A refusal (InvalidInput) of the task itself is final: it would be the same everywhere.
        """
        reasons: list[str] = []
        tried: set[int] = set()
        for _ in range(_ATTEMPTS):
            number = self._pick(tried)
            tried.add(number)
            self._pending[number] += 1
            try:
                return await self._ask(number, task, shared, payload, deadline_s)
            except TimeoutError:
                reasons.append(f"no answer in {deadline_s:g} s")
                ray.kill(self._members[number], no_restart=False)
            except RayTaskError as problem:
                if isinstance(problem.cause, InvalidInput):
                    raise problem.cause from None
                reasons.append(last_line(problem))
            except (RayActorError, TaskCancelledError):
                reasons.append("its worker died")
                await asyncio.sleep(_PAUSE_S)
            except (RayError, PendingCallsLimitExceeded) as problem:
                reasons.append(last_line(problem))
                await asyncio.sleep(_PAUSE_S)
            finally:
                self._pending[number] -= 1
        told = "; ".join(dict.fromkeys(reasons))
        raise GoldenSignalsError(f"{name} failed {len(reasons)} times: {told}. What was done is kept; run it again")

    def close(self) -> None:
        """End the workers."""
        for member in self._members:
            ray.kill(member)

    async def _ask(self, number: int, task: Task[T], shared: Any, payload: object, deadline_s: float) -> Answer[T]:
        ref: Any = self._members[number].run.remote(task, shared, payload)
        try:
            # waiting behind the pieces before it counts too
            async with asyncio.timeout(deadline_s * _IN_FLIGHT):
                answer: Answer[T] = await ref
            return answer
        except (TimeoutError, asyncio.CancelledError):
            ray.cancel(ref)
            raise

    def _pick(self, avoid: set[int]) -> int:
        free: Sequence[int] = [n for n in range(len(self._members)) if n not in avoid] or range(len(self._members))
        return min(free, key=lambda n: self._pending[n])


def _start(node: str, pin_threads: bool) -> Any:
    options: dict[str, Any] = {
        "num_cpus": 0,  # live agents hold the processors; a worker takes what they leave
        "max_restarts": -1,
        "max_task_retries": 0,  # retries are ours: they go elsewhere
        "max_pending_calls": 2 * _IN_FLIGHT,
        "scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=True),
    }
    if pin_threads:
        options["runtime_env"] = {"env_vars": dict(ONE_THREAD)}
    remote: Any = ray.remote(WorkActor)
    return remote.options(**options).remote()
