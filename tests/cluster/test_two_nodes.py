"""More than one node: agents are spread over them, and losing a node loses no vote."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from data.home import Home

_SCRIPT = Path(__file__).with_name("two_nodes.py")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the script saw on its cluster."""
    home = tmp_path_factory.mktemp("nodes")
    result = home / "seen.json"
    own = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    scratch = Home(home).scratch
    own["RAY_TMPDIR"] = str(scratch)  # the cluster notes its address in a file there, in a folder that must exist
    command = [sys.executable, str(_SCRIPT), str(home), str(result)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, env=own)
    shutil.rmtree(scratch, ignore_errors=True)
    assert done.returncode == 0, done.stderr
    return json.loads(result.read_text())


def test_actors_of_every_agent_are_spread_over_both_nodes(seen: Any) -> None:
    assert [len(set(nodes)) for nodes in seen["nodes_before"].values()] == [2, 2]


def test_votes_of_two_nodes_have_the_bits_of_one_process(seen: Any) -> None:
    assert seen["same_bits"]


def test_votes_are_complete_and_the_same_after_a_node_is_lost(seen: Any) -> None:
    assert seen["same_bits_after_loss"]
    left = {node for nodes in seen["nodes_after"].values() for node in nodes}
    assert len(left) == 1
    assert left < {node for nodes in seen["nodes_before"].values() for node in nodes}


def test_joining_a_cluster_leaves_sigterm_to_the_process_that_joins(seen: Any) -> None:
    """Ray's own handler ended `up` on a given cluster before it had ended its agents there."""
    assert seen["keeps_sigterm"]
