"""Raw tables from files and frames. Every way a file can be unreadable becomes a sentence that names the file."""

import difflib
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import polars as pl
from polars.exceptions import PanicException, PolarsError

from data.contracts.errors import InvalidInput

SUFFIXES = (".parquet", ".csv")


def tables(source: object) -> Iterator[tuple[str, str | None, pl.DataFrame]]:
    """Each table of a source: what to call it in messages, the symbol its file name gives, and its rows as they are.

    source: a Parquet or CSV file, a directory of such files (other files in it are passed over), or a frame of
            Polars (also lazy), pandas or Arrow.
    Edges:  CSV columns come as text, for the caller to convert, so that a bad value can be named.
    Raises: InvalidInput for what is missing, empty, unreadable, or of another kind.
    """
    if isinstance(source, str | Path):
        for path in files(Path(source)):
            yield str(path), path.stem, _filled(str(path), _read(path))
    else:
        yield "the frame", None, _filled("the frame", _frame(source))


def near(name: str, known: list[str]) -> str:
    """`; did you mean A or B?` for the closest known names whatever their case, or nothing."""
    by_fold = {word.casefold(): word for word in reversed(known)}
    found = [by_fold[word] for word in difflib.get_close_matches(name.casefold(), list(by_fold), n=3)]
    return f"; did you mean {' or '.join(found)}?" if found else ""


def kind(path: Path) -> Literal["file", "directory"] | None:
    """What lies at a path; None when nothing does, or when no file could have such a name."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return None
    return "directory" if stat.S_ISDIR(mode) else "file"


def files(path: Path) -> list[Path]:
    """The Parquet and CSV files that a path stands for, in order of their names: itself, or those of a directory.

    Raises: InvalidInput when there is none.
    """
    if kind(path) == "directory":
        found = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and file.name[0] not in "._")
        if not found:
            raise InvalidInput(f"the directory {path} holds no .parquet or .csv file", path=str(path))
        return found
    if kind(path) is None:
        siblings = [file.name for file in path.parent.iterdir()] if kind(path.parent) == "directory" else []
        raise InvalidInput(f"there is no file {path}{near(path.name, siblings)}", path=str(path))
    if path.suffix.lower() not in SUFFIXES:
        raise InvalidInput(f"{path} is neither .parquet nor .csv; convert it to one of these", path=str(path))
    return [path]


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Whatever Polars cannot read of that file is an InvalidInput that names it."""
    try:
        yield
    except (PolarsError, PanicException, OSError) as error:
        form = path.suffix[1:].lower()
        raise InvalidInput(
            f"{path} cannot be read as {form} ({_first_line(error)}); is it complete?", path=str(path)
        ) from error


def _read(path: Path) -> pl.DataFrame:
    if path.stat().st_size == 0:
        raise InvalidInput(f"{path} is an empty file", path=str(path))
    with named(path):
        if path.suffix.lower() == ".parquet":
            return pl.read_parquet(path, hive_partitioning=False, glob=False)
        return pl.read_csv(path, infer_schema=False, glob=False)


def _frame(source: Any) -> pl.DataFrame:
    try:
        if isinstance(source, pl.LazyFrame):
            return source.collect()
        if isinstance(source, pl.DataFrame):
            return source
        if type(source).__module__.partition(".")[0] == "pandas":
            return _from_pandas(source)
        if hasattr(source, "__arrow_c_stream__"):
            return pl.DataFrame(source)
    except (PolarsError, PanicException, OSError, ValueError, TypeError) as error:
        raise InvalidInput(f"the {type(source).__name__} cannot be read ({_first_line(error)})") from error
    raise InvalidInput(
        f"bars cannot be read from a {type(source).__name__}; pass a path, or a Polars, pandas or Arrow frame"
    )


def _from_pandas(source: Any) -> pl.DataFrame:
    if getattr(source, "columns", None) is None or source.columns.nlevels > 1:
        raise InvalidInput("the pandas frame must have one row of column names; stack the symbols into a column first")
    if source.index.name is not None or source.index.nlevels > 1:
        source = source.reset_index()
    elif source.index.dtype.kind == "M":
        source = source.rename_axis("ts").reset_index()
    return pl.from_pandas(source)


def _filled(origin: str, table: pl.DataFrame) -> pl.DataFrame:
    if table.is_empty():
        raise InvalidInput(f"{origin} has no rows")
    return table


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
