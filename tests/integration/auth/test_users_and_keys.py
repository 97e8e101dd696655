"""Accounts and keys over HTTP: who may do what, what hostile input does, and what the logs say."""

import asyncio
import logging
from datetime import timedelta
from urllib.parse import quote

import pytest
from httpx import AsyncClient

from serve_app.auth.access import Permission
from tests.integration.auth.site import Count, Site, bearer
from tests.integration.people import PASSWORD

NEW = "a new password of somebody"
HOSTILE = [
    "'; DROP TABLE account; --",
    "' OR '1'='1",
    "admin'--",
    '"; DELETE FROM login; --',
    "%s%s%s",
    "{0.__class__}",
    "$(touch /tmp/owned)",
    "../../etc/passwd",
    "\x00",
    "a\x00b",
    "\u202eadmin",
    "<script>alert(1)</script>",
    "\r\nSet-Cookie: a=b",
    "ａｄｍｉｎ",
]
EVERYTHING = """SELECT md5(coalesce((SELECT json_agg(a ORDER BY user_id)::text FROM account a), '')
    || coalesce((SELECT json_agg(l ORDER BY family)::text FROM login l), '')
    || coalesce((SELECT json_agg(json_build_array(k.key_id, k.scopes) ORDER BY key_id)::text FROM api_key k), ''))"""


async def test_an_admin_makes_changes_and_disables_a_user(site: Site, client: AsyncClient) -> None:
    admin = bearer(await site.login("admin"))
    made = await client.post("/v1/users", headers=admin, json={"name": "Ada", "password": NEW, "role": "trader"})
    assert (made.status_code, made.json()["name"], made.json()["role"]) == (201, "Ada", "trader")
    again = await client.post("/v1/users", headers=admin, json={"name": "ada", "password": NEW})
    assert (again.status_code, again.headers["content-type"]) == (409, "application/problem+json")
    login = await site.accounts.login("ada", NEW, offline=True)
    for change in ({"role": "viewer"}, {"password": NEW + "!"}, {"active": False}):
        changed = await client.patch("/v1/users/ada", headers=admin, json=change)
        assert changed.status_code == 200
        assert await site.refused(bearer(login))
        await client.patch("/v1/users/ada", headers=admin, json={"active": True, "password": NEW})
        login = await site.accounts.login("ada", NEW, offline=True)
    names = [user["name"] for user in (await client.get("/v1/users", headers=admin)).json()["items"]]
    assert names == ["Ada", "admin", "trader", "viewer"]
    assert (await client.patch("/v1/users/nobody", headers=admin, json={"active": False})).status_code == 404
    assert (await client.patch("/v1/users/ada", headers=admin, json={})).status_code == 422


async def test_the_last_active_admin_stays(site: Site, client: AsyncClient) -> None:
    admin = bearer(await site.login("admin"))
    for change in ({"active": False}, {"role": "viewer"}):
        kept = await client.patch("/v1/users/admin", headers=admin, json=change)
        assert kept.status_code == 409
        assert "last active admin" in kept.json()["detail"]
    await site.accounts.change_user("trader", role="admin")
    outcomes = await asyncio.gather(
        site.accounts.change_user("admin", active=False),
        site.accounts.change_user("trader", role="viewer"),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, Exception) for outcome in outcomes) == 1
    assert len([user for user in await site.accounts.users() if user.role == "admin" and user.active]) == 1


async def test_a_key_is_shown_once_used_and_revoked(site: Site, client: AsyncClient) -> None:
    trader = bearer(await site.login("trader"))
    made = await client.post("/v1/keys", headers=trader, json={"name": "desk", "scopes": ["read", "run"]})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    key, key_id = made.json()["key"], made.json()["key_id"]
    me = await client.get("/v1/auth/me", headers={"X-API-Key": key})
    assert (me.json()["permissions"], me.json()["key_id"]) == (["read", "run"], key_id)
    listed = (await client.get("/v1/keys", headers=trader)).json()["items"]
    assert [(one["key_id"], one["owner"]) for one in listed] == [(key_id, "trader")]
    assert listed[0]["last_used_at"] is not None
    assert key[-43:] not in (await client.get("/v1/keys", headers=trader)).text
    assert (await client.delete(f"/v1/keys/{key_id}", headers={"X-API-Key": key})).status_code == 403
    assert (
        await client.post("/v1/keys", headers=bearer(key), json={"name": "n", "scopes": ["read"]})
    ).status_code == 403
    assert (await client.delete(f"/v1/keys/{key_id}", headers=trader)).status_code == 204
    assert await site.refused(bearer(key))


async def test_nobody_makes_a_key_with_rights_they_lack_or_touches_keys_of_others(
    site: Site, client: AsyncClient
) -> None:
    viewer, admin = bearer(await site.login("viewer")), bearer(await site.login("admin"))
    wide = await client.post("/v1/keys", headers=viewer, json={"name": "wide", "scopes": ["read", "admin"]})
    assert (wide.status_code, "admin" in wide.json()["detail"]) == (403, True)
    theirs = (await site.accounts.add_key("trader", "theirs", [Permission.READ], expires_in_days=1)).key.key_id
    for owner in ("trader", "admin", "*"):
        assert (await client.get("/v1/keys", headers=viewer, params={"owner": owner})).status_code == 403
    strange, none = [await client.delete(f"/v1/keys/{key}", headers=viewer) for key in (theirs, "0" * 12)]
    assert strange.status_code == none.status_code == 404
    assert strange.json()["detail"].replace(theirs, "") == none.json()["detail"].replace("0" * 12, "")
    every = await client.get("/v1/keys", headers=admin, params={"owner": "*"})
    assert [key["key_id"] for key in every.json()["items"]] == [theirs]
    assert (await client.get("/v1/keys", headers=admin, params={"owner": "nobody"})).status_code == 404
    assert (await client.delete(f"/v1/keys/{theirs}", headers=admin)).status_code == 204


async def test_hostile_text_in_any_field_changes_nothing(site: Site, client: AsyncClient, rows: Count) -> None:
    admin = bearer(await site.login("admin"))
    before = await rows(EVERYTHING)
    for number, text in enumerate(HOSTILE):
        async with site.client(address=f"203.0.113.{number}") as somebody:  # so that no limit answers in our place
            login = await somebody.post("/v1/auth/token", data={"username": text, "password": text, "scope": text})
        answers = [
            login,
            await client.post("/v1/auth/refresh", json={"refresh_token": text}),
            await client.post("/v1/auth/logout", json={"refresh_token": text}),
            await client.post("/v1/users", headers=admin, json={"name": text, "password": NEW}),
            await client.post("/v1/users", headers=admin, json={"name": "n", "password": NEW, "role": text}),
            await client.request("PATCH", f"/v1/users/{quote(text)}", headers=admin, json={"active": False}),
            await client.patch("/v1/users/viewer", headers=admin, json={"role": text}),
            await client.post("/v1/keys", headers=admin, json={"name": "n", "scopes": [text]}),
            await client.get("/v1/keys", headers=admin, params={"owner": text}),
            await client.delete(f"/v1/keys/{quote(text)}", headers=admin),
        ]
        assert {answer.status_code for answer in answers} <= {204, 401, 403, 404, 405, 422}, text
        assert await rows(EVERYTHING) == before, text
    wrong = await client.post("/v1/auth/password", headers=admin, json={"old": HOSTILE[0], "new": HOSTILE[0]})
    assert wrong.status_code == 403
    assert await rows(EVERYTHING) == before


async def test_a_keys_name_is_kept_as_it_is_or_refused(site: Site, client: AsyncClient) -> None:
    viewer = bearer(await site.login("viewer"))
    for text in HOSTILE:
        made = await client.post("/v1/keys", headers=viewer, json={"name": text, "scopes": ["read"]})
        assert made.status_code == (201 if text.isprintable() else 422), text
        assert made.status_code == 422 or made.json()["name"] == text


async def test_lone_surrogates_and_broken_json_are_refused(site: Site, client: AsyncClient) -> None:
    admin = bearer(await site.login("admin")) | {"Content-Type": "application/json"}
    for body in (b'{"name": "\\ud800", "password": "aaaaaaaaaaaaaaaa"}', b'{"name": ', b"[1]", b"\xff\xfe", b"null"):
        refused = await client.post("/v1/users", headers=admin, content=body)
        assert refused.status_code in (400, 422), body
        assert refused.headers["content-type"] == "application/problem+json"


async def test_no_password_or_token_reaches_a_log_or_an_error(
    site: Site, client: AsyncClient, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    login = await site.login("admin")
    site.clock.set(site.clock.now() + timedelta(seconds=1))  # within one second a refreshed login has the same token
    secret, admin = "hunter2 hunter2", bearer(login)
    answers = [
        await client.post("/v1/auth/token", data={"username": "admin", "password": secret}),
        await client.post("/v1/auth/token", data={"username": secret}),
        await client.post("/v1/users", headers=admin, json={"name": "x", "password": secret, "role": "no"}),
        await client.post("/v1/users", headers=admin, json={"name": "x", "password": [secret]}),
        await client.post("/v1/users", headers=admin, json={"name": "x", "password": secret}),
        await client.patch("/v1/users/x", headers=admin, json={"password": secret + "2"}),
        await client.post("/v1/auth/password", headers=admin, json={"old": secret, "new": secret, "more": secret}),
        await client.post("/v1/auth/refresh", json={"refresh_token": {"is": secret}}),
        await client.post("/v1/auth/refresh", json={"refresh_token": login.refresh_token}),
        await client.get("/v1/auth/me", headers=bearer(login.access_token + secret.replace(" ", ""))),
    ]
    for text in (caplog.text, *capfd.readouterr(), *(answer.text for answer in answers)):
        for hidden in ("hunter2", PASSWORD, login.refresh_token, login.access_token):
            assert hidden not in text
