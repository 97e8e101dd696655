"""What `goldensignals indicators` prints for a person, and for a program."""

import json
from pathlib import Path

import pytest

from serve_app.cli.catalogue import sparkline
from tests.unit.serve_app.conftest import Cli

BLOCKS = set("▁▂▃▄▅▆▇█")


def test_one_indicator_shows_formula_parameters_and_its_last_sixty_bars(cli: Cli) -> None:
    found = cli("indicators", "atr")
    assert found.code == 0, found.err
    for words in (
        "formula",
        "Wilder mean of max(",
        "notes",
        "window = 14 (1 to 100000)",
        "atr (move)",
        "wilder, sma",
    ):
        assert words in found.out
    drawn = [line for line in found.out.splitlines() if BLOCKS & set(line)]
    assert [sum(letter in BLOCKS for letter in line) for line in drawn] == [60]
    assert "last 60 bars of AAPL" in found.out


def test_each_output_is_drawn_also_of_two_symbols(cli: Cli) -> None:
    for name, outputs in (("macd", 3), ("sub", 1)):
        found = cli("indicators", name)
        assert sum(bool(BLOCKS & set(line)) for line in found.out.splitlines()) == outputs, found.err


def test_a_program_gets_the_row_and_no_picture(cli: Cli, tmp_path: Path) -> None:
    (row,) = json.loads(cli("indicators", "atr", "--json").out)["indicators"]
    assert row["units"] == ["move"]
    assert row["params"]["smoothing"]["choices"][0] == "wilder"
    page = tmp_path / "atr.html"
    assert cli("indicators", "atr", "--out", page).code == 0
    assert BLOCKS & set(page.read_text())


def test_the_name_of_ta_lib_in_either_case_finds_ours(cli: Cli) -> None:
    for name in ("bbands", "BBANDS"):
        (row,) = json.loads(cli("indicators", name, "--json").out)["indicators"]
        assert row["name"] == "bollinger"


def test_the_list_is_whole(cli: Cli) -> None:
    rows = json.loads(cli("indicators", "--json").out)["indicators"]
    assert len(rows) > 400
    listed = cli("indicators").out
    assert "cdldoji" in listed
    assert "atr" in listed


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([0.0, 1.0, 2.0, 7.0], ("▁▂▃█", "0", "7", "7")),
        ([3.0, 3.0], ("▁▁", "3", "3", "3")),
        ([float("nan"), 1.0, float("inf"), 2.0], (" ▁ █", "1", "2", "2")),
        ([1.0, float("nan")], ("▁ ", "1", "1", "none")),
        ([float("nan")], ("no value", "", "", "")),
    ],
)
def test_a_sparkline_leaves_out_what_is_no_number(values: list[float], drawn: tuple[str, ...]) -> None:
    assert sparkline(values) == drawn
