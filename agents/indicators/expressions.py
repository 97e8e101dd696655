"""Every indicator as a builder of Polars expressions: `expressions.rsi("close", 14).over("symbol")`.

Several outputs make a struct. Over one plain column the kernels run once over the whole frame, whatever the number of
groups; over anything else Polars calls them group by group, with the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl

from agents.indicators.columns import runs, to_floats
from agents.indicators.ragged import Ragged
from agents.indicators.registry import Indicator, get, registered
from data.contracts.errors import InvalidInput


class IndicatorExpr(pl.Expr):
    """A Polars expression that knows a faster way over groups."""

    _entry: Indicator
    _params: dict[str, Any]
    _columns: list[pl.Expr]

    @classmethod
    def of(cls, entry: Indicator, columns: list[pl.Expr], params: dict[str, Any]) -> IndicatorExpr:
        """The indicator over these columns."""
        plain = pl.map_batches(columns, _one_group(entry, params), return_dtype=_dtype(entry), returns_scalar=False)
        made = cls.__new__(cls)
        made._pyexpr = plain.alias(entry.name)._pyexpr
        made._entry, made._params, made._columns = entry, params, columns
        return made

    def over(self, partition_by: Any = None, *more: Any, **options: Any) -> pl.Expr:
        """As `polars.Expr.over`; one pass over all groups when they are the values of one plain column."""
        if isinstance(partition_by, str) and not more and not options:
            return pl.map_batches(
                [pl.col(partition_by), *self._columns],
                _all_groups(self._entry, self._params),
                return_dtype=_dtype(self._entry),
                returns_scalar=False,
            ).alias(self._entry.name)
        return super().over(partition_by, *more, **options)


def build(entry: Indicator, *values: str | pl.Expr | float, **named: object) -> pl.Expr:
    """The indicator as an expression.

    Columns come first, as names or expressions; left out, they are open, high, low, close, volume themselves.
    Raises InvalidInput for a wrong number of columns, unknown or impossible parameters.
    """
    given: list[str | pl.Expr] = []
    for value in values:
        if len(given) == len(entry.inputs) or not isinstance(value, str | pl.Expr):
            break
        given.append(value)
    params = entry.bind(values[len(given) :], named)
    if given and len(given) != len(entry.inputs):
        entry.refuse_columns()
    return IndicatorExpr.of(entry, [pl.col(c) if isinstance(c, str) else c for c in given or entry.inputs], params)


def _dtype(entry: Indicator) -> pl.DataType:
    if len(entry.outputs) == 1:
        return pl.Float64()
    return pl.Struct(dict.fromkeys(entry.outputs, pl.Float64))


def _one_group(entry: Indicator, params: dict[str, Any]) -> Callable[[Sequence[pl.Series]], pl.Series]:
    def values(series: Sequence[pl.Series]) -> pl.Series:
        return _series(entry, entry.run(Ragged.single([to_floats(s) for s in series]), params))

    return values


def _all_groups(entry: Indicator, params: dict[str, Any]) -> Callable[[Sequence[pl.Series]], pl.Series]:
    def values(series: Sequence[pl.Series]) -> pl.Series:
        keys, columns = series[0], [to_floats(s) for s in series[1:]]
        if any(column.size != len(keys) for column in columns):
            raise InvalidInput(f"{entry.name} needs columns as long as the one it goes over")
        heads = runs(keys)
        if heads is not None:
            found = entry.run(Ragged.of(columns, np.append(heads, len(keys))), params)
            return _series(entry, found)
        groups = keys.rank("dense").fill_null(0).to_numpy()  # mixed: bring each group together and the values back
        order = np.argsort(groups, kind="stable")
        edges = np.flatnonzero(np.diff(groups[order], prepend=-1.0))
        lines = entry.run(Ragged.of([to_floats(c[order]) for c in columns], np.append(edges, len(keys))), params)
        back = np.empty_like(order)
        back[order] = np.arange(order.size)
        whole = lines if isinstance(lines, tuple) else (lines,)
        shuffled = [line[back] for line in whole]
        return _series(entry, tuple(shuffled) if len(whole) > 1 else shuffled[0])

    return values


def _series(entry: Indicator, lines: Any) -> pl.Series:
    if len(entry.outputs) == 1:
        return pl.Series(entry.name, lines)
    return pl.DataFrame(dict(zip(entry.outputs, lines, strict=True))).to_struct(entry.name)


def __getattr__(name: str) -> Callable[..., pl.Expr]:
    try:
        entry = get(name)
    except InvalidInput as error:
        raise AttributeError(str(error)) from None

    def expression(*values: str | pl.Expr | float, **named: object) -> pl.Expr:
        return build(entry, *values, **named)

    expression.__name__, expression.__doc__ = entry.name, entry.description
    return expression


def __dir__() -> list[str]:
    return list(registered())
