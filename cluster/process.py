"""What actors of every kind need of their process and of Ray's errors."""

from __future__ import annotations

import os


def let_others_first() -> None:
    """From now on this process runs only while nobody else wants the processor.

    A niced process still keeps a core until its slice ends, and a live request wakes a dozen processes in turn.
    """
    os.nice(19)
    if hasattr(os, "SCHED_IDLE"):  # Linux
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def last_line(problem: BaseException) -> str:
    """The error itself, without Ray's copy of the remote traceback."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return lines[-1] if lines else type(problem).__name__
