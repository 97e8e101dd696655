"""`goldensignals walkforward` and `check` on bars of the sample, without Ray."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import goldensignals as gs
from agents.backtest import catalogue
from tests.golden import cheating_strategies
from tests.integration.serve_app.conftest import SYMBOLS, Program

WALK = ("walkforward", "sma_cross", "fast=5:12", "slow=20:60:10", "--train", "150", "--test", "60", "--purge", "5")


def test_a_walk_forward_is_kept_under_its_id_and_verified(program: Program, few_bars: Path, tmp_path: Path) -> None:
    first = program.run(*WALK, "--fees", "5bps", "--bars", few_bars, "--json")
    assert program.run(*WALK, "--fees", "5bps", "--bars", few_bars, "--json").out == first.out
    found = json.loads(first.out)
    assert [fold["partial"] for fold in found["folds"]] == [False] * 4 + [True]
    assert found["context"]["walkforward"]["sets"] == 28
    assert found["context"]["trials"] == 28 * 5
    assert found["context"]["dsr"] < found["context"]["psr"]
    assert {row["parameter"] for row in found["drift"]} == {"fast", "slow"}
    (run,) = program.json("runs", "list", "--kind", "walkforward")["runs"]
    assert run["result_id"] == found["result_id"]
    shown = program.json("runs", "show", found["result_id"][:10])
    assert {name: shown[name] for name in found} == found
    card = program.run("runs", "show", found["result_id"]).out
    assert card == program.run(*WALK, "--fees", "5bps", "--bars", few_bars).out
    assert program.json("runs", "verify", found["result_id"])["same"] is True
    folder = program.home / "runs" / found["result_id"]
    pl.read_parquet(folder / "folds.parquet").with_columns(fast=pl.col("fast") + 1).write_parquet(
        folder / "folds.parquet"
    )
    ended = program.run("runs", "verify", found["result_id"], "--json", code=1)
    assert json.loads(ended.out)["differing"] == ["folds"]
    program.run(*WALK, "--bars", few_bars, "--out", tmp_path / "folds.csv")
    assert pl.read_csv(tmp_path / "folds.csv").height == 5


def test_its_job_is_listed_and_watched_and_an_estimate_asks_for_no_work(program: Program, few_bars: Path) -> None:
    told = program.json(*WALK, "--bars", few_bars, "--estimate")
    assert (told["sets"], told["symbols"], told["folds"], told["backtests"]) == (28, 5, 5, 28 * 5 * 5)
    assert program.json("jobs", "list")["jobs"] == []
    program.json(*WALK, "--bars", few_bars)
    (job,) = program.json("jobs", "list", "--kind", "walkforward")["jobs"]
    assert (job["state"], job["done"], job["total"]) == ("done", 28 * 5, 28 * 5)
    seen = program.run("jobs", "watch", job["job_id"], "--json")
    assert json.loads(seen.out)["nodes"].keys() == {"this process"}
    assert f"walkforward {job['job_id']} is done, 140 of 140" in seen.err
    assert "this process: " in seen.err
    assert "100% of what is done" in seen.err


def test_a_notebook_gets_the_same_as_the_command_line(
    program: Program, few_bars: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = program.json(*WALK, "--where", "slow > 4 * fast", "--bars", few_bars, "--rule", "mode=portfolio")
    monkeypatch.setenv("GS_HOME", str(tmp_path / "home"))
    here = gs.walk_forward(
        "sma_cross",
        few_bars,
        fast=range(5, 12),
        slow=range(20, 60, 10),
        where="slow > 4 * fast",
        train=150,
        test=60,
        purge=5,
        mode="portfolio",
    )
    assert here.metrics == found["metrics"]
    assert here.drift.to_dicts() == found["drift"]
    assert [row["slow"] > 4 * row["fast"] for row in here.folds.to_dicts()] == [True] * 5
    assert here.context["trials"] == found["context"]["trials"] == here.context["walkforward"]["sets"] * 5
    with pytest.raises(gs.InvalidInput, match="has no parameter 'quick'"):
        gs.walk_forward("sma_cross", few_bars, train=150, test=60, quick=3)


def test_the_table_shows_folds_efficiency_and_drift(program: Program, few_bars: Path) -> None:
    shown = program.run(*WALK, "--bars", few_bars).out
    for words in (
        "28 sets by sharpe, 5 folds of 150 + 60 bars",
        "train score",
        "a year out of sample",
        "fast:",
        "mostly",
    ):
        assert words in shown


def test_a_cross_validation_is_kept_shown_and_verified(
    program: Program, few_bars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (
        "crossvalidate",
        "sma_cross",
        "fast=5:8",
        "slow=20:60:20",
        "--groups",
        "5",
        "--purge",
        "5",
        "--embargo",
        "5",
    )
    told = program.json(*words, "--bars", few_bars, "--estimate")
    assert (told["sets"], told["splits"], told["backtests"]) == (6, 10, 6 * 10 * 5)
    found = program.json(*words, "--bars", few_bars)
    assert len(found["paths"]) == 4
    assert len(found["splits"]) == 10
    assert found["context"]["trials"] == 6 * 10
    assert found["summary"]["smallest"] <= found["summary"]["median"] <= found["summary"]["largest"]
    (run,) = program.json("runs", "list", "--kind", "crossvalidation")["runs"]
    assert (run["result_id"], run["sharpe"]) == (found["result_id"], found["summary"]["median"])
    shown = program.json("runs", "show", found["result_id"])
    assert {name: shown[name] for name in found} == found
    card = program.run(*words, "--bars", few_bars).out
    assert "Sharpe ratio of 4 paths: median " in card
    assert card == program.run("runs", "show", found["result_id"]).out
    assert program.json("runs", "verify", found["result_id"])["same"] is True
    assert "has no tear sheet" in program.run("runs", "report", found["result_id"], code=2).err
    assert "leave none to train on" in program.run(*words, "--test-groups", "5", "--bars", few_bars, code=2).err
    program.run(*words, "--bars", few_bars, "--out", tmp_path / "paths.csv")
    assert pl.read_csv(tmp_path / "paths.csv").height == 4
    monkeypatch.setenv("GS_HOME", str(tmp_path / "home"))
    lengths: dict[str, Any] = {"groups": 5, "purge": 5, "embargo": 5}
    here = gs.cross_validate("sma_cross", few_bars, fast=range(5, 8), slow=[20, 40], **lengths)
    assert here.facts == {name: value for name, value in found.items() if name not in ("paths", "splits")}
    assert here.paths.to_dicts() == found["paths"]
    assert repr(here) == repr(gs.cross_validate("sma_cross", few_bars, fast="5:8", slow="20:60:20", **lengths))


def test_a_strategy_without_values_to_try_is_tested_fold_by_fold(program: Program, few_bars: Path) -> None:
    found = program.json("walkforward", "consensus", "--train", "150", "--test", "100", "--bars", few_bars)
    assert found["context"]["trials"] == 1
    assert found["drift"] == []
    assert found["metrics"]["trades"] > 0


def test_what_cannot_be_walked_is_refused_with_usage(program: Program, few_bars: Path) -> None:
    for more, message in (
        (("--where", "fast > slow"), "no set of parameters is allowed"),
        (("--embargo", "500"), "shorten the train or load a longer history"),
        (("--metric", "luck"), "cannot be ranked by 'luck'"),
        (("--fees", "5"), "did you mean"),
    ):
        assert message in program.run(*WALK, *more, "--bars", few_bars, code=2).err


def test_check_refuses_every_planted_cheat_in_a_file_and_names_column_symbol_and_bar(
    program: Program, few_bars: Path
) -> None:
    file = cheating_strategies.__file__
    document = json.loads(program.run("check", file, "--bars", few_bars, "--json", code=1).out)
    assert document["ok"] is False
    assert [row["name"] for row in document["checked"]] == [cheat.name for cheat in cheating_strategies.CHEATS]
    for row in document["checked"]:
        assert row["ok"] is False
        finding = row["findings"][0]
        assert finding["promise"] == "future"
        assert finding["column"] in ("enter", "exit")
        assert finding["symbol"] in SYMBOLS
        assert finding["bar"] >= "2016"
    shown = program.run("check", file, "--bars", few_bars, code=1).out
    assert "looks ahead" in shown


@pytest.mark.parametrize("name", catalogue.builtins())
def test_check_passes_every_built_in_strategy(name: str, program: Program, few_bars: Path) -> None:
    given = ("--param", "other=KO") if name == "pairs_zscore" else ()
    document = program.json("check", name, *given, "--bars", few_bars, "--cuts", "5")
    assert document["ok"] is True
    assert document["checked"][0]["findings"] == []


def test_check_takes_a_file_of_expressions_a_file_of_python_and_an_agent(
    program: Program, few_bars: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text("name: mine\nenter: rsi(5) < 30\nexit: rsi(5) > 60\n")
    (tmp_path / "own.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\nimport goldensignals as gs\n\n"
        "@dataclass\nclass Settings:\n    window: int = 3\n\n"
        'DIP = gs.strategy(enter="close < sma(n)", exit="close > sma(n)", n=10, name="dip")\n'
    )
    for target, name in ((tmp_path / "mine.yaml", "mine"), (tmp_path / "own.py", "dip"), ("trend", "trend")):
        document = program.json("check", target, "--bars", few_bars, "--cuts", "4")
        assert (document["ok"], document["checked"][0]["name"]) == (True, name)


def test_what_cannot_be_checked_is_refused_with_usage(program: Program, few_bars: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.py").write_text("x = 1\n")
    (tmp_path / "broken.py").write_text("import nothing_of_this_name\n")
    for asked, message in (
        (("nobody",), "there is no strategy and no agent 'nobody'"),
        ((tmp_path / "empty.py",), "holds no strategy"),
        ((tmp_path / "broken.py",), "cannot be run: ModuleNotFoundError"),
        ((tmp_path / "away.py",), "there is no such file"),
        (("trend", "--param", "n=3"), "leave --param out"),
        (("pairs_zscore",), "needs a value for other"),
        (("pairs_zscore", "--param", "other=NOPE"), "there is no symbol 'NOPE'"),
    ):
        assert message in program.run("check", *asked, "--bars", few_bars, code=2).err
