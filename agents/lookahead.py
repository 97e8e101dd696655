"""Proves that an agent does not look ahead, by running it again on less and comparing bit for bit.

It promises a Report whose findings name agent, symbol and bar with both votes. Seven questions are asked: is a vote
of the past the same when the bars and the context after it are taken away; is the vote of a new bar the same when it
comes alone, to an agent that follows the history; is the same panel answered twice with the same bits; does a symbol
vote alone as it does among its neighbours; do votes keep their bounds; does no vote come before the declared warm-up;
does one come right after it. A leak is caught when it changes a vote within reach of one of the cuts, which are spread
evenly over the sessions; a pass is evidence, not a proof for every panel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from agents.agent import Agent, VoteBlock
from agents.following import begin, follow
from data.contracts.arrays import Bools, Floats, Ints
from data.contracts.errors import GoldenSignalsError, InvalidInput
from data.contracts.panel import Panel, from_micros

T = TypeVar("T")

MAX_FINDINGS_PER_RUN = 3  # a cheat breaks thousands of bars; a few name it
FOLLOWED = 5  # sessions after each cut that come one by one


@dataclass(frozen=True)
class Finding:
    """One broken promise. `symbol` and `bar` are None when it is about the agent as a whole."""

    agent: str
    promise: str  # future, followed, repeat, neighbours, bounds or warm-up
    text: str
    symbol: str | None = None
    bar: str | None = None  # ISO time of the bar, UTC

    def __str__(self) -> str:
        where = "" if self.symbol is None else f" {self.symbol} {self.bar}"
        return f"{self.agent}{where}: {self.text}"


@dataclass(frozen=True)
class Report:
    """What the check found; `ok` when nothing."""

    agent: str
    cuts: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """True when no promise was broken."""
        return not self.findings


def check_agent(agent: Agent[Any], panel: Panel, *, cuts: int, rng: np.random.Generator) -> Report:
    """Run the agent on prefixes and parts of a panel and report every vote that differs.

    Shapes: `cuts` >= 1 moments, one drawn at random from each of `cuts` equal stretches of the panel's sessions, and
            one before each context series begins. At a cut every symbol keeps the bars closed by then, and every
            context series the rows known by then.
    Cost:   about cuts + 2 evaluations of the whole panel, and up to `cuts` single symbols.
    Raises: InvalidInput when the panel is too short to hold a vote of this agent. An exception of the agent
            propagates, except a vote out of bounds, which is a finding.
    """
    if cuts < 1:
        raise InvalidInput("a look-ahead check needs at least 1 cut", cuts=cuts)
    longest = int(np.diff(panel.offsets).max(initial=0))
    if longest <= agent.warmup:
        raise InvalidInput(
            f"agent {agent.name} needs more than {agent.warmup} bars of a symbol before it votes; "
            f"the longest here has {longest}: check it on a longer history",
            warmup=agent.warmup,
        )
    try:
        findings = tuple(_findings(agent, panel, cuts, rng))
    except _OutOfBounds as broken:
        findings = (Finding(agent.name, "bounds", str(broken)),)
    return Report(agent.name, cuts, findings)


class _OutOfBounds(Exception):
    """Carries a vote out of bounds up to check_agent; never leaves it."""


def _findings(agent: Agent[Any], panel: Panel, cuts: int, rng: np.random.Generator) -> Iterator[Finding]:
    whole = _evaluate(agent, panel)
    everything = np.arange(len(panel))
    yield from _differences(agent, "repeat", "the same bars gave", panel, everything, whole, _evaluate(agent, panel))
    yield from _warmup(agent, panel, whole)
    for moment in _moments(agent, panel, cuts, rng):
        rows = np.flatnonzero(panel.ts <= moment)
        told = f"without what came after {from_micros(moment):%Y-%m-%d %H:%M} it gives"
        before = panel.until(moment)
        yield from _differences(agent, "future", told, panel, rows, whole, _evaluate(agent, before))
        if agent.reach is not None:
            yield from _followed(agent, panel, whole, before, moment)
    if agent.scope == "symbol" and len(panel.symbols) > 1:
        for position in rng.choice(len(panel.symbols), size=min(cuts, len(panel.symbols)), replace=False):
            alone = panel.slice(int(position), int(position) + 1)
            rows = np.arange(panel.offsets[position], panel.offsets[position + 1])
            yield from _differences(agent, "neighbours", "alone it gives", panel, rows, whole, _evaluate(agent, alone))


def _followed(agent: Agent[Any], panel: Panel, whole: VoteBlock, before: Panel, moment: int) -> Iterator[Finding]:
    """Where an agent that goes on from `moment` bar by bar does not vote as over the whole panel."""
    _, standing = _bounded(lambda: begin(agent, before))
    at = int(np.searchsorted(panel.sessions, moment)) + 1
    for session in panel.sessions[at : at + FOLLOWED].tolist():
        step = partial(follow, agent, standing, panel.between(moment, session))
        moment = session
        block, standing = _bounded(step)
        here = np.flatnonzero(standing.bars.ts[standing.bars.last_rows] == session)
        rows = np.flatnonzero(panel.ts == session)
        yield from _differences(agent, "followed", "followed bar by bar it gives", panel, rows, whole, block.take(here))


def _evaluate(agent: Agent[Any], panel: Panel) -> VoteBlock:
    return _bounded(lambda: agent.evaluate(panel))


def _bounded(votes: Callable[[], T]) -> T:
    try:
        return votes()
    except GoldenSignalsError as error:
        if isinstance(error, InvalidInput):
            raise
        raise _OutOfBounds(str(error)) from error


def _moments(agent: Agent[Any], panel: Panel, cuts: int, rng: np.random.Generator) -> list[int]:
    """One session at random from each of `cuts` equal stretches (fewer when there are fewer sessions), and the last
    session before each context series begins: there a back-filled series shows.
    """
    edges = np.unique(np.linspace(0, panel.sessions.size, cuts + 1).astype(np.int64))
    drawn = [int(panel.sessions[rng.integers(lo, hi)]) for lo, hi in pairwise(edges.tolist())]
    context = [panel.context[name] for name in agent.inputs if name in panel.context]
    before = [
        int(np.searchsorted(panel.sessions, series.known_at[0])) - 1 for series in context if series.known_at.size
    ]
    return sorted({*drawn, *(int(panel.sessions[at]) for at in before if at >= 0)})


def _differences(
    agent: Agent[Any], promise: str, told: str, panel: Panel, rows: Ints, whole: VoteBlock, part: VoteBlock
) -> Iterator[Finding]:
    """Where the votes of `part`, which stand for `rows` of the panel, are not those of `whole`."""
    same = _same_bits(whole.score[rows], part.score) & _same_bits(whole.confidence[rows], part.confidence)
    for at in np.flatnonzero(~same)[:MAX_FINDINGS_PER_RUN]:
        row = int(rows[at])
        first = _say(whole.score[row], whole.confidence[row])
        second = _say(part.score[at], part.confidence[at])
        yield _finding(agent, promise, panel, row, f"the whole panel gives {first}; {told} {second}")


def _warmup(agent: Agent[Any], panel: Panel, whole: VoteBlock) -> Iterator[Finding]:
    voted = ~np.isnan(whole.score)
    age = np.arange(len(panel)) - np.repeat(panel.offsets[:-1], np.diff(panel.offsets))  # bars before this one
    for row in np.flatnonzero(voted & (age < agent.warmup))[:MAX_FINDINGS_PER_RUN]:
        text = f"votes after {age[row]} earlier bars; its warm-up says {agent.warmup}"
        yield _finding(agent, "warm-up", panel, int(row), text)
    if not voted.any():
        yield Finding(agent.name, "warm-up", f"never votes on {len(panel)} bars; is its context here?")
    elif agent.inputs == ("bars",) and age[voted].min() > agent.warmup:
        text = f"declares a warm-up of {agent.warmup} bars but first votes after {age[voted].min()}"
        yield Finding(agent.name, "warm-up", text)


def _finding(agent: Agent[Any], promise: str, panel: Panel, row: int, text: str) -> Finding:
    symbol = panel.symbols[int(np.searchsorted(panel.offsets, row, side="right")) - 1]
    return Finding(agent.name, promise, text, symbol, from_micros(int(panel.ts[row])).isoformat())


def _same_bits(a: Floats, b: Floats) -> Bools:
    """Equal to the last bit; every NaN is the same abstention."""
    same: Bools = (a.view(np.int64) == b.view(np.int64)) | (np.isnan(a) & np.isnan(b))
    return same


def _say(score: float, confidence: float) -> str:
    return "no vote" if np.isnan(score) else f"score {score!r}, confidence {confidence!r}"
