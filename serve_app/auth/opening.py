"""Accounts outside the API: for the command line, and for the first start, which makes the first one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from data.clock import SystemClock
from data.home import JWT_SECRET, Home
from data.settings import Settings
from data.store.accounts import AccountStore
from data.store.pool import open_pool
from serve_app.auth.accounts import Accounts


def signing_secret(settings: Settings) -> str:
    """What signs access tokens: the one of a setting, or the one of the home, made at first use."""
    given = settings.auth.secret
    return Home(settings.home).secret(JWT_SECRET) if given is None else given.get_secret_value()


@asynccontextmanager
async def open_accounts(settings: Settings, url: str) -> AsyncIterator[Accounts]:
    """The accounts in that PostgreSQL, over one connection."""
    s = settings.postgres
    pool = await open_pool(url, size=1, connect_s=s.connect_s)
    try:
        store = AccountStore(pool, write_s=s.write_s, read_s=s.read_s)
        yield Accounts(store, secret=signing_secret(settings), settings=settings.auth, clock=SystemClock())
    finally:
        await pool.close()


async def make_first_admin(settings: Settings, url: str) -> str | None:
    """The random password of the account `admin` that this call has made; None when there are accounts already."""
    async with open_accounts(settings, url) as accounts:
        return await accounts.ensure_admin()
