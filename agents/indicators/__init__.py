"""Technical indicators: pure functions of bars, warm-up is NaN, bits independent of chunks and neighbours.

    rsi(close, 14)                          NumPy arrays or Polars Series of one symbol
    compute("rsi", panel, window=14)        a whole Panel, or a long Polars frame sorted by symbol and ts
    expressions.rsi("close", 14).over("symbol")
    resume("rsi", state, new_close, window=14) -> values, state

Nothing is compiled at import; `warm()` loads every kernel with the types used in production.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.indicators import expressions
from agents.indicators.columns import Bars, to_floats, to_ragged
from agents.indicators.ragged import Ragged, State
from agents.indicators.registry import Indicator, get, registered

if TYPE_CHECKING:
    from data.contracts.arrays import Floats, Ints

for _family in ("momentum", "trend", "volatility", "volume"):
    import_module(f"{__name__}.{_family}")  # each declares its indicators

__all__ = ["Indicator", "State", "catalogue", "compute", "expressions", "get", "registered", "resume", "warm"]


def compute(name: str, bars: Bars, *, out: Floats | None = None, **params: Any) -> Any:
    """Values for every bar of every symbol at once: the one seam between bars and kernels.

    Shapes: bars of N rows -> (N,) float64, or a NamedTuple of them for several outputs.
    out:    (outputs, N) float64 to reuse; the result is then views of it.
    Raises: InvalidInput for an unknown name or parameter, a missing column or an unsorted frame.
    """
    entry = get(name)
    bound = entry.bind((), params)
    return entry.run(to_ragged(bars, entry.inputs), bound, out)


def resume(
    name: str, state: State | None, *columns: Any, offsets: Ints | None = None, **params: Any
) -> tuple[Any, State]:
    """Values for new bars only, and the state to pass with the next ones; `state` None = nothing came before.

    Any pieces give the bits of the whole history at once. `columns` are the new bars of one symbol, or with
    `offsets` (S+1,) of S symbols end to end (a symbol may have none). The state passed in is not changed.
    """
    entry = get(name)
    bound = entry.bind((), params)
    floats = [to_floats(column) for column in columns]
    if len(floats) != len(entry.inputs):
        entry.refuse_columns()
    edges = np.array([0, floats[0].size], dtype=np.int64) if offsets is None else offsets
    return entry.resume(state, Ragged.of(floats, edges), bound)


def catalogue() -> list[dict[str, Any]]:
    """Every indicator as a JSON-able row, in alphabetical order."""
    return [entry.row() for entry in registered().values()]


def warm() -> None:
    """Compile, or load from the cache, every kernel with the very types used in production; once per process."""
    rows = np.ones(2)
    for entry in registered().values():
        entry.run(Ragged.of([to_floats(rows)] * len(entry.inputs), np.array([0, 1, 2])), entry.bind((), {}))


def __getattr__(name: str) -> Indicator:
    found = registered().get(name)
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found
