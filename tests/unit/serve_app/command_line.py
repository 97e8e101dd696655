"""Runs a verb inside this process, as its entry point would: arguments and environment in, text and exit code out."""

import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import structlog

from serve_app.cli.main import main


@dataclass(frozen=True)
class Answer:
    """What a command did."""

    code: int
    out: str
    err: str


def run(home: Path, *args: str | Path, environ: Mapping[str, str]) -> Answer:
    """`goldensignals ARGS` in a home of its own; whatever it changes in this process's environment is undone."""
    before, argv = dict(os.environ), sys.argv
    for name in [name for name in before if name.startswith("GS_")]:
        del os.environ[name]
    os.environ |= {"GS_HOME": str(home), **environ}
    sys.argv = ["goldensignals", *map(str, args)]
    code = 0
    try:
        with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
            try:
                main()
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.argv = argv
        os.environ.clear()
        os.environ.update(before)
        structlog.reset_defaults()  # commands log to the stderr they were started with
    return Answer(code, out.getvalue(), err.getvalue())
