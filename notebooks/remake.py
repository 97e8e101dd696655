"""Runs the notebooks of this folder from nothing and keeps what they show: `python -m notebooks.remake`.

Each runs in a fresh kernel with a home of its own, so its outputs depend on the code and the bundled data alone: equal
runs give equal files. What a run leaves behind that is no output (times, versions, progress) is taken out.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

FOLDER = Path(__file__).parent
CELL_S = 240  # deadline of a cell; the first one to use a kernel may have to compile it, on a machine that is busy


def notebooks() -> list[Path]:
    """In the order in which they are meant to be read."""
    return sorted(FOLDER.glob("*.ipynb"))


def executed(path: Path, scratch: Path) -> Any:
    """The notebook as it is after a run; `scratch` is an empty folder that takes all that is written.

    Raises: nbclient's CellExecutionError with the traceback of the cell that failed, or CellTimeoutError.
    """
    notebook = nbformat.read(path, as_version=4)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("GS_", "POLARS_"))}
    environ |= {
        "GS_HOME": str(scratch / "home"),
        "IPYTHONDIR": str(scratch / "ipython"),  # nobody's own settings or history
        "PYTHONPATH": str(FOLDER.parent),
    }
    client = NotebookClient(
        notebook,
        config=Config(KernelManager={"transport": "ipc", "ip": str(scratch / "kernel")}),  # no open port
        kernel_name="python3",
        timeout=CELL_S,
        record_timing=False,
        resources={"metadata": {"path": str(scratch)}},  # where the kernel works
    )
    client.execute(env=environ)
    return _tidy(notebook)


def main() -> int:
    """Run and rewrite every notebook, or those that are named."""
    for path in [Path(name) for name in sys.argv[1:]] or notebooks():
        with tempfile.TemporaryDirectory() as scratch:
            nbformat.write(executed(path, Path(scratch)), path)
        sys.stdout.write(f"{path.name} was run\n")
    return 0


def _tidy(notebook: Any) -> Any:
    """Only what a reader sees."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("data", {}).get("text/plain") != ""]
    return notebook


if __name__ == "__main__":
    raise SystemExit(main())
