"""What an agent is: a pure function from a Panel to a VoteBlock, with its parameters and an explanation.

Live is the last row of each symbol, a backtest is all rows; there is no second code path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

import numpy as np

from data.contracts.arrays import Floats, Ints
from data.contracts.errors import GoldenSignalsError
from data.contracts.panel import Panel

Params = TypeVar("Params")
Scope = Literal["symbol", "universe"]


@dataclass(frozen=True, eq=False)
class VoteBlock:
    """One agent's votes for every bar of a panel.

    Shapes: score (N,) in [-1, 1], confidence (N,) in [0, 1]; NaN in both = abstains.
    Raises: GoldenSignalsError when an agent breaks these bounds: a bug, it propagates.
    """

    agent: str
    score: Floats
    confidence: Floats

    def __post_init__(self) -> None:
        if self.score.shape != self.confidence.shape:
            raise GoldenSignalsError(f"agent {self.agent}: score and confidence differ in length")
        silent = np.isnan(self.score)
        if not np.array_equal(silent, np.isnan(self.confidence)):
            raise GoldenSignalsError(f"agent {self.agent}: score and confidence do not abstain together")
        if np.any(np.abs(self.score) > 1.0) or np.any(self.confidence < 0.0) or np.any(self.confidence > 1.0):
            raise GoldenSignalsError(f"agent {self.agent}: a vote is outside score [-1, 1] or confidence [0, 1]")

    def take(self, rows: Ints) -> VoteBlock:
        """The votes of some rows only, copied."""
        return VoteBlock(self.agent, self.score[rows], self.confidence[rows])


def vote(agent: str, score: Floats, confidence: Floats) -> VoteBlock:
    """A VoteBlock that abstains wherever either array is NaN."""
    silent = np.isnan(score) | np.isnan(confidence)
    return VoteBlock(agent, np.where(silent, np.nan, score), np.where(silent, np.nan, confidence))


def join(blocks: Sequence[VoteBlock]) -> VoteBlock:
    """Blocks of neighbouring chunks of symbols as one block, in the order given."""
    return VoteBlock(
        blocks[0].agent, np.concatenate([b.score for b in blocks]), np.concatenate([b.confidence for b in blocks])
    )


@dataclass(frozen=True)
class Reason:
    """Why a bar got its score: one short clause, and the numbers it rests on."""

    text: str
    facts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Agent(Generic[Params]):
    """An agent with its parameters bound; made by `agent(...)` at the end of its own file.

    scope:      "symbol" agents may be given any chunk of symbols; "universe" agents get the whole panel.
    inputs:     "bars" and the names of dated context series it reads from `panel.context`.
    warmup:     bars of a symbol before its first vote.
    cost_ns:    measured evaluate time per bar in nanoseconds; sizes chunks, never changes a result.
    """

    name: str
    description: str
    params: Params
    scope: Scope
    inputs: tuple[str, ...]
    warmup: int
    cost_ns: float
    evaluate_with: Callable[[Panel, Params], VoteBlock]
    explain_with: Callable[[Panel, Params, str, datetime], Reason]

    def evaluate(self, panel: Panel) -> VoteBlock:
        """Votes for every bar of every symbol at once."""
        block = self.evaluate_with(panel, self.params)
        if block.score.size != len(panel):
            raise GoldenSignalsError(f"agent {self.name}: {block.score.size} votes for {len(panel)} bars")
        return block

    def explain(self, panel: Panel, symbol: str, ts: datetime) -> Reason:
        """Why this bar got its score; called for what is shown, never for a whole panel."""
        return self.explain_with(panel, self.params, symbol, ts)

    def identity(self) -> str:
        """Name and parameters as stable text: part of every signal id."""
        values = ", ".join(f"{f.name}={getattr(self.params, f.name)!r}" for f in fields(self.params))  # type: ignore[arg-type]
        return f"{self.name}({values})"


def agent(
    name: str,
    *,
    params: Callable[[], Any],
    scope: Scope,
    inputs: tuple[str, ...],
    warmup: Callable[[Any], int],
    cost_ns: float,
    evaluate: Callable[[Panel, Any], VoteBlock],
    explain: Callable[[Panel, Any, str, datetime], Reason],
    description: str,
) -> Agent[Any]:
    """Declare an agent with its default parameters; `agents.registry` finds it by itself."""
    bound = params()
    return Agent(name, description, bound, scope, inputs, warmup(bound), cost_ns, evaluate, explain)
