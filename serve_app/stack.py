"""The servers one process owns: PostgreSQL, Redis and Ray, each embedded unless a setting names a real one.

They are started in order, watched, started again when they die, and stopped with their owner. Killed owners leave
nothing that blocks the next start: PostgreSQL and Redis end with their parent, Ray's reaper ends Ray.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from cluster import connect
from data.contracts.errors import GoldenSignalsError
from data.embedded.postgres import EmbeddedPostgres
from data.embedded.redis import EmbeddedRedis
from data.embedded.server import EmbeddedServer
from data.home import RAY_TOKEN, Home
from data.settings import Settings

_WATCH_S = 0.5
_KEPT_RAY_SESSIONS = 2

log = structlog.get_logger(__name__)

Say = Callable[[str], None]


class Stack:
    """Start with `start_stores` and `start_ray`, end with `stop`; both are sync and belong to the main thread."""

    def __init__(self, settings: Settings, home: Home) -> None:
        self._settings = settings
        self._home = home
        self._servers: list[EmbeddedServer] = []
        self._ray = False
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None

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
        self._watcher = threading.Thread(target=self._watch, name="stack-watcher", daemon=True)
        self._watcher.start()
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
        self._stopping.set()
        if self._watcher is not None:
            self._watcher.join()
        for server in reversed(self._servers):
            server.stop()
        self._servers.clear()

    def _watch(self) -> None:
        """Start dead servers again. Lives until `stop`, since a server it starts ends with this thread."""
        while not self._stopping.wait(_WATCH_S):
            for server in self._servers:
                if server.is_alive():
                    continue
                log.warning("server_died", server=server.name)
                try:
                    server.start()
                    log.warning("server_restarted", server=server.name)
                except GoldenSignalsError as problem:  # tried again at the next round, callers see their own deadline
                    log.error("server_did_not_restart", server=server.name, reason=str(problem))


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
