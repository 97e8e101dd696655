"""What a server answered: bytes read into our models, and its problems raised as our errors.

Fields that a newer server adds are passed over, so both sides may be upgraded in any order; a changed meaning is a new
version of the API, which `connect` refuses.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from data.contracts.errors import (
    Conflict,
    Forbidden,
    GoldenSignalsError,
    InvalidInput,
    NotFound,
    TemporarilyUnavailable,
    TooMany,
    Unauthenticated,
)
from serve_app.api.models import Problem

T = TypeVar("T")

_CLASSES: dict[int, type[GoldenSignalsError]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: TooMany,
    502: TemporarilyUnavailable,
    503: TemporarilyUnavailable,
    504: TemporarilyUnavailable,
}
_READING_ONLY = 405  # the client knows the API's methods: only the gateway, which starts no work, lacks one


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def read(self, kind: type[T]) -> T:
        """The body as this type. Raises GoldenSignalsError when it is something else."""
        return read(kind, self.body)


def read(kind: type[T], body: bytes | str | Mapping[str, Any]) -> T:
    """JSON, or what was read from it, as this type. Raises GoldenSignalsError for anything else."""
    adapter: TypeAdapter[T] = _adapter(cast(Hashable, kind))
    try:
        if isinstance(body, bytes | str):
            return adapter.validate_json(body, extra="ignore")
        return adapter.validate_python(body, extra="ignore")
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise GoldenSignalsError(
            f"the server sent what this client cannot read ({place}: {first['msg']}); "
            "is it a GoldenSignals server, and of a version near to this package?"
        ) from None


def error_of(answer: Answer) -> GoldenSignalsError:
    """The error a failed answer stands for, with the server's sentence.

    Its facts: `status`; `correlation_id`, under which the server's log has more; `errors`, the fields that were
    refused; `retry_after_s`, where the server names a time.
    """
    if answer.status == _READING_ONLY:
        return InvalidInput(
            "this server only reads and starts no work; connect to the API, not to its gateway", status=answer.status
        )
    detail, told_id, errors = _told(answer)
    facts: dict[str, object] = {
        "status": answer.status,
        "correlation_id": told_id or answer.headers.get("x-request-id"),
        "errors": errors,
        "retry_after_s": _seconds(answer.headers.get("retry-after")),
    }
    usual = InvalidInput if 400 <= answer.status < 500 else GoldenSignalsError
    if answer.status >= 500 and facts["correlation_id"]:
        detail += f" (correlation id {facts['correlation_id']})"
    kind = _CLASSES.get(answer.status, usual)
    return kind(detail, **{name: fact for name, fact in facts.items() if fact is not None})


def _told(answer: Answer) -> tuple[str, str, object]:
    """Sentence, correlation id and refused fields; a proxy in between does not speak our language."""
    try:
        problem = _adapter(Problem).validate_json(answer.body, extra="ignore")
    except ValidationError:
        return f"the server answered {answer.status} without saying why", "", None
    return problem.detail, problem.correlation_id, problem.errors


def _seconds(told: str | None) -> float | None:
    """Retry-After in seconds; None for none, and for its other form, a date, which our server never sends."""
    try:
        found = float(told or "nan")
    except ValueError:
        return None
    return max(found, 0.0) if math.isfinite(found) else None


@lru_cache(maxsize=64)
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, kind))
