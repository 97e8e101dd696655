"""A short memory of database answers: asked again only after two seconds, and once for all who ask together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from data.clock import Clock

_FRESH = timedelta(seconds=2)
_MOST = 10_000

T = TypeVar("T")


class Recent(Generic[T]):
    """Answers by key, at most two seconds old. That something is absent or failed is not remembered."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._found: dict[str, tuple[datetime, T]] = {}
        self._asking: dict[str, asyncio.Task[T | None]] = {}

    async def get(self, key: str, ask: Callable[[], Awaitable[T | None]]) -> T | None:
        """What `ask` says about `key`, or said a moment ago. Raises what `ask` raises."""
        known = self._found.get(key)
        if known is not None and known[0] > self._clock.now():
            return known[1]
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._ask(key, ask))
        return await asyncio.shield(task)  # one who goes away must not take the answer from the others

    def forget(self) -> None:
        """Ask anew about everything: something was just changed here. Questions that are under way do not count."""
        self._found.clear()
        self._asking.clear()

    async def _ask(self, key: str, ask: Callable[[], Awaitable[T | None]]) -> T | None:
        me = asyncio.current_task()
        until = self._clock.now() + _FRESH  # from before the question
        try:
            answer = await ask()
            if answer is not None and self._asking.get(key) is me:
                if len(self._found) >= _MOST:
                    self._found.clear()
                self._found[key] = (until, answer)
            return answer
        finally:
            if self._asking.get(key) is me:
                del self._asking[key]
