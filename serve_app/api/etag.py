"""Weak entity tags: an answer that was made of the same things as the one a client holds is not sent again.

A tag is a hash of the request's address and of what the answer depends on, read before the answer is made: an
answer may be newer than its tag, which costs one more transfer, and is never older.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from fastapi import Request, Response


@dataclass(frozen=True)
class Tag:
    """The tag of one answer."""

    value: str

    @classmethod
    def of(cls, request: Request, *parts: object) -> Tag:
        """The tag of what this request asks for, made of `parts` (anything with a stable text)."""
        text = json.dumps([request.url.path, request.url.query, *map(str, parts)])
        return cls(f'W/"{hashlib.sha256(text.encode()).hexdigest()[:32]}"')

    @cached_property
    def headers(self) -> dict[str, str]:
        """What goes with the answer: kept by the caller alone, and asked about before each use."""
        return {"ETag": self.value, "Cache-Control": "private, no-cache", "Vary": "Authorization, X-API-Key"}

    def known(self, request: Request) -> Response | None:
        """304 for a client that has this answer; else None."""
        held = [part.strip().removeprefix("W/") for part in request.headers.get("If-None-Match", "").split(",")]
        if self.value.removeprefix("W/") in held or held == ["*"]:
            return Response(status_code=304, headers=self.headers)
        return None
