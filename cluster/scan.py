"""A scan: every agent votes on the newest bar of every symbol; the consensus is stored, whole or not at all.

Signals, votes and events are written in one transaction, fenced by the scan's job. A scan on the same input stores
nothing again; on other input it adds a revision.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import stamina

from agents.agent import Agent
from agents.consensus import CONSENSUS_VERSION, ConsensusParams, Decision, decide, ranked
from cluster.voters import Progress, Voters
from data.clock import Clock
from data.contracts.errors import GoldenSignalsError, TemporarilyUnavailable
from data.contracts.panel import Panel, from_micros
from data.contracts.signals import Signal
from data.store.bars import BarSet
from data.store.jobs import Fence, Job, JobStore
from data.store.signals import Stored
from data.store.stores import Stores

SCAN_PRIORITY = 10
_LEASE_S = 60.0
_REPORT_S = 0.3  # people watch it
_RENEW_S = 10.0  # nothing moved: only the lease is renewed, and a cancelled job noticed
T = TypeVar("T")
_STORE_ATTEMPTS_S = 45.0  # a killed PostgreSQL is back in a few seconds


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
    job: Job | None = None,
) -> ScanResult:
    """Run one scan. Raises GoldenSignalsError with the reason; before the votes are complete nothing is stored.

    job: the one that was claimed for it; None: the job of this specification is started for `owner`.
    """
    started = time.perf_counter()
    total = len(spec.panel.symbols) * len(spec.agents)
    if job is None:
        job = await _retried(
            lambda: stores.jobs.start(
                "scan", spec.identity(), owner=owner, priority=SCAN_PRIORITY, total=total, lease_s=_LEASE_S
            )
        )
    fence = job.fence
    opened = time.perf_counter()
    try:
        blocks = await _reported(
            stores.jobs,
            fence,
            total,
            progress,
            lambda told: voters.votes(spec.panel, spec.agents, rows="last", progress=told),
        )
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
            lambda: _commit(spec, decision, stores, fence, now=clock.now(), correlation_id=correlation_id)
        )
    except GoldenSignalsError as problem:
        with suppress(GoldenSignalsError):  # the reason of the scan is worth more than a failure to write it down
            await stores.jobs.fail(fence, str(problem))
        raise
    ended = time.perf_counter()
    found = [Found(signal, row.revision, row.new) for signal, row in zip(decision.signals, stored, strict=True)]
    seconds = {"votes": voted - opened, "consensus": decided - voted, "store": ended - decided + opened - started}
    return ScanResult(spec.as_of, found, _skipped(spec, decision), seconds)


async def _reported(
    jobs: JobStore, fence: Fence, total: int, progress: Progress, work: Callable[[Progress], Awaitable[T]]
) -> T:
    """The result of `work`, whose progress is also written to the job's row, which renews its lease.

    A job that was cancelled or taken over meanwhile ends the work at the next write, with that reason: when something
    moved, at the latest after `_RENEW_S`.
    """
    done = 0

    def told(count: int, whole: int) -> None:
        nonlocal done
        done = count
        progress(count, whole)

    async def write() -> None:
        written, renew_at = -1, 0.0
        while True:
            count = done
            if count != written or time.monotonic() >= renew_at:  # each write is an event that everybody is sent
                with suppress(TemporarilyUnavailable):  # PostgreSQL is away: the commit waits, the votes need not
                    await jobs.progress(fence, count, total=total)
                    written, renew_at = count, time.monotonic() + _RENEW_S
            await asyncio.sleep(_REPORT_S)

    async def run() -> T:
        return await work(told)

    writer, worker = asyncio.create_task(write()), asyncio.create_task(run())
    try:
        await asyncio.wait({writer, worker}, return_when=asyncio.FIRST_COMPLETED)
        return await (worker if worker.done() else writer)  # type: ignore[return-value]  # a writer only ends by raising
    finally:
        for task in (writer, worker):
            task.cancel()
        await asyncio.gather(writer, worker, return_exceptions=True)


def _skipped(spec: ScanSpec, decision: Decision) -> dict[str, str]:
    return dict(sorted({**spec.absent, **decision.skipped}.items()))


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
    revisions = {row.signal_id: row.revision for row in stored}
    result = {
        "as_of": spec.as_of.isoformat(),
        "agents": [agent.name for agent in spec.agents],
        "universe": spec.universe,
        "signals": [[signal.signal_id, revisions[signal.signal_id]] for signal in ranked(decision.signals)],
        "new": sum(row.new for row in stored),
        "skipped": _skipped(spec, decision),
        "quarantined": dict(spec.quarantined),
    }
    await stores.jobs.finish(fence, result)
    return stored


async def _retried(write: Callable[[], Awaitable[T]]) -> T:
    """The result of a write that is tried again while PostgreSQL is away."""
    async for attempt in stamina.retry_context(
        on=TemporarilyUnavailable, timeout=_STORE_ATTEMPTS_S, attempts=None, wait_initial=0.1, wait_max=2.0
    ):
        with attempt:
            return await write()
    raise AssertionError("stamina returns or raises")
