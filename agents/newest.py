"""What a consensus needs to know of each symbol's newest bar, from a whole history or from one that is followed.

Newest.of(panel, atr_window=14)                     a history at once
follower = NewestFollower(panel, atr_window=14)     the same bits, bar by bar
follower.follow(new); follower.newest
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agents.following import go_on, stand
from agents.indicators import compute, plan
from data.contracts.arrays import Bools, Floats, Ints
from data.contracts.panel import DatedSeries, Panel, RunningDigests, content_hash


@dataclass(frozen=True, eq=False)
class Newest:
    """The newest bar of S symbols, in ascending order, and the identity of the bars that led to it.

    Shapes: ts, close, gap, atr (S,); digests: one per symbol, as `Panel.digests`. atr is NaN in its warm-up.
    """

    symbols: tuple[str, ...]
    frame: str
    adjust: str
    ts: Ints
    close: Floats
    gap: Bools
    atr: Floats
    digests: tuple[str, ...]
    context: Mapping[str, DatedSeries]
    _hashes: dict[tuple[int, int], str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, panel: Panel, *, atr_window: int) -> Newest:
        """The newest bars of a panel."""
        return cls._from(panel, compute("atr", panel, window=atr_window), panel.digests)

    def hash_of(self, first: int, last: int) -> str:
        """The identity of all bars up to here of symbols first..last (exclusive): `Panel.content_hash` of that part."""
        if (first, last) not in self._hashes:
            self._hashes[first, last] = content_hash(self.frame, self.adjust, self.digests[first:last])
        return self._hashes[first, last]

    @classmethod
    def _from(cls, panel: Panel, atr: Floats, digests: tuple[str, ...]) -> Newest:
        rows = panel.last_rows
        columns = panel.ts[rows], panel.close[rows], panel.gap[rows], atr[rows]
        return cls(panel.symbols, panel.frame, panel.adjust, *columns, digests, panel.context)


class NewestFollower:
    """Keeps `newest` up to date; a new bar costs the same after any number of bars."""

    def __init__(self, panel: Panel, *, atr_window: int) -> None:
        _, self._plan = plan({"atr": ("atr", {"window": atr_window})})
        self._standing = stand(self._plan, panel)
        self._digests = RunningDigests()
        self._tell(panel)

    def follow(self, new: Panel) -> None:
        """Take in bars that follow, with the context known by then."""
        self._standing = go_on(self._plan, self._standing, new, reach=0)
        self._tell(new)

    def _tell(self, new: Panel) -> None:
        self._digests.add(new)
        bars = self._standing.bars
        self.newest = Newest._from(bars, self._standing.columns[0], self._digests.of(bars.symbols))
