"""A scan: every agent votes on the newest bar of every symbol; the consensus is stored, whole or not at all.

Signals, votes and events are written in one transaction, fenced by the scan's job. A scan on the same input stores
nothing again; on other input it adds a revision.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import stamina

from agents.agent import Agent
from agents.consensus import CONSENSUS_VERSION, ConsensusParams, Decision, decide
from cluster.voters import Progress, Voters
from data.clock import Clock
from data.contracts.errors import GoldenSignalsError, TemporarilyUnavailable
from data.contracts.panel import Panel, from_micros
from data.contracts.signals import Signal
from data.store.bars import BarSet, BarSetStore
from data.store.jobs import Fence, JobStore
from data.store.signals import SignalStore, Stored

SCAN_PRIORITY = 10
_LEASE_S = 60.0
_REPORT_S = 5.0
T = TypeVar("T")
_STORE_ATTEMPTS_S = 45.0  # a killed PostgreSQL is back in a few seconds


@dataclass(frozen=True)
class Stores:
    """The repositories a scan writes to."""

    signals: SignalStore
    bars: BarSetStore
    jobs: JobStore


@dataclass(frozen=True)
class ScanSpec:
    """What is scanned. Two scans with the same specification are the same job."""

    panel: Panel  # cut to the moment of decision, and to the universe
    universe: str  # its id
    source: str
    agents: Sequence[Agent[Any]]
    quarantined: Mapping[str, int]  # rows by reason
    consensus: ConsensusParams = field(default_factory=ConsensusParams)
    absent: Mapping[str, str] = field(default_factory=dict)  # members of the universe without bars, and why
    session: int | None = None  # bar time of the market's newest session, when the panel is only part of the market

    @property
    def as_of(self) -> datetime:
        """Close of the newest session."""
        return from_micros(int(self.panel.ts.max()) if self.session is None else self.session)

    def identity(self) -> dict[str, object]:
        """The specification as plain JSON."""
        return {
            "universe": self.universe,
            "bars": self.panel.content_hash,
            "as_of": self.as_of.isoformat(),
            "agents": [agent.identity() for agent in self.agents],
            "consensus": [CONSENSUS_VERSION, self.consensus.identity()],
        }


@dataclass(frozen=True)
class Found:
    """A signal as it is stored."""

    signal: Signal
    revision: int
    new: bool  # False: this very result was stored before


@dataclass(frozen=True)
class ScanResult:
    """What a scan found, and where its time went."""

    as_of: datetime
    found: list[Found]
    skipped: dict[str, str]
    seconds: dict[str, float]  # votes, consensus, store


async def scan(
    spec: ScanSpec,
    voters: Voters,
    stores: Stores,
    *,
    clock: Clock,
    owner: str,
    correlation_id: str,
    progress: Progress,
) -> ScanResult:
    """Run one scan. Raises GoldenSignalsError with the reason; before the votes are complete nothing is stored."""
    started = time.perf_counter()
    total = len(spec.panel.symbols) * len(spec.agents)
    job = await _retried(
        lambda: stores.jobs.start(
            "scan", spec.identity(), owner=owner, priority=SCAN_PRIORITY, total=total, lease_s=_LEASE_S
        )
    )
    opened = time.perf_counter()
    try:
        async with _reported(stores.jobs, job.fence, progress) as told:
            blocks = await voters.votes(spec.panel, spec.agents, rows="last", progress=told)
        voted = time.perf_counter()
        decision = decide(
            spec.panel,
            blocks,
            rows=spec.panel.last_rows,
            asked=spec.agents,
            missing=(),
            universe=spec.universe,
            params=spec.consensus,
            session=spec.session,
        )
        decided = time.perf_counter()
        stored = await _retried(
            lambda: _commit(spec, decision, stores, job.fence, now=clock.now(), correlation_id=correlation_id)
        )
    except GoldenSignalsError as problem:
        with suppress(GoldenSignalsError):  # the reason of the scan is worth more than a failure to write it down
            await stores.jobs.fail(job.fence, str(problem))
        raise
    ended = time.perf_counter()
    found = [Found(signal, row.revision, row.new) for signal, row in zip(decision.signals, stored, strict=True)]
    seconds = {"votes": voted - opened, "consensus": decided - voted, "store": ended - decided + opened - started}
    skipped = dict(sorted({**spec.absent, **decision.skipped}.items()))
    return ScanResult(spec.as_of, found, skipped, seconds)


@asynccontextmanager
async def _reported(jobs: JobStore, fence: Fence, progress: Progress) -> AsyncIterator[Progress]:
    """A progress callback that also writes the job row now and then, which renews its lease."""
    done = 0

    def told(count: int, total: int) -> None:
        nonlocal done
        done = count
        progress(count, total)

    async def write() -> None:
        while True:
            await asyncio.sleep(_REPORT_S)
            with suppress(TemporarilyUnavailable):  # PostgreSQL is away: the commit waits for it, the votes need not
                await jobs.progress(fence, done)

    writer = asyncio.create_task(write())
    try:
        yield told
    finally:
        writer.cancel()
        with suppress(asyncio.CancelledError, GoldenSignalsError):  # a lost fence is found again by the commit
            await writer


async def _commit(
    spec: ScanSpec, decision: Decision, stores: Stores, fence: Fence, *, now: datetime, correlation_id: str
) -> list[Stored]:
    """Every write is safe to repeat, so the whole is: after an unknown outcome it is simply done again."""
    panel = spec.panel
    await stores.bars.record(
        BarSet(
            data_hash=panel.content_hash,
            source=spec.source,
            frame=panel.frame,
            adjust=panel.adjust,
            symbols=len(panel.symbols),
            rows=len(panel),
            first_ts=from_micros(int(panel.ts.min())),
            last_ts=from_micros(int(panel.ts.max())),
            quarantined=spec.quarantined,
            loaded_at=now,
        )
    )
    stored = await stores.signals.add_all(decision.signals, clock_now=now, correlation_id=correlation_id, fence=fence)
    await stores.jobs.progress(fence, len(panel.symbols) * len(spec.agents))
    new = sum(row.new for row in stored)
    await stores.jobs.finish(fence, {"signals": len(stored), "new": new, "skipped": len(decision.skipped)})
    return stored


async def _retried(write: Callable[[], Awaitable[T]]) -> T:
    """The result of a write that is tried again while PostgreSQL is away."""
    async for attempt in stamina.retry_context(
        on=TemporarilyUnavailable, timeout=_STORE_ATTEMPTS_S, attempts=None, wait_initial=0.1, wait_max=2.0
    ):
        with attempt:
            return await write()
    raise AssertionError("stamina returns or raises")
