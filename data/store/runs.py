"""Results of research, by their id: the same id stands for the same bits, so a result is stored once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from data.store.pool import Pool, transaction

_ADD = """INSERT INTO run (result_id, kind, title, spec, metrics, owner, job_id, created_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (result_id) DO NOTHING"""
_FIND = """SELECT result_id, kind, title, spec, metrics, owner, job_id, created_at FROM run
    WHERE starts_with(result_id, %(id)s) ORDER BY result_id <> %(id)s LIMIT 2"""
_LISTING = """SELECT result_id, kind, title, spec, metrics, owner, job_id, created_at FROM run
    WHERE (%(kind)s::text IS NULL OR kind = %(kind)s)
        AND (%(at)s::timestamptz IS NULL OR (created_at, result_id) < (%(at)s, %(id)s))
    ORDER BY created_at DESC, result_id DESC LIMIT %(limit)s"""


@dataclass(frozen=True)
class Run:
    """A result. spec: all it depends on; metrics: what it found, plain JSON; its tables lie in the runs' folder."""

    result_id: str
    kind: str
    title: str
    spec: Mapping[str, Any]
    metrics: Mapping[str, Any]
    owner: str
    job_id: str | None
    created_at: datetime


class RunStore:
    """Every result that was kept."""

    def __init__(self, pool: Pool, *, write_s: float = 30.0, read_s: float = 10.0) -> None:
        self._pool, self._write_s, self._read_s = pool, write_s, read_s

    async def add(self, run: Run) -> bool:
        """Keep a result; a known id changes nothing. Whether it was new."""
        row = (run.result_id, run.kind, run.title, Jsonb(dict(run.spec)), Jsonb(dict(run.metrics)))
        async with transaction(self._pool, self._write_s) as connection:
            done = await connection.execute(_ADD, (*row, run.owner, run.job_id, run.created_at))
            return done.rowcount == 1

    async def get(self, result_id: str) -> Run | None:
        """The result of this id, or of the only one that begins with it; None: there is none, or more than one."""
        found = await self._rows(_FIND, {"id": result_id})
        exact = [run for run in found if run.result_id == result_id]
        return (exact or found)[0] if exact or len(found) == 1 else None

    async def listing(
        self, *, kind: str | None = None, before: tuple[datetime, str] | None = None, limit: int = 100
    ) -> list[Run]:
        """The newest first. before: (created_at, result_id) of the last one of a page."""
        at, last = before or (None, None)
        return await self._rows(_LISTING, {"kind": kind, "at": at, "id": last, "limit": limit})

    async def _rows(self, statement: LiteralString, values: Mapping[str, object]) -> list[Run]:
        async with (
            transaction(self._pool, self._read_s) as connection,
            connection.cursor(row_factory=class_row(Run)) as rows,
        ):
            await rows.execute(statement, values)
            return await rows.fetchall()
