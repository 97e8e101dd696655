"""Opens what the API needs, from settings. Servers that are away do not stop the start: routes say what is missing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from data.clock import SystemClock
from data.contracts.errors import TemporarilyUnavailable
from data.market.archive import Archive
from data.results import Results
from data.settings import Settings
from data.store.feed import FeedStore
from data.store.stores import open_stores
from data.stream.redis import open_redis
from serve_app.api.compute import Compute
from serve_app.api.services import Services
from serve_app.auth.accounts import Accounts
from serve_app.auth.opening import signing_secret
from serve_app.auth.tickets import Tickets
from serve_app.limits import Limiter
from serve_app.urls import postgres_url, redis_url


@asynccontextmanager
async def open_services(settings: Settings, compute: Compute) -> AsyncIterator[Services]:
    """Everything a route may call, closed at the end. Neither PostgreSQL nor Redis has to be up."""
    clock = SystemClock()
    redis = open_redis(redis_url(settings), command_s=settings.redis.command_s)
    limiter = Limiter(redis_url(settings), settings.auth, clock)
    try:
        async with open_stores(settings.postgres, postgres_url(settings), wait=False) as stores:
            yield Services(
                settings=settings,
                clock=clock,
                redis=redis,
                accounts=Accounts(
                    stores.accounts, secret=signing_secret(settings), settings=settings.auth, clock=clock
                ),
                tickets=Tickets(redis, seconds=settings.auth.ticket_s),
                limiter=limiter,
                signals=stores.signals,
                jobs=stores.jobs,
                events=stores.events,
                feed=stores.feed,
                agent_states=stores.agents,
                uploads=stores.uploads,
                archive=Archive(lambda: source_of(stores.feed)),
                runs=stores.runs,
                chunks=stores.chunks,
                results=Results(settings.home),
                compute=compute,
            )
    finally:
        await limiter.close()
        await redis.aclose()


async def source_of(feed: FeedStore) -> str:
    """Where the feed's bars come from. Raises TemporarilyUnavailable before there is a feed."""
    found = await feed.get()
    if found is None:
        raise TemporarilyUnavailable("there is no feed yet, and so no bars; start one with `goldensignals up`")
    return found.source
