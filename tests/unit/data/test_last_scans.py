"""What scans remember: the difference to the last run on other bars, in files that stay few and whole."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data.contracts.errors import GoldenSignalsError
from data.last_scans import LastScans, Seen, Since

MONDAY, TUESDAY = datetime(2018, 2, 5, 21, tzinfo=UTC), datetime(2018, 2, 6, 21, tzinfo=UTC)
FIRST = Seen("close > 1", "list:1", MONDAY, "aa", ("A", "B", "C"))
SECOND = replace(FIRST, as_of=TUESDAY, data_hash="bb", symbols=("D", "C", "B"))


def test_the_first_run_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    assert LastScans(tmp_path / "home").remember(FIRST) is None


def test_the_difference_is_to_the_last_run_and_told_again_for_the_same_bars(tmp_path: Path) -> None:
    scans = LastScans(tmp_path)
    scans.remember(FIRST)
    assert scans.remember(FIRST) is None
    for _ in range(3):
        assert scans.remember(SECOND) == Since(MONDAY, ("D",), ("A",), ("B", "C"))
    assert scans.remember(FIRST) == Since(TUESDAY, ("A",), ("D",), ("B", "C"))


def test_corrected_bars_of_the_same_time_are_other_bars(tmp_path: Path) -> None:
    scans = LastScans(tmp_path)
    scans.remember(FIRST)
    assert scans.remember(replace(FIRST, data_hash="cc", symbols=("A",))) == Since(MONDAY, (), ("B", "C"), ("A",))


def test_other_expressions_and_universes_are_other_questions(tmp_path: Path) -> None:
    scans = LastScans(tmp_path)
    scans.remember(FIRST)
    assert scans.remember(replace(SECOND, universe="list:2")) is None
    assert scans.remember(replace(SECOND, expression="close > 2")) is None


def test_the_oldest_questions_are_forgotten_first(tmp_path: Path) -> None:
    scans = LastScans(tmp_path, most=3)
    for number in range(5):
        scans.remember(replace(FIRST, universe=f"list:{number}"))
    assert len(list((tmp_path / "scans").iterdir())) == 3
    assert scans.remember(replace(SECOND, universe="list:4")) is not None
    assert scans.remember(replace(SECOND, universe="list:0")) is None


@pytest.mark.parametrize("content", ["", "[1]", '[{"as_of": "x"}]', "{}x"])
def test_a_file_that_is_none_of_ours_is_named(tmp_path: Path, content: str) -> None:
    scans = LastScans(tmp_path)
    scans.remember(FIRST)
    next((tmp_path / "scans").iterdir()).write_text(content)
    with pytest.raises(GoldenSignalsError, match=r"scans/.*json is not what a scan has left there.*remove it"):
        scans.remember(SECOND)
