"""Values that fade from their last peak, and rounding; small enough to be read at once.

Shapes: inputs and outputs (N,); carry (2, S): bars seen, present level. Guarded: no NaN comes in.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

_jit, _ = decorators(__file__)


@_jit
def fade(
    values: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, less: float, share: float, out: Floats
) -> None:
    """The value, or the level before times `share` less `less` where that is larger."""
    for s in range(starts.size):
        level = carry[1, s]
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            faded = level * share - less
            level = values[i] if carry[0, s] == 0.0 or values[i] > faded else faded
            out[i] = level
            carry[0, s] += 1.0
        carry[1, s] = level


@_jit
def rounded(values: Floats, out: Floats) -> None:
    """Nearest whole number, halves up."""
    for i in range(out.size):
        out[i] = np.floor(values[i] + 0.5)


@_jit
def truncated(values: Floats, out: Floats) -> None:
    """Whole part, towards zero."""
    for i in range(out.size):
        out[i] = np.trunc(values[i])
