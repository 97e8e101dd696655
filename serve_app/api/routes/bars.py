"""Bars: which instruments there are, one symbol's bars, and bars that clients upload once, by hash."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from data.contracts.errors import NotFound
from data.contracts.panel import to_micros
from serve_app.api import views
from serve_app.api.inputs import After, DataHash, Has, Reader, Runner, Start, Symbol, moment
from serve_app.api.models import BarsView, ClosesView, Instrument, Page, UploadView
from serve_app.api.paging import cut, key_of
from serve_app.api.reading import BarsPart, Replying
from serve_app.api.uploading import accept, known

router = APIRouter(prefix="/bars", tags=["bars"])
work = APIRouter(prefix="/bars", tags=["bars"])

_BYTES = {"schema": {"type": "string", "format": "binary"}}
_BODY = dict.fromkeys(
    ("application/vnd.apache.arrow.stream", "application/vnd.apache.parquet", "application/octet-stream"), _BYTES
)


@router.get("", response_model=Page[Instrument])
async def instruments(
    reply: Replying,
    services: Has,
    part: BarsPart,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    after: After = None,
) -> Page[Instrument] | Response:
    """Symbols of the feed's bars with a bar by then, in alphabetical order."""
    key = key_of(after, str)
    whole = (await services.archive.bars()).panel
    if (held := reply.held(whole.content_hash, part.until)) is not None:
        return held
    listed = await services.archive.instruments(until=part.until)
    if key is not None:
        listed = [row for row in listed if row.symbol > str(key[0])]
    page, following = cut(listed, limit, lambda row: (row.symbol,))
    return Page(items=[views.instrument(row) for row in page], next=following)


@router.get("/closes", response_model=ClosesView)
async def closes(
    reply: Replying,
    services: Has,
    part: BarsPart,
    bars: Annotated[int, Query(ge=1, le=260, description="the newest so many sessions")] = 61,
) -> ClosesView | Response:
    """Closes of every symbol of the feed's bars at the newest sessions by `as_of`, in one answer."""
    panel = (await services.archive.bars()).panel
    if (held := reply.held(panel.content_hash, part.until)) is not None:
        return held
    found = await services.archive.closes(bars, until=part.until)
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
    reply: Replying,
    services: Has,
    part: BarsPart,
    symbol: Symbol,
    start: Start = None,
    limit: Annotated[int, Query(ge=1, le=20_000, description="the newest so many")] = 2000,
) -> BarsView | Response:
    """One symbol's bars closed by `as_of`, oldest first; the newest `limit` of them."""
    since = await moment(start)
    panel = await services.archive.of(symbol, until=part.until)
    data_hash = (await services.archive.bars()).panel.content_hash
    first = max(len(panel) - limit, 0 if since is None else int(panel.ts.searchsorted(to_micros(since))))
    chosen = views.rows(panel, first, len(panel))
    if (held := reply.held(data_hash, chosen.ts[:1], chosen.ts[-1:], len(chosen))) is not None:
        return held
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
