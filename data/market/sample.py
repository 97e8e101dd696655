"""The real data that ships with the project: five years of daily bars, the VIX, company names and sectors.

Sources, licences and known dirt stand in `data/sample/README.md`. Rows are as published: bars still have to pass
`data.market.quality`. Nothing is read before a function is called.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

import data.sample
from data.contracts.panel import DatedSeries
from data.market.dates import closes_of
from data.market.load import load_bars

BARS = "sp500_daily"
VIX = "vix_daily"
COMPANIES = "fundamentals_2018"

_AFTER_CLOSE = timedelta(minutes=15)  # index options, and with them the VIX, trade until 16:15, or 13:15 on half days
_COMPANIES_DATE = date(2018, 2, 8)  # the file itself has no date
_FACTS = {
    BARS: ("daily bars of the S&P 500 members of February 2018, split-adjusted", "MIT"),
    VIX: ("Cboe Volatility Index, daily, in points", "ODC-PDDL-1.0"),
    COMPANIES: ("names, GICS sectors and fundamentals of the same 505 companies", "ODC-PDDL-1.0"),
}


@dataclass(frozen=True)
class DataSet:
    """A bundled data set; first and last are the dates it speaks about."""

    name: str
    what: str
    licence: str
    rows: int
    symbols: int
    first: date
    last: date


def path_of(name: str) -> Path:
    """Where a bundled data set lies."""
    return Path(data.sample.__path__[0]) / f"{name}.parquet"


def sample_bars() -> pl.DataFrame:
    """The bundled bars, as `load_bars` gives them: 619,040 daily rows of 505 symbols, some of them unsound."""
    return load_bars(path_of(BARS))


def vix() -> DatedSeries:
    """The VIX as dated context: `close` in points, known a quarter of an hour after the stock close.

    So at the 16:00 close of a stock the newest known VIX is that of the day before. Days on which only Cboe
    published count as known at 16:15 New York time.
    """
    rows = pl.read_parquet(path_of(VIX), columns=["date", "close"]).drop_nulls().drop_nans("close")
    known = rows.join(closes_of(rows["date"], "XNYS"), on="date").sort("ts")
    return DatedSeries(
        "vix", (known["ts"] + _AFTER_CLOSE).to_physical().to_numpy(), {"close": known["close"].to_numpy()}
    )


def companies() -> pl.DataFrame:
    """Columns symbol, name, sector (GICS) of the 505 companies in the bundled bars, by symbol; as of 2018-02-08."""
    return pl.read_parquet(path_of(COMPANIES), columns=["symbol", "name", "sector"]).sort("symbol")


def listing() -> list[DataSet]:
    """Every bundled data set with its size, dates and licence."""
    return [_describe(name, what, licence) for name, (what, licence) in _FACTS.items()]


def _describe(name: str, what: str, licence: str) -> DataSet:
    table = pl.scan_parquet(path_of(name))
    dated = "date" in table.collect_schema()
    facts = table.select(
        rows=pl.len(),
        symbols=pl.col("symbol").n_unique(),
        first=pl.col("date").min() if dated else pl.lit(_COMPANIES_DATE),
        last=pl.col("date").max() if dated else pl.lit(_COMPANIES_DATE),
    ).collect()
    return DataSet(name, what, licence, *facts.row(0))
