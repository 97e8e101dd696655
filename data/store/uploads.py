"""Bars that clients uploaded: one row per hash of the bytes. The bytes themselves lie in the lake."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from data.contracts.errors import Conflict
from data.store.pool import Connection, Pool, transaction

_RECORD = """INSERT INTO bar_upload
    (data_hash, owner, frame, symbols, rows, first_ts, last_ts, quarantined, uploaded_at, bytes)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (data_hash) DO NOTHING"""
_GET = """SELECT data_hash, owner, frame, symbols, rows, first_ts, last_ts, quarantined, uploaded_at, bytes
    FROM bar_upload WHERE data_hash = %s"""
_HAS = "SELECT 1 FROM bar_upload WHERE data_hash = %s"
_KEPT = "SELECT coalesce(sum(bytes), 0)::bigint FROM bar_upload WHERE owner = %s"
_TURNS = "SELECT pg_advisory_xact_lock(hashtextextended('goldensignals.upload.' || %s, 0))"


@dataclass(frozen=True)
class Upload:
    """One upload. `rows`: bars that passed; `quarantined`: reason -> rows that did not. Times UTC.

    `bytes`: size of what was sent; 0 where that was not written down.
    """

    data_hash: str
    owner: str
    frame: str
    symbols: list[str]
    rows: int
    first_ts: datetime
    last_ts: datetime
    quarantined: Mapping[str, int]
    uploaded_at: datetime
    bytes: int


class UploadStore:
    """The uploads ever accepted."""

    def __init__(self, pool: Pool, *, write_s: float = 30.0, read_s: float = 10.0) -> None:
        self._pool, self._write_s, self._read_s = pool, write_s, read_s

    async def require_room(self, data_hash: str, size: int, *, owner: str, total: int) -> None:
        """Raise Conflict when so many bytes more are over the owner's `total`; those of a known upload are not more."""
        async with transaction(self._pool, self._read_s) as connection:
            await _require_room(connection, data_hash, size, owner, total)

    async def record(self, upload: Upload, *, total: int) -> bool:
        """Write an upload down; the same bytes again change nothing. Returns whether it was new.

        Raises: Conflict when the owner's uploads would be over `total` bytes, also when several come at the same time.
        """
        u = upload
        row = (u.data_hash, u.owner, u.frame, u.symbols, u.rows, u.first_ts, u.last_ts)
        async with transaction(self._pool, self._write_s) as connection:
            await connection.execute(_TURNS, (u.owner,))
            await _require_room(connection, u.data_hash, u.bytes, u.owner, total)
            done = await connection.execute(_RECORD, (*row, Jsonb(dict(u.quarantined)), u.uploaded_at, u.bytes))
            return done.rowcount == 1

    async def get(self, data_hash: str) -> Upload | None:
        """One upload, or None."""
        async with (
            transaction(self._pool, self._read_s) as connection,
            connection.cursor(row_factory=class_row(Upload)) as rows,
        ):
            await rows.execute(_GET, (data_hash,))
            return await rows.fetchone()


async def _require_room(connection: Connection, data_hash: str, size: int, owner: str, total: int) -> None:
    if await (await connection.execute(_HAS, (data_hash,))).fetchone() is not None:
        return
    row = await (await connection.execute(_KEPT, (owner,))).fetchone()
    kept = int(row[0]) if row else 0
    if kept + size > total:
        raise Conflict(
            f"your uploads take {kept:,} of {total:,} bytes and this one would take {size:,} more; scan bars that are "
            "there already, or ask the operator to raise GS_API__UPLOAD_TOTAL_BYTES"
        )
