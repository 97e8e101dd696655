"""A scan file by file through Ray Data: the answers of one process, also when workers die, and refusals as said."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import polars as pl
import psutil
import pytest

from agents.expr import parse
from cluster.shards import FileAnswer, Gathered, ShardQuestion, ask_file, gather, through_ray_data
from data.contracts.errors import GoldenSignalsError, InvalidInput
from data.market.sample import BARS, path_of
from data.market.source import Stamps
from tests.cluster.installation import send

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data")  # Ray Data 2.60 warns of itself
QUESTION = ShardQuestion(parse("rsi(14) < 40 or close > sma(200)"), parse("rsi(14)"), Stamps(), history=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    place = tmp_path_factory.mktemp("shards")
    bars = pl.read_parquet(path_of(BARS)).with_columns(pl.col("symbol").rank("dense").alias("part") % 12)
    for (part,), some in bars.group_by("part"):
        some.drop("part").write_parquet(place / f"{part:02}.parquet")
    unsound = pl.read_parquet(place / "00.parquet").head(3).with_columns(symbol=pl.lit("BAD"), close=pl.lit(-1.0))
    unsound.write_parquet(place / "bad.parquet")
    return sorted(place.iterdir())


def ask(files: list[Path]) -> list[FileAnswer | None]:
    told: list[tuple[int, int]] = []
    found = list(
        through_ray_data(
            QUESTION, files, largest_bytes=1, pin_threads=False, progress=lambda done, total: told.append((done, total))
        )
    )
    assert told == [(number + 1, len(files)) for number in range(len(files))]
    return found


@contextmanager
def killing(count: int) -> Iterator[list[int]]:
    """Kills so many processes while they work on a file, one after the other."""
    killed: list[int] = []
    over = threading.Event()

    def run() -> None:
        while len(killed) < count and not over.wait(0.01):
            for one in psutil.Process().children(recursive=True):
                if one.pid not in killed and one.name().startswith("ray::Map") and len(killed) < count:
                    send(one.pid, signal.SIGKILL)
                    killed.append(one.pid)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def bits(found: Gathered | None) -> tuple[object, ...]:
    assert found is not None
    assert found.past is not None
    answers = found.answers
    numbers = [answers.now, answers.before, answers.newest, *answers.values.values(), found.past.counts]
    return answers.symbols, found.data_hash, found.quarantined, [column.tobytes() for column in numbers]


@pytest.fixture(scope="module")
def serial(files: list[Path]) -> tuple[object, ...]:
    return bits(gather([ask_file(QUESTION, str(file)) for file in files], None))


def test_the_answers_are_those_of_one_process(local_ray: None, files: list[Path], serial: tuple[object, ...]) -> None:
    assert bits(gather(ask(files), None)) == serial


def test_killed_workers_change_no_bit(local_ray: None, files: list[Path], serial: tuple[object, ...]) -> None:
    with killing(3) as killed:
        assert bits(gather(ask(files), None)) == serial
    assert len(killed) == 3


def test_a_file_that_cannot_be_used_is_named_as_it_would_be_here(
    local_ray: None, files: list[Path], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.parquet"
    pl.read_parquet(files[0]).drop("close").write_parquet(bad)
    with pytest.raises(InvalidInput, match=r"bad\.parquet has no close column"):
        ask([files[0], bad])


def test_a_bug_is_told_with_its_reason(local_ray: None, files: list[Path]) -> None:
    broken = replace(QUESTION, when=None)  # type: ignore[arg-type]
    with pytest.raises(GoldenSignalsError, match=r"the scan of 1 files failed: AttributeError: 'NoneType' object has"):
        list(through_ray_data(broken, files[:1], largest_bytes=1, pin_threads=True, progress=lambda done, total: None))
