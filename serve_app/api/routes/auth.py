"""Logins: tokens, refresh, logout, who am I, own password, websocket tickets. In the gateway as well as on Serve."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import Field

from data.contracts.errors import Forbidden, Unauthenticated
from serve_app.api.caller import address_of, require, services_of
from serve_app.api.models import MeView, PasswordChange, TicketView, TokenView, Wire
from serve_app.auth.access import Permission, Principal
from serve_app.auth.accounts import Login
from serve_app.auth.origins import Origins

COOKIE = "gs_refresh"
OFFLINE = "offline"
_PATH = "/v1/auth"

router = APIRouter(prefix="/auth", tags=["auth"])


class RefreshToken(Wire):
    """The refresh token of a program; browsers send theirs as a cookie."""

    refresh_token: str = Field(max_length=4096)


def own_page(request: Request) -> None:
    """Refuse a page of somebody else: it must not use a user's cookie, or set one. Raises Forbidden."""
    origin = request.headers.get("origin")
    if origin is None:
        if request.headers.get("sec-fetch-site") != "cross-site":
            return
    elif Origins(services_of(request).settings).permits(origin, request.headers.get("host", "")):
        return
    raise Forbidden("this page is not ours; an operator can list its origin in GS_AUTH__CORS_ORIGINS")


Anyone = Annotated[Principal, Depends(require())]
Person = Annotated[Principal, Depends(require(login=True))]
Streamer = Annotated[Principal, Depends(require(Permission.STREAM))]


@router.post("/token", dependencies=[Depends(own_page)])
async def log_in(
    request: Request, response: Response, form: Annotated[OAuth2PasswordRequestForm, Depends()]
) -> TokenView:
    """Log in with name and password. With scope `offline` the refresh token is in the answer, else in a cookie."""
    services = services_of(request)
    await services.limiter.login(form.username, address_of(request))
    login = await services.accounts.login(form.username, form.password, offline=OFFLINE in form.scopes)
    return _handed_out(login, request, response)


@router.post("/refresh", dependencies=[Depends(own_page)])
async def refresh(request: Request, response: Response, body: RefreshToken | None = None) -> TokenView:
    """A new access token, and a new refresh token in place of the one that was sent (cookie or body)."""
    services = services_of(request)
    await services.limiter.request(f"address:{address_of(request)}", "refresh")
    token = body.refresh_token if body is not None else request.cookies.get(COOKIE)
    if not token:
        raise Unauthenticated("there is no login to refresh; log in first")
    return _handed_out(await services.accounts.refresh(token), request, response)


@router.post("/logout", status_code=204, dependencies=[Depends(own_page)])
async def log_out(request: Request, response: Response, body: RefreshToken | None = None) -> None:
    """End the login of the refresh token (cookie or body). There need not be one."""
    services = services_of(request)
    await services.limiter.request(f"address:{address_of(request)}", "logout")
    token = body.refresh_token if body is not None else request.cookies.get(COOKIE)
    if token:
        await services.accounts.logout(token)
    response.delete_cookie(COOKIE, path=_PATH, secure=_is_https(request), httponly=True, samesite="strict")


@router.get("/me")
async def me(caller: Anyone) -> MeView:
    """Who the caller is and what it may do."""
    permissions = [permission.value for permission in Permission if caller.may(permission)]
    return MeView(name=caller.name, role=caller.role, permissions=permissions, key_id=caller.key_id)


@router.post("/password", dependencies=[Depends(own_page)])
async def change_password(caller: Person, body: PasswordChange, request: Request, response: Response) -> TokenView:
    """A new password of one's own. All logins end; the answer is a new one."""
    services = services_of(request)
    await services.limiter.login(caller.name, address_of(request))
    login = await services.accounts.set_password(caller, body.old, body.new, offline=False)
    return _handed_out(login, request, response)


@router.post("/ticket")
async def ticket(caller: Streamer, request: Request) -> TicketView:
    """A one-time ticket for the websocket, bound to the caller and to the page it asks from."""
    services = services_of(request)
    text = await services.tickets.issue(caller, request.headers.get("origin"))
    return TicketView(ticket=text, expires_in=services.tickets.seconds, port=services.settings.gateway_port)


def _handed_out(login: Login, request: Request, response: Response) -> TokenView:
    if not login.offline:
        response.set_cookie(
            COOKIE,
            login.refresh_token,
            max_age=login.refresh_seconds,
            path=_PATH,
            secure=_is_https(request),
            httponly=True,
            samesite="strict",
        )
    return TokenView(
        access_token=login.access_token,
        expires_in=login.expires_in,
        name=login.name,
        role=login.role,
        refresh_token=login.refresh_token if login.offline else None,
    )


def _is_https(request: Request) -> bool:
    """Also behind a proxy that ends TLS: who lies about it only keeps the cookie from themselves."""
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
