"""The seam between what callers hold (NumPy, Polars, a Panel) and what kernels take: contiguous read-only float64.

Everything is brought to that one form, without a copy where it already has it, so no kernel is ever compiled twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import polars as pl

from agents.indicators.ragged import Ragged
from data.contracts.arrays import Floats, Ints
from data.contracts.errors import InvalidInput
from data.contracts.panel import Panel

Input: TypeAlias = Literal["open", "high", "low", "close", "volume", "other"]
Bars: TypeAlias = Panel | pl.DataFrame

INPUTS: tuple[Input, ...] = (
    "open",
    "high",
    "low",
    "close",
    "volume",
    "other",
)  # other: a second series to compare with


def to_floats(column: object) -> Floats:
    """A read-only, contiguous float64 view of a one-dimensional column (a copy only if it must be converted).

    Integers become floats and a Polars null becomes NaN. Raises InvalidInput for anything that is not numeric.
    """
    if isinstance(column, pl.Series):
        if not column.dtype.is_numeric():
            raise InvalidInput(f"the column {column.name!r} holds {column.dtype}, not numbers; cast it first")
        column = column.cast(pl.Float64).to_numpy()
    values = np.asarray(column)
    if values.dtype.kind not in "fiu" or values.ndim != 1:
        raise InvalidInput(
            f"an input column must be one-dimensional and numeric, not {values.dtype} of {values.ndim} dimensions"
        )
    view = np.ascontiguousarray(values, dtype=np.float64).view()
    view.flags.writeable = False
    return view


def to_ragged(bars: Bars, inputs: Sequence[str]) -> Ragged:
    """The named columns of a Panel or of a long Polars frame sorted by symbol, then ts.

    A frame without a `symbol` column is one symbol. Raises InvalidInput for a missing column or an unsorted frame.
    """
    if isinstance(bars, Panel):
        if "other" in inputs:
            raise InvalidInput(
                "a panel has no second series; call the indicator with two columns, or a frame with `other`"
            )
        return Ragged.of([to_floats(getattr(bars, name)) for name in inputs], bars.offsets)
    missing = [name for name in inputs if name not in bars.columns]
    if missing:
        raise InvalidInput(f"these bars have no column {', '.join(missing)}; they have {', '.join(bars.columns)}")
    columns = [to_floats(bars[name]) for name in inputs]
    return Ragged.of(columns, _symbol_offsets(bars))


def _symbol_offsets(bars: pl.DataFrame) -> Ints:
    """Where each symbol's rows begin; the frame must hold each symbol in one run, with ascending ts."""
    rows = bars.height
    if "symbol" not in bars.columns or rows == 0:
        offsets = np.array([0, rows] if rows else [0], dtype=np.int64)
    else:
        symbol = bars["symbol"]
        heads = np.flatnonzero((symbol != symbol.shift(1)).fill_null(True).to_numpy())
        if symbol[heads].n_unique() != heads.size:
            raise InvalidInput('these bars mix their symbols; sort them first: bars.sort("symbol", "ts")')
        offsets = np.append(heads, rows).astype(np.int64)
    if "ts" in bars.columns and rows:
        backwards = (bars["ts"].diff().dt.total_microseconds() <= 0).fill_null(False).to_numpy().copy()
        backwards[offsets[:-1]] = False
        if backwards.any():
            raise InvalidInput('the times of a symbol must ascend; sort the bars first: bars.sort("symbol", "ts")')
    return offsets
