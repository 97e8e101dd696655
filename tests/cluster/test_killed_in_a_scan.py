"""Whatever is killed while a scan runs: it finishes, or fails with a sentence, and no signal is lost or doubled."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import psycopg
import pytest

from tests.cluster.installation import Command, Ended, Installation, eventually, frozen, send

_DEAREST = "patterns"  # many chunks, all of them at its one actor
_WORKED_S = 0.1  # of processor time: more than loading a call takes, less than all chunks


@pytest.fixture(scope="module")
def days() -> Iterator[str]:
    """A date per test: each scans bars that none has scanned before, so it has signals to lose."""
    return iter(f"2017-11-{day:02}" for day in (1, 2, 3, 6, 7, 8, 9, 10))


class Scan:
    """A scan of one day of many bars, in the background."""

    def __init__(self, system: Installation, bars: Path, day: str, *words: str, **settings: str) -> None:
        self._system, self._settings = system, settings
        self.words = ("scan", "--bars", str(bars), "--as-of", day, "--json", "--top", "1", *words)
        self.day = day
        traded = pl.scan_parquet(bars).filter(pl.col("date").cast(pl.String) == day)
        self.expected = traded.collect()["symbol"].n_unique()  # signals: one for each symbol that has a bar that day
        self.command: Command = system.start(*self.words, **settings)

    def again(self) -> Ended:
        """The same scan once more, to its end."""
        return self._system.run(*self.words, **self._settings)

    def finish(self) -> Ended:
        """Its end, which must be a good one."""
        ended = self.command.wait()
        assert ended.code == 0, ended.err
        return ended

    @property
    def state(self) -> str | None:
        """Its job's state, as stored."""
        rows = self._system.rows("SELECT state FROM job WHERE spec->>'as_of' LIKE %s", f"{self.day}%")
        return str(rows[0][0]) if rows else None

    @property
    def connections(self) -> int:
        """Of all processes to the database."""
        return len(self._system.rows("SELECT FROM pg_stat_activity WHERE application_name = 'goldensignals'"))

    @property
    def stored(self) -> int:
        """Signals of its day."""
        ((found,),) = self._system.rows("SELECT count(*) FROM signal WHERE as_of::date = %s", self.day)
        return int(found)


@contextmanager
def working(scan: Scan, pid: int) -> Iterator[None]:
    """Enters when the scan's votes are under way and this actor works on one of its chunks."""
    actor = psutil.Process(pid)
    before = actor.cpu_times().user
    eventually("a running job", lambda: scan.state == "running")
    eventually("an actor at work", lambda: actor.cpu_times().user > before + _WORKED_S)
    yield
    assert scan.state == "running"  # it still was when the disturbance came: the test shows what it says


@contextmanager
def committing(system: Installation, scan: Scan) -> Iterator[None]:
    """Enters when the scan waits inside its last transaction; leaving lets it go on."""
    eventually("a running job", lambda: scan.state == "running")  # its start is an event too
    connection = psycopg.connect(system.database_url)
    try:
        connection.execute("LOCK TABLE signal IN EXCLUSIVE MODE")
        eventually("a commit that waits", lambda: _someone_waits(connection))
        yield
    finally:
        connection.close()


def _someone_waits(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    found = connection.execute("SELECT FROM pg_locks WHERE NOT granted AND relation = 'signal'::regclass")
    return found.rowcount > 0


def test_scan_survives_the_kill_of_an_actor_that_holds_a_chunk(
    system: Installation, many_bars: Path, days: Iterator[str]
) -> None:
    (pid,) = system.agent_pids(_DEAREST)
    scan = Scan(system, many_bars, next(days))
    with working(scan, pid):
        send(pid, signal.SIGKILL)
    scan.finish()
    assert scan.stored == scan.expected
    assert system.agent_pids(_DEAREST) != [pid]
    system.counted()


def test_chunks_of_a_frozen_actor_are_asked_elsewhere_after_their_deadline(
    system: Installation, many_bars: Path, days: Iterator[str]
) -> None:
    """The scan has a second actor of its own; the frozen one is killed and started again."""
    (pid,) = system.agent_pids(_DEAREST)
    options = {"AGENTS__ACTORS": "2", "AGENTS__CHUNK_DEADLINE_S": "5"}
    scan = Scan(system, many_bars, next(days), "--agents", f"{_DEAREST},trend", **options)
    with ExitStack() as thaw:
        with working(scan, pid):
            thaw.enter_context(frozen(pid))
        scan.finish()
        assert scan.stored == scan.expected
        assert system.agent_pids(_DEAREST) != [pid]
    eventually("the end of the frozen process", lambda: not psutil.pid_exists(pid))
    system.counted()


def test_scan_survives_the_kill_of_postgresql_in_its_commit(
    system: Installation, many_bars: Path, days: Iterator[str]
) -> None:
    scan = Scan(system, many_bars, next(days))
    server = system.server("postgres")
    assert server is not None
    with committing(system, scan):
        server.kill()
    scan.finish()
    assert scan.stored == scan.expected
    assert system.server("postgres") != server
    system.counted()


def test_scan_survives_the_kill_of_redis_which_starts_again(
    system: Installation, many_bars: Path, days: Iterator[str]
) -> None:
    (pid,) = system.agent_pids(_DEAREST)
    scan = Scan(system, many_bars, next(days))
    server = system.server("redis-server")
    assert server is not None
    with working(scan, pid):
        server.kill()
    scan.finish()
    assert scan.stored == scan.expected
    assert system.server("redis-server") not in (None, server)
    assert system.parts()["redis"]["ok"]
    system.counted()


@pytest.mark.parametrize("moment", ["voting", "committing"])
def test_killed_scan_has_stored_nothing_and_the_next_one_stores_all(
    system: Installation, many_bars: Path, days: Iterator[str], moment: str
) -> None:
    (pid,) = system.agent_pids(_DEAREST)
    scan = Scan(system, many_bars, next(days))
    with working(scan, pid) if moment == "voting" else committing(system, scan):
        scan.command.process.kill()
        scan.command.process.wait()
    assert scan.stored == 0
    assert scan.again().code == 0
    assert scan.stored == scan.expected
    system.counted()


def test_same_scan_beside_a_running_one_waits_for_it_and_stores_nothing_again(
    system: Installation, many_bars: Path, days: Iterator[str]
) -> None:
    (pid,) = system.agent_pids(_DEAREST)
    scan = Scan(system, many_bars, next(days))
    with working(scan, pid), frozen(scan.command.process.pid):
        connected = scan.connections
        second = system.start(*scan.words)
        eventually("a second scan at the database", lambda: scan.connections > connected)
    outputs = {scan.finish().out, second.wait().out}
    assert len(outputs) == 1
    assert scan.stored == scan.expected
    system.counted()
