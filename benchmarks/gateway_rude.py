"""Sockets that misbehave in every way we can think of."""

from __future__ import annotations

import asyncio
import random

from benchmarks.gateway_clients import HANDSHAKE, masked, say


async def rude(port: int, rng: random.Random, ticket: str) -> None:
    """One socket, opened and left in one of many bad ways; returns when it is gone on this side."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    auth = say("auth", ticket=ticket)
    subscribe = say("subscribe", rooms=["signals", "jobs"])
    first = rng.choice(
        [
            b"",  # connects and says nothing
            b"GET /ws HTTP/1.1\r\nHost: x",  # half a head
            rng.randbytes(200),
            b"GET /ws HTTP/1.1\r\nX: " + b"y" * 100_000,  # a head without end
            HANDSHAKE.replace(b"13", b"99"),
            HANDSHAKE.replace(b"Key", b"Lock"),
            HANDSHAKE,
            HANDSHAKE,
            HANDSHAKE,
        ]
    )
    second = rng.choice(
        [
            b"",  # never says who it is
            masked(b"garbage"),
            auth,
            auth + subscribe,
            auth + subscribe + masked(b"", 8),
            auth + subscribe[: rng.randrange(len(subscribe))],
            b"\x81\x05hello",  # not masked
            b"\x81\xff" + b"\x7f" * 8,  # says it will be enormous
            masked(b"\x03\xe8", 8),
        ]
    )
    ending = rng.choice(["close", "reset", "half close", "stay"])
    try:
        writer.write(first)
        if first == HANDSHAKE:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(second)
        if ending == "reset":
            writer.transport.abort()
        elif ending == "half close" and not writer.is_closing():
            writer.write_eof()
        if ending in ("half close", "stay"):  # until the gateway has had enough of it
            while await reader.read(65536):
                continue
    except (ConnectionError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()


async def rude_crowd(port: int, tickets: list[str], rng: random.Random, *, at_once: int) -> None:
    """One rude socket for each ticket, so many at a time."""
    turns = asyncio.Semaphore(at_once)

    async def one(ticket: str) -> None:
        async with turns:
            await rude(port, rng, ticket)

    await asyncio.gather(*(one(ticket) for ticket in tickets))
