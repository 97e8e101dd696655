"""Whether Arrow IPC is plain: compressed batches cannot be measured before they are unpacked.

PyArrow reads such bytes but cannot say which of their batches are compressed, so the field is looked up here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pyarrow as pa

from data.contracts.errors import InvalidInput

_DICTIONARY = 2  # of a message's header, as Arrow's Message.fbs numbers them
_BLOCK = 24  # bytes of a Block in the footer of an IPC file: offset, length of the metadata, length of the body


def require_plain_file(body: bytes) -> None:
    """Refuse an IPC file with compressed batches. Raises InvalidInput; as `unpack` for bytes that cannot be read."""
    _require_plain(_messages(body, pa.py_buffer(body)))


def require_plain_stream(body: bytes) -> None:
    """Refuse an IPC stream with compressed batches; likewise."""
    _require_plain(iter(pa.ipc.MessageReader.open_stream(pa.py_buffer(body))))


def _messages(body: bytes, buffer: pa.Buffer) -> Iterator[pa.Message]:
    """The messages that the footer of an IPC file names: exactly those that its reader reads."""
    (length,) = struct.unpack_from("<i", body, len(body) - 10)
    footer = body[len(body) - 10 - length : len(body) - 10]
    root = _follow(footer, 0)
    for slot in (2, 3):  # dictionaries, record batches
        place = _field(footer, root, slot)
        if place is None:
            continue
        blocks = _follow(footer, place)
        for i in range(struct.unpack_from("<I", footer, blocks)[0]):
            (offset,) = struct.unpack_from("<q", footer, blocks + 4 + i * _BLOCK)
            if not 0 <= offset < len(body):
                raise pa.ArrowInvalid("the footer points outside the file")
            yield pa.ipc.read_message(buffer.slice(offset))


def _require_plain(messages: Iterator[pa.Message]) -> None:
    """Refuse compressed batches. Arrow has checked the messages themselves."""
    for message in messages:
        metadata = message.metadata.to_pybytes()
        table = _follow(metadata, 0)
        kind, header = _field(metadata, table, 1), _field(metadata, table, 2)
        if message.type == "schema" or kind is None or header is None:
            continue
        batch = _follow(metadata, header)
        if metadata[kind] == _DICTIONARY:
            data = _field(metadata, batch, 1)
            batch = batch if data is None else _follow(metadata, data)
        if _field(metadata, batch, 3) is not None or b"ARROW:experimental_compression" in metadata:
            raise InvalidInput("compressed Arrow cannot be checked before it is unpacked; send it plain, or as Parquet")


def _field(buffer: bytes, table: int, slot: int) -> int | None:
    """Where a flatbuffer's table has a field; None where it has none."""
    vtable = table - struct.unpack_from("<i", buffer, table)[0]
    if 4 + 2 * slot >= struct.unpack_from("<H", buffer, vtable)[0]:
        return None
    (offset,) = struct.unpack_from("<H", buffer, vtable + 4 + 2 * slot)
    return table + int(offset) if offset else None


def _follow(buffer: bytes, place: int) -> int:
    return place + int(struct.unpack_from("<I", buffer, place)[0])
