"""The running system behind `goldensignals up`: a supervisor that owns the servers and never joins Ray itself.

Its children are PostgreSQL, Redis, the relay, the gateway and the compute process, which holds everything of Ray. So
when Ray is lost as a whole, stored signals, logins and the dashboard stay, and the compute process is started again.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from pathlib import Path

from data.contracts.errors import GoldenSignalsError, InvalidInput, TemporarilyUnavailable
from data.home import Home
from data.settings import Settings
from serve_app.children import Child
from serve_app.proxy import end_orphans
from serve_app.services import ComputeState, Running, find_running, stack_lock, stores_ready
from serve_app.stack import Say, Stack, Watcher

_LOCK_WAIT_S = 10.0  # for a command of this home that is just ending
_PORT_WAIT_S = 5.0
_POLL_S = 0.2
STOPPED = "stopped"
_COMPUTE_READY_S = 900.0  # the first start compiles, and scans


class ComputeChild(Child):
    """The compute process, which an operator may stop and start: `goldensignals cluster stop|start`."""

    def __init__(self, home: Home, *words: str) -> None:
        super().__init__(
            home,
            "compute",
            "serve_app.compute",
            *words,
            ready_s=_COMPUTE_READY_S,
            silent_s=30.0,
            stop_s=40.0,
            own_log=False,
        )
        self._unwanted = unwanted_file(home)
        self._state = ComputeState.file(home)

    def is_alive(self) -> bool:
        """Whether it is as the operator wants it."""
        if self._unwanted.exists():
            if self.pid is not None:
                self.stop()
            self._unwanted.write_text(STOPPED)
            return True
        return super().is_alive()

    def start(self) -> None:
        """Start it again: what is stored stays, the first scan is not repeated."""
        self._state.unlink(missing_ok=True)
        self.begin("--again")
        self.wait()

    def stop(self) -> None:
        """End it; commands no longer find a Ray cluster."""
        super().stop()
        self._state.unlink(missing_ok=True)


def unwanted_file(home: Home) -> Path:
    """Exists while an operator wants no compute process; holds `STOPPED` once there is none."""
    return home.run / "compute.unwanted"


class System:
    """The running system of one home: `start`, `stop`. Sync, for the main thread."""

    def __init__(self, settings: Settings, source: str, *, replay: bool, since: float) -> None:
        self._settings, self._source, self._replay = settings, source, replay
        self._home = Home(settings.home)
        self._lock = stack_lock(self._home)
        self._stack = Stack(settings, self._home)
        words = ["--source", source, "--since", str(since), *(["--replay"] if replay else [])]
        self._compute = ComputeChild(self._home, *words)
        self._relay = Child(self._home, "relay", "serve_app.relay", ready_s=30.0)
        self._gateway = Child(self._home, "gateway", "serve_app.gateway", ready_s=60.0)
        self._watchers: list[Watcher] = []

    def start(self, say: Say) -> str | None:
        """Start everything and scan once. Returns the password of the first admin when this start has made one.

        Raises GoldenSignalsError with what to do; one of the compute process has already said so itself, and has its
        exit code in `facts["code"]`.
        """
        s = self._settings
        if s.ray.address is not None and None in (s.postgres.url, s.redis.url, s.auth.secret):
            raise InvalidInput(
                "a cluster of its own machines (GS_RAY__ADDRESS) cannot reach the embedded servers and secrets of this "
                "one; set GS_POSTGRES__URL, GS_REDIS__URL and GS_AUTH__SECRET too"
            )
        self._home.prepare()
        self._take_lock()
        api, gateway = s.api, s.gateway
        if s.ray.address is None:  # elsewhere the API listens on that cluster's head
            end_orphans(self._home)
            _require_free(api.host, api.port, "API", "--port or GS_API__PORT")
        _require_free(gateway.host, self._settings.gateway_port, "gateway", "GS_GATEWAY__PORT")
        unwanted_file(self._home).unlink(missing_ok=True)
        ComputeState.file(self._home).unlink(missing_ok=True)
        stores_ready(self._home).unlink(missing_ok=True)
        self._compute.begin()  # loads Ray and the bars while the servers start

        from data.store.migrate import migrate  # here, because this takes a while too
        from serve_app.auth.opening import make_first_admin

        url = self._stack.start_stores(redis=True, say=say)
        migrate(url)
        stores_ready(self._home).touch()
        password = asyncio.run(make_first_admin(self._settings, url))
        say("relay and gateway")
        self._relay.begin()
        self._gateway.begin()
        self._relay.wait()
        self._gateway.wait()
        self._watchers = [Watcher([self._relay]), Watcher([self._gateway])]
        self._compute.wait()
        self._watchers.append(Watcher([self._compute]))
        Running(os.getpid(), api.host, api.port, self._source, self._replay).write(self._home)
        return password

    def stop(self) -> None:
        """Stop what was started, in reverse; harmless when nothing was."""
        if not self._lock.is_ours:
            return
        Running.file(self._home).unlink(missing_ok=True)
        children = (self._compute, self._gateway, self._relay)
        for child in children:
            child.give_up()
        for watcher in self._watchers:
            watcher.stop()
        for child in children:
            child.stop()
        self._stack.stop()
        self._lock.release()

    def _take_lock(self) -> None:
        ends = time.monotonic() + _LOCK_WAIT_S
        while True:
            try:
                return self._lock.acquire("up")
            except TemporarilyUnavailable:
                running, holder = find_running(self._home), self._lock.holder()
                if running is not None or holder.get("role") == "up" or time.monotonic() > ends:
                    raise TemporarilyUnavailable(
                        f"GoldenSignals already runs from {self._home.path} as process {holder.get('pid')}; "
                        "see `goldensignals status`, stop it with `goldensignals down`, or use another GS_HOME"
                    ) from None
                time.sleep(_POLL_S)


def said_already(problem: GoldenSignalsError) -> int | None:
    """The exit code of a child that has told the reason itself; None for any other error."""
    code = problem.facts.get("code")
    return code if isinstance(code, int) else None


def _require_free(host: str, port: int, what: str, setting: str) -> None:
    """Raises TemporarilyUnavailable when another program listens there; what a killed `up` left may end first."""
    ends = time.monotonic() + _PORT_WAIT_S
    while True:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                return probe.bind((host, port))
            except OSError as problem:
                if problem.errno != errno.EADDRINUSE or time.monotonic() > ends:
                    raise TemporarilyUnavailable(
                        f"the {what} cannot listen on {host}:{port} ({problem.strerror}); stop what uses that port, or "
                        f"choose another one with {setting}"
                    ) from problem
        time.sleep(_POLL_S)
