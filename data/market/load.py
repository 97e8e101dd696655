"""Bars from files and frames into the one long format; what cannot be understood is refused with a sentence.

Nothing is dropped, sorted by value or repaired here: `data.market.quality` decides about rows.
"""

from typing import Literal, TypeAlias, get_args

import polars as pl

from data.contracts.errors import InvalidInput
from data.contracts.panel import COLUMNS
from data.market.closes import Stamp, bar_closes, localise
from data.market.columns import canonical
from data.market.read import tables

Adjust: TypeAlias = Literal["splits", "total", "none"]


def load_bars(
    source: object,
    *,
    frame: str | None = None,
    stamp: Stamp | None = None,
    tz: str | None = None,
    calendar: str = "XNYS",
    adjust: Adjust = "splits",
) -> pl.DataFrame:
    """Read bars of any number of symbols.

    source: a Parquet or CSV file, a directory of them (a file without a symbol column holds the symbol it is named
            after), or a Polars (also lazy), pandas or Arrow frame. Column names in any case, and common synonyms.
    frame:  length of a bar, "1d", "1h", "5m" ...; read off the spacing of the times when not given.
    stamp:  "open" or "close": what the time of an intraday bar marks. Needed for intraday bars.
    tz:     zone of times that have none. Needed for such intraday bars.
    calendar: whose sessions daily bars belong to, a name of `exchange_calendars`; "24/7" for crypto.
    adjust: what prices are adjusted for; kept as a column when it is not "splits".

    Shapes: columns symbol, ts (close of the bar, UTC, microseconds), open, high, low, close, volume (float64), then
            known_at, source, adjust and is_session (False: the date is no session) where there is something to say.
            One row per row of the source, in its order; but a source that has every symbol newest first is turned over.
    Units:  prices in quote currency, volume in units traded.
    Raises: InvalidInput for whatever is missing, unreadable or ambiguous.
    """
    if stamp not in (None, *get_args(Stamp)):
        raise InvalidInput(f'stamp is "open" or "close", not {stamp!r}')
    if adjust not in get_args(Adjust):
        raise InvalidInput(f'adjust is "splits", "total" or "none", not {adjust!r}')
    bars = _stack([canonical(*table) for table in tables(source)])
    closes = bar_closes(bars, frame=frame, stamp=stamp, tz=tz, calendar=calendar)
    extra = [pl.col("source")] if "source" in bars.columns else []
    if "known_at" in bars.columns:
        bars = bars.with_columns(localise(bars["known_at"].cast(pl.Datetime("us", _zone(bars["known_at"]))), tz))
        extra.insert(0, pl.col("known_at"))
    if adjust != "splits":
        extra.append(pl.lit(adjust).alias("adjust"))
    found = bars.hstack(closes).select("symbol", "ts", *COLUMNS, *extra, *closes.columns[1:])
    return (found.reverse() if _newest_first(found) else found).rechunk()


def _stack(parts: list[pl.DataFrame]) -> pl.DataFrame:
    kinds = {str(part.schema["time"]) for part in parts}
    if len(kinds) > 1:
        raise InvalidInput(
            f"the files write their times differently ({', '.join(sorted(kinds))}); load them one by one"
        )
    return parts[0] if len(parts) == 1 else pl.concat(parts, how="diagonal")


def _zone(times: pl.Series) -> str | None:
    return times.dtype.time_zone if isinstance(times.dtype, pl.Datetime) else None


def _newest_first(bars: pl.DataFrame) -> bool:
    """Whether every symbol's times only fall: an order that sources choose, unlike single rows out of order."""
    step = pl.col("ts").to_physical().diff()
    beside = pl.col("symbol") == pl.col("symbol").shift(1)
    if bars.select((beside & (step > 0)).any()).item():
        return False  # the cheap test settles nearly every source
    steps = bars.select(step.over("symbol")).to_series().drop_nulls()
    return not steps.is_empty() and bool((steps < 0).all())
