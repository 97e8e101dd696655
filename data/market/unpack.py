"""The table in bytes of a stranger: Parquet, or an Arrow IPC file or stream, told by their first bytes.

Promises that a small body cannot fill the memory: what it says of itself is checked before it is unpacked, and what it
turns out to hold is counted while it is. One column is unpacked at a time, strings as dictionaries; of a forged Parquet
file whose pages are larger than its footer says, Arrow itself unpacks at most 2 GiB before that is noticed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.contracts.errors import InvalidInput

MAX_ROWS = 10_000_000
MAX_BYTES = 1024**3  # unpacked: 16 bytes for each byte of the largest upload, as it is set at first
MAX_COLUMNS = 64
_BATCH_ROWS = 65_536
_DICTIONARY = 2  # of a message's header, as Arrow's Message.fbs numbers them
_BLOCK = 24  # bytes of a Block in the footer of an IPC file: offset, length of the metadata, length of the body


def unpack(body: bytes) -> pa.Table:
    """The table, validated; flat columns only, strings not as dictionaries.

    Raises: InvalidInput for more than `MAX_ROWS`, `MAX_BYTES` or `MAX_COLUMNS`, for a column that bars cannot have, and
            for compressed IPC, which nobody can measure before it is unpacked; pa.ArrowException or OSError for bytes
            that cannot be read.
    """
    if body[:4] == b"PAR1":
        return _parquet(body)
    buffer = pa.py_buffer(body)
    if body[:6] == b"ARROW1":
        file = pa.ipc.open_file(buffer)
        _require_plain(_messages(body, buffer))
        batches: Iterator[pa.RecordBatch] = (file.get_batch(i) for i in range(file.num_record_batches))
        return _collect(file.schema, batches)
    _require_plain(iter(pa.ipc.MessageReader.open_stream(buffer)))
    stream = pa.ipc.open_stream(buffer)
    return _collect(stream.schema, iter(stream))


def _parquet(body: bytes) -> pa.Table:
    buffer = pa.py_buffer(body)
    footer = pq.read_metadata(pa.BufferReader(buffer))
    groups = [footer.row_group(i) for i in range(footer.num_row_groups)]
    _require_size(sum(group.num_rows for group in groups), sum(group.total_byte_size for group in groups))
    columns = [footer.schema.column(i) for i in range(footer.num_columns)]
    strings = [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]
    file = pq.ParquetFile(pa.BufferReader(buffer), metadata=footer, read_dictionary=strings)
    _require_flat(file.schema_arrow)
    size, found = 0, {}
    for name in file.schema_arrow.names:  # one after the other: one column's pages at a time
        chunks = []
        for batch in file.iter_batches(_BATCH_ROWS, columns=[name], use_threads=False):
            size += _unpacked(batch.column(0))
            _require_size(0, size)
            chunks.append(_plain(batch.column(0)))
        found[name] = pa.chunked_array(chunks, _plain_type(file.schema_arrow.field(name).type))
    return pa.table(found)


def _collect(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> pa.Table:
    _require_flat(schema)
    rows, size, found = 0, 0, []
    for batch in batches:
        batch.validate(full=True)  # offsets and indices that point elsewhere
        rows, size = rows + batch.num_rows, size + sum(_unpacked(column) for column in batch.columns)
        _require_size(rows, size)
        found.append(pa.RecordBatch.from_arrays([_plain(column) for column in batch.columns], schema.names))
    fields = [pa.field(field.name, _plain_type(field.type)) for field in schema]
    return pa.Table.from_batches(found, pa.schema(fields))


def _unpacked(column: pa.Array) -> int:
    """Bytes of a column when every row has its own value."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        lengths = pc.binary_length(column.dictionary).take(column.indices)
        return 8 * len(column) + int(pc.sum(lengths, min_count=0).as_py())
    if _is_string(kind):
        return 8 * len(column) + int(pc.sum(pc.binary_length(column.cast(pa.large_string())), min_count=0).as_py())
    return int(column.nbytes)


def _plain(column: pa.Array) -> pa.Array:
    kind = _plain_type(column.type)
    return column if column.type == kind else column.cast(kind)


def _plain_type(kind: pa.DataType) -> pa.DataType:
    return pa.large_string() if pa.types.is_dictionary(kind) or _is_string(kind) else kind


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _require_flat(schema: pa.Schema) -> None:
    """Refuse columns whose rows have no bound, and names that stand twice: a column is asked for by its name."""
    if len(schema) > MAX_COLUMNS or len(set(schema.names)) < len(schema):
        raise InvalidInput(f"bars have at most {MAX_COLUMNS} columns, each with a name of its own; send only those")
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        single = pa.types.is_primitive(kind) or pa.types.is_null(kind) or pa.types.is_decimal(kind)
        if not (_is_string(kind) or (single and kind is field.type)):
            raise InvalidInput(
                f"the column {field.name[:50]!r} has the type {str(field.type)[:50]}, which bars cannot have; send "
                "numbers, times and strings"
            )


def _require_size(rows: int, size: int) -> None:
    if rows > MAX_ROWS or size > MAX_BYTES:
        raise InvalidInput(f"one upload holds at most {MAX_ROWS:,} rows and {MAX_BYTES >> 20} MiB; send it in parts")


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
    """Refuse compressed batches. PyArrow cannot say which are, so the field is looked up; Arrow checked the message."""
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
