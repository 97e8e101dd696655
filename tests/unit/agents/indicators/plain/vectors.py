"""Series against series."""

from __future__ import annotations

import numpy as np

from data.contracts.arrays import Floats


def crosses_below(close: Floats, other: Floats) -> Floats:
    """From at or above to below."""
    found = np.full(close.size, np.nan)
    for i in range(1, close.size):
        found[i] = float(close[i] < other[i] and close[i - 1] >= other[i - 1])
    return found
