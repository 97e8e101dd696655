"""Days of an exchange: when each session closes, and what a date means as a moment.

Calendars come from `exchange_calendars`, under its names ("XNYS", "XLON", ...); "24/7" has a session on every
date, which ends at midnight UTC. The library is imported when the first date is mapped, not before.
"""

import difflib
import warnings
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl

from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel, from_micros, to_micros
from data.market import frames

ALWAYS_OPEN = "24/7"
TS = pl.Datetime("us", "UTC")

_YEARS = (1885, 2200)  # what the calendars can compute; dates outside are no sessions


def closes_of(dates: pl.Series, calendar: str) -> pl.DataFrame:
    """The close of every date, as columns `date`, `ts` (UTC) and `is_session`; one row per distinct date, ascending.

    Half days close early. A date without a session gets the exchange's regular closing time and is_session False.
    Raises: InvalidInput for an unknown calendar.
    """
    known = dates.drop_nulls().unique().sort().alias("date").to_frame()
    if known.is_empty():
        return known.with_columns(ts=pl.lit(None, TS), is_session=pl.lit(None, pl.Boolean))
    first, last = (min(max(day.year, _YEARS[0]), _YEARS[1]) for day in (known["date"][0], known["date"][-1]))
    table, zone, regular = _sessions(calendar, first, last)
    usual = pl.col("date").dt.combine(regular).dt.replace_time_zone(zone).dt.convert_time_zone("UTC").cast(TS)
    return known.join(table, on="date", how="left", maintain_order="left").select(
        "date", pl.coalesce("ts", usual), is_session=pl.col("ts").is_not_null()
    )


def zone_of(calendar: str) -> str:
    """IANA time zone of an exchange. Raises InvalidInput for an unknown calendar."""
    return "UTC" if calendar == ALWAYS_OPEN else _sessions(calendar, 2000, 2000)[1]


def as_of(text: str, calendar: str = "XNYS") -> datetime:
    """The moment a date or an ISO 8601 time stands for, in UTC.

    A date includes that day's session: it is the session's close, or the last close before it on a day without one.
    Raises: InvalidInput for other text, for a time without an offset, and for an unknown calendar.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInput(
            f"{text!r} is no date; write one like 2018-02-05 or a time like 2018-02-05T15:30:00-05:00"
        ) from None
    if not _YEARS[0] <= moment.year < _YEARS[1]:
        raise InvalidInput(f"{text!r} lies outside the years {_YEARS[0]} to {_YEARS[1]}")
    if len(text.strip()) <= len("2018-02-05"):
        return _close_on_or_before(moment.date(), calendar)
    if moment.tzinfo is None:
        raise InvalidInput(f"the time {text!r} has no time zone; add one, as in {text.strip()}+00:00, or give the date")
    return moment.astimezone(UTC)


def check_as_of(panel: Panel, moment: datetime) -> None:
    """Raises InvalidInput, naming first and last bar, unless the moment falls within the bars of the panel.

    The newest bar stands for one frame's length: with daily bars, any moment less than a day after the last close.
    """
    check_moment(moment, int(panel.ts.min()), int(panel.ts.max()), panel.frame)


def check_moment(moment: datetime, first: int, last: int, frame: str) -> None:
    """The same for the times of the first and the last bar, in microseconds, and the length of a bar."""
    if not first <= to_micros(moment) < last + frames.length(frame):
        raise InvalidInput(
            f"as-of {moment:%Y-%m-%d %H:%M} UTC is outside these bars; they run from "
            f"{from_micros(first):%Y-%m-%d %H:%M} to {from_micros(last):%Y-%m-%d %H:%M} UTC",
            first=from_micros(first),
            last=from_micros(last),
        )


def _close_on_or_before(day: date, calendar: str) -> datetime:
    span = pl.date_range(day - timedelta(days=14), day, eager=True)  # no exchange has been shut for longer in a century
    closes = closes_of(span, calendar).filter("is_session")["ts"]
    if closes.is_empty():
        raise InvalidInput(f"the calendar {calendar} has no session in the two weeks up to {day}; choose another date")
    close: datetime = closes[-1]
    return close.astimezone(UTC)


@lru_cache(maxsize=32)
def _sessions(calendar: str, first_year: int, last_year: int) -> tuple[pl.DataFrame, str, time]:
    """Sessions of whole years as `date`, `ts`; the exchange's time zone; its regular closing time."""
    import exchange_calendars as ec  # 0.6 s: only who maps dates pays

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # exchange_calendars 4.13 on pandas 3.1
        found = _open(ec, calendar, date(first_year, 1, 1), date(last_year, 12, 31))
        days = np.asarray(found.sessions_nanos) // (1_000 * frames.DAY)
        closes = np.asarray(found.closes_nanos) // 1_000
        zone, regular = str(found.tz), found.close_times[-1][1]
    table = pl.DataFrame({"date": days.astype(np.int32), "ts": closes}).with_columns(
        pl.col("date").cast(pl.Date), pl.col("ts").cast(TS)
    )
    return table, zone, regular


def _open(ec: ModuleType, calendar: str, first: date, last: date) -> Any:
    """The calendar over these dates, or over as many of them as it has records for."""
    if calendar not in ec.get_calendar_names():
        near = difflib.get_close_matches(calendar.upper(), ec.get_calendar_names(), n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else "; use XNYS for US stocks, 24/7 for crypto"
        raise InvalidInput(f"there is no trading calendar {calendar!r}{hint}", calendar=calendar)
    try:
        try:
            return ec.get_calendar(calendar, start=str(first), end=str(last))
        except ValueError:  # some exchanges are recorded from 1960 on, or not beyond next year
            whole = ec.get_calendar(calendar)
            low, high = whole.bound_min(), whole.bound_max()
            start = max(first, low.date()) if low is not None else first
            end = min(last, high.date()) if high is not None else last
            return whole if start >= end else ec.get_calendar(calendar, start=str(start), end=str(end))
    except (ValueError, NotImplementedError) as error:  # a few calendars of 4.13 do not work on pandas 3.1
        raise InvalidInput(
            f"the calendar {calendar} cannot be computed here; choose another", calendar=calendar
        ) from error
