"""`goldensignals scan EXPR`: hits on stdout, the last ones remembered in a file, nothing started."""

import json
from pathlib import Path

import polars as pl

from data.embedded.postgres import EmbeddedPostgres
from tests.integration.serve_app.conftest import SYMBOLS, Program


def test_a_scan_by_expression_prints_the_same_bytes_and_starts_nothing(program: Program, few_bars: Path) -> None:
    asked = ("scan", "rsi(14) > 30 and close > sma(200)", "--by", "rsi(14)", "--bars", few_bars)
    first = program.run(*asked, "--json")
    assert program.run(*asked, "--json").out == first.out
    document = json.loads(first.out)
    assert document["expression"] == "rsi(14) > 30 and close > sma(200)"
    assert document["as_of"] == "2018-02-07T21:00:00+00:00"
    assert (document["symbols"], document["matched"]) == (len(SYMBOLS), len(document["matches"]))
    assert document["matches"]
    ranks = [row["rsi(14)"] for row in document["matches"]]
    assert ranks == sorted(ranks, reverse=True)
    assert document["matches"][0].keys() == {"symbol", "as_of", "new", "rsi(14)", "close", "sma(200)"}
    assert not EmbeddedPostgres(program.home).is_alive()


def test_top_universe_and_date_are_understood(program: Program, few_bars: Path) -> None:
    document = program.json(
        *("scan", "close > 0", "--by", "close", "--bars", few_bars, "--universe", "KO,GE,XOM"),
        *("--as-of", "2017-11-01", "--top", "1"),
    )
    assert [row["symbol"] for row in document["matches"]] == ["XOM"]
    assert (document["matched"], document["symbols"]) == (3, 3)
    assert document["as_of"] == "2017-11-01T20:00:00+00:00"


def test_every_format_tells_of_the_same_hits(program: Program, few_bars: Path, tmp_path: Path) -> None:
    rows = program.json("scan", "close > sma(50)", "--bars", few_bars)["matches"]
    for name in ("hits.csv", "hits.parquet"):
        program.run("scan", "close > sma(50)", "--bars", few_bars, "--out", tmp_path / name)
        frame = pl.read_csv(tmp_path / name) if name.endswith("csv") else pl.read_parquet(tmp_path / name)
        assert frame["symbol"].to_list() == [row["symbol"] for row in rows]
        assert frame["sma(50)"].to_list() == [row["sma(50)"] for row in rows]


def test_the_table_names_the_hits_and_what_is_unknown(program: Program, few_bars: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.parquet"
    bars = pl.read_parquet(few_bars)
    young = (pl.col("symbol") == "GE") & (pl.col("date") < pl.date(2018, 1, 15))
    bars.filter(~young).write_parquet(short)
    shown = program.run("scan", "sma(50) > 0", "--bars", short).out
    assert "4 of 5 symbols" in shown
    assert "1 cannot be answered: too few bars, or a value that is not known: GE" in shown


def test_screens_have_names_and_are_listed(program: Program, few_bars: Path) -> None:
    listed = program.json("scan", "--list")["screens"]
    assert "@oversold" in {row["name"] for row in listed}
    named = next(row for row in listed if row["name"] == "@oversold")
    assert program.json("scan", "@oversold", "--bars", few_bars)["expression"] == named["when"]


def test_what_cannot_be_asked_is_refused_with_usage(program: Program, few_bars: Path) -> None:
    for asked, message in (
        (("scan", "rsi(14) <"), "at character 10: the expression ends too early"),
        (("scan", "close"), "a scan asks for something true or false"),
        (("scan", ""), "EXPR is empty"),
        (("scan", "@oversolt"), "did you mean @oversold"),
        (("scan", "close > 1", "--agents", "trend"), "leave --agents out"),
        (("scan", "--by", "close"), "--by speaks of the hits of an expression"),
        (("scan", "close > 1", "--by", "clos"), "did you mean close"),
    ):
        assert message in program.run(*asked, "--bars", few_bars, code=2).err


def test_the_difference_to_the_last_run_is_told_when_it_is_asked_for(program: Program, few_bars: Path) -> None:
    asked = ("scan", "close > sma(20)", "--bars", few_bars)
    plain = ("--as-of", "2018-02-07", "--json")
    first = program.run(*asked, *plain).out
    assert "since your last run" not in program.run(*asked).out
    early = program.json(*asked, "--as-of", "2018-01-10")["matches"]
    assert program.run(*asked, *plain).out == first  # whatever was asked before
    then, now = ({row["symbol"] for row in rows} for rows in (early, json.loads(first)["matches"]))
    told = program.json(*asked, "--since-last")
    assert told["since_last"] == {
        "as_of": "2018-01-10T21:00:00+00:00",
        "new": sorted(now - then),
        "gone": sorted(then - now),
        "kept": sorted(now & then),
    }
    assert then - now
    shown = program.run(*asked).out
    assert "since the bar before: " in shown
    assert f"since your last run, as of Wed 10 Jan 2018: 0 new; {len(then - now)} gone: " in shown
    assert program.json(*asked, "--since-last", "--universe", "KO,GE")["since_last"] is None


def test_a_home_that_cannot_be_written_costs_the_difference_and_not_the_hits(program: Program, few_bars: Path) -> None:
    (program.home / "scans").write_text("in the way")
    ended = program.run("scan", "close > 0", "--bars", few_bars)
    assert "5 of 5 symbols" in ended.out
    assert "cannot remember this scan" in ended.err


def test_history_says_what_stays_after_correction(program: Program, few_bars: Path) -> None:
    document = program.json("scan", "close > sma(20) or true", "--bars", few_bars, "--history")
    history = document["history"]
    assert (history["horizon"], history["level"], history["tested"]) == (5, 0.05, 5)
    assert history["verdict"] == "none of 5 hits stays after correction for 5 symbols"
    assert {"past_hits", "past_apart", "up_rate", "base_rate", "p_value", "p_bh", "p_holm"} < document["matches"][
        0
    ].keys()
    assert history["verdict"] in program.run("scan", "true", "--bars", few_bars, "--history").out
    assert "--history speaks of the hits" in program.run("scan", "--history", code=2).err


def test_a_stream_that_cannot_be_is_refused_before_anything_starts(program: Program, few_bars: Path) -> None:
    refused = program.run("scan", "true", "--bars", few_bars, "--stream", code=2).err
    assert "few.parquet is no folder: only a folder of Parquet files can be read file by file" in refused
    ranked = program.run("scan", "rank(close) < 3", "--bars", few_bars.parent, "--stream", code=2).err
    assert "compares symbols with each other" in ranked
    assert "--stream speaks of the hits" in program.run("scan", "--stream", code=2).err
    assert not EmbeddedPostgres(program.home).is_alive()
