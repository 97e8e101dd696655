"""Bars for reading: opened once, cut to the moment, found again under their hash."""

import asyncio
import io
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from data.contracts.errors import InvalidInput, NotFound
from data.contracts.panel import from_micros
from data.market import archive
from data.market.archive import Archive, hash_of, keep_upload, open_upload, read_upload, uploads_folder
from data.market.source import Bars

ROOT = Path(__file__).parents[3]
LIGHT = """
import asyncio, sys
from data.market.archive import Archive

async def main():
    async def find():
        return sys.argv[1]
    print((await Archive(find).bars()).panel.symbols)

asyncio.run(main())
print(sorted({name.partition('.')[0] for name in sys.modules} & {"ray", "numba", "llvmlite", "fastapi"}))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    days = pl.date_range(pl.date(2018, 1, 2), pl.date(2018, 1, 31), "1d", eager=True)
    days = days.filter(days.dt.weekday() < 6)
    rows = []
    for symbol, base, skip in (("AAA", 10.0, 0), ("BBB", 20.0, 5)):
        for number, day in enumerate(days.to_list()[skip:]):
            close = base + number
            rows.append((symbol, day, close, close + 1, close - 1, close, 100.0))
    frame = pl.DataFrame(rows, ["symbol", "date", "open", "high", "low", "close", "volume"], orient="row")
    frame = frame.filter(pl.col("date") != pl.date(2018, 1, 15))  # Martin Luther King Jr. Day
    frame.write_parquet(tmp_path / "bars.parquet")
    return tmp_path / "bars.parquet"


def of(path: Path) -> Archive:
    async def find() -> str:
        return str(path)

    return Archive(find)


async def test_many_first_readers_open_the_bars_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, really_open = [], archive._open

    def counted(source: str) -> Bars:
        opened.append(source)
        return really_open(source)

    monkeypatch.setattr(archive, "_open", counted)
    reading = of(file)
    found = await asyncio.gather(*(reading.bars() for _ in range(20)))
    assert len(opened) == 1
    assert all(bars is found[0] for bars in found)


async def test_another_source_is_opened_when_the_feed_moves_to_it(file: Path) -> None:
    other = file.with_name("other.parquet")
    pl.read_parquet(file).filter(pl.col("symbol") == "BBB").write_parquet(other)
    source = str(file)

    async def find() -> str:
        return source

    reading = Archive(find)
    assert (await reading.bars()).panel.symbols == ("AAA", "BBB")
    source = str(other)
    assert (await reading.bars()).panel.symbols == ("BBB",)


async def test_a_source_that_cannot_be_read_is_tried_again(file: Path) -> None:
    late = file.with_name("late.parquet")
    reading = of(late)
    with pytest.raises(InvalidInput, match="there is no file"):
        await reading.bars()
    shutil.copy(file, late)
    assert len((await reading.bars()).panel.symbols) == 2


async def test_nothing_after_the_moment_is_read(file: Path) -> None:
    reading = of(file)
    sessions = [from_micros(int(ts)) for ts in (await reading.bars()).panel.sessions]
    before_b = sessions[4]
    assert [one.symbol for one in await reading.instruments(until=before_b)] == ["AAA"]
    (a, b) = await reading.instruments(until=sessions[6])
    assert (a.bars, a.last, b.bars, b.first, b.last) == (7, sessions[6], 2, sessions[5], sessions[6])
    assert len(await reading.of("BBB", until=sessions[6])) == 2
    assert len(await reading.of("BBB", until=before_b)) == 0
    assert len(await reading.of("BBB", until=None)) == len(sessions) - 5
    with pytest.raises(NotFound, match="no symbol 'CCC'"):
        await reading.of("CCC", until=None)
    assert await reading.session_at(sessions[3] + timedelta(hours=9)) == sessions[3]
    assert await reading.session_at(sessions[0] - timedelta(seconds=1)) is None


async def test_day_returns_are_those_of_symbols_with_a_bar_before(file: Path) -> None:
    reading = of(file)
    sessions = [from_micros(int(ts)) for ts in (await reading.bars()).panel.sessions]
    assert await reading.day_returns(sessions[0]) == {}
    assert await reading.day_returns(sessions[5]) == {"AAA": pytest.approx(15 / 14 - 1)}  # BBB begins here
    found = await reading.day_returns(sessions[6])
    assert found == {"AAA": pytest.approx(16 / 15 - 1), "BBB": pytest.approx(21 / 20 - 1)}
    assert await reading.day_returns(sessions[6] + timedelta(hours=1)) == {}


def test_kept_bytes_come_back_as_the_same_bars(tmp_path: Path, file: Path) -> None:
    body = file.read_bytes()
    keep_upload(tmp_path, hash_of(body), body)
    keep_upload(tmp_path, hash_of(body), body)
    found = open_upload(tmp_path, hash_of(body))
    assert found.panel.content_hash == read_upload(body).panel.content_hash
    assert np.array_equal(found.panel.close, read_upload(body).panel.close)
    assert [entry.name for entry in uploads_folder(tmp_path).iterdir()] == [hash_of(body)]


def test_bytes_that_were_changed_on_disk_are_not_used(tmp_path: Path, file: Path) -> None:
    body = file.read_bytes()
    keep_upload(tmp_path, hash_of(body), body)
    (uploads_folder(tmp_path) / hash_of(body)).write_bytes(body + b"x")
    with pytest.raises(InvalidInput, match="changed on disk"):
        open_upload(tmp_path, hash_of(body))
    with pytest.raises(NotFound, match="PUT /v1/bars/"):
        open_upload(tmp_path, "0" * 64)


@pytest.mark.parametrize("cut", [0, 3, 8, 100, 1000])
def test_any_beginning_of_a_file_is_refused_with_a_sentence(file: Path, cut: int) -> None:
    frame = pl.read_parquet(file)
    ipc, stream = io.BytesIO(), io.BytesIO()
    frame.write_ipc(ipc)
    frame.write_ipc_stream(stream)
    for body in (file.read_bytes(), ipc.getvalue(), stream.getvalue()):
        with pytest.raises(InvalidInput):
            read_upload(body[:cut])


def test_reading_bars_compiles_nothing(file: Path) -> None:
    command = [sys.executable, "-c", LIGHT, str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "('AAA', 'BBB')\n[]\n"
