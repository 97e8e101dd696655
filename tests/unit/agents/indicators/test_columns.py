"""Frames that no indicator could be right about are refused with a sentence that says what to do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from agents import indicators
from data.contracts.errors import InvalidInput

START = datetime(2024, 1, 1, tzinfo=UTC)
TIMES = [START + timedelta(days=n) for n in (0, 1, 2, 0, 1)]


def frame(ts: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"symbol": ["A", "A", "A", "B", "B"], "ts": ts, "close": [1.0, 2.0, 3.0, 4.0, 5.0]})


@pytest.mark.parametrize("kind", [pl.Datetime("us", "UTC"), pl.Datetime("ns", "UTC"), pl.Date])
def test_times_of_any_kind_ascend_symbol_by_symbol(kind: pl.DataType) -> None:
    found = indicators.compute("sma", frame(pl.Series(TIMES).cast(kind)), window=2)
    assert found[[1, 2, 4]].tolist() == [1.5, 2.5, 4.5]


@pytest.mark.parametrize(
    ("ts", "sentence"),
    [
        (pl.Series([*TIMES[:2], TIMES[1], *TIMES[3:]]), "must ascend"),
        (pl.Series([*TIMES[:4], None]), "drop them first"),
        (pl.Series([str(date(2024, 1, 1 + n)) for n in range(5)]), "cast it to Datetime"),
    ],
)
def test_times_that_do_not_ascend_or_are_none_are_refused(ts: pl.Series, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        indicators.compute("sma", frame(ts), window=2)
