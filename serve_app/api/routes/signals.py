"""Signals: the newest of each symbol, what changed, breadth, one symbol's past, and why."""

from __future__ import annotations

from typing import Annotated, Literal

from asgi_correlation_id import correlation_id
from fastapi import APIRouter, Path, Query, Response

from data.contracts.errors import NotFound
from data.contracts.signals import Action
from serve_app.api import export, views
from serve_app.api.breadth import breadth_of
from serve_app.api.inputs import PRINTABLE, After, Has, Limit, Reader, Runner, Start, Symbol, moment
from serve_app.api.models import (
    BreadthView,
    ChangesView,
    ConsensusSeries,
    Page,
    ReasonsView,
    SignalsView,
    SignalView,
)
from serve_app.api.paging import cut, key_of, moment_of
from serve_app.api.reading import BarsPart, Replying, SignalsPart

router = APIRouter(prefix="/signals", tags=["signals"])
work = APIRouter(prefix="/signals", tags=["signals"])


@router.get("", response_model=SignalsView, responses=export.RESPONSES)
async def latest(
    reply: Replying,
    services: Has,
    part: SignalsPart,
    action: Annotated[list[Action] | None, Query(description="only these")] = None,
    min_strength: Annotated[float, Query(ge=0, le=1)] = 0.0,
    symbols: Annotated[
        str | None, Query(min_length=1, max_length=20_000, pattern=PRINTABLE, description="A,B,C; default: all")
    ] = None,
    sort: Annotated[Literal["symbol", "strength"], Query(description="strength: largest first")] = "symbol",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    after: After = None,
    format: export.Format = "json",  # noqa: A002  the name of the query parameter
) -> SignalsView | Response:
    """The newest signal of each symbol at one moment; `format` gives the same rows as a file."""
    key = key_of(after, float, str)
    if (held := reply.held(await services.signals.version(), part)) is not None:
        return held
    found = await services.signals.latest(
        universe=part.universe,
        until=part.until,
        actions=action,
        min_strength=min_strength,
        symbols=None if symbols is None else [name.strip() for name in symbols.split(",") if name.strip()],
        strongest=sort == "strength",
        after=None if key is None else (float(key[0]), str(key[1])),
        limit=limit + 1,
    )
    page, following = cut(found, limit, lambda row: (row.signal.strength, row.signal.symbol))
    items = [views.signal(row) for row in page]
    if format != "json":
        name = f"signals-{part.until:%Y-%m-%d}" if part.until else "signals"
        headers = reply.response.headers
        return await export.answer(
            export.table(items), format, name=name, following=following, request=reply.request, headers=headers
        )
    newest = max((item.as_of for item in items), default=None)
    return SignalsView(items=items, next=following, as_of=newest, clock=part.clock)


@router.get("/changes", response_model=ChangesView)
async def changes(reply: Replying, services: Has, part: SignalsPart) -> ChangesView | Response:
    """Symbols whose action differs between the newest session and the one before, largest move in score first."""
    if (held := reply.held(await services.signals.version(), part)) is not None:
        return held
    if part.universe is None:
        return ChangesView(as_of=None, before=None, items=[])
    found = await services.signals.changes(part.universe, until=part.until)
    items = [] if found.before is None else [views.change(change, found.before) for change in found.items]
    return ChangesView(as_of=found.as_of, before=found.before, items=items)


@router.get("/breadth", response_model=BreadthView)
async def breadth(
    reply: Replying,
    services: Has,
    part: SignalsPart,
    sessions: Annotated[int, Query(ge=1, le=520, description="how many sessions back")] = 120,
) -> BreadthView | Response:
    """Counts of buy, hold and sell: by sector at the newest session, and of the whole market over sessions."""
    if (held := reply.held(await services.signals.version(), part)) is not None:
        return held
    return await breadth_of(services, part, sessions)


@router.get("/id/{signal_id}", response_model=SignalView)
async def by_id(
    reply: Replying,
    services: Has,
    _: Reader,
    signal_id: Annotated[str, Path(min_length=1, max_length=128, pattern=PRINTABLE)],
    revision: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="default: the current one")] = None,
) -> SignalView | Response:
    """One signal by its id."""
    found = await services.signals.get(signal_id, revision)
    if found is None:
        raise NotFound(f"there is no signal {signal_id}" + (f" with revision {revision}" if revision else ""))
    if (held := reply.held(found.signal.input_hash, found.revision)) is not None:
        return held
    return views.signal(found)


@router.get("/{symbol}", response_model=SignalView)
async def newest(reply: Replying, services: Has, part: SignalsPart, symbol: Symbol) -> SignalView | Response:
    """The newest signal of one symbol."""
    found = await services.signals.newest(symbol, part.universe, until=part.until)
    if found is None:
        raise NotFound(
            f"there is no signal of {symbol} by then; see GET /v1/signals for those there are", symbol=symbol
        )
    if (held := reply.held(found.signal.signal_id, found.revision)) is not None:
        return held
    return views.signal(found)


@router.get("/{symbol}/history", response_model=Page[SignalView])
async def history(
    reply: Replying,
    services: Has,
    part: SignalsPart,
    symbol: Symbol,
    limit: Limit = 100,
    after: After = None,
) -> Page[SignalView] | Response:
    """The current revision of each signal of one symbol, newest bar first."""
    key = key_of(after, str, str)
    if (held := reply.held(await services.signals.version(), part)) is not None:
        return held
    found = await services.signals.history(
        symbol,
        universe=part.universe,
        until=part.until,
        before=None if key is None else moment_of(key[0]),
        after=None if key is None else str(key[1]),
        limit=limit + 1,
    )
    page, following = cut(found, limit, lambda row: (row.signal.as_of.isoformat(), row.signal.signal_id))
    return Page(items=[views.signal(row) for row in page], next=following)


@router.get("/{symbol}/series", response_model=ConsensusSeries)
async def series(services: Has, part: BarsPart, symbol: Symbol, start: Start = None) -> ConsensusSeries:
    """Votes and consensus of every bar of one symbol; nothing after `as_of` is computed or sent."""
    return await services.compute.series(symbol, start=await moment(start), as_of=part.until)


@router.get("/{symbol}/reasons", response_model=ReasonsView)
async def reasons(services: Has, part: BarsPart, symbol: Symbol) -> ReasonsView:
    """Why each agent voted as it did, in words."""
    return await services.compute.reasons(symbol, as_of=part.until)


@work.post("/{symbol}", response_model=SignalView)
async def decide(services: Has, _: Runner, symbol: Symbol) -> SignalView:
    """Ask every agent now, and store the signal."""
    decided = await services.compute.decide([symbol], correlation_id=correlation_id.get() or "")
    return decided[0]
