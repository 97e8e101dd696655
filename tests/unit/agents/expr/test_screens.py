"""Scans by expression: who is found, who is new, who left, who cannot be answered; and the screens with a name."""

import inspect
from datetime import date

import numpy as np
import polars as pl
import pytest

import goldensignals as gs
from agents.expr import AgentVotes, evaluate, parse
from agents.expr.screens import compared, preset, presets, screen
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput, NotFound
from data.contracts.panel import Panel
from data.market.sample import sample_bars
from tests.unit.agents.conftest import MakePanel

FEW = ["AAPL", "CSCO", "GE", "KO", "MSFT", "WMT", "XOM"]


@pytest.fixture(scope="module")
def panel(make_panel: MakePanel) -> Panel:
    return make_panel(31, (300,) * 12 + (30,))


@pytest.fixture(scope="module")
def bars() -> pl.DataFrame:
    return sample_bars().filter(pl.col("symbol").is_in(FEW))


def no_votes(term: str) -> Floats:
    raise AssertionError(f"nobody may be asked for {term}")


def test_hits_are_ranked_and_carry_what_was_compared(panel: Panel) -> None:
    when, by = parse("rsi(14) > 50 and close > sma(20)"), parse("rsi(14)")
    found = screen(when, panel, no_votes, by=by)
    whole = evaluate({"now": when, "rsi": by, "sma": parse("sma(20)")}, panel, {}, no_votes)
    rows = [int(panel.last_rows[panel.index(symbol)]) for symbol in found.symbols]
    assert len(rows) > 2
    assert set(rows) == set(panel.last_rows[whole["now"][panel.last_rows] == 1.0].tolist())
    assert list(found.values) == ["rsi(14)", "close", "sma(20)"]
    assert found.values["rsi(14)"] == tuple(whole["rsi"][rows])
    assert found.values["sma(20)"] == tuple(whole["sma"][rows])
    assert list(found.values["rsi(14)"]) == sorted(found.values["rsi(14)"], reverse=True)


def test_the_smallest_come_first_by_a_minus_that_adds_no_column(panel: Panel) -> None:
    found = screen(parse("rsi(14) < 70"), panel, no_votes, by=parse("-rsi(14)"))
    assert list(found.values) == ["rsi(14)"]
    assert list(found.values["rsi(14)"]) == sorted(found.values["rsi(14)"])


def test_new_and_left_are_told_by_the_bar_before(panel: Panel) -> None:
    when = parse("close > open")
    found = screen(when, panel, no_votes)
    now = evaluate({"x": when}, panel, {}, no_votes)["x"]
    before = now[panel.last_rows - 1]
    today = now[panel.last_rows]
    assert found.symbols == tuple(np.array(panel.symbols)[today == 1.0])
    assert found.new == tuple((before[today == 1.0] == 0.0).tolist())
    assert found.left == tuple(np.array(panel.symbols)[(before == 1.0) & (today == 0.0)])
    assert any(found.new)
    assert found.left


def test_what_cannot_be_answered_is_named_and_not_found(panel: Panel) -> None:
    found = screen(parse("sma(100) > 0"), panel, no_votes)
    assert found.unknown == ("S012",)  # 30 bars
    assert len(found.symbols) == 12
    assert screen(parse("not sma(100) > 0"), panel, no_votes).symbols == ()


def test_a_symbol_without_a_bar_in_the_newest_session_is_stale(panel: Panel) -> None:
    halted = panel.ts != panel.ts.max()
    halted[: panel.offsets[5]] = True
    halted[panel.offsets[6] :] = True
    counts = np.add.reduceat(halted, panel.offsets[:-1])
    part = panel._take(panel.symbols, counts, np.flatnonzero(halted))
    found = screen(parse("true"), part, no_votes)
    assert found.stale == ("S005",)
    assert len(found.symbols) == 12


def test_a_scan_asks_for_a_truth_and_ranks_by_a_number(panel: Panel) -> None:
    with pytest.raises(InvalidInput, match="a scan asks for something true or false; compare 'close'"):
        screen(parse("close"), panel, no_votes)
    with pytest.raises(InvalidInput, match="hits are ranked by a number; 'close > 1'"):
        screen(parse("true"), panel, no_votes, by=parse("close > 1"))


def test_compared_are_the_numbers_on_both_sides() -> None:
    found = compared(parse("30 < rsi(14) < 70 and close crosses_above sma(20) or not rank(close) <= 3"))
    assert [one.text for one in found] == ["rsi(14)", "close", "sma(20)", "rank(close)"]


def test_every_screen_of_a_name_runs_and_says_where_it_comes_from(panel: Panel) -> None:
    assert len(presets()) >= 8
    for name, one in presets().items():
        assert one.name == name
        assert one.description.endswith(".")
        assert one.source
        found = screen(one.when, panel, AgentVotes(panel), by=one.by)
        assert not found.unknown or found.unknown == ("S012",)


@pytest.mark.parametrize("name", sorted(presets()))
def test_every_screen_of_a_name_finds_something_in_five_years_of_real_bars(name: str, bars: pl.DataFrame) -> None:
    from data.panel import build

    panel, _ = build(bars)
    assert np.nansum(evaluate({"x": preset(name).when}, panel, {}, no_votes)["x"]) > 0


def test_an_unknown_screen_is_named_with_the_closest() -> None:
    assert preset("@oversold") is preset("oversold")
    with pytest.raises(NotFound, match="there is no screen @oversolt; did you mean @oversold"):
        preset("@oversolt")


# -- gs.scan ----------------------------------------------------------------------------------------------------


def test_a_scan_is_what_polars_finds_on_the_last_bar(bars: pl.DataFrame) -> None:
    found = gs.scan("close > sma(50) and volume > sma(volume, 20)", bars, by="close / sma(50)")
    named = pl.col("close").rolling_mean(50).over("symbol"), pl.col("volume").rolling_mean(20).over("symbol")
    wanted = (
        bars.sort("symbol", "ts")
        .with_columns(sma=named[0], usual=named[1])
        .filter(pl.col("ts") == pl.col("ts").max(), pl.col("close") > pl.col("sma"), pl.col("volume") > pl.col("usual"))
        .sort(pl.col("close") / pl.col("sma"), descending=True)
    )
    assert found["symbol"].to_list() == wanted["symbol"].to_list()
    assert found.columns == ["symbol", "ts", "new", "close", "sma(50)", "volume", "sma(volume, 20)", "close / sma(50)"]
    np.testing.assert_allclose(found["sma(50)"], wanted["sma"], rtol=1e-12)
    assert found["ts"].unique().to_list() == [bars["ts"].max()]


def test_a_scan_as_of_a_date_is_the_scan_of_bars_that_end_there(bars: pl.DataFrame) -> None:
    past = bars.filter(pl.col("ts").dt.date() <= date(2016, 3, 1))
    for asked in ("2016-03-01", date(2016, 3, 1)):
        assert gs.scan("rsi(14) > 45", bars, as_of=asked).equals(gs.scan("rsi(14) > 45", past))
    assert gs.scan("rsi(14) > 45", past).height > 0


def test_without_hits_the_table_has_the_same_columns(bars: pl.DataFrame) -> None:
    none = gs.scan("rsi(14) > 100", bars)
    assert none.height == 0
    assert none.schema == gs.scan("rsi(14) > 0", bars).schema


def test_universe_top_and_screens_are_understood(bars: pl.DataFrame) -> None:
    assert gs.scan("true", bars, universe="KO,GE")["symbol"].to_list() == ["GE", "KO"]
    assert gs.scan("rank(close) <= 2", bars, universe="KO,GE,XOM").height == 2  # ranked within the universe
    assert gs.scan("true", bars, by="close", top=3).height == 3
    assert gs.scan("@gap_up", bars).columns[-1] == "open / high[1]"
    with pytest.raises(gs.InvalidInput, match="at least 1, not 0"):
        gs.scan("true", bars, top=0)


def test_history_adds_its_columns_also_when_nothing_is_found(bars: pl.DataFrame) -> None:
    found = gs.scan("close > 0", bars, history=True)
    assert found.columns[4:] == ["past_hits", "past_apart", "up_rate", "base_rate", "p_value", "p_bh", "p_holm"]
    assert found.row(0)[:2] == gs.scan("close > 0", bars).row(0)[:2]
    aapl = found.row(0, named=True)
    assert (aapl["past_hits"], aapl["past_apart"]) == (1259 - 5, 251)
    closes = bars.filter(pl.col("symbol") == "AAPL").sort("ts")
    rises = (closes["close"][5:] > closes["open"][1:-4]).sum()
    assert aapl["base_rate"] == rises / 1254
    nothing = gs.scan("close < 0", bars, history=True)
    assert nothing.schema == found.schema
    assert gs.scan("close > sma(2000)", bars, history=True).is_empty()


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("rsi(14)", "a scan asks for something true or false"),
        ("rsi(14) < 3o", "at character 11"),
        ("rsi(14) < low_mark", "nothing called 'low_mark'"),
        ("close > symbol('SPY').close", "no symbol 'SPY' in these bars"),
        ("@nothing", "there is no screen @nothing"),
    ],
)
def test_a_bad_scan_is_refused(bars: pl.DataFrame, expression: str, message: str) -> None:
    with pytest.raises(gs.InvalidInput, match=message.replace("(", r"\(")):
        gs.scan(expression, bars)


def test_the_facade_offers_strategies() -> None:
    assert gs.strategy(enter="close > sma(window)", window=20).bind(window=5).values == {"window": 5}
    assert "enter" in inspect.signature(gs.strategy).parameters
