"""Errors as RFC 9457 problem details: one shape, with the correlation id, whatever went wrong.

What the caller sent is never repeated (it may be a password), and an unexpected error shows nothing but its id; its
traceback is in the log under that id.
"""

from __future__ import annotations

import json
import math
import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from asgi_correlation_id import correlation_id
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data.contracts.errors import GoldenSignalsError
from serve_app.api.models import Problem
from serve_app.limits import Allowance

MEDIA_TYPE = "application/problem+json"
RETRY_S = 5  # after a 503 that does not know better
_MOST_ERRORS = 20
_LOC_LENGTH = 100
_SAID_BY_STARLETTE = {
    404: "there is nothing at this path; /docs lists what there is",
    405: "this path does not take this method; the header Allow lists those it takes",
}
_ANONYMOUS = ("422", "413", "500", "503", "504")
_PROTECTED = ("401", "403", "429", *_ANONYMOUS)

_log = structlog.get_logger(__name__)


def problem(
    status: int,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, object]] | None = None,
) -> Response:
    """A problem as a response."""
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        correlation_id=correlation_id.get() or "",
        errors=None if errors is None else [dict(error) for error in errors],
    )
    content = json.dumps(body.model_dump(exclude_none=True))  # ASCII: a detail may hold what UTF-8 cannot say
    return Response(content, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    """Make every error of this application a problem, and say so in its OpenAPI document."""
    app.add_exception_handler(GoldenSignalsError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(_Unexpected)
    described = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = with_problems(described())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's documentation does it


def with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with problems for all errors, in place of FastAPI's own 422."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for methods in document.get("paths", {}).values():
        for operation in methods.values():
            answers = operation["responses"]
            answers.pop("422", None)
            for status in _PROTECTED if operation.get("security") else _ANONYMOUS:
                answers.setdefault(status, {"description": HTTPStatus(int(status)).phrase, "content": content})
            answers["default"] = {"description": "What went wrong and what to do", "content": content}
    return document


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, GoldenSignalsError)
    status = error.http_status
    headers: dict[str, str] = {}
    if status == HTTPStatus.UNAUTHORIZED:
        sent = "authorization" in request.headers or "x-api-key" in request.headers
        headers["WWW-Authenticate"] = 'Bearer realm="goldensignals"' + (', error="invalid_token"' if sent else "")
    elif status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers["Retry-After"] = str(_seconds(error.facts.get("retry_after_s")))
        allowance = error.facts.get("allowance")
        headers |= allowance.headers() if isinstance(allowance, Allowance) else {}
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log_failure(request.url.path, error)
        return problem(status, _failed())
    return problem(status, str(error), headers=headers)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()[:_MOST_ERRORS]
    refused = [
        {"loc": [part if isinstance(part, int) else str(part)[:_LOC_LENGTH] for part in one["loc"]], "msg": one["msg"]}
        for one in found
    ]
    first = ".".join(str(part) for part in refused[0]["loc"]) if refused else "the request"
    return problem(422, f"{first}: {refused[0]['msg'] if refused else 'cannot be read'}", errors=refused)


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    usual = error.detail == HTTPStatus(error.status_code).phrase
    detail = _SAID_BY_STARLETTE.get(error.status_code, error.detail) if usual else error.detail
    return problem(error.status_code, detail, headers=error.headers)


class _Unexpected:
    """Answers for what nobody expected. Inside all other middleware, so its answer has their headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # the last place that can answer
            _log_failure(scope["path"], error)
            if started:
                raise  # half an answer cannot be taken back: the server cuts the connection
            await problem(500, _failed())(scope, receive, send)


def _log_failure(path: str, error: Exception) -> None:
    _log.error(
        "a request failed",
        path=path,
        correlation_id=correlation_id.get(),
        traceback="".join(traceback.format_exception(error)),
    )


def _failed() -> str:
    return "this failed on our side; the log has the reason under the correlation id"


def _seconds(value: object) -> int:
    return max(1, math.ceil(value)) if isinstance(value, int | float) else RETRY_S
