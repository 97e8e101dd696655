"""Real servers for the tests that need them: one PostgreSQL and one Redis per session, in a home of their own."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
import pytest
import pytest_asyncio
from pwdlib import PasswordHash

from data.embedded.postgres import EmbeddedPostgres
from data.embedded.redis import EmbeddedRedis
from data.home import Home
from data.store.migrate import migrate
from data.store.pool import Pool, open_pool
from tests.integration.people import PASSWORD

MakeDisk = Callable[[int], Path]


def remove_sockets(home: Path) -> None:
    """A home's sockets lie in the temporary directory, and one home per test would fill it."""
    scratch = Home(home).scratch
    for folder in (scratch, scratch.with_name(f"{scratch.name}-pg")):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def session_home() -> Iterator[Path]:
    """Outside pytest's own folder: that one is closed to the system user PostgreSQL runs as when we are root."""
    with TemporaryDirectory(prefix="gs-test-") as folder:
        yield Path(folder)
        remove_sockets(Path(folder))


@pytest.fixture
def home() -> Iterator[Path]:
    with TemporaryDirectory(prefix="gs-test-") as folder:
        yield Path(folder) / "home"
        remove_sockets(Path(folder) / "home")


@pytest.fixture(scope="session")
def postgres_template(session_home: Path) -> Path:
    """A home whose PostgreSQL was initialised once: initdb for every test would be most of their time."""
    template = session_home / "template"
    server = EmbeddedPostgres(template)
    server.start()
    server.stop()
    remove_sockets(template)
    return template


@pytest.fixture
def ready_home(home: Path, postgres_template: Path) -> Path:
    """A home whose PostgreSQL need not be initialised any more."""
    subprocess.run(["cp", "-a", str(postgres_template), str(home)], check=True)
    return home


@pytest.fixture
def small_disk(home: Path) -> Iterator[MakeDisk]:
    """Mounts a file system of so many MiB as the home; skips where that is not permitted."""
    mounted = []

    def mount(mib: int) -> Path:
        home.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0755", "tmpfs", str(home)]
        if os.geteuid() != 0 or subprocess.run(command, check=False).returncode != 0:
            pytest.skip("mounting is not permitted here")
        mounted.append(home)
        return home

    yield mount
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture(scope="session")
def postgres_server(session_home: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(session_home)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_url(postgres_server: EmbeddedPostgres) -> str:
    return postgres_server.url


@pytest.fixture(scope="session")
def redis_url(session_home: Path) -> Iterator[str]:
    server = EmbeddedRedis(session_home)
    yield server.start()
    server.stop()


@pytest.fixture
def schema_url(postgres_url: str) -> Iterator[str]:
    """An empty schema of the session's database, dropped afterwards: tests share the server, not their rows."""
    schema = f"test_{uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        yield f"{postgres_url}&options=-csearch_path%3D{schema}"
        connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())


@pytest.fixture
def store_url(schema_url: str) -> str:
    migrate(schema_url)
    return schema_url


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Of everybody's password; to make it takes a while."""
    return PasswordHash.recommended().hash(PASSWORD)


@pytest_asyncio.fixture
async def pool(store_url: str) -> AsyncIterator[Pool]:
    opened = await open_pool(store_url, size=6, connect_s=10)
    yield opened
    await opened.close()
