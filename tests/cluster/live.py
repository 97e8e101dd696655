"""The live side of an installation for tests: its API by plain HTTP, and clients of its stream that count."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.cluster.installation import Installation, eventually

_COUNTER = Path(__file__).parents[1] / "count_stream.py"
_ASK_S = 20.0
_FOUND_S = 120.0


@dataclass(frozen=True)
class Admin:
    """The first account of an installation."""

    password: str
    name: str = "admin"


def admin_of(installation: Installation) -> Admin:
    """The admin of a system that was started with `up --detach`: its password stands in the log, once."""
    found = re.findall(r"admin password: (\S+)", (installation.home / "logs" / "up.log").read_text())
    assert len(found) == 1
    return Admin(found[0])


class Api:
    """One process's HTTP side, logged in as somebody."""

    def __init__(self, port: int, admin: Admin) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._client = httpx.Client(base_url=self.url, timeout=_ASK_S)
        try:
            answer = self._client.post("/v1/auth/token", data={"username": admin.name, "password": admin.password})
            assert answer.status_code == 200, answer.text
        except BaseException:
            self._client.close()
            raise
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON of a route that must answer."""
        answer = self._client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def raw(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any answer."""
        return self._client.request(method, path, **options)

    def close(self) -> None:
        """Give up the connections."""
        self._client.close()


class Listener:
    """The independent counting client, in a process of its own."""

    def __init__(self, installation: Installation, admin: Admin, out: Path, room: str = "signals") -> None:
        self._out = out
        api, gateway = (f"http://127.0.0.1:{port}" for port in (installation.port, installation.gateway_port))
        self._process = subprocess.Popen(
            [sys.executable, str(_COUNTER), api, gateway, admin.name, str(out), room], stdin=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None
        self._process.stdin.write(f"{admin.password}\n")
        self._process.stdin.close()
        eventually("a subscription", lambda: out.exists() and self.seen["ready"], within_s=60)

    @property
    def seen(self) -> dict[str, Any]:
        """What it has counted until now."""
        found: dict[str, Any] = json.loads(self._out.read_text())
        return found

    def stop(self) -> dict[str, Any]:
        """Its last count."""
        self._process.terminate()
        self._process.wait(20)
        return self.seen


def child(replay: Installation, module: str) -> psutil.Process:
    """A Python process of the system by the module it runs."""
    return eventually(
        module, lambda: next((p for p in replay.processes() if module in p.cmdline()), None), within_s=_FOUND_S
    )


def named(replay: Installation, name: str) -> psutil.Process:
    """A process of Ray by the name it gives itself."""
    return eventually(
        name,
        lambda: next((p for p in replay.processes() if p.cmdline() and p.cmdline()[0].startswith(name)), None),
        within_s=_FOUND_S,
    )


VICTIMS: dict[str, Callable[[Installation], psutil.Process]] = {
    "relay": lambda r: child(r, "serve_app.relay"),
    "gateway": lambda r: child(r, "serve_app.gateway"),
    "Redis": lambda r: psutil.Process(eventually("Redis", lambda: r.server("redis-server")).pid),
    "PostgreSQL": lambda r: psutil.Process(eventually("PostgreSQL", lambda: r.server("postgres")).pid),
    "API replica": lambda r: named(r, "ray::ServeReplica:goldensignals:api"),
    "orchestrator": lambda r: named(r, "ray::ServeReplica:goldensignals:orchestrator"),
    "Serve proxy": lambda r: named(r, "ray::HAProxyManager"),
    "Serve controller": lambda r: named(r, "ray::ServeController"),
}
