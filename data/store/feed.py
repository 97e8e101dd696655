"""The feed: where the live path gets its bars and how far it is. One row, written by who plays it, steered by people.

Two may write at once: the player moves the clock on, a person pauses it or sends it elsewhere. A change by a person
makes a new `version`, and the player's `advance` names the version it read: a player that was overtaken moves nothing
and reads again, so no change is lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import PurePath
from typing import Literal, LiteralString

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from data.contracts.errors import Conflict, InvalidInput, TemporarilyUnavailable
from data.contracts.events import SessionDecided
from data.store.events import tell
from data.store.pool import Connection, Pool, transaction

FeedKind = Literal["still", "replay"]
FeedState = Literal["still", "running", "paused", "ended"]

_GET = "SELECT * FROM feed"
_PUT = """INSERT INTO feed (source, kind, state, universe, frame, data_hash, clock, first, last, session_s, quarantined,
        context, updated_at)
    VALUES (%(source)s, %(kind)s, %(state)s, %(universe)s, %(frame)s, %(data_hash)s, %(clock)s, %(first)s, %(last)s,
        %(session_s)s, %(quarantined)s, %(context)s, %(updated_at)s)
    ON CONFLICT (one) DO UPDATE SET version = feed.version + 1, source = excluded.source, kind = excluded.kind,
        state = excluded.state, universe = excluded.universe, frame = excluded.frame, data_hash = excluded.data_hash,
        clock = excluded.clock, first = excluded.first, last = excluded.last, session_s = excluded.session_s,
        quarantined = excluded.quarantined, context = excluded.context, updated_at = excluded.updated_at
    RETURNING *"""
_ADVANCE = """UPDATE feed SET clock = %(clock)s, state = %(state)s, updated_at = %(now)s,
        context = coalesce(%(context)s, context) WHERE version = %(version)s RETURNING *"""
_LOCK = "SELECT * FROM feed FOR UPDATE"
_CHANGE = """UPDATE feed SET version = version + 1, state = %(state)s, session_s = %(session_s)s, clock = %(clock)s,
    updated_at = %(now)s RETURNING *"""


@dataclass(frozen=True)
class Feed:
    """The feed as it is. `clock`: market time, the newest session that was decided; times UTC.

    source:    what its bars are opened by: "sample" or a path; `name` is for people.
    universe:  id of the universe its signals are stored under.
    session_s: seconds of wall time a session takes; None for a still feed.
    context:   name of dated context -> time of its newest value.
    version:   what `advance` has to name; 0 for a feed that is not stored yet.
    """

    source: str
    kind: FeedKind
    state: FeedState
    universe: str
    frame: str
    data_hash: str
    clock: datetime
    first: datetime
    last: datetime
    session_s: float | None
    quarantined: int
    context: Mapping[str, datetime]
    updated_at: datetime
    version: int = 0

    @property
    def name(self) -> str:
        """What the source is called, without the folders of this machine."""
        return PurePath(self.source).name


class FeedStore:
    """The one feed of an installation."""

    def __init__(self, pool: Pool, *, write_s: float = 30.0, read_s: float = 10.0) -> None:
        self._pool, self._write_s, self._read_s = pool, write_s, read_s

    async def get(self) -> Feed | None:
        """The feed; None before the live path was first started."""
        async with transaction(self._pool, self._read_s) as connection:
            return await _one(connection, _GET, {})

    async def put(self, feed: Feed) -> Feed:
        """Begin with this feed, whatever was there; its `version` is not looked at. Returns it as stored."""
        values = {field.name: getattr(feed, field.name) for field in fields(Feed)}
        values["context"] = _context(feed.context)
        async with transaction(self._pool, self._write_s) as connection:
            stored = await _one(connection, _PUT, values)
        assert stored is not None
        return stored

    async def advance(
        self,
        version: int,
        *,
        clock: datetime,
        state: FeedState,
        now: datetime,
        context: Mapping[str, datetime] | None = None,
        event: SessionDecided | None = None,
    ) -> Feed | None:
        """Move the clock on, with the context known by then, and tell the event that belongs to it.

        None, and nothing moved or told, when somebody changed the feed after `version` was read.
        """
        async with transaction(self._pool, self._write_s) as connection:
            values = {"version": version, "clock": clock, "state": state, "now": now, "context": _context(context)}
            moved = await _one(connection, _ADVANCE, values)
            if moved is not None and event is not None:
                await tell(connection, event)
        return moved

    async def change(
        self,
        *,
        now: datetime,
        state: Literal["running", "paused"] | None = None,
        session_s: float | None = None,
        clock: datetime | None = None,
    ) -> Feed:
        """Steer a replay; None leaves a field as it is. A replay that has ended runs again once its clock is set back.

        clock:  the replay continues after the newest session at or before it.
        Raises: Conflict when the feed is no replay, or has ended and is told to run without a new clock;
                InvalidInput for a clock outside the feed's sessions; TemporarilyUnavailable when there is no feed yet.
        """
        async with transaction(self._pool, self._write_s) as connection:
            feed = await _one(connection, _LOCK, {})
            if feed is None:
                raise TemporarilyUnavailable("there is no feed yet; start one with `goldensignals up`")
            if feed.kind != "replay":
                raise Conflict(
                    f"the feed {feed.name!r} is not a replay, so there is nothing to steer; "
                    "start one with `goldensignals up --source replay`"
                )
            if clock is not None and not feed.first <= clock <= feed.last:
                raise InvalidInput(
                    "the clock must lie between the first and the last session of the replay, "
                    f"{feed.first:%Y-%m-%d %H:%M} and {feed.last:%Y-%m-%d %H:%M} UTC"
                )
            if feed.state == "ended" and state == "running" and clock is None:
                raise Conflict("the replay has ended; send a clock too, from which it shall run again")
            again: FeedState = "running" if feed.state == "ended" and clock is not None else feed.state
            values = {
                "state": state or again,
                "session_s": feed.session_s if session_s is None else session_s,
                "clock": clock or feed.clock,
                "now": now,
            }
            changed = await _one(connection, _CHANGE, values)
        assert changed is not None
        return changed


def _context(known: Mapping[str, datetime] | None) -> Jsonb | None:
    return None if known is None else Jsonb({name: moment.isoformat() for name, moment in known.items()})


async def _one(connection: Connection, statement: LiteralString, values: Mapping[str, object]) -> Feed | None:
    async with connection.cursor(row_factory=dict_row) as rows:
        await rows.execute(statement, values)
        row = await rows.fetchone()
    if row is None:
        return None
    found = {field.name: row[field.name] for field in fields(Feed)}
    found["context"] = {name: datetime.fromisoformat(moment) for name, moment in row["context"].items()}
    return Feed(**found)
