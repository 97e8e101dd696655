"""Stored things as they go over the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from math import isnan
from typing import Any

from data.contracts.panel import Panel, from_micros
from data.market.archive import Closes, Listed
from data.store.agents import AgentStatus
from data.store.chunks import NodeWork
from data.store.events import Stored
from data.store.feed import Feed
from data.store.jobs import Job
from data.store.runs import Run
from data.store.signals import Breadth, Change, Revision
from data.store.uploads import Upload
from serve_app.api.models import (
    AgentView,
    BarsView,
    BreadthPoint,
    ChangeView,
    ClosesView,
    EventView,
    FeedView,
    Instrument,
    JobView,
    SignalView,
    UploadView,
)
from serve_app.api.research_models import NodeView, RunView

_KNOWN_FROM = 0.02  # share of a job that must be done before its end is foretold, or ...
_KNOWN_AFTER_S = 3.0  # ... seconds it must have run
_LONGEST = 60  # of the symbols in a title


def signal(found: Revision) -> SignalView:
    """A stored signal."""
    s = found.signal
    fields = {name: getattr(s, name) for name in type(s).model_fields}
    lists = {name: list(fields[name]) for name in ("votes", "missing", "warnings")}
    return SignalView(**{**fields, **lists, "revision": found.revision})


def change(found: Change, was_as_of: datetime) -> ChangeView:
    """A change of action against the session before."""
    return ChangeView(signal=signal(found.now), was=found.was, was_score=found.was_score, was_as_of=was_as_of)


def breadth(found: Breadth) -> BreadthPoint:
    """The counts of one session."""
    return BreadthPoint(as_of=found.as_of, buy=found.buy, hold=found.hold, sell=found.sell)


def instrument(found: Listed) -> Instrument:
    """A symbol of the bars."""
    return Instrument(**asdict(found))


def bars(panel: Panel, symbol: str, data_hash: str) -> BarsView:
    """Bars of a panel of one symbol (or of none)."""
    return BarsView(
        symbol=symbol,
        frame=panel.frame,
        adjust=panel.adjust,
        data_hash=data_hash,
        ts=[from_micros(moment) for moment in panel.ts.tolist()],
        open=panel.open.tolist(),
        high=panel.high.tolist(),
        low=panel.low.tolist(),
        close=panel.close.tolist(),
        volume=panel.volume.tolist(),
        gap=panel.gap.tolist(),
    )


def closes(found: Closes, frame: str, data_hash: str) -> ClosesView:
    """Closes of many symbols, as columns."""
    columns = [[None if isnan(close) else close for close in column] for column in found.close.tolist()]
    return ClosesView(
        frame=frame,
        data_hash=data_hash,
        ts=[from_micros(moment) for moment in found.ts.tolist()],
        closes=dict(zip(found.symbols, columns, strict=True)),
    )


def rows(panel: Panel, first: int, last: int) -> Panel:
    """Rows first..last (exclusive) of a panel of one symbol, as views."""
    columns = ("ts", "open", "high", "low", "close", "volume", "gap")
    return replace(panel, **{name: getattr(panel, name)[first:last] for name in columns})


def upload(found: Upload) -> UploadView:
    """An accepted upload."""
    return UploadView(
        data_hash=found.data_hash,
        symbols=len(found.symbols),
        rows=found.rows,
        quarantined=sum(found.quarantined.values()),
        uploaded_at=found.uploaded_at,
    )


def agent(found: AgentStatus) -> AgentView:
    """An agent as it was last seen."""
    fields = asdict(found)
    return AgentView(**{**fields, **{name: list(fields[name]) for name in ("inputs", "pids", "nodes")}})


def feed(found: Feed) -> FeedView:
    """The feed."""
    fields = asdict(found) | {"source": found.name}
    del fields["version"]
    return FeedView(**fields)


def event(found: Stored) -> EventView:
    """A stored event with its place in the global order."""
    return EventView(**{**asdict(found), "body": json.loads(found.body)})


def job(found: Job) -> JobView:
    """A job, with how fast it goes and when it may end; both are null before that can be told."""
    ran_s = 0.0 if found.started_at is None else (found.updated_at - found.started_at).total_seconds()
    done = found.done - found.done_before
    telling = found.total > 0 and (ran_s >= _KNOWN_AFTER_S or done >= _KNOWN_FROM * found.total)
    rate = done / ran_s if done > 0 and ran_s > 0 and telling else None
    running = found.state == "running" and rate is not None
    return JobView(
        job_id=found.job_id,
        kind=found.kind,
        spec=dict(found.spec),
        owner=found.owner,
        priority=found.priority,
        state=found.state,
        done=found.done,
        total=found.total,
        rate=rate,
        eta_s=max(found.total - found.done, 0) / rate if running and rate is not None else None,
        error=found.error,
        result=None if found.result is None else _counted(found.result),
        title=_title(found.spec),
        result_id=str(found.result["result_id"]) if found.result is not None and "result_id" in found.result else None,
        created_at=found.created_at,
        started_at=found.started_at,
        updated_at=found.updated_at,
    )


def nodes(found: Job, work: Sequence[NodeWork]) -> list[NodeView]:
    """What each machine did of a job."""
    ran_s = 0.0 if found.started_at is None else (found.updated_at - found.started_at).total_seconds()
    units = sum(one.units for one in work)
    return [
        NodeView(
            node=one.node,
            chunks=one.chunks,
            work_s=one.work_s,
            rate=one.recent / ran_s if ran_s > 0 and one.recent else None,
            share=one.units / units if units else 0.0,
        )
        for one in work
    ]


def run(found: Run) -> RunView:
    """A result, as it stands in a list."""
    kept = found.metrics
    return RunView(
        result_id=found.result_id,
        kind=found.kind,
        title=found.title,
        owner=found.owner,
        job_id=found.job_id,
        created_at=found.created_at,
        metrics=kept.get("metrics", {}),
        context=kept.get("context", {}),
        warnings=kept.get("warnings", []),
    )


def _title(spec: Mapping[str, Any]) -> str | None:
    """What a job of research is about."""
    if not isinstance(strategy := spec.get("strategy"), Mapping):
        return f"run {str(spec['result_id'])[:12]}, computed again" if "result_id" in spec else None
    symbols: str | None = spec.get("source", {}).get("symbols")
    names = spec.get("universe") if symbols is None else symbols
    return f"{strategy.get('name')} on {names if len(str(names)) <= _LONGEST else f'{str(names)[:_LONGEST]}…'}"


def _counted(result: Mapping[str, Any]) -> dict[str, object]:
    """A result with its lists as counts: the whole of it is read where the scan is, not in every list of jobs."""
    return {
        name: len(value) if isinstance(value, list) and name == "signals" else value for name, value in result.items()
    }
