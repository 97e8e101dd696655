"""What followed the past hits of a scan, symbol by symbol, and what is left of it when all symbols were asked at once.

A scan of 500 symbols finds some of them by luck: a dozen have a p-value below 5 % where there is nothing. So every
symbol is tested against its own base rate, and the p-values are corrected for all symbols that were tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from agents.backtest.sharpe import Correction, corrected
from agents.indicators.columns import to_floats
from agents.kernels import past
from data.contracts.arrays import Bools, Floats, Ints
from data.contracts.panel import Panel

HORIZON = 5  # bars: the outcome that probabilities and track records speak of
LEVEL = 0.05  # share of false among the finds (Benjamini-Hochberg), or chance of any (Holm), that is put up with


@dataclass(frozen=True, eq=False)
class PastHits:
    """What followed in the past, per symbol.

    counts: (S, 5) bars with a known outcome, rises among them, hits with a known outcome, those of them that are at
            least `HORIZON` bars apart, and rises after those: `agents.kernels.past`.
    An outcome is the sign of close[t + 5] against open[t + 1]; a tie is no rise.
    """

    counts: Ints

    @property
    def hits(self) -> Ints:
        """Past hits with a known outcome."""
        return self.counts[:, past.C_HITS]

    @property
    def apart(self) -> Ints:
        """Those of them whose outcomes share no bar: only these are tested."""
        return self.counts[:, past.C_APART]

    @cached_property
    def rate(self) -> Floats:
        """Share of rises after hits that are apart; NaN without one."""
        return _share(self.counts[:, past.C_APART_RISES], self.apart)

    @cached_property
    def base_rate(self) -> Floats:
        """Share of rises after any bar; NaN where no outcome is known."""
        return _share(self.counts[:, past.C_RISES], self.counts[:, past.C_BARS])

    @cached_property
    def p_value(self) -> Floats:
        """Chance of a rate so far from the base rate, to either side; NaN without a past hit.

        Exact for a base rate that is known; ours is the symbol's own share, which holds the hits too.
        """
        found = np.empty(len(self.counts))
        past.binomial(self.counts[:, past.C_APART_RISES].copy(), self.apart.copy(), self.base_rate, found)
        return found

    @property
    def tested(self) -> Bools:
        """Symbols with a p-value: how many were tried at once."""
        return ~np.isnan(self.p_value)

    def corrected(self, method: Correction) -> Floats:
        """P-values that allow for all symbols that were tested; NaN for the others."""
        found = np.full(len(self.counts), np.nan)
        found[self.tested] = corrected(self.p_value[self.tested], method)
        return found


def past_hits(true: Floats, panel: Panel) -> PastHits:
    """Count what followed every hit of a panel.

    Shapes: true (N,): 1 = a hit, 0 = none, NaN = unknown, which is none.
    Nothing looks ahead: only outcomes that the panel's own bars show are counted, so bars that come later add to the
    counts and change none.
    """
    counts = np.zeros((len(panel.symbols), past.COUNTS), np.int64)
    opened, close = to_floats(panel.open), to_floats(panel.close)
    past.followed(true, opened, close, panel.offsets, HORIZON, counts)
    return PastHits(counts)


def stays(p_values: Sequence[float]) -> int:
    """How many are at or below the level; NaN is not."""
    return sum(value <= LEVEL for value in p_values)


def _share(some: Ints, of: Ints) -> Floats:
    return np.asarray(np.divide(some, of, out=np.full(of.size, np.nan), where=of > 0))
