"""Files of one installation are private to its user, and a lock is free the moment its process is gone."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from data.contracts.errors import GoldenSignalsError, TemporarilyUnavailable
from data.home import Home, Lock

HOLD = """
import sys
from pathlib import Path
from data.home import Lock
lock = Lock(Path(sys.argv[1]))
lock.acquire("up")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    found = Home(tmp_path / "a" / "home")
    yield found
    shutil.rmtree(found.scratch, ignore_errors=True)


@pytest.fixture
def other_process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock `tmp_path / "lock"` until its stdin is closed."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_folders_are_private_and_made_once(home: Home) -> None:
    home.prepare()
    home.prepare()
    for folder in (home.secrets, home.run, home.logs, home.scratch):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_socket_paths_stay_short_however_long_the_home_is(tmp_path: Path) -> None:
    assert len(str(Home(tmp_path / ("x" * 200)).scratch)) < 60
    assert Home(tmp_path / "a").scratch != Home(tmp_path / "b").scratch


@pytest.mark.parametrize("place", ["/dev/null/x", "/proc/nothing"])
def test_a_home_that_cannot_be_made_says_what_to_do(place: str) -> None:
    with pytest.raises(GoldenSignalsError, match=f"cannot make {place}.*point GS_HOME at a folder"):
        Home(Path(place)).prepare()


def test_a_file_in_place_of_the_home_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("mine")
    with pytest.raises(GoldenSignalsError, match="point GS_HOME"):
        Home(tmp_path / "home").prepare()
    assert (tmp_path / "home").read_text() == "mine"


def test_a_scratch_that_is_a_link_is_not_followed(home: Home, tmp_path: Path) -> None:
    """The temporary directory belongs to everybody: who puts a link there would get our sockets and secrets."""
    home.scratch.symlink_to(tmp_path)
    try:
        with pytest.raises(GoldenSignalsError, match="belongs to somebody else"):
            home.prepare()
    finally:
        home.scratch.unlink()


def test_a_secret_is_kept_random_and_private(home: Home) -> None:
    home.prepare()
    secret = home.secret("token")
    assert len(secret) == 64
    assert home.secret("token") == secret != home.secret("another")
    assert stat.S_IMODE((home.secrets / "token").stat().st_mode) == 0o600
    assert sorted(path.name for path in home.secrets.iterdir()) == ["another", "token"]


def test_processes_that_ask_together_get_one_secret(home: Home) -> None:
    home.prepare()
    code = (
        "import sys; from pathlib import Path; from data.home import Home; "
        "sys.stdin.read(); print(Home(Path(sys.argv[1])).secret('token'))"
    )

    def ask(number: int) -> str:
        command = [sys.executable, "-c", code, str(home.path)]
        return subprocess.run(command, input="", capture_output=True, text=True, check=True).stdout

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(ask, range(4)))) == 1


def test_a_held_lock_names_its_holder(other_process: subprocess.Popen[str], tmp_path: Path) -> None:
    lock = Lock(tmp_path / "lock")
    assert lock.is_held()
    assert lock.holder() == {"pid": other_process.pid, "role": "up"}
    with pytest.raises(TemporarilyUnavailable, match=str(other_process.pid)):
        lock.acquire("command")
    assert not lock.is_ours
    assert lock.holder() == {"pid": other_process.pid, "role": "up"}  # a refused attempt changes nothing


def test_a_lock_is_free_when_its_process_was_killed(other_process: subprocess.Popen[str], tmp_path: Path) -> None:
    other_process.send_signal(signal.SIGKILL)
    other_process.wait()
    lock = Lock(tmp_path / "lock")
    assert not lock.is_held()
    lock.acquire("command")
    assert lock.is_ours
    assert lock.holder() == {"pid": os.getpid(), "role": "command"}
    lock.release()


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    first.acquire("up")
    with pytest.raises(TemporarilyUnavailable):
        second.acquire("command")
    first.release()
    first.release()
    second.acquire("command")
    assert second.holder()["role"] == "command"
    second.release()


@pytest.mark.parametrize("file", ["nothing/lock", "/dev/null/lock"])
def test_a_lock_of_a_home_that_is_not_there_is_free(tmp_path: Path, file: str) -> None:
    lock = Lock(tmp_path / file)
    assert not lock.is_held()
    assert lock.holder() == {}


@pytest.mark.parametrize("text", ["", "{", "[1]", "null"])
def test_a_damaged_lock_file_has_no_holder(tmp_path: Path, text: str) -> None:
    (tmp_path / "lock").write_text(text)
    assert Lock(tmp_path / "lock").holder() == {}
