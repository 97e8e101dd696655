"""The line that says how far work is: after a second, where a person looks, and nothing is left of it."""

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from serve_app import progress
from serve_app.progress import shown

WORK = """
import time
from serve_app.progress import shown
with shown("sweep sma_cross", "sets") as report:
    report(0, 1515)
    time.sleep(0.6)
    report(300, 1515)
    time.sleep({rest})
print("end")
"""


def child(rest: float, stderr: int) -> subprocess.Popen[str]:
    environ = {**os.environ, "PYTHONPATH": str(Path(progress.__file__).parents[1]), "TERM": "xterm"}
    code = WORK.format(rest=rest)
    return subprocess.Popen([sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE, stderr=stderr, text=True)


def on_a_terminal(rest: float) -> str:
    mine, theirs = pty.openpty()
    with child(rest, theirs) as running:
        os.close(theirs)
        found = b""
        while True:
            try:
                piece = os.read(mine, 4096)
            except OSError:  # a terminal whose other side was closed
                break
            if not piece:
                break
            found += piece
        assert running.wait(timeout=30) == 0
    os.close(mine)
    return found.decode()


def test_long_work_has_a_line_on_a_terminal_and_takes_it_away() -> None:
    written = on_a_terminal(1.0)
    assert "sweep sma_cross: 300 of 1,515 sets" in written
    assert written.rstrip().endswith("\x1b[2K")  # the line was erased
    assert "\n" not in written.split("sets")[0]


def test_short_work_has_none() -> None:
    assert on_a_terminal(0.0) == ""


def test_a_pipe_gets_nothing() -> None:
    with child(1.0, subprocess.PIPE) as running:
        out, written = running.communicate(timeout=30)
    assert (out, written) == ("end\n", "")


def test_nothing_is_shown_to_whom_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(progress, "SLOW_S", 0.0)
    with shown("scan", "", wanted=False) as report:
        report(1, 2)
        assert "progress" not in {thread.name for thread in threading.enumerate()}


def test_the_time_left_follows_what_this_run_did() -> None:
    """Chunks of an earlier run were done in no time: they say nothing about the speed."""
    seen = progress._Seen(before=500, done=600, total=1000)
    assert progress._text("sweep", "sets", seen, 10.0) == "sweep: 600 of 1,000 sets, 10 a second, about 40 s left"
    assert progress._text("sweep", "sets", seen, 1.0) == "sweep: 600 of 1,000 sets"
    assert progress._text("scan", "", progress._Seen(), 4.2) == "scan: 4 s"


def test_the_work_s_own_problem_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="mine"), shown("scan", ""):
        raise ValueError("mine")
    assert "progress" not in {thread.name for thread in threading.enumerate()}
