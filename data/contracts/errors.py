"""One class per reaction, not per cause; the cause is in the message and in `facts`.

GoldenSignalsError               500  exit 1  a bug or a failed run: do not retry as it is
├── InvalidInput                 422  exit 2  the caller must change something
│   ├── NotFound                 404  exit 2  there is no such thing
│   └── Conflict                 409  exit 2  it collides with what is there
├── Unauthenticated              401  exit 2  say who you are
├── Forbidden                    403  exit 2  not allowed; the message names the permission that is missing
├── TooMany                      429  exit 3  wait `facts["retry_after_s"]` seconds
└── TemporarilyUnavailable       503  exit 3  retry with backoff
"""

from typing import ClassVar


class GoldenSignalsError(Exception):
    """Base of every error this project raises on purpose.

    The message is a sentence that says what to do; `facts` are for logs and error bodies (no secrets).
    Only the message is positional: errors cross processes, and an exception whose constructor
    requires more arguments cannot be unpickled.
    """

    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.facts = facts


class InvalidInput(GoldenSignalsError):
    """What was asked cannot be done as asked; the message says what to change."""

    http_status = 422
    exit_code = 2


class TemporarilyUnavailable(GoldenSignalsError):
    """A server, an agent or a lock is not to be had now; the same request may succeed later."""

    http_status = 503
    exit_code = 3


class NotFound(InvalidInput):
    """What was named does not exist."""

    http_status = 404


class Conflict(InvalidInput):
    """What was asked collides with something that exists."""

    http_status = 409


class Unauthenticated(GoldenSignalsError):
    """The caller has not proved who it is."""

    http_status = 401
    exit_code = 2


class Forbidden(GoldenSignalsError):
    """The caller may not do this; the message names what is missing."""

    http_status = 403
    exit_code = 2


class TooMany(GoldenSignalsError):
    """Over a limit; `facts["retry_after_s"]` says when to come back."""

    http_status = 429
    exit_code = 3
