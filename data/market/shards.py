"""A folder of Parquet files as shards: each file holds whole symbols, so it can be worked on without the others.

Only footers and the column of symbols are read here, one file after the other. How much memory bars take once they are
in it is an estimate from their number.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from data.contracts.errors import InvalidInput
from data.market.columns import symbol_column
from data.market.read import files, kind, named

BYTES_PER_BAR = 210  # at the peak of reading a file and laying its bars out; benchmarks/shards.py measures it


@dataclass(frozen=True)
class Shards:
    """The files of a folder, in order of their names; the symbols of all of them, ascending, and how many bars."""

    files: tuple[Path, ...]
    symbols: tuple[str, ...]
    bars: tuple[int, ...]  # of each file

    @property
    def largest_bytes(self) -> int:
        """Memory that the largest file takes to work on."""
        return max(self.bars) * BYTES_PER_BAR


def bytes_in_memory(source: Path) -> int:
    """Memory that the Parquet files of a folder take to be opened at once; 0 for what is no folder of such files."""
    if kind(source) != "directory":
        return 0
    return sum(_bars(file) for file in files(source) if file.suffix.lower() == ".parquet") * BYTES_PER_BAR


def find_shards(folder: Path) -> Shards:
    """The shards of a folder.

    Raises: InvalidInput when it is no folder, holds other files than Parquet or an unreadable one, or when a symbol is
            in two files.
    """
    if kind(folder) != "directory":
        raise InvalidInput(f"{folder} is no folder: only a folder of Parquet files can be read file by file")
    found = tuple(file.resolve() for file in files(folder))
    owner: dict[str, Path] = {}
    for file in found:
        if file.suffix.lower() != ".parquet":
            raise InvalidInput(f"{file} is no Parquet file; a folder that is read file by file holds nothing else")
        for symbol in _symbols(file):
            if owner.setdefault(symbol, file) != file:
                raise InvalidInput(
                    f"the bars of {symbol} lie in two files, {owner[symbol]} and {file}; write all bars of a symbol "
                    "into one file, so that each can be worked on by itself",
                    symbol=symbol,
                )
    return Shards(found, tuple(sorted(owner)), tuple(_bars(file) for file in found))


def _bars(file: Path) -> int:
    with named(file):
        return int(_scan(file).select(pl.len()).collect().item())


def _symbols(file: Path) -> list[str]:
    with named(file):
        column = symbol_column(str(file), _scan(file).collect_schema().names())
        if column is None:
            return [file.stem]
        names = pl.col(column).cast(pl.String).str.strip_chars().unique()
        read = _scan(file).select(names).collect(engine="streaming").to_series()
    return [symbol for symbol in read.to_list() if symbol]


def _scan(file: Path) -> pl.LazyFrame:
    return pl.scan_parquet(file, hive_partitioning=False, glob=False)
