"""The trial ledger: how many parameter sets were ever evaluated, per strategy family and universe."""

from collections.abc import Sequence
from datetime import datetime

from psycopg.rows import class_row

from data.contracts.trials import TrialCount, TrialTotal, total
from data.store.pool import Connection, Pool, transaction

_COUNT = """INSERT INTO trial_count (chunk_key, family, universe, first_ts, last_ts, trials, mean, m2)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (chunk_key) DO NOTHING"""
_OF = """SELECT chunk_key AS key, family, universe, first_ts, last_ts, trials, mean, m2 FROM trial_count
    WHERE family = %s AND universe = %s AND first_ts <= %s AND last_ts >= %s"""


class TrialStore:
    """The ledger in PostgreSQL."""

    def __init__(self, pool: Pool, *, write_s: float = 30.0, read_s: float = 10.0) -> None:
        self._pool, self._write_s, self._read_s = pool, write_s, read_s

    async def count(self, counts: Sequence[TrialCount]) -> int:
        """Add trials; those whose key is known already add nothing. Returns how many keys were new."""
        async with transaction(self._pool, self._write_s) as connection:
            return await count_trials(connection, counts)

    async def total(self, family: str, universe: str, first_ts: datetime, last_ts: datetime) -> TrialTotal:
        """All trials of a family on a universe in periods that overlap this one."""
        async with (
            transaction(self._pool, self._read_s) as connection,
            connection.cursor(row_factory=class_row(TrialCount)) as rows,
        ):
            await rows.execute(_OF, (family, universe, last_ts, first_ts))
            return total(await rows.fetchall())


async def count_trials(connection: Connection, counts: Sequence[TrialCount]) -> int:
    """The same inside the caller's transaction: a chunk and its trials are written down together."""
    new = 0
    for c in counts:
        row = (c.key, c.family, c.universe, c.first_ts, c.last_ts, c.trials, c.mean, c.m2)
        new += (await connection.execute(_COUNT, row)).rowcount
    return new
