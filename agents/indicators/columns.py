"""The seam between what callers hold (NumPy, Polars, a Panel) and what kernels take: contiguous read-only float64.

Everything is brought to that one form, without a copy where it already has it, so no kernel is ever compiled twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import polars as pl

from agents.indicators.ragged import Ragged
from agents.kernels import order
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


KEPT = 1 << 26  # bytes of a column of keys that may be kept
_last: tuple[Ints, Ints] = (np.empty(0, np.int64), np.empty(0, np.int64))


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


def runs(keys: pl.Series) -> Ints | None:
    """The first row of every value; None when some value's rows do not lie together."""
    if len(keys) and not keys.null_count():
        words = _words(keys)
        if words is not None:
            heads = _changes(words, words.size // len(keys))
            if keys.gather(heads).n_unique() == heads.size:
                return heads
    heads = np.flatnonzero(keys.ne_missing(keys.shift(1)).to_numpy())
    if len(keys) and (heads.size == 0 or heads[0] != 0):  # a null at the head equals the null before it
        heads = np.concatenate([[0], heads])
    return heads if keys.gather(heads).n_unique() == heads.size else None


def warm() -> None:
    """Compile, or load from the cache, the helpers of this module."""
    for words in (np.zeros(2, np.int64), np.zeros(2, np.int32)):
        words.flags.writeable = False
        order.changes(words, 1)
        if words.dtype == np.int64:
            order.ascend(words, np.array([0, 2]))


def _changes(words: Ints, width: int) -> Ints:
    """`order.changes`, found once for a column that is asked for again and again: one `select` of many expressions.

    The column asked for last is kept, hence nobody else can have its address, and Polars never writes to a shared one.
    """
    global _last
    before, heads = _last
    same = before.ctypes.data == words.ctypes.data and before.dtype == words.dtype and before.size == words.size
    if not same:
        heads = order.changes(words, width)
        _last = (words, heads) if words.nbytes <= KEPT else _last
    return heads


def _symbol_offsets(bars: pl.DataFrame) -> Ints:
    """Where each symbol's rows begin; the frame must hold each symbol in one run, with ascending ts."""
    rows = bars.height
    if "symbol" not in bars.columns or rows == 0:
        offsets = np.array([0, rows] if rows else [0], dtype=np.int64)
    else:
        heads = runs(bars["symbol"])
        if heads is None:
            raise InvalidInput('these bars mix their symbols; sort them first: bars.sort("symbol", "ts")')
        offsets = np.append(heads, rows).astype(np.int64)
    if "ts" in bars.columns and not order.ascend(_times(bars["ts"]), offsets):
        raise InvalidInput('the times of a symbol must ascend; sort the bars first: bars.sort("symbol", "ts")')
    return offsets


def _times(ts: pl.Series) -> Ints:
    """As whole numbers that ascend when the times do."""
    numbers = ts.to_physical()
    if not numbers.dtype.is_integer():
        raise InvalidInput(f"the column 'ts' holds {ts.dtype}, not times; cast it to Datetime first")
    if numbers.null_count():
        raise InvalidInput("some bars have no time; drop them first: bars.drop_nulls('ts')")
    return _read_only(numbers.cast(pl.Int64).to_numpy())


def _words(keys: pl.Series) -> Ints | None:
    """The stored bits of each key as one or two whole numbers, without a copy of the column; nulls are not looked for.

    Keys that differ have other bits, but equal strings of more than 12 bytes may have two addresses: where the bits
    change is a row too many possible, one too few is not. None for what is neither a string nor kept as an integer.
    """
    if keys.dtype == pl.String:
        views = keys.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())  # 16 bytes a row: length and text
        return np.frombuffer(views.buffers()[1], np.int64)[2 * views.offset :][: 2 * len(keys)]
    numbers = keys.to_physical()
    if not numbers.dtype.is_integer() or numbers.dtype in (pl.Int128, pl.UInt128):
        return None
    bits = numbers.to_numpy()  # in one of two widths: the kernel is compiled for those
    return _read_only(bits.view(np.int64) if bits.itemsize == 8 else bits.astype(np.int32, copy=False).view(np.int32))


def _read_only(values: Ints) -> Ints:
    view = values.view()
    view.flags.writeable = False
    return view
