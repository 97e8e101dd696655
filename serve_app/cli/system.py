"""Verbs for who operates the system: `up`, `down`, `status`, `doctor`, `admin rebuild`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from data.contracts.errors import GoldenSignalsError, InvalidInput, TemporarilyUnavailable
from serve_app.cli.output import AsJson, notes, progress_bar, say, show

_TOP = 20
_DOWN_S = 60.0
_DETACH_S = 180.0
_POLL_S = 0.2

admin = typer.Typer(name="admin", help="Maintenance of the stored data.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command("up")(up)
    app.command("down")(down)
    app.command("status")(status)
    app.command("doctor")(doctor)
    app.add_typer(admin)


def up(
    source: Annotated[str, typer.Option(help="sample, or a path to bars.")] = "sample",
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="API port; default GS_API__PORT or 8000.")] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return when ready; stop it with `goldensignals down`.")
    ] = False,
) -> None:
    """Start everything, scan once, and stay until Ctrl-C."""
    from data.market.source import SAMPLE
    from data.settings import Settings
    from serve_app.bootstrap import configure_logging

    if source != SAMPLE:
        source = str(Path(source).absolute())  # other commands, elsewhere, read the same bars
    if port is not None:
        os.environ["GS_API__PORT"] = str(port)
    settings = Settings.load()
    configure_logging()
    if detach:
        _detach(source)
        return

    from data.clock import SystemClock
    from serve_app.cli.render import ScanTable
    from serve_app.scans import ScanRequest, plan_scan
    from serve_app.up import System

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # all ways to stop it are one, also in the background
    started = time.monotonic()
    system = System(settings, source)
    try:
        bars = system.start(lambda text: say(f"[dim]{time.monotonic() - started:5.1f} s[/]  {text}"))
        spec = plan_scan(bars, ScanRequest())
        with progress_bar("votes") as progress:
            scanned = system.first_scan(spec, clock=SystemClock(), progress=progress)
        notes.print(ScanTable(scanned, _TOP, bars.quarantined.summary()))
        system.announce()
        notes.print(
            f"[bold]GoldenSignals is ready[/] after {time.monotonic() - started:.1f} s: "
            f"http://{settings.api.host}:{settings.api.port}/healthz. Ctrl-C stops it; in another shell try:\n"
            "  goldensignals scan --top 50     goldensignals signal AAPL --explain     goldensignals status"
        )
        while True:
            signal.pause()
    except KeyboardInterrupt:
        say("stopping")
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
        system.stop()


def down() -> None:
    """Stop the system that runs from this home."""
    from data.home import Home
    from data.settings import Settings
    from serve_app.services import stack_lock

    home = Home(Settings.load().home)
    lock = stack_lock(home)
    if not lock.is_held():
        say(f"nothing runs from {home.path}")
        return
    holder = lock.holder()
    if holder.get("role") != "up":
        raise TemporarilyUnavailable(
            f"process {holder.get('pid')} uses {home.path} and ends by itself; try again later"
        )
    pid = int(str(holder["pid"]))
    os.kill(pid, signal.SIGTERM)
    ends = time.monotonic() + _DOWN_S
    while lock.is_held():
        if time.monotonic() > ends:
            raise TemporarilyUnavailable(f"process {pid} has not stopped in {_DOWN_S:g} s; end it with: kill -9 {pid}")
        time.sleep(_POLL_S)
    say("stopped")


def status(as_json: AsJson = False) -> None:
    """What runs, where, and how the agents are. Exit code 3 when nothing runs."""
    from data.settings import Settings
    from serve_app.status import system_status

    found = system_status(Settings.load())
    table = Table(box=None, header_style="dim", pad_edge=False)
    for title in ("part", "state", "detail"):
        table.add_column(title)
    rows = [{"part": part.name, "ok": part.ok, "detail": part.detail} for part in found]
    for part in found:
        table.add_row(part.name, Text("up", style="green") if part.ok else Text("down", style="red"), part.detail)
    ok = all(part.ok for part in found)
    show({"ok": ok, "parts": rows}, rows, table, as_json=as_json, out=None)
    if not ok:
        raise typer.Exit(3)


def doctor(as_json: AsJson = False) -> None:
    """Look for what could stop this machine from working, and say how to repair it."""
    from data.settings import Settings
    from serve_app.doctor import examine

    checks = examine(Settings.load())
    table = Table(box=None, header_style="dim", pad_edge=False)
    for title in ("check", "", "detail", "repair"):
        table.add_column(title)
    for check in checks:
        table.add_row(
            check.name,
            Text("ok", style="green") if check.ok else Text("✗", style="red"),
            check.detail,
            check.repair or "",
        )
    ok = all(check.ok for check in checks)
    rows = [{"name": c.name, "ok": c.ok, "detail": c.detail, "repair": c.repair} for c in checks]
    show({"ok": ok, "checks": rows}, rows, table, as_json=as_json, out=None)
    if not ok:
        raise typer.Exit(1)


@admin.command("rebuild")
def rebuild(as_json: AsJson = False) -> None:
    """Rebuild the signal and vote tables from the events."""
    import asyncio

    from data.settings import Settings
    from serve_app.bootstrap import open_stores
    from serve_app.services import open_services

    settings = Settings.load()

    async def run(url: str) -> int:
        async with open_stores(settings, url) as stores:
            return await stores.signals.rebuild()

    with open_services(settings, ray=False, say=say) as services:
        rebuilt = asyncio.run(run(services.postgres_url))
    document = {"rebuilt": rebuilt}
    show(document, [document], Text(f"{rebuilt} signals rebuilt from their events"), as_json=as_json, out=None)


def _detach(source: str) -> None:
    """Run `up` in a session of its own, with its output in a log file, and wait until it is ready."""
    from data.home import Home
    from data.settings import Settings
    from serve_app.services import find_running

    home = Home(Settings.load().home)
    home.prepare()
    log = home.logs / "up.log"
    with log.open("ab") as output:
        begin = output.tell()
        child = subprocess.Popen(
            [sys.executable, "-m", "serve_app.cli", "up", "--source", source],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    ends = time.monotonic() + _DETACH_S
    while time.monotonic() < ends:
        running = find_running(home)
        if running is not None and running.pid == child.pid:
            say(f"ready as process {child.pid}, log {log}; stop it with: goldensignals down")
            return
        if child.poll() is not None:
            said = log.read_bytes()[begin:].decode(errors="replace").strip().splitlines() or ["it said nothing"]
            reason = said[-1].removeprefix("goldensignals: ")
            kinds = {kind.exit_code: kind for kind in (InvalidInput, TemporarilyUnavailable)}
            raise kinds.get(child.returncode, GoldenSignalsError)(reason)
        time.sleep(_POLL_S)
    child.terminate()
    raise TemporarilyUnavailable(f"it was not ready within {_DETACH_S:g} s and is being stopped; read {log}")
