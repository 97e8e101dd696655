"""Tokens and keys that are forged, edited, out of date or used for what they are not: every one is a 401."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from serve_app.auth.access import Permission
from serve_app.auth.accounts import Login
from tests.integration.auth.site import SECRET, Site, bearer
from tests.integration.people import PASSWORD

HEADER = {"alg": "HS256", "typ": "at+jwt"}


def encoded(part: object) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: Mapping[str, Any], claims: object, secret: str = SECRET, digest: str = "sha256") -> str:
    """A token put together by hand: a library would refuse to make most of these."""
    body = f"{encoded(header)}.{encoded(claims)}"
    return f"{body}.{encoded(hmac.digest(secret.encode(), body.encode(), digest))}"


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def forgeries(good: str, other: str, refresh: str, ticket: str) -> dict[str, str]:
    """Name -> what is sent as a bearer token. good, other: access tokens of two users."""
    claims, theirs = claims_of(good), claims_of(other)
    head, body, signature = good.split(".")
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    def without(name: str) -> str:
        return signed(HEADER, {key: value for key, value in claims.items() if key != name})

    def having(**changes: object) -> str:
        return signed(HEADER, {**claims, **changes})

    now = claims["iat"]
    return {
        "algorithm none, unsigned": f"{encoded({'alg': 'none', 'typ': 'at+jwt'})}.{body}.",
        "algorithm None in capitals": f"{encoded({'alg': 'NONE', 'typ': 'at+jwt'})}.{body}.",
        "algorithm none, old signature kept": f"{encoded({'alg': 'none', 'typ': 'at+jwt'})}.{body}.{signature}",
        "no algorithm": signed({"typ": "at+jwt"}, claims),
        "HS512 with our secret": signed({"alg": "HS512", "typ": "at+jwt"}, claims, digest="sha512"),
        "HS384 with our secret": signed({"alg": "HS384", "typ": "at+jwt"}, claims, digest="sha384"),
        "RS256 named, HMAC made": signed({"alg": "RS256", "typ": "at+jwt"}, claims),
        "HMAC with a public key as the secret": signed(HEADER, claims, secret=pem),
        "a key brought along in the header": signed(
            {**HEADER, "jwk": {"kty": "oct", "k": encoded(b"0" * 32)}}, claims, "0" * 32
        ),
        "a key to be fetched": signed({**HEADER, "jku": "https://evil.example/keys"}, claims),
        "a key id that is a path": signed({**HEADER, "kid": "../../../../dev/null"}, claims),
        "an unknown critical extension": signed({**HEADER, "crit": ["b64"], "b64": False}, claims),
        "another secret": signed(HEADER, claims, secret="6" * 64),
        "an empty secret": signed(HEADER, claims, secret=""),
        "another kind of JWT": signed({"alg": "HS256", "typ": "JWT"}, claims),
        "no kind": signed({"alg": "HS256"}, claims),
        "expired": having(iat=now - 3600, exp=now - 1),
        "expires now": having(exp=now),
        "expiry as text": having(exp=str(now + 600)),
        "expiry as a fraction": having(exp=now + 600.5),
        "expiry null": having(exp=None),
        "no expiry": without("exp"),
        "issued in the future": having(iat=now + 3600, exp=now + 7200),
        "no time of issue": without("iat"),
        "not before tomorrow": having(nbf=now + 86400),
        "another audience": having(aud="somebody.else"),
        "a list of audiences": having(aud=["goldensignals.api", "somebody.else"]),
        "no audience": without("aud"),
        "another issuer": having(iss="evil"),
        "no issuer": without("iss"),
        "no subject": without("sub"),
        "an unknown subject": having(sub=str(uuid4())),
        "another user's subject": having(sub=theirs["sub"]),
        "another user's login": having(sid=theirs["sid"]),
        "an unknown login": having(sid=str(uuid4())),
        "a login that is no id": having(sid="' OR 1=1 --"),
        "no login": without("sid"),
        "an old epoch": having(epoch=claims["epoch"] - 1),
        "a later epoch": having(epoch=claims["epoch"] + 1),
        "an epoch that is true": having(epoch=True),
        "a role of its own choice": having(role="admin"),
        "claims that are a list": signed(HEADER, [claims]),
        "claims that are no JSON": signed(HEADER, b"{"),
        "edited claims, old signature": f"{head}.{encoded({**claims, 'sub': theirs['sub']})}.{signature}",
        "another token's signature": f"{head}.{body}.{other.split('.')[2]}",
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "four parts": f"{good}.{signature}",
        "one character of the signature changed": f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        "signature cut short": good[:-4],
        "doubled": f"{good}{good}",
        "very long": f"{good}{'A' * 5000}",
        "nothing but dots": "..",
        "a refresh token": refresh,
        "a websocket ticket": ticket,
        "a password": PASSWORD,
        "a key of the right shape": f"gs_{'0' * 12}_{'A' * 43}",
        "a key without a secret": "gs_000000000000_",
        "a key with SQL in it": "gs_' OR 1=1 --_x",
    }


async def test_no_forged_token_is_accepted(site: Site) -> None:
    good, other = await site.login("viewer"), await site.login("admin")
    principal = await site.accounts.authenticate(good.access_token)
    ticket = await site.services.tickets.issue(principal, None)
    assert not await site.refused(bearer(good))
    cases = forgeries(good.access_token, other.access_token, good.refresh_token, ticket)
    assert len(cases) >= 45
    accepted = [name for name, token in cases.items() if not await site.refused(bearer(token))]
    assert accepted == []
    assert not await site.refused(bearer(good))


async def test_what_the_forger_starts_from_would_be_accepted(site: Site) -> None:
    """The tokens above fail for what is wrong with them, not because the tests cannot make a good one."""
    claims = claims_of((await site.login("viewer")).access_token)
    assert not await site.refused(bearer(signed(HEADER, claims)))


async def test_only_a_bearer_token_or_the_key_header_is_looked_at(site: Site) -> None:
    good = (await site.login("viewer")).access_token
    headers = [
        {},
        {"Authorization": good},
        {"Authorization": f"Basic {good}"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer  "},
        {"Cookie": f"gs_refresh={good}"},
        {"Cookie": f"access_token={good}"},
        {"X-API-Key": ""},
    ]
    assert [header for header in headers if not await site.refused(header)] == []


async def test_an_access_token_is_no_refresh_token_and_no_ticket(site: Site) -> None:
    login = await site.login("viewer")
    async with site.client() as client:
        for proof in (login.access_token, "x" * 43, "", "' OR 1=1 --", "\x00"):
            answer = await client.post("/v1/auth/refresh", json={"refresh_token": proof})
            assert answer.status_code == 401, proof
    assert not await site.refused(bearer(login))


async def accepted_until(site: Site, login: Login, end: Callable[[], Any]) -> bool:
    """Whether a token was good before `end` and is refused three seconds after it, as another process sees it."""
    assert not await site.refused(bearer(login))
    await end()
    site.clock.set(site.clock.now() + timedelta(seconds=3))
    return await site.refused(bearer(login))


async def test_access_tokens_end_with_their_login_within_seconds(site: Site) -> None:
    """Changes are made in the database, past this process: another process made them."""
    store, now = site.store, site.clock.now

    async def reused() -> None:
        login = await site.login("trader")
        await site.accounts.refresh(login.refresh_token)

    one = await site.login("viewer")
    assert await accepted_until(site, one, lambda: store.logout(hashlib.sha256(one.refresh_token.encode()).digest()))
    assert await accepted_until(site, await site.login("viewer"), lambda: store.change("viewer", role="trader"))
    assert await accepted_until(site, await site.login("viewer"), lambda: store.change("viewer", active=False))
    assert await accepted_until(site, await site.login("trader"), lambda: store.change("trader", password_hash="x"))
    assert now() > site.clock.now() - timedelta(seconds=1)


async def test_a_revoked_an_expired_and_a_disabled_owners_key_are_refused(site: Site) -> None:
    add = site.accounts.add_key
    kept = await add("trader", "kept", [Permission.READ], expires_in_days=None)
    revoked = await add("trader", "revoked", [Permission.READ], expires_in_days=None)
    short = await add("trader", "short", [Permission.READ], expires_in_days=1)
    theirs = await add("viewer", "theirs", [Permission.READ], expires_in_days=None)
    for made in (kept, revoked, short, theirs):
        assert not await site.refused(bearer(made.text))
        assert not await site.refused({"X-API-Key": made.text})
    await site.store.delete_key(revoked.key.key_id)
    await site.store.change("viewer", active=False)
    site.clock.set(site.clock.now() + timedelta(days=1))
    refused = [await site.refused(bearer(made.text)) for made in (kept, revoked, short, theirs)]
    assert refused == [False, True, True, True]
    mixed = [f"gs_{kept.key.key_id}_{revoked.text[-43:]}", kept.text[:-1] + ("A" if kept.text[-1] != "A" else "B")]
    assert [await site.refused(bearer(text)) for text in mixed] == [True, True]


async def test_a_key_has_its_scopes_and_never_more_than_its_owner(site: Site) -> None:
    reader = await site.accounts.add_key("admin", "reader", [Permission.READ], expires_in_days=1)
    wide = await site.accounts.add_key("viewer", "wide", list(Permission), expires_in_days=1)
    async with site.client() as client:
        for text, may in ((reader.text, ["read"]), (wide.text, ["read", "stream"])):
            me = await client.get("/v1/auth/me", headers=bearer(text))
            assert me.json()["permissions"] == may
            users = await client.get("/v1/users", headers=bearer(text))
            assert users.status_code == 403
            assert "admin" in users.json()["detail"]
        denied = await client.post("/v1/auth/ticket", headers=bearer(reader.text))
    assert denied.status_code == 403
    assert "stream" in denied.json()["detail"]


async def test_a_demoted_owners_key_loses_what_the_owner_lost(site: Site) -> None:
    made = await site.accounts.add_key("admin", "root", list(Permission), expires_in_days=1)
    await site.store.change("trader", role="admin")
    async with site.client() as client:
        assert (await client.get("/v1/users", headers=bearer(made.text))).status_code == 200
        await site.store.change("admin", role="viewer")
        site.clock.set(site.clock.now() + timedelta(seconds=3))
        assert (await client.get("/v1/users", headers=bearer(made.text))).status_code == 403
