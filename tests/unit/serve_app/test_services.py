"""A system that runs is found, and what a killed one left behind is not taken for it."""

import os
from collections.abc import Iterator

import pytest

from data.contracts.errors import TemporarilyUnavailable
from data.home import Home, Lock
from data.settings import Settings
from serve_app.services import Running, find_running, stack_lock
from serve_app.urls import postgres_url

HERE = Running(os.getpid(), "127.0.0.1", 8000, "sample", replay=False)


@pytest.fixture
def lock(home: Home) -> Iterator[Lock]:
    home.prepare()
    found = stack_lock(home)
    yield found
    found.release()


def test_nothing_runs_in_a_home_that_was_never_used(home: Home) -> None:
    assert find_running(home) is None


def test_a_ready_system_is_found_as_it_announced_itself(home: Home, lock: Lock) -> None:
    lock.acquire("up")
    HERE.write(home)
    assert find_running(home) == HERE
    assert [path.name for path in home.run.iterdir() if path.suffix not in (".json", ".lock")] == []


def test_a_system_that_is_still_starting_does_not_count(home: Home, lock: Lock) -> None:
    lock.acquire("up")
    assert find_running(home) is None


def test_a_file_left_by_a_killed_system_does_not_count(home: Home, lock: Lock) -> None:
    HERE.write(home)
    assert find_running(home) is None


def test_a_file_of_another_process_than_the_holder_does_not_count(home: Home, lock: Lock) -> None:
    """A killed `up` left its file, and another command holds the lock now."""
    Running(1, "127.0.0.1", 8000, "sample", replay=False).write(home)
    lock.acquire("command")
    assert find_running(home) is None


def test_two_owners_of_one_home_are_refused(home: Home, lock: Lock) -> None:
    lock.acquire("up")
    with pytest.raises(TemporarilyUnavailable, match=str(os.getpid())):
        stack_lock(home).acquire("up")


def test_a_postgresql_that_is_named_is_used_and_else_the_one_of_the_home(
    environ: None, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.prepare()
    assert home.scratch.name in postgres_url(Settings.load())
    monkeypatch.setenv("GS_POSTGRES__URL", "postgresql://db/x")
    assert postgres_url(Settings.load()) == "postgresql://db/x"
