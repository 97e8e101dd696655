"""The conversation on one connection: who it is, which rooms it is in, and how it gets from a cursor to the present.

A session that has caught up is a member of the hub and costs nothing until something happens. While it is behind, one
task works for it: it reads what was missed, page by page and only as fast as the client takes it, and joins the hub at
the very number it has reached. Messages that come meanwhile wait in order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import structlog
from pydantic_core import to_json

from data.contracts.errors import InvalidInput, TemporarilyUnavailable, Unauthenticated
from data.stream.reader import Trimmed
from serve_app.gateway import frames
from serve_app.gateway.frames import Item
from serve_app.gateway.hub import only, prices_tail
from serve_app.gateway.messages import Auth, Garbage, Message, Pong, Subscribe, Unsubscribe, read
from serve_app.gateway.rooms import MAX_ROOMS, View, is_price, widest

if TYPE_CHECKING:
    from serve_app.auth.access import Principal
    from serve_app.gateway.connection import Connection
    from serve_app.gateway.gateway import Gateway

MAX_MESSAGES = 300  # within WINDOW_S; a person changing pages sends a few
WINDOW_S = 10.0
MAX_WAITING = 50

_PAGE = 500  # entries read from Redis at once
_PAUSE_S = 0.5  # between two tries while Redis is away
_log: Final = structlog.get_logger()


class Session:
    """One client. `cursor`: what it has been given everything up to; None before its first subscribe."""

    def __init__(self, connection: Connection, gateway: Gateway, origin: str | None) -> None:
        self._connection, self._gateway, self._hub, self._origin = connection, gateway, gateway.hub, origin
        self._rooms: set[str] = set()
        self._view: View | None = None  # what it is a member of the hub with; None: it is behind
        self._cursor: int | None = None
        self._is_lost = False  # the stream was cut off or replaced under it
        self._inbox: deque[Message] = deque()
        self._task: asyncio.Task[None] | None = None
        self._window_began, self._in_window = gateway.now(), 0
        self.principal: Principal | None = None  # who it is, once that is known

    @property
    def is_authenticated(self) -> bool:
        """Whether a ticket was taken."""
        return self.principal is not None

    @property
    def cursor(self) -> int | None:
        """As frames say it."""
        return self._cursor if self._view is None else self._hub.cursor

    def receive(self, text: bytes) -> None:
        """Take one message; what needs waiting is done by the task, in order."""
        now = self._gateway.now()
        if now > self._window_began + WINDOW_S:
            self._window_began, self._in_window = now, 0
        self._in_window += 1
        if self._in_window > MAX_MESSAGES:
            self._connection.close(4002, f"more than {MAX_MESSAGES} messages in {WINDOW_S:g} s")
            return
        try:
            message = read(text)
        except Garbage as problem:
            self._connection.close(4002, str(problem))
        except InvalidInput as problem:
            self._refuse(str(problem))
        else:
            if isinstance(message, Pong):
                return
            if len(self._inbox) == MAX_WAITING:
                self._connection.close(4002, f"more than {MAX_WAITING} messages without waiting for an answer")
                return
            self._inbox.append(message)
            self._work()

    def say(self, kind: str, data: Any) -> None:
        """A frame of this connection alone."""
        self._connection.send(frames.plain(kind, data, cursor=self.cursor))

    def lose(self) -> None:
        """The stream does not hold what comes next for it: begin again with a snapshot of all its rooms."""
        if self._cursor is not None:
            self._is_lost = True
            self._step_out()
            self._work()

    def end(self) -> None:
        """The connection has ended."""
        self._step_out()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    # private

    def _refuse(self, why: str) -> None:
        """The first thing said must be a ticket; later mistakes are told and forgiven."""
        if self.is_authenticated:
            self.say("error", {"detail": why})
        else:
            self._connection.close(4001, "say {'type':'auth','ticket':…} first")

    def _work(self) -> None:
        if self._task is None and not self._connection.is_closing:
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(self._worked)

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._task = None
        problem = None if task.cancelled() else task.exception()
        if problem is not None:
            _log.error("a websocket session failed", exc_info=problem)
            self._connection.close(1011, "internal error")
        elif self._inbox or self._is_lost:  # it came between the task's last look and now
            self._work()

    async def _run(self) -> None:
        while (self._inbox or self._is_lost) and not self._connection.is_closing:
            if self._inbox:
                await self._handle(self._inbox.popleft())
            if self._cursor is not None and self._view is None:
                await self._catch_up()

    async def _handle(self, message: Message) -> None:
        if isinstance(message, Auth):
            await self._authenticate(message)
        elif not self.is_authenticated:
            self._refuse("")
        elif isinstance(message, Subscribe):
            await self._subscribe(message)
        elif isinstance(message, Unsubscribe):
            self._step_out()
            self._rooms.difference_update(message.rooms)

    async def _authenticate(self, message: Auth) -> None:
        if self.is_authenticated:
            self.say("error", {"detail": "this connection is authenticated already"})
            return
        try:
            async with self._gateway.turns:
                principal = await self._gateway.tickets.redeem(message.ticket, self._origin)
        except Unauthenticated as problem:
            self._connection.close(4001, str(problem)[:120])
        except TemporarilyUnavailable:
            self._connection.close(1013, "tickets cannot be checked now; try again later")
        else:
            self.principal = principal
            settings = self._gateway.settings
            told = {"user": principal.name, "ping_s": settings.ping_s, "idle_s": settings.idle_s}
            self.say("welcome", told | {"stale": self._gateway.outages.listing()})

    async def _subscribe(self, message: Subscribe) -> None:
        rooms = list(dict.fromkeys(message.rooms))
        added = [room for room in rooms if room not in self._rooms]
        if len(self._rooms) + len(added) > MAX_ROOMS:
            self.say("error", {"detail": f"a connection may be in {MAX_ROOMS} rooms; leave some first"})
            return
        self._step_out()
        self._rooms.update(added)
        last_seen = message.cursor if self._cursor is None else None
        if last_seen is not None and await self._can_resume(last_seen):
            self._cursor = last_seen
            self.say("subscribed", {"rooms": rooms, "recovered": True, "snapshot": None})
        elif not added:
            self.say("subscribed", {"rooms": rooms, "recovered": True, "snapshot": None})
        else:
            await self._tell_snapshot(added)
        prices = self._hub.newest_prices(room for room in added if is_price(room))
        if prices:
            self._connection.send_prices(prices_tail(prices, room=None), prices)

    async def _can_resume(self, cursor: int) -> bool:
        """Whether everything behind this cursor is to be had; waits for Redis when memory does not hold it."""
        while True:
            recent = self._hub.recent
            if recent is not None and recent.holds(cursor):
                return True
            try:
                async with self._gateway.turns:
                    reader = self._gateway.catch_up_reader
                    return await reader.horizon() <= cursor <= max(await reader.newest(), self._hub.cursor or 0)
            except TemporarilyUnavailable:
                await asyncio.sleep(_PAUSE_S)

    async def _tell_snapshot(self, rooms: Sequence[str]) -> None:
        """How things are in these rooms now, not before the cursor; the cursor stays, so nothing is skipped."""
        taken = await self._gateway.snapshots.of(rooms, at_least=self._cursor or 0)
        if self._cursor is None:
            self._cursor = taken.cursor
        told = {"rooms": list(rooms), "recovered": False}
        data = b'%b,"snapshot":%b}' % (to_json(told)[:-1], taken.data)
        self._connection.send(frames.tail("subscribed", data, cursor=self._cursor))

    async def _catch_up(self) -> None:
        """Deliver what lies between the cursor and the hub, then join it."""
        view = widest(self._rooms)
        while not self._connection.is_closing:
            if self._is_lost:
                self._is_lost, self._cursor = False, None
                await self._tell_snapshot(sorted(self._rooms))
            assert self._cursor is not None
            if self._hub.cursor == self._cursor:
                self._view = view
                self._hub.join(self._connection, view)
                return
            try:
                page = await self._page(self._cursor)
            except Trimmed:
                self._is_lost = True
            except TemporarilyUnavailable:
                await asyncio.sleep(_PAUSE_S)
            else:
                for run in frames.batches(page):
                    self._deliver(run, view)
                    await self._connection.drained()

    async def _page(self, cursor: int) -> list[Item]:
        """Entries behind the cursor, at most up to where the hub is; none when the hub has to move first."""
        recent = self._hub.recent
        if recent is not None and recent.holds(cursor):
            return list(recent.after(cursor))
        if recent is not None and cursor < recent.end:
            async with self._gateway.turns:
                found = await self._gateway.catch_up_reader.read(cursor, limit=_PAGE, wait_s=0.0)
            if not found:  # Redis was emptied and is not filled again yet
                await asyncio.sleep(_PAUSE_S)
            return [Item.of(entry) for entry in found if entry.seq <= recent.end]
        await self._hub.moves()
        return []

    def _deliver(self, items: Sequence[Item], view: View) -> None:
        """A page, or a part of one; the cursor moves over entries of other rooms too."""
        chosen = [item for item in items if not view.isdisjoint(item.rooms)]
        self._cursor = items[-1].seq
        if chosen:
            self._connection.send(frames.events(chosen, cursor=self._cursor, room=only(view)))

    def _step_out(self) -> None:
        """Leave the hub; the cursor stays where the hub is."""
        if self._view is not None:
            self._hub.leave(self._connection, self._view)
            self._cursor, self._view = self._hub.cursor, None
