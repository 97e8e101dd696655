"""`goldensignals scan` from a file of bars to stored signals, on a PostgreSQL of its own and without Ray."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from data.embedded.postgres import EmbeddedPostgres
from tests.integration.serve_app.conftest import SYMBOLS, Program


def stored(home: Path) -> tuple[dict[tuple[str, str, int], str], int, int]:
    """(symbol, day, revision) -> input of every stored signal; votes and events beside it."""
    server = EmbeddedPostgres(home)
    url = server.start()
    try:
        with psycopg.connect(url) as connection:
            rows = connection.execute(
                "SELECT symbol, (as_of AT TIME ZONE 'UTC')::date::text, revision, input_hash FROM signal"
            ).fetchall()
            counts = connection.execute(
                "SELECT (SELECT count(*) FROM vote), (SELECT count(*) FROM event WHERE type = 'signal.emitted.v1')"
            ).fetchone()
    finally:
        server.stop()
    assert counts is not None
    return {(symbol, day, revision): made_from for symbol, day, revision, made_from in rows}, counts[0], counts[1]


def test_a_scan_is_stored_once_and_prints_the_same_bytes_again(program: Program, few_bars: Path) -> None:
    first = program.run("scan", "--bars", few_bars, "--json")
    again = program.run("scan", "--bars", few_bars, "--json")
    assert again.out == first.out
    signals, votes, events = stored(program.home)
    found = json.loads(first.out)["signals"]
    assert signals == {(s["symbol"], "2018-02-07", 1): s["input_hash"] for s in found}
    assert {s["symbol"] for s in found} == set(SYMBOLS)
    assert votes == sum(len(s["votes"]) for s in found)
    assert events == len(found)


def test_other_bars_of_the_same_moment_are_a_second_revision(program: Program, few_bars: Path, tmp_path: Path) -> None:
    """Only of the symbols whose bars differ."""
    corrected = tmp_path / "corrected.parquet"
    is_ge = (pl.col("symbol") == "GE") & (pl.col("date") == pl.col("date").max())
    pl.read_parquet(few_bars).with_columns(pl.when(is_ge).then(1.5).otherwise(1.0).alias("f")).with_columns(
        (pl.col("volume") * pl.col("f")).alias("volume")
    ).drop("f").write_parquet(corrected)
    before = {s["symbol"]: s for s in program.json("scan", "--bars", few_bars)["signals"]}
    after = {s["symbol"]: s for s in program.json("scan", "--bars", corrected)["signals"]}
    assert {symbol: s["revision"] for symbol, s in after.items()} == {s: 1 + (s == "GE") for s in SYMBOLS}
    assert after["GE"]["signal_id"] == before["GE"]["signal_id"]
    assert after["GE"]["input_hash"] != before["GE"]["input_hash"]
    signals, _, events = stored(program.home)
    assert events == len(signals) == len(SYMBOLS) + 1
    assert signals["GE", "2018-02-07", 2] == after["GE"]["input_hash"]
    once_more = {s["symbol"]: s["revision"] for s in program.json("scan", "--bars", few_bars)["signals"]}
    assert once_more == dict.fromkeys(SYMBOLS, 1)  # the first input is known: its revision is answered


def test_a_scan_as_of_a_date_is_the_scan_of_a_file_that_ends_there(
    program: Program, few_bars: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.parquet"
    pl.read_parquet(few_bars).filter(pl.col("date") <= pl.date(2018, 2, 5)).write_parquet(cut)
    as_of = program.json("scan", "--bars", few_bars, "--as-of", "2018-02-05")
    alone = program.json("scan", "--bars", cut)
    assert as_of["signals"] == alone["signals"]
    assert as_of["as_of"] == "2018-02-05T21:00:00+00:00"
    signals, _, _ = stored(program.home)
    assert {(day, revision) for _, day, revision in signals} == {("2018-02-05", 1)}


def test_every_format_tells_of_the_same_signals(program: Program, few_bars: Path, tmp_path: Path) -> None:
    document: dict[str, Any] = program.json("scan", "--bars", few_bars, "--out", tmp_path / "signals.json")
    assert json.loads((tmp_path / "signals.json").read_text()) == document
    rows = document["signals"]
    for name in ("signals.csv", "signals.parquet"):
        file = tmp_path / name
        assert program.run("scan", "--bars", few_bars, "--out", file).out == ""
        frame = pl.read_csv(file) if name.endswith("csv") else pl.read_parquet(file)
        for column in ("symbol", "score", "action", "signal_id", "stop"):
            assert frame[column].to_list() == [row[column] for row in rows]
        assert [json.loads(votes) for votes in frame["votes"]] == [row["votes"] for row in rows]
    program.run("scan", "--bars", few_bars, "--out", tmp_path / "signals.html")
    page = (tmp_path / "signals.html").read_text()
    assert all(symbol in page for symbol in SYMBOLS)


def test_the_document_has_what_the_contract_names(program: Program, few_bars: Path) -> None:
    document = program.json("scan", "--bars", few_bars, "--agents", "trend,volume", "--top", "2")
    assert document["agents"] == ["trend", "volume"]
    assert document["quarantined"].keys() == {"total", "by_reason", "by_symbol"}
    assert len(document["signals"]) == 2
    for row in document["signals"]:
        named = "symbol as_of action score probability calibrated strength agreement votes missing entry stop target "
        assert row.keys() >= {*named.split(), "warnings", "signal_id", "input_hash", "revision"}
        assert [vote.keys() for vote in row["votes"]] == [{"agent", "score", "confidence", "weight", "reason"}] * 2
        assert row["probability"] is None
        assert row["calibrated"] is False
    strengths = [row["strength"] for row in document["signals"]]
    assert strengths == sorted(strengths, reverse=True)
    signals, votes, _ = stored(program.home)
    assert (len(signals), votes) == (len(SYMBOLS), 2 * len(SYMBOLS))  # --top shows fewer, and stores all


def test_a_stale_symbol_is_named_and_not_stored(program: Program, few_bars: Path, tmp_path: Path) -> None:
    halted = tmp_path / "halted.parquet"
    bars = pl.read_parquet(few_bars)
    bars.filter((pl.col("symbol") != "KO") | (pl.col("date") < pl.col("date").max())).write_parquet(halted)
    document = program.json("scan", "--bars", halted)
    assert document["skipped"].keys() == {"KO"}
    assert "not of the current session" in document["skipped"]["KO"]
    signals, _, _ = stored(program.home)
    assert {symbol for symbol, _, _ in signals} == set(SYMBOLS) - {"KO"}


def test_signals_are_rebuilt_from_their_events(program: Program, few_bars: Path) -> None:
    program.run("scan", "--bars", few_bars)
    before = stored(program.home)
    server = EmbeddedPostgres(program.home)
    try:
        with psycopg.connect(server.start()) as connection:
            connection.execute("DELETE FROM vote")
            connection.execute("DELETE FROM signal WHERE symbol <> 'GE'")
    finally:
        server.stop()
    assert program.json("admin", "rebuild") == {"rebuilt": len(SYMBOLS)}
    assert stored(program.home) == before


def test_nothing_is_left_running_or_in_the_way(program: Program, few_bars: Path) -> None:
    program.run("scan", "--bars", few_bars)
    assert not EmbeddedPostgres(program.home).is_alive()
    assert program.run("down").err.strip().endswith(str(program.home))
    program.run("status", code=3)
