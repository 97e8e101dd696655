"""The one generic actor: it hosts any agent and answers for parts of a panel. It keeps no state and writes nothing."""

from __future__ import annotations

import os
from typing import Literal

import numpy as np

from agents.agent import VoteBlock
from agents.registry import roster
from cluster.warm import warm_node
from data.contracts.panel import Panel

Rows = Literal["last", "all"]
_THREE_BARS = Panel(
    symbols=("WARM",),
    offsets=np.array([0, 3]),
    ts=np.arange(3) * 86_400_000_000,
    open=np.ones(3),
    high=np.ones(3),
    low=np.ones(3),
    close=np.ones(3),
    volume=np.ones(3),
    gap=np.zeros(3, np.bool_),
)


class AgentActor:
    """Becomes a Ray actor in `cluster.pools`; a plain class, so a test can call it without Ray."""

    def __init__(self, agent: str) -> None:
        warm_node()
        self._agent = roster([agent])[0]
        self._agent.evaluate(_THREE_BARS)  # loads the kernels it uses, so that no request waits for them

    def ready(self) -> int:
        """Answers, with its process id, once kernels are compiled and the agent is loaded."""
        return os.getpid()

    def vote(self, panel: Panel, first: int, last: int, rows: Rows) -> VoteBlock:
        """Votes for symbols first..last (exclusive) of the panel: one row per symbol ("last") or every bar ("all").

        The whole history is evaluated either way, so the last row has the same bits as in a backtest.
        """
        return evaluate(self._agent.name, panel, first, last, rows)


def evaluate(agent: str, panel: Panel, first: int, last: int, rows: Rows) -> VoteBlock:
    """What an actor does for one chunk; small work runs it in the caller's own process."""
    part = panel if (first, last) == (0, len(panel.symbols)) else panel.slice(first, last)
    block = roster([agent])[0].evaluate(part)
    return block.take(part.last_rows) if rows == "last" else block
