"""Compiles kernels once per node, before the first request: N cold actors would each compile the same set.

Those of the agents, and for workers those of sweeps; all others are compiled when they are first asked for, and kept.
"""

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
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
    """Fill Numba's cache with what the agents use; the first process of a node compiles while the others wait."""

    def agents() -> None:
        for agent in roster():
            agent.evaluate(THREE_BARS)

    _once("agents", agents)


def warm_for_sweeps() -> None:
    """The same with what sweeps use: sets that are composed of segments, and sets that are walked bar by bar."""

    def sweeps() -> None:
        # imported here: an agent's actor needs none of it
        from agents.backtest.catalogue import builtin
        from agents.backtest.grid import Grid
        from agents.backtest.rules import Rules
        from agents.backtest.search import Search, try_sets
        from agents.expr import AgentVotes

        for strategy in (builtin("sma_cross"), builtin("vol_target")):
            search = Search(Grid(strategy, ()), THREE_BARS, "warm", Rules())
            try_sets(search.shared(AgentVotes(THREE_BARS)), search.grid.positions)

    _once("sweeps", sweeps)


def _once(name: str, compile_all: Callable[[], None]) -> None:
    this = f"{EDITION} {CACHE}"
    path = Path(tempfile.gettempdir()) / f"goldensignals-{os.getuid()}-warm-{name}"
    with open(path, "a+", opener=_ours) as done:
        if _read(done) == this:
            return
        fcntl.flock(done, fcntl.LOCK_EX)
        if _read(done) != this:  # nobody else has compiled while we waited
            compile_all()
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
