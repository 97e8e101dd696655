"""What followed a condition in the past: counts of outcomes that are known by the last bar, and an exact test."""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

COUNTS = 5
C_BARS, C_RISES, C_HITS, C_APART, C_APART_RISES = range(COUNTS)
_jit, _part = decorators(__file__)


@_jit
def followed(true: Floats, opened: Floats, close: Floats, offsets: Ints, horizon: int, out: Ints) -> None:
    """Per symbol: bars whose outcome is known, rises among them; hits, hits apart from each other, rises after those.

    Shapes: true (N,) 1 = a hit, anything else is none; opened, close (N,); offsets (S + 1,) -> out (S, COUNTS).
    The outcome of bar t is a rise when close[t + horizon] > open[t + 1]; it is known when that bar is there.
    Apart: the oldest hit, then always the next one at least `horizon` bars later, so that no two outcomes share a bar.
    """
    for s in range(offsets.size - 1):
        out[s] = 0
        free = offsets[s]  # the next hit may be here
        for t in range(offsets[s], offsets[s + 1] - horizon):
            rise = 1 if close[t + horizon] > opened[t + 1] else 0
            out[s, C_BARS] += 1
            out[s, C_RISES] += rise
            if true[t] == 1.0:
                out[s, C_HITS] += 1
                if t >= free:
                    out[s, C_APART] += 1
                    out[s, C_APART_RISES] += rise
                    free = t + horizon


@_jit
def binomial(successes: Ints, trials: Ints, share: Floats, out: Floats) -> None:
    """Two-sided exact p-values of so many successes where each trial succeeds with probability `share`: all (S,).

    Twice the smaller tail, at most 1. NaN without a trial; 1 where `share` is 0 or 1, which leaves nothing to test.
    """
    for s in range(trials.size):
        n, k, p = trials[s], successes[s], share[s]
        if n == 0:
            out[s] = np.nan
            continue
        if p <= 0.0 or p >= 1.0:
            out[s] = 1.0
            continue
        odds = np.log(p / (1.0 - p))
        log_mass = n * np.log(1.0 - p)  # of no success at all; logarithms, because thousands of trials underflow
        below, above = 0.0, 0.0
        for i in range(n + 1):
            if i:
                log_mass += np.log((n - i + 1.0) / i) + odds
            mass = np.exp(log_mass)
            if i <= k:
                below += mass
            if i >= k:
                above += mass
        out[s] = min(1.0, 2.0 * min(below, above))
