"""Eight rows at a time give what NumPy gives row by row, also where a column ends."""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
import pytest

from agents.kernels.vectors import load, root, shifted, size_of, splat, store, where_above, where_equal
from data.contracts.arrays import Floats

_njit: Callable[[Callable[..., None]], Callable[..., None]] = numba.njit


@_njit
def copied(values: Floats, first: int, target: Floats, to: int) -> None:
    store(target, to, load(values, first))


@_njit
def shifts(values: Floats, out: Floats) -> None:
    before, now = load(values, 0), load(values, 8)
    store(out, 0, shifted(1, before, now))
    store(out, 8, shifted(2, before, now))
    store(out, 16, shifted(4, before, now))


@_njit
def formulas(a: Floats, b: Floats, out: Floats) -> None:
    x, y, low = load(a, 0), load(b, 0), splat(-1.0)
    store(out[0], 0, (x + y) * 2.0 - 1.0 / x)
    store(out[1], 0, where_above(x, y, x, low))
    store(out[2], 0, where_equal(x, y, x, low))
    store(out[3], 0, root(size_of(x - y)))


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 20])
@pytest.mark.parametrize("first", [-9, -8, -3, 0, 1, 12, 20, 30])
def test_rows_outside_a_column_are_zero_and_are_never_written(size: int, first: int) -> None:
    values = np.arange(1.0, size + 1.0)
    target = np.zeros(8)
    copied(values, first, target, 0)
    expected = [values[row] if 0 <= row < size else 0.0 for row in range(first, first + 8)]
    np.testing.assert_array_equal(target, expected)
    around = np.full(size + 32, 7.0)  # what lies before and behind the column
    copied(np.arange(1.0, 9.0), 0, around[16 : 16 + size], first)
    written = [float(row - first + 1) if first <= row < first + 8 else 7.0 for row in range(size)]
    np.testing.assert_array_equal(around, np.concatenate([np.full(16, 7.0), written, np.full(16, 7.0)]))


def test_a_shift_brings_the_rows_before() -> None:
    values, out = np.arange(16.0), np.empty(24)
    shifts(values, out)
    np.testing.assert_array_equal(out, np.concatenate([values[7:15], values[6:14], values[4:12]]))


def test_formulas_are_those_of_numpy_also_for_nan() -> None:
    a = np.array([1.0, 2.0, np.nan, 4.0, -5.0, 0.5, np.inf, 3.0])
    b = np.array([2.0, 2.0, 1.0, np.nan, 5.0, 0.25, 1.0, 3.0])
    out = np.empty((4, 8))
    formulas(a, b, out)
    np.testing.assert_array_equal(out[0], (a + b) * 2.0 - 1.0 / a)
    np.testing.assert_array_equal(out[1], np.where(a > b, a, -1.0))
    np.testing.assert_array_equal(out[2], np.where(a == b, a, -1.0))
    np.testing.assert_array_equal(out[3], np.sqrt(np.abs(a - b)))
