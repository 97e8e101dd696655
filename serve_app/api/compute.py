"""What the API asks of the agents. On Serve it is the orchestrator; the gateway has none and says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, Protocol

from data.contracts.errors import TemporarilyUnavailable
from serve_app.api.models import AgentView, ConsensusSeries, IndicatorSeries, IndicatorView, ReasonsView, SignalView
from serve_app.api.research_models import Asked, StrategyView


@dataclass(frozen=True)
class Planned:
    """A question of research that may be asked; see `serve_app.runs.Plan` and `EstimateView`."""

    kind: str
    spec: dict[str, Any]
    result_id: str
    total: int
    sets: int
    symbols: int
    bars: int
    backtests: int
    chunks: int
    core_seconds: float
    worker_bytes: int


class Compute(Protocol):
    """Work that needs agents or kernels. Every call has a deadline; late is TemporarilyUnavailable."""

    @property
    def available(self) -> bool:
        """Whether this process can reach agents at all."""

    async def check(self) -> None:
        """Raise TemporarilyUnavailable with the reason when agents do not answer."""

    async def indicators(self) -> list[IndicatorView]:
        """The registry, by name."""

    async def indicator(
        self,
        name: str,
        symbol: str,
        params: Mapping[str, float | str],
        *,
        other: str | None,
        start: datetime | None,
        as_of: datetime | None,
    ) -> IndicatorSeries:
        """An indicator over one symbol's bars up to `as_of`; `other` is the symbol whose close it is compared with.

        Raises InvalidInput for what does not exist.
        """

    async def series(self, symbol: str, *, start: datetime | None, as_of: datetime | None) -> ConsensusSeries:
        """Votes and consensus of every bar from `start` to `as_of`; nothing later is computed or sent."""

    async def reasons(self, symbol: str, *, as_of: datetime | None) -> ReasonsView:
        """Why each agent voted as it did at the newest bar up to `as_of`."""

    async def decide(self, symbols: Sequence[str], *, correlation_id: str) -> list[SignalView]:
        """Decide now for these symbols, and store it."""

    async def agents(self) -> list[AgentView]:
        """The roster as installed, with no state: what `GET /v1/agents` joins the stored states to."""

    async def restart(self, agent: str) -> int:
        """Restart every actor of an agent; how many."""

    async def strategies(self) -> list[StrategyView]:
        """The built-in strategies, by name."""

    async def plan(self, wanted: Asked) -> Planned:
        """Check a question and say what it would take. Nothing is queued.

        Raises InvalidInput for what cannot be asked, NotFound for a strategy or bars that are not there.
        """


class NoCompute:
    """For a process that cannot reach agents: every question is TemporarilyUnavailable."""

    available = False

    async def check(self) -> None:
        """Raises TemporarilyUnavailable."""
        _refuse()

    async def indicators(self) -> list[IndicatorView]:
        """Raises TemporarilyUnavailable."""
        _refuse()

    async def indicator(
        self,
        name: str,
        symbol: str,
        params: Mapping[str, float | str],
        *,
        other: str | None,
        start: datetime | None,
        as_of: datetime | None,
    ) -> IndicatorSeries:
        """Raises TemporarilyUnavailable."""
        _refuse()

    async def series(self, symbol: str, *, start: datetime | None, as_of: datetime | None) -> ConsensusSeries:
        """Raises TemporarilyUnavailable."""
        _refuse()

    async def reasons(self, symbol: str, *, as_of: datetime | None) -> ReasonsView:
        """Raises TemporarilyUnavailable."""
        _refuse()

    async def decide(self, symbols: Sequence[str], *, correlation_id: str) -> list[SignalView]:
        """Raises TemporarilyUnavailable."""
        _refuse()

    async def agents(self) -> list[AgentView]:
        """Raises TemporarilyUnavailable."""
        _refuse()

    async def restart(self, agent: str) -> int:
        """Raises TemporarilyUnavailable."""
        _refuse()

    async def strategies(self) -> list[StrategyView]:
        """Raises TemporarilyUnavailable."""
        _refuse()

    async def plan(self, wanted: Asked) -> Planned:
        """Raises TemporarilyUnavailable."""
        _refuse()


def _refuse() -> NoReturn:
    raise TemporarilyUnavailable(
        "agents are not to be had in this process; ask the API on Serve, or wait until Ray is back"
    )
