"""Compiles the agents' kernels once per node, before the first request: N cold actors would each compile the same set.

Kernels of other indicators are compiled when they are first asked for, and kept as well.
"""

import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

import numpy as np

from agents.kernels.compiling import CACHE, EDITION
from agents.registry import roster
from data.contracts.errors import GoldenSignalsError, TemporarilyUnavailable
from data.contracts.panel import Panel

_COMPILE_S = 600.0
THREE_BARS = Panel(
    symbols=("WARM",),
    offsets=np.array([0, 3]),
    ts=np.arange(3) * 86_400_000_000,
    open=np.ones(3),
    high=np.ones(3),
    low=np.ones(3),
    close=np.ones(3),
    volume=np.ones(3),
    gap=np.zeros(3, np.bool_),
)


def warm_node() -> None:
    """Fill Numba's cache: the first process of a node compiles what the agents use while the others wait for it."""
    this = f"{EDITION} {CACHE}"
    path = Path(tempfile.gettempdir()) / f"goldensignals-{os.getuid()}-warm"
    with open(path, "a+", opener=_ours) as done:
        if _read(done) == this:
            return
        fcntl.flock(done, fcntl.LOCK_EX)
        if _read(done) != this:  # nobody else has compiled while we waited
            for agent in roster():
                agent.evaluate(THREE_BARS)
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


if __name__ == "__main__":
    warm_node()
