"""The relay as a process: `python -m serve_app.relay` feeds the stream from the store until SIGTERM.

It waits for PostgreSQL and Redis, and never ends because one of them is away. While it lives and steps it touches
`HOME/run/relay.alive` each second; a supervisor restarts a relay whose file has grown old.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import structlog
from redis.asyncio import Redis

from data.cancelling import end
from data.clock import SystemClock
from data.contracts.errors import TemporarilyUnavailable
from data.home import Home
from data.settings import Settings
from data.store.events import EventLog
from data.store.pool import Pool, open_pool
from data.store.stream import Sequencer
from data.stream.redis import open_redis
from data.stream.relay import Outage, Relay
from serve_app.logs import configure_logging
from serve_app.urls import postgres_url, redis_url

ALIVE = "relay.alive"
_BEAT_S = 1.0
_POOL = 2  # a relay does one thing at a time; the other connection replaces one that hangs
_log = structlog.get_logger()


def main() -> None:
    """Run until SIGTERM or Ctrl-C. Raises InvalidInput for settings that cannot be used."""
    settings = Settings.load()
    configure_logging(logging.INFO)
    home = Home(settings.home)
    home.prepare()
    asyncio.run(serve(settings, home.run / ALIVE))


async def serve(settings: Settings, alive: Path) -> None:
    """Relay, and touch the file each second, until a signal comes."""
    relaying, asked = asyncio.create_task(_relay(settings, alive)), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    ending = asyncio.create_task(asked.wait())
    await asyncio.wait({relaying, ending}, return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    await end([relaying])
    with suppress(asyncio.CancelledError):
        relaying.result()


def build_relay(settings: Settings, pool: Pool, redis: Redis) -> Relay:
    """The relay of these settings, over connections that are open."""
    s = settings.postgres
    return Relay(
        Sequencer(pool, postgres_url(settings), write_s=s.write_s, connect_s=s.connect_s),
        EventLog(pool, write_s=s.write_s, read_s=s.read_s),
        redis,
        keep=settings.stream.keep_events,
        lease_s=settings.stream.lease_s,
        clock=SystemClock(),
    )


async def _relay(settings: Settings, alive: Path) -> None:
    async with AsyncExitStack() as stack:
        waiting = asyncio.create_task(_beat(alive))
        stack.callback(waiting.cancel)
        pool = await _pool(settings)
        stack.push_async_callback(pool.close)
        redis = open_redis(redis_url(settings), command_s=min(settings.redis.command_s, settings.stream.lease_s / 2))
        stack.push_async_callback(redis.aclose)
        relay = build_relay(settings, pool, redis)
        waiting.cancel()
        s = settings.postgres  # a step is at most one connect, one write, three reads and two commands
        longest_s = s.connect_s + s.write_s + 3 * s.read_s + 2 * settings.redis.command_s
        stack.callback(asyncio.create_task(_beat(alive, relay, longest_s)).cancel)
        await relay.run()


async def _beat(alive: Path, relay: Relay | None = None, longest_s: float = 0.0) -> None:
    """Touch the file each second, until the relay has made no step for longer than one can take."""
    while relay is None or relay.silent_s < longest_s:
        _touch(alive)
        await asyncio.sleep(_BEAT_S)
    assert relay is not None
    _log.error("relay is stuck", silent_s=round(relay.silent_s))


async def _pool(settings: Settings) -> Pool:
    """Connections to PostgreSQL, awaited for as long as it takes."""
    outage = Outage("PostgreSQL", SystemClock())
    while True:
        try:
            pool = await open_pool(postgres_url(settings), size=_POOL, connect_s=settings.postgres.connect_s)
        except TemporarilyUnavailable as problem:
            await asyncio.sleep(outage.failed(str(problem)))
        else:
            outage.over()
            return pool


def _touch(file: Path) -> None:  # a system call: too short to be worth a thread
    file.touch(mode=0o600)


if __name__ == "__main__":
    main()
