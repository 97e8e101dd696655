"""Folders that are read file by file: whole symbols per file, and a sentence where they are not."""

from pathlib import Path

import polars as pl
import pytest

from data.contracts.errors import InvalidInput
from data.market.shards import BYTES_PER_BAR, bytes_in_memory, find_shards
from tests.unit.data.conftest import MakeBars


@pytest.fixture
def folder(tmp_path: Path, make_bars: MakeBars) -> Path:
    make_bars({"B": [0, 1, 2], "A": [0, 1]}).write_parquet(tmp_path / "two.parquet")
    make_bars({"C": [0]}).drop("symbol").write_parquet(tmp_path / "ZED.parquet")
    return tmp_path


def test_symbols_stand_in_a_column_or_in_the_name_of_the_file(folder: Path) -> None:
    (folder / "notes.txt").write_text("not bars")
    found = find_shards(folder)
    assert [file.name for file in found.files] == ["ZED.parquet", "two.parquet"]
    assert found.symbols == ("A", "B", "ZED")
    assert found.bars == (1, 5)
    assert found.largest_bytes == 5 * BYTES_PER_BAR
    assert bytes_in_memory(folder) == 6 * BYTES_PER_BAR


def test_a_symbol_in_two_files_is_refused_with_both(folder: Path, make_bars: MakeBars) -> None:
    make_bars({" B ": [7]}).rename({"symbol": "Ticker"}).write_parquet(folder / "x.parquet")
    with pytest.raises(
        InvalidInput, match=r"the bars of B lie in two files, .*two\.parquet and .*x\.parquet; write all"
    ):
        find_shards(folder)


def test_what_is_no_folder_of_bars_is_named(folder: Path, make_bars: MakeBars) -> None:
    with pytest.raises(InvalidInput, match=r"two\.parquet is no folder"):
        find_shards(folder / "two.parquet")
    pl.DataFrame({"symbol": ["A"], "x": [1]}).write_parquet(folder / "other.parquet")
    with pytest.raises(InvalidInput, match=r"other\.parquet has no time column"):
        find_shards(folder)
    (folder / "other.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(InvalidInput, match=r"other\.parquet cannot be read as parquet"):
        find_shards(folder)
    (folder / "other.parquet").unlink()
    make_bars({"D": [0]}).write_csv(folder / "d.csv")
    with pytest.raises(InvalidInput, match=r"d\.csv is no Parquet file"):
        find_shards(folder)


def test_what_is_no_folder_takes_no_memory_that_is_known(folder: Path) -> None:
    assert bytes_in_memory(folder / "two.parquet") == 0
    assert bytes_in_memory(folder / "nothing") == 0
