"""HTTP to one server, all of it: deadlines, retries, identity, errors. The only module that knows httpx.

A call ends after its deadline, with all its retries. It is tried again only when it may safely be sent twice, and only
when nothing answered or the server said to come back (429, 502, 503), not before the time the server names. The loop is
our own: stamina tells of each retry through structlog, which in somebody's script nobody has configured and which then
writes between the script's results.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from data.contracts.errors import GoldenSignalsError, InvalidInput, TemporarilyUnavailable, TooMany, Unauthenticated
from serve_app.api.models import TokenView
from serve_app.client.answers import Answer, error_of
from serve_app.client.credentials import Credentials, Login

_AGAIN = (429, 502, 503)
_PAUSES_S = (0.1, 0.3, 0.9, 2.7)  # between two attempts
_ATTEMPTS = len(_PAUSES_S) + 1
_SPREAD = (0.5, 1.0)  # of a pause, so that many clients do not come back at once
_LEAST_S = 0.05  # an attempt gets at least so long
_LOGOUT_S = 2.0
_NO_PROOF: Final = "this client is closed, or was never let in"


class Http:
    """Requests to one server and, for the stream, its gateway. Any number of threads may use it.

    url:       `http://host:8000`, perhaps with a path. Raises InvalidInput for anything else.
    timeout_s: seconds a call may take in all; a call may name another time.
    """

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self.url = server_url(url)
        if not timeout_s > 0:
            raise InvalidInput("timeout_s is a number of seconds above 0")
        self._timeout_s = timeout_s
        self._credentials: Credentials | None = None
        self._random = Random()  # noqa: S311  spreads retries
        self._client = httpx.Client(
            headers={"User-Agent": f"goldensignals-python/{version('goldensignals')}"}, follow_redirects=False
        )

    def log_in(self, username: str, password: str) -> None:
        """Be this user from now on. Not tried again by itself: attempts are counted."""
        form = {"username": username, "password": password, "scope": "offline"}
        self._credentials = Login(self._anonymous("POST", "/v1/auth/token", form=form).read(TokenView))

    def identify(self, credentials: Credentials) -> None:
        """Send this proof from now on."""
        self._credentials = credentials

    def anonymous(self, path: str) -> Answer:
        """GET without saying who asks."""
        return self._repeated(lambda ends: self._attempt("GET", self.url + path, ends), self._timeout_s)

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        within_s: float | None = None,
        base: str | None = None,
        retry: bool = True,
    ) -> Answer:
        """The answer to a request, if it is a success; otherwise the error it stands for is raised.

        params: those that are None are left out.
        base:   another address of the same server, such as its gateway's.
        retry:  False for what must not be sent twice, or whose caller tries again itself.
        Raises: InvalidInput, NotFound, Conflict, Unauthenticated, Forbidden, TooMany, TemporarilyUnavailable or
                GoldenSignalsError, with the server's sentence.
        """
        if self._credentials is None:
            raise Unauthenticated(_NO_PROOF)
        chosen = {name: value for name, value in (params or {}).items() if value is not None}
        request = {"params": chosen, "json": json, "content": body}
        return self._repeated(
            lambda ends: self._proved(method, base or self.url, path, ends, request),
            within_s or self._timeout_s,
            attempts=_ATTEMPTS if retry else 1,
        )

    def close(self) -> None:
        """End the login, if there is one, and the connections. Harmless when closed already."""
        login, self._credentials = self._credentials, None
        try:
            if isinstance(login, Login):
                self._log_out(login)
        finally:
            self._client.close()

    # private

    def _log_out(self, login: Login) -> None:
        token = {"refresh_token": login.refresh_token}
        try:
            self._anonymous("POST", "/v1/auth/logout", json=token, within_s=_LOGOUT_S)
        except (TemporarilyUnavailable, TooMany):
            return  # the server is away: nobody else has the token, and it expires by itself

    def _proved(self, method: str, base: str, path: str, ends: float, request: Mapping[str, Any]) -> Answer:
        """One attempt as who we are; with a login, a second one when its access token is refused."""
        assert self._credentials is not None

        def refresh(token: str) -> TokenView:  # at the same address: the gateway renews logins while the API is away
            return self._attempt("POST", f"{base}/v1/auth/refresh", ends, json={"refresh_token": token}).read(TokenView)

        bearer = self._credentials.bearer(refresh)
        try:
            return self._attempt(method, base + path, ends, bearer=bearer, **request)
        except Unauthenticated:
            if not self._credentials.renew(bearer, refresh):
                raise
        return self._attempt(method, base + path, ends, bearer=self._credentials.bearer(refresh), **request)

    def _anonymous(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        json: Mapping[str, str] | None = None,
        within_s: float | None = None,
    ) -> Answer:
        ends = time.monotonic() + (within_s or self._timeout_s)
        return self._attempt(method, self.url + path, ends, data=form, json=json)

    def _repeated(self, attempt_once: Callable[[float], Answer], within_s: float, attempts: int = _ATTEMPTS) -> Answer:
        ends = time.monotonic() + within_s
        for pause in [*_PAUSES_S[: attempts - 1], None]:
            try:
                return attempt_once(ends)
            except (TemporarilyUnavailable, TooMany) as problem:
                wait = None if pause is None else _wait(problem, pause * self._random.uniform(*_SPREAD))
                if wait is None or wait > ends - time.monotonic():
                    raise
                time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, method: str, url: str, ends: float, *, bearer: str | None = None, **request: Any) -> Answer:
        """Send once, and read the whole answer before `ends`. Raises the error that a failure stands for."""
        headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
        left = max(ends - time.monotonic(), _LEAST_S)
        try:
            with self._client.stream(method, url, headers=headers, timeout=left, **request) as response:
                body = bytearray()
                for piece in response.iter_bytes():
                    body += piece
                    if time.monotonic() > ends:
                        raise _late(url, left)
        except httpx.TimeoutException as problem:
            raise _late(url, left) from problem
        except httpx.TransportError as problem:
            raise TemporarilyUnavailable(
                f"{_place(url)} cannot be reached ({problem}); does it run, and is the address right?", connection=True
            ) from problem
        except httpx.DecodingError as problem:
            raise GoldenSignalsError(f"the answer of {_place(url)} is broken ({problem})") from problem
        names = {name.lower(): value for name, value in response.headers.items()}
        answer = Answer(response.status_code, names, bytes(body))
        if response.is_redirect:
            raise InvalidInput(f"{_place(url)} sends its callers elsewhere, to {names.get('location')}; connect there")
        if not response.is_success:
            raise error_of(answer)
        return answer


def server_url(text: str) -> str:
    """An address of a server without a slash at its end. Raises InvalidInput for what is none, never repeating it."""
    try:
        parts = urlsplit(text.strip())
        well_formed = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        well_formed = well_formed and not any(letter.isspace() for letter in text.strip())
        httpx.URL(text.strip())  # stricter about what a host is
    except (ValueError, httpx.InvalidURL):
        well_formed = False
    if not well_formed:
        raise InvalidInput("the address of a server is written as http://host:8000 or https://host")
    if parts.username is not None or parts.query or parts.fragment:
        raise InvalidInput("the address holds more than host, port and path; pass api_key=, or username= and password=")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _wait(problem: GoldenSignalsError, usual_s: float) -> float | None:
    """Seconds before the next attempt; None: there shall be none."""
    after = problem.facts.get("retry_after_s")
    if isinstance(after, float):
        return max(after, usual_s)
    again = problem.facts.get("connection") is True or problem.facts.get("status") in _AGAIN
    return usual_s if again else None


def _late(url: str, seconds: float) -> TemporarilyUnavailable:
    return TemporarilyUnavailable(
        f"{_place(url)} gave no whole answer within {seconds:.3g} s; try again, ask for less, or raise timeout_s"
    )


def _place(url: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))
