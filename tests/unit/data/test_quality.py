"""Each bar is kept or quarantined with the first reason that applies, and holes are marked."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from data.contracts.errors import InvalidInput
from data.contracts.panel import COLUMNS, PRICES
from data.market.quality import REASONS, SCHEMA, check
from data.market.sample import path_of, sample_bars

MakeBars = Callable[..., pl.DataFrame]
Row = dict[str, Any]
START = datetime(2018, 1, 2, 21, tzinfo=UTC)
NAN, INF = math.nan, math.inf


def _oracle(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """The rules once more, row by row in plain Python: kept rows with `gap`, quarantined rows with `reason`."""
    by_symbol: dict[str | None, list[Row]] = defaultdict(list)
    for row in rows:
        by_symbol[row["symbol"]].append(row)
    kept, bad = [], []
    for symbol in sorted(by_symbol, key=lambda s: (s is not None, s)):
        seen: set[datetime] = set()
        good, lost = [], []
        at, before = None, None  # last known time; time of the row right before
        for row in by_symbol[symbol]:
            numbers = [row[c] for c in COLUMNS]
            reason = None
            if any(row[c] is None for c in SCHEMA) or any(math.isnan(x) for x in numbers):
                reason = "null"
            elif any(math.isinf(x) for x in numbers):
                reason = "non_finite"
            elif min(row[c] for c in PRICES) <= 0:
                reason = "price_not_positive"
            elif row["high"] < row["low"]:
                reason = "high_below_low"
            elif not row["low"] <= row["open"] <= row["high"]:
                reason = "open_outside_range"
            elif not row["low"] <= row["close"] <= row["high"]:
                reason = "close_outside_range"
            elif row["volume"] < 0:
                reason = "negative_volume"
            elif row["ts"] in seen:
                reason = "duplicate_time"
            elif before is not None and row["ts"] < before:
                reason = "out_of_order"
            if reason in (None, "out_of_order"):
                seen.add(row["ts"])
            before = row["ts"]
            place = row["ts"] if row["ts"] is not None else at and at + timedelta(microseconds=1)
            at = row["ts"] or at
            if reason is None:
                good.append(dict(row))
            else:
                bad.append({**row, "reason": reason})
                lost.append(place)
        good.sort(key=lambda row: row["ts"])
        times = [row["ts"] for row in good]
        for i, row in enumerate(good):
            row["gap"] = any(
                p is not None and p not in times and p < times[i] and (i == 0 or p > times[i - 1]) for p in lost
            )
        kept += good
    return kept, bad


_price = st.sampled_from([10.0, 10.0, 10.0, 11.0, 9.0, 0.0, -1.0, NAN, INF, None])
_row = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(["A", "B", "B", "C", None]),
        "ts": st.one_of(st.none(), st.integers(0, 8).map(lambda day: START + timedelta(days=day))),
        "open": _price,
        "high": _price,
        "low": _price,
        "close": _price,
        "volume": st.sampled_from([1.0, 1.0, 0.0, -1.0, NAN, INF, None]),
    }
)
_sound = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(["A", "B", "C"]),
        "ts": st.integers(0, 8).map(lambda day: START + timedelta(days=day)),
        **{name: st.just(10.0) for name in COLUMNS},
    }
)
_rows = st.lists(st.one_of(_sound, _sound, _row), max_size=30)


def _frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA)


@given(_rows)
@settings(deadline=None, max_examples=300)
def test_rules_agree_with_a_row_by_row_reading_of_them(rows: list[Row]) -> None:
    kept, bad = _oracle(rows)
    checked = check(_frame(rows))
    assert_frame_equal(checked.bars, pl.DataFrame(kept, schema={**SCHEMA, "gap": pl.Boolean}))
    wanted = pl.DataFrame(bad, schema={**SCHEMA, "reason": pl.String}).select("symbol", "ts", "reason", *COLUMNS)
    assert_frame_equal(checked.quarantined.frame, wanted)


@given(_rows)
@settings(deadline=None)
def test_clean_bars_pass_a_second_time_unchanged(rows: list[Row]) -> None:
    once = check(_frame(rows)).bars
    twice = check(once)
    assert twice.quarantined.total == 0
    assert_frame_equal(twice.bars, once)


@given(_rows, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_order_of_symbols_in_the_source_changes_nothing(rows: list[Row], random: Any) -> None:
    symbols = [row["symbol"] for row in rows]
    random.shuffle(symbols)
    rank = {symbol: i for i, symbol in enumerate(symbols)}
    shuffled = sorted(rows, key=lambda row: rank[row["symbol"]])  # whole blocks; order within a symbol stays
    ours, theirs = check(_frame(rows)), check(_frame(shuffled))
    assert_frame_equal(ours.bars, theirs.bars)
    assert_frame_equal(ours.quarantined.frame, theirs.quarantined.frame)


@given(_rows)
@settings(deadline=None)
def test_every_row_is_kept_or_quarantined_once(rows: list[Row]) -> None:
    checked = check(_frame(rows))
    assert checked.bars.height + checked.quarantined.total == len(rows)
    assert set(checked.quarantined.by_reason) <= set(REASONS)
    assert sum(checked.quarantined.by_symbol.values()) == checked.quarantined.total


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("open", None, "null"),
        ("close", NAN, "null"),
        ("volume", None, "null"),
        ("volume", NAN, "null"),
        ("high", INF, "non_finite"),
        ("volume", INF, "non_finite"),
        ("low", 0.0, "price_not_positive"),
        ("low", 12.5, "high_below_low"),
        ("open", 12.000000000000002, "open_outside_range"),
        ("close", 8.999999999999998, "close_outside_range"),
        ("volume", -1.0, "negative_volume"),
    ],
)
def test_one_bad_value_is_quarantined_for_its_reason_and_leaves_a_gap(
    make_bars: MakeBars, column: str, value: float | None, reason: str
) -> None:
    bars = make_bars({"A": [0, 1, 2]})
    values = bars[column].to_list()
    values[1] = value
    checked = check(bars.with_columns(pl.Series(column, values, dtype=pl.Float64)))
    assert checked.quarantined.by_reason == {reason: 1}
    assert checked.bars["gap"].to_list() == [False, True]


def test_second_of_two_bars_with_one_time_is_quarantined_even_when_equal(make_bars: MakeBars) -> None:
    checked = check(make_bars({"A": [0, 1, 1, 2]}))
    assert checked.quarantined.by_reason == {"duplicate_time": 1}
    assert not checked.bars["gap"].any()  # the time is still there


def test_a_sound_bar_is_kept_when_an_unsound_one_has_its_time(make_bars: MakeBars) -> None:
    checked = check(make_bars({"A": [0, 1, 1, 2]}, volume=[1.0, -1.0, 1.0, 1.0]))
    assert checked.quarantined.by_reason == {"negative_volume": 1}
    assert checked.bars.height == 3
    assert not checked.bars["gap"].any()


def test_row_earlier_than_its_predecessor_is_out_of_order(make_bars: MakeBars) -> None:
    checked = check(make_bars({"A": [0, 2, 1, 3]}))
    assert checked.quarantined.by_reason == {"out_of_order": 1}
    assert checked.bars["gap"].to_list() == [False, True, False]


def test_bars_listed_by_time_and_then_symbol_are_in_order(make_bars: MakeBars) -> None:
    bars = make_bars({"A": [0, 1, 2], "B": [0, 1, 2]})
    checked = check(bars.sort("ts", "symbol"))
    assert checked.quarantined.total == 0
    assert_frame_equal(checked.bars.drop("gap"), bars)


def test_date_without_a_session_is_quarantined_after_all_other_reasons(make_bars: MakeBars) -> None:
    bars = make_bars({"A": [0, 1, 2, 3]}, is_session=[True, False, False, True], volume=[1.0, 1.0, -1.0, 1.0])
    checked = check(bars)
    assert checked.quarantined.by_reason == {"negative_volume": 1, "not_a_session": 1}
    assert checked.bars.columns == [*SCHEMA, "gap"]
    assert checked.bars["gap"].to_list() == [False, True]


def test_gap_marks_of_earlier_checks_are_kept(make_bars: MakeBars) -> None:
    checked = check(make_bars({"A": [0, 1, 2]}, gap=[False, False, True], volume=[-1.0, 1.0, 1.0]))
    assert checked.bars["gap"].to_list() == [True, True]


def test_summary_is_sorted_and_fits_json(make_bars: MakeBars) -> None:
    checked = check(make_bars({"B": [0], "A": [0], "C": [0]}, volume=[-1.0, None, 1.0]))
    text = json.dumps(checked.quarantined.summary())
    assert text == ('{"total": 2, "by_reason": {"negative_volume": 1, "null": 1}, "by_symbol": {"A": 1, "B": 1}}')


@pytest.mark.parametrize(
    ("bars", "sentence"),
    [
        (pl.DataFrame({"symbol": ["A"]}), "no column ts, open, high, low, close, volume"),
        (pl.DataFrame(schema={**SCHEMA, "close": pl.Float32}), "column close is Float32"),
        (pl.DataFrame(schema={**SCHEMA, "ts": pl.Datetime("us")}), "column ts is"),
    ],
)
def test_frames_of_another_shape_are_refused(bars: pl.DataFrame, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        check(bars)


def test_quarantine_of_the_sample_equals_a_count_in_pandas() -> None:
    raw = pd.read_parquet(path_of("sp500_daily"))
    null = raw.isna().any(axis=1)
    crossed = ~null & (raw.high < raw.low)
    opened = ~null & ~crossed & ((raw.open < raw.low) | (raw.open > raw.high))
    closed = ~null & ~crossed & ~opened & ((raw.close < raw.low) | (raw.close > raw.high))
    bad = raw[null | crossed | opened | closed]
    checked = check(sample_bars())
    wanted = {"null": null, "high_below_low": crossed, "open_outside_range": opened, "close_outside_range": closed}
    assert checked.quarantined.by_reason == {reason: int(rows.sum()) for reason, rows in sorted(wanted.items())}
    assert checked.quarantined.by_reason["null"] == 11
    assert checked.quarantined.by_symbol == dict(sorted(Counter(bad.symbol).items()))
    assert checked.bars.height == len(raw) - len(bad)
