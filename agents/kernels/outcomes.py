"""What a backtest of one symbol comes to as sums, from which every metric follows; and two steps on the way there.

Shapes: raw (sets, S, RAW). Money is in units of the money at the start.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

RAW = 21
(R_GROWTH, R_SUM, R_SQUARES, R_WORST, R_TRADES, R_HELD, R_CLOSED) = range(7)
(R_GAINS, R_DOWN, R_CUBES, R_FOURTHS, R_EQUITY, R_TRADED, R_FEES) = range(7, 14)
(R_WINS, R_WON, R_LOST, R_MEAN, R_SPREAD) = range(14, 19)
(R_LONGEST, R_LEAST) = range(19, 21)  # of bar loops only: the longest drawdown, the smallest equity
_jit, _part = decorators(__file__)


@_jit
def of_bars(
    equity: Floats,
    position: Floats,
    offsets: Ints,
    start: float,
    whole: Ints,
    real: Floats,
    trades: int,
    edges: Ints,
    raw: Floats,
    block_sums: Floats,
) -> None:
    """The same sums of one set from what `simulate` left, bar by bar: raw (S, RAW), block_sums (S, B, 2)."""
    for s in range(offsets.size - 1):
        lo, hi, out = offsets[s], offsets[s + 1], raw[s]
        out[:] = 0.0
        before, peak, worst, top, block = start, -np.inf, 1.0, lo, 0
        out[R_LEAST] = 1.0
        block_sums[s] = 0.0
        for i in range(lo, hi):
            step = equity[i] / before - 1.0
            out[R_LEAST] = min(out[R_LEAST], before / start)
            before = equity[i]
            out[R_SUM] += step
            out[R_SQUARES] += step * step
            out[R_GAINS] += max(step, 0.0)
            out[R_DOWN] += min(step, 0.0) ** 2
            out[R_CUBES] += step**3
            out[R_FOURTHS] += step**4
            out[R_EQUITY] += equity[i] / start
            out[R_HELD] += 1.0 if position[i] != 0.0 else 0.0
            if equity[i] < peak or i - top > 1:
                out[R_LONGEST] = max(out[R_LONGEST], i - top)
            if equity[i] >= peak:
                peak, top = equity[i], i
            worst = min(worst, equity[i] / peak)
            while block < edges.shape[1] - 1 and i - lo >= edges[s, block + 1]:
                block += 1
            if block < edges.shape[1] - 1 and i - lo >= edges[s, block]:
                block_sums[s, block, 0] += step
                block_sums[s, block, 1] += step * step
        out[R_GROWTH], out[R_WORST] = before / start, worst
    for t in range(trades):
        out, value = raw[whole[t, 0]], real[t, 0] * real[t, 1]
        profit = whole[t, 3] * real[t, 0] * (real[t, 2] - real[t, 1]) - real[t, 3] - real[t, 4]
        out[R_TRADES] += 1.0
        out[R_TRADED] += real[t, 5] / start
        out[R_FEES] += real[t, 3] / start
        if whole[t, 4] != 0:  # not open
            out[R_CLOSED] += 1.0
            out[R_WINS] += 1.0 if profit > 0.0 else 0.0
            out[R_WON] += max(profit, 0.0) / start
            out[R_LOST] += max(-profit, 0.0) / start
            step = profit / value - out[R_MEAN]
            out[R_MEAN] += step / out[R_CLOSED]
            out[R_SPREAD] += step * (profit / value - out[R_MEAN])


@_jit
def powers(base: Floats, exponents: Floats, out: Floats) -> None:
    """base (K, S) to exponents (S,); NaN unless the base is above 0."""
    for k in range(base.shape[0]):
        for s in range(base.shape[1]):
            out[k, s] = base[k, s] ** exponents[s] if base[k, s] > 0.0 else np.nan


@_jit
def break_even(growth: Floats, trades: Floats, closed: Floats, fee: float, out: Floats) -> None:
    """The fee per side at which an all-in, long-only set neither gains nor loses; NaN without gain. All (K, S).

    Fees leave its decisions alone: growth = gross * (1 - x)^closed / (1 + x)^trades. Newton's method on the logarithm,
    whose slope falls only within (0, 1), kept inside.
    """
    for k in range(growth.shape[0]):
        for s in range(growth.shape[1]):
            sides, sold = trades[k, s], closed[k, s]
            gross = np.log(growth[k, s]) - sold * np.log(1.0 - fee) + sides * np.log(1.0 + fee)
            out[k, s] = np.nan
            if sides == 0.0 or not gross > 0.0:
                continue
            low, high, x = 0.0, 1.0, 0.0
            if sold == 0.0 and gross > sides * np.log(2.0):
                continue  # even a fee of 100 % would leave a gain
            for _ in range(100):
                value = gross + (sold * np.log(1.0 - x) if sold > 0.0 else 0.0) - sides * np.log(1.0 + x)
                if value > 0.0:
                    low = x
                else:
                    high = x
                after = x + value / ((sold / (1.0 - x) if sold > 0.0 else 0.0) + sides / (1.0 + x))
                if not low <= after <= high or after == 1.0:
                    after = 0.5 * (low + high)
                if abs(after - x) <= 1e-16 + 4e-16 * x:
                    break
                x = after
            out[k, s] = x
