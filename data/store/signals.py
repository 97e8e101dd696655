"""Signals: stored once per input, with their votes and the event that tells of them, in one transaction.

Tables `signal`, `vote` and `signal_symbol` are read models of the `event` table, and can be emptied and rebuilt from
it. Two writers of the same bar take turns (an advisory lock per bar time, held until commit), so revisions count
1, 2, 3 without a gap and no writer fails because of another.
"""

import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import LiteralString

import psycopg

from data.contracts.errors import GoldenSignalsError
from data.contracts.events import SignalEmitted
from data.contracts.signals import Action, Signal
from data.store import events as event_log
from data.store.jobs import Fence, check_fence
from data.store.pool import Connection, Pool, transaction

_STRIPES = 256  # bounds the locks of one transaction; two bar times on one stripe merely wait for each other
_REBUILD_ROWS = 2000

_TAKE_TURNS = (
    "SELECT pg_advisory_xact_lock(hashtext('goldensignals.signal'), stripe) FROM unnest(%s::integer[]) AS stripe"
)
_KNOWN = "SELECT signal_id, input_hash, revision FROM signal WHERE signal_id = ANY(%s) AND as_of = ANY(%s)"
_COPY_SIGNALS = """COPY signal (signal_id, revision, as_of, input_hash, symbol, frame, universe, action, score,
    probability, strength, agreement, horizon, complete, occurred_at, body) FROM STDIN"""
_COPY_VOTES = "COPY vote (signal_id, revision, as_of, agent, score, confidence, weight) FROM STDIN"

_ADD_SYMBOLS = """INSERT INTO signal_symbol (frame, universe, symbol)
    SELECT DISTINCT frame, universe, symbol
    FROM unnest(%s::text[], %s::text[], %s::text[]) AS told (frame, universe, symbol)
    ORDER BY frame, universe, symbol ON CONFLICT DO NOTHING"""

_LATEST = """WITH session AS MATERIALIZED (
        SELECT max(as_of) AS as_of FROM signal
        WHERE frame = %(frame)s AND universe = %(universe)s AND as_of <= coalesce(%(until)s::timestamptz, 'infinity')
    ), here AS MATERIALIZED (  -- most symbols have their newest signal in the newest session: one range of an index
        SELECT DISTINCT ON (symbol) symbol, action, strength, body, revision FROM signal
        WHERE frame = %(frame)s AND universe = %(universe)s AND as_of = (SELECT as_of FROM session)
            AND (%(symbols)s::text[] IS NULL OR symbol = ANY(%(symbols)s))
        ORDER BY symbol, complete DESC, occurred_at DESC, revision DESC, signal_id
    ), elsewhere AS (  -- the others are looked for one by one
        SELECT newest.* FROM (
            SELECT DISTINCT symbol FROM signal_symbol
            WHERE frame = %(frame)s AND (%(universe)s::text IS NULL OR universe = %(universe)s)
                AND (%(symbols)s::text[] IS NULL OR symbol = ANY(%(symbols)s))
                AND symbol NOT IN (SELECT symbol FROM here)
        ) AS name CROSS JOIN LATERAL (
            SELECT s.symbol, s.action, s.strength, s.body, s.revision FROM current_signal AS s
            WHERE s.frame = %(frame)s AND s.symbol = name.symbol
                AND (%(universe)s::text IS NULL OR s.universe = %(universe)s)
                AND s.as_of <= coalesce(%(until)s::timestamptz, 'infinity')
            ORDER BY s.as_of DESC, s.complete DESC, s.occurred_at DESC, s.signal_id LIMIT 1
        ) AS newest
    ), found AS (
        SELECT *, CASE WHEN %(strongest)s THEN -strength ELSE 0 END AS rank
        FROM (SELECT * FROM here UNION ALL SELECT * FROM elsewhere) AS either
    )
    SELECT body::text, revision FROM found
    WHERE (%(actions)s::text[] IS NULL OR action = ANY(%(actions)s)) AND strength >= %(min_strength)s
        AND (%(after_symbol)s::text IS NULL OR (rank, symbol) > (%(after_rank)s, %(after_symbol)s))
    ORDER BY rank, symbol LIMIT %(limit)s"""
_NEWEST = """SELECT s.body::text, s.revision FROM current_signal AS s
    WHERE s.frame = %(frame)s AND s.symbol = %(symbol)s AND (%(universe)s::text IS NULL OR s.universe = %(universe)s)
        AND s.as_of <= coalesce(%(until)s::timestamptz, 'infinity')
    ORDER BY s.as_of DESC, s.complete DESC, s.occurred_at DESC, s.signal_id LIMIT 1"""
_HISTORY = """SELECT s.body::text, s.revision FROM current_signal AS s
    WHERE s.frame = %(frame)s AND s.symbol = %(symbol)s AND (%(universe)s::text IS NULL OR s.universe = %(universe)s)
        AND s.as_of <= coalesce(%(until)s::timestamptz, 'infinity')
        AND (%(before)s::timestamptz IS NULL OR s.as_of < %(before)s
            OR %(after)s::text IS NOT NULL AND s.as_of = %(before)s AND s.signal_id > %(after)s)
    ORDER BY s.as_of DESC, s.signal_id LIMIT %(limit)s"""
_GET = """SELECT body::text, revision FROM signal WHERE signal_id = %(signal_id)s
        AND (%(revision)s::integer IS NULL OR revision = %(revision)s)
    ORDER BY complete DESC, revision DESC LIMIT 1"""
_MANY = """SELECT s.body::text, s.revision
    FROM unnest(%(ids)s::text[], %(revisions)s::integer[]) WITH ORDINALITY AS wanted (signal_id, revision, place)
    JOIN signal AS s ON s.signal_id = wanted.signal_id AND s.revision = wanted.revision
    WHERE s.as_of = %(as_of)s ORDER BY wanted.place"""
_SESSIONS = """SELECT max(s.as_of) FROM signal AS s
    WHERE s.frame = %(frame)s AND s.universe = %(universe)s AND s.as_of <= coalesce(%(until)s::timestamptz, 'infinity')
    UNION ALL
    SELECT max(s.as_of) FROM signal AS s WHERE s.frame = %(frame)s AND s.universe = %(universe)s
        AND s.as_of < (SELECT max(n.as_of) FROM signal AS n WHERE n.frame = %(frame)s AND n.universe = %(universe)s
            AND n.as_of <= coalesce(%(until)s::timestamptz, 'infinity'))"""
_CHANGES = """WITH now AS (
        SELECT DISTINCT ON (symbol) * FROM signal
        WHERE frame = %(frame)s AND universe = %(universe)s AND as_of = %(now)s
        ORDER BY symbol, complete DESC, occurred_at DESC, revision DESC, signal_id
    ), was AS (
        SELECT DISTINCT ON (symbol) symbol, action, score FROM signal
        WHERE frame = %(frame)s AND universe = %(universe)s AND as_of = %(was)s
        ORDER BY symbol, complete DESC, occurred_at DESC, revision DESC, signal_id
    )
    SELECT now.body::text, now.revision, was.action, was.score FROM now JOIN was ON was.symbol = now.symbol
    WHERE now.action <> was.action ORDER BY abs(now.score - was.score) DESC, now.symbol"""
_ACTIONS = """SELECT DISTINCT ON (symbol) symbol, action FROM signal
    WHERE frame = %(frame)s AND universe = %(universe)s AND as_of = %(as_of)s
    ORDER BY symbol, complete DESC, occurred_at DESC, revision DESC, signal_id"""
_BREADTH = """WITH RECURSIVE session AS (  -- one index probe per session
        (SELECT as_of, 1 AS n FROM signal WHERE frame = %(frame)s AND universe = %(universe)s
            AND as_of <= coalesce(%(until)s::timestamptz, 'infinity') ORDER BY as_of DESC LIMIT 1)
        UNION ALL
        SELECT (SELECT s.as_of FROM signal AS s WHERE s.frame = %(frame)s AND s.universe = %(universe)s
            AND s.as_of < session.as_of ORDER BY s.as_of DESC LIMIT 1), n + 1
        FROM session WHERE session.as_of IS NOT NULL AND n < %(sessions)s
    ), current AS (
        SELECT DISTINCT ON (as_of, symbol) as_of, action FROM signal
        WHERE frame = %(frame)s AND universe = %(universe)s
            AND as_of BETWEEN (SELECT min(as_of) FROM session) AND (SELECT max(as_of) FROM session)
        ORDER BY as_of DESC, symbol, complete DESC, occurred_at DESC, revision DESC, signal_id
    )
    SELECT as_of, count(*) FILTER (WHERE action = 'BUY'), count(*) FILTER (WHERE action = 'HOLD'),
        count(*) FILTER (WHERE action = 'SELL')
    FROM current GROUP BY as_of ORDER BY as_of"""
# The set of stored events, exactly: each one is in the outbox or behind the newest number of the stream.
_VERSION = """SELECT coalesce((SELECT max(seq) FROM stream), 0), count(*), coalesce(sum(position), 0) FROM outbox"""
_COUNT = "SELECT count(*) FROM signal"
_EMPTY = (
    "TRUNCATE signal, vote, signal_symbol"  # waits for writers and holds new ones off until the rebuild is committed
)
_TOLD = "SELECT body::text FROM event WHERE type = 'signal.emitted.v1' ORDER BY position"


@dataclass(frozen=True)
class Stored:
    """What became of one signal handed in: its revision, and whether this call stored it."""

    signal_id: str
    revision: int
    new: bool


@dataclass(frozen=True)
class Revision:
    """A signal as stored, and which revision of it this is (1 = first)."""

    signal: Signal
    revision: int


@dataclass(frozen=True)
class Change:
    """A signal whose action is another one than a session before, and what it was then."""

    now: Revision
    was: Action
    was_score: float


@dataclass(frozen=True)
class Changes:
    """What changed between two neighbouring sessions, largest move in score first; None where there is no session."""

    as_of: datetime | None
    before: datetime | None
    items: list[Change]


@dataclass(frozen=True)
class Breadth:
    """How many symbols stood where at one session."""

    as_of: datetime
    buy: int
    hold: int
    sell: int


class SignalStore:
    """Signals in PostgreSQL."""

    def __init__(self, pool: Pool, *, write_s: float = 30.0, read_s: float = 10.0, rebuild_s: float = 3600.0) -> None:
        self._pool, self._write_s, self._read_s, self._rebuild_s = pool, write_s, read_s, rebuild_s

    async def add_all(
        self, signals: Sequence[Signal], *, clock_now: datetime, correlation_id: str, fence: Fence | None = None
    ) -> list[Stored]:
        """Store signals, votes and events in one transaction; one answer per signal, in the order given.

        Same id and input: nothing is stored again. Same id, other input: the next revision. Safe to repeat.
        clock_now: when these became known, aware. fence: the job that writes; without its right nothing is stored.
        Raises:    TemporarilyUnavailable when PostgreSQL is not to be had; GoldenSignalsError when fenced off.
        """
        if not signals:
            return []
        async with transaction(self._pool, self._write_s) as connection:
            if fence is not None:
                await check_fence(connection, fence)
            moments = {signal.as_of.astimezone(UTC) for signal in signals}
            await event_log.add_partitions(connection, (moment.year for moment in moments))
            await connection.execute(_TAKE_TURNS, (sorted({_stripe(moment) for moment in moments}),))
            rows = await connection.execute(_KNOWN, ([signal.signal_id for signal in signals], list(moments)))
            answers, fresh = assign_revisions(signals, await rows.fetchall())
            told = [
                SignalEmitted.of(signal, revision=revision, occurred_at=clock_now, correlation_id=correlation_id)
                for signal, revision in fresh
            ]
            if told:
                await _publish(connection, told)
        return answers

    async def newest(
        self, symbol: str, universe: str | None = None, *, frame: str = "1d", until: datetime | None = None
    ) -> Revision | None:
        """The newest signal of one symbol, as `latest` chooses it; None for none. Made to be asked often."""
        values = {"symbol": symbol, "universe": universe, "frame": frame, "until": until}
        found = await self._read(_NEWEST, values, prepare=None)
        return found[0] if found else None

    async def latest(
        self,
        universe: str | None = None,
        *,
        frame: str = "1d",
        until: datetime | None = None,
        actions: Sequence[Action] | None = None,
        min_strength: float = 0.0,
        symbols: Sequence[str] | None = None,
        strongest: bool = False,
        after: tuple[float, str] | None = None,
        limit: int = 10_000,
    ) -> list[Revision]:
        """The newest signal of each symbol, in alphabetical order: newest bar, complete revisions first.

        Where several signals speak of that bar (universes, parameters), the one that became known last.
        until:     only bars closed at or before it, as the reader of that moment saw them.
        actions, min_strength, symbols: filters; a symbol whose newest signal does not fit is left out.
        strongest: order by strength, largest first, then by symbol.
        after:     (strength, symbol) of the last row of the page before; strength counts only with `strongest`.
        """
        strength, last = after or (0.0, None)
        values = {
            "universe": universe,
            "frame": frame,
            "until": until,
            "actions": None if actions is None else [action.value for action in actions],
            "min_strength": min_strength,
            "symbols": None if symbols is None else list(symbols),
            "strongest": strongest,
            "after_rank": -strength if strongest else 0.0,
            "after_symbol": last,
            "limit": limit,
        }
        return await self._read(_LATEST, values)

    async def history(
        self,
        symbol: str,
        *,
        universe: str | None = None,
        frame: str = "1d",
        until: datetime | None = None,
        before: datetime | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> list[Revision]:
        """The current revision of each signal of a symbol, newest bar first, up to `until`.

        The next page: `before` is the bar time of the last row; with `after`, its signal id, the other signals of that
        very bar are not passed over.
        """
        values = {
            "symbol": symbol,
            "universe": universe,
            "frame": frame,
            "until": until,
            "before": before,
            "after": after,
            "limit": limit,
        }
        return await self._read(_HISTORY, values)

    async def changes(self, universe: str, *, frame: str = "1d", until: datetime | None = None) -> Changes:
        """Symbols whose action differs between the newest session (up to `until`) of a universe and the one before."""
        key = {"universe": universe, "frame": frame}
        async with transaction(self._pool, self._read_s) as connection:
            found = await connection.execute(_SESSIONS, {**key, "until": until}, prepare=False)
            (now,), (was,) = await found.fetchall()
            rows = await connection.execute(_CHANGES, {**key, "now": now, "was": was}, prepare=False)
            items = [
                Change(Revision(Signal.model_validate_json(body), revision), Action(action), score)
                for body, revision, action, score in await rows.fetchall()
            ]
        return Changes(now, was, items)

    async def actions(self, universe: str, as_of: datetime, *, frame: str = "1d") -> dict[str, Action]:
        """What is advised for each symbol of a universe at exactly that session."""
        async with transaction(self._pool, self._read_s) as connection:
            values = {"universe": universe, "frame": frame, "as_of": as_of}
            rows = await connection.execute(_ACTIONS, values, prepare=False)
            return {symbol: Action(action) for symbol, action in await rows.fetchall()}

    async def breadth(
        self, universe: str, *, sessions: int, frame: str = "1d", until: datetime | None = None
    ) -> list[Breadth]:
        """Buy, hold and sell counts of the newest sessions of a universe (up to `until`), oldest first."""
        async with transaction(self._pool, self._read_s) as connection:
            values = {"universe": universe, "frame": frame, "until": until, "sessions": sessions}
            rows = await connection.execute(_BREADTH, values, prepare=False)
            return [Breadth(*row) for row in await rows.fetchall()]

    async def many(self, wanted: Sequence[tuple[str, int]], as_of: datetime) -> list[Revision]:
        """Signals of one session by (signal_id, revision), in the order asked, without those that are not stored."""
        ids, revisions = [signal_id for signal_id, _ in wanted], [revision for _, revision in wanted]
        return await self._read(_MANY, {"ids": ids, "revisions": revisions, "as_of": as_of})

    async def version(self) -> str:
        """A text that changes whenever an event is stored or delivered: what answers made of signals are valid for."""
        async with transaction(self._pool, self._read_s) as connection:
            row = await (await connection.execute(_VERSION)).fetchone()
        assert row is not None
        return ".".join(map(str, row))

    async def get(self, signal_id: str, revision: int | None = None) -> Revision | None:
        """One signal: that revision, or the current one; None when it is not stored."""
        found = await self._read(_GET, {"signal_id": signal_id, "revision": revision})
        return found[0] if found else None

    async def ping(self, *, within_s: float | None = None) -> None:
        """Raise TemporarilyUnavailable unless PostgreSQL answers in time; by default the deadline of a read."""
        async with transaction(self._pool, within_s or self._read_s) as connection:
            await connection.execute("SELECT 1")

    async def count(self) -> int:
        """How many revisions of signals are stored."""
        async with transaction(self._pool, self._read_s) as connection:
            row = await (await connection.execute(_COUNT)).fetchone()
        assert row is not None
        return int(row[0])

    async def rebuild(self) -> int:
        """Empty the read models and fill them again from the events, in one transaction. Returns the signals read.

        Readers wait meanwhile; a failure leaves everything as it was.
        """
        total = 0
        async with transaction(self._pool, self._rebuild_s) as connection:
            await connection.execute(_EMPTY)
            async for told in _told(connection):
                await _fill_read_models(connection, told)
                total += len(told)
        return total

    async def _read(
        self, query: LiteralString, values: Mapping[str, object], *, prepare: bool | None = False
    ) -> list[Revision]:
        # Not prepared, as a rule: the plan then knows which filters are set, and which years it need not look at.
        async with transaction(self._pool, self._read_s) as connection:
            rows = await (await connection.execute(query, values, prepare=prepare)).fetchall()
        return [Revision(Signal.model_validate_json(body), revision) for body, revision in rows]


def assign_revisions(
    signals: Sequence[Signal], known: Sequence[tuple[str, str, int]]
) -> tuple[list[Stored], list[tuple[Signal, int]]]:
    """Which revision each signal has or gets, given the stored (id, input, revision); and the ones to store."""
    by_id: dict[str, dict[str, int]] = defaultdict(dict)
    for signal_id, input_hash, revision in known:
        by_id[signal_id][input_hash] = revision
    answers, fresh = [], []
    for signal in signals:
        inputs = by_id[signal.signal_id]
        new = signal.input_hash not in inputs
        if new:
            inputs[signal.input_hash] = max(inputs.values(), default=0) + 1
            fresh.append((signal, inputs[signal.input_hash]))
        answers.append(Stored(signal.signal_id, inputs[signal.input_hash], new))
    return answers, fresh


async def _publish(connection: Connection, told: Sequence[SignalEmitted]) -> None:
    try:
        await _fill_read_models(connection, told)
        await event_log.append(connection, told, type_name=told[0].type)
    except psycopg.errors.UniqueViolation as problem:
        raise GoldenSignalsError(
            "the stored signals do not match the stored events, nothing was written; rebuild them from the events"
        ) from problem


async def _fill_read_models(connection: Connection, told: Sequence[SignalEmitted]) -> None:
    keys = [(event.signal.frame, event.signal.universe, event.signal.symbol) for event in told]
    await connection.execute(_ADD_SYMBOLS, [list(column) for column in zip(*keys, strict=True)])
    async with connection.cursor() as cursor:
        async with cursor.copy(_COPY_SIGNALS) as rows:
            for event in told:
                signal = event.signal
                await rows.write_row(
                    (
                        signal.signal_id,
                        event.revision,
                        signal.as_of.astimezone(UTC),
                        signal.input_hash,
                        signal.symbol,
                        signal.frame,
                        signal.universe,
                        signal.action.value,
                        signal.score,
                        signal.probability,
                        signal.strength,
                        signal.agreement,
                        signal.horizon,
                        not signal.missing,
                        event.occurred_at.astimezone(UTC),
                        signal.model_dump_json(),
                    )
                )
        async with cursor.copy(_COPY_VOTES) as rows:
            for event in told:
                key = (event.signal.signal_id, event.revision, event.signal.as_of.astimezone(UTC))
                for vote in event.signal.votes:
                    await rows.write_row((*key, vote.agent, vote.score, vote.confidence, vote.weight))


async def _told(connection: Connection) -> AsyncIterator[list[SignalEmitted]]:
    async with connection.cursor("told") as rows:  # on the server: a batch at a time is in memory
        await rows.execute(_TOLD)
        while batch := await rows.fetchmany(_REBUILD_ROWS):
            yield [SignalEmitted.model_validate_json(body) for (body,) in batch]


def _stripe(moment: datetime) -> int:
    return zlib.crc32(moment.isoformat().encode()) % _STRIPES
