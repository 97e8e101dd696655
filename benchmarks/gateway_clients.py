"""Cheap websocket clients: they share the cores with what is measured, so a frame costs a header and some searches.

As a process (`python -m benchmarks.gateway_clients PORT`) it takes one JSON object a line on stdin and answers each
with one on stdout; `Crowd.command` lists them.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import time
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import uvloop

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_SEQ = b'{"seq":'
_AT_ONCE = 50  # handshakes under way


def masked(payload: bytes, opcode: int = 1) -> bytes:
    """A client's frame, masked with zeros."""
    size = bytes((0x80 | len(payload),)) if len(payload) < 126 else struct.pack("!BH", 0xFE, len(payload))
    return bytes((0x80 | opcode,)) + size + b"\0\0\0\0" + payload


def say(kind: str, **fields: Any) -> bytes:
    """A message of the protocol as bytes for the wire."""
    return masked(json.dumps({"type": kind, **fields}).encode())


class RawClient(asyncio.Protocol):
    """One connection. Checks that `n` has no jump and that entries fill the space between two cursors.

    Only for rooms that everything is in. `on_events(client, before, cursor)` is called for each frame of events.
    """

    def __init__(self, ticket: str, cursor: int | None, on_events: Callable[[RawClient, int, int], None]) -> None:
        self._ticket, self._resume, self._on_events = ticket, cursor, on_events
        self._buffer = bytearray()
        self._is_open = False
        self.n = 0
        self.cursor = -1
        self.faults = self.skipped = 0
        self.close_code: int | None = None
        self.recovered: bool | None = None
        loop = asyncio.get_running_loop()
        self.subscribed, self.ended = loop.create_future(), loop.create_future()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(HANDSHAKE)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.subscribed.done():
            self.subscribed.set_result(False)
        self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._is_open:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self._buffer.startswith(b"HTTP/1.1 101"):
                self.transport.abort()
                return
            del self._buffer[: end + 4]
            self._is_open = True
            subscribe = say("subscribe", rooms=["signals"], cursor=self._resume)
            self.transport.write(say("auth", ticket=self._ticket) + subscribe)
        while (found := self._cut()) is not None:
            self._take(*found)

    def _cut(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, head = buffer[1], 2
        if size == 126:
            if len(buffer) < 4:
                return None
            size, head = int.from_bytes(buffer[2:4], "big"), 4
        elif size == 127:
            if len(buffer) < 10:
                return None
            size, head = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < head + size:
            return None
        opcode, payload = buffer[0] & 15, bytes(buffer[head : head + size])
        del buffer[: head + size]
        return opcode, payload

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == 8:
            self.close_code = int.from_bytes(payload[:2], "big")
            self.transport.write(masked(payload[:2], 8))
            return
        self.n += 1
        start = payload.index(b",", 5)
        self.faults += int(payload[5:start]) != self.n
        end = payload.index(b",", start + 1)
        told = payload[start + 10 : end]  # ,"cursor":
        kind = payload.index(b'"type":"', end) + 8
        if payload.startswith(b"events", kind):
            before, self.cursor = self.cursor, int(told)
            self.faults += payload.count(_SEQ) != self.cursor - before
            self._on_events(self, before, self.cursor)
        elif payload.startswith(b"subscribed", kind):
            known = self.cursor if self.subscribed.done() else self._resume
            self.skipped += 0 if known is None else int(told) - known  # nothing, unless the stream does not hold it
            self.cursor, self.recovered = int(told), b'"recovered":true' in payload[kind : kind + 100]
            if not self.subscribed.done():
                self.subscribed.set_result(True)
        elif payload.startswith(b"ping", kind):
            self.transport.write(say("pong"))


class Crowd:
    """Many clients of one gateway, and when each of them received what."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._clients: list[RawClient] = []
        self._mute: set[RawClient] = set()
        self._received: list[tuple[int, int, int]] = []
        self._goal = -1
        self._left = 0
        self._reached = asyncio.Event()

    async def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """connect {tickets, mute}: that many more clients, of whom `mute` never read again once subscribed.
        begin {}: forget what was received. wait {cursor, seconds}: until every reader has come so far, or time is over.
        report {file}: what was received, as an array of (cursor before, cursor, time in ns). leave {}: close all.
        """
        match command["do"]:
            case "connect":
                turns = asyncio.Semaphore(_AT_ONCE)
                await asyncio.gather(*(self._connect(ticket, turns) for ticket in command["tickets"]))
                for client in self._clients[: command.get("mute", 0)]:
                    client.transport.pause_reading()
                    self._mute.add(client)
                return {"clients": len(self._clients), "cursor": max(client.cursor for client in self._clients)}
            case "begin":
                self._received.clear()
                return {}
            case "wait":
                self._goal = command["cursor"]
                readers = [client for client in self._clients if client not in self._mute]
                self._left = sum(client.cursor < self._goal for client in readers)
                self._reached.clear()
                if self._left:
                    try:
                        async with asyncio.timeout(command["seconds"]):
                            await self._reached.wait()
                    except TimeoutError:
                        pass
                return {"late": self._left}
            case "report":
                np.save(command["file"], np.array(self._received, dtype=np.int64).reshape(-1, 3))
                readers = [client for client in self._clients if client not in self._mute]
                return {
                    "faults": sum(client.faults for client in self._clients),
                    "readers_closed": sum(client.transport.is_closing() for client in readers),
                }
            case "leave":
                for client in self._clients:
                    client.transport.abort()
                self._clients.clear()
                self._mute.clear()
                return {}
            case other:
                raise ValueError(other)

    async def _connect(self, ticket: str, turns: asyncio.Semaphore) -> None:
        async with turns:
            loop = asyncio.get_running_loop()
            _, client = await loop.create_connection(
                lambda: RawClient(ticket, None, self._note), "127.0.0.1", self._port
            )
            if not await client.subscribed:
                raise RuntimeError(f"a client was not let in: {client.close_code}")
            self._clients.append(client)

    def _note(self, client: RawClient, before: int, cursor: int) -> None:
        self._received.append((before, cursor, time.monotonic_ns()))
        if before < self._goal <= cursor:
            self._left -= 1
            if self._left == 0:
                self._reached.set()


async def _serve(port: int) -> None:
    crowd, loop = Crowd(port), asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        print(json.dumps(await crowd.command(json.loads(line))), flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(int(sys.argv[1])))
