"""What agents say, as columns: the votes that `agent("…")` and `consensus()` stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from agents.agent import VoteBlock
from agents.consensus import ConsensusParams, Fused, fuse
from agents.registry import roster
from data.contracts.arrays import Floats
from data.contracts.panel import Panel

Votes: TypeAlias = Callable[[str], Floats]  # "volatility.score" or "consensus.agreement" -> (N,), NaN = abstains

CONSENSUS = "consensus"


class AgentVotes:
    """Asks the agents about every bar of a panel, each once, when somebody first wants to know."""

    def __init__(self, panel: Panel, params: ConsensusParams | None = None) -> None:
        self._panel, self._params = panel, params or ConsensusParams()
        self._blocks: dict[str, VoteBlock] = {}
        self._fused: Fused | None = None

    def __call__(self, term: str) -> Floats:
        """The column of a term; raises InvalidInput for an unknown agent."""
        name, _, output = term.rpartition(".")
        found: Floats = getattr(self._consensus() if name == CONSENSUS else self._block(name), output)
        return found

    def _block(self, name: str) -> VoteBlock:
        if name not in self._blocks:
            self._blocks[name] = roster([name])[0].evaluate(self._panel)
        return self._blocks[name]

    def _consensus(self) -> Fused:
        """The fusion that makes live signals, over all bars."""
        if self._fused is None:
            blocks = [self._block(agent.name) for agent in roster()]
            weights = np.array([self._params.weights.get(block.agent, 1.0) for block in blocks])
            scores, confidences = (np.array([getattr(b, part) for b in blocks]) for part in ("score", "confidence"))
            self._fused = fuse(scores, confidences, weights, threshold=self._params.threshold)
        return self._fused
