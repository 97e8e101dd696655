"""Equal machines have equal fingerprints, and an edited line of code is another version."""

import os
import subprocess
import sys
from pathlib import Path

from agents.fingerprint import code_version, numeric_fingerprint


def test_another_process_has_the_same_fingerprint_and_code() -> None:
    code = "from agents.fingerprint import *; print(numeric_fingerprint(), code_version())"
    environ = {**os.environ, "NUMBA_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ)
    assert done.stdout.split() == [numeric_fingerprint(), code_version()]
    assert len(numeric_fingerprint()) == len(code_version()) == 16


def test_an_edited_or_added_file_is_another_version(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    first = code_version(tmp_path)
    (tmp_path / "a.py").write_text("x = 2")
    second = code_version(tmp_path)
    (tmp_path / "b.yaml").write_text("")
    assert len({first, second, code_version(tmp_path)}) == 3
