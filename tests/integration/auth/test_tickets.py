"""Tickets for the websocket: once, for seconds, for one user and one page."""

import asyncio

import pytest
from httpx import AsyncClient

from data.contracts.errors import TemporarilyUnavailable, Unauthenticated
from data.embedded.redis import EmbeddedRedis
from data.stream.redis import open_redis
from serve_app.auth.access import Permission, Principal
from serve_app.auth.tickets import Tickets
from tests.integration.auth.site import API, ELSEWHERE, Site, bearer


async def test_a_ticket_says_who_it_was_given_to(site: Site, client: AsyncClient) -> None:
    login = bearer(await site.login("trader"))
    answer = await client.post("/v1/auth/ticket", headers={**login, "Origin": API})
    assert answer.status_code == 200
    body = answer.json()
    assert {**body, "ticket": ""} == {"ticket": "", "expires_in": 30, "port": 8001, "path": "/ws"}
    found = await site.services.tickets.redeem(body["ticket"], API)
    assert (found.name, found.role, found.key_id) == ("trader", "trader", None)
    assert found.permissions == {Permission.READ, Permission.STREAM, Permission.RUN}


async def test_a_ticket_of_a_key_keeps_its_scopes(site: Site) -> None:
    key = await site.accounts.add_key("admin", "k", [Permission.STREAM], expires_in_days=1)
    principal = await site.accounts.authenticate(key.text)
    ticket = await site.services.tickets.issue(principal, None)
    assert await site.services.tickets.redeem(ticket, None) == principal


@pytest.mark.parametrize(("issued", "shown"), [(API, ELSEWHERE), (API, None), (None, API)])
async def test_a_ticket_is_refused_and_used_up_by_another_page(
    site: Site, issued: str | None, shown: str | None
) -> None:
    tickets, principal = site.services.tickets, Principal("u", "viewer", "viewer")
    ticket = await tickets.issue(principal, issued)
    for origin in (shown, issued):
        with pytest.raises(Unauthenticated):
            await tickets.redeem(ticket, origin)


async def test_of_many_who_redeem_a_ticket_at_once_one_gets_in(site: Site) -> None:
    ticket = await site.services.tickets.issue(Principal("u", "viewer", "viewer"), None)
    tries = await asyncio.gather(
        *(site.services.tickets.redeem(ticket, None) for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(one, Principal) for one in tries) == 1
    assert sum(isinstance(one, Unauthenticated) for one in tries) == 19


async def test_a_ticket_expires_in_redis_where_only_its_hash_is_kept(site: Site) -> None:
    ticket = await site.services.tickets.issue(Principal("u", "viewer", "viewer"), None)
    (key,) = [key async for key in site.services.redis.scan_iter("gs:ticket:*")]
    assert ticket.encode() not in key
    assert 0 < await site.services.redis.pttl(key) <= 30_000
    await site.services.redis.pexpire(key, 0)
    with pytest.raises(Unauthenticated):
        await site.services.tickets.redeem(ticket, None)


@pytest.mark.parametrize("text", ["", "x", "x" * 43, "x" * 100_000, "\x00" * 43, "é" * 43, "gs:ticket:*" + "x" * 32])
async def test_what_is_no_ticket_is_refused(site: Site, text: str) -> None:
    with pytest.raises(Unauthenticated):
        await site.services.tickets.redeem(text, None)


async def test_without_redis_tickets_are_unavailable(own_redis: EmbeddedRedis) -> None:
    client = open_redis(own_redis.url, command_s=1)
    tickets = Tickets(client, seconds=30)
    ticket = await tickets.issue(Principal("u", "viewer", "viewer"), None)
    own_redis.stop()
    with pytest.raises(TemporarilyUnavailable, match="Redis"):
        await tickets.issue(Principal("u", "viewer", "viewer"), None)
    with pytest.raises(TemporarilyUnavailable, match="Redis"):
        await tickets.redeem(ticket, None)
    await client.aclose()
