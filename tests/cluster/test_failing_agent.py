"""An agent that raises fails the scan with its reason, after its attempts; nothing is stored."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from agents.registry import roster
from cluster.pools import AgentPool
from cluster.scan import ScanSpec, scan
from cluster.voters import PoolVoters
from data.clock import SystemClock
from data.contracts.errors import GoldenSignalsError
from data.contracts.panel import Panel
from data.settings import AgentSettings, PostgresSettings
from data.store.stores import Stores, open_stores
from tests.cluster.installation import Installation

_AGENTS = roster(["trend", "volatility"])
_SETTINGS = AgentSettings(actors=1)


@pytest_asyncio.fixture
async def stores(system: Installation) -> AsyncIterator[Stores]:
    async with open_stores(PostgresSettings(), system.database_url) as opened:
        yield opened


@pytest.fixture
def broken_panel(sample_panel: Panel) -> Panel:
    """A VIX without its closes: the volatility agent looks them up, the trend agent never does."""
    panel = sample_panel.of("AAPL")
    return replace(panel, context={"vix": replace(panel.context["vix"], values={})})


@pytest.mark.usefixtures("local_ray")
async def test_scan_with_an_agent_that_raises_fails_with_the_reason_and_stores_nothing(
    system: Installation, stores: Stores, broken_panel: Panel
) -> None:
    pools = {agent.name: AgentPool.ensure(agent, _SETTINGS, keep=False) for agent in _AGENTS}
    for pool in pools.values():
        await pool.ready(deadline_s=90)
    before = system.counted()
    spec = ScanSpec(broken_panel, "list:broken", "test", _AGENTS, {})
    with pytest.raises(
        GoldenSignalsError, match=r"chunk volatility:0-1 failed 3 times: volatility failed: KeyError"
    ) as refused:
        await scan(
            spec,
            PoolVoters(pools, _SETTINGS),
            stores,
            clock=SystemClock(),
            owner="test",
            correlation_id="test",
            progress=lambda done, total: None,
        )
    assert refused.value.exit_code == 1
    assert system.counted() == before
    (job,) = [job for job in await stores.jobs.listing(state="failed") if job.spec["universe"] == "list:broken"]
    assert job.error == str(refused.value)
    assert job.result is None
