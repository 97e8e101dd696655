"""What the studies of the gateway run on: servers, relay and gateway in a home of their own, and signals to store."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil

from data.contracts.signals import Action, Signal, Vote
from data.embedded.postgres import EmbeddedPostgres
from data.embedded.redis import EmbeddedRedis
from data.home import Home
from data.store.events import EventLog
from data.store.migrate import migrate
from data.store.pool import open_pool
from data.store.signals import SignalStore
from data.stream.redis import open_redis
from serve_app.auth.access import Principal
from serve_app.auth.tickets import Tickets
from serve_app.children import Child

SYMBOLS = 505
_AGENTS = ("mean_reversion", "patterns", "trend", "volatility", "volume")
_FIRST = datetime(2013, 2, 8, 21, 0, tzinfo=UTC)
_READY_S = 60.0


@dataclass
class Site:
    """Everything a study needs. `scale`: 1 for the real thing, less to see that it runs."""

    home: Home
    scale: float
    port: int
    postgres: EmbeddedPostgres
    redis: EmbeddedRedis
    signals: SignalStore
    events: EventLog
    tickets: Tickets
    children: dict[str, Child] = field(default_factory=dict)
    stored: int = 0  # signals so far

    def count(self, whole: int) -> int:
        """So many of something, scaled."""
        return max(1, round(whole * self.scale))

    async def start(self, name: str) -> None:
        """Start `relay` or `gateway` and wait for its sign of life."""
        child = self.children.setdefault(name, Child(self.home, name, f"serve_app.{name}", ready_s=_READY_S))
        child.begin()
        await until(child.is_alive, _READY_S)

    def vitals(self, name: str) -> psutil.Process:
        """The process, to be looked at."""
        return psutil.Process(self.children[name].pid)

    async def health(self) -> dict[str, Any]:
        """The gateway's numbers."""
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.get(f"http://127.0.0.1:{self.port}/healthz")
        vitals: dict[str, Any] = answer.json()["vitals"]
        return vitals

    async def new_tickets(self, count: int) -> list[str]:
        """Tickets for so many clients."""
        return [await self.tickets.issue(Principal("user-1", "bench", "viewer"), None) for _ in range(count)]

    async def store(self, count: int = 1) -> tuple[int, int]:
        """Store the next `count` signals in one transaction: when it began and when it was committed, in ns."""
        rows = [_signal(self.stored + number) for number in range(count)]
        self.stored += count
        began = time.monotonic_ns()
        await self.signals.add_all(rows, clock_now=datetime.now(UTC), correlation_id="benchmark")
        return began, time.monotonic_ns()


class Crowd:
    """The process of the clients."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """One command of `gateway_clients`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **fields}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return answer


async def until(condition: Callable[[], bool], seconds: float) -> None:
    """Until it holds. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  nobody tells when it begins to hold
            await asyncio.sleep(0.02)


@asynccontextmanager
async def open_site(home: Home, scale: float, *, idle_s: float, keep: int) -> AsyncIterator[Site]:
    """Everything up, and down again at the end. Settings of the gateway and stream: see `Settings`."""
    async with AsyncExitStack() as stack:
        postgres, redis = EmbeddedPostgres(home.path), EmbeddedRedis(home.path)
        for server in (postgres, redis):
            server.start()
            stack.callback(server.stop)
        migrate(postgres.url)
        pool = await open_pool(postgres.url, size=4, connect_s=10)
        stack.push_async_callback(pool.close)
        client = open_redis(redis.url, command_s=10)
        stack.push_async_callback(client.aclose)
        signals, events, tickets = SignalStore(pool), EventLog(pool), Tickets(client, seconds=600)
        site = Site(home, scale, _free_port(), postgres, redis, signals, events, tickets)
        os.environ.update(_settings(home, site.port, idle_s, keep))
        for name in ("relay", "gateway"):
            await site.start(name)
            stack.callback(site.children[name].stop)
        yield site


@asynccontextmanager
async def crowd(site: Site) -> AsyncIterator[Crowd]:
    """Clients, in a process of their own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.gateway_clients",
        str(site.port),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[1],
        limit=2**24,
    )
    try:
        yield Crowd(process)
    finally:
        process.kill()
        await process.communicate()


def _settings(home: Home, port: int, idle_s: float, keep: int) -> dict[str, str]:
    return {
        "GS_HOME": str(home.path),
        "GS_API__PORT": str(port - 1),
        "GS_GATEWAY__PORT": str(port),
        "GS_GATEWAY__CLIENT_BYTES": str(2 * 1024**2),
        "GS_GATEWAY__MAX_CLIENTS": "10000",
        "GS_STREAM__KEEP_EVENTS": str(keep),
        "GS_GATEWAY__IDLE_S": str(idle_s),
        "GS_GATEWAY__PING_S": str(idle_s / 3),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _signal(number: int) -> Signal:
    """A signal of its own, as large as a real one."""
    day, index = divmod(number, SYMBOLS)
    as_of = _FIRST + timedelta(days=day % 1500, microseconds=day // 1500)
    return Signal(
        signal_id=f"{number:064x}",
        input_hash=f"{number + 1:064x}",
        symbol=f"S{index:03d}",
        frame="1d",
        universe="all",
        as_of=as_of,
        horizon=5,
        action=Action.BUY,
        score=0.31234567890123,
        threshold=0.2,
        probability=None,
        calibrated=False,
        strength=0.31234567890123,
        agreement=0.912345678901,
        votes=tuple(Vote(agent=name, score=0.31234567, confidence=0.5123456, weight=0.5123456) for name in _AGENTS),
        missing=(),
        entry=170.123456,
        stop=160.123456,
        target=180.123456,
        warnings=(),
    )
