"""P12: commit to receipt at many clients, the rate at which that no longer holds, a burst, clients that never read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.gateway_site import SYMBOLS, Crowd, Site, crowd

CLIENTS = 1000
STEADY = (2.0, 20.0)  # signals a second, seconds
TRANSACTIONS, BATCHES, RATE_S = 20.0, (1, 2, 4, 8, 16, 32, 64), 4.0  # a second; signals in each
SATURATED_MS = 1000.0
MUTE_CLIENTS, MUTE, MUTE_RATE, MUTE_BATCH, MUTE_S = 500, 50, 10.0, 30, 20.0
BURSTS = 3
_LATE_S = 30.0


async def delivery(site: Site) -> dict[str, Any]:
    """All of P12. Raises AssertionError when an entry was missed or came twice."""
    clients = site.count(CLIENTS)
    print(f"\nP12  {clients} clients in one process, all in room `signals`; milliseconds from commit to receipt")
    async with crowd(site) as guests:
        began = time.monotonic()
        await guests.ask("connect", tickets=await site.new_tickets(clients))
        found: dict[str, Any] = {"clients": clients, "connect_s": round(time.monotonic() - began, 2)}
        found["idle_rss_mib"] = _rss(site)
        found["steady"] = await _rate(site, guests, STEADY[0], 1, max(3.0, STEADY[1] * site.scale))
        _print("steady, 2 signals/s", found["steady"])
        found["rates"] = []
        for batch in BATCHES:
            row = await _rate(site, guests, TRANSACTIONS, batch, max(1.0, RATE_S * site.scale))
            found["rates"].append(row)
            _print(f"{TRANSACTIONS:g} transactions/s of {batch}", row)
            if row["late"] or row["p99_ms"] > SATURATED_MS:
                break
        found["bursts"] = [await _burst(site, guests) for _ in range(BURSTS)]
        for row in found["bursts"]:
            _print(f"burst of {SYMBOLS}", row)
        found["rss_mib"] = _rss(site)
        await guests.ask("leave")
        found["mute"] = await _mute(site, guests)
    print(f"  memory of the gateway: {found['idle_rss_mib']} MiB with all connected, {found['rss_mib']} MiB at the end")
    return found


async def _mute(site: Site, guests: Crowd) -> dict[str, Any]:
    """The same load without and with clients that never read, in turn."""
    clients, mute = site.count(MUTE_CLIENTS), site.count(MUTE)
    seconds = max(2.0, MUTE_S * site.scale)
    rows: dict[str, Any] = {"clients": clients, "mute": mute}
    for name, silent in (("without", 0), ("with", mute), ("without_again", 0)):
        await guests.ask("connect", tickets=await site.new_tickets(clients), mute=silent)
        rows[name] = await _rate(site, guests, MUTE_RATE, MUTE_BATCH, seconds)
        rows[name]["connections_at_end"] = (await site.health())["clients"]
        rows[name]["rss_mib"] = _rss(site)
        _print(f"{clients} clients, {silent} of them mute", rows[name])
        await guests.ask("leave")
    base = (rows["without"]["p99_ms"] + rows["without_again"]["p99_ms"]) / 2
    rows["p99_ratio"] = round(rows["with"]["p99_ms"] / base, 3)
    print(f"  p99 of the readers beside mute ones: {rows['p99_ratio']} × of that without")
    return rows


async def _rate(site: Site, guests: Crowd, rate: float, batch: int, seconds: float) -> dict[str, Any]:
    """Transactions of `batch` signals at an even pace, for about so long; what was reached stands in the result."""
    await guests.ask("begin")
    base = await site.events.top()
    times: list[tuple[int, int]] = []
    begin = time.monotonic()
    for number in range(max(1, round(rate * seconds))):
        await asyncio.sleep(begin + number / rate - time.monotonic())
        times.append(await site.store(batch))
        if time.monotonic() > begin + 1.5 * seconds:
            break
    wrote_s = time.monotonic() - begin
    found = await _measure(site, guests, base, times, batch)
    return {"signals_per_s": round(len(times) * batch / max(wrote_s, seconds), 1), **found}


async def _burst(site: Site, guests: Crowd) -> dict[str, Any]:
    await guests.ask("begin")
    base = await site.events.top()
    return await _measure(site, guests, base, [await site.store(SYMBOLS)], SYMBOLS)


async def _measure(
    site: Site, guests: Crowd, base: int, times: Sequence[tuple[int, int]], batch: int
) -> dict[str, Any]:
    """Wait until everybody has everything, then compare commits and receipts."""
    last = base + len(times) * batch
    late = (await guests.ask("wait", cursor=last, seconds=_LATE_S))["late"]
    with TemporaryDirectory(prefix="gs-bench-") as folder:
        file = Path(folder) / "received.npy"
        report = await guests.ask("report", file=str(file))
        before, cursor, at = np.load(file).T
    if report["faults"]:
        raise AssertionError(f"{report['faults']} frames had a gap or a repeated entry")
    began, committed = (np.repeat(np.array(column), batch) for column in zip(*times, strict=True))
    # a frame covers the entries (before, cursor]: one receipt for each of them
    counts = cursor - before
    entries = np.repeat(before - base, counts) + np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    received = np.repeat(at, counts)
    after_commit = np.maximum(received - committed[entries], 0) / 1e6
    whole = (received - began[entries]) / 1e6
    return {
        "signals": len(times) * batch,
        "frames": len(at),
        "received": len(received),
        "late": late,
        "readers_closed": report["readers_closed"],
        "p50_ms": round(float(np.quantile(after_commit, 0.5)), 2),
        "p99_ms": round(float(np.quantile(after_commit, 0.99)), 2),
        "max_ms": round(float(after_commit.max()), 2),
        "p99_from_begin_ms": round(float(np.quantile(whole, 0.99)), 2),
    }


def _rss(site: Site) -> float:
    return round(float(site.vitals("gateway").memory_info().rss) / 1024**2, 1)


def _print(label: str, row: dict[str, Any]) -> None:
    rate = f"{row['signals_per_s']:7.1f}/s" if "signals_per_s" in row else " " * 9
    print(
        f"  {label:<32} {rate}  p50 {row['p50_ms']:8.2f}  p99 {row['p99_ms']:8.2f}  max {row['max_ms']:8.2f}  "
        f"late clients {row['late']}"
    )
