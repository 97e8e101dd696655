"""Answers as frames: types that do not depend on the rows, silence that is not zero."""

from datetime import UTC, datetime

import polars as pl

from data.market.quality import SCHEMA
from serve_app.api.models import BarsView, IndicatorSeries, JobView
from serve_app.client.tables import JOBS, bars_table, indicator_table, signal_table, table

NOON = datetime(2018, 2, 7, 12, tzinfo=UTC)


def bars(adjust: str, rows: int) -> BarsView:
    prices: dict[str, list[float]] = dict.fromkeys(("open", "high", "low", "close", "volume"), [1.0] * rows)
    return BarsView(
        symbol="KO", frame="1d", adjust=adjust, data_hash="h", ts=[NOON] * rows, gap=[False] * rows, **prices
    )


def test_bars_have_the_columns_of_loaded_bars_also_without_any_row() -> None:
    for rows in (0, 2):
        frame = bars_table(bars("splits", rows))
        assert SCHEMA.items() <= dict(frame.schema).items()
        assert frame.height == rows
        assert "adjust" not in frame.columns
    assert bars_table(bars("none", 2))["adjust"].to_list() == ["none", "none"]


def test_warming_up_is_nan_and_never_null_or_zero() -> None:
    series = IndicatorSeries(name="x", symbol="KO", params={}, ts=[NOON, NOON], outputs={"x": [None, 1.5]})
    frame = indicator_table(series)
    assert frame["x"].is_nan().to_list() == [True, False]
    assert frame["x"].null_count() == 0


def test_no_signals_are_a_table_of_the_same_types() -> None:
    assert signal_table([]).schema["votes"] == pl.List(
        pl.Struct({"agent": pl.String, "score": pl.Float64, "confidence": pl.Float64, "weight": pl.Float64})
    )
    assert signal_table([], stored=True).columns[-2:] == ["revision", "missing"]


def test_objects_inside_a_row_are_json() -> None:
    job = JobView(
        job_id="1", kind="scan", spec={"agents": ["trend"]}, owner="ana", priority=5, state="done", done=1, total=1,
        rate=None, eta_s=None, error=None, result=None, created_at=NOON, updated_at=NOON,
    )  # fmt: skip
    frame = table([job], JOBS)
    assert frame["spec"].to_list() == ['{"agents": ["trend"]}']
    assert frame["rate"].to_list() == [None]
