"""Looks into one market for people: consensus and votes of every bar, reasons, indicators. Nothing is stored.

Every answer is made from bars up to `as_of` only: what lies behind the cursor is neither computed nor sent.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from agents.agent import Agent, VoteBlock
from agents.consensus import BUY, SELL, ConsensusParams, fuse
from agents.indicators import Indicator, catalogue, get
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput, NotFound
from data.contracts.panel import Panel, from_micros, to_micros
from data.contracts.signals import Action
from serve_app.api.models import (
    AgentView,
    ConsensusSeries,
    IndicatorSeries,
    IndicatorView,
    ReasonsView,
    VoteSeries,
)

_ACTIONS = {BUY: Action.BUY, SELL: Action.SELL}


class Explorer:
    """Answers about the symbols of one market."""

    def __init__(self, panel: Panel, agents: Sequence[Agent[Any]], consensus: ConsensusParams) -> None:
        self._panel, self._agents, self._consensus = panel, agents, consensus

    def agents(self) -> list[AgentView]:
        """The roster, as installed; how its actors are is known elsewhere."""
        return [_agent_view(agent) for agent in self._agents]

    def indicators(self) -> list[IndicatorView]:
        """The registry, in alphabetical order."""
        return _registry()

    def indicator(
        self,
        name: str,
        symbol: str,
        params: Mapping[str, float | str],
        *,
        other: str | None,
        start: datetime | None,
        as_of: datetime | None,
    ) -> IndicatorSeries:
        """An indicator over one symbol, computed from its first bar; `start` only cuts the answer.

        other: the symbol whose close goes in as the second series, for indicators that compare two. A bar at whose
               time it has none is NaN.
        Raises NotFound for an unknown symbol or indicator, InvalidInput for a parameter it does not take.
        """
        entry = _known(name)
        bound = entry.bind((), params)
        panel = self._of(symbol, as_of)
        columns = [self._column(entry, title, panel, other, as_of) for title in entry.inputs]
        if other is not None and "other" not in entry.inputs:
            raise InvalidInput(f"{entry.name} reads one symbol only; leave out other={other}")
        found = entry(*columns, **bound)
        lines = found if isinstance(found, tuple) else (found,)
        rows = _from(panel, start)
        return IndicatorSeries(
            name=entry.name,
            symbol=symbol,
            other=other,
            params=bound,
            ts=[from_micros(int(ts)) for ts in panel.ts[rows]],
            outputs={output: _nullable(line[rows]) for output, line in zip(entry.outputs, lines, strict=True)},
        )

    def series(self, symbol: str, *, start: datetime | None, as_of: datetime | None) -> ConsensusSeries:
        """Votes and consensus of every bar from `start` to `as_of`: the bits that live serving and scans decide on."""
        panel = self._of(symbol, as_of)
        blocks = sorted((agent.evaluate(self._seen_by(agent, panel, as_of)) for agent in self._agents), key=_name)
        blocks = [self._own(block, panel, as_of) for block in blocks]
        weights = np.array([self._consensus.weights.get(block.agent, 1.0) for block in blocks])
        fused = fuse(
            np.array([block.score for block in blocks]),
            np.array([block.confidence for block in blocks]),
            weights,
            threshold=self._consensus.threshold,
        )
        rows = _from(panel, start)
        said = zip(fused.action[rows], fused.score[rows], strict=True)
        return ConsensusSeries(
            symbol=symbol,
            ts=[from_micros(int(ts)) for ts in panel.ts[rows]],
            score=_nullable(fused.score[rows]),
            action=[None if np.isnan(score) else _ACTIONS.get(int(code), Action.HOLD) for code, score in said],
            strength=_nullable(fused.strength[rows]),
            agreement=_nullable(fused.agreement[rows]),
            threshold=self._consensus.threshold,
            votes=[
                VoteSeries(agent=b.agent, score=_nullable(b.score[rows]), confidence=_nullable(b.confidence[rows]))
                for b in blocks
            ],
        )

    def reasons(self, symbol: str, *, as_of: datetime | None) -> ReasonsView:
        """Why each agent voted as it did at the symbol's newest bar up to `as_of`."""
        panel = self._of(symbol, as_of)
        moment = from_micros(int(panel.ts[-1]))
        whole = self._panel.until(int(panel.ts[-1])) if self._needs_all else panel
        return ReasonsView(
            symbol=symbol,
            as_of=moment,
            reasons={agent.name: agent.explain(whole, symbol, moment).text for agent in self._agents},
        )

    def _column(self, entry: Indicator, title: str, panel: Panel, other: str | None, as_of: datetime | None) -> Floats:
        """An input of an indicator, in the rows of `panel`."""
        if title != "other":
            column: Floats = getattr(panel, title)
            return column
        if other is None:
            raise InvalidInput(f"{entry.name} compares two symbols; name the second one, as in other=MSFT")
        second = self._of(other, as_of)
        place = np.minimum(np.searchsorted(second.ts, panel.ts), len(second) - 1)
        return np.where(second.ts[place] == panel.ts, second.close[place], np.nan)

    @property
    def _needs_all(self) -> bool:
        return any(agent.scope == "universe" for agent in self._agents)

    def _of(self, symbol: str, as_of: datetime | None) -> Panel:
        if symbol not in self._panel.symbols:
            near = difflib.get_close_matches(symbol, self._panel.symbols, n=1)
            raise NotFound(f"there is no symbol {symbol!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        panel = self._panel.of(symbol)
        if as_of is not None:
            panel = panel.until(as_of)
        if not len(panel):
            raise NotFound(f"{symbol} has no bar by {as_of:%Y-%m-%d %H:%M} UTC; choose a later as_of")
        return panel

    def _seen_by(self, agent: Agent[Any], panel: Panel, as_of: datetime | None) -> Panel:
        if agent.scope == "symbol":
            return panel
        return self._panel if as_of is None else self._panel.until(as_of)

    def _own(self, block: VoteBlock, panel: Panel, as_of: datetime | None) -> VoteBlock:
        """The rows of the symbol out of a universe agent's block."""
        if block.score.size == len(panel):
            return block
        whole = self._panel if as_of is None else self._panel.until(as_of)
        position = whole.index(panel.symbols[0])
        return block.take(np.arange(whole.offsets[position], whole.offsets[position + 1]))


@functools.cache
def _registry() -> list[IndicatorView]:
    """The same as long as the process lives; the warm-ups of a few hundred indicators take a moment to find out."""
    return [IndicatorView.model_validate(row) for row in catalogue()]


def _known(name: str) -> Indicator:
    try:
        return get(name)
    except InvalidInput as problem:
        raise NotFound(str(problem)) from None


def _name(block: VoteBlock) -> str:
    return block.agent


def _from(panel: Panel, start: datetime | None) -> slice:
    if start is None:
        return slice(0, None)
    return slice(int(np.searchsorted(panel.ts, to_micros(start))), None)


def _nullable(column: Floats) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in column]


def _agent_view(agent: Agent[Any]) -> AgentView:
    return AgentView(
        name=agent.name,
        scope=agent.scope,
        inputs=list(agent.inputs),
        warmup=agent.warmup,
        description=agent.description,
        state=None,
        actors=0,
        alive=0,
        pids=[],
        nodes=[],
        calls=0,
        errors=0,
        restarts=0,
        p50_ms=None,
        p99_ms=None,
        last_error=None,
        seen_at=None,
    )
