"""Runs: results that were kept, their tables, and computing one again. Reading needs neither agents nor Ray."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import HTMLResponse

from serve_app.api import export, research, views
from serve_app.api.inputs import PRINTABLE, After, Has, Limit, Reader, Runner
from serve_app.api.models import JobView, Page
from serve_app.api.paging import cut, key_of, moment_of
from serve_app.api.reading import Replying
from serve_app.api.research_models import (
    Cell,
    ColumnView,
    HeatmapView,
    HistogramView,
    RunDetail,
    RunView,
    SliceView,
    TableRows,
    TableView,
)

router = APIRouter(prefix="/runs", tags=["runs"])
work = APIRouter(prefix="/runs", tags=["runs"])

RunId = Annotated[str, Path(pattern="^[0-9a-f]{6,32}$", description="id of a run, or its first digits")]
TableName = Annotated[str, Path(pattern="^[a-z]{1,32}$", examples=["sets"])]
ColumnName = Annotated[str, Query(min_length=1, max_length=64, pattern=PRINTABLE)]
Metric = Annotated[str, Query(min_length=1, max_length=64, pattern=PRINTABLE, examples=["sharpe"])]
Names = Annotated[str | None, Query(min_length=1, max_length=4_000, pattern=PRINTABLE, description="a,b; default: all")]
Sort = Annotated[
    str | None,
    Query(
        min_length=1, max_length=1_000, pattern=PRINTABLE, description="columns, - for descending", examples=["-sharpe"]
    ),
]
Filters = Annotated[
    list[Annotated[str, Query(max_length=200)]] | None,
    Query(
        max_length=50,
        description="column:op:value, op one of lt le gt ge eq ne; column:null, column:notnull; all must hold",
        examples=[["sharpe:gt:1", "symbol:eq:AAPL"]],
    ),
]


@router.get("", response_model=Page[RunView])
async def runs(
    services: Has,
    _: Reader,
    kind: Annotated[str | None, Query(max_length=32, pattern="^[a-z]+$", examples=["sweep"])] = None,
    limit: Limit = 100,
    after: After = None,
) -> Page[RunView]:
    """Results, newest first."""
    key = key_of(after, str, str)
    before = None if key is None else (moment_of(key[0]), str(key[1]))
    found = await services.runs.listing(kind=kind, before=before, limit=limit + 1)
    page, following = cut(found, limit, lambda run: (run.created_at.isoformat(), run.result_id))
    return Page(items=[views.run(run) for run in page], next=following)


@router.get("/{run_id}", response_model=RunDetail)
async def run(services: Has, _: Reader, run_id: RunId) -> RunDetail:
    """One result in full, but for its tables."""
    return await research.detail(services, await research.run_of(services, run_id))


@router.get("/{run_id}/tables", response_model=list[TableView])
async def tables(services: Has, _: Reader, run_id: RunId) -> list[TableView]:
    """The tables of a result: equity, trades; folds and drift of a walk-forward; sets and trials of a sweep."""
    found = await research.run_of(services, run_id)
    told = await asyncio.to_thread(services.results.tables, found.result_id)
    return [TableView(name=one.name, rows=one.rows, columns=_columns(one.columns)) for one in told]


@router.get("/{run_id}/tables/{name}", response_model=TableRows, responses=export.RESPONSES)
async def table(
    reply: Replying,
    services: Has,
    _: Reader,
    run_id: RunId,
    name: TableName,
    columns: Names = None,
    sort: Sort = None,
    filter: Filters = None,  # noqa: A002  the name of the query parameter
    limit: Annotated[int, Query(ge=0, le=5_000, description="rows; files hold all that pass the filters")] = 200,
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
    format: export.Format = "json",  # noqa: A002  the name of the query parameter
) -> TableRows | Response:
    """Rows of a table, filtered, then sorted (nulls last, ties in the table's own order)."""
    found = await research.run_of(services, run_id)
    if (held := reply.held(found.result_id)) is not None:
        return held
    chosen: dict[str, Any] = {"columns": _split(columns), "sort": _split(sort) or [], "filters": filter or []}
    if format != "json":
        rows = await asyncio.to_thread(services.results.frame, found.result_id, name, **chosen)
        headers = reply.response.headers
        file = f"{found.kind}-{found.result_id[:12]}-{name}"
        return await export.answer(rows, format, name=file, request=reply.request, headers=headers)
    page = await asyncio.to_thread(services.results.table, found.result_id, name, **chosen, limit=limit, offset=offset)
    cells = [[_cell(value) for value in row] for row in page.rows]
    return TableRows(columns=_columns(page.columns), rows=cells, total=page.total, offset=offset)


@router.get("/{run_id}/heatmap", response_model=HeatmapView)
async def heatmap(
    reply: Replying,
    services: Has,
    _: Reader,
    run_id: RunId,
    x: ColumnName,
    y: ColumnName,
    metric: Metric = "sharpe",
    by: Literal["best", "median"] = "best",
) -> HeatmapView | Response:
    """A metric over two parameters of a sweep, whatever the others are."""
    found = await research.run_of(services, run_id)
    if (held := reply.held(found.result_id)) is not None:
        return held
    return HeatmapView(**asdict(await asyncio.to_thread(services.results.heatmap, found.result_id, x, y, metric, by)))


@router.get("/{run_id}/slices", response_model=list[SliceView])
async def slices(
    reply: Replying, services: Has, _: Reader, run_id: RunId, metric: Metric = "sharpe"
) -> list[SliceView] | Response:
    """A metric over each parameter of a sweep alone."""
    found = await research.run_of(services, run_id)
    if (held := reply.held(found.result_id)) is not None:
        return held
    return [
        SliceView(**asdict(one)) for one in await asyncio.to_thread(services.results.slices, found.result_id, metric)
    ]


@router.get("/{run_id}/histogram", response_model=HistogramView)
async def histogram(
    reply: Replying,
    services: Has,
    _: Reader,
    run_id: RunId,
    metric: Metric = "sharpe",
    bins: Annotated[int, Query(ge=1, le=1_000)] = 40,
    table: Literal["sets", "trials"] = "sets",
) -> HistogramView | Response:
    """How the sets of a sweep, or its single backtests (`trials`), are spread over a metric."""
    found = await research.run_of(services, run_id)
    if (held := reply.held(found.result_id)) is not None:
        return held
    told = await asyncio.to_thread(services.results.histogram, found.result_id, metric, bins, table)
    return HistogramView(**asdict(told))


@router.get("/{run_id}/report", response_class=HTMLResponse)
async def report(services: Has, _: Reader, run_id: RunId) -> HTMLResponse:
    """The tear sheet of a backtest or walk-forward: one page that needs nothing else."""
    page = await research.report(services, await research.run_of(services, run_id))
    return HTMLResponse(page, headers={"Content-Security-Policy": "sandbox"})


@work.post("/{run_id}/verify", response_model=JobView, status_code=202)
async def verify(services: Has, caller: Runner, response: Response, run_id: RunId) -> JobView:
    """Compute a result again and compare every bit: a job whose result says `same`, and what is `differing`."""
    job = await research.verify(services, await research.run_of(services, run_id), owner=caller.name)
    response.headers["Location"] = f"/v1/jobs/{job.job_id}"
    return views.job(job)


def _columns(columns: tuple[Any, ...]) -> list[ColumnView]:
    return [ColumnView(name=column.name, type=column.type) for column in columns]


def _split(names: str | None) -> list[str] | None:
    return None if names is None else [name.strip() for name in names.split(",")]


def _cell(value: Any) -> Cell:
    cell: Cell = f"{value:%Y-%m-%dT%H:%M:%S}Z" if isinstance(value, datetime) else value
    return cell
