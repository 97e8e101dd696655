"""The running system behind `goldensignals up`: everything started in order, announced, and stopped in reverse."""

from __future__ import annotations

import errno
import os
import socket
import time
from typing import Any

from ray import serve
from ray.serve.config import HTTPOptions

from agents.registry import roster
from cluster.pools import AgentPool
from cluster.scan import ScanSpec
from cluster.voters import Progress
from cluster.warm import Warming
from data.clock import Clock
from data.contracts.errors import InvalidInput, TemporarilyUnavailable
from data.home import Home
from data.market.source import Bars, open_bars
from data.settings import Settings
from data.store.migrate import migrate
from serve_app.api import Api
from serve_app.bootstrap import start_pools
from serve_app.orchestrator import OrchestratorDeployment, quiet_serve
from serve_app.scans import Scanned, scan_on
from serve_app.services import Running, Services, find_running, postgres_url, stack_lock
from serve_app.stack import Say, Stack

APP = "goldensignals"
_LOCK_WAIT_S = 10.0  # for a command of this home that is just ending
_PORT_WAIT_S = 5.0
_POLL_S = 0.2


class System:
    """The running system of one home: `start`, `announce`, `stop`. Sync, for the main thread."""

    def __init__(self, settings: Settings, source: str) -> None:
        self._settings = settings
        self._source = source
        self._home = Home(settings.home)
        self._lock = stack_lock(self._home)
        self._stack = Stack(settings, self._home)
        self._pools: dict[str, AgentPool] = {}
        self._warming: Warming | None = None
        self._ray_address = ""
        self._serving = False

    def start(self, say: Say) -> Bars:
        """Start servers, pools and Serve; returns the bars it runs on. Raises GoldenSignalsError with what to do."""
        if self._settings.ray.address is not None and self._settings.postgres.url is None:
            raise InvalidInput(
                "a cluster of its own machines (GS_RAY__ADDRESS) cannot reach the embedded PostgreSQL of this one; "
                "set GS_POSTGRES__URL too"
            )
        say("bars")
        bars = open_bars(self._source)  # a wrong path is said before anything is started
        self._home.prepare()
        self._take_lock()
        api = self._settings.api
        _require_free(api.host, api.port)
        self._warming = Warming()  # compiles beside everything that is not arithmetic
        migrate(self._stack.start_stores(redis=True, say=say))
        self._ray_address = self._stack.start_ray(say=say)
        say("kernels (compiled at the first start, which takes a minute)")
        self._warming.wait()
        agents = roster()
        say(f"{len(agents)} agents x {self._settings.agents.actors} actors")
        self._pools = start_pools(agents, self._settings, keep=True)  # the orchestrator awaits them
        say("orchestrator and API")
        quiet_serve()
        serve.start(proxy_location="HeadOnly", http_options=HTTPOptions(host=api.host, port=api.port))
        self._serving = True
        try:
            serve.run(_application(self._source, self._settings), name=APP, route_prefix="/")
        except RuntimeError as problem:
            raise TemporarilyUnavailable(
                f"the orchestrator did not start ({str(problem).strip().splitlines()[-1]}); its log is under "
                f"{self._home.scratch}/ray/session_latest/logs/serve"
            ) from problem
        return bars

    def first_scan(self, spec: ScanSpec, *, clock: Clock, progress: Progress) -> Scanned:
        """Scan on what was just started."""
        services = Services(postgres_url(self._settings), ray=True, running=None)
        return scan_on(services, self._settings, spec, clock=clock, progress=progress)

    def announce(self) -> None:
        """Tell the other commands of this home that it is ready."""
        api = self._settings.api
        running = Running(os.getpid(), self._ray_address, api.host, api.port, self._source)
        running.write(self._home)

    def stop(self) -> None:
        """Stop what was started, in reverse; harmless when nothing was."""
        if self._lock.is_ours:
            Running.file(self._home).unlink(missing_ok=True)
        if self._ray_address and self._settings.ray.address is not None:
            for pool in self._pools.values():  # a cluster of our own ends whole, with everything on it
                pool.stop()
            if self._serving:
                serve.delete(APP)
        if self._warming is not None:
            self._warming.stop()
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


def _application(source: str, settings: Settings) -> serve.Application:
    orchestrator: Any = OrchestratorDeployment  # the decorator's result has no types
    api: Any = Api
    app: serve.Application = api.bind(orchestrator.bind(source, settings))
    return app


def _require_free(host: str, port: int) -> None:
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
                        f"the API cannot listen on {host}:{port} ({problem.strerror}); stop what uses that port, or "
                        "choose another one with --port or GS_API__PORT"
                    ) from problem
        time.sleep(_POLL_S)
