"""The API's `Compute` on Serve: every question goes to the orchestrator's handle, with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import RayServeException

from cluster.scan import Found
from data.contracts.errors import GoldenSignalsError, TemporarilyUnavailable
from data.store.signals import Revision
from serve_app.api import views
from serve_app.api.compute import Planned
from serve_app.api.models import AgentView, ConsensusSeries, IndicatorSeries, IndicatorView, ReasonsView, SignalView
from serve_app.api.research_models import Asked, StrategyView

_CHECK_S = 2.0
_ASK_S = 20.0


class OrchestratorCompute:
    """See `serve_app.api.compute.Compute`."""

    available = True

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    async def check(self) -> None:
        """Raise TemporarilyUnavailable with the reason when the orchestrator or its PostgreSQL does not answer."""
        await self._ask("check", within_s=_CHECK_S)

    async def indicators(self) -> list[IndicatorView]:
        """See `Compute.indicators`."""
        found: list[IndicatorView] = await self._ask("indicators")
        return found

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
        """See `Compute.indicator`."""
        found: IndicatorSeries = await self._ask("indicator", name, symbol, dict(params), other, start, as_of)
        return found

    async def series(self, symbol: str, *, start: datetime | None, as_of: datetime | None) -> ConsensusSeries:
        """See `Compute.series`."""
        found: ConsensusSeries = await self._ask("series", symbol, start, as_of)
        return found

    async def reasons(self, symbol: str, *, as_of: datetime | None) -> ReasonsView:
        """See `Compute.reasons`."""
        found: ReasonsView = await self._ask("reasons", symbol, as_of)
        return found

    async def decide(self, symbols: Sequence[str], *, correlation_id: str) -> list[SignalView]:
        """See `Compute.decide`."""
        found: list[Found] = await self._ask("decide", list(symbols), correlation_id)
        return [views.signal(Revision(one.signal, one.revision)) for one in found]

    async def agents(self) -> list[AgentView]:
        """See `Compute.agents`."""
        found: list[AgentView] = await self._ask("agents")
        return found

    async def restart(self, agent: str) -> int:
        """See `Compute.restart`."""
        count: int = await self._ask("restart", agent)
        return count

    async def strategies(self) -> list[StrategyView]:
        """See `Compute.strategies`."""
        found: list[StrategyView] = await self._ask("strategies")
        return found

    async def plan(self, wanted: Asked) -> Planned:
        """See `Compute.plan`."""
        found: Planned = await self._ask("plan", wanted)
        return found

    async def _ask(self, method: str, *values: object, within_s: float = _ASK_S) -> Any:
        try:
            async with asyncio.timeout(within_s):
                return await getattr(self._handle, method).remote(*values)
        except TimeoutError:
            raise TemporarilyUnavailable(f"the orchestrator did not answer in {within_s:g} s; try again") from None
        except RayTaskError as problem:
            if isinstance(problem.cause, GoldenSignalsError):
                raise problem.cause from None
            raise
        except (RayServeException, RayError) as problem:
            raise TemporarilyUnavailable(f"the orchestrator is not to be had ({type(problem).__name__})") from problem
