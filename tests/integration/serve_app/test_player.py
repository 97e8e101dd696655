"""The replay on real stores: what people steer is taken up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from agents.consensus import ConsensusParams
from agents.registry import roster
from cluster.voters import LocalVoters
from data.clock import ManualClock
from data.contracts.panel import from_micros
from data.market.source import open_bars
from data.settings import PostgresSettings, ReplaySettings
from data.store.stores import Stores, open_stores
from data.stream.redis import open_redis
from serve_app.orchestrator import Market, Orchestrator, market_of
from serve_app.replay import Player, feed_at_start

NOW = datetime(2026, 1, 5, 21, 0, 30, tzinfo=UTC)
GUARD_S = 60.0


@asynccontextmanager
async def playing(market: Market, stores: Stores, redis_url: str) -> AsyncIterator[None]:
    clock = ManualClock(NOW)
    orchestrator = Orchestrator(market, roster(), LocalVoters(), stores, clock, ConsensusParams())
    async with open_redis(redis_url, command_s=2) as redis:
        task = asyncio.create_task(Player(market, orchestrator, stores, redis, clock).run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_clock_that_is_set_back_while_paused_takes_the_dates_of_context_with_it(
    few_bars: Path, store_url: str, redis_url: str
) -> None:
    """They used to stay those of the later clock until the next session was played."""
    market = market_of(open_bars(str(few_bars)))
    begun = replace(feed_at_start(market, None, ReplaySettings(), NOW, again=False), state="paused")
    earlier = from_micros(int(market.panel.sessions[50]))
    known = market.panel.until(earlier).context["vix"].known_at[-1]
    async with open_stores(PostgresSettings(), store_url) as stores:
        before = await stores.feed.put(begun)
        assert before.context["vix"] > earlier
        async with playing(market, stores, redis_url), asyncio.timeout(GUARD_S):
            await stores.feed.change(now=NOW, clock=earlier)
            # nobody tells when the row has changed
            while (feed := await stores.feed.get()) is None or feed.context == before.context:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert (feed.clock, feed.state) == (earlier, "paused")
    assert feed.context["vix"] == from_micros(int(known)) <= earlier
