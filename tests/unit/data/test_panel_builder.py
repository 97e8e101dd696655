"""Frames become Panels and come back; prices that are in order are shared, not copied."""

import pickle
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from data.contracts.errors import InvalidInput
from data.contracts.panel import COLUMNS, DatedSeries, Panel
from data.market.sample import sample_bars
from data.panel import build, to_frame

MakeBars = Callable[..., pl.DataFrame]


def test_panel_holds_each_symbol_in_order_of_symbol_and_time(make_bars: MakeBars) -> None:
    bars = make_bars({"B": [0, 1], "A": [0, 1, 2], "C": [5]}, volume=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    panel, quarantined = build(bars)
    assert quarantined.total == 0
    assert panel.symbols == ("A", "B", "C")
    assert panel.offsets.tolist() == [0, 3, 5, 6]
    assert panel.volume.tolist() == [3.0, 4.0, 5.0, 1.0, 2.0, 6.0]
    assert panel.frame == "1d"
    assert all(getattr(panel, name).dtype == np.float64 for name in COLUMNS)
    assert panel.ts.dtype == np.int64


def test_prices_and_times_of_clean_sorted_bars_are_not_copied(make_bars: MakeBars) -> None:
    bars = make_bars({"A": range(50), "B": range(50)}).rechunk()
    panel, _ = build(bars)
    assert np.shares_memory(panel.ts, bars["ts"].to_physical().to_numpy())
    for name in COLUMNS:
        assert np.shares_memory(getattr(panel, name), bars[name].to_numpy())


def test_prices_of_a_panel_are_not_copied_on_the_way_to_a_frame(make_bars: MakeBars) -> None:
    panel, _ = build(make_bars({"A": range(50), "B": range(50)}))
    bars = to_frame(panel)
    assert np.shares_memory(panel.ts, bars["ts"].to_physical().to_numpy())
    for name in COLUMNS:
        assert np.shares_memory(getattr(panel, name), bars[name].to_numpy())


def test_panel_travels_out_of_band_and_is_read_without_a_copy(make_bars: MakeBars) -> None:
    panel, _ = build(make_bars({"A": range(500), "B": range(500)}))
    buffers: list[pickle.PickleBuffer] = []
    stream = pickle.dumps(panel, protocol=5, buffer_callback=buffers.append)
    assert len(stream) < 2_000  # no column of 1,000 bars is in it
    blocks = [bytes(buffer.raw()) for buffer in buffers]
    copy: Panel = pickle.loads(stream, buffers=blocks)  # noqa: S301 - our own bytes
    assert any(np.shares_memory(copy.close, np.frombuffer(block, np.uint8)) for block in blocks)
    assert copy.content_hash == panel.content_hash
    assert not copy.close.flags.writeable


def test_frame_of_a_panel_builds_the_same_panel(make_bars: MakeBars) -> None:
    bars = make_bars({"B": range(4), "A": range(3)}, volume=[1.0, -1.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    panel, _ = build(bars, adjust="none")
    again, quarantined = build(to_frame(panel))
    assert quarantined.total == 0
    assert again.content_hash == panel.content_hash
    assert again.gap.tolist() == [False, False, False, False, True, False]
    assert again.adjust == "none"


def test_sample_survives_the_way_to_a_panel_and_back() -> None:
    panel, quarantined = build(sample_bars())
    assert (len(panel.symbols), len(panel), quarantined.total) == (505, 619_017, 23)
    assert int(panel.gap.sum()) == 23  # each of them stands alone, and none is a symbol's last row
    assert list(panel.symbols) == sorted(panel.symbols)
    same, none = build(to_frame(panel))
    assert none.total == 0
    assert same.content_hash == panel.content_hash
    aapl = sample_bars().filter(pl.col("symbol") == "AAPL")
    assert_frame_equal(to_frame(panel.of("AAPL")).drop("gap"), aapl)


@pytest.mark.parametrize(("minutes", "frame"), [(1, "1m"), (5, "5m"), (60, "1h"), (240, "4h"), (1440, "1d")])
def test_frame_is_read_off_the_commonest_spacing(make_bars: MakeBars, minutes: int, frame: str) -> None:
    bars = make_bars({"A": [0, 1, 2, 5, 6, 9]})
    start = bars["ts"][0]
    squeezed = bars.with_columns(ts=start + (pl.col("ts") - start) / 1440 * minutes)
    assert build(squeezed)[0].frame == frame


def test_given_frame_wins_over_spacing_and_is_spelled_one_way(make_bars: MakeBars) -> None:
    assert build(make_bars({"A": [0, 1]}), frame="60m")[0].frame == "1h"


def test_context_is_kept_by_name(make_bars: MakeBars) -> None:
    vix = DatedSeries("vix", np.array([1], np.int64), {"close": np.array([20.0])})
    panel, _ = build(make_bars({"A": [0]}), context=[vix])
    assert panel.context == {"vix": vix}
    with pytest.raises(InvalidInput, match="two context series are called 'vix'"):
        build(make_bars({"A": [0]}), context=[vix, DatedSeries("vix", vix.known_at, vix.values)])


def test_bars_without_one_usable_row_are_refused(make_bars: MakeBars) -> None:
    with pytest.raises(InvalidInput, match=r"no usable bar among 2 rows; quarantined: \{'null': 2\}"):
        build(make_bars({"A": [0, 1]}, volume=[None, None]).with_columns(pl.col("volume").cast(pl.Float64)))


def test_mixed_adjustments_are_refused(make_bars: MakeBars) -> None:
    with pytest.raises(InvalidInput, match="mix adjustments"):
        build(make_bars({"A": [0, 1]}, adjust=["none", "splits"]))


def test_bars_that_became_known_after_their_close_are_refused(make_bars: MakeBars) -> None:
    bars = make_bars({"A": [0, 1, 2]})
    late = bars.with_columns(known_at=pl.col("ts") + pl.duration(days=30))
    with pytest.raises(InvalidInput, match="known_at"):
        build(late)
    assert build(bars.with_columns(known_at=pl.col("ts")))[0].content_hash == build(bars)[0].content_hash
