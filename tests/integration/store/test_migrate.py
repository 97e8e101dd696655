"""The schema goes forward, once, whoever starts at the same time."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from data.contracts.errors import GoldenSignalsError, InvalidInput, TemporarilyUnavailable
from data.store.migrate import Migration, migrate, migrations

ROOT = Path(__file__).parents[3]
MIGRATE = "import sys; from data.store.migrate import migrate; print(migrate(sys.stdin.read()))"
EXTRA = Migration(len(migrations()) + 1, "9999_extra.sql", "CREATE TABLE extra (); CREATE TABLE extra_two ()")


def applied(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [version for (version,) in connection.execute("SELECT version FROM migration ORDER BY version")]


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return {name for (name,) in found}


def test_versions_count_from_one_without_a_gap() -> None:
    assert [step.version for step in migrations()] == list(range(1, len(migrations()) + 1))


def test_migrating_again_changes_nothing(schema_url: str) -> None:
    assert migrate(schema_url) == migrate(schema_url) == len(migrations())
    assert applied(schema_url) == [step.version for step in migrations()]


def test_two_processes_that_start_together_migrate_once(schema_url: str) -> None:
    with psycopg.connect(schema_url, autocommit=True) as gate:
        gate.execute("SELECT pg_advisory_lock(hashtextextended('goldensignals.migrate', 0))")
        racers = [
            subprocess.Popen(
                [sys.executable, "-c", MIGRATE], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write(schema_url)
            racer.stdin.close()
            racer.stdin = None
        while gate.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() != (2,):
            assert all(racer.poll() is None for racer in racers)
        gate.execute("SELECT pg_advisory_unlock_all()")
        said = [racer.communicate()[0] for racer in racers]
    assert said == [f"{len(migrations())}\n"] * 2
    assert [racer.returncode for racer in racers] == [0, 0]
    assert applied(schema_url) == [step.version for step in migrations()]


def test_a_later_migration_is_added(schema_url: str) -> None:
    migrate(schema_url)
    assert migrate(schema_url, (*migrations(), EXTRA)) == EXTRA.version
    assert {"extra", "extra_two", "signal"} <= tables(schema_url)


def test_a_failing_migration_leaves_nothing_behind(schema_url: str) -> None:
    broken = replace(EXTRA, sql="CREATE TABLE extra (); SELECT 1 / 0")
    with pytest.raises(GoldenSignalsError, match="division by zero"):
        migrate(schema_url, (*migrations(), broken))
    assert "extra" not in tables(schema_url)
    assert applied(schema_url) == [step.version for step in migrations()]


def test_a_database_newer_than_the_program_is_refused(schema_url: str) -> None:
    migrate(schema_url, (*migrations(), EXTRA))
    with pytest.raises(GoldenSignalsError, match=r"newer version of the program .*update the program"):
        migrate(schema_url)


def test_an_edited_migration_is_refused(schema_url: str) -> None:
    migrate(schema_url, (*migrations(), EXTRA))
    with pytest.raises(GoldenSignalsError, match="was applied to this database and differs"):
        migrate(schema_url, (*migrations(), replace(EXTRA, sql="CREATE TABLE extra ()")))


def test_a_server_that_is_not_there_is_temporarily_unavailable(tmp_path: Path) -> None:
    with pytest.raises(TemporarilyUnavailable, match="PostgreSQL is down") as refusal:
        migrate(f"postgresql://someone:verysecret@/goldensignals?host={tmp_path}", connect_s=2)
    assert "verysecret" not in str(refusal.value)


def test_a_url_that_cannot_be_read_is_refused_without_its_password() -> None:
    with pytest.raises(InvalidInput, match="cannot be read") as refusal:
        migrate(f"postgresql://someone:{'p%zzverysecret'}@localhost/goldensignals")
    assert "verysecret" not in str(refusal.value)
