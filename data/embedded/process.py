"""Starting servers so that none outlives its parent for long, and finding the ones that did."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

from data.contracts.errors import GoldenSignalsError, TemporarilyUnavailable

_PR_SET_PDEATHSIG = 1
_POLL_S = 0.02
_ENVIRONMENT: Mapping[str, str] = {"LC_ALL": "C", "PATH": os.defpath}  # no PG* or locale of the user leaks in


def spawn(
    command: Sequence[str | Path],
    *,
    folder: Path,
    log: IO[bytes] | None,
    death_signal: signal.Signals,
    user: pwd.struct_passwd | None,
    environment: Mapping[str, str] = _ENVIRONMENT,
) -> subprocess.Popen[bytes]:
    """Start a server as a direct child, in its own session so that Ctrl-C at a terminal does not reach it.

    On Linux the kernel sends `death_signal` when the thread that called this ends (call it from the main thread):
    after `kill -9` of the parent the server still shuts down in order. log: where it writes; None: where we write.
    """
    return subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log and subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_die_with_parent(death_signal),  # noqa: PLW1509  it only makes two system calls
        user=None if user is None else user.pw_uid,
        group=None if user is None else user.pw_gid,
        extra_groups=None if user is None else (),
    )


def run_tool(
    command: Sequence[str | Path], *, folder: Path, user: pwd.struct_passwd | None, stdin: str = "", timeout_s: float
) -> None:
    """Run a server's own tool to its end. Raises GoldenSignalsError with what it printed when it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=dict(_ENVIRONMENT),
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            start_new_session=True,
            check=False,
            user=None if user is None else user.pw_uid,
            group=None if user is None else user.pw_gid,
            extra_groups=None if user is None else (),
        )
    except subprocess.TimeoutExpired:
        raise TemporarilyUnavailable(f"{Path(command[0]).name} did not end within {timeout_s:g} s; try again") from None
    if done.returncode != 0:
        raise GoldenSignalsError(done.stderr.strip() or f"{Path(command[0]).name} ended with code {done.returncode}")


def unprivileged_user(name: str) -> pwd.struct_passwd | None:
    """A system user for a server that refuses to be root, made when missing; None when we are not root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(name)
    except KeyError:
        pass
    try:
        subprocess.run(["useradd", "--system", "--no-create-home", name], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        raise GoldenSignalsError(
            f"PostgreSQL does not run as root and the system user {name!r} could not be made; "
            f"start this program as an ordinary user, or run: useradd --system {name}"
        ) from problem
    return pwd.getpwnam(name)


def let_pass(folder: Path) -> None:
    """Allow other users to pass through (not to list) the folders above one that belongs to `unprivileged_user`."""
    for above in folder.parents:
        mode = above.stat().st_mode
        if not mode & 0o001:
            above.chmod(mode | 0o001)


def servers_in(folder: Path, executable: str) -> list[psutil.Process]:
    """Processes of that name that work in that folder: both servers change to their data folder at start."""
    home, found = str(folder.resolve()), []
    for process in psutil.process_iter():
        try:
            if process.name() == executable and process.cwd() == home:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # gone, or another user's: not ours
    return found


def stop_leftovers(folder: Path, executable: str, stop_signal: signal.Signals, timeout_s: float) -> None:
    """Ask servers that a killed parent left on this folder to stop, and wait for them.

    Raises TemporarilyUnavailable naming the process that is still there after `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    asked: set[int] = set()
    while found := servers_in(folder, executable):
        pids = {process.pid for process in found}
        if time.monotonic() > deadline:
            raise TemporarilyUnavailable(
                f"{executable} (process {min(pids)}) still runs on {folder} and does not stop; "
                f"end it with: kill -{stop_signal.name.removeprefix('SIG')} {min(pids)}",
                pids=sorted(pids),
            )
        for process in found:
            if process.pid not in asked:
                asked.add(process.pid)
                _ask(process, pids, stop_signal)
        time.sleep(_POLL_S)


def stop(child: subprocess.Popen[bytes], signals: Sequence[tuple[signal.Signals, float]]) -> None:
    """End our own child: each signal in turn with the seconds it is given, then SIGKILL."""
    for number, seconds in signals:
        if child.poll() is not None:
            return
        child.send_signal(number)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    if child.poll() is None:
        child.kill()
        child.wait()


def _ask(process: psutil.Process, pids: set[int], stop_signal: signal.Signals) -> None:
    try:
        if process.ppid() not in pids:  # a helper process ends with its server
            process.send_signal(stop_signal)
    except psutil.NoSuchProcess:
        return


def _die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None  # elsewhere the next start finds the leftover
    prctl, parent = ctypes.CDLL(None, use_errno=True).prctl, os.getpid()

    def arm() -> None:  # runs in the child after its user was set: a change of user clears the signal
        prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # the parent died in between: the signal would never come
            os._exit(1)

    return arm
