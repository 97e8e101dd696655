"""Rate limits: how often a caller may use a route, and how often somebody may try to log in.

A sliding window of one minute in Redis, shared by all processes. When Redis is away or slower than 100 ms, each process
counts for itself, with the same numbers, and asks Redis again after a second: a limit that fails open would invite
attacks on Redis, and one that fails closed would take the API down with it. Meanwhile n processes let through up to n
times the number.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from data.clock import Clock
from data.contracts.errors import TooMany
from data.settings import AuthSettings

WINDOW_S = 60
_REDIS_S = 0.1
_AWAY = timedelta(seconds=1)
_FRESH = timedelta(seconds=1)
_MOST_KEYS = 10_000
_LOCAL_TIMES = 10  # logins from this machine: a proxy or a test run stands for many people

_log = structlog.get_logger(__name__)


@dataclass
class Allowance:
    """What is left of a limit. `remaining`: requests; `reset_s`: seconds until some come back."""

    limit: int
    remaining: int
    reset_s: int

    def headers(self) -> dict[str, str]:
        """As IETF draft-ietf-httpapi-ratelimit-headers says it."""
        return {
            "RateLimit-Policy": f'"requests";q={self.limit};w={WINDOW_S}',
            "RateLimit": f'"requests";r={self.remaining};t={self.reset_s}',
        }


class Limiter:
    """Counts requests and login attempts. `close` it at the end."""

    def __init__(self, redis_url: str, settings: AuthSettings, clock: Clock) -> None:
        self._clock = clock
        self._requests = RateLimitItemPerMinute(settings.requests_per_minute)
        self._logins = RateLimitItemPerMinute(settings.login_per_minute)
        self._local_logins = RateLimitItemPerMinute(settings.login_per_minute * _LOCAL_TIMES)
        self._connections = ConnectionPool.from_url(
            redis_url, socket_timeout=_REDIS_S, socket_connect_timeout=_REDIS_S, max_connections=64
        )
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix="gs:limit",
            connection_pool=self._connections,  # type: ignore[arg-type]  # documented, but typed too narrowly
        )
        self._shared = SlidingWindowCounterRateLimiter(storage)
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._away_until: datetime | None = None
        self._seen: dict[str, tuple[datetime, Allowance]] = {}

    async def request(self, caller: str, route: str) -> Allowance:
        """Count one request of a caller to a route. Raises TooMany; its facts: `retry_after_s` and `allowance`."""
        return await self._count(self._requests, f"request:{caller}:{route}")

    async def login(self, name: str, address: str | None) -> None:
        """Count one attempt to log in as `name` from `address` (None: not known). Raises TooMany."""
        if address is not None:
            near = _is_local(address)
            await self._count(self._local_logins if near else self._logins, f"address:{address}")
        await self._count(self._logins, f"login:{name.lower()}")

    async def close(self) -> None:
        """Close the connections to Redis."""
        await self._connections.aclose()

    async def _count(self, item: RateLimitItemPerMinute, key: str) -> Allowance:
        hidden = hashlib.sha256(key.encode(errors="replace")).hexdigest()[:32]  # short, and no names in Redis
        now = self._clock.now()
        if self._away_until is None or now >= self._away_until:
            if self._away_until is not None:
                self._away_until = now + _AWAY  # one request tries; the others go on without
            try:
                async with asyncio.timeout(_REDIS_S):
                    allowance = await self._spend(self._shared, item, hidden, now)
            except (RedisError, OSError, TimeoutError) as problem:
                if self._away_until is None:
                    _log.warning("Redis is away; each process counts its own requests", reason=type(problem).__name__)
                self._away_until = now + _AWAY
            else:
                if self._away_until is not None:
                    _log.warning("Redis is back; requests are counted together again")
                self._away_until = None
                return _allowed(allowance)
        return _allowed(await self._spend(self._own, item, hidden, now))

    async def _spend(
        self, counter: SlidingWindowCounterRateLimiter, item: RateLimitItemPerMinute, key: str, now: datetime
    ) -> Allowance | TooMany:
        """One round trip; what is left is asked for at most once a second and counted down in between."""
        granted = await counter.hit(item, key)
        until, seen = self._seen.get(key, (now, None))
        if granted and seen is not None and now < until:
            seen.remaining = max(seen.remaining - 1, 0)
            return seen
        reset, remaining = await counter.get_window_stats(item, key)
        reset_s = min(max(math.ceil(reset - now.timestamp()), 1), WINDOW_S)
        left = Allowance(item.amount, max(remaining, 0) if granted else 0, reset_s)
        if len(self._seen) >= _MOST_KEYS:
            self._seen.clear()
        self._seen[key] = (now + _FRESH, left)
        if granted:
            return left
        return TooMany(
            f"more than {item.amount} a minute; try again in {reset_s} s", retry_after_s=reset_s, allowance=left
        )


def _allowed(outcome: Allowance | TooMany) -> Allowance:
    if isinstance(outcome, TooMany):
        raise outcome
    return outcome


def _is_local(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
