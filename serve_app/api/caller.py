"""Who calls a route and whether it may: the dependencies every protected route declares.

`Annotated[Principal, Depends(require(Permission.READ))]` proves the caller, counts the request against its limit, and
refuses what it may not do.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer

from data.contracts.errors import Forbidden, Unauthenticated
from serve_app.api.services import Services
from serve_app.auth.access import Permission, Principal

RATE_LIMIT = "gs_rate_limit"  # where the middleware finds what is left, in the request's state

_bearer = OAuth2PasswordBearer(
    tokenUrl="/v1/auth/token",
    scheme_name="login",
    description="An access token from a login, or an API key.",
    scopes={"offline": "for programs: the refresh token comes in the body, and no cookie is set"},
    auto_error=False,
)
_key = APIKeyHeader(name="X-API-Key", scheme_name="key", description="An API key: gs_….", auto_error=False)

Bearer = Annotated[str | None, Depends(_bearer)]
Key = Annotated[str | None, Depends(_key)]


def services_of(request: Request) -> Services:
    """The services of this process."""
    found = request.app.state.services
    assert isinstance(found, Services)
    return found


def require(
    permission: Permission | None = None, *, login: bool = False
) -> Callable[[Request, str | None, str | None], Awaitable[Principal]]:
    """A dependency that gives the caller.

    permission: what it must be allowed to do; None: being known is enough.
    login:      an API key is not enough: what is done must be done by a person.
    Raises (in the request): Unauthenticated, TooMany, Forbidden naming what is missing.
    """

    async def caller(request: Request, bearer: Bearer, key: Key) -> Principal:
        services = services_of(request)
        proof = bearer or key
        if not proof:
            raise Unauthenticated("send an access token or an API key in the header Authorization: Bearer …")
        principal = await services.accounts.authenticate(proof)
        request.scope.setdefault("state", {})[RATE_LIMIT] = await services.limiter.request(
            principal.user_id, _route(request)
        )
        if permission is not None and not principal.may(permission):
            raise Forbidden(f"this needs the permission {permission.value}, which {principal.name} does not have here")
        if login and principal.key_id is not None:
            raise Forbidden("this cannot be done with an API key; log in with a password")
        return principal

    return caller


def address_of(request: Request) -> str | None:
    """Where a request comes from; None when that is not known.

    A proxy on this machine is believed: the last address in X-Forwarded-For is the one it saw itself.
    """
    peer = request.client.host if request.client is not None else None
    told = request.headers.get("x-forwarded-for")
    if told is None or peer is None or not _address(peer, loopback=True):
        return peer
    last = told.rpartition(",")[2].strip()
    return last if _address(last) else peer


def _route(request: Request) -> str:
    path = getattr(request.scope.get("route"), "path", "unknown")
    return f"{request.method} {path}"


def _address(text: str, *, loopback: bool = False) -> bool:
    try:
        return ipaddress.ip_address(text).is_loopback or not loopback
    except ValueError:
        return False
