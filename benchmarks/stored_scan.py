"""P11: a whole scan on two workers, stored and streamed, against the same agents in one process and the work below.

Import only after `cluster.connect.prepare_environment`: Ray reads the environment when it is imported.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import defaultdict
from dataclasses import replace
from typing import Any

import ray

from agents.consensus import ConsensusParams, decide
from benchmarks.measure import Samples
from benchmarks.raw_work import RawWork, indicator_calls
from cluster.scan import ScanSpec, scan
from cluster.voters import LocalVoters, PoolVoters
from data.clock import SystemClock
from data.store.stores import Stores
from data.stream.reader import StreamReader

ROUNDS = 9
WORKERS = 2


async def run(spec: ScanSpec, voters: PoolVoters, stores: Stores, stream: StreamReader) -> dict[str, Any]:
    """Rounds in turn over all sides, after one that does not count; seconds of wall time."""
    raw = RawWork(spec.panel, indicator_calls(spec.agents))
    seen: dict[str, list[float]] = defaultdict(list)
    for number in range(ROUNDS + 1):
        # other parameters are other signal ids: what was stored before cannot make this round cheaper
        fresh = replace(spec, consensus=ConsensusParams(stop_atr=2.0 + (number + 1) / 1024))
        for name, seconds in (
            await _round(fresh, voters, stores, stream, raw, clustered_first=number % 2 == 0)
        ).items():
            if number > 0:
                seen[name].append(seconds)
    stored = await stores.signals.count()
    expected = (ROUNDS + 1) * len(spec.panel.symbols)
    if stored != expected:
        raise AssertionError(f"{stored} signals are stored, not {expected}")
    return _report(spec, raw, {name: Samples.of(values) for name, values in seen.items()})


async def _round(
    spec: ScanSpec, voters: PoolVoters, stores: Stores, stream: StreamReader, raw: RawWork, *, clustered_first: bool
) -> dict[str, float]:
    found: dict[str, float] = {}
    signals: list[list[Any]] = []
    for clustered in (clustered_first, not clustered_first):
        if clustered:
            cursor = await stream.newest()
            began = time.perf_counter()
            result = await scan(
                spec,
                voters,
                stores,
                clock=SystemClock(),
                owner="benchmark",
                correlation_id="benchmark",
                progress=_silent,
            )
            found["scan"] = time.perf_counter() - began
            await _delivered(stream, cursor, len(result.found))
            found["scan_streamed"] = time.perf_counter() - began
            found |= {f"scan_{name}": seconds for name, seconds in result.seconds.items()}
            if not all(row.new for row in result.found):
                raise AssertionError("a round found signals that were stored before")
            signals.append([row.signal for row in result.found])
        else:
            ends = _Ends()
            began = time.perf_counter()
            blocks = await LocalVoters().votes(spec.panel, spec.agents, rows="last", progress=ends)
            voted = time.perf_counter()
            decision = decide(
                spec.panel,
                blocks,
                rows=spec.panel.last_rows,
                asked=spec.agents,
                missing=(),
                universe=spec.universe,
                params=spec.consensus,
            )
            found["serial_votes"] = voted - began
            found["serial"] = time.perf_counter() - began
            for agent, (start, end) in zip(spec.agents, itertools.pairwise([began, *ends]), strict=True):
                found[f"serial_{agent.name}"] = end - start
            signals.append(decision.signals)
    if signals[0] != signals[1]:
        raise AssertionError("the workers' signals differ from those of one process")
    found["kernels"] = raw.kernels()
    found["candlesticks"] = raw.candlesticks()
    found["kernels_shared"] = raw.kernels(shared_only=True)
    found["talib_shared"] = raw.talib()
    began = time.perf_counter()
    ray.put(spec.panel)
    found["put"] = time.perf_counter() - began
    bars = replace(spec.panel)  # a copy without its cached hash
    began = time.perf_counter()
    assert bars.content_hash
    found["hash"] = time.perf_counter() - began
    return found


async def _delivered(stream: StreamReader, cursor: int, signals: int) -> None:
    """Until Redis holds so many signals behind the cursor. Raises TimeoutError after a minute."""
    async with asyncio.timeout(60):
        while signals > 0:
            entries = await stream.read(cursor, limit=1000, wait_s=5)
            cursor = entries[-1].seq if entries else cursor
            signals -= sum(entry.key.startswith("signals.") for entry in entries)


def _report(spec: ScanSpec, raw: RawWork, seen: dict[str, Samples]) -> dict[str, Any]:
    votes, serial_votes = seen["scan_votes"], seen["serial_votes"]
    ideal = Samples(tuple(value / WORKERS for value in serial_votes.values))
    overhead = Samples(tuple(a - b for a, b in zip(votes.values, ideal.values, strict=True)))
    below = Samples(tuple(a + b for a, b in zip(seen["kernels"].values, seen["candlesticks"].values, strict=True)))
    panel = spec.panel
    print(
        f"\nP11  {len(panel.symbols)} symbols, {len(panel):,} bars, {len(spec.agents)} agents, {WORKERS} actors each; "
        f"{ROUNDS} rounds, stored in PostgreSQL, relayed to Redis Streams by a process beside"
    )
    rows = [
        ("scan, stored and streamed", seen["scan_streamed"]),
        ("scan, stored", seen["scan"]),
        ("  votes", votes),
        (f"    ideal share of compute (1/{WORKERS} of serial)", ideal),
        ("    Ray: votes less the ideal share", overhead),
        ("      of it, putting the panel (timed alone)", seen["put"]),
        ("  consensus", seen["scan_consensus"]),
        ("  store", seen["scan_store"]),
        ("serial in one process, nothing stored", seen["serial"]),
        ("  votes alone", serial_votes),
        *((f"    {agent.name}", seen[f"serial_{agent.name}"]) for agent in spec.agents),
        ("below the agents", below),
        ("  our kernels, as the agents call them", seen["kernels"]),
        ("    of them, those TA-Lib has too", seen["kernels_shared"]),
        ("    TA-Lib's own for the same", seen["talib_shared"]),
        (f"  TA-Lib's {raw.patterns} patterns", seen["candlesticks"]),
        ("hash of the bars: when they are loaded", seen["hash"]),
    ]
    for label, samples in rows:
        print(f"  {label:<46} {samples.text(1e3, 'ms')}")
    print(f"  TA-Lib has: {', '.join(raw.shared)}; has not: {', '.join(raw.ours_only)}")
    ratios = {
        "streamed_over_serial": (seen["scan_streamed"].over(seen["serial"]), 1.0),
        "scan_over_serial": (seen["scan"].over(seen["serial"]), None),
        "scan_over_serial_votes": (seen["scan"].over(serial_votes), None),
        "serial_votes_over_raw": (serial_votes.over(below), 1.5),
    }
    labels = {
        "streamed_over_serial": "scan, streamed / serial with consensus",
        "scan_over_serial": "scan, stored / serial with consensus",
        "scan_over_serial_votes": "scan, stored / serial votes alone",
        "serial_votes_over_raw": "serial votes / below the agents",
    }
    for name, (samples, floor) in ratios.items():
        print(f"  {labels[name]:<46} {samples.text(1, '×')}" + (f"   floor: at most {floor}" if floor else ""))
    return {
        "symbols": len(panel.symbols),
        "bars": len(panel),
        "agents": [agent.name for agent in spec.agents],
        "workers": WORKERS,
        "kernel_calls": {"shared_with_talib": raw.shared, "ours_only": raw.ours_only},
        "seconds": {name: samples.document() for name, samples in seen.items()}
        | {"ideal_votes": ideal.document(), "ray_overhead": overhead.document(), "below_agents": below.document()},
        "ratios": {name: samples.document() | {"floor": floor} for name, (samples, floor) in ratios.items()},
    }


class _Ends(list[float]):
    """When each agent was done."""

    def __call__(self, done: int, total: int) -> None:
        self.append(time.perf_counter())


def _silent(done: int, total: int) -> None:
    """Progress nobody watches."""
