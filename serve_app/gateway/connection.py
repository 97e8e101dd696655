"""One websocket on one socket: handshake, frames, the bounded queue, and every way it can end.

Writes go straight to the transport while it takes them; what it does not take waits in one queue, counted in bytes,
and a connection whose queue is full is closed with 4008. Prices do not wait there: the newest row of a symbol is kept
instead. There is no timer per connection: the gateway calls `tick` of all of them.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from serve_app.gateway import frames
from serve_app.gateway.hub import prices_tail
from serve_app.gateway.messages import MESSAGE_BYTES
from serve_app.gateway.session import Session

if TYPE_CHECKING:
    from uvicorn.server import ServerState

    from serve_app.auth.access import Principal
    from serve_app.gateway.gateway import Gateway

AUTH_S = 5.0
CLOSE_S = 5.0  # for the other side to answer a close, and to read what was sent before it

_TRANSPORT_BYTES = (
    64 * 1024
)  # more than that and the transport is not given any: then our queue counts, and can be dropped

_KERNEL_BYTES = 128 * 1024  # otherwise it takes megabytes for each client that does not read


class Connection(asyncio.Protocol):
    """What uvicorn hands an upgraded socket to. Bytes in, frames out; what they mean is the session's matter."""

    def __init__(self, gateway: Gateway, server: ServerState) -> None:
        self._gateway, self._server = gateway, server
        self._websocket = ServerProtocol(max_size=MESSAGE_BYTES)
        self._session: Session | None = None
        self._transport: asyncio.Transport
        self._fragments: list[bytes] = []
        self._n = 0
        self._queue: deque[tuple[bytes, bytes]] = deque()
        self._queued_bytes = 0
        self._prices: dict[str, bytes] = {}
        self._paused = False
        self._drained: asyncio.Event | None = None
        self._abort_at: float | None = None  # set once it is closing
        self._began = self._heard = self._pinged = gateway.now()

    @property
    def is_closing(self) -> bool:
        """Whether nothing more will be delivered."""
        return self._abort_at is not None

    @property
    def principal(self) -> Principal | None:
        """Who was let in; None before that."""
        return None if self._session is None else self._session.principal

    # what the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it in; the handshake's bytes come next."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_TRANSPORT_BYTES)
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BYTES)
        self._server.connections.add(self)  # type: ignore[arg-type]
        self._gateway.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it out; nothing of it stays."""
        self._server.connections.discard(self)
        self._gateway.connections.discard(self)
        self._end()

    def data_received(self, data: bytes) -> None:
        """Read the handshake or frames; the library answers pings, closes and violations."""
        if self._transport.is_closing():
            return
        self._heard = self._gateway.now()
        self._websocket.receive_data(data)
        for event in self._websocket.events_received():
            if isinstance(event, Request):
                self._shake_hands(event)
            elif isinstance(event, Frame):
                self._take(event)
        self._flush_websocket()

    def eof_received(self) -> None:
        """The other side will say no more: returning None closes the transport once it has sent what it holds."""
        self._end()

    def pause_writing(self) -> None:
        """The transport is full: queue from now on."""
        self._paused = True

    def resume_writing(self) -> None:
        """The transport has room: send what waited, oldest first, then the newest prices."""
        self._paused = False
        while self._queue and not self._paused:
            parts = self._queue.popleft()
            self._queued_bytes -= len(parts[0]) + len(parts[1])
            self._transport.writelines(parts)
        if self._prices and not self._paused and not self.is_closing:
            rows, self._prices = self._prices, {}
            self.send(prices_tail(rows, room=None))
        if self._drained is not None and not self._paused:
            self._drained.set()

    def shutdown(self) -> None:
        """Called by uvicorn when the process is to end."""
        self.close(1012, self._gateway.reconnect_hint())

    # what the session and the hub ask for

    def send(self, tail: bytes) -> None:
        """Deliver a frame: now, or in its turn. Over the limit the connection is closed with 4008."""
        if self.is_closing:
            return
        self._n += 1
        parts = (frames.opening(self._n, len(tail)), tail)
        if not self._paused:
            self._transport.writelines(parts)
            return
        self._queue.append(parts)
        self._queued_bytes += len(parts[0]) + len(tail)
        if self._queued_bytes + self._transport.get_write_buffer_size() > self._gateway.settings.client_bytes:
            self.close(4008, "too slow: resume with your last cursor")

    def send_prices(self, tail: bytes, rows: Mapping[str, bytes]) -> None:
        """Deliver prices, or keep the newest of them until there is room."""
        if self._paused or self._queue:
            self._prices.update(rows)
        else:
            self.send(tail)

    def tell(self, kind: str, data: dict[str, str]) -> None:
        """A frame for everybody who has come in."""
        if self._session is not None and self._session.is_authenticated:
            self._session.say(kind, data)

    def lose(self) -> None:
        """What follows the hub's cursor is not to be had."""
        if self._session is not None and not self.is_closing:
            self._session.lose()

    async def drained(self) -> None:
        """Return when the transport takes more, or the connection ends."""
        if self._paused and not self.is_closing:
            self._drained = asyncio.Event()
            await self._drained.wait()
            self._drained = None

    def close(self, code: int, reason: str) -> None:
        """Say goodbye and deliver nothing more. The other side gets CLOSE_S to answer."""
        if self.is_closing:
            return
        self._end()
        if self._websocket.state is State.OPEN:
            self._websocket.send_close(code, reason)
            self._flush_websocket()
        elif not self._transport.is_closing():
            self._transport.abort()

    def tick(self, now: float) -> None:
        """Do what is due at this moment of the loop's clock."""
        settings = self._gateway.settings
        if self._abort_at is not None:
            if now > self._abort_at:
                self._transport.abort()
        elif self._session is None or not self._session.is_authenticated:
            if now > self._began + AUTH_S:
                self.close(4001, f"no ticket came within {AUTH_S:g} s")
        elif now > self._heard + settings.idle_s:
            self.close(4009, f"nothing was heard for {settings.idle_s:g} s")
        elif now > self._pinged + settings.ping_s:
            self._pinged = now
            self._session.say("ping", None)

    # private

    def _shake_hands(self, request: Request) -> None:
        origin = request.headers.get("Origin")
        refusal = self._gateway.refusal(request.path, request.headers.get("Host", ""), origin)
        if refusal is not None:
            self._websocket.send_response(self._websocket.reject(*refusal))
            self._abort_at = self._gateway.now() + CLOSE_S
            return
        self._websocket.send_response(self._websocket.accept(request))
        if self._websocket.state is not State.OPEN:
            self._abort_at = self._gateway.now() + CLOSE_S
            return
        self._flush_websocket()
        self._session = Session(self, self._gateway, origin)
        if self._gateway.is_full:
            self.close(1013, "all places are taken; try again later")

    def _take(self, frame: Frame) -> None:
        """One frame. The library has checked the order of fragments and the size of the message."""
        if frame.opcode is Opcode.BINARY:
            self.close(4002, "messages are text")
        if frame.opcode not in (Opcode.TEXT, Opcode.CONT) or self.is_closing:
            return
        self._fragments.append(bytes(frame.data))
        if frame.fin:
            message = b"".join(self._fragments)
            self._fragments.clear()
            assert self._session is not None
            self._session.receive(message)

    def _flush_websocket(self) -> None:
        """Send what the library wants to say: handshakes, pongs, closes. An empty piece means: nothing follows."""
        for piece in self._websocket.data_to_send():
            if piece:
                self._transport.write(piece)
            else:
                self._transport.close()
        if self._websocket.state is not State.OPEN:
            self._end()

    def _end(self) -> None:
        if self._abort_at is None:
            self._abort_at = self._gateway.now() + CLOSE_S
        self._queue.clear()
        self._queued_bytes = 0
        self._prices.clear()
        if self._session is not None:
            self._session.end()
        if self._drained is not None:
            self._drained.set()
