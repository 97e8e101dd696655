"""Connections to Redis: every command has a deadline, and trouble is said in our words.

What the driver says names hosts and sockets; it is the cause of the error, for logs, and never part of its text.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from data.contracts.errors import InvalidInput, TemporarilyUnavailable

_AWAY = (
    exceptions.ConnectionError,  # also: loading its file, wrong password, too many clients
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
    OSError,
)

_DOWN = "Redis is down or did not answer in time"


def open_redis(url: str, *, command_s: float) -> Redis:
    """A client that connects when first used; close it with `await client.aclose()`. Answers are bytes.

    command_s: how long one command may take, connecting apart. Raises InvalidInput for a URL that is none.
    """
    try:
        return Redis.from_url(
            url,
            socket_timeout=command_s,
            socket_connect_timeout=command_s,
            # A restart of the server leaves pooled connections dead: the first use of each finds out, and tries anew.
            retry=Retry(NoBackoff(), 1, supported_errors=(exceptions.ConnectionError,)),
            client_name="goldensignals",
            protocol=2,  # all that is needed, and no questions to the server when connecting
        )
    except ValueError:
        raise InvalidInput(
            "the Redis URL cannot be read; it looks like redis://:password@host:6379/0, and special characters of a "
            "password are percent-encoded"
        ) from None


def command_s_of(redis: Redis) -> float:
    """How long one command of this client may take."""
    return cast(float, redis.connection_pool.connection_kwargs["socket_timeout"])


@contextmanager
def in_our_words() -> Iterator[None]:
    """Raise TemporarilyUnavailable, naming Redis, for what the driver says of a server that is not to be had."""
    try:
        yield
    except _AWAY as problem:
        raise TemporarilyUnavailable(_DOWN) from problem
    except exceptions.ResponseError as problem:
        if not str(problem).startswith("MISCONF"):  # it cannot write to its disk, and takes no writes until it can
            raise
        raise TemporarilyUnavailable("Redis takes no writes now") from problem


def reason(problem: Exception) -> str:
    """What the driver says, in one line."""
    lines = str(problem).strip().splitlines()
    return lines[0] if lines else type(problem).__name__
