"""What surrounds every request, as plain ASGI: correlation id, headers, CORS, compression, body limit, deadline.

Outermost first: the id is known to all that follow; headers are on every answer, also on refusals.
"""

from __future__ import annotations

import asyncio
import re
from functools import lru_cache

import structlog
from asgi_correlation_id import CorrelationIdMiddleware, correlation_id
from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data.settings import Settings
from serve_app.api.caller import RATE_LIMIT
from serve_app.api.problems import problem
from serve_app.auth.origins import Origins, host_name
from serve_app.limits import Allowance

ID_HEADER = "X-Request-ID"
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_DEADLINE_S = 30.0
_UPLOAD_S = 120.0
_SENDING_S = 300.0
_GZIP_BYTES = 1024
_GZIP_LEVEL = 1  # three times the speed of the default for a tenth more bytes
_PACKED = ("application/octet-stream", "application/vnd.apache.parquet", "application/vnd.apache.arrow.*")
_PRIVATE = ("/v1/auth", "/v1/users", "/v1/keys")  # answers that hold tokens, keys or names
_FIXED = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
_NO_STORE = (b"cache-control", b"no-store")


def add_middleware(app: FastAPI, settings: Settings) -> None:
    """Put the middleware around an application. The last one added is the outermost."""
    app.add_middleware(_Bounds, body=settings.api.body_bytes, upload=settings.api.upload_bytes)
    app.add_middleware(
        GZipMiddleware,
        minimum_size=_GZIP_BYTES,
        compresslevel=_GZIP_LEVEL,
        exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, *_PACKED),
    )
    app.add_middleware(_Cors, origins=Origins(settings))
    app.add_middleware(_Headers, ports=(settings.api.port, settings.gateway_port))
    app.add_middleware(
        CorrelationIdMiddleware,
        header_name=ID_HEADER,
        validator=lambda text: _SANE_ID.fullmatch(text) is not None,
    )


class _Headers:
    """Security headers, and what is left of the caller's rate limit."""

    def __init__(self, app: ASGIApp, ports: tuple[int, int]) -> None:
        self._app, self._ports = app, ports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        structlog.contextvars.bind_contextvars(correlation_id=correlation_id.get())
        state = scope.setdefault("state", {})
        path: str = scope["path"]
        policy = _policy(Headers(scope=scope).get("host", ""), self._ports)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [*_FIXED, (b"content-security-policy", policy)]
                if path.startswith(_PRIVATE):
                    added.append(_NO_STORE)
                allowance = state.get(RATE_LIMIT)
                if isinstance(allowance, Allowance):
                    added += [(name.lower().encode(), value.encode()) for name, value in allowance.headers().items()]
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        await self._app(scope, receive, with_headers)


class _Cors(CORSMiddleware):
    """CORS for the origins that `Origins` permits; others get no CORS headers, so their pages cannot read answers."""

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        super().__init__(
            app,
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=("Authorization", "Content-Type", "If-None-Match", "X-API-Key", ID_HEADER),
            allow_credentials=True,
            expose_headers=(ID_HEADER, "ETag", "Location", "Retry-After", "RateLimit", "RateLimit-Policy"),
        )
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            if origin is not None and not self._origins.permits(origin, headers.get("host", "")):
                await self.app(scope, receive, send)
                return
        await super().__call__(scope, receive, send)

    def is_allowed_origin(self, origin: str) -> bool:
        """Always: only permitted origins come this far."""
        return True


class _Bounds:
    """Refuses bodies over the limit before they are in memory, and ends requests that take too long."""

    def __init__(self, app: ASGIApp, body: int, upload: int) -> None:
        self._app, self._body, self._upload = app, body, upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        uploads = scope["method"] == "PUT" and scope["path"].startswith("/v1/bars/")
        limit, seconds = (self._upload, _UPLOAD_S) if uploads else (self._body, _DEADLINE_S)
        told = Headers(scope=scope).get("content-length", "0")
        if not told.isdecimal() or int(told) > limit:
            await problem(413, _too_large(limit), headers={"Connection": "close"})(scope, receive, send)
            return
        read, started = 0, False

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise HTTPException(413, _too_large(limit), headers={"Connection": "close"})
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            if not started:
                started = True
                deadline.reschedule(asyncio.get_running_loop().time() + _SENDING_S)
            await send(message)

        try:
            async with asyncio.timeout(seconds) as deadline:
                await self._app(scope, counted, watched)
        except TimeoutError:
            if started or not deadline.expired():
                raise
            late = f"no answer within {seconds:g} s; ask for less, or try again later"
            await problem(504, late)(scope, receive, send)


@lru_cache(maxsize=256)
def _policy(host: str, ports: tuple[int, int]) -> bytes:
    """Content-Security-Policy of our pages: their own files, and both ports of their host to talk to."""
    name = host_name(host)
    places = [f"{scheme}://{name}:{port}" for port in ports for scheme in ("http", "https", "ws", "wss") if name]
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            " ".join(("connect-src 'self'", *places)),
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    ).encode()


def _too_large(limit: int) -> str:
    return f"the body is larger than {limit} bytes; send less"
