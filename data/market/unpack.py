"""The table in bytes of a stranger: Parquet, or an Arrow IPC file or stream, told by their first bytes.

Promises that a small body cannot fill the memory: what it says of itself is checked before it is unpacked, and what it
turns out to hold is counted while it is. Nothing that Parquet says has to be true, so it is unpacked by a process of
its own (`python -m data.market.unpack`) whose memory and time the system limits: one column after the other, strings
as dictionaries, each batch written out before the next one is read.
"""

from __future__ import annotations

import errno
import mmap
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.contracts.errors import InvalidInput, TemporarilyUnavailable
from data.market.plain_ipc import require_plain_file, require_plain_stream

MAX_ROWS = 10_000_000
MAX_BYTES = 1024**3  # unpacked: 16 bytes for each byte of the largest upload, as it is set at first
MAX_COLUMNS = 64
_BATCH_ROWS = 65_536
PAGE_BYTES = 256 * 1024**2  # what unpacking Parquet may take at once, beside the body; usual pages are of 1 MiB
_CPU_S = 60
_WALL_S = 150.0
_ERRORS = {1: pa.ArrowInvalid, 2: InvalidInput, 3: TemporarilyUnavailable}  # exit code of the process, which says why
_ROOT = Path(__file__).parents[2]


def unpack(body: bytes) -> pa.Table:
    """The table, validated; flat columns only, strings not as dictionaries.

    Raises: InvalidInput for more than `MAX_ROWS`, `MAX_BYTES` or `MAX_COLUMNS`, for a column that bars cannot have, and
            for compressed IPC, which nobody can measure before it is unpacked; pa.ArrowException or OSError for bytes
            that cannot be read; TemporarilyUnavailable when this machine is too busy to unpack Parquet.
    """
    if body[:4] == b"PAR1":
        return _parquet(body)
    buffer = pa.py_buffer(body)
    if body[:6] == b"ARROW1":
        file = pa.ipc.open_file(buffer)
        require_plain_file(body)
        batches: Iterator[pa.RecordBatch] = (file.get_batch(i) for i in range(file.num_record_batches))
        return _collect(file.schema, batches)
    require_plain_stream(body)
    stream = pa.ipc.open_stream(buffer)
    return _collect(stream.schema, iter(stream))


def write_parquet_columns(body: bytes, out: IO[bytes]) -> None:
    """Unpack a Parquet file in this process: each column to `out` as an IPC stream of its own, one after the other."""
    buffer = pa.py_buffer(body)
    footer = pq.read_metadata(pa.BufferReader(buffer))
    groups = [footer.row_group(i) for i in range(footer.num_row_groups)]
    _require_size(sum(group.num_rows for group in groups), sum(group.total_byte_size for group in groups))
    columns = [footer.schema.column(i) for i in range(footer.num_columns)]
    strings = [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]
    file = pq.ParquetFile(pa.BufferReader(buffer), metadata=footer, read_dictionary=strings)
    _require_flat(file.schema_arrow)
    size = 0
    for field in file.schema_arrow:
        schema = pa.schema([pa.field(field.name, _plain_type(field.type))])
        with pa.ipc.new_stream(out, schema) as writer:
            for batch in file.iter_batches(_BATCH_ROWS, columns=[field.name], use_threads=False):
                size += _unpacked(batch.column(0))
                _require_size(0, size)
                writer.write_batch(pa.RecordBatch.from_arrays([_plain(batch.column(0))], schema=schema))


def _parquet(body: bytes) -> pa.Table:
    """Unpacked by a process of its own into a file without a name, which is mapped and goes with the table."""
    with tempfile.TemporaryFile() as unpacked:
        code, said = _run_child(body, unpacked)
        if code in _ERRORS:
            raise _ERRORS[code](said)
        if code != 0:  # it crashed, or the system ended it
            raise pa.ArrowInvalid("unpacking it takes too much memory or time")
        size = unpacked.seek(0, os.SEEK_END)
        if size == 0:
            return pa.table({})
        reader = pa.BufferReader(pa.py_buffer(mmap.mmap(unpacked.fileno(), size, access=mmap.ACCESS_READ)))
        found: dict[str, pa.ChunkedArray] = {}
        while reader.tell() < size:
            column = pa.ipc.open_stream(reader).read_all()
            found[column.schema.names[0]] = column.column(0)
        return pa.table(found)


def _run_child(body: bytes, out: IO[bytes]) -> tuple[int, str]:
    """Exit code, negative for a signal, and the last line of what it said."""
    environment = {"PATH": os.defpath, "PYTHONPATH": str(_ROOT), "ARROW_DEFAULT_MEMORY_POOL": "system"}
    command = [sys.executable, "-m", "data.market.unpack"]
    try:
        done = subprocess.run(
            command, input=body, stdout=out, stderr=subprocess.PIPE, env=environment, timeout=_WALL_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise TemporarilyUnavailable("this machine is too busy to check an upload now; try again later") from None
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return done.returncode, said[-1] if said else "it cannot be unpacked"


def _child() -> int:
    import psutil

    body = sys.stdin.buffer.read()
    most = psutil.Process().memory_info().vms + PAGE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        write_parquet_columns(body, sys.stdout.buffer)
        sys.stdout.flush()
    except MemoryError:
        return _say(2, f"unpacking it takes more than {PAGE_BYTES >> 20} MiB at once; write it in smaller pages")
    except InvalidInput as problem:
        return _say(2, str(problem))
    except (pa.ArrowException, ValueError, IndexError, OSError, EOFError) as problem:
        if isinstance(problem, OSError) and problem.errno == errno.ENOSPC:
            return _say(3, "the disk is full, so an upload cannot be checked now; try again later")
        return _say(1, (str(problem).strip().splitlines() or [type(problem).__name__])[0])
    return 0


def _say(code: int, text: str) -> int:
    sys.stderr.write(text)
    return code


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


if __name__ == "__main__":
    sys.exit(_child())
