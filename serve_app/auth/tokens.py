"""Access tokens: short-lived JWTs (HS256). Only a token that looks exactly like one of ours is read."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Literal

import jwt
from jwt.types import Options
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data.clock import Clock
from data.contracts.errors import InvalidInput, Unauthenticated

_ALGORITHM = "HS256"
_HEADER = {"alg": _ALGORITHM, "typ": "at+jwt"}  # RFC 9068: no other kind of JWT is an access token
_ISSUER: Literal["goldensignals"] = "goldensignals"
_AUDIENCE: Literal["goldensignals.api"] = "goldensignals.api"
_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_SECRET_BYTES = 32  # what HS256 needs at least
_TOKEN_LENGTH = 1024
_SKEW_S = 30
_KEY = re.compile(r"gs_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_OPTIONS: Options = {
    "require": ["iss", "aud", "sub", "sid", "epoch", "iat", "exp"],
    "strict_aud": True,
    "verify_exp": False,  # times are checked here, against the clock that was passed in
    "verify_iat": False,
    "verify_nbf": False,
}


class Claims(BaseModel):
    """What an access token says. `sub`: user id; `sid`: the login; `epoch`: of the account; times in seconds."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    iss: Literal["goldensignals"] = _ISSUER
    aud: Literal["goldensignals.api"] = _AUDIENCE
    sub: str = Field(pattern=_UUID)
    sid: str = Field(pattern=_UUID)
    epoch: int
    iat: int
    exp: int


class AccessTokens:
    """Makes and reads access tokens. Raises InvalidInput for a secret too short to sign with."""

    def __init__(self, secret: str, *, minutes: int, clock: Clock) -> None:
        if len(secret.encode()) < _SECRET_BYTES:
            raise InvalidInput(
                f"the secret for access tokens needs {_SECRET_BYTES} bytes; remove the file to get a new one"
            )
        self._secret, self._clock = secret, clock
        self.seconds = minutes * 60

    def issue(self, user_id: str, family: str, epoch: int) -> str:
        """A token for one login, good for `seconds`."""
        now = int(self._clock.now().timestamp())
        claims = Claims(sub=user_id, sid=family, epoch=epoch, iat=now, exp=now + self.seconds)
        return jwt.encode(claims.model_dump(), self._secret, _ALGORITHM, headers=_HEADER)

    def read(self, token: str) -> Claims:
        """The claims of a token that is ours and not over. Raises Unauthenticated."""
        if len(token) > _TOKEN_LENGTH:
            raise refusal()
        try:
            found = jwt.decode_complete(
                token, self._secret, [_ALGORITHM], audience=_AUDIENCE, issuer=_ISSUER, options=_OPTIONS
            )
            claims = Claims.model_validate(found["payload"])
        except (jwt.PyJWTError, ValidationError, UnicodeError):
            raise refusal() from None
        if found["header"] != _HEADER:
            raise refusal()
        now = self._clock.now().timestamp()
        if claims.iat > now + _SKEW_S:
            raise refusal()
        if claims.exp <= now:
            raise Unauthenticated("the access token has expired; refresh the login")
        return claims


def refusal() -> Unauthenticated:
    """The one answer to every token that is not good: it does not tell what was wrong."""
    return Unauthenticated("the access token or API key is not valid; log in again")


def new_refresh_token() -> str:
    """A refresh token: 256 random bits. It says nothing; whose it is stands in the database, under its hash."""
    return secrets.token_urlsafe(32)


def new_key() -> tuple[str, str, str]:
    """(id, secret, whole text) of a new API key `gs_<id>_<secret>`."""
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return key_id, secret, f"gs_{key_id}_{secret}"


def split_key(text: str) -> tuple[str, str]:
    """(id, secret) of an API key. Raises Unauthenticated for what does not look like one."""
    found = _KEY.fullmatch(text)
    if found is None:
        raise refusal()
    return found[1], found[2]


def digest(secret: str) -> bytes:
    """How a refresh token or a key's secret is stored: they are random, so SHA-256 cannot be searched backwards."""
    return hashlib.sha256(secret.encode()).digest()
