"""Verbs for the compute side of a running system: `cluster status|stop|start`. Stored data and logins stay up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from data.contracts.errors import TemporarilyUnavailable
from serve_app.cli.output import AsJson, Out, done, require_format, show

if TYPE_CHECKING:
    from data.home import Home

_STOP_S = 60.0
_START_S = 300.0
_POLL_S = 0.2

cluster = typer.Typer(name="cluster", help="The Ray cluster of a running system.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.add_typer(cluster)


@cluster.command("status")
def status(as_json: AsJson = False, out: Out = None) -> None:
    """Where the cluster is. Exit code 3 when agents are not running."""
    from data.home import Home
    from data.settings import Settings
    from serve_app.services import ComputeState

    require_format(out)
    state = ComputeState.read(Home(Settings.load().home))
    document = {"pid": state.pid, "address": state.ray_address}
    text = Text(f"Ray at {state.ray_address}, process {state.pid}")
    show(document, [document], text, as_json=as_json, out=out)


@cluster.command("stop")
def stop(as_json: AsJson = False) -> None:
    """Stop Ray with everything on it: agents, API, jobs. Signals, logins and the dashboard stay, read only."""
    from data.home import Home
    from data.settings import Settings
    from serve_app.up import STOPPED, unwanted_file

    home = Home(Settings.load().home)
    _require_system(home)
    file = unwanted_file(home)
    file.touch()
    _wait("it has not stopped", lambda: file.read_text() == STOPPED, _STOP_S)
    done({"running": False}, "stopped; start it again with: goldensignals cluster start", as_json=as_json)


@cluster.command("start")
def start(as_json: AsJson = False) -> None:
    """Start Ray again after `cluster stop`."""
    from data.home import Home
    from data.settings import Settings
    from serve_app.services import ComputeState
    from serve_app.up import unwanted_file

    home = Home(Settings.load().home)
    _require_system(home)
    unwanted_file(home).unlink(missing_ok=True)
    _wait("it is not ready", ComputeState.file(home).exists, _START_S)
    done({"running": True}, "agents are running", as_json=as_json)


def _require_system(home: Home) -> None:
    from serve_app.services import find_running

    if find_running(home) is None:
        raise TemporarilyUnavailable(f"nothing runs from {home.path}; start it with: goldensignals up")


def _wait(trouble: str, done: Callable[[], bool], within_s: float) -> None:
    ends = time.monotonic() + within_s
    while not done():
        if time.monotonic() > ends:
            raise TemporarilyUnavailable(f"{trouble} after {within_s:g} s; see `goldensignals status`")
        time.sleep(_POLL_S)
