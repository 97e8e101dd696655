"""Technical indicators: pure functions of bars, warm-up is NaN, bits independent of chunks and neighbours.

    rsi(close, 14)                                       NumPy arrays or Polars Series of one symbol
    compute("rsi", panel, window=14)                     a whole Panel, or a long Polars frame sorted by symbol and ts
    compute_many({"fast": ("sma", {"window": 10}), …}, panel)    several at once; what they share is computed once
    expressions.rsi("close", 14).over("symbol")
    resume("rsi", state, new_close, window=14) -> values, state

Nothing is compiled at import; `warm()` loads every kernel with the types used in production.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from agents.indicators import columns, expressions, running
from agents.indicators.columns import Bars, to_floats, to_ragged
from agents.indicators.graph import Line, column
from agents.indicators.plans import Plan
from agents.indicators.ragged import Ragged, State
from agents.indicators.registry import Choice, Indicator, get, registered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.contracts.arrays import Floats, Ints

from agents.indicators import families

for _family in iter_modules(families.__path__):
    import_module(f"{families.__name__}.{_family.name}")  # each declares its indicators
import_module(f"{__name__}.talib_engine")

__all__ = [
    "Indicator",
    "State",
    "catalogue",
    "compute",
    "compute_many",
    "expressions",
    "get",
    "last",
    "plan",
    "registered",
    "resume",
    "warm",
]

Wanted = Mapping[str, str | tuple[str, Mapping[str, Any]]]


def compute(name: str, bars: Bars, *, out: Floats | None = None, **params: Any) -> Any:
    """Values for every bar of every symbol at once: the one seam between bars and kernels.

    Shapes: bars of N rows -> (N,) float64, or a NamedTuple of them for several outputs.
    out:    (outputs, N) float64 to reuse; the result is then views of it.
    Raises: InvalidInput for an unknown name or parameter, a missing column or an unsorted frame.
    """
    entry = get(name)
    bound = entry.bind((), params)
    return entry.run(to_ragged(bars, entry.inputs), bound, out)


def compute_many(wanted: Wanted, bars: Bars) -> pl.DataFrame:
    """Several indicators in one pass: new columns in the order of `bars`, for `bars.hstack(…)`.

    wanted: column name -> indicator, or (indicator, parameters). Several outputs become NAME.OUTPUT columns.
    Raises: InvalidInput as `compute`.
    """
    names, made = plan(wanted)
    return pl.DataFrame(list(made.run(to_ragged(bars, made.inputs))), schema=names)


def last(wanted: Wanted, bars: Bars) -> pl.DataFrame:
    """The newest values of each symbol: one row per symbol in the order of `bars`; nothing else is stored.

    A `symbol` column comes first when the bars have symbols.
    """
    names, made = plan(wanted)
    data = to_ragged(bars, made.inputs)
    found = pl.DataFrame(list(made.last(data)), schema=names)
    if not isinstance(bars, pl.DataFrame):
        return found.insert_column(0, pl.Series("symbol", bars.symbols))
    if "symbol" in bars.columns:
        return found.insert_column(0, bars["symbol"].gather(data.offsets[:-1]))
    return found


def plan(wanted: Wanted) -> tuple[list[str], Plan]:
    """Names of columns and the plan that fills them, for callers that run or resume it many times."""
    names: list[str] = []
    lines: list[Line] = []
    for name, asked in wanted.items():
        indicator, params = (asked, {}) if isinstance(asked, str) else asked
        entry = get(indicator)
        names += [name] if len(entry.outputs) == 1 else [f"{name}.{output}" for output in entry.outputs]
        lines += entry.lines([column(title) for title in entry.inputs], entry.bind((), params))
    return names, Plan(lines)


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


def warm(names: Iterable[str] | None = None) -> None:
    """Compile, or load from the cache, every kernel with the very types used in production; once per process.

    names: only what these indicators need; None = everything, all variants included.
    """
    chosen = [e for e in registered().values() if e.engine == "numba"] if names is None else map(get, names)
    plans = [entry.plan(entry.bind((), params)) for entry in chosen for params in _variants(entry)]
    running.warm()
    columns.warm()
    rows = to_floats(np.ones(2))
    done: set[tuple[Any, ...]] = set()
    for made in plans:
        kernels = {(node.kernel, *map(type, node.params)) for node in made.nodes if node.kernel}
        if not kernels <= done:
            made.run(Ragged.of([rows] * len(made.inputs), np.array([0, 1, 2])))
            done |= kernels


def _variants(entry: Indicator) -> list[dict[str, Any]]:
    choices = [(p.name, choice) for p in entry.params if isinstance(p.range, Choice) for choice in p.range.names]
    return [{}, *({name: choice} for name, choice in choices)]


def __getattr__(name: str) -> Indicator:
    found = registered().get(name)
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found
