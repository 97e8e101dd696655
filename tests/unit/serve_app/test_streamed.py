"""When a folder is streamed, and what is refused before anything is started."""

from pathlib import Path

import polars as pl
import pytest

from data.contracts.errors import InvalidInput
from data.market.shards import BYTES_PER_BAR
from data.market.source import Stamps
from data.settings import Settings
from serve_app import streamed
from serve_app.screens import ScreenRequest
from serve_app.streamed import memory, stream_screen, too_large

COLUMNS = {"open": 9.0, "high": 9.0, "low": 9.0, "close": 9.0, "volume": 1.0}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    days = pl.date_range(pl.date(2018, 1, 2), pl.date(2018, 1, 5), eager=True)
    for name in ("A", "B"):
        pl.DataFrame({"symbol": name, "date": days, **COLUMNS}).write_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


def refused(folder: Path, request: ScreenRequest, message: str) -> None:
    def say(text: str) -> None:
        raise AssertionError(f"something was started: {text}")

    settings = Settings(home=folder / "home")
    with pytest.raises(InvalidInput, match=message):
        stream_screen(settings, str(folder), request, Stamps(), say=say, progress=lambda done, total: None)
    assert not (folder / "home").exists()


@pytest.mark.parametrize(
    "expression", ["rank(close) <= 1", "percentile_rank(close) > 0.5", 'close > symbol("B").close']
)
def test_what_compares_symbols_is_refused(folder: Path, expression: str) -> None:
    refused(folder, ScreenRequest(expression), "compares symbols with each other, so it needs all of them in memory")
    refused(folder, ScreenRequest("true", by="rank(close)"), r"'rank\(close\)' compares symbols")


def test_bad_questions_and_universes_are_refused_before_any_work(folder: Path) -> None:
    refused(folder, ScreenRequest("close"), "asks for something true or false")
    refused(folder, ScreenRequest("true", universe="A,BB"), "there is no symbol 'BB' in these bars; did you mean B")
    refused(folder, ScreenRequest("true", as_of="soon"), "no date")


def test_a_file_that_is_too_large_by_itself_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed, "memory", lambda: 3 * BYTES_PER_BAR)
    refused(folder, ScreenRequest("true"), "the largest file of .* write its symbols into several files")


def test_a_folder_is_too_large_from_half_of_the_memory_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    assert not too_large(str(folder), said.append)
    assert not too_large("sample", said.append)
    monkeypatch.setattr(streamed, "memory", lambda: 15 * BYTES_PER_BAR)
    assert too_large(str(folder), said.append)
    assert "one by one, through Ray Data (--no-stream opens them all at once)" in said[0]
    assert len(said) == 1


def test_the_memory_is_that_of_the_machine_or_of_a_container_that_has_less() -> None:
    total = next(int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines() if "MemTotal" in line)
    assert 0 < memory() <= total * 1024
