"""What an agent is: the indicators it reads, and a pure formula from bars and their columns to votes.

The formula of a bar looks at that bar, at the `reach` bars of the symbol before it, and at dated context. So it gives
the same bits over a whole history and over the end of one: a backtest is all rows, live is the last row of each
symbol, and there is no second code path. How a history is followed bar by bar is in `agents.following`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import numpy as np

from agents.indicators import Wanted, plan
from agents.indicators.columns import to_floats
from agents.indicators.plans import BLOCK_ROWS, Plan
from agents.indicators.ragged import Ragged
from data.contracts.arrays import Floats, Ints
from data.contracts.errors import GoldenSignalsError, InvalidInput
from data.contracts.panel import Panel

Params = TypeVar("Params")
Scope = Literal["symbol", "universe"]
Values: TypeAlias = Mapping[str, Floats]  # columns of indicators by name, in the rows of a panel


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


def inputs_of(made: Plan, panel: Panel) -> Ragged:
    """The columns of a panel that a plan reads, which may be none."""
    columns = tuple(to_floats(getattr(panel, name)) for name in made.inputs)
    return Ragged.of(columns, panel.offsets) if columns else Ragged((), np.array(panel.offsets, dtype=np.int64))


def read(indicators: Wanted, panel: Panel) -> Values:
    """Columns of indicators over a panel, by name; for explanations."""
    names, made = plan(indicators)
    return dict(zip(names, made.run(inputs_of(made, panel)), strict=True))


def vote(agent: str, score: Floats, confidence: Floats) -> VoteBlock:
    """A VoteBlock that abstains wherever either array is NaN."""
    silent = np.isnan(score) | np.isnan(confidence)
    return VoteBlock(agent, np.where(silent, np.nan, score), np.where(silent, np.nan, confidence))


def join(blocks: Sequence[VoteBlock]) -> VoteBlock:
    """Blocks of neighbouring chunks of symbols as one block, in the order given."""
    if len(blocks) == 1:
        return blocks[0]
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
    indicators: the columns its formula is given, as for `indicators.compute_many`.
    reach:      bars of the symbol before the present one that the formula looks at or counts; None = all of them,
                and then the whole history is evaluated again for every new bar.
    warmup:     bars of a symbol before its first vote.
    cost_ns:    measured evaluate time per bar in nanoseconds; sizes chunks, never changes a result.
    """

    name: str
    description: str
    params: Params
    scope: Scope
    inputs: tuple[str, ...]
    indicators: Wanted
    reach: int | None
    warmup: int
    cost_ns: float
    evaluate_with: Callable[[Panel, Values, Params], VoteBlock]
    explain_with: Callable[[Panel, Params, str, datetime], Reason]

    def evaluate(self, panel: Panel) -> VoteBlock:
        """Votes for every bar of every symbol; a few symbols at a time where the formula is told no others anyway."""
        _, made = self.plan
        parts = [panel] if self.reach is None else _few_symbols(panel)
        room = np.empty(len(made.lines) * max(map(len, parts)))  # written for every part anew: it stays in the cache
        score, confidence = np.empty(len(panel)), np.empty(len(panel))
        at = 0
        for part in parts:
            columns = room[: len(made.lines) * len(part)].reshape(len(made.lines), len(part))
            block = self.judge(part, made.run(inputs_of(made, part), columns))
            score[at : at + len(part)], confidence[at : at + len(part)] = block.score, block.confidence
            at += len(part)
        return VoteBlock(block.agent, score, confidence)

    def judge(self, panel: Panel, columns: Floats) -> VoteBlock:
        """The formula alone: votes for every bar from the columns of `plan`, (C, N)."""
        block = self.evaluate_with(panel, dict(zip(self.plan[0], columns, strict=True)), self.params)
        if block.score.size != len(panel):
            raise GoldenSignalsError(f"agent {self.name}: {block.score.size} votes for {len(panel)} bars")
        return block

    @cached_property
    def plan(self) -> tuple[list[str], Plan]:
        """Names of the columns and the plan that fills them."""
        return plan(self.indicators)

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
    evaluate: Callable[[Panel, Values, Any], VoteBlock],
    explain: Callable[[Panel, Any, str, datetime], Reason],
    description: str,
    indicators: Callable[[Any], Wanted] = lambda params: {},
    reach: Callable[[Any], int | None] = lambda params: None,
) -> Agent[Any]:
    """Declare an agent with its default parameters; `agents.registry` finds it by itself.

    Raises InvalidInput for a universe agent with a reach: the bars of one moment are not the last rows of its symbols.
    """
    bound = params()
    back = reach(bound)
    if scope == "universe" and back is not None:
        raise InvalidInput(f"agent {name} reads the whole universe: leave out its reach")
    return Agent(
        name, description, bound, scope, inputs, indicators(bound), back, warmup(bound), cost_ns, evaluate, explain
    )


def _few_symbols(panel: Panel) -> list[Panel]:
    """The panel in parts of about BLOCK_ROWS, whole symbols each, so that all columns of a part stay in the cache."""
    pieces = max(1, len(panel) // BLOCK_ROWS)
    edges = np.unique(np.searchsorted(panel.offsets, np.linspace(0, len(panel), pieces + 1)))
    return [panel.slice(int(first), int(last)) for first, last in pairwise(edges)] or [panel]
