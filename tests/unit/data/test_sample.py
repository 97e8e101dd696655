"""The bundled data are what their README says, and the VIX of a day is not known at that day's stock close."""

from datetime import UTC, date, datetime

import numpy as np
import polars as pl

from data.contracts.panel import from_micros, to_micros
from data.market.sample import companies, listing, path_of, sample_bars, vix


def test_vix_of_a_day_is_not_known_at_the_stock_close_of_that_day() -> None:
    series = vix()
    published = pl.read_parquet(path_of("vix_daily"))
    closes = dict(published.select("date", "close").iter_rows())
    # 2018-02-05: the VIX jumped from 17.31 to 37.32
    stock_close = to_micros(datetime(2018, 2, 5, 21, tzinfo=UTC))
    quarter_past = stock_close + 15 * 60 * 1_000_000
    row = series.index_at(np.array([stock_close, quarter_past - 1, quarter_past]))
    assert series.values["close"][row].tolist() == [
        closes[date(2018, 2, 2)],
        closes[date(2018, 2, 2)],
        closes[date(2018, 2, 5)],
    ]
    assert closes[date(2018, 2, 2)] == 17.31
    assert closes[date(2018, 2, 5)] == 37.32


def test_vix_is_known_early_on_half_days_and_at_a_quarter_past_four_when_only_cboe_published() -> None:
    known = {from_micros(micros) for micros in vix().known_at.tolist()}
    assert datetime(2017, 11, 24, 18, 15, tzinfo=UTC) in known
    assert datetime(2022, 7, 4, 20, 15, tzinfo=UTC) in known


def test_vix_rows_ascend_and_hold_numbers() -> None:
    series = vix()
    assert series.known_at.dtype == np.int64
    assert (np.diff(series.known_at) > 0).all()
    assert np.isfinite(series.values["close"]).all()
    assert series.known_at.size == series.values["close"].size == 9_235


def test_listing_tells_what_the_files_hold() -> None:
    bars, volatility, facts = listing()
    assert (bars.name, bars.rows, bars.symbols) == ("sp500_daily", 619_040, 505)
    assert (bars.first, bars.last, bars.licence) == (date(2013, 2, 8), date(2018, 2, 7), "MIT")
    assert (volatility.rows, volatility.first, volatility.last) == (9_235, date(1990, 1, 2), date(2026, 7, 23))
    assert (facts.rows, facts.symbols, facts.first) == (505, 505, date(2018, 2, 8))


def test_every_bundled_file_stands_in_the_readme_with_its_licence() -> None:
    readme = path_of("x").with_name("README.md").read_text()
    for found in listing():
        row = next(line for line in readme.splitlines() if f"`{found.name}.parquet`" in line)
        assert found.licence in row
        assert f"{found.rows:,}" in row
    assert {file.stem for file in path_of("x").parent.glob("*.parquet")} == {found.name for found in listing()}


def test_companies_are_those_of_the_bars() -> None:
    known = companies()
    assert known.columns == ["symbol", "name", "sector"]
    assert known["symbol"].to_list() == sorted(sample_bars()["symbol"].unique())
    assert known["sector"].n_unique() == 11
    assert known.null_count().sum_horizontal().item() == 0
