"""Three-valued logic over columns: 1 = true, 0 = false, NaN = unknown (Kleene, Introduction to Metamathematics, 1952).

Shapes: inputs and outputs (N,). Comparisons with NaN are unknown already (`points.greater`); here unknown is neither
lost nor believed: unknown and false is false, unknown or true is true, not unknown is unknown.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

_jit, _part = decorators(__file__)


@_jit
def both(a: Floats, b: Floats, out: Floats) -> None:
    """a and b."""
    for i in range(out.size):
        out[i] = 0.0 if a[i] == 0.0 or b[i] == 0.0 else a[i] * b[i]


@_jit
def either(a: Floats, b: Floats, out: Floats) -> None:
    """a or b."""
    for i in range(out.size):
        out[i] = 1.0 if a[i] == 1.0 or b[i] == 1.0 else a[i] + b[i]


@_jit
def equal(a: Floats, b: Floats, out: Floats) -> None:
    """a == b."""
    for i in range(out.size):
        known = a[i] + b[i]
        out[i] = 1.0 if a[i] == b[i] else known - known


@_jit
def crosses(a: Floats, b: Floats, offsets: Ints, out: Floats) -> None:
    """a is above b on this bar and was not on the bar before; all four known, else unknown. Warm-up 1."""
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        if hi > lo:
            out[lo] = np.nan
            _crossing(a[lo:hi], b[lo:hi], out[lo:hi])


@_part
def _crossing(a: Floats, b: Floats, out: Floats) -> None:
    for i in range(1, out.size):
        known = a[i] + b[i] + a[i - 1] + b[i - 1]
        out[i] = 1.0 if a[i] > b[i] and a[i - 1] <= b[i - 1] else known - known


@_jit
def count(truth: Floats, offsets: Ints, window: int, out: Floats) -> None:
    """How many of the last `window` bars were true; NaN while one of them is unknown. Warm-up window - 1."""
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        true = unknown = 0
        for i in range(lo, hi):
            true += truth[i] == 1.0
            unknown += truth[i] != truth[i]
            if i >= lo + window:  # whole numbers: what is taken off again leaves no error behind
                true -= truth[i - window] == 1.0
                unknown -= truth[i - window] != truth[i - window]
            out[i] = float(true) if unknown == 0 and i >= lo + window - 1 else np.nan


@_jit
def bars_since(truth: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, out: Floats) -> None:
    """Bars since it was last true, 0 on such a bar; NaN before the first and from an unknown bar on. carry (2, S).

    Row 1 of carry is one more than the answer, 0 where there is none.
    """
    for s in range(starts.size):
        first, hi = offsets[s] + starts[s], offsets[s + 1]
        run = carry[1, s]
        for i in range(first, hi):
            if truth[i] == 1.0:
                run = 1.0
            elif truth[i] != 0.0:
                run = 0.0
            elif run > 0.0:
                run += 1.0
            out[i] = run - 1.0 if run > 0.0 else np.nan
        carry[0, s] += max(hi - first, 0)
        carry[1, s] = run
