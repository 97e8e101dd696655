"""Verbs for who operates the system: `up`, `down`, `status`, `doctor`, `admin rebuild`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from data.contracts.errors import GoldenSignalsError, InvalidInput, TemporarilyUnavailable
from serve_app.cli.output import AsJson, Out, as_text, done, notes, require_format, say, show

if TYPE_CHECKING:
    from data.settings import Settings

_REPLAY = "replay"
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
    source: Annotated[
        str, typer.Option(help="sample; replay, which plays the sample day by day; or a path to bars.")
    ] = "sample",
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="API port; default GS_API__PORT or 8000.")] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return when ready; stop it with `goldensignals down`.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start everything, scan once, and stay until Ctrl-C."""
    from data.settings import Settings
    from serve_app.logs import configure_logging

    if port is not None:
        os.environ["GS_API__PORT"] = str(port)
    settings = Settings.load()
    configure_logging()
    ready = _ready(settings, source)
    if detach:
        pid, log = _detach(source)
        done(ready, f"ready as process {pid}, log {log}; stop it with: goldensignals down", as_json=as_json)
        return

    from serve_app.up import System, said_already

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # all ways to stop it are one, also in the background
    started = time.monotonic()
    replay, bars = _read_source(source)
    system = System(settings, bars, replay=replay, since=started)
    try:
        password = system.start(lambda text: say(f"[dim]{time.monotonic() - started:5.1f} s[/]  {text}"))
        notes.print(
            f"[bold]GoldenSignals is ready[/] after {time.monotonic() - started:.1f} s. Ctrl-C stops it.\n"
            f"  dashboard  {ready['dashboard']}/     API  {ready['api']}/docs"
        )
        if password is not None:
            notes.print(f"  admin password: {password}   (user admin; shown only now)", markup=False)
        notes.print(
            "  in another shell: goldensignals scan --top 50     goldensignals signal AAPL --explain     "
            "goldensignals status"
        )
        if as_json:
            typer.echo(as_text(ready))
        while True:
            signal.pause()
    except KeyboardInterrupt:
        say("stopping")
    except GoldenSignalsError as problem:
        code = said_already(problem)
        if code is None:
            raise
        raise typer.Exit(code or 1) from problem
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
        system.stop()


def _read_source(source: str) -> tuple[bool, str]:
    """Whether it is a replay, and of which bars; a path is made absolute, since other processes read the same bars."""
    from data.market.source import SAMPLE

    replay = source == _REPLAY or source.startswith(f"{_REPLAY}:")
    bars = source.removeprefix(_REPLAY).removeprefix(":") or SAMPLE if replay else source
    if bars != SAMPLE:
        if not Path(bars).exists():
            raise InvalidInput(f"there is no file or folder {bars}; give sample, replay, replay:PATH or a path to bars")
        bars = str(Path(bars).absolute())
    return replay, bars


def _ready(settings: Settings, source: str) -> dict[str, object]:
    """What `up --json` prints: where everything is, and no password."""
    return {
        "home": str(settings.home),
        "source": source,
        "api": f"http://{settings.api.host}:{settings.api.port}",
        "dashboard": f"http://{settings.gateway.host}:{settings.gateway_port}",
    }


def down(as_json: AsJson = False) -> None:
    """Stop the system that runs from this home."""
    from data.home import Home
    from data.settings import Settings
    from serve_app.services import stack_lock

    home = Home(Settings.load().home)
    lock = stack_lock(home)
    if not lock.is_held():
        done({"home": str(home.path), "stopped": False}, f"nothing runs from {home.path}", as_json=as_json)
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
    done({"home": str(home.path), "stopped": True}, "stopped", as_json=as_json)


def status(as_json: AsJson = False, out: Out = None) -> None:
    """What runs, where, and how the agents are. Exit code 3 when nothing runs."""
    from data.settings import Settings
    from serve_app.status import system_status

    require_format(out)
    found = system_status(Settings.load())
    table = Table(box=None, header_style="dim", pad_edge=False)
    for title in ("part", "state", "detail"):
        table.add_column(title)
    rows = [{"part": part.name, "ok": part.ok, "detail": part.detail} for part in found]
    for part in found:
        table.add_row(part.name, Text("up", style="green") if part.ok else Text("down", style="red"), part.detail)
    ok = all(part.ok for part in found)
    show({"ok": ok, "parts": rows}, rows, table, as_json=as_json, out=out)
    if not ok:
        raise typer.Exit(3)


def doctor(as_json: AsJson = False, out: Out = None) -> None:
    """Look for what could stop this machine from working, and say how to repair it."""
    from data.settings import Settings
    from serve_app.doctor import examine

    require_format(out)
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
    show({"ok": ok, "checks": rows}, rows, table, as_json=as_json, out=out)
    if not ok:
        raise typer.Exit(1)


@admin.command("rebuild")
def rebuild(as_json: AsJson = False, out: Out = None) -> None:
    """Rebuild the signal and vote tables from the events."""
    import asyncio

    from data.settings import Settings
    from data.store.stores import open_stores
    from serve_app.services import open_services

    require_format(out)
    settings = Settings.load()

    async def run(url: str) -> int:
        async with open_stores(settings.postgres, url) as stores:
            return await stores.signals.rebuild()

    with open_services(settings, ray=False, say=say) as services:
        rebuilt = asyncio.run(run(services.postgres_url))
    document = {"rebuilt": rebuilt}
    show(document, [document], Text(f"{rebuilt} signals rebuilt from their events"), as_json=as_json, out=out)


def _detach(source: str) -> tuple[int, Path]:
    """Run `up` in a session of its own, and wait until it is ready. Returns its process id and the file it logs to."""
    from data.home import Home
    from data.settings import Settings

    home = Home(Settings.load().home)
    home.prepare()
    log = home.logs / "up.log"
    with open(
        log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)
    ) as output:  # may hold the first password
        begin = output.tell()
        child = subprocess.Popen(
            [sys.executable, "-m", "serve_app.cli", "up", "--source", source],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    from serve_app.services import find_running  # here, because it takes a while and the child has begun

    ends = time.monotonic() + _DETACH_S
    while time.monotonic() < ends:
        running = find_running(home)
        if running is not None and running.pid == child.pid:
            return child.pid, log
        if child.poll() is not None:
            said = log.read_bytes()[begin:].decode(errors="replace").strip().splitlines() or ["it said nothing"]
            reason = said[-1].removeprefix("goldensignals: ")
            kinds = {kind.exit_code: kind for kind in (InvalidInput, TemporarilyUnavailable)}
            raise kinds.get(child.returncode, GoldenSignalsError)(reason)
        time.sleep(_POLL_S)
    child.terminate()
    raise TemporarilyUnavailable(f"it was not ready within {_DETACH_S:g} s and is being stopped; read {log}")
