"""Who may come in: logins, access tokens, API keys, and the accounts behind them.

A login gives a short-lived access token and a rotating refresh token (a *family*). A refresh token is good once. Used
again within ten seconds it yields another token of the same generation, because two tabs of one browser refresh at the
same moment; used again later, somebody has a copy, and the whole family ends. As soon as one token of a generation is
used, its siblings are old too, so a thief cannot live beside the owner on the grace.

What a caller may do is read from the database at most every two seconds: ending a login, disabling an account, changing
its password or role, or removing a key ends access within that time in every process.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn
from uuid import UUID, uuid4

import structlog

from data.clock import Clock
from data.contracts.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from data.settings import AuthSettings
from data.store.accounts import Account, AccountStore, ApiKey, Rotation
from serve_app.auth.access import Permission, Principal, Role
from serve_app.auth.passwords import Passwords
from serve_app.auth.recent import Recent
from serve_app.auth.tokens import AccessTokens, digest, new_key, new_refresh_token, refusal, split_key

FIRST_ADMIN = "admin"
_GRACE_S = 10.0
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_KEY_ID = re.compile(r"[0-9a-f]{12}")
_PASSWORD_LENGTH = range(12, 257)
_KEYS_PER_USER = 100

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Login:
    """A login as handed out. `refresh_token` goes to a program in the body (`offline`), to a browser in a cookie."""

    name: str
    role: Role
    access_token: str = field(repr=False)
    expires_in: int  # seconds of the access token
    refresh_token: str = field(repr=False)
    refresh_seconds: int
    offline: bool


@dataclass(frozen=True)
class NewKey:
    """A key and its text, which is shown once and stored nowhere."""

    key: ApiKey
    text: str = field(repr=False)


class Accounts:
    """Accounts and what proves them. Methods raise Unauthenticated, Forbidden, NotFound, Conflict, InvalidInput, and
    TemporarilyUnavailable when PostgreSQL is away."""

    def __init__(self, store: AccountStore, *, secret: str, settings: AuthSettings, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._tokens = AccessTokens(secret, minutes=settings.access_minutes, clock=clock)
        self._refresh_life = timedelta(days=settings.refresh_days)
        self._passwords = Passwords()
        self._logins: Recent[Account] = Recent(clock)
        self._keys: Recent[ApiKey] = Recent(clock)

    # Proving who one is

    async def login(self, name: str, password: str, *, offline: bool) -> Login:
        """Log in. An unknown name, a disabled account and a wrong password get the same answer after the same work."""
        account = await self._checked(name, password)
        if account is None:
            raise Unauthenticated("the user name or the password is wrong")
        return await self._open(account, offline=offline)

    async def refresh(self, token: str) -> Login:
        """Exchange a refresh token for a new login of the same family. See the top of this module."""
        now, fresh = self._clock.now(), new_refresh_token()
        rotation = await self._store.rotate(
            digest(token),
            digest(fresh),
            now=now,
            expires_at=now + self._refresh_life,
            graced=now - timedelta(seconds=_GRACE_S),
            old=now - self._refresh_life,
        )
        if rotation is None:
            raise Unauthenticated("this login has ended; log in again")
        if rotation.reused:
            self._logins.forget()
            _log.warning("a refresh token was used twice; its login was ended", user=rotation.name)
            raise Unauthenticated("this login was used from two places and has been ended; log in again")
        return self._handed_out(rotation, rotation.family, rotation.offline, fresh)

    async def logout(self, token: str) -> None:
        """End the login of a refresh token, and with it its access tokens; harmless when there is none."""
        await self._store.logout(digest(token))
        self._logins.forget()

    async def authenticate(self, bearer: str) -> Principal:
        """Who sends this access token or API key. Raises Unauthenticated."""
        return await (self._by_key(bearer) if bearer.startswith("gs_") else self._by_token(bearer))

    async def ended(self, callers: Collection[Principal]) -> set[Principal]:
        """Those whose login or key is over by now: logged out, expired, revoked, disabled, other role or password.

        One question to the database for all. Callers that were not made by `authenticate` have neither, and stay.
        """
        families = {UUID(caller.family) for caller in callers if caller.family is not None}
        keys = {caller.key_id for caller in callers if caller.key_id is not None}
        epochs, usable = await self._store.standing(families, keys, self._clock.now())
        return {
            caller
            for caller in callers
            if (caller.family is not None and epochs.get(UUID(caller.family)) != caller.epoch)
            or (caller.key_id is not None and caller.key_id not in usable)
        }

    async def check_password(self, principal: Principal, password: str) -> None:
        """Raise Forbidden unless it is this user's password."""
        if await self._checked(principal.name, password) is None:
            raise Forbidden("the old password is wrong; nothing was changed")

    # Accounts

    async def ensure_admin(self) -> str | None:
        """Make the first admin when there is no user at all; its random password, to be shown once, else None."""
        if not await self._store.is_empty():
            return None
        password = secrets.token_urlsafe(15)
        account = self._new_account(FIRST_ADMIN, "admin", await self._passwords.hash(password))
        return password if await self._store.add_first(account) else None

    async def users(self) -> list[Account]:
        """All accounts by name."""
        return await self._store.listing()

    async def add_user(self, name: str, password: str, role: Role) -> Account:
        """A new account. Raises InvalidInput, Conflict."""
        if not _NAME.fullmatch(name):
            raise InvalidInput("a user name is 1 to 64 letters, digits or . _ @ -")
        _check_password(password)
        account = self._new_account(name, role, await self._passwords.hash(password))
        await self._store.add(account)
        _log.info("user added", user=name, role=role)
        return account

    async def change_user(
        self, name: str, *, role: Role | None = None, active: bool | None = None, password: str | None = None
    ) -> Account:
        """Change what is not None; all logins of the user end. Raises NotFound, Conflict for the last active admin."""
        if not _NAME.fullmatch(name):
            _no_user(name)
        if role is None and active is None and password is None:
            raise InvalidInput("nothing to change was given; send role, active or password")
        hashed = None
        if password is not None:
            _check_password(password)
            hashed = await self._passwords.hash(password)
        changed = await self._store.change(name, role=role, active=active, password_hash=hashed)
        self._logins.forget()
        self._keys.forget()
        _log.info("user changed", user=changed.name, role=role, active=active, password=password is not None)
        return changed

    async def set_password(self, principal: Principal, old: str, new: str, *, offline: bool) -> Login:
        """A user's own new password; all its logins end, and this is a new one. Raises Forbidden for a wrong old."""
        _check_password(new)
        await self.check_password(principal, old)
        return await self._open(await self.change_user(principal.name, password=new), offline=offline)

    # Keys

    async def keys(self, owner: str | None) -> list[ApiKey]:
        """Keys of one user, or of all users. Raises NotFound."""
        if owner is not None:
            await self._known(owner)
        return await self._store.keys(owner)

    async def add_key(
        self, owner: str, name: str, scopes: Sequence[Permission], *, expires_in_days: int | None
    ) -> NewKey:
        """A new key. Its rights are its scopes, but never more than its owner's. Raises InvalidInput, NotFound."""
        if not name.isprintable() or not name.strip() or len(name) > 64:
            raise InvalidInput("a key's name is 1 to 64 printable characters")
        if not scopes:
            raise InvalidInput(f"give the key at least one scope: {', '.join(Permission)}")
        account = await self._known(owner)
        if len(await self._store.keys(account.name)) >= _KEYS_PER_USER:
            raise InvalidInput(f"{account.name} has {_KEYS_PER_USER} keys, which is the most; revoke one first")
        now = self._clock.now()
        expires = None if expires_in_days is None else now + timedelta(days=expires_in_days)
        key_id, secret, text = new_key()
        wanted = [scope.value for scope in Permission if scope in scopes]
        await self._store.add_key(key_id, account.user_id, name, digest(secret), wanted, now=now, expires_at=expires)
        stored = await self._store.key(key_id)
        if stored is None:
            raise NotFound(f"the key {key_id} was removed as soon as it was made; make another")
        _log.info("key added", key=key_id, user=account.name, scopes=wanted)
        return NewKey(stored, text)

    async def delete_key(self, key_id: str, *, by: Principal | None) -> None:
        """Revoke a key. `by`: who asks; only an admin (or None: the operator) may revoke another user's.

        Raises NotFound, also for another user's key: an id tells nothing to strangers.
        """
        found = await self._store.key(key_id) if _KEY_ID.fullmatch(key_id) else None
        stranger = by is not None and not by.may(Permission.ADMIN)
        if found is None or (stranger and by is not None and str(found.user_id) != by.user_id):
            raise NotFound(f"there is no key {key_id[:64]!r}; see the list of keys")
        await self._store.delete_key(key_id)
        self._keys.forget()
        _log.info("key revoked", key=key_id, user=found.owner)

    # Private

    async def _checked(self, name: str, password: str) -> Account | None:
        account = await self._store.by_name(name) if _NAME.fullmatch(name) else None
        right, renewed = await self._passwords.verify(password, account.password_hash if account else None)
        if account is None or not right or not account.active:
            return None
        if renewed is not None:
            await self._store.rehash(account, renewed)
        return account

    async def _open(self, account: Account, *, offline: bool) -> Login:
        now, family, token = self._clock.now(), uuid4(), new_refresh_token()
        await self._store.open_login(
            family, account.user_id, digest(token), offline=offline, now=now, expires_at=now + self._refresh_life
        )
        return self._handed_out(account, family, offline, token)

    def _handed_out(self, account: Account | Rotation, family: UUID, offline: bool, token: str) -> Login:
        return Login(
            name=account.name,
            role=account.role,
            access_token=self._tokens.issue(str(account.user_id), str(family), account.epoch),
            expires_in=self._tokens.seconds,
            refresh_token=token,
            refresh_seconds=int(self._refresh_life.total_seconds()),
            offline=offline,
        )

    async def _by_token(self, token: str) -> Principal:
        claims = self._tokens.read(token)
        account = await self._logins.get(claims.sid, lambda: self._store.of_login(UUID(claims.sid), self._clock.now()))
        if account is None or not account.active:
            raise Unauthenticated("this login has ended; log in again")
        if str(account.user_id) != claims.sub or account.epoch != claims.epoch:
            raise Unauthenticated("this login has ended; log in again")
        return Principal(claims.sub, account.name, account.role, family=claims.sid, epoch=claims.epoch)

    async def _by_key(self, text: str) -> Principal:
        key_id, secret = split_key(text)
        key = await self._keys.get(key_id, lambda: self._store.use_key(key_id, self._clock.now()))
        if key is None or not hmac.compare_digest(key.secret_hash, digest(secret)) or not key.active:
            raise refusal()
        if key.expires_at is not None and key.expires_at <= self._clock.now():
            raise Unauthenticated("this API key has expired; make a new one")
        scopes = frozenset(Permission(scope) for scope in key.scopes)
        return Principal(str(key.user_id), key.owner, key.role, scopes, key_id)

    async def _known(self, name: str) -> Account:
        account = await self._store.by_name(name) if _NAME.fullmatch(name) else None
        if account is None:
            _no_user(name)
        return account

    def _new_account(self, name: str, role: Role, password_hash: str) -> Account:
        return Account(uuid4(), name, role, password_hash, active=True, epoch=1, created_at=self._clock.now())


def _check_password(password: str) -> None:
    if len(password) not in _PASSWORD_LENGTH:
        raise InvalidInput("a password has 12 to 256 characters; choose a longer one")


def _no_user(name: str) -> NoReturn:
    raise NotFound(f"there is no user {name[:64]!r}; see the list of users")
