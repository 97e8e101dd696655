"""Columns under their canonical names and types, whatever the source calls them."""

import re

import polars as pl

from data.contracts.errors import InvalidInput
from data.contracts.panel import COLUMNS
from data.market.times import first_row, parse_times

# Synonyms in order of preference. "Adj Close" is no close: it would mix adjustments with the other prices.
_NAMES = {
    "symbol": ("symbol", "ticker", "name"),
    "time": ("ts", "timestamp", "datetime", "date", "time"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v"),
    "known_at": ("known_at",),
    "source": ("source",),
}
_OPTIONAL = ("symbol", "known_at", "source")
_NO_NUMBER = ("", "na", "n/a", "nan", "null", "none")


def canonical(origin: str, symbol: str | None, raw: pl.DataFrame) -> pl.DataFrame:
    """One table with columns symbol, time, open, high, low, close, volume and, where present, known_at and source.

    Shapes: raw of n rows -> n rows in the same order. `time` is Date, naive Datetime or aware Datetime (UTC) as
            `parse_times` gives it; prices and volume float64, null where the source has none.
    symbol: for all rows when the table has no symbol column.
    Raises: InvalidInput naming the column and the first row (counted from 1) that cannot be used.
    """
    found = _locate(origin, raw.columns)
    if "symbol" in found:
        names = raw[found["symbol"]].cast(pl.String).str.strip_chars().replace("", None)
    elif symbol is not None:
        names = pl.repeat(symbol, raw.height, dtype=pl.String, eager=True)
    else:
        raise InvalidInput(f"{origin} has no symbol column; columns seen: {', '.join(raw.columns)}")
    if names.null_count() == raw.height:
        raise InvalidInput(f"{origin} has no symbol in any row; fill its column {found['symbol']!r}")
    columns = [names.alias("symbol"), parse_times(origin, raw[found["time"]]).alias("time")]
    columns += [_numbers(origin, raw[found[name]]).alias(name) for name in COLUMNS]
    if "known_at" in found and raw[found["known_at"]].null_count() < raw.height:
        columns.append(parse_times(origin, raw[found["known_at"]]).alias("known_at"))
    if "source" in found:
        columns.append(raw[found["source"]].cast(pl.String).alias("source"))
    return pl.DataFrame(columns)


def symbol_column(origin: str, seen: list[str]) -> str | None:
    """Which of these columns names the symbol; None where it is the file's name. Raises InvalidInput as `canonical`."""
    return _locate(origin, seen).get("symbol")


def _locate(origin: str, seen: list[str]) -> dict[str, str]:
    """Canonical name -> name in the source."""
    plain: dict[str, str] = {}
    for column in seen:
        word = re.sub(r"^[^a-z]+|[^a-z]+$", "", column.lower())  # "1. open", "<CLOSE>", " Volume "
        if plain.setdefault(word, column) != column and any(word in words for words in _NAMES.values()):
            raise InvalidInput(f"{origin} has two columns for {word}: {plain[word]!r} and {column!r}; drop one")
    found = {}
    for name, words in _NAMES.items():
        matches = [plain[word] for word in words if word in plain]
        if not matches and name not in _OPTIONAL:
            raise InvalidInput(f"{origin} has no {name} column; columns seen: {', '.join(seen)}", columns=seen)
        if name == "time" and len(matches) > 1 and "ts" not in plain:
            raise InvalidInput(f"{origin} has several time columns ({', '.join(matches)}); join them into one named ts")
        if matches:
            found[name] = matches[0]
    return found


def _numbers(origin: str, column: pl.Series) -> pl.Series:
    if column.dtype.is_numeric() or column.dtype == pl.Null:
        return column.cast(pl.Float64)
    if column.dtype != pl.String:
        raise InvalidInput(f"{origin}: column {column.name!r} holds {column.dtype}, not numbers")
    text = column.str.strip_chars()
    numbers = text.cast(pl.Float64, strict=False)
    wrong = numbers.is_null() & text.is_not_null() & ~text.str.to_lowercase().is_in(_NO_NUMBER)
    if wrong.any():
        row = first_row(wrong)
        raise InvalidInput(
            f"{origin}: column {column.name!r} holds text where a number should be: {column[row]!r} in row {row + 1}",
            column=column.name,
            row=row + 1,
        )
    return numbers
