"""What PostgreSQL and Redis have in common: one owner, no leftovers, no lost data, clear refusals."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from data.contracts.errors import GoldenSignalsError, TemporarilyUnavailable
from data.embedded.postgres import EmbeddedPostgres
from data.embedded.redis import EmbeddedRedis
from data.embedded.server import EmbeddedServer

Kind = type[EmbeddedPostgres] | type[EmbeddedRedis]
ROOT = Path(__file__).parents[3]

# A parent that starts a server, says its process id and then waits to be killed.
PARENT = """
import sys
from pathlib import Path
import data.embedded.process
from data.embedded.{module} import {kind}
sys.platform = {platform!r}
server = {kind}(Path({home!r}))
server.start()
print(server.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=[EmbeddedPostgres, EmbeddedRedis])
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture
def server(kind: Kind, ready_home: Path) -> Iterator[EmbeddedServer]:
    made = kind(ready_home)
    yield made
    made.stop()


@pytest.fixture
def killed_parent(kind: Kind, ready_home: Path) -> Callable[[str], psutil.Process]:
    """Starts a server from a process of its own, kills that process with -9 and returns the server's process."""

    def start_and_kill(platform: str) -> psutil.Process:
        module = "postgres" if kind is EmbeddedPostgres else "redis"
        script = PARENT.format(module=module, kind=kind.__name__, home=str(ready_home), platform=platform)
        with subprocess.Popen(
            [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            assert psutil.Process(pid).ppid() == parent.pid
            write(kind(ready_home).url)
            left = psutil.Process(pid)
            parent.kill()
        return left

    return start_and_kill


def write(url: str) -> None:
    if url.startswith("unix:"):
        with redis.Redis.from_url(url) as client:
            client.set("kept", "yes")
            client.config_set("appendfsync", "always")  # from here on nothing waits for the next second
            client.set("kept", "yes")
        return
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (answer text)")
        connection.execute("INSERT INTO kept VALUES ('yes')")


def read(url: str) -> str:
    if url.startswith("unix:"):
        with redis.Redis.from_url(url, decode_responses=True) as client:
            return str(client.get("kept"))
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT answer FROM kept").fetchone()
    return str(row and row[0])


def test_data_survives_a_stop_and_a_start(server: EmbeddedServer) -> None:
    write(server.start())
    server.stop()
    assert not server.is_alive()
    assert read(server.start()) == "yes"


def test_data_survives_kill_9_of_the_server(server: EmbeddedServer) -> None:
    write(server.start())
    first = server.pid
    assert first is not None
    psutil.Process(first).kill()
    psutil.Process(first).wait(10)
    assert not server.is_alive()
    assert read(server.start()) == "yes"
    assert server.pid not in (None, first)


def test_starting_a_live_server_again_changes_nothing(server: EmbeddedServer) -> None:
    url, pid = server.start(), server.pid
    assert (server.start(), server.pid) == (url, pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_server_ends_when_its_parent_is_killed(
    killed_parent: Callable[[str], psutil.Process], server: EmbeddedServer
) -> None:
    killed_parent("linux").wait(20)
    assert read(server.start()) == "yes"


def test_a_leftover_of_a_killed_parent_is_stopped_and_its_data_kept(
    killed_parent: Callable[[str], psutil.Process], server: EmbeddedServer
) -> None:
    leftover = killed_parent("elsewhere")
    assert leftover.is_running()
    assert read(server.start()) == "yes"
    assert not leftover.is_running() or leftover.status() == psutil.STATUS_ZOMBIE


def test_a_leftover_that_does_not_stop_is_named_and_left_alone(
    killed_parent: Callable[[str], psutil.Process], kind: Kind, ready_home: Path
) -> None:
    leftover = killed_parent("elsewhere")
    leftover.suspend()
    try:
        with pytest.raises(TemporarilyUnavailable, match=f"process {leftover.pid}.*kill -"):
            kind(ready_home, start_timeout_s=0.2).start()
        assert leftover.is_running()
    finally:
        leftover.resume()
        leftover.wait(20)  # the signal it was sent reaches it now


def test_a_second_start_at_once_is_refused_and_names_the_holder(
    server: EmbeddedServer, kind: Kind, ready_home: Path
) -> None:
    url = server.start()
    second = kind(ready_home)
    with pytest.raises(TemporarilyUnavailable, match=str(os.getpid())):
        second.start()
    second.stop()
    write(url)
    assert read(url) == "yes"


def test_a_terminal_s_ctrl_c_does_not_reach_the_server(server: EmbeddedServer) -> None:
    server.start()
    assert server.pid is not None
    assert os.getsid(server.pid) == server.pid


def test_too_little_disk_space_is_refused_before_anything_is_written(kind: Kind, home: Path) -> None:
    server = kind(home, min_free_bytes=2**60)
    with pytest.raises(TemporarilyUnavailable, match=r"needs \d+ MiB of free space on the disk of .* GS_HOME"):
        server.start()
    assert not server.data_folder.exists()


def test_a_home_that_is_a_file_is_refused_with_advice(kind: Kind, home: Path) -> None:
    home.write_text("not a folder")
    with pytest.raises(GoldenSignalsError, match="GS_HOME"):
        kind(home).start()


def test_no_port_is_open_and_the_password_is_private(server: EmbeddedServer) -> None:
    url = server.start()
    password = url.split("@")[0].rsplit(":", 1)[1]
    assert server.pid is not None
    process = psutil.Process(server.pid)
    assert process.net_connections(kind="inet") == []
    assert not any(password in word for word in process.cmdline())
    for file in server.home.secrets.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for folder in (server.home.secrets, server.data_folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert password not in server.log_file.read_text()


def test_a_wrong_password_is_refused(server: EmbeddedServer) -> None:
    url = server.start()
    password = url.split("@")[0].rsplit(":", 1)[1]
    with pytest.raises((psycopg.OperationalError, redis.AuthenticationError)):
        read(url.replace(password, "guess"))


def test_a_killed_first_start_leaves_nothing_that_stops_the_next_one(kind: Kind, home: Path) -> None:
    """The parent dies by SIGKILL as soon as the home appears: inside initdb, or before the server answers."""
    module = "postgres" if kind is EmbeddedPostgres else "redis"
    script = PARENT.format(module=module, kind=kind.__name__, home=str(home), platform=sys.platform)
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as parent:
        while not home.exists():
            assert parent.poll() is None
        parent.send_signal(signal.SIGKILL)
    server = kind(home)
    write(server.start())
    assert read(server.url) == "yes"
    server.stop()
