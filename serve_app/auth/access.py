"""Who a caller is and what it may do. One table of rights: roles hold permissions, key scopes narrow them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Role = Literal["viewer", "trader", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "trader", "admin")


class Permission(StrEnum):
    """What a route asks for; the names are also the scopes of API keys."""

    READ = "read"  # signals, bars, indicators, agents, jobs, events
    STREAM = "stream"  # tickets for the websocket
    RUN = "run"  # start scans, upload bars, cancel own jobs, steer the replay
    ADMIN = "admin"  # accounts, other people's jobs and keys, restarts of agents


_OF_ROLE: dict[Role, frozenset[Permission]] = {
    "viewer": frozenset({Permission.READ, Permission.STREAM}),
    "trader": frozenset({Permission.READ, Permission.STREAM, Permission.RUN}),
    "admin": frozenset(Permission),
}


@dataclass(frozen=True)
class Principal:
    """A caller that has proved who it is."""

    user_id: str
    name: str
    role: Role
    scopes: frozenset[Permission] | None = None  # of an API key; None: a login, which has all its role has
    key_id: str | None = None
    family: str | None = None  # of a login: what proves it, with the account's epoch at the time
    epoch: int | None = None

    @property
    def permissions(self) -> frozenset[Permission]:
        """The role's permissions, narrowed by the key's scopes."""
        whole = _OF_ROLE[self.role]
        return whole if self.scopes is None else whole & self.scopes

    def may(self, permission: Permission) -> bool:
        """Whether it has this permission."""
        return permission in self.permissions
