"""Sources of every accepted kind become the same bars; whatever is wrong with one is said in a sentence."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from data.contracts.errors import InvalidInput
from data.market.load import load_bars
from data.market.quality import SCHEMA, check

HEADER = "date,open,high,low,close,volume"
DAYS = [date(2018, 1, 2), date(2018, 1, 3), date(2018, 1, 4)]
CLOSES = [datetime(2018, 1, day, 21, tzinfo=UTC) for day in (2, 3, 4)]


def _daily(**columns: Any) -> pl.DataFrame:
    table: dict[str, Any] = {
        "symbol": ["A"] * 3,
        "date": DAYS,
        "open": [10.0, 11.0, 12.0],
        "high": [13.0] * 3,
        "low": [9.0] * 3,
        "close": [11.0, 12.0, 13.0],
        "volume": [100, 200, 300],
    }
    return pl.DataFrame({**table, **columns})


def _intraday(times: list[Any]) -> pl.DataFrame:
    return _daily().head(len(times)).drop("date").with_columns(ts=pl.Series(times))


@pytest.fixture
def csv(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "AAPL.csv"
        path.write_text(text)
        return path

    return write


# -- what is accepted ----------------------------------------------------------------------------------------


def test_daily_dates_become_the_close_of_their_session() -> None:
    bars = load_bars(_daily())
    assert dict(bars.schema) == SCHEMA
    assert bars["ts"].to_list() == CLOSES


def test_half_days_close_early_and_summer_closes_an_hour_earlier_in_utc() -> None:
    bars = load_bars(_daily(date=[date(2017, 7, 3), date(2017, 7, 5), date(2017, 11, 24)]))
    assert bars["ts"].to_list() == [
        datetime(2017, 7, 3, 17, tzinfo=UTC),
        datetime(2017, 7, 5, 20, tzinfo=UTC),
        datetime(2017, 11, 24, 18, tzinfo=UTC),
    ]


def test_date_without_a_session_is_kept_for_quarantine() -> None:
    bars = load_bars(_daily(date=[date(2018, 1, 5), date(2018, 1, 6), date(2018, 1, 8)]))
    assert bars["is_session"].to_list() == [True, False, True]
    checked = check(bars)
    assert checked.quarantined.by_reason == {"not_a_session": 1}
    assert checked.bars["gap"].to_list() == [False, True]


def test_crypto_days_end_at_midnight_utc() -> None:
    weekend = [date(2018, 1, 5), date(2018, 1, 6), date(2018, 1, 7)]
    bars = load_bars(_daily(date=weekend), calendar="24/7")
    assert bars["ts"].to_list() == [datetime(2018, 1, day, tzinfo=UTC) for day in (6, 7, 8)]


@pytest.mark.parametrize(
    "source",
    [
        _daily().lazy(),
        _daily().to_arrow(),
        _daily().to_pandas(),
        _daily().to_pandas().assign(date=lambda table: pd.to_datetime(table.date)).set_index("date"),
        _daily().to_pandas().assign(date=lambda table: pd.to_datetime(table.date)).set_index(["symbol", "date"]),
        _daily().rename(str.upper),
        _daily().rename(str.title),
        _daily().rename({"symbol": "Ticker", "date": "Datetime", "open": "o", "close": "C", "volume": "Vol."}),
        _daily().with_columns(pl.col("date").dt.strftime("%Y%m%d").cast(pl.Int64)),
        _daily().with_columns(pl.col("date").dt.strftime("%m/%d/%Y")).with_columns(pl.lit("A").alias("symbol")),
        _daily().with_columns(pl.col("date").dt.strftime("%Y-%m-%d 00:00:00")),
        _daily().with_columns(pl.col("date").cast(pl.Datetime("ns")).dt.replace_time_zone("America/New_York")),
        _daily().with_columns(pl.col("date").cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")),
        _daily(date=CLOSES),
        _daily().with_columns(pl.lit(7.0).alias("Adj Close")),
        _daily().with_columns(pl.col("symbol").cast(pl.Categorical), pl.col("open").cast(pl.Decimal(10, 2))),
        _daily().reverse(),
    ],
    ids=lambda source: type(source).__name__,
)
def test_same_bars_come_out_of_every_kind_of_frame(source: object) -> None:
    if isinstance(source, pl.DataFrame) and source.schema.get("date") == pl.String and "/" in source["date"][0]:
        # 01/02 ... 01/04 could be days of February, March, April: it takes a day above 12 to tell
        with pytest.raises(InvalidInput, match="day and month of column 'date' cannot be told apart"):
            load_bars(source)
        return
    assert_frame_equal(load_bars(source), load_bars(_daily()))


def test_day_and_month_are_told_apart_by_a_day_above_twelve() -> None:
    for style in ("%m/%d/%Y", "%d/%m/%Y"):
        source = _daily(date=[date(2018, 1, 12), date(2018, 1, 16), date(2018, 1, 17)])
        bars = load_bars(source.with_columns(pl.col("date").dt.strftime(style)))
        assert bars["ts"].dt.day().to_list() == [12, 16, 17]
        assert bars["ts"].dt.month().to_list() == [1, 1, 1]


def test_csv_parquet_and_directory_give_the_same_bars(tmp_path: Path) -> None:
    both = pl.concat([_daily(), _daily(symbol=["B"] * 3)])
    both.write_csv(tmp_path / "bars.csv")
    both.write_parquet(tmp_path / "bars.parquet")
    folder = tmp_path / "bars"
    folder.mkdir()
    _daily().drop("symbol").write_csv(folder / "A.csv")
    _daily().drop("symbol").write_parquet(folder / "B.parquet")
    (folder / "README.md").write_text("no bars here")
    # text and dates are different types, but mean the same
    wanted = load_bars(both)
    for source in (tmp_path / "bars.csv", str(tmp_path / "bars.parquet"), folder):
        assert_frame_equal(load_bars(source), wanted)


def test_file_without_a_symbol_column_holds_the_symbol_it_is_named_after(csv: Callable[[str], Path]) -> None:
    bars = load_bars(csv(f"{HEADER}\n2018-01-02,1,2,1,2,5\n"))
    assert bars["symbol"].to_list() == ["AAPL"]


def test_missing_values_are_left_for_quarantine(csv: Callable[[str], Path]) -> None:
    bars = load_bars(
        csv(f"{HEADER}\n2018-01-02,,2,1,2,5\n2018-01-03,1,NaN,1,2,N/A\n,1,2,1,2,5\n2018-01-05,1,2,1,2,5\n")
    )
    assert bars.height == 4
    assert check(bars).quarantined.by_reason == {"null": 3}


def test_rows_stay_in_the_order_of_the_source() -> None:
    bars = load_bars(_daily(date=[DAYS[0], DAYS[2], DAYS[1]]))
    assert check(bars).quarantined.by_reason == {"out_of_order": 1}


def test_time_of_an_intraday_bar_moves_from_its_open_to_its_close() -> None:
    naive = [datetime(2018, 1, 2, 9, 30 + minute) for minute in (0, 5, 10)]  # noqa: DTZ001 - naive on purpose
    opened = load_bars(_intraday(naive), stamp="open", tz="America/New_York")
    closed = load_bars(_intraday(naive), stamp="close", tz="America/New_York")
    assert closed["ts"][0] == datetime(2018, 1, 2, 14, 30, tzinfo=UTC)
    assert (opened["ts"] - closed["ts"]).dt.total_minutes().to_list() == [5, 5, 5]


def test_times_with_a_zone_need_no_tz_and_epochs_are_utc() -> None:
    aware = pl.Series(["2018-01-02T09:30:00-05:00", "2018-01-02T09:35:00-05:00", "2018-01-02T09:40:00-05:00"])
    wanted = load_bars(_intraday(aware.to_list()), stamp="close")
    assert wanted["ts"][0] == datetime(2018, 1, 2, 14, 30, tzinfo=UTC)
    zulu = ["2018-01-02 14:30:00Z", "2018-01-02 14:35:00Z", "2018-01-02 14:40:00Z"]
    seconds = [1514903400, 1514903700, 1514904000]
    for factor in (1, 10**3, 10**6, 10**9):
        assert_frame_equal(load_bars(_intraday([s * factor for s in seconds]), stamp="close"), wanted)
    assert_frame_equal(load_bars(_intraday(zulu), stamp="close"), wanted)


def test_known_at_source_and_adjustment_travel_with_the_bars() -> None:
    known = [datetime(2018, 1, 5, tzinfo=UTC)] * 3
    bars = load_bars(_daily(known_at=known, source=["x"] * 3), adjust="none")
    assert bars.columns == [*SCHEMA, "known_at", "source", "adjust"]
    assert bars["known_at"].to_list() == known
    assert bars["adjust"].unique().to_list() == ["none"]


def test_known_at_without_one_value_is_left_out() -> None:
    assert load_bars(_daily(known_at=[None] * 3)).columns == list(SCHEMA)


def test_loaded_bars_load_again_unchanged(tmp_path: Path) -> None:
    bars = load_bars(_daily())
    bars.write_parquet(tmp_path / "bars.parquet")
    assert_frame_equal(load_bars(tmp_path / "bars.parquet"), bars)


def test_24_7_bars_with_times_need_a_stamp_and_keep_a_close(tmp_path: Path) -> None:
    bars = load_bars(_daily(), calendar="24/7")
    with pytest.raises(InvalidInput, match="open or the close of its bar"):
        load_bars(bars, calendar="24/7")
    assert_frame_equal(load_bars(bars, calendar="24/7", stamp="close"), bars)
    assert load_bars(bars, calendar="24/7", stamp="open")["ts"][0] == datetime(2018, 1, 4, tzinfo=UTC)


# -- what is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is an empty file"),
        (f"{HEADER}\n", "has no rows"),
        (
            "date,open,high,low,adj close,volume\n2018-01-02,1,2,1,2,5\n",
            "has no close column; columns seen: date, open",
        ),
        ("open,high,low,close,volume\n1,2,1,2,5\n", "has no time column; columns seen: open"),
        (f"{HEADER},Close\n2018-01-02,1,2,1,2,5,2\n", "two columns for close: 'close' and 'Close'"),
        (f"{HEADER},time\n2018-01-02,1,2,1,2,5,09:30\n", "several time columns"),
        (f"{HEADER}\n2018-01-02,1,2,1,2,5\n2018-01-03,1,2,1,n.v.,5\n", "'close' holds text .* 'n.v.' in row 2"),
        (f"{HEADER}\n2018-01-02,1,2,1,2,5\n2018-02-30,1,2,1,2,5\n", "'date' holds '2018-02-30' in row 2, which is no"),
        (f"{HEADER}\nyesterday,1,2,1,2,5\n", "'date' holds 'yesterday' in row 1, which is no date"),
        (f"{HEADER}\n18-01-02,1,2,1,2,5\n", "'18-01-02' in row 1, which is no date"),
        (f"{HEADER}\n20181302,1,2,1,2,5\n", "'20181302' in row 1, which is no date"),
        (f"{HEADER}\n,1,2,1,2,5\n", "holds no date or time at all"),
        (f"{HEADER},symbol\n2018-01-02,1,2,1,2,5,\n", "has no symbol in any row"),
        (f"{HEADER}\n2018-01-02,1,2,1,2,5,6,7\n", "cannot be read as csv"),
    ],
)
def test_csv_with_a_fault_is_refused_with_what_and_where(csv: Callable[[str], Path], text: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence) as caught:
        load_bars(csv(text))
    assert "AAPL.csv" in str(caught.value)


def test_missing_file_is_named_with_its_near_names(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").touch()
    with pytest.raises(InvalidInput, match=r"no file .*pricse.csv; did you mean prices.csv\?"):
        load_bars(tmp_path / "pricse.csv")


@pytest.mark.parametrize("content", [b"not parquet", b"PAR1" + bytes(100) + b"PAR1"])
def test_damaged_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bars.parquet").write_bytes(content)
    with pytest.raises(InvalidInput, match="cannot be read as parquet"):
        load_bars(tmp_path / "bars.parquet")


def test_truncated_parquet_is_refused(tmp_path: Path) -> None:
    _daily().write_parquet(tmp_path / "bars.parquet")
    whole = (tmp_path / "bars.parquet").read_bytes()
    (tmp_path / "bars.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidInput, match="cannot be read as parquet"):
        load_bars(tmp_path / "bars.parquet")


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bars.csv").write_bytes(b"date,close\n2018-01-02,\xe9\n")
    with pytest.raises(InvalidInput, match="cannot be read as csv"):
        load_bars(tmp_path / "bars.csv")


def test_other_kinds_of_source_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bars.xlsx").write_bytes(b"x")
    with pytest.raises(InvalidInput, match=r"neither \.parquet nor \.csv"):
        load_bars(tmp_path / "bars.xlsx")
    with pytest.raises(InvalidInput, match=r"holds no \.parquet or \.csv file"):
        load_bars(tmp_path)
    with pytest.raises(InvalidInput, match="cannot be read from a list"):
        load_bars([1, 2])
    with pytest.raises(InvalidInput, match="the LazyFrame cannot be read"):
        load_bars(pl.scan_parquet(tmp_path / "none.parquet"))
    with pytest.raises(InvalidInput, match="the DataFrame cannot be read"):
        load_bars(pd.DataFrame({"close": [1.0, "x", b"y"]}))
    with pytest.raises(InvalidInput, match="there is no file"):
        load_bars("x" * 5_000)
    with pytest.raises(InvalidInput, match="one row of column names"):
        load_bars(pd.DataFrame([[1.0]], columns=pd.MultiIndex.from_tuples([("Close", "A")])))


def test_frame_without_symbols_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no symbol column; columns seen: date, open"):
        load_bars(_daily().drop("symbol"))
    with pytest.raises(InvalidInput, match="the frame has no rows"):
        load_bars(_daily().clear())


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"close": [True, False, True]}, "'close' holds Boolean, not numbers"),
        ({"date": [1.5, 2.5, 3.5]}, "'date' holds Float64, not dates or times"),
        ({"date": [date(18, 1, 2)] * 3}, "which is no date or time"),
    ],
)
def test_columns_of_the_wrong_type_are_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        load_bars(_daily(**values))


def test_intraday_bars_must_say_what_their_times_mean() -> None:
    naive = [datetime(2018, 1, 2, 9, 30 + minute) for minute in (0, 5, 10)]  # noqa: DTZ001 - naive on purpose
    with pytest.raises(InvalidInput, match=r'Pass stamp="open" or stamp="close".*tz='):
        load_bars(_intraday(naive))
    with pytest.raises(InvalidInput, match="have no zone; pass tz="):
        load_bars(_intraday(naive), stamp="open")
    with pytest.raises(InvalidInput, match="no time zone 'Mars/Olympus'"):
        load_bars(_intraday(naive), stamp="open", tz="Mars/Olympus")
    with pytest.raises(InvalidInput, match='stamp is "open" or "close", not \'start\''):
        load_bars(_intraday(naive), stamp="start")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="length of a bar cannot be told"):
        load_bars(_intraday(naive[:1]), stamp="open", tz="UTC")
    with pytest.raises(InvalidInput, match="cannot be bars of 5m"):
        load_bars(_daily(), frame="5m")


def test_time_that_a_clock_change_repeats_is_refused() -> None:
    repeated = [datetime(2018, 11, 4, 1, minute) for minute in (0, 5, 10)]  # noqa: DTZ001 - naive on purpose
    with pytest.raises(InvalidInput, match="2018-11-04 01:00:00 happens twice or not at all"):
        load_bars(_intraday(repeated), stamp="open", tz="America/New_York")


def test_weekly_dates_are_not_taken_for_daily_bars() -> None:
    weeks = pl.date_range(date(2018, 1, 5), date(2018, 2, 9), "1w", eager=True)
    source = pl.concat([_daily()] * 2).with_columns(date=weeks)
    with pytest.raises(InvalidInput, match="these bars are 7 days apart"):
        load_bars(source)
    assert load_bars(source, frame="1d").height == 6


def test_crypto_dates_on_a_stock_calendar_are_refused() -> None:
    days = pl.date_range(date(2018, 1, 1), date(2018, 1, 30), eager=True)
    source = pl.concat([_daily()] * 10).with_columns(date=days)
    with pytest.raises(InvalidInput, match=r'8 of 30 dates are weekend days.*calendar="24/7"'):
        load_bars(source)
    assert check(load_bars(source, calendar="24/7")).quarantined.total == 0


@pytest.mark.parametrize("frame", ["5 minutes", "0m", "24h", "1w", "m"])
def test_unknown_frame_is_refused(frame: str) -> None:
    with pytest.raises(InvalidInput, match=f"there is no frame '{frame}'"):
        load_bars(_daily(), frame=frame)


def test_unknown_calendar_and_adjustment_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no trading calendar 'XNYX'; did you mean XNYS"):
        load_bars(_daily(), calendar="XNYX")
    with pytest.raises(InvalidInput, match="not 'dividends'"):
        load_bars(_daily(), adjust="dividends")  # type: ignore[arg-type]


def test_arrow_stream_is_read_like_a_frame() -> None:
    reader = pa.RecordBatchReader.from_batches(*(lambda t: (t.schema, t.to_batches()))(_daily().to_arrow()))
    assert_frame_equal(load_bars(reader), load_bars(_daily()))
