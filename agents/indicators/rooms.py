"""New columns in memory that was used before: the first touch of a fresh page costs more than most indicators.

A large block goes back to a small store when the last array or Series over it is gone, and is handed out again with
whatever is in it: nobody can still look at it. What lies in the store is marked as free, so that the system takes it
back when it needs memory. Where that cannot be asked for, or a block is small, this is `numpy.empty`.
"""

from __future__ import annotations

import mmap
import weakref
from contextlib import suppress

import numpy as np

from data.contracts.arrays import Floats

LARGE = 1 << 22  # bytes; below it the C library's own store does the same
KEPT = 1 << 29  # bytes that lie idle at most, unless a single block is larger
_idle: list[mmap.mmap] = []


def empty(shape: tuple[int, ...]) -> Floats:
    """As `numpy.empty(shape)`, float64."""
    size = 8 * int(np.prod(shape))
    if size < LARGE or not hasattr(mmap, "MADV_FREE"):
        return np.empty(shape)
    block = _take(size)
    owner = np.frombuffer(block, np.float64, size // 8)  # every view keeps it alive, itself or through another
    weakref.finalize(owner, _give, block).atexit = False
    return owner.reshape(shape)


def _take(size: int) -> mmap.mmap:
    fitting = sorted((block for block in list(_idle) if size <= len(block) <= 2 * size), key=len)
    for block in fitting:
        with suppress(ValueError):  # another thread was quicker
            _idle.remove(block)
            return block
    block = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel without huge pages: small ones do
            block.madvise(mmap.MADV_HUGEPAGE)
    return block


def _give(block: mmap.mmap) -> None:
    block.madvise(mmap.MADV_FREE)
    _idle.append(block)
    while len(_idle) > 1 and sum(map(len, list(_idle))) > KEPT:
        with suppress(IndexError):  # another thread took what was left
            _idle.pop(0)
