"""Small frames of bars for the tests of this folder."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from data.market.quality import SCHEMA

START = datetime(2018, 1, 2, 21, tzinfo=UTC)
MakeBars = Callable[..., pl.DataFrame]


@pytest.fixture
def make_bars() -> MakeBars:
    """Sound bars: `make_bars({"A": [0, 1, 2]})`, days after the first; keyword arguments set a column's values."""

    def make(days: dict[str, Sequence[int]], **columns: Sequence[Any]) -> pl.DataFrame:
        rows = [
            (symbol, START + timedelta(days=day), 10.0, 12.0, 9.0, 11.0, 1_000.0)
            for symbol, ds in days.items()
            for day in ds
        ]
        bars = pl.DataFrame(rows, schema=SCHEMA, orient="row")
        return bars.with_columns(*(pl.Series(name, values) for name, values in columns.items()))

    return make
