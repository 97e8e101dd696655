"""Whether this process lives (`/healthz`), can work (`/readyz`), and what a client needs before it logs in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from importlib.metadata import version

from fastapi import APIRouter, Request, Response

from data.contracts.errors import GoldenSignalsError
from data.stream.redis import in_our_words
from serve_app.api.inputs import Has
from serve_app.api.models import HealthView, MetaView, Part, ReadyView
from serve_app.api.services import Services

_LOOK_S = 2.0
_PING_S = 1.5  # less: a deadline of the store cuts the connection, where cancelling would ask a frozen server to agree

router = APIRouter(tags=["health"])


@router.get("/healthz", response_model=HealthView)
async def healthz(request: Request) -> HealthView:
    """The process answers. Asks no server, so an outage elsewhere does not restart it."""
    vitals = getattr(request.app.state, "vitals", None)  # set by a process that has some: () -> mapping
    found: Mapping[str, object] = {} if vitals is None else vitals()
    return HealthView(vitals=dict(found))


@router.get("/readyz", response_model=ReadyView, responses={503: {"model": ReadyView}})
async def readyz(services: Has, response: Response) -> ReadyView:
    """PostgreSQL, Redis, the feed and the agents, each within 2 s. 503 while there is no PostgreSQL to read from."""
    postgresql, redis, agents = await asyncio.gather(
        _part("postgresql", services.signals.ping(within_s=_PING_S)),
        _part("redis", _redis(services)),
        _part("agents", services.compute.check()),
    )
    unknown = Part(name="feed", ok=False, detail="not known while PostgreSQL is away")
    feed = await _part("feed", _feed(services)) if postgresql.ok else unknown
    parts = [postgresql, redis, feed, agents]
    if not postgresql.ok:
        response.status_code = 503
        return ReadyView(status="not ready", parts=parts)
    return ReadyView(status="ready" if all(part.ok for part in parts) else "degraded", parts=parts)


@router.get("/v1/meta", response_model=MetaView)
async def meta(services: Has) -> MetaView:
    """Versions and ports."""
    return MetaView(
        version=version("goldensignals"),
        gateway_port=services.settings.gateway_port,
        api_port=services.settings.api.port,
        compute=services.compute.available,
    )


async def _part(name: str, looked: Awaitable[object]) -> Part:
    try:
        async with asyncio.timeout(_LOOK_S):
            found = await looked
    except TimeoutError:
        return Part(name=name, ok=False, detail=f"no answer within {_LOOK_S:g} s")
    except GoldenSignalsError as problem:
        return Part(name=name, ok=False, detail=str(problem))
    return Part(name=name, ok=True, detail=found if isinstance(found, str) else "answers")


async def _redis(services: Services) -> None:
    with in_our_words():
        await services.redis.ping()


async def _feed(services: Services) -> str:
    feed = await services.feed.get()
    if feed is None:
        return "not started yet"
    return f"{feed.name}, {feed.kind}, {feed.state}, market time {feed.clock:%Y-%m-%d %H:%M} UTC"
