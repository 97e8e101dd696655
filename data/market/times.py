"""Times as sources write them, read into dates, naive times or times in a zone; nothing is guessed.

Text in ISO 8601 or another of the orders in `_DAYS`; numbers like 20180205; and seconds, milli-, micro- or
nanoseconds since 1970 UTC, told apart by size.
"""

import polars as pl

from data.contracts.errors import InvalidInput
from data.market.dates import TS

_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%b-%Y", "%b %d, %Y")
_CLOCKS = ("", " %H:%M:%S%.f", "T%H:%M:%S%.f", " %H:%M", "T%H:%M")
_OFFSET = r":\d{2}(?:\.\d+)?\s*(?:Z|UTC|[+-]\d{2}:?\d{2})$"
_YEARS = (1850, 2200)  # 18-01-02 is no date of the year 18


def parse_times(origin: str, column: pl.Series) -> pl.Series:
    """A column as Date, naive Datetime[us], or Datetime[us] in a zone (its own; UTC for text and numbers).

    Shapes: (n,) -> (n,); nulls and empty text stay null.
    Raises: InvalidInput naming the first row (counted from 1) that is no time, or when day and month of text
            cannot be told apart.
    """
    given = column.str.strip_chars().replace("", None) if column.dtype == pl.String else column
    if given.null_count() == given.len():
        raise InvalidInput(f"{origin}: column {column.name!r} holds no date or time at all")
    if given.dtype == pl.String:
        digits = given.str.contains(r"^\d{1,18}$").all()
        times = _from_numbers(given.cast(pl.Int64)) if digits else _from_text(origin, given)
    elif given.dtype.is_integer():
        times = _from_numbers(given.cast(pl.Int64))
    elif given.dtype == pl.Date:
        times = given
    elif isinstance(given.dtype, pl.Datetime):
        times = given.dt.cast_time_unit("us")
    else:
        raise InvalidInput(f"{origin}: column {column.name!r} holds {column.dtype}, not dates or times")
    plausible = times.dt.year().is_between(*_YEARS).fill_null(value=False)
    _refuse(origin, column, given.is_not_null() & ~plausible)
    return times


def first_row(mask: pl.Series) -> int:
    """Position of the first True."""
    return int(mask.fill_null(value=False).arg_max() or 0)


def _from_numbers(numbers: pl.Series) -> pl.Series:
    largest = int(numbers.abs().max() or 0)  # type: ignore[arg-type]
    if largest < 10**8:
        return numbers.cast(pl.String).str.strptime(pl.Date, "%Y%m%d", strict=False)
    if largest < 10**11:
        micros = numbers * 1_000_000
    elif largest < 10**14:
        micros = numbers * 1_000
    elif largest < 10**17:
        micros = numbers
    else:
        micros = numbers // 1_000
    return micros.cast(TS)


def _from_text(origin: str, text: pl.Series) -> pl.Series:
    """Read with the one format that fits every row; else with the one that fits most, null where it does not."""
    if text.drop_nulls().head(1).str.contains(_OFFSET).any():
        plain = text.str.replace(r"\s*(?:Z|UTC)$", "+00:00").str.replace(r"\s+([+-])", "$1")
        formats: list[tuple[pl.Datetime | pl.Date, str]] = [
            (TS, day + clock + "%z") for day in _DAYS for clock in _CLOCKS[1:]
        ]
    else:
        plain = text
        formats = [(pl.Datetime("us") if clock else pl.Date(), day + clock) for day in _DAYS for clock in _CLOCKS]
    sample = plain.drop_nulls().head(1)  # rules most formats out before whole columns are read
    formats = [
        (dtype, style) for dtype, style in formats if not sample.str.strptime(dtype, style, strict=False).has_nulls()
    ]
    read = [plain.str.strptime(dtype, style, strict=False) for dtype, style in formats]
    whole = [times for times in read if times.null_count() == text.null_count()]
    if len(whole) > 1 and not whole[0].equals(whole[1]):
        raise InvalidInput(
            f"{origin}: day and month of column {text.name!r} cannot be told apart ({sample[0]!r}); write 2018-02-05"
        )
    if whole:
        return whole[0]
    return min(
        read, key=lambda times: times.null_count(), default=pl.repeat(None, text.len(), dtype=pl.Date, eager=True)
    )


def _refuse(origin: str, column: pl.Series, wrong: pl.Series) -> None:
    if wrong.any():
        row = first_row(wrong)
        raise InvalidInput(
            f"{origin}: column {column.name!r} holds {column[row]!r} in row {row + 1}, which is no date or time",
            column=column.name,
            row=row + 1,
        )
