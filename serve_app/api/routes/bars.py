"""Bars: which instruments there are, one symbol's bars, and bars that clients upload once, by hash."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from data.contracts.errors import NotFound
from data.contracts.panel import to_micros
from serve_app.api import views
from serve_app.api.etag import Tag
from serve_app.api.inputs import After, AsOf, DataHash, Has, Reader, Runner, Start, Symbol, moment, shown
from serve_app.api.models import BarsView, ClosesView, Instrument, Page, UploadView
from serve_app.api.paging import cut, key_of
from serve_app.api.uploading import accept, known

router = APIRouter(prefix="/bars", tags=["bars"])
work = APIRouter(prefix="/bars", tags=["bars"])

_BYTES = {"schema": {"type": "string", "format": "binary"}}
_BODY = dict.fromkeys(
    ("application/vnd.apache.arrow.stream", "application/vnd.apache.parquet", "application/octet-stream"), _BYTES
)


@router.get("", response_model=Page[Instrument])
async def instruments(
    request: Request,
    response: Response,
    services: Has,
    _: Reader,
    as_of: AsOf = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    after: After = None,
) -> Page[Instrument] | Response:
    """Symbols of the feed's bars with a bar by then, in alphabetical order."""
    key = key_of(after, str)
    part = await shown(services, as_of)
    whole = (await services.archive.bars()).panel
    tag = Tag.of(request, whole.content_hash, part.until)
    if (held := tag.known(request)) is not None:
        return held
    listed = await services.archive.instruments(until=part.until)
    if key is not None:
        listed = [row for row in listed if row.symbol > str(key[0])]
    page, following = cut(listed, limit, lambda row: (row.symbol,))
    response.headers.update(tag.headers)
    return Page(items=[views.instrument(row) for row in page], next=following)


@router.get("/closes", response_model=ClosesView)
async def closes(
    request: Request,
    response: Response,
    services: Has,
    _: Reader,
    bars: Annotated[int, Query(ge=1, le=260, description="the newest so many sessions")] = 61,
    as_of: AsOf = None,
) -> ClosesView | Response:
    """Closes of every symbol of the feed's bars at the newest sessions by `as_of`, in one answer."""
    part = await shown(services, as_of)
    panel = (await services.archive.bars()).panel
    tag = Tag.of(request, panel.content_hash, part.until)
    if (held := tag.known(request)) is not None:
        return held
    found = await services.archive.closes(bars, until=part.until)
    response.headers.update(tag.headers)
    return views.closes(found, panel.frame, panel.content_hash)


@router.get("/uploads/{data_hash}", response_model=UploadView)
async def uploaded(services: Has, _: Reader, data_hash: DataHash) -> UploadView:
    """Whether bars with this hash were uploaded, and what they hold."""
    found = await known(services, data_hash)
    if found is None:
        raise NotFound(f"there are no uploaded bars {data_hash}; send them with PUT /v1/bars/{data_hash}")
    return views.upload(found)


@router.get("/{symbol}", response_model=BarsView)
async def bars(
    request: Request,
    response: Response,
    services: Has,
    _: Reader,
    symbol: Symbol,
    start: Start = None,
    as_of: AsOf = None,
    limit: Annotated[int, Query(ge=1, le=20_000, description="the newest so many")] = 2000,
) -> BarsView | Response:
    """One symbol's bars closed by `as_of`, oldest first; the newest `limit` of them."""
    part = await shown(services, as_of)
    since = await moment(start)
    panel = await services.archive.of(symbol, until=part.until)
    data_hash = (await services.archive.bars()).panel.content_hash
    first = max(len(panel) - limit, 0 if since is None else int(panel.ts.searchsorted(to_micros(since))))
    chosen = views.rows(panel, first, len(panel))
    tag = Tag.of(request, data_hash, chosen.ts[:1], chosen.ts[-1:], len(chosen))
    if (held := tag.known(request)) is not None:
        return held
    response.headers.update(tag.headers)
    return views.bars(chosen, symbol, data_hash)


@work.put(
    "/{data_hash}",
    response_model=UploadView,
    status_code=201,
    responses={200: {"model": UploadView, "description": "They were known already"}},
    openapi_extra={"requestBody": {"required": True, "content": _BODY}},
)
async def upload(
    request: Request, response: Response, services: Has, caller: Runner, data_hash: DataHash
) -> UploadView:
    """Keep bars for scans: Parquet, or an Arrow IPC file or stream; the hash in the address is the body's SHA-256."""
    found = await known(services, data_hash)
    if found is not None:  # the body need not even be read
        response.status_code = 200
        return views.upload(found)
    return views.upload(await accept(services, data_hash, await request.body(), owner=caller.name))
