"""One class per reaction, not per cause; the cause is in the message and in `facts`.

GoldenSignalsError               500  exit 1  a bug or a failed run: do not retry as it is
├── InvalidInput                 422  exit 2  the caller must change something
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
