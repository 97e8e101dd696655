"""When each bar closed: the end of its session (daily) or of its interval (intraday), in UTC.

A guess that is wrong would show a bar before it exists, so an intraday source must say what its times mean.
"""

from datetime import time, timedelta
from typing import Literal, TypeAlias

import polars as pl
from polars.exceptions import PolarsError

from data.contracts.errors import InvalidInput
from data.market import frames
from data.market.dates import ALWAYS_OPEN, closes_of, zone_of
from data.market.times import first_row

Stamp: TypeAlias = Literal["open", "close"]

_WEEKS = 6 * frames.DAY  # dates this far apart are no daily bars ...
_SURE = 4  # ... when it happens this often
_WEEKEND_SHARE = 0.2  # of at least this many dates:
_WEEKEND_DATES = 14


def bar_closes(
    bars: pl.DataFrame, *, frame: str | None, stamp: Stamp | None, tz: str | None, calendar: str
) -> pl.DataFrame:
    """Close of each bar as `ts`; with `is_session` beside it where some date is no session of the calendar.

    Shapes: bars with columns symbol and time (n,) -> (n,) in the same order; time as `parse_times` gives it.
    frame:  None reads it off the times: dates and midnights are daily bars, else the commonest spacing decides.
    stamp:  what an intraday time marks. From a bar's open it moves by the frame's length, also for a session's last
            bar when that is shorter: too late is safe, too early is not.
    tz:     zone of times that have none.
    Raises: InvalidInput when stamp, tz or frame is needed and missing.
    """
    times = bars["time"]
    dated = times.dtype == pl.Date or bool((times.dt.time().drop_nulls() == time()).all())
    frame = _frame_of(bars, dated=dated) if frame is None else frames.canonical(frame)
    if frame != "1d":
        closes = _intraday(times, frame=frame, stamp=stamp, tz=tz)
    elif calendar == ALWAYS_OPEN and times.dtype != pl.Date:
        closes = _round_the_clock(times, dated=dated, stamp=stamp, tz=tz)
    else:
        days = times if dated else localise(times, tz).dt.convert_time_zone(zone_of(calendar))
        return _daily(days.dt.date(), calendar)
    return closes.alias("ts").to_frame()


def localise(times: pl.Series, tz: str | None) -> pl.Series:
    """Times in UTC; `tz` is the zone of times that have none.

    Raises: InvalidInput when it is needed and missing or unknown, or when a clock change makes a time ambiguous.
    """
    if times.dtype != pl.Datetime("us"):
        return times.dt.convert_time_zone("UTC")
    if tz is None:
        raise InvalidInput(
            f'the times ({times.drop_nulls()[0]}, ...) have no zone; pass tz=, such as tz="America/New_York"'
        )
    try:
        local = times.dt.replace_time_zone(tz, ambiguous="null", non_existent="null")
    except PolarsError:
        raise InvalidInput(f"there is no time zone {tz!r}; use an IANA name such as America/New_York or UTC") from None
    if (lost := local.is_null() & times.is_not_null()).any():
        moment = times[first_row(lost)]
        raise InvalidInput(f"{moment} happens twice or not at all in {tz}, where clocks change; give the times in UTC")
    return local.dt.convert_time_zone("UTC")


def _frame_of(bars: pl.DataFrame, *, dated: bool) -> str:
    step = frames.spacing(bars["symbol"], bars["time"])
    if dated:
        if step is not None and step[0] >= _WEEKS and step[1] >= _SURE:
            days = round(step[0] / frames.DAY)
            raise InvalidInput(f'these bars are {days} days apart; load daily or shorter bars, or pass frame="1d"')
        return "1d"
    if step is None:
        raise InvalidInput('the length of a bar cannot be told from these times; pass frame=, such as frame="5m"')
    return frames.name(step[0])


def _intraday(times: pl.Series, *, frame: str, stamp: Stamp | None, tz: str | None) -> pl.Series:
    if times.dtype == pl.Date:
        raise InvalidInput(f"dates without a time of day cannot be bars of {frame}; give full times")
    if stamp is None:
        raise InvalidInput(f"{_question(times)}; bars of {frame} need it, and tz= when their times have no zone")
    closes = localise(times, tz)
    return closes + timedelta(microseconds=frames.length(frame)) if stamp == "open" else closes


def _round_the_clock(times: pl.Series, *, dated: bool, stamp: Stamp | None, tz: str | None) -> pl.Series:
    """A market without sessions: a naive midnight is the date of a bar; any other time may be either end of it."""
    naive = times.dtype == pl.Datetime("us")
    if stamp is None and not (naive and dated):
        raise InvalidInput(_question(times))
    closes = localise(times, tz or ("UTC" if dated else None))
    return closes if stamp == "close" else closes.dt.offset_by("1d")


def _daily(days: pl.Series, calendar: str) -> pl.DataFrame:
    closes = closes_of(days, calendar)
    weekend = int((closes["date"].dt.weekday() > 5).sum())
    if calendar != ALWAYS_OPEN and closes.height >= _WEEKEND_DATES and weekend > _WEEKEND_SHARE * closes.height:
        raise InvalidInput(
            f'{weekend} of {closes.height} dates are weekend days; for a market that never closes pass calendar="24/7"'
        )
    found = days.alias("date").to_frame().join(closes, on="date", how="left", maintain_order="left")
    return found.select("ts") if closes["is_session"].all() else found.select("ts", "is_session")


def _question(times: pl.Series) -> str:
    return f'does {times.drop_nulls()[0]} mark the open or the close of its bar? Pass stamp="open" or stamp="close"'
