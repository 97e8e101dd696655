"""Frames as bytes. What many connections get is made once; of each connection's own is only the `{"n":7,` in front.

A frame is `{"n":N,` + tail, where the tail is everything from `"cursor"` on. As a websocket message it is one unmasked,
unfragmented text frame (RFC 6455, 5.2); the library that reads the other direction is not asked for it, because that
would copy a burst once per connection.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json, to_json

from data.stream.reader import Entry
from data.stream.topics import rooms_of

FRAME_BYTES = 256 * 1024  # of entries in one frame: what a client holds before it can begin to read them

_TEXT = 0x81  # last fragment of a text message


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of the stream, encoded as a member of the `data` of an `events` frame."""

    seq: int
    rooms: tuple[str, ...]
    data: bytes

    @classmethod
    def of(cls, entry: Entry) -> Item:
        """The body is taken over as it is; only its `as_of` is looked at."""
        body = from_json(entry.body)
        head = {"seq": entry.seq, "key": entry.key, "type": entry.type, "as_of": body["as_of"]}
        return cls(entry.seq, rooms_of(entry.key), b'%b,"body":%b}' % (to_json(head)[:-1], entry.body))


def batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Cut into runs of about FRAME_BYTES at most; a single larger item is a run of its own."""
    begin = size = 0
    for index, item in enumerate(items):
        if size and size + len(item.data) > FRAME_BYTES:
            yield items[begin:index]
            begin, size = index, 0
        size += len(item.data)
    if begin < len(items):
        yield items[begin:]


def tail(kind: str, data: bytes, *, cursor: int | None, room: str | None = None) -> bytes:
    """Everything of a frame behind its number. `data`: JSON."""
    head = json.dumps({"cursor": cursor, "room": room, "type": kind}, separators=(",", ":"))
    return b'%b,"data":%b}' % (head[1:-1].encode(), data)


def plain(kind: str, data: Any, *, cursor: int | None) -> bytes:
    """The tail of a frame that is one connection's own."""
    return tail(kind, to_json(data), cursor=cursor)


def events(items: Iterable[Item], *, cursor: int, room: str | None) -> bytes:
    """The tail of an `events` frame."""
    return tail("events", array(item.data for item in items), cursor=cursor, room=room)


def array(members: Iterable[bytes]) -> bytes:
    """A JSON array of members that are JSON already."""
    return b"[%b]" % b",".join(members)


def opening(n: int, tail_bytes: int) -> bytes:
    """What goes before the tail of frame `n`: the websocket header and the number."""
    number = b'{"n":%d,' % n
    size = len(number) + tail_bytes
    if size < 126:
        return bytes((_TEXT, size)) + number
    if size < 65536:
        return struct.pack("!BBH", _TEXT, 126, size) + number
    return struct.pack("!BBQ", _TEXT, 127, size) + number
