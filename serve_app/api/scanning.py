"""Scans by job: a request becomes one exact specification, a finished job becomes a result or a difference.

The specification is what identifies a scan, so everything left open is filled in before it is queued:
`source` ("upload:HASH" or "feed"), `data_hash`, `universe` (text; null: every symbol of those bars), `agents`
(sorted), `as_of` (ISO, UTC). The worker that runs it writes the result: `as_of`, `agents`, `universe` (id), `signals`
([signal_id, revision], strongest first), `skipped` (symbol to reason), `quarantined` (reason to rows).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from data.contracts.errors import Conflict, InvalidInput, NotFound, TemporarilyUnavailable
from data.market.archive import FEED, UPLOAD
from data.market.source import SAMPLE
from data.market.universe import resolve, spelled
from data.store.jobs import Job
from serve_app.api import views
from serve_app.api.inputs import moment
from serve_app.api.models import ScanChange, ScanCreate, ScanDifference, ScanResultView, SignalView
from serve_app.api.services import Services

KIND = "scan"
_LOOK_BACK = 100  # scans among which the last one of the same universe is looked for


@dataclass(frozen=True)
class _Bars:
    """The bars a scan reads, as far as its specification needs them."""

    source: str
    universe: str | None  # what is meant when none is named; None: every symbol
    data_hash: str
    symbols: Collection[str]
    first: datetime
    last: datetime


async def queue(services: Services, wanted: ScanCreate, *, owner: str) -> Job:
    """The job of a request, queued unless it is there. Raises InvalidInput for what cannot be scanned."""
    bars, clock = await (_feed(services) if wanted.bars is None else _uploaded(services, wanted.bars))
    known = [agent.name for agent in await services.compute.agents()]
    universe, size = _universe(wanted.universe, bars)
    agents = _agents(wanted.agents, known)
    spec = {
        "source": bars.source,
        "data_hash": bars.data_hash,
        "universe": universe,
        "agents": agents,
        "as_of": (await _as_of(services, wanted, bars, clock)).astimezone(UTC).isoformat(),
    }
    job, _ = await services.jobs.enqueue(KIND, spec, owner=owner, priority=wanted.priority, total=size * len(agents))
    return job


async def find(services: Services, job_id: str) -> Job:
    """A scan. Raises NotFound for none, also when the job is of another kind."""
    job = await services.jobs.get(job_id)
    if job is None or job.kind != KIND:
        raise NotFound(f"there is no scan {job_id}; see GET /v1/scans for those there are")
    return job


async def result_of(services: Services, job: Job) -> ScanResultView:
    """What a finished scan found. Raises Conflict while it has not finished, or kept no list of its signals."""
    if job.state != "done":
        raise Conflict(f"scan {job.job_id} is {job.state} and has no result; wait until it is done")
    result = _kept(job)
    if result is None:
        raise Conflict(f"scan {job.job_id} was run from the command line and kept no list; see GET /v1/signals")
    as_of = datetime.fromisoformat(result["as_of"])
    wanted = [(str(signal_id), int(revision)) for signal_id, revision in result["signals"]]
    found = await services.signals.many(wanted, as_of)
    return ScanResultView(
        job_id=job.job_id,
        as_of=as_of,
        agents=result["agents"],
        universe=result["universe"],
        signals=[views.signal(row) for row in found],
        skipped=result["skipped"],
        quarantined=result["quarantined"],
    )


async def difference(services: Services, job_id: str, against: str | None) -> ScanDifference:
    """A scan against another one, or against the last finished one of its universe before it.

    Raises: NotFound when there is no such scan; Conflict when one of the two has no result.
    """
    job = await find(services, job_id)
    other = await _earlier(services, job) if against is None else await find(services, against)
    now = {signal.symbol: signal for signal in (await result_of(services, job)).signals}
    was = {signal.symbol: signal for signal in (await result_of(services, other)).signals}
    return compare(job.job_id, other.job_id, now=now, was=was)


def compare(
    job_id: str, against: str, *, now: Mapping[str, SignalView], was: Mapping[str, SignalView]
) -> ScanDifference:
    """Two results by symbol: only in one, other action, same action (`kept`); largest move in score first."""
    changes = [_change(symbol, now=now.get(symbol), was=was.get(symbol)) for symbol in sorted(now.keys() | was.keys())]
    changes.sort(key=lambda change: -abs((change.now_score or 0.0) - (change.was_score or 0.0)))
    both = [change for change in changes if change.now is not None and change.was is not None]
    return ScanDifference(
        job_id=job_id,
        against=against,
        new=[change for change in changes if change.was is None],
        gone=[change for change in changes if change.now is None],
        changed=[change for change in both if change.now != change.was],
        kept=sum(change.now == change.was for change in both),
    )


def _change(symbol: str, *, now: SignalView | None, was: SignalView | None) -> ScanChange:
    return ScanChange(
        symbol=symbol,
        was=None if was is None else was.action,
        now=None if now is None else now.action,
        was_score=None if was is None else was.score,
        now_score=None if now is None else now.score,
    )


async def _earlier(services: Services, job: Job) -> Job:
    before = (job.created_at, job.job_id)
    for other in await services.jobs.listing(kind=KIND, state="done", before=before, limit=_LOOK_BACK):
        if _kept(other) is not None and other.spec.get("universe") == job.spec.get("universe"):
            return other
    raise NotFound(f"there is no finished scan of this universe before {job.job_id}; name one with ?against=")


def _kept(job: Job) -> Mapping[str, Any] | None:
    """The result, if it has the shape this module promises; scans of the command line keep counts only."""
    return job.result if job.result is not None and isinstance(job.result.get("signals"), list) else None


async def _feed(services: Services) -> tuple[_Bars, datetime]:
    feed = await services.feed.get()
    if feed is None:
        raise TemporarilyUnavailable(
            "there is no feed yet whose bars could be scanned; start one with `goldensignals up`"
        )
    panel = (await services.archive.bars()).panel
    universe = "@sp500" if feed.source == SAMPLE else None
    return _Bars(FEED, universe, panel.content_hash, panel.symbols, feed.first, feed.last), feed.clock


async def _uploaded(services: Services, data_hash: str) -> tuple[_Bars, datetime]:
    upload = await services.uploads.get(data_hash)
    if upload is None:
        raise InvalidInput(f"there are no uploaded bars {data_hash}; send them first, with PUT /v1/bars/{data_hash}")
    bars = _Bars(f"{UPLOAD}{data_hash}", None, data_hash, upload.symbols, upload.first_ts, upload.last_ts)
    return bars, upload.last_ts


def _universe(text: str | None, bars: _Bars) -> tuple[str | None, int]:
    """The universe in its one spelling, and its size. Files are not read here, whatever the text says."""
    text = bars.universe if text is None else text.strip()
    if text is None:
        return None, len(bars.symbols)
    text = spelled(text, bars.symbols)
    if text.startswith("@"):
        return text, len(resolve(text, sorted(bars.symbols)).symbols)
    return text, text.count(",") + 1


def _agents(names: list[str] | None, known: list[str]) -> list[str]:
    if names is None:
        return sorted(known)
    if not names:
        raise InvalidInput("no agent was asked for; leave `agents` out to ask all of them")
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise InvalidInput(f"there is no agent {', '.join(unknown)[:200]}; known: {', '.join(known)}")
    return sorted(set(names))


async def _as_of(services: Services, wanted: ScanCreate, bars: _Bars, clock: datetime) -> datetime:
    """The session that is scanned: two requests for moments between the same two closes are the same scan."""
    asked = await moment(wanted.as_of) or clock
    if wanted.bars is not None:
        if asked < bars.first:
            raise InvalidInput(f"these bars begin at {bars.first:%Y-%m-%d %H:%M} UTC; choose a later as_of")
        return min(asked, bars.last)
    session = await services.archive.session_at(asked)
    if session is None:
        raise InvalidInput(f"the bars begin at {bars.first:%Y-%m-%d %H:%M} UTC; choose a later as_of")
    return session
