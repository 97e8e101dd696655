"""Where one installation keeps its files: `GS_HOME`, and a short scratch folder for sockets.

Unix socket paths end at 107 bytes, so sockets live in a folder of the temporary directory whose name is
derived from the home; it is private to the user and holds nothing that must last.
"""

import fcntl
import hashlib
import json
import os
import secrets
import stat
from pathlib import Path
from typing import IO

from data.contracts.errors import GoldenSignalsError, TemporarilyUnavailable

RAY_TOKEN = "ray_token"  # noqa: S105  the name of a secret: what every Ray process of an installation shares
JWT_SECRET = "jwt"  # noqa: S105  the name of a secret: what signs access tokens


class Home:
    """The folders of one installation. `prepare` makes them; nothing else does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.secrets = path / "secrets"
        self.run = path / "run"
        self.logs = path / "logs"
        self.scratch = Path("/tmp") / f"gs-{os.getuid()}-{hashlib.sha256(str(path).encode()).hexdigest()[:10]}"  # noqa: S108  private, see prepare

    def prepare(self) -> None:
        """Make the folders, private to this user. Raises GoldenSignalsError when that is not possible."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for folder in (self.secrets, self.run, self.logs, self.scratch):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as problem:
            raise GoldenSignalsError(
                f"cannot make {problem.filename or self.path}: {problem.strerror}; "
                "point GS_HOME at a folder that can be written"
            ) from problem
        found = self.scratch.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise GoldenSignalsError(f"{self.scratch} belongs to somebody else; remove it or use another GS_HOME")
        self.scratch.chmod(0o700)

    def secret(self, name: str) -> str:
        """A random text of 64 hex digits, made at first use and kept in a file only this user can read."""
        file = self.secrets / name
        draft = self.secrets / f".{name}.{os.getpid()}"
        if not file.exists():
            with open(draft, "x", opener=_private) as out:
                out.write(secrets.token_hex(32))
            try:
                os.link(draft, file)  # whoever links first wins; a half-written secret is never seen
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return file.read_text().strip()


class Lock:
    """An exclusive lock on a file, freed by the kernel when its process ends, however it ends.

    Who holds it is written into the file, for messages.
    """

    def __init__(self, file: Path) -> None:
        self._path = file
        self._file: IO[str] | None = None

    def acquire(self, role: str) -> None:
        """Take the lock. Raises TemporarilyUnavailable naming the process that has it."""
        file = self._path.open("a+")
        os.fchmod(file.fileno(), 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise TemporarilyUnavailable(f"{self._path} is held by {self.holder()}") from None
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "role": role}))
        file.flush()
        self._file = file

    @property
    def is_ours(self) -> bool:
        """Whether this object has the lock."""
        return self._file is not None

    def is_held(self) -> bool:
        """Whether some process, perhaps this one, has the lock now."""
        try:
            with self._path.open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except BlockingIOError:
            return True
        return False

    def holder(self) -> dict[str, object]:
        """What the present or last holder wrote: pid and role; empty when nobody ever held it."""
        try:
            found = json.loads(self._path.read_text() or "{}")
        except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
            return {}
        return found if isinstance(found, dict) else {}

    def release(self) -> None:
        """Free the lock; harmless when it is not held."""
        if self._file is not None:
            self._file.truncate(0)  # nobody shall be told of a holder that has gone
            self._file.close()
            self._file = None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
