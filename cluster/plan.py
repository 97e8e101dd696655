"""Splits a panel into chunks of symbols by predicted cost, so that each call is worth its overhead.

A chunk is named by what it is (agent and symbol range), never by who works on it.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.agent import Agent
from data.contracts.panel import Panel

LOCAL_BELOW_S = 0.3  # less predicted work than this is done in the caller's process
CHUNK_S = 0.08  # a pipelined actor call costs about 0.3 ms; above 60 ms of work that is lost in the noise


@dataclass(frozen=True, slots=True)
class Chunk:
    """Symbols first..last (exclusive) of a panel, for one agent."""

    agent: str
    first: int
    last: int
    cost_s: float

    @property
    def chunk_id(self) -> str:
        """Deterministic: the same panel and agent give the same chunks."""
        return f"{self.agent}:{self.first}-{self.last}"


def predicted_s(panel: Panel, agents: Sequence[Agent[Any]]) -> float:
    """Seconds one process would need for these agents."""
    return sum(agent.cost_ns for agent in agents) * len(panel) * 1e-9


def chunks_of(panel: Panel, agent: Agent[Any], *, chunk_s: float = CHUNK_S) -> list[Chunk]:
    """Neighbouring symbols in chunks of about `chunk_s` seconds; a universe agent gets one chunk with everything.

    Depends on the panel and the agent only, not on the number of workers.
    """
    symbols = len(panel.symbols)
    total_s = agent.cost_ns * len(panel) * 1e-9
    pieces = 1 if agent.scope == "universe" else max(1, min(symbols, round(total_s / chunk_s)))
    rows = np.linspace(0, len(panel), pieces + 1)
    edges = np.unique(np.searchsorted(panel.offsets, rows, side="left"))
    return [
        Chunk(agent.name, int(first), int(last), agent.cost_ns * int(panel.offsets[last] - panel.offsets[first]) * 1e-9)
        for first, last in itertools.pairwise(edges)
    ]
