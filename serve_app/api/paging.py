"""Pages by key: `next` of one page is the key of its last row, opaque to the client, and is sent back as `after`.

A list that grows in front of a page while it is read neither repeats nor skips a row behind it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from data.contracts.errors import InvalidInput

T = TypeVar("T")
Key = tuple[str | float, ...]

_REFUSED = "the page cursor cannot be used; send the `next` of the page before as `after`, unchanged"


def cursor(key: Key) -> str:
    """A key as opaque text."""
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def key_of(after: str | None, *kinds: type) -> Key | None:
    """The key in a cursor, its parts of these types; None for no cursor. Raises InvalidInput for anything else."""
    if after is None:
        return None
    try:
        parts = json.loads(base64.b64decode(after + "=" * (-len(after) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise InvalidInput(_REFUSED) from None
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        raise InvalidInput(_REFUSED)
    if any("\0" in part for part in parts if isinstance(part, str)):
        raise InvalidInput(_REFUSED)
    return tuple(parts)


def moment_of(part: str | float) -> datetime:
    """The time in a key. Raises InvalidInput for what is no aware time."""
    try:
        moment = datetime.fromisoformat(str(part))
    except ValueError:
        raise InvalidInput(_REFUSED) from None
    if moment.tzinfo is None:
        raise InvalidInput(_REFUSED)
    return moment


def cut(rows: Sequence[T], limit: int, key: Callable[[T], Key]) -> tuple[Sequence[T], str | None]:
    """One page of rows that were asked for with `limit + 1`, and the cursor of the page behind it, if there is one."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], cursor(key(rows[limit - 1]))
