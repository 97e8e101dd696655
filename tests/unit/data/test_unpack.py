"""A small body cannot fill the memory."""

import io
from collections.abc import Callable

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.contracts.errors import InvalidInput
from data.market.archive import read_upload
from data.market.unpack import MAX_BYTES, unpack

Writer = Callable[..., pa.ipc.RecordBatchStreamWriter]
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
    for body in (parquet(TABLE), ipc(pa.ipc.new_file, TABLE), ipc(pa.ipc.new_stream, TABLE)):
        for place in range(4, len(body)):
            with pytest.raises(InvalidInput):  # also where it can be read: two columns are no bars
                read_upload(body[:place] + bytes([body[place] ^ 0xFF]) + body[place + 1 :])
