"""Which bars were loaded: one row per content hash. The bars themselves lie in the lake."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from data.store.pool import Pool, transaction

_RECORD = """INSERT INTO bar_set
    (data_hash, source, frame, adjust, symbols, rows, first_ts, last_ts, quarantined, loaded_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (data_hash) DO NOTHING"""
_LISTING = """SELECT data_hash, source, frame, adjust, symbols, rows, first_ts, last_ts, quarantined, loaded_at
    FROM bar_set ORDER BY loaded_at DESC, data_hash LIMIT %s"""


@dataclass(frozen=True)
class BarSet:
    """One load of bars. Counts: symbols, rows kept; `quarantined` is reason -> rows. Times UTC; null for no rows."""

    data_hash: str
    source: str
    frame: str
    adjust: str
    symbols: int
    rows: int
    first_ts: datetime | None
    last_ts: datetime | None
    quarantined: Mapping[str, int]
    loaded_at: datetime


class BarSetStore:
    """The bar sets ever loaded."""

    def __init__(self, pool: Pool, *, write_s: float = 30.0, read_s: float = 10.0) -> None:
        self._pool, self._write_s, self._read_s = pool, write_s, read_s

    async def record(self, bars: BarSet) -> bool:
        """Write a load down; the same hash again changes nothing. Returns whether it was new."""
        row = (
            bars.data_hash,
            bars.source,
            bars.frame,
            bars.adjust,
            bars.symbols,
            bars.rows,
            bars.first_ts,
            bars.last_ts,
        )
        async with transaction(self._pool, self._write_s) as connection:
            done = await connection.execute(_RECORD, (*row, Jsonb(dict(bars.quarantined)), bars.loaded_at))
            return done.rowcount == 1

    async def listing(self, limit: int = 100) -> list[BarSet]:
        """The newest loads first."""
        async with (
            transaction(self._pool, self._read_s) as connection,
            connection.cursor(row_factory=class_row(BarSet)) as rows,
        ):
            await rows.execute(_LISTING, (limit,))
            return await rows.fetchall()
