"""The newest items of the stream, in memory: most resumes are answered from here, without a round trip."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

from serve_app.gateway.frames import Item

MAX_ITEMS = 5_000
MAX_BYTES = 16 * 1024**2


class Recent:
    """Items with consecutive numbers. `start` is the oldest cursor that can be resumed from here, `end` the newest."""

    def __init__(self, cursor: int) -> None:
        self.start = self.end = cursor
        self._items: deque[Item] = deque()
        self._bytes = 0

    def add(self, items: Sequence[Item]) -> None:
        """Append items that begin right behind `end`, and forget the oldest beyond the limits."""
        for item in items:
            if item.seq != self.end + 1:
                raise ValueError(f"entry {item.seq} does not follow {self.end}")
            self._items.append(item)
            self.end = item.seq
            self._bytes += len(item.data)
        while len(self._items) > MAX_ITEMS or self._bytes > MAX_BYTES:
            self._bytes -= len(self._items.popleft().data)
            self.start += 1

    def holds(self, cursor: int) -> bool:
        """Whether everything after this cursor, up to `end`, is here."""
        return self.start <= cursor <= self.end

    def after(self, cursor: int) -> Iterator[Item]:
        """Items after a cursor that is held, oldest first."""
        return islice(self._items, cursor - self.start, None)
