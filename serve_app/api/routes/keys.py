"""API keys: one's own, and for admins everybody's. Keys are made and revoked by people, not by other keys."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from data.contracts.errors import Forbidden
from data.store.accounts import ApiKey
from serve_app.api.caller import require, services_of
from serve_app.api.models import KeyCreate, KeyCreated, KeyView, Page
from serve_app.auth.access import Permission, Principal

router = APIRouter(prefix="/keys", tags=["keys"])
work = APIRouter(prefix="/keys", tags=["keys"])

Reader = Annotated[Principal, Depends(require(Permission.READ))]
Person = Annotated[Principal, Depends(require(login=True))]
Owner = Annotated[str | None, Query(max_length=64, description="for admins: a user, or * for all; default: yourself")]


@router.get("")
async def keys(caller: Reader, request: Request, owner: Owner = None) -> Page[KeyView]:
    """Keys without their secrets, by age, on one page."""
    wanted = caller.name if owner is None else owner
    if wanted.lower() != caller.name.lower() and not caller.may(Permission.ADMIN):
        raise Forbidden(f"the keys of others need the permission {Permission.ADMIN.value}")
    found = await services_of(request).accounts.keys(None if wanted == "*" else wanted)
    return Page(items=[_view(key) for key in found])


@work.post("", status_code=201)
async def add_key(caller: Person, body: KeyCreate, request: Request) -> KeyCreated:
    """A new key of one's own. Its text is in this answer and nowhere else."""
    scopes = [Permission(scope) for scope in body.scopes]
    missing = [scope.value for scope in scopes if not caller.may(scope)]
    if missing:
        raise Forbidden(f"you lack {', '.join(missing)}, so a key of yours cannot have it")
    made = await services_of(request).accounts.add_key(
        caller.name, body.name, scopes, expires_in_days=body.expires_in_days
    )
    return KeyCreated(**_view(made.key).model_dump(), key=made.text)


@work.delete("/{key_id}", status_code=204)
async def revoke_key(caller: Person, key_id: str, request: Request) -> None:
    """Revoke one's own key; an admin, any key. It stops working within seconds."""
    await services_of(request).accounts.delete_key(key_id, by=caller)


def _view(key: ApiKey) -> KeyView:
    return KeyView(
        key_id=key.key_id,
        name=key.name,
        owner=key.owner,
        scopes=[Permission(scope).value for scope in key.scopes],
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
    )
