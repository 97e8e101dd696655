"""Names for the NumPy arrays that cross module borders."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]


def runs(starts: Ints, counts: Ints) -> Ints:
    """Row numbers of runs of `counts` rows from `starts`, one after the other."""
    ends = np.cumsum(counts)
    rows: Ints = np.arange(ends[-1] if ends.size else 0) + np.repeat(starts - (ends - counts), counts)
    return rows
