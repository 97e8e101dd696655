"""Compiles every kernel once per node, before the first request: N cold actors would each compile the same set."""

import fcntl
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import IO

import agents.kernels
from agents.indicators import warm
from data.contracts.errors import GoldenSignalsError, TemporarilyUnavailable

_COMPILE_S = 600.0


def warm_node() -> None:
    """Fill Numba's cache: the first process of a node compiles every kernel while the others wait for it."""
    this = _edition()
    path = Path(tempfile.gettempdir()) / f"goldensignals-{os.getuid()}-warm"
    with open(path, "a+", opener=_ours) as done:
        if _read(done) == this:
            return
        fcntl.flock(done, fcntl.LOCK_EX)
        if _read(done) != this:  # nobody else has compiled while we waited
            warm()
            done.truncate(0)
            done.write(this)


class Warming:
    """Warms this node in a process of its own, beside other work."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "cluster.warm"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    def wait(self) -> None:
        """Until it is done. Raises GoldenSignalsError when it failed, TemporarilyUnavailable when it takes too long."""
        try:
            code = self._child.wait(_COMPILE_S)
        except subprocess.TimeoutExpired:
            raise TemporarilyUnavailable(
                f"the kernels were not compiled within {_COMPILE_S:g} s; start again"
            ) from None
        if code != 0:
            raise GoldenSignalsError(f"the kernels could not be compiled (exit code {code}); run: goldensignals doctor")

    def stop(self) -> None:
        """End it; harmless when it is done."""
        self._child.kill()
        self._child.wait()


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _ours(path: str, flags: int) -> int:
    """Open a file of a folder that others write to, unless somebody else put it or a link there."""
    file = os.open(path, flags | os.O_NOFOLLOW, 0o600)
    if os.fstat(file).st_uid != os.getuid():
        os.close(file)
        raise GoldenSignalsError(f"{path} belongs to somebody else; remove it")
    return file


def _edition() -> str:
    """What a compiled kernel depends on: its source as installed here, Numba, and the machine."""
    sources = sorted(Path(agents.kernels.__path__[0]).glob("*.py"))
    facts = [f"{file}:{file.stat().st_mtime_ns}" for file in sources]
    facts += [version("numba"), platform.machine(), os.environ.get("NUMBA_CACHE_DIR", "")]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


if __name__ == "__main__":
    warm_node()
