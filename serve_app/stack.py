"""The servers one process owns: PostgreSQL, Redis and Ray, each embedded unless a setting names a real one.

They are started in order, watched, started again when they die, and stopped with their owner. Killed owners leave
nothing that blocks the next start: PostgreSQL and Redis end with their parent, Ray's reaper ends Ray.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import structlog

from cluster import connect
from data.contracts.errors import GoldenSignalsError
from data.embedded.postgres import EmbeddedPostgres
from data.embedded.redis import EmbeddedRedis
from data.embedded.server import EmbeddedServer
from data.home import RAY_TOKEN, Home
from data.settings import Settings

_WATCH_S = 0.5
_LONGEST_PAUSE_S = 30.0  # between two tries to start what does not start
_CALM_S = 60.0
_KEPT_RAY_SESSIONS = 2

log = structlog.get_logger(__name__)

Say = Callable[[str], None]


class Watched(Protocol):
    """A process that can be started again."""

    @property
    def name(self) -> str:
        """What it is called in logs."""

    def is_alive(self) -> bool:
        """Whether it runs and works."""

    def start(self) -> object:
        """Start it and wait until it works."""

    def stop(self) -> None:
        """End it in order."""


class Watcher:
    """Starts dead processes again, from a thread of its own that lives until `stop`.

    It must live so long: what it starts ends with this thread.
    """

    def __init__(self, watched: Sequence[Watched]) -> None:
        self._watched = watched
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"watch-{watched[0].name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no more; returns when a start that is under way has ended."""
        self._stopping.set()
        self._thread.join()

    def _watch(self) -> None:
        pause, trouble = _WATCH_S, 0.0
        while not self._stopping.wait(pause):
            well = [self._tend(one) for one in self._watched]
            if not all(well):
                pause, trouble = min(2 * pause, _LONGEST_PAUSE_S), time.monotonic()
            elif time.monotonic() - trouble > _CALM_S:  # what dies again at once is given longer and longer pauses
                pause = _WATCH_S

    def _tend(self, one: Watched) -> bool:
        """Whether it needed nothing. This thread must not end: what it has started would end with it."""
        try:
            if one.is_alive():
                return True
            log.warning("server_died", server=one.name)
            one.start()
            log.warning("server_restarted", server=one.name)
        except GoldenSignalsError as problem:  # tried again after a pause; callers see their own deadline
            log.error("server_did_not_restart", server=one.name, reason=str(problem))
        except Exception:
            log.exception("server_did_not_restart", server=one.name)
        return False


class Stack:
    """Start with `start_stores` and `start_ray`, end with `stop`; both are sync and belong to the main thread."""

    def __init__(self, settings: Settings, home: Home) -> None:
        self._settings = settings
        self._home = home
        self._servers: list[EmbeddedServer] = []
        self._ray = False
        self._watcher: Watcher | None = None

    def start_stores(self, *, redis: bool, say: Say) -> str:
        """PostgreSQL, and Redis if asked for; returns PostgreSQL's URL."""
        url = self._settings.postgres.url.get_secret_value() if self._settings.postgres.url else None
        if url is None:
            say("PostgreSQL")
            postgres = EmbeddedPostgres(self._home.path)
            url = postgres.start()
            self._servers.append(postgres)
        if redis and self._settings.redis.url is None:
            say("Redis")
            server = EmbeddedRedis(self._home.path)
            server.start()
            self._servers.append(server)
        if self._servers:
            self._watcher = Watcher(self._servers)
        return url

    def start_ray(self, *, say: Say) -> str:
        """A local Ray cluster, or the one a setting names; this process has joined it. Returns its address."""
        join_ray(self._home, self._settings.ray.address)
        address = self._settings.ray.address
        if address is None:
            say("Ray")
            scratch = self._home.scratch / "ray"
            _drop_old_sessions(scratch)
            address = connect.start_local(scratch, object_store_mb=self._settings.ray.object_store_mb)
        self._ray = True
        return address

    def stop(self) -> None:
        """Stop in the reverse order; harmless when nothing was started."""
        if self._ray:
            connect.disconnect()
            self._ray = False
        if self._watcher is not None:
            self._watcher.stop()
        for server in reversed(self._servers):
            server.stop()
        self._servers.clear()


def join_ray(home: Home, address: str | None) -> None:
    """Make sure that the secret exists and, given an address, join that cluster."""
    home.secret(RAY_TOKEN)
    if address is not None:
        connect.join(address)


def _drop_old_sessions(folder: Path) -> None:
    """Ray keeps the logs of every session for ever; keep the newest two."""
    sessions = sorted(path for path in folder.glob("session_2*") if path.is_dir() and not path.is_symlink())
    for old in sessions[:-_KEPT_RAY_SESSIONS]:
        with suppress(OSError):
            shutil.rmtree(old)
