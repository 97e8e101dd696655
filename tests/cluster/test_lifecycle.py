"""Starting and stopping: one system per home, clear refusals, and nothing is left over however it ends."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.cluster.installation import Ended, Installation, eventually, free_port, frozen, send

_READY_S = 120.0


@pytest.fixture(scope="module")
def small_home() -> Iterator[Installation]:
    with TemporaryDirectory(prefix="gs-test-") as folder:
        installation = Installation(Path(folder), AGENTS__ACTORS="1")
        yield installation
        installation.close()


@pytest.fixture
def small(small_home: Installation) -> Iterator[Installation]:
    """A home whose system the tests start and stop themselves."""
    yield small_home
    small_home.stop()


def up(installation: Installation, bars: Path, *words: str) -> Ended:
    return installation.run("up", "--source", str(bars), *words)


def assert_nothing_left(installation: Installation) -> None:
    """The commands have ended; their processes may need a moment to be gone."""
    eventually(f"an end of {installation.processes()}", lambda: not installation.processes(), within_s=10)


def test_second_up_of_a_running_home_is_refused(system: Installation) -> None:
    pid = system.up_pid
    refused = system.run("up", "--detach", API__PORT=str(free_port()))
    assert refused.code == 3
    assert f"already runs from {system.home} as process {pid}" in refused.err
    assert "goldensignals down" in refused.err
    assert system.up_pid == pid
    assert all(part["ok"] for part in system.parts().values())


def test_up_on_a_port_in_use_is_refused_and_leaves_nothing(small: Installation, few_bars: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", small.port))
        other.listen()
        refused = up(small, few_bars, "--detach")
    assert refused.code == 3
    assert f"the API cannot listen on 127.0.0.1:{small.port}" in refused.err
    assert "--port" in refused.err
    assert_nothing_left(small)


def test_status_where_nothing_runs_exits_with_3_and_says_what_to_do(small: Installation) -> None:
    found = small.run("status", "--json")
    assert found.code == 3
    assert not found.document["ok"]
    assert "goldensignals up" in found.document["parts"][0]["detail"]


def test_down_where_nothing_runs_succeeds(small: Installation) -> None:
    assert "nothing runs" in small.ok("down").err


def test_a_killed_system_starts_again_without_help_keeps_its_signals_and_ends_with_ctrl_c(
    small: Installation, few_bars: Path
) -> None:
    first = up(small, few_bars, "--detach")
    assert first.code == 0, first.err
    stored = small.counted()
    assert stored["signals"] == 5
    killed = small.up_pid
    send(killed, signal.SIGKILL)

    again = small.start("up", "--source", str(few_bars))  # in the foreground: Ctrl-C is to end it
    eventually("a system that is ready", lambda: _runs(small, but=killed), within_s=_READY_S)
    assert small.counted() == stored
    small.ok("scan")
    assert small.counted() == stored
    again.interrupt()
    ended = again.wait()
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err
    assert_nothing_left(small)


def _runs(installation: Installation, *, but: int) -> bool:
    """Whether a system is ready that is not the one of that process."""
    return (installation.home / "run" / "up.json").exists() and installation.up_pid != but


def test_ctrl_c_during_the_start_leaves_nothing(small: Installation, few_bars: Path) -> None:
    command = small.start("up", "--source", str(few_bars))
    eventually(
        "agents that start", lambda: any("AgentActor" in name for name in small.process_names()), within_s=_READY_S
    )
    command.interrupt()
    ended = command.wait()
    assert "Traceback" not in ended.err
    assert not (small.home / "run" / "up.json").exists()
    assert_nothing_left(small)


def test_second_command_without_a_system_waits_for_the_first_and_both_succeed(
    small: Installation, few_bars: Path
) -> None:
    words = ("scan", "--bars", str(few_bars), "--json")
    first = small.start(*words)
    eventually("servers of the first command", lambda: small.server("postgres"))
    with frozen(first.process.pid):
        second = small.start(*words)
        waiting = f"waiting for process {first.process.pid}"
        eventually("a second command that waits", lambda: waiting in second.said)
    ended = [first.wait(), second.wait()]
    assert [each.code for each in ended] == [0, 0], [each.err for each in ended]
    assert ended[0].out == ended[1].out
    assert_nothing_left(small)


def test_scan_without_a_system_prints_the_bytes_of_the_system_and_leaves_nothing(
    small: Installation, scan: Ended
) -> None:
    alone = small.ok("scan", "--json")
    assert "Ray" in alone.err  # it was worth a cluster of its own
    assert alone.out == scan.out
    assert_nothing_left(small)
