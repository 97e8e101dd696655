"""Compiled code is found again by the next process, and never after an edit or on another CPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

KERNEL = """
import numpy as np
from agents.kernels.compiling import decorators
_jit, _part = decorators(__file__)

@_part
def _value():
    return 1.0

@_jit
def fill(out):
    for i in range(out.size):
        out[i] = _value()
"""
RUN = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import kernel
out = np.empty(1)
kernel.fill(out)
print(out[0], sum(kernel.fill.stats.cache_misses.values()))
"""


def run(folder: Path, **environment: str) -> tuple[float, int]:
    """What the kernel fills in, and how often it was compiled."""
    found = subprocess.run(
        [sys.executable, "-c", RUN, str(folder)],
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache"), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=True,
    )
    value, misses = found.stdout.split()
    return float(value), int(misses)


def test_a_second_process_compiles_nothing(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(KERNEL)
    assert run(tmp_path) == (1.0, 1)
    assert run(tmp_path) == (1.0, 0)


def test_an_edit_is_noticed_though_size_and_time_of_the_file_are_the_same(tmp_path: Path) -> None:
    """Numba alone looks at those two only, and does not notice an edit of a part that a kernel calls elsewhere."""
    source = tmp_path / "kernel.py"
    source.write_text(KERNEL)
    before = source.stat()
    assert run(tmp_path) == (1.0, 1)
    source.write_text(KERNEL.replace("1.0", "2.0"))
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert source.stat().st_size == before.st_size
    assert run(tmp_path) == (2.0, 1)


def test_an_edit_of_a_file_that_parts_come_from_is_noticed(tmp_path: Path) -> None:
    others = KERNEL.replace("decorators(__file__)", 'decorators(__file__, __file__.replace("kernel.py", "parts.py"))')
    (tmp_path / "kernel.py").write_text(others)
    (tmp_path / "parts.py").write_text("before")
    assert run(tmp_path) == (1.0, 1)
    assert run(tmp_path) == (1.0, 0)
    (tmp_path / "parts.py").write_text("behind")
    assert run(tmp_path) == (1.0, 1)


def test_another_cpu_gets_code_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(KERNEL)
    assert run(tmp_path) == (1.0, 1)
    assert run(tmp_path, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="") == (1.0, 1)
    assert run(tmp_path) == (1.0, 0)
