"""Where the servers of a home are: a setting names them, or they are embedded (and somebody must have started them)."""

from __future__ import annotations

from data.embedded.postgres import EmbeddedPostgres
from data.embedded.redis import EmbeddedRedis
from data.settings import Settings


def postgres_url(settings: Settings) -> str:
    """PostgreSQL, with the password: not for logs."""
    return settings.postgres.url.get_secret_value() if settings.postgres.url else EmbeddedPostgres(settings.home).url


def redis_url(settings: Settings) -> str:
    """Redis, with the password: not for logs."""
    return settings.redis.url.get_secret_value() if settings.redis.url else EmbeddedRedis(settings.home).url
