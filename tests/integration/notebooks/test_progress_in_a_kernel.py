"""In a notebook the progress line is one output of the cell, written over, and nothing of it is left."""

from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

# Work that ends when the line has been seen to move twice; a thread reports, as a sweep does.
CELL = """
import threading
from serve_app import progress

progress.SLOW_S = progress._EVERY_S = 0.01
drawn, draw = [], progress._Notebook.draw

def noted(self, text, share):
    draw(self, text, share)
    drawn.append(text)
    enough.set() if len(drawn) >= 3 else None

progress._Notebook.draw = noted
enough = threading.Event()
with progress.shown("sweep sma_cross", "sets") as report:
    worker = threading.Thread(target=report, args=(300, 1515))
    worker.start()
    worker.join()
    assert enough.wait(20)
"""


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the kernel published for the cell, in order."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    manager = KernelManager(kernel_name="python3", transport="ipc", ip=str(tmp_path / "kernel"))
    manager.start_kernel()
    client = manager.blocking_client()
    published: list[dict[str, Any]] = []
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        reply = client.execute_interactive(CELL, output_hook=published.append, timeout=60)
        assert reply["content"]["status"] == "ok", reply["content"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return [one for one in published if one["msg_type"] not in ("status", "execute_input")]


def test_one_output_is_written_over_and_ends_empty(outputs: list[dict[str, Any]]) -> None:
    assert {one["msg_type"] for one in outputs} == {"display_data", "update_display_data"}  # no warning, no stream
    assert [one["msg_type"] for one in outputs].count("display_data") == 1
    assert len({one["content"]["transient"]["display_id"] for one in outputs}) == 1
    assert len({one["parent_header"]["msg_id"] for one in outputs}) == 1  # all belong to the cell
    texts = [one["content"]["data"]["text/plain"] for one in outputs]
    assert "sweep sma_cross: 300 of 1,515 sets" in texts
    assert texts[-1] == ""
    assert '<progress value="0.198"' in outputs[-2]["content"]["data"]["text/html"]
    assert outputs[-1]["content"]["data"]["text/html"] == ""
