"""The routes of accounts on real servers: PostgreSQL and Redis embedded, requests without a network."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import LiteralString

import pytest
import pytest_asyncio
from httpx import AsyncClient

from data.clock import ManualClock
from data.embedded.redis import EmbeddedRedis
from data.settings import ApiSettings, AuthSettings, Settings
from data.store.accounts import AccountStore
from data.store.pool import Pool
from serve_app.api.compute import NoCompute
from serve_app.api.open import open_services
from serve_app.auth.access import ROLES
from serve_app.auth.accounts import Accounts
from tests.integration.auth.site import SECRET, Count, Site, build
from tests.integration.people import account, settings_of


@pytest.fixture
def settings(tmp_path: Path, store_url: str, redis_url: str) -> Settings:
    return settings_of(
        tmp_path,
        store_url,
        redis_url,
        api=ApiSettings(body_bytes=64 * 1024, upload_bytes=1024**2),
        auth=AuthSettings(cors_origins=("https://desk.example",)),
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime.now(UTC).replace(microsecond=0))


@pytest_asyncio.fixture
async def site(pool: Pool, settings: Settings, clock: ManualClock, password_hash: str) -> AsyncIterator[Site]:
    """The services as they are opened everywhere, but for the clock of the accounts, which the tests set."""
    store = AccountStore(pool)
    for role in ROLES:
        await store.add(account(role, role, password_hash, clock.now()))
    accounts = Accounts(store, secret=SECRET, settings=settings.auth, clock=clock)
    async with open_services(settings, NoCompute()) as opened:
        services = replace(opened, accounts=accounts)
        await services.redis.flushdb()  # limits of the tests before
        yield Site(build(settings, services), services, accounts, store, clock)


@pytest_asyncio.fixture
async def client(site: Site) -> AsyncIterator[AsyncClient]:
    async with site.client() as opened:
        yield opened


@pytest.fixture
def rows(pool: Pool) -> Count:
    """The one value that a query gives."""

    async def value(query: LiteralString) -> object:
        async with pool.connection() as connection:
            (found,) = await (await connection.execute(query)).fetchone() or (None,)
        return found

    return value


@pytest_asyncio.fixture
async def fresh(pool: Pool, settings: Settings, clock: ManualClock) -> AsyncIterator[Site]:
    """A site where nobody has an account yet."""
    store = AccountStore(pool)
    accounts = Accounts(store, secret=SECRET, settings=settings.auth, clock=clock)
    async with open_services(settings, NoCompute()) as opened:
        services = replace(opened, accounts=accounts)
        yield Site(build(settings, services), services, accounts, store, clock)


@pytest.fixture
def own_redis(home: Path) -> Iterator[EmbeddedRedis]:
    """A Redis that the test may kill."""
    server = EmbeddedRedis(home)
    server.start()
    yield server
    server.stop()
