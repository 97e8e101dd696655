"""The gateway as it is run: a process of its own that survives what is around it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from data.embedded.postgres import EmbeddedPostgres
from data.embedded.redis import EmbeddedRedis
from data.home import Home
from data.store.migrate import migrate
from data.store.pool import open_pool
from data.store.signals import SignalStore
from data.stream.redis import open_redis
from serve_app.auth.tickets import Tickets
from tests.integration.gateway.client import GUARD_S, Client
from tests.integration.gateway.conftest import free_port, store, until

EARLY = """
import os, runpy, signal, uvicorn
serve = uvicorn.Server.serve
def early(server):
    os.kill(os.getpid(), signal.SIGTERM)
    return serve(server)
uvicorn.Server.serve = early
runpy.run_module("serve_app.gateway", run_name="__main__")
"""
MODULES = """
import runpy, sys, threading
def look():
    import time
    while not __import__("pathlib").Path(sys.argv[1]).exists():
        time.sleep(0.05)
    print(" ".join(sorted({name.split(".")[0] for name in sys.modules} & {"ray", "cluster", "agents"})), flush=True)
threading.Thread(target=look, daemon=True).start()
runpy.run_module("serve_app.gateway", run_name="__main__")
"""


@dataclass
class Site:
    """A home whose servers run, and a port for its gateway."""

    home: Path
    port: int
    postgres: EmbeddedPostgres
    redis: EmbeddedRedis

    @property
    def environment(self) -> Mapping[str, str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("GS_")}
        return plain | {
            "GS_HOME": str(self.home),
            "GS_API__PORT": str(free_port()),
            "GS_GATEWAY__PORT": str(self.port),
            "GS_REDIS__COMMAND_S": "2",
            "GS_POSTGRES__READ_S": "2",
        }

    @property
    def alive(self) -> Path:
        return Home(self.home).run / "gateway.alive"


@pytest.fixture
def site(ready_home: Path) -> Iterator[Site]:
    postgres, redis = EmbeddedPostgres(ready_home), EmbeddedRedis(ready_home)
    postgres.start()
    redis.start()
    migrate(postgres.url)
    yield Site(ready_home, free_port(), postgres, redis)
    redis.stop()
    postgres.stop()


@asynccontextmanager
async def processes(site: Site, *commands: tuple[str, ...]) -> AsyncIterator[list[asyncio.subprocess.Process]]:
    """Python processes with the settings of the site, for the length of a block."""
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, *words, env=dict(site.environment), stdout=asyncio.subprocess.PIPE
        )
        for words in commands
    ]
    try:
        yield started
    finally:
        for process in started:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def ready(site: Site) -> None:
    await until(site.alive.exists)


async def get(site: Site, path: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=GUARD_S) as client:
        return await client.get(f"http://127.0.0.1:{site.port}{path}")


async def test_it_delivers_without_ray_and_says_goodbye(site: Site) -> None:
    gateway, relay = ("-c", MODULES, str(site.alive)), ("-m", "serve_app.relay")
    async with processes(site, gateway, relay) as (process, _):
        await ready(site)
        assert process.stdout is not None
        assert await process.stdout.readline() == b"\n"  # neither Ray nor what brings it
        redis = open_redis(site.redis.url, command_s=5)
        pool = await open_pool(site.postgres.url, size=1, connect_s=5)
        async with Client.welcome(site.port, Tickets(redis, seconds=30)) as client:
            await client.subscribe(["signals"])
            await store(SignalStore(pool), "AAPL", "MSFT")
            assert [entry["seq"] for entry in await client.events(2)] == [1, 2]
            vitals = (await get(site, "/healthz")).json()["vitals"]
            assert (vitals["clients"], vitals["rooms"], vitals["cursor"], vitals["stale"]) == (1, 1, 2, [])
            process.send_signal(signal.SIGTERM)
            code, reason = await client.closed()
            assert (code, "reconnect_ms" in reason) == (1012, True)
        assert await process.wait() == 0
        await pool.close()
        await redis.aclose()


async def test_it_starts_and_stays_while_everything_is_away(site: Site) -> None:
    site.postgres.stop()
    site.redis.stop()
    async with processes(site, ("-m", "serve_app.gateway"), ("-m", "serve_app.relay")) as (process, _):
        await ready(site)
        assert (await get(site, "/readyz")).status_code == 503
        async with Client.connected(site.port) as client:
            await client.say("auth", ticket="t" * 43)
            assert (await client.closed())[0] == 1013
        beat = site.alive.stat().st_mtime
        await until(lambda: site.alive.stat().st_mtime > beat)
        site.postgres.start()
        site.redis.start()
        redis = open_redis(site.redis.url, command_s=5)
        pool = await open_pool(site.postgres.url, size=1, connect_s=5)
        await store(SignalStore(pool), "AAPL")
        async with Client.welcome(site.port, Tickets(redis, seconds=30)) as client:
            answer = await client.subscribe(["signals"], cursor=0)
            assert answer["recovered"] or len(answer["snapshot"]) == 1
            await client.events(1)
            site.postgres.stop()
            assert (await client.until("stale"))["data"]["server"] == "postgresql"
            answer = await client.subscribe(["signals.AAPL"])
            assert (answer["recovered"], answer["snapshot"]) == (False, None)
            assert (await get(site, "/readyz")).status_code == 503
            site.postgres.start()
            assert (await client.until("fresh"))["data"]["server"] == "postgresql"
        await pool.close()
        await redis.aclose()
        assert process.returncode is None


async def test_a_request_in_flight_is_answered_before_the_end(site: Site) -> None:
    async with processes(site, ("-m", "serve_app.gateway")) as (process,):
        await ready(site)
        site.postgres.stop()  # so that the answer takes its deadline of two seconds
        asked = asyncio.create_task(get(site, "/readyz"))
        async with Client.connected(site.port) as client:  # the request, which was sent before, has arrived then
            process.send_signal(signal.SIGTERM)
            assert (await client.closed())[0] == 1012
        assert (await asked).status_code == 503
        assert await process.wait() == 0


async def test_a_signal_before_it_serves_ends_it_too(site: Site) -> None:
    async with processes(site, ("-c", EARLY)) as (process,):
        async with asyncio.timeout(GUARD_S):
            assert await process.wait() == 0


async def test_what_is_said_of_a_server_that_is_away_names_no_place(site: Site) -> None:
    site.redis.stop()
    async with processes(site, ("-m", "serve_app.gateway")) as (process,):
        await ready(site)
        answer = await get(site, "/readyz")
        assert "Redis is down or did not answer in time" in answer.text
        assert ".sock" not in answer.text
        assert process.returncode is None
