"""The operator's verbs answer programs too: one JSON object on stdout, the same rows in a file."""

import json
from pathlib import Path

import polars as pl

from data.home import Home
from tests.unit.serve_app.conftest import Cli


def test_down_where_nothing_runs_says_so_as_json(cli: Cli, home: Home) -> None:
    answer = cli("down", "--json")
    assert (answer.code, json.loads(answer.out)) == (0, {"home": str(home.path), "stopped": False})
    assert "nothing runs from" in answer.err
    assert cli("down").out == ""


def test_status_where_nothing_runs_is_written_to_a_file_as_well(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "parts.csv"
    answer = cli("status", "--json", "--out", file)
    assert answer.code == 3
    assert json.loads(answer.out)["ok"] is False
    assert pl.read_csv(file)["part"].to_list() == ["system"]
    assert cli("status", "--out", tmp_path / "parts.json").out == ""
    assert json.loads((tmp_path / "parts.json").read_text()) == json.loads(answer.out)


def test_the_findings_of_doctor_are_written_in_every_format(cli: Cli, tmp_path: Path) -> None:
    for suffix in ("json", "csv", "parquet", "html"):
        cli("doctor", "--out", tmp_path / f"checks.{suffix}")
    found = json.loads((tmp_path / "checks.json").read_text())["checks"]
    names = [check["name"] for check in found]
    assert pl.read_csv(tmp_path / "checks.csv")["name"].to_list() == names
    assert pl.read_parquet(tmp_path / "checks.parquet")["name"].to_list() == names
    assert "python" in (tmp_path / "checks.html").read_text()
