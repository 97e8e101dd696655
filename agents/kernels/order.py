"""Where the keys of rows change and whether their times ascend: one pass over memory each, nothing is copied."""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Ints

PIECE = 64  # rows that are compared at once, in SIMD, before anyone asks which of them it was
_jit, _part = decorators(__file__)


@_jit
def changes(words: Ints, width: int) -> Ints:
    """Row 0, and every row whose words are not those of the row before.

    Shapes: words (N * width,) integers of any size, `width` a row, N >= 1 -> (number of changes,).
    """
    rows = words.size // width
    found, count = np.empty(64, np.int64), 1
    found[0] = 0
    for first in range(1, rows, PIECE):
        last = min(first + PIECE, rows)
        if not _differ(words[(first - 1) * width : (last - 1) * width], words[first * width : last * width]):
            continue
        for row in range(first, last):
            if _differ(words[(row - 1) * width : row * width], words[row * width : (row + 1) * width]):
                if count == found.size:
                    found = np.append(found, np.empty_like(found))
                found[count] = row
                count += 1
    return found[:count].copy()


@_jit
def ascend(times: Ints, offsets: Ints) -> bool:
    """Whether every time is later than the one before it of its symbol.

    Shapes: times (N,) int32 or int64, offsets (S+1,).
    """
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        if hi - lo > 1 and not _rises(times[lo : hi - 1], times[lo + 1 : hi]):
            return False
    return True


@_part
def _rises(before: Ints, now: Ints) -> bool:
    backwards = np.int64(0)
    for i in range(now.size):
        backwards |= np.int64(now[i] <= before[i])
    return bool(backwards == 0)


@_part
def _differ(before: Ints, now: Ints) -> bool:
    unlike = np.int64(0)
    for i in range(now.size):
        unlike |= np.int64(now[i] != before[i])
    return bool(unlike != 0)
