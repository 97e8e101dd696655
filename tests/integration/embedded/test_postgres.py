"""PostgreSQL's own ways to fail at start."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from data.contracts.errors import GoldenSignalsError, TemporarilyUnavailable
from data.embedded.postgres import EmbeddedPostgres


@pytest.fixture
def server(ready_home: Path) -> Iterator[EmbeddedPostgres]:
    made = EmbeddedPostgres(ready_home)
    made.start()
    yield made
    made.stop()


def test_it_is_version_18_with_durable_settings_in_utc(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url) as connection:
        row = connection.execute(
            """SELECT current_setting('server_version_num')::int / 10000, current_setting('fsync'),
            current_setting('timezone'), current_setting('data_checksums'), current_user, current_database()"""
        ).fetchone()
    assert row == (18, "on", "UTC", "on", "goldensignals", "goldensignals")


def test_the_role_is_not_a_superuser(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)


def test_a_pid_file_that_names_a_stranger_does_not_stop_the_start(server: EmbeddedPostgres) -> None:
    """After a crash and a reboot the old process id may belong to anything; PostgreSQL alone would refuse."""
    server.stop()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as stranger:
        pid_file = server.data_folder / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n{server.data_folder}\n1700000000\n5432\n/nowhere\n\n 1 1\nready\n")
        server.start()
        assert pid_file.read_text().startswith(f"{server.pid}\n")
        assert stranger.poll() is None


def test_an_interrupted_initdb_is_begun_again(home: Path) -> None:
    draft = home / "postgres.init" / "data"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(home)
    server.start()
    server.stop()
    assert not draft.parent.exists()


def test_a_damaged_data_folder_is_reported_and_left_as_it_was(server: EmbeddedPostgres) -> None:
    server.stop()
    control = server.data_folder / "global" / "pg_control"
    control.write_bytes(bytes(control.stat().st_size))
    before = sorted(path.relative_to(server.data_folder) for path in server.data_folder.rglob("*"))
    with pytest.raises(
        GoldenSignalsError, match=r"(FATAL|PANIC): .*Nothing was deleted.*mv .*restore a backup"
    ) as refusal:
        server.start()
    assert not isinstance(refusal.value, TemporarilyUnavailable)
    assert sorted(path.relative_to(server.data_folder) for path in server.data_folder.rglob("*")) == before
    assert not server.is_alive()


def test_a_folder_that_is_no_data_folder_is_refused(home: Path) -> None:
    server = EmbeddedPostgres(home)
    server.data_folder.mkdir(parents=True)
    (server.data_folder / "letters.txt").write_text("mine")
    with pytest.raises(GoldenSignalsError, match="PG_VERSION is missing"):
        server.start()
    assert (server.data_folder / "letters.txt").read_text() == "mine"


def test_the_data_of_another_major_version_is_refused(server: EmbeddedPostgres) -> None:
    server.stop()
    (server.data_folder / "PG_VERSION").write_text("17\n")
    with pytest.raises(GoldenSignalsError, match="made by PostgreSQL 17 and this program brings 18"):
        server.start()


def test_a_lost_password_file_gets_a_new_password_and_keeps_the_data(server: EmbeddedPostgres) -> None:
    old = server.url
    with psycopg.connect(old) as connection:
        connection.execute("CREATE TABLE kept ()")
    server.stop()
    (server.home.secrets / "postgres").unlink()
    with psycopg.connect(server.start()) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    assert server.url != old


def test_a_password_file_of_another_server_is_reported_with_the_repair(server: EmbeddedPostgres) -> None:
    server.stop()
    secret = server.home.secrets / "postgres"
    secret.write_text("f" * 64)
    with pytest.raises(GoldenSignalsError, match=r"refuses its own password.* remove .*secrets/postgres"):
        server.start()
    secret.unlink()
    server.start()
    assert server.is_alive()


def test_a_socket_folder_of_somebody_else_is_refused(home: Path, server: EmbeddedPostgres) -> None:
    server.stop()
    folder = server.home.scratch.with_name(f"{server.home.scratch.name}-pg")
    folder.rmdir()
    folder.symlink_to(home)
    try:
        with pytest.raises(GoldenSignalsError, match="belongs to somebody else"):
            server.start()
    finally:
        folder.unlink()


def test_a_disk_that_fills_up_during_the_first_start_is_reported(small_disk: Callable[[int], Path]) -> None:
    disk = small_disk(24)  # less than an empty PostgreSQL takes
    server = EmbeddedPostgres(disk, min_free_bytes=1024**2)
    with pytest.raises(TemporarilyUnavailable, match=r"needs 1 MiB of free space on the disk .*none is left"):
        server.start()
    assert not server.data_folder.exists()
    assert not (disk / "postgres.init").exists()
