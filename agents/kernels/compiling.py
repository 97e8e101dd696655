"""How kernels are compiled and where the result is kept. Their modules open with `_jit, _part = decorators(__file__)`.

Under NUMBA_CACHE_DIR, or beside the sources, each module has a folder named by its content, Numba's version and the
CPU: an edited kernel, another CPU or another version never meets code that was not made from it.
"""

import hashlib
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding
import numba

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
_options: Any = numba.config  # not in its type stubs


def decorators(source: str, *others: str) -> tuple[Decorator, Decorator]:
    """For the kernels of the file `source`, and for parts that live inside the kernels that call them.

    `others` are the files of parts that they take from elsewhere: an edit there compiles these kernels anew.
    Both let go of the GIL and divide as NumPy does (by zero: inf or NaN).
    """
    folder = str(CACHE / _digest(b"".join(Path(file).read_bytes() for file in (source, *others))))
    part: Decorator = numba.njit(nogil=True, error_model="numpy", forceinline=True)
    return partial(_kernel, folder), part


def _kernel(folder: str, function: Callable[..., Any]) -> Callable[..., Any]:
    before, _options.CACHE_DIR = _options.CACHE_DIR, folder  # Numba reads it while it decorates
    try:
        compiled: Callable[..., Any] = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    finally:
        _options.CACHE_DIR = before
    return compiled


def _digest(content: bytes) -> str:
    return hashlib.sha256(_MACHINE + content).hexdigest()[:16]


def _machine() -> bytes:
    name = _options.CPU_NAME or llvmlite.binding.get_host_cpu_name()
    features = _options.CPU_FEATURES or llvmlite.binding.get_host_cpu_features().flatten()
    return f"{sys.version_info[:2]} {numba.__version__} {llvmlite.__version__} {name} {features}".encode()


def _cache_base() -> Path:
    here = Path(__file__).parent
    if _options.CACHE_DIR:
        return Path(_options.CACHE_DIR)
    return here / "__pycache__" if os.access(here, os.W_OK) else Path.home() / ".cache" / "goldensignals"


_MACHINE = _machine()
CACHE = _cache_base() / "kernels"
# What carried state depends on: every kernel's source, the compiler and the CPU.
EDITION = _digest(b"".join(source.read_bytes() for source in sorted(Path(__file__).parent.glob("*.py"))))
