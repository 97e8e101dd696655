"""An address is tried before Ray is, and what Ray reads from the environment is set with care."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.connect import join, prepare_environment, require_reachable
from data.contracts.errors import InvalidInput, TemporarilyUnavailable


@pytest.fixture
def environ() -> Iterator[dict[str, str]]:
    before = dict(os.environ)
    yield before
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize("address", ["nonsense", "", "auto", "ray://127.0.0.1:10001", "127.0.0.1:", ":6379", "a b:1"])
def test_what_is_no_address_is_refused_with_an_example(address: str) -> None:
    with pytest.raises(InvalidInput, match="write host:port"):
        join(address)


def test_a_cluster_that_is_not_there_is_unavailable_at_once() -> None:
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(TemporarilyUnavailable, match=f"127.0.0.1:{port} does not answer.*GS_RAY__ADDRESS"):
            join(f"127.0.0.1:{port}")


def test_somebody_who_listens_is_reachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        require_reachable(f"127.0.0.1:{server.getsockname()[1]}")


def test_a_port_that_cannot_be_is_unavailable_and_no_traceback() -> None:
    with pytest.raises(TemporarilyUnavailable, match="does not answer"):
        require_reachable("127.0.0.1:99999")


def test_ray_is_told_to_ask_for_the_token(environ: dict[str, str], tmp_path: Path) -> None:
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        os.environ.pop(name, None)
    os.environ["RAY_AUTH_MODE"] = "disabled"
    prepare_environment(tmp_path / "token", local=True)
    assert os.environ["RAY_AUTH_MODE"] == "token"
    assert os.environ["RAY_AUTH_TOKEN_PATH"] == str(tmp_path / "token")
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    assert os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] == "0"


def test_a_token_given_by_the_operator_is_kept(environ: dict[str, str], tmp_path: Path) -> None:
    os.environ.pop("RAY_AUTH_TOKEN_PATH", None)
    os.environ["RAY_AUTH_TOKEN"] = "from the operator"
    prepare_environment(tmp_path / "token", local=False)
    assert "RAY_AUTH_TOKEN_PATH" not in os.environ


def test_preparing_does_not_import_ray(tmp_path: Path) -> None:
    """Ray reads the environment when it is first imported: after that, preparing would change nothing."""
    code = (
        "import sys; from pathlib import Path; from cluster.connect import prepare_environment; "
        f"prepare_environment(Path({str(tmp_path)!r}), local=True); print('ray' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
