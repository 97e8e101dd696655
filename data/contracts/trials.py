"""How many parameter sets were ever tried, so that the best of them can be believed less.

A trial is one parameter set of a strategy family (its expressions without constants) on a universe and a period.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class TrialCount:
    """Trials of one chunk of work. Counted once per `key`, however often it is reported.

    mean, m2: of the trials' Sharpe ratios per bar, and the sum of squared distances from it.
    """

    key: str
    family: str
    universe: str
    first_ts: datetime
    last_ts: datetime
    trials: int
    mean: float
    m2: float


@dataclass(frozen=True)
class TrialTotal:
    """All trials of a family. variance: of the Sharpe ratios per bar (ddof 1); None for fewer than two."""

    trials: int
    mean: float | None
    variance: float | None


def total(counts: Iterable[TrialCount]) -> TrialTotal:
    """Chunks pooled in the order of their keys, so that the bits do not depend on who reported first.

    Source: Chan, Golub and LeVeque, Updating formulae for computing sample variances (1979).
    """
    trials, mean, m2 = 0, 0.0, 0.0
    for count in sorted(counts, key=lambda c: c.key):
        both = trials + count.trials
        step = count.mean - mean
        mean += step * count.trials / both
        m2 += count.m2 + step * step * trials * count.trials / both
        trials = both
    if trials == 0:
        return TrialTotal(0, None, None)
    return TrialTotal(trials, mean, m2 / (trials - 1) if trials > 1 and math.isfinite(m2) else None)
