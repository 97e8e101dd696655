"""What a strategy asks for, bar by bar, before any rule of the market: the one thing an engine needs from a strategy.

Shapes: every array (N,), one value per row of the panel, decided at that row's close from what was known by then.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from data.contracts.arrays import Bools, Floats
from data.contracts.errors import InvalidInput


@dataclass(frozen=True, eq=False, slots=True)
class Orders:
    """Decisions of one strategy over a panel of N rows.

    enter, exit:             open and close a long position; what was unknown is False.
    short_enter, short_exit: the same for a short position.
    stop, target, trail:     distance from the fill price in quote currency, fixed at the entry; NaN = none.
    size:                    fraction of equity to put in; NaN = all of it (1.0).
    Raises: InvalidInput for arrays of different lengths or types.
    """

    enter: Bools
    exit: Bools
    short_enter: Bools
    short_exit: Bools
    stop: Floats
    target: Floats
    trail: Floats
    size: Floats

    def __post_init__(self) -> None:
        for field in fields(self):
            wanted = np.dtype(np.bool_ if field.type == "Bools" else np.float64)
            given = getattr(self, field.name)
            if given.shape != (self.enter.size,) or given.dtype != wanted:
                raise InvalidInput(
                    f"orders need ({self.enter.size},) {wanted} for {field.name}, not {given.shape} {given.dtype}"
                )

    @classmethod
    def of(
        cls,
        enter: Bools,
        exit: Bools,  # noqa: A002  the word of the field
        *,
        short_enter: Bools | None = None,
        short_exit: Bools | None = None,
        stop: Floats | None = None,
        target: Floats | None = None,
        trail: Floats | None = None,
        size: Floats | None = None,
    ) -> Orders:
        """Orders with only some of the arrays: no shorts, no levels, all in."""
        never, none = np.zeros(enter.size, np.bool_), np.full(enter.size, np.nan)
        return cls(
            enter,
            exit,
            never if short_enter is None else short_enter,
            never if short_exit is None else short_exit,
            none if stop is None else stop,
            none if target is None else target,
            none if trail is None else trail,
            none if size is None else size,
        )
