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
from data.home import Home
from data.settings import Settings
from data.store.stores import open_stores
from serve_app.children import Heartbeat
from serve_app.services import ComputeState, find_running
from serve_app.stack import join_ray
from serve_app.urls import postgres_url, redis_url

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
    parts.append(_child(home, "relay"))
    parts.append(_http("gateway", settings.gateway.host, settings.gateway_port, "/healthz"))
    parts.append(_http("api", running.host, running.port, "/readyz"))
    try:
        address = ComputeState.read(home).ray_address
        join_ray(home, address)
    except GoldenSignalsError as problem:
        return [*parts, Part("ray", False, str(problem))]
    try:
        parts.append(Part("ray", True, address))
        with redirect_stdout(sys.stderr):  # Ray prints warnings about its nodes, and stdout belongs to results
            parts.extend(asyncio.run(_pools(settings)))
    finally:
        connect.disconnect()
    return parts


async def _postgres(settings: Settings) -> Part:
    try:
        async with open_stores(settings.postgres, postgres_url(settings)) as stores:
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


def _child(home: Home, name: str) -> Part:
    age = Heartbeat(home, name).age_s()
    if age is None or age > _ASK_S:
        return Part(name, False, f"no sign of life; it is started again by itself, its log is {home.logs}/{name}.log")
    return Part(name, True, f"last sign of life {age:.1f} s ago")


def _http(name: str, host: str, port: int, path: str) -> Part:
    url = f"http://{host}:{port}{path}"
    try:
        answer = httpx.get(url, timeout=_ASK_S)
    except httpx.HTTPError as problem:
        return Part(name, False, f"{url}: {problem}")
    return Part(name, answer.is_success, f"{url}: {answer.text}")


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
