"""Who listens where. A batch of the stream is encoded once for every set of rooms that somebody is in, and handed out.

Who is behind (resuming, or reading a snapshot) is no member; it joins at the very number the hub is at. Nothing here
waits, so between two deliveries every member has been given everything up to `cursor`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from pydantic_core import to_json

from data.stream.prices import Row
from serve_app.gateway import frames
from serve_app.gateway.frames import Item
from serve_app.gateway.recent import Recent
from serve_app.gateway.rooms import View, price_rooms


class Member(Protocol):
    """A connection that has caught up."""

    def send(self, tail: bytes) -> None:
        """Deliver a frame."""

    def send_prices(self, tail: bytes, rows: Mapping[str, bytes]) -> None:
        """Deliver a frame of prices, or keep the newest of `rows` (symbol to JSON) until there is room."""


class Hub:
    """Members by what they listen to, and the place in the global order they all have reached.

    cursor: where the stream is followed from; None until that is known.
    """

    def __init__(self) -> None:
        self.recent: Recent | None = None
        self._groups: dict[View, set[Member]] = {}
        self._by_room: dict[str, set[View]] = defaultdict(set)
        self._prices: dict[str, bytes] = {}
        self._moved = asyncio.Event()

    @property
    def cursor(self) -> int | None:
        """The number of the newest entry that was handed out."""
        return None if self.recent is None else self.recent.end

    @property
    def rooms(self) -> int:
        """How many rooms somebody is in."""
        return len(self._by_room)

    def begin(self, recent: Recent | None) -> None:
        """Start, or start anew, behind these; None: where is not known yet. There must be no members."""
        self.recent = recent
        self._wake()

    async def moves(self) -> None:
        """Return after the next batch, or when the hub begins anew."""
        await self._moved.wait()

    def join(self, member: Member, view: View) -> None:
        """Deliver to this member from the next batch on."""
        if view not in self._groups:
            self._groups[view] = set()
            for room in view:
                self._by_room[room].add(view)
        self._groups[view].add(member)

    def leave(self, member: Member, view: View) -> None:
        """Deliver no more to a member that joined with this view."""
        group = self._groups[view]
        group.remove(member)
        if not group:
            del self._groups[view]
            for room in view:
                self._by_room[room].remove(view)
                if not self._by_room[room]:
                    del self._by_room[room]

    def deliver(self, items: Sequence[Item]) -> None:
        """Hand out entries that follow `cursor`."""
        assert self.recent is not None
        self.recent.add(items)
        wanted: dict[View, list[Item]] = defaultdict(list)
        for item in items:
            for room in item.rooms:
                for view in self._by_room.get(room, ()):  # a view holds at most one room of an item: see `widest`
                    wanted[view].append(item)
        for view, chosen in wanted.items():
            tail = frames.events(chosen, cursor=self.recent.end, room=only(view))
            for member in tuple(self._groups[view]):  # one that overflows leaves meanwhile
                member.send(tail)
        self._wake()

    def deliver_prices(self, rows: Iterable[Row]) -> None:
        """Hand out prices and remember them as the newest."""
        fresh = {str(row["symbol"]): to_json(row) for row in rows}
        self._prices.update(fresh)
        wanted: dict[View, dict[str, bytes]] = defaultdict(dict)
        for symbol, row in fresh.items():
            for room in price_rooms(symbol):
                for view in self._by_room.get(room, ()):
                    wanted[view][symbol] = row
        for view, chosen in wanted.items():
            tail = prices_tail(chosen, room=only(view))
            for member in tuple(self._groups[view]):
                member.send_prices(tail, chosen)

    def newest_prices(self, rooms: Iterable[str]) -> Mapping[str, bytes]:
        """The newest price rows of these rooms that are known here, by symbol."""
        wanted = set(rooms)
        return {symbol: row for symbol, row in self._prices.items() if not wanted.isdisjoint(price_rooms(symbol))}

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


class Outages:
    """Which servers are away, and since when."""

    def __init__(self) -> None:
        self._since: dict[str, datetime] = {}

    def begin(self, server: str, now: datetime) -> bool:
        """Note that it is away; whether that is news."""
        if server in self._since:
            return False
        self._since[server] = now
        return True

    def end(self, server: str) -> datetime | None:
        """Note that it is back: since when it was away, None when it was not."""
        return self._since.pop(server, None)

    def listing(self) -> list[dict[str, str]]:
        """As `welcome` and `/healthz` show it."""
        return [{"server": server, "since": since.isoformat()} for server, since in sorted(self._since.items())]


def prices_tail(rows: Mapping[str, bytes], *, room: str | None) -> bytes:
    """The tail of a `prices` frame."""
    return frames.tail("prices", frames.array(rows.values()), cursor=None, room=room)


def only(view: View) -> str | None:
    """The room of a view that is one room."""
    return next(iter(view)) if len(view) == 1 else None
