"""A client that speaks the protocol and checks on every frame that none is missing."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from serve_app.auth.access import Principal
from serve_app.auth.tickets import Tickets

GUARD_S = 30  # far beyond what anything here takes
VIEWER = Principal("user-1", "ana", "viewer")


class Client:
    """One connection. `cursor`: the last one that was told."""

    def __init__(self, line: ClientConnection) -> None:
        self.line = line
        self.n = 0
        self.cursor: int | None = None

    @classmethod
    @asynccontextmanager
    async def connected(cls, port: int, **options: Any) -> AsyncIterator[Self]:
        """A websocket that has not said who it is."""
        url = f"ws://127.0.0.1:{port}/ws"
        async with connect(url, max_size=8 * 1024**2, compression=None, ping_interval=None, **options) as line:
            yield cls(line)

    @classmethod
    @asynccontextmanager
    async def welcome(
        cls, port: int, tickets: Tickets, *, principal: Principal = VIEWER, **options: Any
    ) -> AsyncIterator[Self]:
        """A websocket that has been let in."""
        async with cls.connected(port, **options) as client:
            await client.say("auth", ticket=await tickets.issue(principal, None))
            assert (await client.next())["type"] == "welcome"
            yield client

    async def say(self, kind: str, **fields: Any) -> None:
        await self.line.send(json.dumps({"type": kind, **fields}))

    async def next(self) -> dict[str, Any]:
        """The next frame."""
        async with asyncio.timeout(GUARD_S):
            frame: dict[str, Any] = json.loads(await self.line.recv())
        self.n += 1
        assert frame["n"] == self.n
        assert list(frame) == ["n", "cursor", "room", "type", "data"]
        if frame["cursor"] is not None:
            assert self.cursor is None or frame["cursor"] >= self.cursor
            self.cursor = frame["cursor"]
        return frame

    async def until(self, *kinds: str) -> dict[str, Any]:
        """The next frame of one of these types."""
        while True:
            frame = await self.next()
            if frame["type"] in kinds:
                return frame

    async def subscribe(self, rooms: Sequence[str], cursor: int | None = None) -> dict[str, Any]:
        """What is answered to a subscription."""
        await self.say("subscribe", rooms=list(rooms), cursor=cursor)
        answer = (await self.until("subscribed"))["data"]
        assert isinstance(answer, dict)
        return answer

    async def events(self, last: int) -> list[dict[str, Any]]:
        """Entries as they come, until the cursor has reached this number."""
        found: list[dict[str, Any]] = []
        while self.cursor is None or self.cursor < last:
            frame = await self.next()
            if frame["type"] == "events":
                found += frame["data"]
        return found

    async def closed(self) -> tuple[int, str]:
        """How the other side ends it: code and reason."""
        async with asyncio.timeout(GUARD_S):
            try:
                while True:
                    await self.line.recv()
            except ConnectionClosed as end:
                return (end.rcvd.code, end.rcvd.reason) if end.rcvd else (1006, "")
