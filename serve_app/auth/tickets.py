"""Tickets for the websocket: a browser cannot send a header with it, and a token in a URL ends up in logs.

A ticket is good once, for some seconds, for one user and one origin. Redis holds its hash only, and beside it which
login or key it was asked for with, so that what it opened can be closed when that ends.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict
from typing import TYPE_CHECKING

from data.contracts.errors import Unauthenticated
from data.stream.redis import in_our_words
from serve_app.auth.access import Permission, Principal
from serve_app.auth.tokens import digest

if TYPE_CHECKING:
    from redis.asyncio import Redis

_PREFIX = "gs:ticket:"
_LENGTH = 43  # of 32 bytes, base64


class Tickets:
    """Issues and redeems tickets. `redis`: a client with deadlines of its own; `seconds`: the life of a ticket."""

    def __init__(self, redis: Redis, *, seconds: int) -> None:
        self._redis, self.seconds = redis, seconds

    async def issue(self, principal: Principal, origin: str | None) -> str:
        """A new ticket. `origin`: of the page it is for; None for a program. Raises TemporarilyUnavailable."""
        ticket = secrets.token_urlsafe(32)
        scopes = None if principal.scopes is None else sorted(principal.scopes)
        row = asdict(principal) | {"scopes": scopes}
        with in_our_words():
            await self._redis.set(_key(ticket), json.dumps([row, origin]), ex=self.seconds)
        return ticket

    async def redeem(self, ticket: str, origin: str | None) -> Principal:
        """Whose ticket it is; it is used up, also when the origin is the wrong one.

        Raises Unauthenticated; TemporarilyUnavailable when Redis is away.
        """
        if len(ticket) != _LENGTH or not ticket.isascii():
            raise _refusal()
        with in_our_words():
            found = await self._redis.getdel(_key(ticket))
        if found is None:
            raise _refusal()
        row, bound = json.loads(found)
        if bound != origin:
            raise _refusal()
        if row["scopes"] is not None:
            row["scopes"] = frozenset(Permission(scope) for scope in row["scopes"])
        return Principal(**row)


def _key(ticket: str) -> str:
    return _PREFIX + digest(ticket).hex()


def _refusal() -> Unauthenticated:
    return Unauthenticated("this ticket is used up, expired or for another page; get a new one: POST /v1/auth/ticket")
