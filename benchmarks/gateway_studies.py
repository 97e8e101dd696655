"""What must not break: resuming at any moment whatever restarts, and sockets that misbehave."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from benchmarks.gateway_clients import RawClient
from benchmarks.gateway_rude import rude_crowd
from benchmarks.gateway_site import Site, until
from data.contracts.errors import TemporarilyUnavailable

CUTS, READERS, NAPS = 1000, 20, 0.03
RUDE, AT_ONCE = 5000, 1000
_STORE_S = 0.05
_STUDY_S = 300.0
_END_S = 60.0


class _Reader:
    """One logical client over many connections: what it was given, and what it was told it cannot have."""

    def __init__(self, site: Site, rng: random.Random) -> None:
        self._site, self._rng = site, rng
        self.cursor = 0
        self.seen = self.skipped = self.restarts = self.faults = self.cuts = self.refused = 0

    async def until(self, cursor: int) -> None:
        """As many connections as it takes to come so far."""
        while self.cursor < cursor:
            await self.once(cursor)

    async def once(self, goal: int) -> None:
        """Connect, and cut after a random time, or when it has come so far."""
        try:
            (ticket,) = await self._site.new_tickets(1)
        except TemporarilyUnavailable:  # Redis is being restarted
            await asyncio.sleep(0.05)
            return
        reached = asyncio.get_running_loop().create_future()
        skipped = 0

        def note(client: RawClient, before: int, cursor: int) -> None:
            nonlocal skipped
            self._skip(client.skipped - skipped)
            skipped = client.skipped
            self.faults += before != self.cursor
            self.seen += cursor - before
            self.cursor = cursor
            if cursor >= goal and not reached.done():
                reached.set_result(None)

        try:
            _, client = await asyncio.get_running_loop().create_connection(
                lambda: RawClient(ticket, self.cursor, note), "127.0.0.1", self._site.port
            )
        except OSError:  # the gateway is being restarted
            await asyncio.sleep(0.05)
            return
        try:
            if not await client.subscribed:
                self.refused += 1
                return
            self.cuts += 1
            await asyncio.wait([reached, client.ended], timeout=self._rng.expovariate(10))
        finally:
            self._skip(client.skipped - skipped)
            self.faults += client.faults
            client.transport.abort()
            await client.ended

    def _skip(self, entries: int) -> None:
        """The gateway has said that it cannot give these."""
        self.restarts += entries > 0
        self.skipped += entries
        self.cursor += entries


async def resume(site: Site) -> dict[str, Any]:
    """Readers are cut at random while signals come, Redis is restarted, the relay and the gateway are killed."""
    seed = random.randrange(10**6)
    rng = random.Random(seed)
    readers = [_Reader(site, rng) for _ in range(READERS)]
    wanted = site.count(CUTS)
    done = asyncio.Event()

    async def write() -> None:
        while not done.is_set():
            await site.store(rng.randrange(1, 20))
            await asyncio.sleep(_STORE_S)

    async def read(reader: _Reader) -> None:
        while not done.is_set():
            await reader.once(reader.cursor + rng.randrange(1, 200))
            if rng.random() < NAPS:
                await asyncio.sleep(rng.random() * 3)  # long enough to fall out of what the stream keeps

    async def cut_times(count: int) -> None:
        await until(lambda: sum(reader.cuts for reader in readers) >= count, _STUDY_S)

    async def disturb() -> None:
        ways = ("gateway", "redis", "relay", "emptied")
        for step, way in enumerate(ways, 1):
            await cut_times(wanted * step // (len(ways) + 1))
            if way in ("redis", "emptied"):
                await asyncio.to_thread(_restart_redis, site, way == "emptied")
            else:
                site.children[way].kill()
                await site.start(way)
        await cut_times(wanted)
        done.set()

    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for work in (write(), disturb(), *(read(reader) for reader in readers)):
            tasks.create_task(work)
    last = site.stored  # every signal is one event
    async with asyncio.timeout(_END_S):
        for reader in readers:
            await reader.until(last)
    row = {
        "seed": seed,
        "seconds": round(time.monotonic() - began, 1),
        "cuts": sum(reader.cuts for reader in readers),
        "entries": last,
        "given": sum(reader.seen for reader in readers),
        "times_beyond_the_horizon": sum(reader.restarts for reader in readers),
        "entries_skipped_there": sum(reader.skipped for reader in readers),
        "turned_away": sum(reader.refused for reader in readers),
        "faults": sum(reader.faults for reader in readers),
        "wrong_totals": sum(reader.seen + reader.skipped != last for reader in readers),
    }
    print(f"\nresume  {', '.join(f'{name} {value}' for name, value in row.items())}")
    if row["faults"] or row["wrong_totals"]:
        raise AssertionError("an entry was lost or came twice")
    return row


async def rude_sockets(site: Site) -> dict[str, Any]:
    """Sockets opened and left in every rude way; what the gateway holds before and after."""
    count = site.count(RUDE)
    seed = random.randrange(10**6)
    rng = random.Random(seed)
    await rude_crowd(
        site.port, await site.new_tickets(min(count, AT_ONCE)), rng, at_once=AT_ONCE
    )  # pools and buffers grow
    before = await _held(site)
    began = time.monotonic()
    await rude_crowd(site.port, await site.new_tickets(count), rng, at_once=AT_ONCE)
    after = await _held(site)
    row = {
        "seed": seed,
        "sockets": count,
        "seconds": round(time.monotonic() - began, 1),
        "before": before,
        "after": after,
    }
    print(f"\nrude  {count} sockets in {row['seconds']} s; before {before}, after {after}")
    if after["clients"] or after["files"] > before["files"] + 10:
        raise AssertionError("sockets were left behind")
    return row


async def _held(site: Site) -> dict[str, Any]:
    async with asyncio.timeout(_END_S * 2):
        while (await site.health())["clients"]:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.5)
    process = site.vitals("gateway")
    return {
        "clients": (await site.health())["clients"],
        "files": process.num_fds(),
        "rss_mib": round(process.memory_info().rss / 1024**2, 1),
        "threads": process.num_threads(),
    }


def _restart_redis(site: Site, is_emptied: bool) -> None:
    site.redis.stop()
    if is_emptied:
        (site.redis.data_folder / "appendonly.aof").unlink(missing_ok=True)
    site.redis.start()
