"""One installation of GoldenSignals for tests: a home and a port of its own, driven through the command line only."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, LiteralString, TypeVar

import psutil
import psycopg

from data.embedded.postgres import EmbeddedPostgres
from data.home import Home

_COUNTER = Path(__file__).parents[1] / "count_signals.py"
_POLL_S = 0.02
T = TypeVar("T")


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Its stdout as JSON."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def sentence(self) -> str:
        """The last line of stderr: what a failed command says."""
        return (self.err.strip().splitlines() or [""])[-1]


class Command:
    """A command that runs; its output goes to files, so it never waits for a reader."""

    def __init__(self, words: list[str], environment: dict[str, str], folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        stem = folder / f"{time.monotonic_ns()}"
        self._out, self._err = stem.with_suffix(".out"), stem.with_suffix(".err")
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=folder,
                env=environment,
                start_new_session=True,  # a process group of its own, as a shell gives it
            )

    def interrupt(self) -> None:
        """Ctrl-C: the signal goes to every process of the group."""
        os.killpg(self.process.pid, signal.SIGINT)

    @property
    def said(self) -> str:
        """What it has written to stderr until now."""
        return self._err.read_text()

    def wait(self, within_s: float = 200.0) -> Ended:
        """Its end; it is killed and the test fails when that takes longer."""
        try:
            code = self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"not over after {within_s} s: {self.said}") from None
        return Ended(code, self._out.read_text(), self.said)


class Installation:
    """Everything of one `GS_HOME`; `close` ends what still runs of it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.home = folder / "home"
        self.port, self.gateway_port = free_port(), free_port()
        self._settings = settings
        self._commands: list[Command] = []

    def start(self, *words: str, **settings: str) -> Command:
        """Start a command of the CLI; settings are `GS_` variables without the prefix."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("GS_", "RAY_"))}
        chosen = (
            {
                "HOME": str(self.home),
                "API__PORT": str(self.port),
                "GATEWAY__PORT": str(self.gateway_port),
            }
            | self._settings
            | settings
        )
        environment = inherited | {f"GS_{name}": value for name, value in chosen.items()}
        command = Command([sys.executable, "-m", "serve_app.cli", *words], environment, self.folder / "commands")
        self._commands.append(command)
        return command

    def run(self, *words: str, **settings: str) -> Ended:
        """Run a command of the CLI to its end."""
        return self.start(*words, **settings).wait()

    def ok(self, *words: str, **settings: str) -> Ended:
        """Run a command that must succeed."""
        ended = self.run(*words, **settings)
        assert ended.code == 0, ended.err
        return ended

    def parts(self) -> dict[str, dict[str, Any]]:
        """What `status` says, by part."""
        return {part["part"]: part for part in self.run("status", "--json").document["parts"]}

    def agent_pids(self, agent: str) -> list[int]:
        """The processes of an agent's pool."""
        part = self.parts()[f"agent {agent}"]
        assert part["ok"], part
        return [int(pid) for pid in part["detail"].rpartition("processes ")[2].split(", ")]

    @property
    def up_pid(self) -> int:
        """The process of `goldensignals up`."""
        return int(json.loads((self.home / "run" / "up.json").read_text())["pid"])

    @property
    def database_url(self) -> str:
        """Its embedded PostgreSQL."""
        return EmbeddedPostgres(self.home).url

    def rows(self, query: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """Rows of its database."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query, values).fetchall()

    def server(self, name: Literal["postgres", "redis-server"]) -> psutil.Process | None:
        """The main process of an embedded server; None while there is none."""
        return _main_process(self.processes(), name)

    def counted(self, *, agents: int | None = None) -> dict[str, Any]:
        """The independent count of what is stored; fails on any discrepancy."""
        ended = count_signals(self.database_url, agents=agents)
        assert ended.code == 0, ended.out + ended.err
        return ended.document

    def processes(self) -> list[psutil.Process]:
        """Every living process of this home, by its environment, working folder or command line."""
        scratch = Home(self.home).scratch
        places = (str(self.home), str(scratch))
        found = []
        for process in psutil.process_iter():
            try:
                if process.status() == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
                    continue
                belongs = process.environ().get("GS_HOME") == str(self.home) or process.cwd().startswith(places)
                if belongs or any(place in word for word in process.cmdline() for place in places):
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue  # gone, or another user's
        return found

    def process_names(self) -> list[str]:
        """What these processes call themselves."""
        found = []
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                found += process.cmdline()[:1]
        return found

    def stop(self) -> None:
        """End whatever runs of it; harmless when nothing does."""
        for process in self.processes():
            send(process.pid, signal.SIGCONT)
        if self.processes():
            self.run("down")
        for process in self.processes():
            send(process.pid, signal.SIGKILL)
        for command in self._commands:
            command.process.wait()
        eventually("no process of the home", lambda: not self.processes())

    def close(self) -> None:
        """Stop it and remove its sockets."""
        self.stop()
        scratch = Home(self.home).scratch
        for folder in (scratch, scratch.with_name(f"{scratch.name}-pg")):
            shutil.rmtree(folder, ignore_errors=True)


def count_signals(database_url: str, *, agents: int | None) -> Ended:
    """Run the independent counting script."""
    words = [sys.executable, str(_COUNTER), database_url] + ([] if agents is None else ["--agents", str(agents)])
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


def eventually(what: str, look: Callable[[], T | Literal[False] | None], *, within_s: float = 30.0) -> T:
    """What `look` answers, once that is neither None nor false; fails when it takes longer than the deadline."""
    ends = time.monotonic() + within_s
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        assert time.monotonic() < ends, f"within {within_s} s there was not: {what}"
        time.sleep(_POLL_S)


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process; harmless when it is gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


@contextmanager
def frozen(*pids: int) -> Iterator[None]:
    """Processes that neither run nor answer meanwhile."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            send(pid, signal.SIGCONT)


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _main_process(processes: Sequence[psutil.Process], name: str) -> psutil.Process | None:
    """The one of that name whose parent has another name."""
    named = {}
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.name() == name:
                named[process.pid] = process.ppid()
    return next((psutil.Process(pid) for pid, parent in named.items() if parent not in named), None)
