"""Logging in, refreshing, reuse, logging out, and what a browser's cookie is allowed to do."""

import asyncio
from datetime import timedelta

import pytest
from httpx import AsyncClient

from data.contracts.errors import Unauthenticated
from serve_app.auth.access import Permission
from serve_app.auth.accounts import Login
from tests.integration.auth.site import API, ELSEWHERE, GATEWAY, Count, Site, bearer
from tests.integration.people import PASSWORD

FORM = {"username": "viewer", "password": PASSWORD}


def later(site: Site, seconds: float) -> None:
    site.clock.set(site.clock.now() + timedelta(seconds=seconds))


async def test_a_browser_gets_the_refresh_token_in_a_cookie_that_pages_cannot_read(client: AsyncClient) -> None:
    answer = await client.post("/v1/auth/token", data=FORM)
    assert answer.status_code == 200
    assert answer.json().keys() == {"access_token", "token_type", "expires_in", "name", "role", "refresh_token"}
    assert answer.json()["refresh_token"] is None
    assert answer.json()["expires_in"] == 600
    cookie = answer.headers["set-cookie"]
    for attribute in ("gs_refresh=", "HttpOnly", "Path=/v1/auth", "SameSite=strict", "Max-Age=1209600"):
        assert attribute in cookie
    assert "Secure" not in cookie
    assert answer.headers["cache-control"] == "no-store"


async def test_the_cookie_is_secure_when_the_page_is(client: AsyncClient) -> None:
    for headers in ({"X-Forwarded-Proto": "https"}, {"Host": "gs.test"}):
        answer = await client.post("https://gs.test/v1/auth/token", data=FORM, headers=headers)
        assert "Secure" in answer.headers["set-cookie"]


async def test_a_program_gets_the_refresh_token_in_the_body_and_no_cookie(client: AsyncClient) -> None:
    answer = await client.post("/v1/auth/token", data={**FORM, "scope": "offline"})
    assert "set-cookie" not in answer.headers
    refreshed = await client.post("/v1/auth/refresh", json={"refresh_token": answer.json()["refresh_token"]})
    assert refreshed.status_code == 200
    assert "set-cookie" not in refreshed.headers
    assert refreshed.json()["refresh_token"] != answer.json()["refresh_token"]


async def test_a_browser_refreshes_and_logs_out_with_its_cookie(client: AsyncClient) -> None:
    assert (await client.post("/v1/auth/refresh")).status_code == 401
    await client.post("/v1/auth/token", data=FORM)
    first = client.cookies["gs_refresh"]
    refreshed = await client.post("/v1/auth/refresh")
    assert refreshed.status_code == 200
    assert client.cookies["gs_refresh"] != first
    assert (await client.get("/v1/auth/me", headers=bearer(refreshed.json()["access_token"]))).json() == {
        "name": "viewer",
        "role": "viewer",
        "permissions": ["read", "stream"],
        "key_id": None,
    }
    assert (await client.post("/v1/auth/logout")).status_code == 204
    assert "gs_refresh" not in client.cookies
    assert (await client.post("/v1/auth/refresh")).status_code == 401
    ended = await client.get("/v1/auth/me", headers=bearer(refreshed.json()["access_token"]))
    assert ended.status_code == 401
    assert (await client.post("/v1/auth/logout")).status_code == 204


@pytest.mark.parametrize("path", ["token", "refresh", "logout", "password"])
async def test_another_sites_page_cannot_use_the_cookie(site: Site, client: AsyncClient, path: str) -> None:
    await client.post("/v1/auth/token", data=FORM)
    body = {"old": PASSWORD, "new": PASSWORD} if path == "password" else None
    form = FORM if path == "token" else None
    foreign = [
        {"Origin": ELSEWHERE},
        {"Origin": "null"},
        {"Origin": "http://gs.test:9999"},
        {"Origin": "http://gs.test.evil.example:8000"},
        {"Origin": "http://evil.example@gs.test:8000"},
        {"Sec-Fetch-Site": "cross-site"},
    ]
    login = bearer(await site.login("viewer"))
    for headers in foreign:
        refused = await client.post(f"/v1/auth/{path}", headers={**login, **headers}, data=form, json=body)
        assert refused.status_code == 403, headers
        assert "set-cookie" not in refused.headers
        assert "access-control-allow-origin" not in refused.headers


async def test_our_own_pages_and_listed_ones_may_use_the_cookie(client: AsyncClient) -> None:
    await client.post("/v1/auth/token", data=FORM)
    for origin in (API, GATEWAY, "https://desk.example"):
        answer = await client.post("/v1/auth/refresh", headers={"Origin": origin})
        assert answer.status_code == 200, origin
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-allow-credentials"] == "true"


async def test_a_wrong_password_an_unknown_name_and_a_disabled_user_get_the_same_answer(
    site: Site, client: AsyncClient
) -> None:
    await site.store.change("trader", active=False)
    forms = [
        {"username": "viewer", "password": "wrong"},
        {"username": "nobody", "password": PASSWORD},
        {"username": "trader", "password": PASSWORD},
        {"username": "viewer\x00", "password": PASSWORD},
        {"username": "' OR '1'='1", "password": PASSWORD},
        {"username": "x" * 10_000, "password": "y" * 10_000},
    ]
    answers = [await client.post("/v1/auth/token", data=form) for form in forms]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.json()["detail"] for answer in answers} == {"the user name or the password is wrong"}
    assert all(answer.headers["www-authenticate"].startswith("Bearer") for answer in answers)


async def test_a_refresh_token_that_is_used_again_later_ends_the_whole_login(site: Site) -> None:
    stolen = await site.login("viewer")
    owner = await site.accounts.refresh(stolen.refresh_token)
    bystander = await site.login("viewer")
    later(site, 11)
    with pytest.raises(Unauthenticated, match="two places"):
        await site.accounts.refresh(stolen.refresh_token)
    with pytest.raises(Unauthenticated, match="ended"):
        await site.accounts.refresh(owner.refresh_token)
    assert await site.refused(bearer(owner))
    assert not await site.refused(bearer(bystander))


async def test_a_thief_who_was_faster_is_found_out_by_the_owner(site: Site) -> None:
    first = await site.login("viewer")
    thief = await site.accounts.refresh(first.refresh_token)
    for _ in range(3):
        later(site, 60)
        thief = await site.accounts.refresh(thief.refresh_token)
    with pytest.raises(Unauthenticated, match="two places"):
        await site.accounts.refresh(first.refresh_token)
    with pytest.raises(Unauthenticated):
        await site.accounts.refresh(thief.refresh_token)


async def test_tabs_that_refresh_at_the_same_moment_stay_logged_in(site: Site) -> None:
    login = await site.login("viewer")
    tabs = await asyncio.gather(*(site.accounts.refresh(login.refresh_token) for _ in range(5)))
    assert len({tab.refresh_token for tab in tabs}) == 5
    assert not any([await site.refused(bearer(tab)) for tab in tabs])
    later(site, 600)  # the cookie they share holds one of the five
    assert (await site.accounts.refresh(tabs[3].refresh_token)).name == "viewer"


async def test_a_thief_cannot_live_on_the_grace_of_the_tabs(site: Site) -> None:
    login = await site.login("viewer")
    owner, thief = await asyncio.gather(*(site.accounts.refresh(login.refresh_token) for _ in range(2)))
    later(site, 300)
    owner = await site.accounts.refresh(owner.refresh_token)
    later(site, 11)
    with pytest.raises(Unauthenticated, match="two places"):
        await site.accounts.refresh(thief.refresh_token)
    with pytest.raises(Unauthenticated):
        await site.accounts.refresh(owner.refresh_token)


async def test_a_token_two_generations_old_has_no_grace(site: Site) -> None:
    login = await site.login("viewer")
    second = await site.accounts.refresh(login.refresh_token)
    await site.accounts.refresh(second.refresh_token)
    with pytest.raises(Unauthenticated, match="two places"):
        await site.accounts.refresh(login.refresh_token)


async def test_a_login_that_is_not_used_expires_and_one_that_is_used_does_not(site: Site) -> None:
    idle, used = await site.login("viewer"), await site.login("viewer")
    for _ in range(4):
        later(site, 5 * 86400)
        used = await site.accounts.refresh(used.refresh_token)
    with pytest.raises(Unauthenticated):
        await site.accounts.refresh(idle.refresh_token)
    assert not await site.refused(bearer(used))


async def test_expired_logins_and_old_tokens_are_cleared_away(site: Site, rows: Count) -> None:
    await site.login("viewer")
    login = await site.login("viewer")
    for _ in range(20):
        later(site, 86400)
        login = await site.accounts.refresh(login.refresh_token)
    await site.login("viewer")
    assert await rows("SELECT count(*) FROM login") == 2
    assert await rows("SELECT count(*) <= 16 FROM refresh_token") is True


async def test_a_changed_password_ends_all_logins_but_the_one_that_changed_it(site: Site, client: AsyncClient) -> None:
    other, mine = await site.login("viewer"), await site.login("viewer")
    new = "another password entirely"
    wrong = await client.post("/v1/auth/password", headers=bearer(mine), json={"old": "wrong", "new": new})
    assert (wrong.status_code, wrong.json()["detail"]) == (403, "the old password is wrong; nothing was changed")
    short = await client.post("/v1/auth/password", headers=bearer(mine), json={"old": PASSWORD, "new": "short"})
    assert short.status_code == 422
    assert "short" not in short.text.replace("too_short", "")
    changed = await client.post("/v1/auth/password", headers=bearer(mine), json={"old": PASSWORD, "new": new})
    assert changed.status_code == 200
    assert [await site.refused(bearer(login)) for login in (other, mine)] == [True, True]
    assert not await site.refused(bearer(changed.json()["access_token"]))
    assert (await client.post("/v1/auth/refresh")).status_code == 200
    for password, status in ((PASSWORD, 401), (new, 200)):
        again = await client.post("/v1/auth/token", data={"username": "viewer", "password": password})
        assert again.status_code == status
    key = await site.accounts.add_key("viewer", "k", [Permission.READ], expires_in_days=1)
    by_key = await client.post("/v1/auth/password", headers=bearer(key.text), json={"old": new, "new": PASSWORD})
    assert by_key.status_code == 403


async def test_secrets_are_neither_in_the_database_nor_in_reprs(site: Site, rows: Count) -> None:
    login = await site.login("viewer")
    key = await site.accounts.add_key("viewer", "k", [Permission.READ], expires_in_days=1)
    secret = key.text[-43:]
    everything = await rows(
        "SELECT (SELECT json_agg(a)::text FROM account a) || (SELECT json_agg(l)::text FROM login l)"
        " || (SELECT json_agg(t)::text FROM refresh_token t) || (SELECT json_agg(k)::text FROM api_key k)"
    )
    shown = f"{everything} {login!r} {key!r} {await site.store.by_name('viewer')!r}"
    for hidden in (PASSWORD, login.refresh_token, secret):
        assert hidden not in shown
        assert hidden.encode().hex() not in shown
    assert "argon2id" in str(everything)
    assert login.access_token not in repr(login)


async def test_the_first_start_makes_one_admin_whose_password_is_shown_once(fresh: Site) -> None:
    made = await asyncio.gather(*(fresh.accounts.ensure_admin() for _ in range(3)))
    (password,) = [one for one in made if one is not None]
    assert len(password) >= 20
    login: Login = await fresh.accounts.login("ADMIN", password, offline=True)
    assert (login.name, login.role) == ("admin", "admin")
    assert await fresh.accounts.ensure_admin() is None
