"""Formulas of one bar: every output row is made from the same row of the inputs. No offsets, nothing remembered.

Shapes: inputs and outputs (N,). A NaN input gives NaN, also in comparisons: 1 = true, 0 = false, NaN = unknown.
`nan_after` and `blank` are the tools of `agents.indicators.running`.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

_jit, _part = decorators(__file__)


@_jit
def add(a: Floats, b: Floats, out: Floats) -> None:
    """a + b."""
    for i in range(out.size):
        out[i] = a[i] + b[i]


@_jit
def subtract(a: Floats, b: Floats, out: Floats) -> None:
    """a - b."""
    for i in range(out.size):
        out[i] = a[i] - b[i]


@_jit
def multiply(a: Floats, b: Floats, out: Floats) -> None:
    """a * b."""
    for i in range(out.size):
        out[i] = a[i] * b[i]


@_jit
def typical(high: Floats, low: Floats, close: Floats, out: Floats) -> None:
    """(high + low + close) / 3."""
    for i in range(out.size):
        out[i] = (high[i] + low[i] + close[i]) / 3.0


@_jit
def ratio(a: Floats, b: Floats, otherwise: float, out: Floats) -> None:
    """a / b; `otherwise` where b is 0 and both are numbers."""
    for i in range(out.size):
        out[i] = a[i] / b[i] if b[i] != 0.0 else otherwise + (a[i] - a[i])


@_jit
def linear(a: Floats, factor: float, shift: float, out: Floats) -> None:
    """a * factor + shift."""
    for i in range(out.size):
        out[i] = a[i] * factor + shift


@_jit
def divide_by(a: Floats, divisor: float, out: Floats) -> None:
    """a / divisor."""
    for i in range(out.size):
        out[i] = a[i] / divisor


@_jit
def inverse(b: Floats, factor: float, otherwise: float, out: Floats) -> None:
    """factor / b; `otherwise` where b is 0."""
    for i in range(out.size):
        out[i] = factor / b[i] if b[i] != 0.0 else otherwise


@_jit
def larger(a: Floats, b: Floats, out: Floats) -> None:
    """The larger of the two."""
    for i in range(out.size):
        out[i] = a[i] if a[i] > b[i] or a[i] != a[i] else b[i]


@_jit
def smaller(a: Floats, b: Floats, out: Floats) -> None:
    """The smaller of the two."""
    for i in range(out.size):
        out[i] = a[i] if a[i] < b[i] or a[i] != a[i] else b[i]


@_jit
def clip(a: Floats, low: float, high: float, out: Floats) -> None:
    """a, at least `low` and at most `high`."""
    for i in range(out.size):
        at_least = low if a[i] < low else a[i]
        out[i] = high if at_least > high else at_least


@_jit
def absolute(a: Floats, out: Floats) -> None:
    """|a|."""
    for i in range(out.size):
        out[i] = abs(a[i])


@_jit
def square_root(a: Floats, out: Floats) -> None:
    """Square root; NaN below 0."""
    for i in range(out.size):
        out[i] = np.sqrt(a[i])


@_jit
def logarithm(a: Floats, out: Floats) -> None:
    """Natural logarithm; NaN unless a > 0."""
    for i in range(out.size):
        out[i] = np.log(a[i]) if a[i] > 0.0 else np.nan


@_jit
def exponential(a: Floats, out: Floats) -> None:
    """e to the a."""
    for i in range(out.size):
        out[i] = np.exp(a[i])


@_jit
def arctangent(a: Floats, out: Floats) -> None:
    """Inverse tangent, radians."""
    for i in range(out.size):
        out[i] = np.arctan(a[i])


@_jit
def sign(a: Floats, out: Floats) -> None:
    """1, 0 or -1."""
    for i in range(out.size):
        out[i] = 1.0 if a[i] > 0.0 else -1.0 if a[i] < 0.0 else a[i] - a[i]


@_jit
def greater(a: Floats, b: Floats, out: Floats) -> None:
    """a > b."""
    for i in range(out.size):
        known = a[i] + b[i]
        out[i] = 1.0 if a[i] > b[i] else known - known


@_jit
def at_least(a: Floats, b: Floats, out: Floats) -> None:
    """a >= b."""
    for i in range(out.size):
        known = a[i] + b[i]
        out[i] = 1.0 if a[i] >= b[i] else known - known


@_jit
def choose(condition: Floats, a: Floats, b: Floats, out: Floats) -> None:
    """a where the condition is not 0, else b; NaN where it is unknown or the chosen one is."""
    for i in range(out.size):
        chosen = a[i] if condition[i] != 0.0 else b[i]
        out[i] = chosen if condition[i] == condition[i] else np.nan


@_jit
def constant(a: Floats, value: float, out: Floats) -> None:
    """`value` wherever `a` is a number."""
    for i in range(out.size):
        out[i] = value + (a[i] - a[i])


@_jit
def nan_after(offsets: Ints, starts: Ints, values: Floats) -> bool:
    """Whether a symbol has a NaN behind its first `starts[s]` rows."""
    for s in range(starts.size):  # noqa: SIM110  (no generators here)
        if _count_nan(values[offsets[s] + starts[s] : offsets[s + 1]]):
            return True
    return False


@_part
def _count_nan(values: Floats) -> int:
    found = 0
    for i in range(values.size):
        found += values[i] != values[i]
    return found


@_jit
def blank(offsets: Ints, starts: Ints, out: Floats) -> None:
    """NaN over the first `starts[s]` rows of each symbol."""
    for s in range(starts.size):
        for i in range(offsets[s], offsets[s] + starts[s]):
            out[i] = np.nan
