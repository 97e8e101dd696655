"""The Python processes of a system besides Ray: started as direct children, watched by their heartbeat, ended in order.

A child proves that it works by touching `HOME/run/<name>.alive`: a process that hangs or is frozen is found by the
age of that file and replaced, as one that died is.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import IO

from data.contracts.errors import GoldenSignalsError, TemporarilyUnavailable
from data.embedded.process import spawn, stop
from data.home import Home

_POLL_S = 0.05
_LOG_BYTES = 8 * 1024**2


class Heartbeat:
    """The sign of life of one process of a home; cheap enough to give every second."""

    def __init__(self, home: Home, name: str) -> None:
        self.file = home.run / f"{name}.alive"

    def beat(self) -> None:
        """Say that the caller works now."""
        self.file.touch()

    def age_s(self) -> float | None:
        """Seconds since the last beat; None before the first."""
        try:
            return max(0.0, time.time() - self.file.stat().st_mtime)
        except FileNotFoundError:
            return None

    def forget(self) -> None:
        """As if there had been no beat."""
        self.file.unlink(missing_ok=True)


class Child:
    """One module run as `python -m MODULE`, with this process's environment.

    ready_s:  how long the first beat may take. silent_s: age of the last beat from which it counts as hung.
    stop_s:   how long it may take to end in order.
    own_log:  whether it writes to HOME/logs/<name>.log, or where this process writes.
    """

    def __init__(
        self,
        home: Home,
        name: str,
        module: str,
        *words: str,
        ready_s: float,
        silent_s: float = 10.0,
        stop_s: float = 15.0,
        own_log: bool = True,
    ) -> None:
        self.name = name
        self._module, self._words = module, list(words)
        self._log_file = home.logs / f"{name}.log"
        self._folder = Path.cwd()
        self._ready_s, self._silent_s, self._stop_s, self._own_log = ready_s, silent_s, stop_s, own_log
        self._heartbeat = Heartbeat(home, name)
        self._child: subprocess.Popen[bytes] | None = None
        self._given_up = threading.Event()

    @property
    def pid(self) -> int | None:
        """Its process while it lives."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def is_alive(self) -> bool:
        """Whether it runs and has given a sign of life lately."""
        age = self._heartbeat.age_s()
        return self.pid is not None and age is not None and age < self._silent_s

    def begin(self, *more: str) -> None:
        """Start it without waiting; a process that hangs is killed first."""
        self.kill()
        self._heartbeat.forget()
        command: Sequence[str | Path] = [sys.executable, "-m", self._module, *self._words, *more]
        try:
            with self._open_log() as log:
                self._child = spawn(
                    command,
                    folder=self._folder,
                    log=log,
                    death_signal=signal.SIGTERM,
                    user=None,
                    environment=os.environ,
                )
        except OSError as problem:
            raise TemporarilyUnavailable(
                f"the {self.name} cannot be started: {problem.strerror or problem}"
            ) from problem

    def wait(self) -> None:
        """Until its first beat.

        Raises GoldenSignalsError when it ended instead (one that writes where we write has told the reason itself, and
        its exit code is in `facts["code"]`), TemporarilyUnavailable when it takes too long.
        """
        ends = time.monotonic() + self._ready_s
        while self._heartbeat.age_s() is None:
            if self._child is None or self._child.poll() is not None:
                said = {} if self._own_log or self._child is None else {"code": self._child.returncode}
                raise GoldenSignalsError(f"the {self.name} did not start{self._last_words()}", **said)
            if self._given_up.is_set():
                raise TemporarilyUnavailable(f"the start of the {self.name} was given up")
            if time.monotonic() > ends:
                raise TemporarilyUnavailable(
                    f"the {self.name} was not ready within {self._ready_s:g} s{self._last_words()}"
                )
            time.sleep(_POLL_S)

    def start(self) -> None:
        """Start it and wait until it works."""
        self.begin()
        self.wait()

    def give_up(self) -> None:
        """Let a start that is under way in another thread end now, and none begin."""
        self._given_up.set()

    def stop(self) -> None:
        """End it in order, or hard when it does not; harmless when it does not run."""
        if self._child is not None:
            if self.pid is not None:
                with suppress(ProcessLookupError):
                    self._child.send_signal(signal.SIGCONT)  # a frozen process would not hear the next one
            stop(self._child, ((signal.SIGTERM, self._stop_s),))
            self._child = None
        self._heartbeat.forget()

    def kill(self) -> None:
        """End it at once."""
        if self._child is not None:
            stop(self._child, ())
            self._child = None

    def _open_log(self) -> AbstractContextManager[IO[bytes] | None]:
        if not self._own_log:
            return nullcontext()
        if self._log_file.exists() and self._log_file.stat().st_size > _LOG_BYTES:
            self._log_file.replace(self._log_file.with_suffix(".log.1"))
        return open(self._log_file, "ab", opener=lambda path, flags: os.open(path, flags, 0o600))

    def _last_words(self) -> str:
        if not self._own_log:
            return ""
        text = self._log_file.read_text(errors="replace") if self._log_file.exists() else ""
        lines = [line for line in text.splitlines() if line.strip()]
        return f": {lines[-1]}" if lines else f"; its log is {self._log_file}"
