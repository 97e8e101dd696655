"""Events as they happen, over the gateway's websocket: each one once and in order, whatever is cut meanwhile.

The connection is the gateway's to lose: a stream remembers the last number it was given everything up to, and goes on
from there. What the gateway cannot give any more is read from the event log, so nothing is skipped; only a server whose
history was replaced (restored from a backup) breaks a stream, and `on_resync` is told.

A stream that is not iterated reads nothing. Waiting for the next event may be cut off (`asyncio.timeout`) and repeated.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import AwareDatetime, BaseModel, ConfigDict
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from data.contracts.errors import Forbidden, GoldenSignalsError, InvalidInput, TemporarilyUnavailable, TooMany
from data.contracts.errors import Unauthenticated as NotLetIn
from serve_app.api.models import EventView, Page, SignalView, TicketView
from serve_app.client.answers import read
from serve_app.client.http import Http
from serve_app.client.rooms import FAMILIES, PRICES, belongs, check_rooms, pattern_of, with_events

T = TypeVar("T")

_OPEN_S = 10.0  # for a handshake, and for the first words
_CLOSE_S = 2.0
_TICKET_S = 10.0
_PAGE_S = 30.0
_PAGE = 1000
_FRAME_BYTES = 16 * 1024**2  # far above what the gateway sends; a snapshot is the largest
_PAUSE_S = (0.1, 10.0)  # before connecting again: first and longest, doubled each time
_FULL_S = 2.0
_TICKETS = 3  # that may be refused in a row
_SPREAD = (0.5, 1.0)  # of a pause, so that many clients do not come back at once

_log: Final = logging.getLogger("goldensignals.client")
_wire: Final = logging.Logger("goldensignals.client.wire", logging.WARNING)  # its debug lines would hold tickets


@dataclass(frozen=True)
class Resync:
    """The stream begins, or begins anew, with a state instead of what led to it.

    cursor:     number up to which the state holds everything; events after it follow.
    lost_after: number of the last event before a break; None at the start.
    snapshot:   the state of the rooms, as in `docs/websocket.md`; None when the gateway cannot give it now.
    """

    cursor: int
    lost_after: int | None
    snapshot: list[dict[str, Any]] | None = field(repr=False)

    @property
    def signals(self) -> list[SignalView]:
        """The newest signal of each symbol of the rooms, as far as the snapshot has them."""
        return [read(SignalView, entry["body"]) for entry in self.snapshot or () if entry["type"] == "signal"]


class Price(BaseModel):
    """A symbol's newest bar as the feed plays it; `ts` is its close. It has no place in the order of events."""

    model_config = ConfigDict(frozen=True)

    symbol: str
    ts: AwareDatetime
    open: float
    high: float
    low: float
    close: float
    volume: float


class Stream(Generic[T]):
    """An endless asynchronous iterator; `signal_stream` and `event_stream` make it. One task iterates at a time.

    Leaving an `async for` closes the connection soon; `async with` or `aclose` closes it at once. Iterated again, it
    goes on where it was.
    """

    def __init__(
        self,
        source: Source,
        shape: Callable[[EventView], T],
        price: Callable[[Price], T] | None = None,
        *,
        cursor: int | None,
        on_resync: Callable[[Resync], None] | None,
        give_up_s: float,
    ) -> None:
        if cursor is not None and not 0 <= cursor < 2**63:
            raise InvalidInput("a cursor is the number that an earlier stream had as its `cursor`")
        self._source, self._shape, self._price = source, shape, price
        self._on_resync, self._give_up_s = on_resync, give_up_s
        self._random = Random()  # noqa: S311  spreads reconnects
        self._line: ClientConnection | None = None
        self._n = 0  # frames of this connection
        self._silence_s = _OPEN_S
        self._ready: deque[tuple[int | None, T]] = deque()  # with the number that is covered once it is handed out
        self._given = self._covered = cursor  # handed to the iterating task; taken in, nothing before it is missing
        self._lost: _Lost | None = None  # what has to be done before the websocket can go on
        self._failures = self._refusals = 0
        self._cut_at: float | None = None  # since when there has been no connection
        self.stale: dict[str, str] = {}

    @property
    def cursor(self) -> int | None:
        """Everything up to this number has been handed out: what a later stream goes on from. None before the start."""
        return self._given if self._ready else self._covered

    def __repr__(self) -> str:
        return f"<stream of {', '.join(self._source.rooms)} at {self.cursor}>"

    async def __aiter__(self) -> AsyncGenerator[T]:
        try:
            while True:
                yield await self.__anext__()
        finally:
            await self.aclose()

    async def __anext__(self) -> T:
        while not self._ready:
            await self._step()
        self._given, found = self._ready.popleft()
        return found

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection."""
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    # private: every await below may be cancelled; what was taken in is kept, and the next step goes on from it

    async def _step(self) -> None:
        """Do the next thing that brings events nearer; wait before a repetition."""
        try:
            if self._lost is not None:
                await self._repair(self._lost)
            elif self._line is None:
                await self._connect()
            else:
                await self._take(self._line)
        except ConnectionClosed as end:
            await self.aclose()
            await self._retreat(*self._after_close(end))
        except (TemporarilyUnavailable, TooMany) as problem:
            after = problem.facts.get("retry_after_s")
            await self._retreat(str(problem), after if isinstance(after, float) else None)
        except InvalidStatus as problem:
            status = problem.response.status_code
            if status in (403, 404):
                told = (problem.response.body or b"").decode(errors="replace").strip()
                raise InvalidInput(f"the gateway at {self._source.gateway} refuses a websocket: {told}") from None
            await self._retreat(f"the gateway answered {status}", None)
        except (WebSocketException, OSError) as problem:  # TimeoutError is an OSError
            await self._retreat(f"the gateway cannot be reached ({problem or type(problem).__name__})", None)
        except GoldenSignalsError:
            await self.aclose()
            raise

    async def _connect(self) -> None:
        ticket = await asyncio.to_thread(self._source.ticket)
        self._line = await open_websocket(
            self._source.websocket(ticket.path),
            open_timeout=_OPEN_S,
            close_timeout=_CLOSE_S,
            ping_interval=None,  # the gateway pings with frames, and silence is noticed in `_take`
            compression=None,
            max_size=_FRAME_BYTES,
            logger=_wire,
        )
        self._n, self._silence_s = 0, _OPEN_S
        await _say(self._line, "auth", ticket=ticket.ticket)

    async def _take(self, line: ClientConnection) -> None:
        """One frame."""
        async with asyncio.timeout(self._silence_s):
            frame = read(_Frame, await line.recv())
        self._n += 1
        if frame.n != self._n:
            raise TemporarilyUnavailable(f"frame {self._n} is missing")
        match frame.type:
            case "welcome":
                self._silence_s = 2 * float(frame.data["ping_s"]) + _OPEN_S
                self.stale = {outage["server"]: outage["since"] for outage in frame.data["stale"]}
                await _say(line, "subscribe", rooms=self._source.rooms, cursor=self._covered)
            case "subscribed":
                self._failures = self._refusals = 0
                self._cut_at = None
                await self._subscribed(frame)
            case "events":
                self._enqueue(_event(entry) for entry in frame.data)
                self._cover(frame.cursor)
            case "prices" if self._price is not None:
                self._ready.extend((self._covered, self._price(price)) for price in read(list[Price], frame.data))
            case "ping":
                self._cover(frame.cursor)
                await _say(line, "pong")
            case "stale":
                self.stale[frame.data["server"]] = frame.data["since"]
            case "fresh":
                self.stale.pop(frame.data["server"], None)
            case "error":
                raise InvalidInput(f"the gateway refuses: {frame.data['detail']}")

    async def _subscribed(self, frame: _Frame) -> None:
        if frame.data["recovered"]:
            return
        if frame.cursor is None:
            raise GoldenSignalsError("the gateway sent a snapshot without a cursor; it is of another version")
        if self._covered is None or not self._source.ordered:
            self._covered = frame.cursor
            self._tell(Resync(frame.cursor, None, frame.data["snapshot"]))
        else:
            self._lost = _Lost(frame.cursor, frame.data["snapshot"])
            await self.aclose()

    async def _repair(self, lost: _Lost) -> None:
        """Get from the event log what the gateway does not hold any more, one page a time."""
        assert self._covered is not None
        if lost.cursor < self._covered:
            await self._question_history(lost, self._covered)
            return
        page = await asyncio.to_thread(self._source.page, self._covered, pattern_of(self._source.ordered), _PAGE)
        self._enqueue(event for event in page if belongs(event.routing_key, self._source.ordered))
        self._cover(page[-1].seq if page else None)
        if len(page) < _PAGE:  # no more than that was stored when the gateway was at its cursor already
            self._cover(lost.cursor)
            self._lost = None

    async def _question_history(self, lost: _Lost, covered: int) -> None:
        """The gateway is behind us: its stream is being filled again, or the log itself does not reach so far."""
        self._lost = None
        known = await asyncio.to_thread(self._source.page, covered - 1, None, 1)
        if known and known[0].seq == covered:
            raise TemporarilyUnavailable("the gateway's stream is being filled again")
        _log.warning("the server's history was replaced: it ends at %d, this stream was at %d", lost.cursor, covered)
        self._covered = lost.cursor
        self._tell(Resync(lost.cursor, covered, lost.snapshot))

    def _enqueue(self, events: Iterable[EventView]) -> None:
        """Take in what is new, in order; what was taken in before is passed over."""
        for event in events:
            if self._covered is None or event.seq > self._covered:
                self._ready.append((event.seq, self._shape(event)))
                self._covered = event.seq

    def _cover(self, cursor: int | None) -> None:
        if cursor is not None and self._covered is not None:
            self._covered = max(self._covered, cursor)

    def _tell(self, resync: Resync) -> None:
        if self._on_resync is not None:
            self._on_resync(resync)

    def _after_close(self, end: ConnectionClosed) -> tuple[str, float | None]:
        """Why the gateway closed, and when to come back. Raises what coming back cannot repair."""
        code, reason = (end.rcvd.code, end.rcvd.reason) if end.rcvd is not None else (1006, "the connection broke")
        if code == 4001:  # the codes stand in docs/websocket.md
            self._refusals += 1
            if self._refusals >= _TICKETS:
                self._refusals = 0
                raise NotLetIn(f"the gateway let none of {_TICKETS} tickets in: {reason}")
        if code in (4002, 1009):
            raise GoldenSignalsError(f"the gateway does not understand this client: {reason}")
        if code == 1012:
            return "the gateway restarts", _hint(reason)
        return f"{reason or 'closed'} ({code})", _FULL_S if code == 1013 else None

    async def _retreat(self, why: str, after_s: float | None) -> None:
        """Close, and wait: as long as we were told, or longer each time. Raises when it has taken too long."""
        now = asyncio.get_running_loop().time()
        self._cut_at = now if self._cut_at is None else self._cut_at
        if now - self._cut_at > self._give_up_s:
            self._cut_at = None  # iterated again, it tries again
            await self.aclose()
            raise TemporarilyUnavailable(
                f"the stream has been cut for {self._give_up_s:g} s: {why}", cursor=self.cursor
            )
        if after_s is None:
            after_s = min(_PAUSE_S[0] * 2.0**self._failures, _PAUSE_S[1]) * self._random.uniform(*_SPREAD)
        self._failures = min(self._failures + 1, 10)
        _log.info("stream cut: %s; going on from %s in %.2f s", why, self._covered, after_s)
        await self.aclose()
        await asyncio.sleep(after_s)


@dataclass(frozen=True)
class Source:
    """Where a stream gets everything from: the gateway alone, which outlives the API."""

    http: Http
    gateway: str
    rooms: tuple[str, ...]

    @property
    def ordered(self) -> tuple[str, ...]:
        """The rooms of events, which can be missed."""
        return with_events(self.rooms)

    def ticket(self) -> TicketView:
        """A ticket for one connection. Blocks; the stream itself tries again."""
        answer = self.http.call("POST", "/v1/auth/ticket", base=self.gateway, within_s=_TICKET_S, retry=False)
        return answer.read(TicketView)

    def page(self, after: int, pattern: str | None, limit: int) -> list[EventView]:
        """Stored events behind a number. Blocks."""
        params = {"after": after, "pattern": pattern, "limit": limit}
        try:
            answer = self.http.call(
                "GET", "/v1/events", params=params, base=self.gateway, within_s=_PAGE_S, retry=False
            )
        except Forbidden as problem:
            raise Forbidden(f"events were missed that only the event log still holds: {problem}") from problem
        return answer.read(Page[EventView]).items

    def websocket(self, path: str) -> str:
        """The address of the websocket."""
        parts = urlsplit(self.gateway)
        return f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}{parts.path}{path}"


def signal_stream(
    http: Http,
    gateway: str,
    rooms: str | Iterable[str],
    cursor: int | None,
    on_resync: Callable[[Resync], None] | None,
    give_up_s: float,
) -> Stream[SignalView | Price]:
    """Signals and prices, of all symbols or of some. Raises InvalidInput for rooms of anything else."""
    source = Source(http, gateway, check_rooms(rooms, ("signals", PRICES)))
    return Stream(source, _signal, _itself, cursor=cursor, on_resync=on_resync, give_up_s=give_up_s)


def event_stream(
    http: Http,
    gateway: str,
    rooms: str | Iterable[str],
    cursor: int | None,
    on_resync: Callable[[Resync], None] | None,
    give_up_s: float,
) -> Stream[EventView]:
    """Events of any rooms but prices, which have no place in the order. Raises InvalidInput for others."""
    source = Source(http, gateway, check_rooms(rooms, FAMILIES))
    return Stream(source, _itself, cursor=cursor, on_resync=on_resync, give_up_s=give_up_s)


@dataclass(frozen=True)
class _Lost:
    """The gateway cannot go on from where we were. `cursor`: where it is."""

    cursor: int
    snapshot: list[dict[str, Any]] | None


class _Frame(BaseModel):
    n: int
    cursor: int | None
    type: str
    data: Any


async def _say(line: ClientConnection, kind: str, **fields: Any) -> None:
    async with asyncio.timeout(_OPEN_S):
        await line.send(json.dumps({"type": kind, **fields}))


def _event(entry: dict[str, Any]) -> EventView:
    body = entry["body"]
    facts = {name: body[name] for name in ("occurred_at", "correlation_id")}
    return read(EventView, {**entry, "routing_key": entry["key"], **facts})


def _signal(event: EventView) -> SignalView:
    body = event.body
    if event.type != "signal.emitted.v1" or not isinstance(body.get("signal"), dict):
        raise GoldenSignalsError(
            f"the server tells of a signal as {event.type}, which this client does not know; upgrade the package here"
        )
    return read(SignalView, {**body["signal"], "revision": body.get("revision")})  # type: ignore[dict-item]


def _itself(found: T) -> T:
    return found


def _hint(reason: str) -> float | None:
    """Seconds of `{"reconnect_ms": N}`; None when it says nothing of the kind."""
    try:
        told = json.loads(reason)["reconnect_ms"]
    except (ValueError, TypeError, KeyError):
        return None
    return float(told) / 1000 if isinstance(told, int | float) else None
