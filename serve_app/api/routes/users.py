"""Accounts, for admins. Reading is mounted everywhere, changing on Serve only."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from data.store.accounts import Account
from serve_app.api.caller import require, services_of
from serve_app.api.models import Page, UserChange, UserCreate, UserView
from serve_app.auth.access import Permission, Principal

router = APIRouter(prefix="/users", tags=["users"])
work = APIRouter(prefix="/users", tags=["users"])

Admin = Annotated[Principal, Depends(require(Permission.ADMIN))]


@router.get("")
async def users(_caller: Admin, request: Request) -> Page[UserView]:
    """All accounts by name, on one page."""
    return Page(items=[_view(account) for account in await services_of(request).accounts.users()])


@work.post("", status_code=201)
async def add_user(_caller: Admin, body: UserCreate, request: Request) -> UserView:
    """A new account."""
    return _view(await services_of(request).accounts.add_user(body.name, body.password, body.role))


@work.patch("/{name}")
async def change_user(_caller: Admin, name: str, body: UserChange, request: Request) -> UserView:
    """Change role, password or whether the account is active. The user's logins end within seconds."""
    accounts = services_of(request).accounts
    return _view(await accounts.change_user(name, role=body.role, active=body.active, password=body.password))


def _view(account: Account) -> UserView:
    return UserView(name=account.name, role=account.role, active=account.active, created_at=account.created_at)
