"""What both embedded servers share: one owner at a time, a start that explains its failures, a clean stop.

A start never deletes data. It takes the lock `HOME/run/<name>.lock` for the life of the server, ends a leftover of a
killed parent, starts the server as a direct child and waits until it answers.
"""

import errno
import pwd
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import IO, ClassVar

from data.contracts.errors import GoldenSignalsError, TemporarilyUnavailable
from data.embedded.process import spawn, stop, stop_leftovers
from data.home import Home, Lock

_POLL_S = 0.01
_LOG_BYTES = 8 * 1024**2
_DISK_FULL = ("No space left on device", "Disk quota exceeded")


class EmbeddedServer(ABC):
    """One server of one home. Sync; use it from the main thread of the process that supervises it.

    home:            the folder of the installation; data, log and password live in it, private to its user.
    start_timeout_s: how long a start may take, and how long a leftover is given to stop.
    min_free_bytes:  a start is refused when the disk has less.
    """

    name: ClassVar[str]
    executable: ClassVar[str]
    stop_signals: ClassVar[Sequence[tuple[signal.Signals, float]]]  # the first ends it in order

    def __init__(self, home: Path, *, start_timeout_s: float = 30.0, min_free_bytes: int = 200 * 1024**2) -> None:
        self.home = Home(home.absolute())
        self.data_folder = self.home.path / self.executable
        self.log_file = self.home.logs / f"{self.executable}.log"
        self._start_timeout_s = start_timeout_s
        self._min_free_bytes = min_free_bytes
        self._lock = Lock(self.home.run / f"{self.executable}.lock")
        self._locked = False
        self._child: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect, with the password: not for logs."""

    @property
    def pid(self) -> int | None:
        """The server's process while it lives."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def is_alive(self) -> bool:
        """Whether the server's process lives."""
        return self.pid is not None

    def start(self) -> str:
        """Start the server unless it lives, and return its URL when it answers.

        Raises: TemporarilyUnavailable when another process has it, a leftover does not stop, the disk is full or it
                does not answer in time; GoldenSignalsError when its data cannot be used. Data is left as it was.
        """
        if self.is_alive():
            return self.url
        try:
            self._start()
        except BaseException as problem:
            self.stop()
            if isinstance(problem, OSError):
                raise self._os_problem(problem) from problem
            raise
        return self.url

    def stop(self) -> None:
        """End the server in order and free the lock; harmless when it does not run."""
        if self._child is not None:
            stop(self._child, self.stop_signals)
            self._child = None
        if self._locked:
            self._lock.release()
            self._locked = False

    @abstractmethod
    def _prepare(self) -> Sequence[str | Path]:
        """Make the data folder ready and return the command that serves it."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether the server takes requests now."""

    @abstractmethod
    def _reason(self, lines: Sequence[str]) -> str:
        """The line of the log that says why it stopped."""

    def _user(self) -> pwd.struct_passwd | None:
        """Whom the server runs as; None: as ourselves."""
        return None

    def _advice(self) -> str:
        """What to do about a data folder that the server refuses."""
        return f"If it is damaged, move it away (mv {self.data_folder} {self.data_folder}.damaged)"

    def _start(self) -> None:
        self.home.prepare()
        if not self._locked:
            self._lock.acquire(self.executable)
            self._locked = True
        stop_leftovers(self.data_folder, self.executable, self.stop_signals[0][0], self._start_timeout_s)
        free = shutil.disk_usage(self.home.path).free
        if free < self._min_free_bytes:
            raise self._disk_full(f"{free / 1024**2:.0f} MiB are free")
        command = self._prepare()
        with self._open_log() as log:
            begin = log.tell()
            self._child = spawn(
                command, folder=self.data_folder, log=log, death_signal=self.stop_signals[0][0], user=self._user()
            )
        deadline = time.monotonic() + self._start_timeout_s
        while not self._answers():
            if not self.is_alive():
                raise self._failure(self._log_since(begin))
            if time.monotonic() > deadline:
                last = (self._log_since(begin) or ["nothing was logged"])[-1]
                raise TemporarilyUnavailable(
                    f"{self.name} did not answer within {self._start_timeout_s:g} s (its last words: {last}); "
                    f"start again, or read {self.log_file}"
                )
            time.sleep(_POLL_S)

    def _open_log(self) -> IO[bytes]:
        if self.log_file.exists() and self.log_file.stat().st_size > _LOG_BYTES:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        log = self.log_file.open("ab")
        self.log_file.chmod(0o600)
        return log

    def _log_since(self, begin: int) -> list[str]:
        with self.log_file.open("rb") as log:
            log.seek(begin)
            return [line for line in log.read().decode(errors="replace").splitlines() if line.strip()]

    def _failure(self, lines: Sequence[str]) -> GoldenSignalsError:
        if any(word in line for line in lines for word in _DISK_FULL):
            return self._disk_full("none is left")
        reason = self._reason(lines) if lines else "it said nothing"
        return GoldenSignalsError(
            f"{self.name} cannot use {self.data_folder}: {reason}. Nothing was deleted. {self._advice()}; "
            f"its log is {self.log_file}",
            folder=str(self.data_folder),
        )

    def _disk_full(self, state: str) -> TemporarilyUnavailable:
        return TemporarilyUnavailable(
            f"{self.name} needs {self._min_free_bytes / 1024**2:.0f} MiB of free space on the disk of "
            f"{self.home.path}, {state}; free some, or point GS_HOME at another disk",
            folder=str(self.home.path),
        )

    def _os_problem(self, problem: OSError) -> GoldenSignalsError:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            return self._disk_full("none is left")
        return GoldenSignalsError(
            f"{self.name} cannot be started: {problem.strerror or problem} ({problem.filename or self.home.path}); "
            "check that this user owns the folder, or point GS_HOME at another one"
        )
