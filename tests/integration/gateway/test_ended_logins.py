"""A websocket ends with the login or key it was opened with, and not because PostgreSQL is away."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from data.embedded.postgres import EmbeddedPostgres
from data.store.migrate import migrate
from serve_app.auth.access import Permission, Principal
from tests.integration.gateway.client import Client
from tests.integration.gateway.conftest import Running, Starting

PASSWORD = "a password of the tests"


@pytest.fixture
def own_postgres(ready_home: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(ready_home)
    server.start()
    migrate(server.url)
    yield server
    server.stop()


async def logged_in(running: Running, name: str) -> tuple[Principal, str]:
    """Who logged in just now, and its refresh token."""
    login = await running.services.accounts.login(name, PASSWORD, offline=True)
    return await running.services.accounts.authenticate(login.access_token), login.refresh_token


async def test_a_socket_ends_with_its_login_or_key_and_others_stay(running: Running) -> None:
    accounts = running.services.accounts
    for name in ("disabled", "promoted", "renewed", "leaving", "keyed"):
        await accounts.add_user(name, PASSWORD, "viewer")
    callers = {name: (await logged_in(running, name))[0] for name in ("disabled", "promoted", "renewed")}
    callers["leaving"], refresh_token = await logged_in(running, "leaving")
    staying = [(await logged_in(running, "leaving"))[0]]  # another login of the same user
    for name in ("revoked", "kept"):
        key = await accounts.add_key("keyed", name, [Permission.STREAM], expires_in_days=None)
        callers[name] = await accounts.authenticate(key.text)
    staying.append(callers.pop("kept"))
    async with AsyncExitStack() as stack:

        async def enter(caller: Principal) -> Client:
            return await stack.enter_async_context(running.client(principal=caller))

        ending = [await enter(caller) for caller in callers.values()]
        others = [await enter(caller) for caller in staying]
        await accounts.change_user("disabled", active=False)
        await accounts.change_user("promoted", role="trader")
        await accounts.change_user("renewed", password=PASSWORD + "!")
        await accounts.logout(refresh_token)
        assert callers["revoked"].key_id is not None
        await accounts.delete_key(callers["revoked"].key_id, by=None)
        async with asyncio.timeout(10):
            ends = await asyncio.gather(*(client.closed() for client in ending))
        assert {code for code, _ in ends} == {4001}
        assert all("get a new ticket" in reason for _, reason in ends)
        for client in others:
            assert (await client.subscribe(["market"]))["snapshot"] == []


async def test_while_postgresql_is_away_sockets_stay_and_are_looked_at_later(
    starting: Starting, own_postgres: EmbeddedPostgres
) -> None:
    async with starting(postgres_url=own_postgres.url, ping_s=2.0) as running:
        await running.services.accounts.add_user("ana", PASSWORD, "viewer")
        caller, refresh_token = await logged_in(running, "ana")
        async with running.client(principal=caller) as client:
            own_postgres.stop()
            assert (await client.until("stale"))["data"]["server"] == "postgresql"
            for _ in range(4):  # longer than between two looks
                await client.until("ping")
            own_postgres.start()
            assert (await client.until("fresh"))["data"]["server"] == "postgresql"
            await running.services.accounts.logout(refresh_token)
            assert (await client.closed())[0] == 4001
