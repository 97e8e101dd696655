"""A gateway and a relay in this process, on real servers."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from data.clock import SystemClock
from data.home import Home
from data.settings import ApiSettings, GatewaySettings, PostgresSettings, RedisSettings, Settings
from data.store.events import EventLog
from data.store.pool import Pool
from data.store.signals import SignalStore
from data.store.stream import Sequencer
from data.stream.redis import open_redis
from data.stream.relay import Relay
from serve_app.api.compute import NoCompute
from serve_app.api.open import open_services
from serve_app.api.services import Services
from serve_app.gateway.__main__ import build_server
from serve_app.gateway.gateway import Gateway
from tests.integration.gateway.client import GUARD_S, Client
from tests.integration.store.samples import NOW, signal

Starting = Callable[..., AbstractAsyncContextManager["Running"]]


@dataclass
class Running:
    """A gateway that serves."""

    port: int
    services: Services
    gateway: Gateway

    def client(self, **options: Any) -> AbstractAsyncContextManager[Client]:
        return Client.welcome(self.port, self.services.tickets, **options)

    async def store(self, *symbols: str, day: int = 0, inputs: str = "a") -> None:
        """Store a signal of each of these symbols."""
        await store(self.services.signals, *symbols, day=day, inputs=inputs)

    async def reached(self, cursor: int) -> None:
        """Until the gateway has handed out everything up to there."""
        async with asyncio.timeout(GUARD_S):
            while (self.gateway.hub.cursor or 0) < cursor:
                await self.gateway.hub.moves()


async def store(signals: SignalStore, *symbols: str, day: int = 0, inputs: str = "a") -> None:
    rows = [signal(symbol, day=day, inputs=inputs) for symbol in symbols]
    await signals.add_all(rows, clock_now=NOW, correlation_id="test")


async def until(condition: Callable[[], bool]) -> None:
    """Until it holds; it is looked at often, and never for longer than the guard."""
    async with asyncio.timeout(GUARD_S):
        while not condition():  # noqa: ASYNC110  nobody tells when it begins to hold
            await asyncio.sleep(0.01)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def settings(tmp_path: Path, store_url: str, redis_url: str) -> Settings:
    Home(tmp_path).prepare()
    return Settings(
        home=tmp_path,
        postgres=PostgresSettings(url=SecretStr(store_url), connect_s=5, read_s=5),
        redis=RedisSettings(url=SecretStr(redis_url), command_s=2),
        api=ApiSettings(port=free_port()),
        gateway=GatewaySettings(port=free_port()),
    )


@pytest.fixture
def starting(settings: Settings) -> Starting:
    """A gateway for the length of a block. `gateway`: its settings; `redis_url`, `postgres_url`: other servers."""

    @asynccontextmanager
    async def start(
        *, redis_url: str | None = None, postgres_url: str | None = None, **gateway: Any
    ) -> AsyncIterator[Running]:
        changes: dict[str, Any] = {"gateway": settings.gateway.model_copy(update={"port": free_port(), **gateway})}
        if redis_url is not None:
            changes["redis"] = RedisSettings(url=SecretStr(redis_url), command_s=2)
        if postgres_url is not None:
            changes["postgres"] = PostgresSettings(url=SecretStr(postgres_url), connect_s=2, read_s=2)
        chosen = settings.model_copy(update=changes)
        async with open_services(chosen, NoCompute()) as services:
            server, heart = build_server(chosen, services)
            beats, serves = asyncio.create_task(heart.run()), asyncio.create_task(server.serve())
            try:
                await until(lambda: server.started and heart.hub.cursor is not None)
                yield Running(chosen.gateway_port, services, heart)
            finally:
                assert not beats.done()  # whatever happened to its servers
                server.should_exit = True
                await serves
                beats.cancel()
                await asyncio.gather(beats, return_exceptions=True)

    return start


@pytest.fixture
def relaying(pool: Pool, store_url: str, redis_url: str) -> Callable[..., AbstractAsyncContextManager[None]]:
    """A relay for the length of a block."""

    @asynccontextmanager
    async def run(*, url: str = redis_url, keep: int = 20_000) -> AsyncIterator[None]:
        redis = open_redis(url, command_s=2)
        relay = Relay(Sequencer(pool, store_url), EventLog(pool), redis, keep=keep, lease_s=2, clock=SystemClock())
        task = asyncio.create_task(relay.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await redis.aclose()

    return run


@pytest_asyncio.fixture
async def running(
    redis_url: str, starting: Starting, relaying: Callable[..., AbstractAsyncContextManager[None]]
) -> AsyncIterator[Running]:
    """A gateway and a relay on empty servers."""
    await emptied(redis_url)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(relaying())
        yield await stack.enter_async_context(starting())


async def emptied(redis_url: str) -> None:
    redis = open_redis(redis_url, command_s=2)
    await redis.flushall()
    await redis.aclose()
