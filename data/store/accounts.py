"""Accounts, logins and API keys as stored. Secrets arrive here as hashes, and times from the caller's clock.

Every change is one transaction. What ends an account's logins (a new password, a new role, disabling) also adds one to
its epoch, which ends the access tokens that are out.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from data.contracts.errors import Conflict, NotFound
from data.store.pool import Connection, Pool, transaction

_ACCOUNT = "SELECT user_id, name, role, password_hash, active, epoch, created_at FROM account"
_BY_NAME = f"{_ACCOUNT} WHERE lower(name) = lower(%s)"
_LISTING = f"{_ACCOUNT} ORDER BY lower(name)"
_ADD = """INSERT INTO account (user_id, name, role, password_hash, active, epoch, created_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s)"""
_ALONE = "LOCK TABLE account IN SHARE ROW EXCLUSIVE MODE"  # two first starts: one of them makes the admin
_ANY = "SELECT 1 FROM account LIMIT 1"
_ADMINS = "SELECT user_id FROM account WHERE role = 'admin' AND active ORDER BY user_id FOR UPDATE"
_CHANGE = """UPDATE account SET role = coalesce(%(role)s, role), active = coalesce(%(active)s, active),
    password_hash = coalesce(%(password_hash)s, password_hash), epoch = epoch + 1 WHERE user_id = %(user_id)s"""
_REHASH = "UPDATE account SET password_hash = %s WHERE user_id = %s AND password_hash = %s"
_END_LOGINS = "DELETE FROM login WHERE user_id = %s"

_OPEN = "INSERT INTO login (family, user_id, offline, rotated_at, expires_at) VALUES (%s, %s, %s, %s, %s)"
_ISSUE = "INSERT INTO refresh_token (token_hash, family, generation, issued_at) VALUES (%s, %s, %s, %s)"
_PRUNE_LOGINS = "DELETE FROM login WHERE expires_at <= %s"
_PRUNE_TOKENS = "DELETE FROM refresh_token WHERE family = %s AND issued_at <= %s"
_PRESENTED = """SELECT t.generation AS presented, l.generation AS current, l.rotated_at, l.expires_at,
    l.family, l.offline, a.user_id, a.name, a.role, a.active, a.epoch
    FROM refresh_token t JOIN login l USING (family) JOIN account a USING (user_id)
    WHERE t.token_hash = %s FOR UPDATE OF l"""
_ROTATE = "UPDATE login SET generation = generation + 1, rotated_at = %s, expires_at = %s WHERE family = %s"
_END = "DELETE FROM login WHERE family = %s"
_LOGOUT = "DELETE FROM login USING refresh_token t WHERE t.family = login.family AND t.token_hash = %s RETURNING 1"
_OF_LOGIN = """SELECT a.user_id, a.name, a.role, a.password_hash, a.active, a.epoch, a.created_at
    FROM login l JOIN account a USING (user_id) WHERE l.family = %s AND l.expires_at > %s"""
_STANDING_LOGINS = """SELECT l.family, a.epoch FROM login l JOIN account a USING (user_id)
    WHERE l.family = ANY(%s) AND l.expires_at > %s AND a.active"""

_KEY = """SELECT k.key_id, k.user_id, a.name AS owner, a.role, a.active, k.name, k.secret_hash, k.scopes, k.created_at,
    k.expires_at, k.last_used_at FROM api_key k JOIN account a USING (user_id)"""
_ONE_KEY = f"{_KEY} WHERE k.key_id = %s"
_KEYS = f"""{_KEY} WHERE %(owner)s::text IS NULL OR lower(a.name) = lower(%(owner)s)
    ORDER BY lower(a.name), k.created_at, k.key_id"""
_ADD_KEY = """INSERT INTO api_key (key_id, user_id, name, secret_hash, scopes, created_at, expires_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s)"""
_TOUCH_KEY = """UPDATE api_key SET last_used_at = %(now)s
    WHERE key_id = %(key_id)s AND (last_used_at IS NULL OR last_used_at < %(now)s - interval '1 minute')"""
_STANDING_KEYS = """SELECT k.key_id FROM api_key k JOIN account a USING (user_id)
    WHERE k.key_id = ANY(%s) AND (k.expires_at IS NULL OR k.expires_at > %s) AND a.active"""
_DELETE_KEY = "DELETE FROM api_key WHERE key_id = %s RETURNING 1"

Role = Literal["viewer", "trader", "admin"]


@dataclass(frozen=True)
class Account:
    """A user. `epoch` counts the changes that ended its access tokens."""

    user_id: UUID
    name: str
    role: Role
    password_hash: str
    active: bool
    epoch: int
    created_at: datetime

    def __repr__(self) -> str:  # without the hash
        return f"Account({self.name!r}, {self.role}, active={self.active})"


@dataclass(frozen=True)
class ApiKey:
    """A key with what its owner may do; `secret_hash` is SHA-256 of the secret."""

    key_id: str
    user_id: UUID
    owner: str
    role: Role
    active: bool
    name: str
    secret_hash: bytes
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class Rotation:
    """What became of a refresh token that was presented. `reused`: it was used before, so the login has been ended."""

    family: UUID
    user_id: UUID
    name: str
    role: Role
    epoch: int
    offline: bool
    reused: bool


@dataclass(frozen=True)
class _Presented:
    presented: int
    current: int
    rotated_at: datetime
    expires_at: datetime
    family: UUID
    offline: bool
    user_id: UUID
    name: str
    role: Role
    active: bool
    epoch: int


class AccountStore:
    """Accounts, logins and keys in PostgreSQL. Every call ends within its deadline with TemporarilyUnavailable."""

    def __init__(self, pool: Pool, *, write_s: float = 30.0, read_s: float = 10.0) -> None:
        self._pool, self._write_s, self._read_s = pool, write_s, read_s

    async def by_name(self, name: str) -> Account | None:
        """An account, whatever the case of the letters."""
        async with transaction(self._pool, self._read_s) as connection:
            return await _account(connection, name)

    async def listing(self) -> list[Account]:
        """All accounts by name."""
        async with transaction(self._pool, self._read_s) as connection, _rows(connection, Account) as cursor:
            await cursor.execute(_LISTING)
            return await cursor.fetchall()

    async def is_empty(self) -> bool:
        """Whether there is no account yet."""
        async with transaction(self._pool, self._read_s) as connection:
            return await (await connection.execute(_ANY)).fetchone() is None

    async def add(self, account: Account) -> None:
        """Add an account. Raises Conflict when the name is taken."""
        try:
            async with transaction(self._pool, self._write_s) as connection:
                await _add(connection, account)
        except psycopg.errors.UniqueViolation:
            raise Conflict(f"there is a user {account.name} already; choose another name") from None

    async def add_first(self, account: Account) -> bool:
        """Add an account if there is none at all; whether it was added."""
        async with transaction(self._pool, self._write_s) as connection:
            await connection.execute(_ALONE)
            if await (await connection.execute(_ANY)).fetchone() is not None:
                return False
            await _add(connection, account)
            return True

    async def change(
        self, name: str, *, role: Role | None = None, active: bool | None = None, password_hash: str | None = None
    ) -> Account:
        """Change what is not None, and end the account's logins and access tokens.

        Raises NotFound; Conflict when no active admin would be left.
        """
        async with transaction(self._pool, self._write_s) as connection:
            admins = [row[0] for row in await (await connection.execute(_ADMINS)).fetchall()]
            found = await _account(connection, name)
            if found is None:
                raise NotFound(f"there is no user {name}; see the list of users")
            stays = (role or found.role) == "admin" and (found.active if active is None else active)
            if admins == [found.user_id] and not stays:
                raise Conflict(f"{found.name} is the last active admin; make another admin first")
            wanted = {"role": role, "active": active, "password_hash": password_hash, "user_id": found.user_id}
            await connection.execute(_CHANGE, wanted)
            await connection.execute(_END_LOGINS, (found.user_id,))
            changed = await _account(connection, name)
            assert changed is not None  # its row is locked by the update
            return changed

    async def rehash(self, account: Account, password_hash: str) -> None:
        """The same password under today's parameters; nothing if it was changed meanwhile."""
        async with transaction(self._pool, self._write_s) as connection:
            await connection.execute(_REHASH, (password_hash, account.user_id, account.password_hash))

    async def open_login(
        self, family: UUID, user_id: UUID, token_hash: bytes, *, offline: bool, now: datetime, expires_at: datetime
    ) -> None:
        """Begin a login with its first refresh token; logins that have expired are cleared away."""
        async with transaction(self._pool, self._write_s) as connection:
            await connection.execute(_PRUNE_LOGINS, (now,))
            await connection.execute(_OPEN, (family, user_id, offline, now, expires_at))
            await connection.execute(_ISSUE, (token_hash, family, 1, now))

    async def rotate(
        self,
        token_hash: bytes,
        new_hash: bytes,
        *,
        now: datetime,
        expires_at: datetime,
        graced: datetime,
        old: datetime,
    ) -> Rotation | None:
        """Exchange a refresh token; None when it is unknown, expired or of a disabled account.

        graced: a token of the generation before still counts if the login was rotated after this moment.
        old:    tokens issued before it are forgotten; they have expired.
        """
        async with transaction(self._pool, self._write_s) as connection:
            async with _rows(connection, _Presented) as cursor:
                await cursor.execute(_PRESENTED, (token_hash,))
                found = await cursor.fetchone()
            if found is None or not found.active or found.expires_at <= now:
                return None
            again = found.presented == found.current - 1 and found.rotated_at >= graced
            reused = found.presented != found.current and not again
            if reused:
                await connection.execute(_END, (found.family,))
            else:
                if not again:
                    await connection.execute(_ROTATE, (now, expires_at, found.family))
                    await connection.execute(_PRUNE_TOKENS, (found.family, old))
                generation = found.current if again else found.current + 1
                await connection.execute(_ISSUE, (new_hash, found.family, generation, now))
            return Rotation(found.family, found.user_id, found.name, found.role, found.epoch, found.offline, reused)

    async def logout(self, token_hash: bytes) -> bool:
        """End the login this refresh token belongs to; whether there was one."""
        async with transaction(self._pool, self._write_s) as connection:
            return await (await connection.execute(_LOGOUT, (token_hash,))).fetchone() is not None

    async def of_login(self, family: UUID, now: datetime) -> Account | None:
        """Whose login this is; None when it has ended."""
        async with transaction(self._pool, self._read_s) as connection, _rows(connection, Account) as cursor:
            await cursor.execute(_OF_LOGIN, (family, now))
            return await cursor.fetchone()

    async def standing(
        self, families: Collection[UUID], key_ids: Collection[str], now: datetime
    ) -> tuple[dict[UUID, int], set[str]]:
        """Which of these logins are still open, with the epoch of their account, and which keys are still usable."""
        async with transaction(self._pool, self._read_s) as connection:
            logins = await (await connection.execute(_STANDING_LOGINS, (list(families), now))).fetchall()
            keys = await (await connection.execute(_STANDING_KEYS, (list(key_ids), now))).fetchall()
        return dict(logins), {key_id for (key_id,) in keys}

    async def use_key(self, key_id: str, now: datetime) -> ApiKey | None:
        """A key that is about to be checked; the minute of its use is written down."""
        async with transaction(self._pool, self._read_s) as connection:
            async with _rows(connection, ApiKey) as cursor:
                await cursor.execute(_ONE_KEY, (key_id,))
                found = await cursor.fetchone()
            if found is not None:
                await connection.execute(_TOUCH_KEY, {"key_id": key_id, "now": now})
            return found

    async def key(self, key_id: str) -> ApiKey | None:
        """One key."""
        async with transaction(self._pool, self._read_s) as connection, _rows(connection, ApiKey) as cursor:
            await cursor.execute(_ONE_KEY, (key_id,))
            return await cursor.fetchone()

    async def keys(self, owner: str | None = None) -> list[ApiKey]:
        """Keys of one user, or of all, by owner and age."""
        async with transaction(self._pool, self._read_s) as connection, _rows(connection, ApiKey) as cursor:
            await cursor.execute(_KEYS, {"owner": owner})
            return await cursor.fetchall()

    async def add_key(
        self,
        key_id: str,
        user_id: UUID,
        name: str,
        secret_hash: bytes,
        scopes: Sequence[str],
        *,
        now: datetime,
        expires_at: datetime | None,
    ) -> None:
        """Store a new key."""
        async with transaction(self._pool, self._write_s) as connection:
            row = (key_id, user_id, name, secret_hash, list(scopes), now, expires_at)
            await connection.execute(_ADD_KEY, row)

    async def delete_key(self, key_id: str) -> bool:
        """Forget a key; whether it was there."""
        async with transaction(self._pool, self._write_s) as connection:
            return await (await connection.execute(_DELETE_KEY, (key_id,))).fetchone() is not None


def _rows(connection: Connection, kind: type[Any]) -> psycopg.AsyncCursor[Any]:
    return connection.cursor(row_factory=class_row(kind))


async def _account(connection: Connection, name: str) -> Account | None:
    async with connection.cursor(row_factory=class_row(Account)) as cursor:
        await cursor.execute(_BY_NAME, (name,))
        return await cursor.fetchone()


async def _add(connection: Connection, account: Account) -> None:
    await connection.execute(
        _ADD,
        (
            account.user_id,
            account.name,
            account.role,
            account.password_hash,
            account.active,
            account.epoch,
            account.created_at,
        ),
    )
