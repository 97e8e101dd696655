"""The gateway's heart: follows the stream for everybody, keeps time for the connections, and knows what is away.

Five loops run for as long as the process: the stream, the prices, a look at the servers, one at the logins behind the
connections, and the connections' clock.
A server that is away is told once, to every client and on `/healthz`, and waited for; nothing here ends because of it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from random import Random
from typing import TYPE_CHECKING, Final

import structlog

from data.cancelling import end
from data.contracts.errors import TemporarilyUnavailable
from data.settings import GatewaySettings
from data.stream import prices
from data.stream.reader import StreamReader, Trimmed
from serve_app.api.services import Services
from serve_app.auth.origins import Origins
from serve_app.gateway.connection import Connection
from serve_app.gateway.frames import Item, batches
from serve_app.gateway.hub import Hub, Outages
from serve_app.gateway.recent import MAX_ITEMS, Recent
from serve_app.gateway.snapshots import Snapshots

if TYPE_CHECKING:
    from uvicorn.server import ServerState

PATH = "/ws"
RECONNECT_MS = (500, 5000)  # clients of a gateway that restarts come back spread over this time

_READ = 1000  # entries at once
_TURNS = 8
_WAIT_S = 1.0  # for the next entry
_PAUSE_S = 0.25  # before asking a server again that was away
_TICK_S = 0.5
_LOOK_S = 1.0  # between two looks at PostgreSQL
_ANSWER_S = 2.0  # within which it must answer
_RECHECK_S = 3.0  # between two looks at the logins and keys behind the connections
_log: Final = structlog.get_logger()


class Gateway:
    """All connections of one process."""

    def __init__(self, services: Services, *, random: Random) -> None:
        self.settings: GatewaySettings = services.settings.gateway
        self.hub = Hub()
        self.outages = Outages()
        self.connections: set[Connection] = set()
        self.tickets = services.tickets
        self.snapshots = Snapshots(services, self.hub, max_bytes=self.settings.client_bytes // 2)
        self.catch_up_reader = StreamReader(services.redis)
        self.turns = asyncio.Semaphore(_TURNS)  # of sessions at Redis: each command at once is a connection that stays
        self._reader = StreamReader(services.redis)  # its own: a reader is told once that the stream was replaced
        self._services, self._random = services, random
        self._origins = Origins(services.settings)
        self._loop = asyncio.get_running_loop()
        self._lag = 0

    @property
    def is_full(self) -> bool:
        """Whether there are more connections than there may be."""
        return len(self.connections) > self.settings.max_clients

    def now(self) -> float:
        """Seconds, from the event loop's clock."""
        return self._loop.time()

    def connect(self, *, server_state: ServerState, **_: object) -> Connection:
        """What uvicorn calls for a socket that is upgraded."""
        return Connection(self, server_state)

    def refusal(self, target: str, host: str, origin: str | None) -> tuple[HTTPStatus, str] | None:
        """Why this handshake is turned down, None when it is not."""
        if target.partition("?")[0] != PATH:
            return HTTPStatus.NOT_FOUND, f"the websocket is at {PATH}\n"
        if origin is not None and not self._origins.permits(origin, host):
            return HTTPStatus.FORBIDDEN, "pages of this origin may not connect; GS_AUTH__CORS_ORIGINS lists others\n"
        return None

    def reconnect_hint(self) -> str:
        """The reason of a close with 1012, another one for each connection."""
        return json.dumps({"reconnect_ms": self._random.randint(*RECONNECT_MS)})

    def numbers(self) -> dict[str, object]:
        """How it is, for `/healthz`. lag: entries of the stream that are not delivered yet, a second ago at most."""
        return {
            "clients": len(self.connections),
            "rooms": self.hub.rooms,
            "cursor": self.hub.cursor,
            "lag": self._lag,
            "stale": self.outages.listing(),
        }

    async def run(self) -> None:
        """Work until cancelled. Ends by itself only with an error that is a bug."""
        work = (self._follow(), self._hear_prices(), self._watch(), self._put_out(), self._tick())
        loops = [asyncio.create_task(loop) for loop in work]
        try:
            await asyncio.gather(*loops)
        finally:
            await end(loops)

    # private

    async def _follow(self) -> None:
        """Hand out the stream, from where it is at the start."""
        while True:
            try:
                with self._noting("redis"):
                    if self.hub.cursor is None:
                        self.hub.begin(await self._newest_items())
                    assert self.hub.cursor is not None
                    found = await self._reader.read(self.hub.cursor, limit=_READ, wait_s=_WAIT_S)
            except Trimmed as problem:
                _log.warning("the stream was cut off or replaced", reason=str(problem))
                for connection in tuple(self.connections):
                    connection.lose()
                self.snapshots.forget()
                self.hub.begin(None)
            except TemporarilyUnavailable:
                await asyncio.sleep(_PAUSE_S)
            else:
                for run in batches([Item.of(entry) for entry in found]):
                    self.hub.deliver(run)
                    await asyncio.sleep(0)  # let what was written leave, and others speak

    async def _newest_items(self) -> Recent:
        """As much of the end of the stream as memory holds."""
        newest = await self._reader.newest()
        recent = Recent(max(await self._reader.horizon(), newest - MAX_ITEMS))
        while recent.end < newest:
            found = await self._reader.read(recent.end, limit=_READ, wait_s=_WAIT_S)
            recent.add([Item.of(entry) for entry in found])
        return recent

    async def _hear_prices(self) -> None:
        while True:
            try:
                async for rows in prices.listen(self._services.redis):
                    self.hub.deliver_prices(rows)
            except TemporarilyUnavailable:  # the follower of the stream tells of it
                await asyncio.sleep(_PAUSE_S)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            with suppress(TemporarilyUnavailable), self._noting("postgresql"):
                await self._services.signals.ping(within_s=_ANSWER_S)
            with suppress(TemporarilyUnavailable):  # the follower of the stream tells of it
                self._lag = max(0, await self.catch_up_reader.newest() - (self.hub.cursor or 0))

    async def _put_out(self) -> None:
        """Close the connections whose login or key has ended. While PostgreSQL is away they stay."""
        while True:
            await asyncio.sleep(_RECHECK_S)
            callers = {caller for connection in self.connections if (caller := connection.principal) is not None}
            if not callers:
                continue
            with suppress(TemporarilyUnavailable):  # the look at the servers tells of it
                ended = await self._services.accounts.ended(callers)
                for connection in tuple(self.connections):
                    if connection.principal in ended:
                        connection.close(4001, "this login or key has ended; log in and get a new ticket")

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            now = self.now()
            for connection in tuple(self.connections):
                connection.tick(now)

    @contextmanager
    def _noting(self, server: str) -> Iterator[None]:
        """Tell everybody when the block finds that a server is away, and when it finds that it is back."""
        try:
            yield
        except TemporarilyUnavailable as problem:
            now = self._services.clock.now()
            if self.outages.begin(server, now):
                _log.warning("a server is away", server=server, reason=str(problem), cause=str(problem.__cause__))
                self._tell("stale", {"server": server, "since": now.isoformat()})
            raise
        since = self.outages.end(server)
        if since is not None:
            _log.warning("a server is back", server=server)
            self._tell("fresh", {"server": server, "since": since.isoformat()})

    def _tell(self, kind: str, data: dict[str, str]) -> None:
        for connection in tuple(self.connections):
            connection.tell(kind, data)
