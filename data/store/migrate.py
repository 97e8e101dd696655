"""The schema, forward only: numbered SQL files, each applied once, in order, in a transaction of its own.

What was applied is written down with a checksum. A database that is newer than this program, or whose migration was
edited afterwards, is refused before anything is changed.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import psycopg

from data.contracts.errors import GoldenSignalsError
from data.store.pool import connect_options, require_url, unavailable

_STATEMENT_TIMEOUT = "SELECT set_config('statement_timeout', %s, false)"
_LOCK = "SELECT pg_advisory_lock(hashtextextended('goldensignals.migrate', 0))"
_TABLE = """CREATE TABLE IF NOT EXISTS migration (
    version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now())"""
_APPLIED = "SELECT version, name, checksum FROM migration ORDER BY version"
_RECORD = "INSERT INTO migration (version, name, checksum) VALUES (%s, %s, %s)"


@dataclass(frozen=True)
class Migration:
    """One numbered file: `0001_store.sql` is version 1."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> tuple[Migration, ...]:
    """The migrations this program brings, in order."""
    found = (entry for entry in (files("data.store") / "migrations").iterdir() if entry.name.endswith(".sql"))
    return tuple(
        Migration(int(entry.name.partition("_")[0]), entry.name, entry.read_text())
        for entry in sorted(found, key=lambda entry: entry.name)
    )


def migrate(
    url: str, steps: Sequence[Migration] | None = None, *, connect_s: float = 10.0, wait_s: float = 60.0
) -> int:
    """Bring the database up to date and return its version. Safe when several processes start together.

    wait_s: how long to wait for another process that migrates, and how long one statement may take.
    Raises: TemporarilyUnavailable when PostgreSQL is not to be had; GoldenSignalsError when the database is newer than
            this program or an applied migration was edited; nothing is changed then.
    """
    require_url(url)
    wanted = migrations() if steps is None else tuple(steps)
    try:
        with psycopg.connect(url, **connect_options(connect_s)) as connection:
            connection.execute(_STATEMENT_TIMEOUT, (str(round(wait_s * 1000)),))
            connection.execute(_LOCK)  # of the session: freed with the connection, also by a kill
            connection.execute(_TABLE)
            applied = connection.execute(_APPLIED).fetchall()
            _check(wanted, applied)
            for step in wanted[len(applied) :]:
                with connection.transaction():
                    connection.execute(step.sql.encode())
                    connection.execute(_RECORD, (step.version, step.name, step.checksum))
    except psycopg.OperationalError as problem:
        raise unavailable(problem, wait_s) from problem
    except psycopg.Error as problem:
        raise GoldenSignalsError(
            f"PostgreSQL refused to change the schema and kept it as it was: {problem}"
        ) from problem
    return wanted[-1].version


def _check(wanted: Sequence[Migration], applied: Sequence[tuple[int, str, str]]) -> None:
    if len(applied) > len(wanted):
        raise GoldenSignalsError(
            f"this database was made by a newer version of the program ({applied[-1][1]}); update the program"
        )
    for step, (version, name, checksum) in zip(wanted, applied, strict=False):
        if (step.version, step.checksum) != (version, checksum):
            raise GoldenSignalsError(
                f"the migration {name} was applied to this database and differs in this program; restore the file "
                "and put the change into a new one"
            )
