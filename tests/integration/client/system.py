"""A whole system without Ray: API, worker and relay on a thread of this process, the gateway as its own process."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psycopg
import uvicorn
from redis import Redis
from starlette.types import ASGIApp, Receive, Scope, Send

from cluster.voters import LocalVoters
from data.clock import ManualClock, SystemClock
from data.market.source import Bars
from data.settings import Settings
from data.store.pool import open_pool
from data.store.stores import Stores, open_stores
from data.stream import prices
from data.stream.redis import open_redis
from serve_app.api.app import build_app
from serve_app.api.open import open_services
from serve_app.api.services import Services
from serve_app.auth.access import Permission
from serve_app.auth.accounts import Accounts
from serve_app.auth.opening import signing_secret
from serve_app.planner import Planner
from serve_app.relay import build_relay
from serve_app.worker import JobWorker
from tests.integration.api.site import Local, feed_of
from tests.integration.people import account
from tests.integration.store.samples import NOW
from tests.integration.store.samples import signal as signal_of

T = TypeVar("T")
ROOT = Path(__file__).parents[3]
USER = "tess"
GUARD_S = 60.0  # far beyond what anything takes, also on a busy machine


@dataclass
class System:
    """What a client can be connected to. Methods may be called from any thread but the API's."""

    settings: Settings
    bars: Bars
    source: str
    password_hash: str
    clock: ManualClock = field(default_factory=lambda: ManualClock(datetime.now(UTC)))  # of logins and keys
    requests: list[tuple[str, str]] = field(default_factory=list)  # method and path, as they came to the API

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._gateway: subprocess.Popen[bytes] | None = None
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.stores: Stores
        self.services: Services

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.api.port}"

    @property
    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{self.settings.gateway_port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """API, worker and relay, for the length of a block; the gateway is started and killed in it."""
        thread = threading.Thread(target=self._loop.run_forever, name="api")
        thread.start()
        stack = self._opened()
        try:
            self.run(stack.__aenter__())
            yield
        finally:
            if self._gateway is not None:
                self.kill_gateway()
            self.run(stack.__aexit__(None, None, None))
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(GUARD_S)
            self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it where the API runs."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(GUARD_S)

    def key(self, *scopes: Permission) -> str:
        """A new API key of the user; of all its scopes by default."""
        wanted = scopes or (Permission.READ, Permission.STREAM, Permission.RUN)
        return self.run(self.services.accounts.add_key(USER, "test", wanted, expires_in_days=1)).text

    def expire_keys(self) -> None:
        """As if all of them had been made for yesterday."""
        with psycopg.connect(self._postgres_url(), autocommit=True) as connection:
            connection.execute("UPDATE api_key SET expires_at = now() - interval '1 day'")

    def store(self, symbols: Sequence[str], days: Sequence[int] = (0,)) -> None:
        """Store signals of these symbols, one transaction a day."""
        for day in days:
            rows = [signal_of(symbol, day=day) for symbol in symbols]
            self.run(self.stores.signals.add_all(rows, clock_now=NOW, correlation_id="test"))

    def publish(self, symbol: str, price: float) -> None:
        """Publish a bar of this symbol, as the replay does."""
        row = {"symbol": symbol, "ts": "2018-02-07T21:00:00+00:00", "volume": 9.0}
        self.run(prices.publish(self.services.redis, [row | dict.fromkeys(("open", "high", "low", "close"), price)]))

    def stop_api(self) -> None:
        """Let the API end, as a deploy does."""
        assert self._server is not None
        assert self._serving is not None
        self._server.should_exit = True
        self.run(_finished(self._serving))

    def start_gateway(self) -> None:
        """Start it, and wait until it answers and follows the stream."""
        environment = os.environ | {
            "GS_HOME": str(self.settings.home),
            "GS_POSTGRES__URL": self._postgres_url(),
            "GS_REDIS__URL": self._redis_url(),
            "GS_API__PORT": str(self.settings.api.port),
            "GS_GATEWAY__PORT": str(self.settings.gateway_port),
            "GS_GATEWAY__IDLE_S": str(self.settings.gateway.idle_s),
            "GS_GATEWAY__PING_S": str(self.settings.gateway.ping_s),
        }
        command = [sys.executable, "-m", "serve_app.gateway"]
        with (self.settings.home / "gateway.log").open("ab") as log:
            self._gateway = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        until(lambda: self.vitals().get("cursor") is not None)

    def kill_gateway(self) -> None:
        """Kill -9, so nothing is said to anybody."""
        self._end_gateway(signal.SIGKILL)

    def end_gateway(self) -> None:
        """As a deploy does."""
        self._end_gateway(signal.SIGTERM)

    def vitals(self) -> dict[str, Any]:
        """What the gateway says about itself; nothing while it is away."""
        try:
            found = httpx.get(f"{self.gateway_url}/healthz", timeout=2.0)
        except httpx.TransportError:
            return {}
        vitals: dict[str, Any] = found.json()["vitals"]
        return vitals

    # private

    def _end_gateway(self, how: signal.Signals) -> None:
        process, self._gateway = self._gateway, None
        assert process is not None
        process.send_signal(how)
        process.wait(GUARD_S)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        settings = self.settings
        async with (
            open_stores(settings.postgres, self._postgres_url()) as stores,
            await open_pool(self._postgres_url(), size=2, connect_s=10) as pool,
            open_redis(self._redis_url(), command_s=2) as redis,
        ):
            self.stores = stores
            await stores.accounts.add(account(USER, "trader", self.password_hash, datetime.now(UTC)))
            session = self.bars.panel.sessions[-1]
            await stores.feed.put(feed_of(self.bars, self.source, datetime.fromtimestamp(session / 1e6, UTC)))
            worker = JobWorker(settings, stores, SystemClock())
            worker._voters = LocalVoters()  # type: ignore[assignment]  # the worker as it is, but for its actors
            tasks = [asyncio.create_task(work) for work in (worker.run(), build_relay(settings, pool, redis).run())]
            await self._serve()
            try:
                yield
            finally:
                assert not any(task.done() for task in tasks)
                for task in tasks:
                    task.cancel()
                assert self._server is not None
                assert self._serving is not None
                self._server.should_exit = True
                await asyncio.gather(*tasks, self._serving, return_exceptions=True)

    async def _serve(self) -> None:
        app = build_app(self.settings, self._services, reading_only=False, dashboard=None)
        config = uvicorn.Config(
            self._recorded(app), port=self.settings.api.port, log_config=None, access_log=False, lifespan="on"
        )
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve())
        async with asyncio.timeout(GUARD_S):
            while not self._server.started:
                assert not self._serving.done()
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def _services(self) -> AsyncIterator[Services]:
        compute = Local(self.bars, self.stores, self.clock, Planner(self.settings, self.source, self.bars))
        async with open_services(self.settings, compute) as services:
            accounts = Accounts(
                self.stores.accounts,
                secret=signing_secret(self.settings),
                settings=self.settings.auth,
                clock=self.clock,
            )
            self.services = replace(services, accounts=accounts)
            yield self.services

    def _recorded(self, app: ASGIApp) -> ASGIApp:
        async def call(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                self.requests.append((scope["method"], scope["path"]))
            await app(scope, receive, send)

        return call

    def _postgres_url(self) -> str:
        assert self.settings.postgres.url is not None
        return self.settings.postgres.url.get_secret_value()

    def _redis_url(self) -> str:
        assert self.settings.redis.url is not None
        return self.settings.redis.url.get_secret_value()


def emptied(redis_url: str) -> None:
    with Redis.from_url(redis_url) as redis:
        redis.flushall()


def until(condition: Callable[[], object]) -> None:
    """Until it holds; looked at often, and never for longer than the guard."""
    ends = datetime.now(UTC) + timedelta(seconds=GUARD_S)
    waiting = threading.Event()
    while not condition():
        assert datetime.now(UTC) < ends, "it did not happen"
        waiting.wait(0.02)


async def _finished(task: asyncio.Task[None]) -> None:
    await asyncio.wait({task}, timeout=GUARD_S)
