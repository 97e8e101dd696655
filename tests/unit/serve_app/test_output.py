"""Every result can be written in every format; equal results give equal bytes, and NaN is no result."""

import json
from pathlib import Path

import polars as pl
import pytest
from rich.text import Text

from data.contracts.errors import GoldenSignalsError, InvalidInput
from serve_app.cli.output import FORMATS, as_text, progress_bar, require_format, show

ROWS = [
    {"symbol": "Ä", "score": 0.1 + 0.2, "stop": None, "votes": [{"agent": "trend", "score": -0.5}]},
    {"symbol": "B", "score": -1.0, "stop": 3.5, "votes": []},
]
DOCUMENT = {"signals": ROWS, "as_of": "2018-02-07T21:00:00+00:00"}
TABLE = Text("Ä <b> 0.3")


def write(out: Path) -> Path:
    show(DOCUMENT, ROWS, TABLE, as_json=False, out=out)
    return out


def test_json_holds_the_document_to_the_bit(tmp_path: Path) -> None:
    assert json.loads(write(tmp_path / "a.json").read_text()) == DOCUMENT


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables_hold_the_rows_to_the_bit(tmp_path: Path, suffix: str) -> None:
    file = write(tmp_path / f"a{suffix}")
    frame = pl.read_csv(file) if suffix == ".csv" else pl.read_parquet(file)
    assert frame["symbol"].to_list() == ["Ä", "B"]
    assert frame["score"].to_list() == [0.1 + 0.2, -1.0]
    assert frame["stop"].to_list() == [None, 3.5]
    assert [json.loads(text) for text in frame["votes"]] == [row["votes"] for row in ROWS]


def test_html_shows_the_table_escaped(tmp_path: Path) -> None:
    page = write(tmp_path / "a.html").read_text()
    assert "Ä &lt;b&gt; 0.3" in page
    assert page.lstrip().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("suffix", FORMATS)
def test_equal_results_give_equal_bytes(tmp_path: Path, suffix: str) -> None:
    assert write(tmp_path / f"a{suffix}").read_bytes() == write(tmp_path / f"b{suffix}").read_bytes()


def test_the_extension_may_be_in_capitals(tmp_path: Path) -> None:
    assert json.loads(write(tmp_path / "A.JSON").read_text()) == DOCUMENT


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused_before_the_file_is_touched(tmp_path: Path, number: float) -> None:
    out = tmp_path / "a.json"
    with pytest.raises(ValueError, match="JSON compliant"):
        show({"score": number}, [], TABLE, as_json=False, out=out)
    assert not out.exists()
    with pytest.raises(ValueError, match="JSON compliant"):
        as_text([number])


def test_json_goes_to_stdout_and_the_note_about_the_file_to_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show(DOCUMENT, ROWS, TABLE, as_json=True, out=tmp_path / "a.csv")
    said = capsys.readouterr()
    assert json.loads(said.out) == DOCUMENT
    assert "wrote" in said.err


def test_a_table_goes_to_stdout_without_colours_when_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    show(DOCUMENT, ROWS, Text("plain", style="bold red"), as_json=False, out=None)
    assert capsys.readouterr().out.strip() == "plain"


def test_a_file_alone_leaves_stdout_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "a.csv")
    assert capsys.readouterr().out == ""


def test_a_disk_that_refuses_is_a_failed_run() -> None:
    with pytest.raises(GoldenSignalsError, match=r"cannot write /proc/self/a.json: No such file"):
        write(Path("/proc/self/a.json"))


@pytest.mark.parametrize("name", ["a.xlsx", "a", ".json", "missing/a.json"])
def test_what_cannot_be_written_is_refused_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput, match=f"--out {name}"):
        require_format(Path(name))


def test_progress_is_silent_when_stderr_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("votes") as progress:
        progress(1, 2)
        progress(2, 2)
    said = capsys.readouterr()
    assert said.out + said.err == ""
