"""A scan file by file has the bits of a scan of all files in memory, whatever lies in which file. No Ray here."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from agents.expr import parse
from cluster.shards import FileAnswer, ShardQuestion, ask_file, gather
from data.contracts.errors import InvalidInput
from data.contracts.panel import to_micros
from data.market.dates import as_of
from data.market.sample import BARS, path_of
from data.market.source import Stamps, open_bars
from data.market.universe import resolve
from serve_app.screens import Screen, ScreenRequest, run_screen, screen_of

DIRTY = ["DHR", "O", "REGN", "AOS"]  # rows of the sample that are quarantined
LATE = ["APTV", "BHF"]  # first bars in 2017
FEW = ["AAPL", "CSCO", "GE", "KO", "MSFT", "WMT", "XOM"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files: one without the newest two sessions but with bad rows after them, one of late symbols, one of bad rows."""
    place = tmp_path_factory.mktemp("shards")
    bars = pl.read_parquet(path_of(BARS))
    last = bars["date"].unique().sort()[-3]
    halted = bars.filter(pl.col("symbol").is_in(DIRTY), pl.col("date") <= last)
    bad = halted.filter(pl.col("date") == last).with_columns(close=pl.lit(None, pl.Float64))
    after = [bad.with_columns(pl.col("date") + timedelta(days=days)) for days in (1, 2, 30)]
    pl.concat([halted, *after]).sort("symbol", "date").write_parquet(place / "b.parquet")
    bars.filter(pl.col("symbol").is_in(LATE)).write_parquet(place / "c.parquet")
    bad.with_columns(symbol=pl.lit("BAD")).write_parquet(place / "d.parquet")
    bars.filter(pl.col("symbol").is_in(FEW)).sort("symbol", descending=True).write_parquet(place / "a.parquet")
    return place


def answers_of(folder: Path, question: ShardQuestion) -> list[FileAnswer | None]:
    return [ask_file(question, str(file)) for file in sorted(folder.glob("*.parquet"), reverse=True)]


def streamed(folder: Path, request: ScreenRequest) -> Screen:
    moment = None if request.as_of is None else as_of(request.as_of)
    wanted = None if request.universe is None else frozenset(request.universe.split(","))
    when, by = parse(request.expression), None if request.by is None else parse(request.by)
    micros = None if moment is None else to_micros(moment)
    found = gather(answers_of(folder, ShardQuestion(when, by, Stamps(), micros, wanted, request.history)), moment)
    assert found is not None
    return screen_of(
        when,
        by,
        resolve(request.universe, found.symbols),
        folder.name,
        found.session,
        found.answers,
        found.quarantined,
        lambda: found.data_hash,
        found.past,
    )


@pytest.mark.parametrize(
    "request_",
    [
        ScreenRequest("close > sma(50) or volume > 0", "-rsi(14)", history=True),
        ScreenRequest("rsi(14) > 50", "rsi(14)", as_of="2016-06-01", history=True),
        ScreenRequest("close > sma(20)", universe="KO,O,APTV,AAPL"),
        ScreenRequest("close > sma(20)", universe="O,DHR"),
        ScreenRequest('agent("volatility") > 0 or consensus() > 0'),
        ScreenRequest("true", "close"),
    ],
    ids=lambda request: request.expression,
)
def test_every_number_is_that_of_a_scan_in_memory(folder: Path, request_: ScreenRequest) -> None:
    whole, parts = run_screen(open_bars(str(folder)), request_), streamed(folder, request_)
    assert json.dumps(parts.document()) == json.dumps(whole.document())
    assert parts.table().equals(whole.table())
    assert parts.data_hash() == whole.data_hash()
    assert whole.document()["matched"] or request_.universe == "O,DHR"


def test_quarantined_rows_count_up_to_the_newest_bar_of_all_files(folder: Path) -> None:
    found = streamed(folder, ScreenRequest("true"))
    assert found.found.stale == tuple(sorted(DIRTY))
    by_symbol = found.quarantined["by_symbol"]
    assert isinstance(by_symbol, dict)
    assert by_symbol["AOS"] == 1 + 2  # its own, and two of the three after its last bar: the third lies in the future


def test_nobody_answers_before_the_first_bar_of_the_symbols_asked(folder: Path) -> None:
    question = ShardQuestion(parse("true"), None, Stamps(), to_micros(as_of("2013-06-03")), frozenset(LATE))
    parts = answers_of(folder, question)
    assert gather(parts, as_of("2013-06-03")) is None
    with pytest.raises(InvalidInput, match="outside these bars; they run from 2013-02-08"):
        gather(parts, datetime(2012, 1, 3, tzinfo=UTC))


def test_bad_rows_alone_are_no_scan(folder: Path) -> None:
    question = ShardQuestion(parse("true"), None, Stamps())
    assert ask_file(question, str(folder / "d.parquet")) is None
    with pytest.raises(InvalidInput, match="no usable bar in any of 1 files"):
        gather([None], None)


def test_files_of_other_bars_are_refused_together(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "hours.parquet"
    times = [datetime(2018, 2, 7, hour, 30, tzinfo=UTC) for hour in range(14, 21)]
    pl.DataFrame(
        {"symbol": "Z", "ts": times, **dict.fromkeys(("open", "high", "low", "close"), 9.0), "volume": 1.0}
    ).write_parquet(file)
    question = ShardQuestion(parse("true"), None, Stamps(stamp="open"))
    hours = ask_file(question, str(file))
    with pytest.raises(
        InvalidInput, match=r"a\.parquet holds bars of 1d, .* and .*hours\.parquet of 1h.*scan them apart"
    ):
        gather([hours, ask_file(ShardQuestion(parse("true"), None, Stamps()), str(folder / "a.parquet"))], None)
