"""Names for the arrays kernels take; `data.contracts.arrays` says the same, but kernels import NumPy and Numba only."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
