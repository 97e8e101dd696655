"""Runs of equal keys and ascending times are found wherever they lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents.kernels.order import PIECE, ascend, changes


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("lengths", [[1], [1] * 200, [PIECE, PIECE, 1], [PIECE - 1, 2, PIECE + 1, 3 * PIECE]])
def test_every_first_row_is_found(lengths: list[int], dtype: type, width: int) -> None:
    keys = np.repeat(np.arange(len(lengths)), lengths)
    words: Any = np.zeros((keys.size, width), dtype)
    words[:, -1] = keys
    np.testing.assert_array_equal(changes(words.ravel(), width), np.cumsum([0, *lengths[:-1]]))


def test_a_change_of_one_bit_in_any_row_is_seen() -> None:
    for row in range(1, 3 * PIECE):
        words = np.zeros(3 * PIECE, np.int64)
        words[row:] = np.int64(-(2**63))
        np.testing.assert_array_equal(changes(words, 1), [0, row])


def test_times_must_ascend_within_a_symbol_only() -> None:
    offsets = np.array([0, 3, 3, 4, 200])
    times = np.concatenate([[5, 6, 7], [1], np.arange(196)])
    assert ascend(times, offsets)
    for row in [1, 2, 5, 100, 199]:
        for earlier in (times[row - 1], times[row - 1] - 1):
            wrong = times.copy()
            wrong[row] = earlier
            assert not ascend(wrong, offsets)
