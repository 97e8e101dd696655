"""What runs now: one line per part, each asked with a deadline."""

from __future__ import annotations

import asyncio
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass

import httpx
import redis

from agents.registry import roster
from cluster import connect
from cluster.pools import AgentPool
from data.contracts.errors import GoldenSignalsError
from data.embedded.redis import EmbeddedRedis
from data.home import Home
from data.settings import Settings
from serve_app.bootstrap import open_stores
from serve_app.services import find_running, postgres_url
from serve_app.stack import join_ray

_ASK_S = 5.0


@dataclass(frozen=True)
class Part:
    """One part of the system."""

    name: str
    ok: bool
    detail: str


def system_status(settings: Settings) -> list[Part]:
    """The system first; if it runs, then PostgreSQL, Redis, every agent pool and the API."""
    home = Home(settings.home)
    running = find_running(home)
    if running is None:
        return [Part("system", False, f"nothing runs from {home.path}; start it with: goldensignals up")]
    parts = [Part("system", True, f"process {running.pid}, bars {running.source}")]
    parts.append(asyncio.run(_postgres(settings)))
    parts.append(_redis(settings))
    parts.append(_api(running.host, running.port))
    try:
        join_ray(home, running.ray_address)
    except GoldenSignalsError as problem:
        return [*parts, Part("ray", False, str(problem))]
    try:
        parts.append(Part("ray", True, running.ray_address))
        with redirect_stdout(sys.stderr):  # Ray prints warnings about its nodes, and stdout belongs to results
            parts.extend(asyncio.run(_pools(settings)))
    finally:
        connect.disconnect()
    return parts


def redis_url(settings: Settings) -> str:
    """The Redis a setting names, or the embedded one of this home."""
    return settings.redis.url.get_secret_value() if settings.redis.url else EmbeddedRedis(settings.home).url


async def _postgres(settings: Settings) -> Part:
    try:
        async with open_stores(settings, postgres_url(settings)) as stores:
            return Part("postgresql", True, f"{await stores.signals.count()} signals stored")
    except GoldenSignalsError as problem:
        return Part("postgresql", False, str(problem))


def _redis(settings: Settings) -> Part:
    wait_s = settings.redis.command_s
    try:
        with redis.Redis.from_url(redis_url(settings), socket_timeout=wait_s, socket_connect_timeout=wait_s) as client:
            return Part("redis", bool(client.ping()), f"version {client.info('server')['redis_version']}")
    except (redis.RedisError, OSError) as problem:
        return Part("redis", False, f"it does not answer ({type(problem).__name__}); it is started again by itself")


def _api(host: str, port: int) -> Part:
    url = f"http://{host}:{port}/readyz"
    try:
        answer = httpx.get(url, timeout=_ASK_S)
    except httpx.HTTPError as problem:
        return Part("api", False, f"{url}: {problem}")
    return Part("api", answer.is_success, f"{url}: {answer.text}")


async def _pools(settings: Settings) -> list[Part]:
    async def one(name: str) -> Part:
        agent = roster([name])[0]
        pool = AgentPool.find(agent, settings.agents)
        try:
            pids = await pool.ready(deadline_s=_ASK_S)
        except GoldenSignalsError as problem:
            return Part(f"agent {name}", False, str(problem))
        return Part(f"agent {name}", bool(pids), f"{len(pids)} actors, processes {', '.join(map(str, pids))}")

    return await asyncio.gather(*(one(agent.name) for agent in roster()))
