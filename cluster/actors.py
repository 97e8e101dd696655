"""The one generic actor: it hosts any agent and answers for parts of a panel. It keeps no state and writes nothing."""

from __future__ import annotations

import os
import time
from collections import deque
from dataclasses import dataclass
from typing import Literal

import ray

from agents.agent import VoteBlock
from agents.registry import roster
from cluster.warm import THREE_BARS, warm_node
from data.contracts.panel import Panel

Rows = Literal["last", "all"]
_RECENT = 256  # calls whose times are kept


@dataclass(frozen=True)
class Vitals:
    """How one actor is. `seconds`: times of its last calls; `error`: the newest one, in a sentence."""

    pid: int
    node: str
    calls: int
    errors: int
    seconds: tuple[float, ...]
    error: str | None


class AgentActor:
    """Becomes a Ray actor in `cluster.pools`; a plain class, so a test can call it without Ray.

    behind: for jobs: this process runs only while nobody else wants the processor, so live signals come first.
    """

    def __init__(self, agent: str, behind: bool = False) -> None:
        if behind:
            _let_others_first()
        self._calls = self._errors = 0
        self._seconds: deque[float] = deque(maxlen=_RECENT)
        self._error: str | None = None
        warm_node()
        self._agent = roster([agent])[0]
        self._agent.evaluate(THREE_BARS)  # loads the kernels it uses, so that no request waits for them

    def ready(self) -> int:
        """Answers, with its process id, once kernels are compiled and the agent is loaded."""
        return os.getpid()

    def vote(self, panel: Panel, first: int, last: int, rows: Rows) -> VoteBlock:
        """Votes for symbols first..last (exclusive) of the panel: one row per symbol ("last") or every bar ("all").

        The whole history is evaluated either way, so the last row has the same bits as in a backtest.
        """
        began = time.perf_counter()
        self._calls += 1
        try:
            return evaluate(self._agent.name, panel, first, last, rows)
        except Exception as problem:
            self._errors += 1
            self._error = f"{type(problem).__name__}: {problem}"
            raise
        finally:
            self._seconds.append(time.perf_counter() - began)

    def vitals(self) -> Vitals:
        """How this actor is; answered between two calls."""
        node = ray.get_runtime_context().get_node_id() if ray.is_initialized() else ""
        return Vitals(os.getpid(), node, self._calls, self._errors, tuple(self._seconds), self._error)


def _let_others_first() -> None:
    """A niced process still keeps a core until its slice ends, and a live request wakes a dozen processes in turn."""
    os.nice(19)
    if hasattr(os, "SCHED_IDLE"):  # Linux
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def evaluate(agent: str, panel: Panel, first: int, last: int, rows: Rows) -> VoteBlock:
    """What an actor does for one chunk; small work runs it in the caller's own process."""
    part = panel if (first, last) == (0, len(panel.symbols)) else panel.slice(first, last)
    block = roster([agent])[0].evaluate(part)
    return block.take(part.last_rows) if rows == "last" else block
