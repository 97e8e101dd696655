"""Signals: stored once per input, with their votes and the event that tells of them, in one transaction.

Tables `signal` and `vote` are read models of the `event` table, and can be emptied and rebuilt from it. Two writers of
the same bar take turns (an advisory lock per bar time, held until commit), so revisions count 1, 2, 3 without a gap
and no writer fails because of another.
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
from data.contracts.signals import Signal
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

_LATEST = """WITH RECURSIVE name AS (  -- one index probe per symbol, however long the history
        (SELECT symbol FROM signal WHERE frame = %(frame)s AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
            ORDER BY symbol LIMIT 1)
        UNION ALL
        SELECT (SELECT s.symbol FROM signal AS s WHERE s.frame = %(frame)s AND s.symbol > name.symbol
            ORDER BY s.symbol LIMIT 1)
        FROM name WHERE name.symbol IS NOT NULL AND %(symbol)s::text IS NULL
    )
    SELECT found.body::text, found.revision FROM name CROSS JOIN LATERAL (
        SELECT s.body, s.revision FROM current_signal AS s
        WHERE s.frame = %(frame)s AND s.symbol = name.symbol
            AND (%(universe)s::text IS NULL OR s.universe = %(universe)s)
        ORDER BY s.as_of DESC, s.complete DESC, s.occurred_at DESC, s.signal_id LIMIT 1
    ) AS found ORDER BY name.symbol LIMIT %(limit)s"""
_HISTORY = """SELECT s.body::text, s.revision FROM current_signal AS s
    WHERE s.frame = %(frame)s AND s.symbol = %(symbol)s AND (%(universe)s::text IS NULL OR s.universe = %(universe)s)
        AND (%(before)s::timestamptz IS NULL OR s.as_of < %(before)s)
    ORDER BY s.as_of DESC, s.occurred_at DESC, s.signal_id LIMIT %(limit)s"""
_GET = """SELECT body::text, revision FROM signal WHERE signal_id = %(signal_id)s
        AND (%(revision)s::integer IS NULL OR revision = %(revision)s)
    ORDER BY complete DESC, revision DESC LIMIT 1"""
_COUNT = "SELECT count(*) FROM signal"
_EMPTY = "TRUNCATE signal, vote"  # waits for writers and holds new ones off until the rebuild is committed
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

    async def latest(
        self, symbol: str | None = None, universe: str | None = None, *, frame: str = "1d", limit: int = 10_000
    ) -> list[Revision]:
        """The newest signal of each symbol, in alphabetical order: newest bar, complete revisions first.

        Where several signals speak of that bar (universes, parameters), the one that became known last.
        """
        return await self._read(_LATEST, {"symbol": symbol, "universe": universe, "frame": frame, "limit": limit})

    async def history(
        self,
        symbol: str,
        *,
        universe: str | None = None,
        frame: str = "1d",
        before: datetime | None = None,
        limit: int = 1000,
    ) -> list[Revision]:
        """The current revision of each signal of a symbol, newest bar first; `before` (exclusive): the next page."""
        values = {"symbol": symbol, "universe": universe, "frame": frame, "before": before, "limit": limit}
        return await self._read(_HISTORY, values)

    async def get(self, signal_id: str, revision: int | None = None) -> Revision | None:
        """One signal: that revision, or the current one; None when it is not stored."""
        found = await self._read(_GET, {"signal_id": signal_id, "revision": revision})
        return found[0] if found else None

    async def ping(self) -> None:
        """Raise TemporarilyUnavailable unless PostgreSQL answers within the deadline of a read."""
        async with transaction(self._pool, self._read_s) as connection:
            await connection.execute("SELECT 1")

    async def count(self) -> int:
        """How many revisions of signals are stored."""
        async with transaction(self._pool, self._read_s) as connection:
            row = await (await connection.execute(_COUNT)).fetchone()
        assert row is not None
        return int(row[0])

    async def rebuild(self) -> int:
        """Empty `signal` and `vote` and fill them again from the events, in one transaction. Returns the signals read.

        Readers wait meanwhile; a failure leaves everything as it was.
        """
        total = 0
        async with transaction(self._pool, self._rebuild_s) as connection:
            await connection.execute(_EMPTY)
            async for told in _told(connection):
                await _fill_read_models(connection, told)
                total += len(told)
        return total

    async def _read(self, query: LiteralString, values: Mapping[str, object]) -> list[Revision]:
        async with transaction(self._pool, self._read_s) as connection:
            rows = await (await connection.execute(query, values)).fetchall()
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
