"""Passwords: argon2id, off the event loop, a few at a time.

One check takes tens of milliseconds and 64 MiB, so at most two run together and nobody waits for more than a few
seconds: a flood of logins cannot take the process's memory or its reads down.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pwdlib import PasswordHash

from data.contracts.errors import TooMany

_AT_ONCE = 2
_WAIT_S = 5.0


class Passwords:
    """Hashes and checks passwords."""

    def __init__(self) -> None:
        self._hasher = PasswordHash.recommended()  # argon2id
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """The hash to store. Raises TooMany when too many logins wait already."""
        async with self._one_of_few():
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Whether the password is right, and a new hash when the stored one has old parameters.

        stored: None for an unknown name. It costs the same work: an answer's time does not tell which names exist.
        Raises TooMany when too many logins wait already.
        """
        if self._decoy is None:
            self._decoy = await self.hash(secrets.token_hex(16))
        async with self._one_of_few():
            right, renewed = await asyncio.to_thread(
                self._hasher.verify_and_update, password, self._decoy if stored is None else stored
            )
        return right and stored is not None, renewed

    @asynccontextmanager
    async def _one_of_few(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_WAIT_S):
                await self._turn.acquire()
        except TimeoutError:
            raise TooMany("too many logins at once; try again in a few seconds", retry_after_s=_WAIT_S) from None
        try:
            yield
        finally:
            self._turn.release()
