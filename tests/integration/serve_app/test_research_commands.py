"""`goldensignals backtest`, `sweep`, `runs` and `jobs` on a PostgreSQL of their own, without Ray."""

import json
from pathlib import Path

import polars as pl

from tests.integration.serve_app.conftest import Program

CROSS = ("backtest", "sma_cross", "--param", "fast=10", "--param", "slow=30", "--fees", "5bps")
SWEEP = ("sweep", "sma_cross", "fast=5:12", "slow=20:60:10", "--fees", "5bps")


def test_a_backtest_is_kept_under_its_id_and_found_again(program: Program, few_bars: Path, tmp_path: Path) -> None:
    first = program.run(*CROSS, "--bars", few_bars, "--json")
    assert program.run(*CROSS, "--bars", few_bars, "--json").out == first.out
    found = json.loads(first.out)
    assert found["context"]["trials"] == 1
    runs = program.json("runs", "list")["runs"]
    assert [run["result_id"] for run in runs] == [found["result_id"]]
    short = found["result_id"][:10]
    shown = program.json("runs", "show", short)
    assert shown["metrics"] == found["metrics"]
    assert program.json("runs", "verify", short) == {
        "result_id": found["result_id"],
        "same": True,
        "differing": [],
    }
    program.run("runs", "export", short, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "equity.parquet",
        "metrics.json",
        "report.html",
        "trades.parquet",
    ]
    assert pl.read_parquet(tmp_path / "out" / "trades.parquet").height == found["metrics"]["trades"]


def test_a_result_whose_bits_were_changed_does_not_verify(program: Program, few_bars: Path) -> None:
    found = program.json(*CROSS, "--bars", few_bars)
    file = program.home / "runs" / found["result_id"] / "metrics.json"
    facts = json.loads(file.read_text())
    facts["metrics"]["sharpe"] += 1e-15 + abs(facts["metrics"]["sharpe"]) * 1e-15
    file.write_text(json.dumps(facts))
    ended = program.run("runs", "verify", found["result_id"], "--json", code=1)
    assert json.loads(ended.out)["differing"] == ["metrics"]


def test_every_set_of_a_sweep_counts_against_later_tests_of_its_family(program: Program, few_bars: Path) -> None:
    first = program.run(*SWEEP, "--bars", few_bars, "--json")
    swept = json.loads(first.out)
    assert swept["sets"] == 28
    assert swept["context"]["trials"] == 28
    assert program.run(*SWEEP, "--bars", few_bars, "--json").out == first.out
    verified = program.json("runs", "verify", swept["result_id"])
    assert verified == {"result_id": swept["result_id"], "same": True, "differing": []}
    assert program.json("runs", "show", swept["result_id"])["top"] == swept["top"]
    after = program.json(*CROSS, "--bars", few_bars)
    assert after["context"]["trials"] == 29
    assert after["context"]["dsr"] < after["context"]["psr"]
    (job,) = program.json("jobs", "list")["jobs"]
    assert (job["kind"], job["state"], job["done"], job["total"]) == ("sweep", "done", 28, 28)


def test_a_sweep_writes_every_set_to_a_file(program: Program, few_bars: Path, tmp_path: Path) -> None:
    program.run(*SWEEP, "--bars", few_bars, "--out", tmp_path / "sets.csv")
    sets = pl.read_csv(tmp_path / "sets.csv")
    assert sets.height == 28
    assert sets.columns == ["set", "fast", "slow", "total_return", "sharpe", "max_drawdown", "trades"]


def test_an_estimate_starts_nothing(program: Program, few_bars: Path) -> None:
    found = program.json(*SWEEP, "--bars", few_bars, "--estimate")
    assert found["sets"] == 28
    assert found["core_seconds"] >= 0.0
    assert not (program.home / "runs").exists()


def test_a_strategy_can_be_spelled_out(program: Program, few_bars: Path) -> None:
    found = program.json(
        *("backtest", "enter=rsi(n) < 35", "exit=rsi(n) > 60", "stop=3 * atr(14)", "n=10"),
        *("--bars", few_bars, "--symbols", "GE,KO"),
    )
    assert set(found["by_symbol"]) == {"GE", "KO"}
    assert found["context"]["params"] == {"n": 10}


def test_what_cannot_be_tested_is_refused_with_what_to_do(program: Program, few_bars: Path) -> None:
    for words, said in [
        (("backtest", "sma_crss"), "did you mean sma_cross"),
        (("backtest", "sma_cross", "--param", "fast=50", "--param", "slow=10"), "needs fast < slow"),
        (("backtest", "sma_cross", "--fees", "5"), 'did you mean "5bps"'),
        (("backtest", "sma_cross", "--symbols", "NOPE"), "NOPE"),
        (("backtest", "enter=close[-1] > close"), "enter"),
        (("sweep", "sma_cross", "fast=50:5"), "no value to try"),
        (("sweep", "sma_cross", "fast=100:200", "slow=20:50"), "holds nowhere"),
        (("sweep", "macd", "fast=2:200", "slow=300:900", "signal=2:200"), "too many"),
        (("sweep", "sma_cross", "fast=1:1e12"), "at most"),
        (("runs", "show", "ffff"), "runs list"),
        (("jobs", "cancel", "nope"), "no job nope"),
    ]:
        bars = () if words[0] in ("runs", "jobs") else ("--bars", few_bars)
        ended = program.run(*words, *bars, code=2)
        assert said in ended.err, (words, ended.err)
        assert ended.out == ""
