"""Gives a command what it needs: the system that `goldensignals up` runs, or servers of its own for its duration."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path

from cluster import connect
from data.contracts.errors import TemporarilyUnavailable
from data.home import Home, Lock
from data.settings import Settings
from data.store.migrate import migrate
from serve_app.stack import Say, Stack, join_ray
from serve_app.urls import postgres_url

_WAIT_S = 120.0
_POLL_S = 0.2


@dataclass(frozen=True)
class Running:
    """What `goldensignals up` has written about itself when it is ready."""

    pid: int
    host: str
    port: int
    source: str
    replay: bool

    @staticmethod
    def file(home: Home) -> Path:
        """Where it is written."""
        return home.run / "up.json"

    def write(self, home: Home) -> None:
        """Announce readiness, in one piece."""
        _write(self.file(home), asdict(self))


@dataclass(frozen=True)
class ComputeState:
    """What the compute process has written about itself when it is ready."""

    pid: int
    ray_address: str

    @staticmethod
    def file(home: Home) -> Path:
        """Where it is written."""
        return home.run / "compute.json"

    def write(self, home: Home) -> None:
        """Announce readiness, in one piece."""
        _write(self.file(home), asdict(self))

    @staticmethod
    def read(home: Home) -> ComputeState:
        """The running one. Raises TemporarilyUnavailable when there is none now."""
        try:
            return ComputeState(**json.loads(ComputeState.file(home).read_text()))
        except FileNotFoundError:
            raise TemporarilyUnavailable(
                "agents are not running now: Ray is being started, or was stopped with `goldensignals cluster stop`; "
                "see `goldensignals status`"
            ) from None


@dataclass(frozen=True)
class Services:
    """Where the servers are. `running` is None when they belong to this command."""

    postgres_url: str
    ray: bool  # whether this process has joined a Ray cluster
    running: Running | None


def stores_ready(home: Home) -> Path:
    """Exists from when the stores of a starting system answer and their tables are up to date."""
    return home.run / "stores.ready"


def wait_for_stores(home: Home, within_s: float) -> None:
    """Until the supervisor has started them. Raises TemporarilyUnavailable when that takes too long."""
    ends = time.monotonic() + within_s
    while not stores_ready(home).exists():
        if time.monotonic() > ends:
            raise TemporarilyUnavailable(f"PostgreSQL and Redis were not ready within {within_s:g} s")
        time.sleep(_POLL_S)


def stack_lock(home: Home) -> Lock:
    """Whoever holds it owns the servers of this home."""
    return Lock(home.run / "stack.lock")


def find_running(home: Home) -> Running | None:
    """The `up` that is ready now; None when there is none. A file left by a killed one does not count."""
    lock = stack_lock(home)
    if not lock.is_held():
        return None
    try:
        running = Running(**json.loads(Running.file(home).read_text()))
    except FileNotFoundError:  # it is still starting, or it is another kind of command
        return None
    return running if lock.holder().get("pid") == running.pid else None


def settled(settings: Settings, say: Say) -> Running | None:
    """`find_running`, after waiting for an `up` that is just starting.

    Raises TemporarilyUnavailable when that takes too long.
    """
    home = Home(settings.home)
    lock, ends, waited = stack_lock(home), time.monotonic() + _WAIT_S, False
    while (running := find_running(home)) is None and lock.is_held() and lock.holder().get("role") == "up":
        if time.monotonic() > ends:
            raise TemporarilyUnavailable(f"`goldensignals up` was not ready within {_WAIT_S:g} s; try again later")
        if not waited:
            say("waiting for `goldensignals up`, which is just starting")
            waited = True
        time.sleep(_POLL_S)
    return running


@contextmanager
def open_services(settings: Settings, *, ray: bool, say: Say) -> Iterator[Services]:
    """Join the running system, or start what is needed and stop it afterwards.

    Meanwhile `print` writes to stderr: Ray prints warnings about its nodes, and stdout belongs to results.
    Raises TemporarilyUnavailable when another command keeps the servers of this home for too long.
    """
    with redirect_stdout(sys.stderr):
        yield from _joined_or_started(settings, ray=ray, say=say)


def _joined_or_started(settings: Settings, *, ray: bool, say: Say) -> Iterator[Services]:
    home = Home(settings.home)
    home.prepare()
    if ray and settings.ray.address is not None:
        connect.require_reachable(settings.ray.address)  # said before anything is started
    lock = stack_lock(home)
    ends = time.monotonic() + _WAIT_S
    waited = False
    while True:
        running = find_running(home)
        if running is not None:
            yield from _joined(settings, home, running, ray=ray)
            return
        try:
            lock.acquire("command")
            break
        except TemporarilyUnavailable:
            holder = lock.holder()
            if time.monotonic() > ends:
                raise TemporarilyUnavailable(
                    f"process {holder.get('pid')} has used the servers of {home.path} for more than {_WAIT_S:g} s; "
                    "wait for it, end it, or use another GS_HOME"
                ) from None
            if not waited:
                say(f"waiting for process {holder.get('pid')}, which uses the servers of {home.path}")
                waited = True
            time.sleep(_POLL_S)
    stack = Stack(settings, home)
    try:
        url = stack.start_stores(redis=False, say=say)
        migrate(url)
        if ray:
            stack.start_ray(say=say)
        yield Services(url, ray, None)
    finally:
        stack.stop()
        lock.release()


def _joined(settings: Settings, home: Home, running: Running, *, ray: bool) -> Iterator[Services]:
    if ray:
        join_ray(home, ComputeState.read(home).ray_address)
    try:
        yield Services(postgres_url(settings), ray, running)
    finally:
        if ray:
            connect.disconnect()


def _write(file: Path, values: dict[str, object]) -> None:
    draft = file.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(values))
    draft.replace(file)
