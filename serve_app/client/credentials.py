"""What proves who the client is: an API key, or a login that refreshes itself. Neither is ever shown.

A login's password is used once and not kept; its refresh token is exchanged for a new one each time it is used.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from threading import Lock
from typing import Protocol

from data.contracts.errors import InvalidInput
from serve_app.api.models import TokenView

Refresh = Callable[[str], TokenView]  # a refresh token -> the login that takes its place

_KEY = re.compile(r"gs_[A-Za-z0-9_-]{8,200}")
_MARGIN_S = 30.0  # a token is renewed so long before it expires: requests take time, and clocks drift


class Credentials(Protocol):
    """A proof of identity."""

    def bearer(self, refresh: Refresh) -> str:
        """What goes into the header Authorization now."""

    def renew(self, refused: str, refresh: Refresh) -> bool:
        """Get another proof in place of one that was refused. False: there is no other."""


class Key:
    """An API key."""

    def __init__(self, text: str) -> None:
        if not _KEY.fullmatch(text):
            raise InvalidInput("this is no API key; one begins with gs_ and was shown when it was made")
        self._text = text

    def bearer(self, refresh: Refresh) -> str:
        """The key."""
        return self._text

    def renew(self, refused: str, refresh: Refresh) -> bool:
        """A key that was refused stays refused."""
        return False


class Login:
    """A login with name and password. Any number of threads may use it."""

    def __init__(self, token: TokenView) -> None:
        self._lock = Lock()
        self._take(token)

    @property
    def refresh_token(self) -> str:
        """With which the login can be ended."""
        return self._refresh_token

    def bearer(self, refresh: Refresh) -> str:
        """The access token, renewed when it is about to expire."""
        with self._lock:
            if time.monotonic() > self._renew_at:
                self._take(refresh(self._refresh_token))
            return self._access_token

    def renew(self, refused: str, refresh: Refresh) -> bool:
        """A new access token, unless another thread has got one meanwhile."""
        with self._lock:
            if refused == self._access_token:
                self._take(refresh(self._refresh_token))
            return True

    def _take(self, token: TokenView) -> None:
        if token.refresh_token is None:
            raise InvalidInput("the server gave no refresh token; is something between it and this program?")
        self._access_token, self._refresh_token = token.access_token, token.refresh_token
        self._renew_at = time.monotonic() + max(token.expires_in - _MARGIN_S, token.expires_in / 2)
