"""How things are now, for a client that cannot be told what it missed: from PostgreSQL, with the API's own views.

A snapshot names the cursor it was begun at: it holds everything up to there, perhaps more, so whoever goes on from that
cursor misses nothing. One reading serves everybody who asks within KEEP_S and is not ahead of it: a thousand clients
that arrive together cost one query.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel
from pydantic_core import to_json

from data.contracts.errors import TemporarilyUnavailable
from data.stream.topics import rooms_of
from serve_app.api import views
from serve_app.api.models import JobView
from serve_app.api.services import Services
from serve_app.gateway.frames import array
from serve_app.gateway.hub import Hub
from serve_app.gateway.rooms import family, widest

KEEP_S = 2.0
JOBS = 100

NOTHING = b"null"  # it would not fit, or PostgreSQL is away


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot: JSON, and the cursor from which to go on."""

    cursor: int
    data: bytes


@dataclass(frozen=True, slots=True)
class _Thing:
    rooms: tuple[str, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class _Reading:
    cursor: int
    begun: float
    task: asyncio.Task[list[_Thing]]

    def serves(self, at_least: int, now: float) -> bool:
        if self.cursor < at_least:
            return False
        if not self.task.done():
            return True
        return now < self.begun + KEEP_S and not self.task.cancelled() and self.task.exception() is None


class Snapshots:
    """Snapshots for one process. `max_bytes`: of one snapshot; a larger one is left out."""

    def __init__(self, services: Services, hub: Hub, *, max_bytes: int) -> None:
        self._services, self._hub, self._max_bytes = services, hub, max_bytes
        self._readings: dict[str, _Reading] = {}
        self._history = 0  # how often it was replaced

    async def of(self, rooms: Sequence[str], *, at_least: int) -> Taken:
        """The state of these rooms, as of a cursor that is `at_least` this one. Waits for the hub to have one.

        `data` is null when PostgreSQL is away or there is too much of it.
        """
        while True:
            history = self._history
            taken = await self._take(rooms, at_least)
            if history == self._history:  # otherwise its cursor is one of the history before
                return taken

    def forget(self) -> None:
        """What was read so far speaks of another history."""
        self._readings.clear()
        self._history += 1

    async def _take(self, rooms: Sequence[str], at_least: int) -> Taken:
        cursor = await self._begun()
        wanted = widest(rooms)
        things: list[_Thing] = []
        try:
            for name in sorted({family(room) for room in rooms} - {"prices"}):
                reading = await self._reading(name, at_least)
                cursor = min(cursor, reading.cursor)
                things += await asyncio.shield(reading.task)
            chosen = [thing.data for thing in things if not wanted.isdisjoint(thing.rooms)]
            shown = {room for thing in things for room in thing.rooms}
            named = [room for room in wanted if room.startswith("jobs.") and room not in shown]
            for room in named:
                chosen += await self._job(room.partition(".")[2])
        except TemporarilyUnavailable:
            return Taken(cursor, NOTHING)
        data = array(chosen)
        return Taken(cursor, data if len(data) <= self._max_bytes else NOTHING)

    async def _begun(self) -> int:
        """Where the hub is, once it knows: not before the first connection to Redis, nor while history is replaced."""
        while (cursor := self._hub.cursor) is None:
            await self._hub.moves()
        return cursor

    async def _reading(self, name: str, at_least: int) -> _Reading:
        """The reading of a family that is under way or fresh, or a new one."""
        cursor = await self._begun()
        now = asyncio.get_running_loop().time()
        found = self._readings.get(name)
        if found is None or not found.serves(at_least, now):
            found = _Reading(cursor, now, asyncio.create_task(self._read(name)))
            found.task.add_done_callback(lambda task: task.cancelled() or task.exception())  # seen, if nobody waits
            self._readings[name] = found
        return found

    async def _read(self, name: str) -> list[_Thing]:
        services = self._services
        match name:
            case "signals":
                feed = await services.feed.get()
                until, universe = (None, None) if feed is None else (feed.clock, feed.universe)
                found = await services.signals.latest(universe=universe, until=until)
                shown = [views.signal(signal) for signal in found]
                return [_thing("signal", f"signals.consensus.{s.symbol}", s.as_of, s) for s in shown]
            case "jobs":
                return [_job(views.job(job)) for job in await services.jobs.listing(limit=JOBS)]
            case "agents":
                states = [views.agent(state) for state in await services.agent_states.all()]
                return [_thing("agent", f"agents.{s.name}.state", s.seen_at, s) for s in states]
            case "market":
                feed = await services.feed.get()
                return [] if feed is None else [_thing("feed", "market.session", feed.clock, views.feed(feed))]
            case _:
                raise AssertionError(name)

    async def _job(self, job_id: str) -> list[bytes]:
        found = await self._services.jobs.get(job_id)
        return [] if found is None else [_job(views.job(found)).data]


def _job(job: JobView) -> _Thing:
    return _thing("job", f"jobs.{job.job_id}.progress", job.updated_at, job)


def _thing(kind: str, key: str, as_of: datetime | None, body: BaseModel) -> _Thing:
    return _Thing(rooms_of(key), to_json({"key": key, "type": kind, "as_of": as_of, "body": body}))
