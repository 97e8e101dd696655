"""A small body cannot fill the memory."""

import io
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.contracts.errors import InvalidInput, TemporarilyUnavailable
from data.market import unpack as unpack_module
from data.market.archive import read_upload
from data.market.unpack import MAX_BYTES, unpack, write_parquet_columns

Writer = Callable[..., pa.ipc.RecordBatchStreamWriter]
ROOT = Path(__file__).parents[3]
_BOMB = 1536 * 2**20
PEAK = """
import resource, sys
from data.contracts.errors import InvalidInput
from data.market.archive import read_upload
try:
    read_upload(sys.stdin.buffer.read())
except InvalidInput as problem:
    print("InvalidInput:", problem)
own = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print("", max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) >> 10)
"""  # ru_maxrss of a process itself counts what its parent held when it was started
TABLE = pa.table({"symbol": ["A", "a name of more than twelve bytes", None], "close": [1.0, None, 3.0]})


def parquet(table: pa.Table, **options: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def ipc(new: Writer, table: pa.Table, compression: str | None = None) -> bytes:
    out = io.BytesIO()
    with new(out, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table)
    return out.getvalue()


def repeated(value: str, rows: int) -> pa.Table:
    return pa.table({"symbol": pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), [value])})


def test_what_was_packed_comes_out() -> None:
    names = TABLE.column("symbol")
    for table in (
        TABLE,
        *(TABLE.set_column(0, "symbol", c) for c in (names.dictionary_encode(), names.cast("string_view"))),
    ):
        packed = [ipc(pa.ipc.new_file, table), ipc(pa.ipc.new_stream, table)]
        if not pa.types.is_string_view(table.column(0).type):
            packed += [parquet(table), parquet(table, compression="zstd"), parquet(table, use_dictionary=False)]
        assert [unpack(body).to_pydict() for body in packed] == [TABLE.to_pydict()] * len(packed)
    frame = pl.DataFrame(TABLE)
    out = io.BytesIO()
    frame.write_ipc(out)
    assert unpack(out.getvalue()).to_pydict() == TABLE.to_pydict()


@pytest.mark.parametrize("new", [None, pa.ipc.new_file, pa.ipc.new_stream])
def test_one_long_string_in_many_rows_is_refused(new: Writer | None) -> None:
    table = repeated("x" * 100_000, 20_000)
    body = parquet(table) if new is None else ipc(new, table)
    assert len(body) < MAX_BYTES / 1000
    before = pa.default_memory_pool().max_memory()
    with pytest.raises(InvalidInput, match="send it in parts"):
        read_upload(body)
    assert pa.default_memory_pool().max_memory() < before + MAX_BYTES / 10


def test_a_column_of_zeros_that_unpacks_to_far_more_is_refused() -> None:
    body = parquet(pa.table({"close": [0.0]}).take([0] * 10_000_001))
    with pytest.raises(InvalidInput, match="10,000,000 rows"):
        read_upload(body)


@pytest.mark.parametrize("new", [pa.ipc.new_file, pa.ipc.new_stream])
@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_compressed_arrow_is_refused_before_it_is_unpacked(new: Writer, compression: str) -> None:
    zeros = pa.table({"close": pa.array([0.0]).take(pa.array([0] * 1_000_000))})
    for table in (zeros, repeated("x" * 1_000_000, 10)):
        with pytest.raises(InvalidInput, match="or as Parquet"):
            read_upload(ipc(new, table, compression))


def test_columns_without_a_bound_are_refused() -> None:
    nested = pa.table({"close": [[1.0]]})
    binary = pa.table({"symbol": pa.array([b"A" * 100], pa.binary(100))})
    for table in (nested, binary):
        for body in (parquet(table), ipc(pa.ipc.new_stream, table)):
            with pytest.raises(InvalidInput, match="which bars cannot have"):
                read_upload(body)
    wide = pa.table({f"c{i}": [1.0] for i in range(65)})
    with pytest.raises(InvalidInput, match="at most 64 columns"):
        read_upload(parquet(wide))


def test_bytes_that_were_damaged_anywhere_are_read_or_refused_with_a_sentence() -> None:
    for body in (ipc(pa.ipc.new_file, TABLE), ipc(pa.ipc.new_stream, TABLE)):
        for place in range(4, len(body)):
            with pytest.raises(InvalidInput):  # also where it can be read: two columns are no bars
                read_upload(damaged(body, place))


def test_a_parquet_file_that_was_damaged_anywhere_is_read_or_refused_with_a_sentence() -> None:
    """One process for each place would take minutes: a few of them, and the others in this one."""
    body = parquet(TABLE)
    for place in range(4, len(body)):
        with suppress(InvalidInput, pa.ArrowException, ValueError, IndexError, OSError):
            write_parquet_columns(damaged(body, place), io.BytesIO())
    for place in (5, 40, len(body) // 2, len(body) - 20, len(body) - 5):
        with pytest.raises(InvalidInput):
            read_upload(damaged(body, place))


def test_a_page_far_larger_than_the_file_says_is_refused_before_it_fills_the_memory() -> None:
    """Its header may say so or lie; measured over the process that reads and the one it starts."""
    page = zeros(_BOMB)
    for claimed in (_BOMB, 8):
        body = forged_parquet(page, claimed)
        assert pq.read_metadata(io.BytesIO(body)).row_group(0).total_byte_size == 8
        done = subprocess.run(
            [sys.executable, "-c", PEAK], input=body, cwd=ROOT, capture_output=True, check=True, timeout=120
        )
        said, peak_mib = done.stdout.decode().rsplit(" ", 1)
        assert said.startswith("InvalidInput")
        assert int(peak_mib) < 500


def test_a_machine_that_is_too_busy_to_unpack_is_not_the_fault_of_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack_module, "_WALL_S", 0.001)
    with pytest.raises(TemporarilyUnavailable, match="try again later"):
        read_upload(parquet(TABLE))


def damaged(body: bytes, place: int) -> bytes:
    return body[:place] + bytes([body[place] ^ 0xFF]) + body[place + 1 :]


def zeros(size: int) -> bytes:
    """So many zeros as one Zstandard frame, made in small steps."""
    packed = pa.BufferOutputStream()
    with pa.CompressedOutputStream(packed, "zstd") as out:
        for _ in range(size // 2**20):
            out.write(bytes(2**20))
    return bytes(packed.getvalue().to_pybytes())


def forged_parquet(page: bytes, claimed: int) -> bytes:
    """A file of one row of one column `close`, as its footer says, around a packed page of any content."""
    number, whole, text, many, inner = 5, 6, 8, 9, 12  # Thrift's compact types

    def varint(n: int) -> bytes:
        return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)

    def struct(*fields: tuple[int, int, int | bytes]) -> bytes:
        out, before = b"", 0
        for place, kind, value in fields:
            out += bytes([(place - before) << 4 | kind])
            out += varint(2 * value) if isinstance(value, int) else value
            before = place
        return out + b"\0"

    def string(value: bytes) -> bytes:
        return varint(len(value)) + value

    def listed(kind: int, *members: bytes) -> bytes:
        return bytes([len(members) << 4 | kind]) + b"".join(members)

    values = struct((1, number, 1), (2, number, 0), (3, number, 3), (4, number, 3))
    header = struct((1, number, 0), (2, number, claimed), (3, number, len(page)), (5, inner, values))
    facts = struct(
        *((1, number, 5), (2, many, listed(number, varint(0))), (3, many, listed(text, string(b"close")))),
        *((4, number, 6), (5, whole, 1), (6, whole, 8), (7, whole, len(header) + len(page)), (9, whole, 4)),
    )
    group = struct((1, many, listed(inner, struct((2, whole, 4), (3, inner, facts)))), (2, whole, 8), (3, whole, 1))
    root = struct((4, text, string(b"schema")), (5, number, 1))
    leaf = struct((1, number, 5), (3, number, 0), (4, text, string(b"close")))
    footer = struct(
        (1, number, 1), (2, many, listed(inner, root, leaf)), (3, whole, 1), (4, many, listed(inner, group))
    )
    return b"PAR1" + header + page + footer + len(footer).to_bytes(4, "little") + b"PAR1"
