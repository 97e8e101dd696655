"""A date means that session's close; moments outside the bars are refused."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import exchange_calendars
import polars as pl
import pytest

from data.contracts.errors import InvalidInput
from data.market.dates import as_of, check_as_of, closes_of
from data.panel import build

MakeBars = Callable[..., pl.DataFrame]
START = datetime(2018, 1, 2, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "calendar", "moment"),
    [
        ("2018-02-05", "XNYS", datetime(2018, 2, 5, 21, tzinfo=UTC)),
        ("2018-07-05", "XNYS", datetime(2018, 7, 5, 20, tzinfo=UTC)),
        ("2017-11-24", "XNYS", datetime(2017, 11, 24, 18, tzinfo=UTC)),
        ("2018-02-04", "XNYS", datetime(2018, 2, 2, 21, tzinfo=UTC)),  # a Sunday: Friday's close
        ("2018-02-04", "24/7", datetime(2018, 2, 5, tzinfo=UTC)),
        ("1962-01-02", "XNYS", datetime(1962, 1, 2, 21, tzinfo=UTC)),
        ("2018-02-05", "XHKG", datetime(2018, 2, 5, 8, tzinfo=UTC)),
        ("2018-02-05T15:30:00-05:00", "XNYS", datetime(2018, 2, 5, 20, 30, tzinfo=UTC)),
        (" 2018-02-05T20:30Z ", "XNYS", datetime(2018, 2, 5, 20, 30, tzinfo=UTC)),
    ],
)
def test_text_stands_for_a_moment(text: str, calendar: str, moment: datetime) -> None:
    assert as_of(text, calendar) == moment


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("yesterday", "'yesterday' is no date"),
        ("2018-02-30", "is no date"),
        ("2018-02-05T15:30", "has no time zone"),
        ("0001-01-01", "outside the years"),
        ("9999-12-31T23:00-12:00", "outside the years"),
    ],
)
def test_text_that_is_no_moment_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        as_of(text)


def test_dates_before_the_records_of_a_calendar_are_no_sessions() -> None:
    closes = closes_of(pl.Series(["1950-01-03", "2018-02-05", None]).str.to_date(), "XHKG")
    assert closes["is_session"].to_list() == [False, True]
    assert closes["ts"].null_count() == 0


def test_calendar_that_the_library_cannot_compute_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str, **_: str) -> None:
        raise NotImplementedError(name)

    monkeypatch.setattr(exchange_calendars, "get_calendar", broken)
    with pytest.raises(InvalidInput, match="calendar XLON cannot be computed"):
        as_of("1931-02-05", "XLON")


def test_no_dates_give_no_closes() -> None:
    assert closes_of(pl.Series([None], dtype=pl.Date), "XNYS").is_empty()


def test_moment_outside_the_bars_is_refused_with_first_and_last_bar(make_bars: MakeBars) -> None:
    panel, _ = build(make_bars({"A": [0, 1, 2], "B": [1]}))
    for inside in (START, START + timedelta(days=1, hours=5), START + timedelta(days=2, hours=23)):
        check_as_of(panel, inside)
    for outside in (START - timedelta(seconds=1), START + timedelta(days=3)):
        with pytest.raises(InvalidInput, match="run from 2018-01-02 21:00 to 2018-01-04 21:00 UTC"):
            check_as_of(panel, outside)


def test_calendars_are_not_imported_before_a_date_is_mapped() -> None:
    program = (
        "import sys, data.panel, data.market.load, data.market.sample; sys.exit('exchange_calendars' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
