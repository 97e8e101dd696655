"""The sets of a sweep that must be walked bar by bar: `simulate` into arrays that are used again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.backtest.rules import Rules
from agents.backtest.sweep_program import Levels
from agents.indicators.columns import to_floats
from agents.indicators.graph import Line
from agents.kernels import outcomes, simulate
from data.contracts.arrays import Bools, Floats, Ints
from data.contracts.panel import COLUMNS, Panel

DAY = 86_400_000_000  # microseconds
DAYS_OF_A_YEAR = 365.0  # borrow is charged by calendar day


class Room:
    """Arrays that grow to the largest group and are used again."""

    def __init__(self) -> None:
        self._arrays: dict[str, Any] = {}

    def take(self, name: str, shape: tuple[int, ...], kind: type = np.float64) -> Any:
        """A contiguous array of any content."""
        size = int(np.prod(shape))
        if name not in self._arrays or self._arrays[name].size < size:
            self._arrays[name] = np.empty(size, kind)
        return self._arrays[name][:size].reshape(shape)


@dataclass(frozen=True, eq=False)
class Simulator:
    """`simulate` over a block of symbols, one set after the other into the same arrays; see `sweep` for the fields."""

    bars: tuple[Any, ...]
    offsets: Ints
    cash: Floats
    fees: Floats
    finish: Bools
    costs: tuple[float, ...]
    at_close: int
    edges: Ints

    @classmethod
    def of(
        cls, panel: Panel, rules: Rules, first: int, last: int, cash: float, finish: Bools, edges: Ints
    ) -> Simulator:
        """Symbols first .. last (exclusive) with the cash of each; finish (S,) and edges (S, B + 1) are theirs."""
        lo, hi = int(panel.offsets[first]), int(panel.offsets[last])
        prices = tuple(to_floats(getattr(panel, name)[lo:hi]) for name in COLUMNS)
        limit = np.inf if rules.volume_limit is None else float(rules.volume_limit)
        return cls(
            (*prices, _frozen(panel.ts[lo:hi] // DAY)),
            _frozen(panel.offsets[first : last + 1] - lo),
            _frozen(np.full(last - first, cash)),
            np.full(last - first, float(rules.fees)),
            _frozen(finish),
            (
                float(rules.slippage),
                float(rules.leverage),
                float(rules.borrow) / DAYS_OF_A_YEAR,
                float(rules.fee_per_share),
                float(rules.fee_per_trade),
                limit,
            ),
            int(rules.fill == "close"),
            edges,
        )

    def run(self, truths: Bools, levels: tuple[Floats, ...], raw: Floats, block_sums: Floats, room: Room) -> None:
        """One set: four rows of truths, four of levels."""
        rows = truths.shape[1]
        equity, position = room.take("equity", (rows,)), room.take("position", (rows,))
        most = int(np.count_nonzero(truths[0]) + np.count_nonzero(truths[2]))  # a trade begins with an entry
        whole, real = room.take("trades", (most, 5), np.int64), room.take("trade figures", (most, 6))
        found, _, _ = simulate.simulate(
            *self.bars,
            self.offsets,
            *(_frozen(row) for row in truths),
            *(_frozen(level) for level in levels),
            self.cash,
            _frozen(self.fees),
            self.finish,
            *self.costs,
            self.at_close,
            equity,
            position,
            whole,
            real,
        )
        outcomes.of_bars(
            equity, position, self.offsets, float(self.cash[0]), whole, real, found, self.edges, raw, block_sums
        )


def levels_of(levels: Levels, where: Mapping[Line, int], lines: Floats, rows: int, room: Room) -> tuple[Floats, ...]:
    """stop, target, trail and size as columns; NaN = not asked for."""
    found = []
    for number, level in enumerate(levels):
        if isinstance(level, Line):
            found.append(lines[where[level] * rows : (where[level] + 1) * rows])
        else:
            column = room.take(f"level {number}", (rows,))
            column[:] = np.nan if level is None else level
            found.append(column)
    return tuple(found)


def _frozen(values: Any) -> Any:
    view = np.ascontiguousarray(values).view()
    view.flags.writeable = False
    return view
