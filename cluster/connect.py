"""Connects this process to Ray: to a given cluster, or to a local one of its own on loopback.

The only place that calls `ray.init`. Authentication by token is always on, and a local cluster advertises
127.0.0.1, so that none of Ray's ports (each of which runs any code it is sent) is reachable from outside.
"""

import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data.contracts.errors import InvalidInput, TemporarilyUnavailable

NAMESPACE = "goldensignals"
# One Ray worker is one thread of work: pools of Numba and Polars would otherwise open all cores in each actor.
# Must stand in the environment before those libraries are imported, so workers inherit it from the raylet.
ONE_THREAD = dict.fromkeys(
    ("NUMBA_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)
_ADDRESS = re.compile(r"[^/\s]+:\d{1,5}")
_KNOCK_S = 5.0
# Dead nodes are noticed in 3 to 9 s instead of 15 to 66 s.
_HEALTH = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "3",
}


def prepare_environment(token: Path, *, local: bool) -> None:
    """Set what Ray reads when it is first imported; call it before the first `import ray`.

    token: the file with the cluster's secret, which must exist when Ray starts. local: this home has its own cluster.
    """
    os.environ["RAY_AUTH_MODE"] = "token"
    if "RAY_AUTH_TOKEN" not in os.environ:
        os.environ.setdefault("RAY_AUTH_TOKEN_PATH", str(token))
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if local:
        # Ray turns 127.0.0.1 back into an outside address unless it believes it cannot form a cluster.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        for name, value in _HEALTH.items():
            os.environ.setdefault(name, value)


def start_local(scratch: Path, *, object_store_mb: int, cpus: int | None = None) -> str:
    """Start a Ray cluster owned by this process and join it; returns its address.

    It ends with `disconnect()`, and Ray's reaper ends it when this process is killed.
    Raises TemporarilyUnavailable when Ray does not start.
    """
    import ray

    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        with _own_sigterm():
            context: Any = ray.init(
                address="local",
                namespace=NAMESPACE,
                num_cpus=cpus,
                object_store_memory=object_store_mb * 1024**2,
                include_dashboard=False,
                log_to_driver=False,
                configure_logging=False,
                _temp_dir=str(scratch),
            )
    except (RuntimeError, OSError, ConnectionError, TimeoutError) as problem:
        raise TemporarilyUnavailable(
            f"Ray did not start ({_first_line(problem)}); `goldensignals doctor` looks for the reason"
        ) from problem
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
    return str(context.address_info["gcs_address"])


def join(address: str) -> None:
    """Join a running cluster. Raises TemporarilyUnavailable when it does not answer, InvalidInput for no address."""
    require_reachable(address)
    import ray

    try:
        with _own_sigterm():
            ray.init(address=address, namespace=NAMESPACE, log_to_driver=False, configure_logging=False)
    except (ConnectionError, RuntimeError, TimeoutError) as problem:
        raise TemporarilyUnavailable(
            f"the Ray cluster at {address} does not answer ({_first_line(problem)}); "
            "is it running, and is its token the one in RAY_AUTH_TOKEN_PATH?"
        ) from problem


def require_reachable(address: str) -> None:
    """Raise unless something listens at host:port; Ray itself would knock for minutes.

    Raises InvalidInput for what is no address, TemporarilyUnavailable when nothing listens there.
    """
    if not _ADDRESS.fullmatch(address):
        raise InvalidInput(f"{address!r} is not the address of a Ray cluster; write host:port, such as 10.0.0.1:6379")
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_S).close()
    except (OSError, OverflowError) as problem:
        raise TemporarilyUnavailable(
            f"the Ray cluster at {address} does not answer ({_first_line(problem)}); start it, or leave "
            "GS_RAY__ADDRESS out to use a local one"
        ) from problem


def disconnect() -> None:
    """Leave Ray, and end the local cluster if this process started it."""
    import ray

    ray.shutdown()


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """Ray puts a handler of its own there, which ends the process before it can end what it has on a cluster."""
    on_term = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, on_term)


def _first_line(problem: BaseException) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0]
