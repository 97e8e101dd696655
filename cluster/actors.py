"""The one generic actor: it hosts any agent and answers for parts of a panel. It writes nothing.

What it keeps between calls are standings in histories it follows (`cluster.standings`): made again when they are lost.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import ray

from agents.agent import VoteBlock
from agents.registry import roster
from cluster.process import let_others_first
from cluster.standings import Standings
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
            let_others_first()
        self._calls = self._errors = 0
        self._seconds: deque[float] = deque(maxlen=_RECENT)
        self._error: str | None = None
        warm_node()
        self._agent = roster([agent])[0]
        self._standings = Standings(self._agent)
        self._agent.evaluate(THREE_BARS)  # loads the kernels it uses, so that no request waits for them

    def ready(self) -> int:
        """Answers, with its process id, once kernels are compiled and the agent is loaded."""
        return os.getpid()

    def vote(self, panel: Panel, first: int, last: int, rows: Rows) -> VoteBlock:
        """Votes for symbols first..last (exclusive) of the panel: one row per symbol ("last") or every bar ("all").

        The whole history is evaluated either way, so the last row has the same bits as in a backtest.
        """
        with self._noted():
            return evaluate(self._agent.name, panel, first, last, rows)

    def begin(self, key: str, panel: Panel, first: int, last: int) -> VoteBlock:
        """Votes on the newest bars of symbols first..last, whose history is followed from now on; see `Standings`."""
        with self._noted():
            return self._standings.begin(key, panel.slice(first, last))

    def follow(self, before: str, after: str, new: Panel) -> VoteBlock | None:
        """Votes on the newest bars after the new ones; None when nothing is known of this history; see `Standings`."""
        with self._noted():
            return self._standings.follow(before, after, new)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Time and outcome of one call, for `vitals`."""
        began = time.perf_counter()
        self._calls += 1
        try:
            yield
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


def evaluate(agent: str, panel: Panel, first: int, last: int, rows: Rows) -> VoteBlock:
    """What an actor does for one chunk; small work runs it in the caller's own process."""
    part = panel if (first, last) == (0, len(panel.symbols)) else panel.slice(first, last)
    block = roster([agent])[0].evaluate(part)
    return block.take(part.last_rows) if rows == "last" else block
