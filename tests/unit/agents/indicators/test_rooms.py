"""Memory is used again only when nobody can see it any more."""

from __future__ import annotations

import numpy as np
import polars as pl

from agents import indicators
from agents.indicators import rooms

SHAPE = (2, rooms.LARGE // 8)


def test_a_block_is_handed_out_again_when_the_last_series_over_it_is_gone() -> None:
    rooms._idle.clear()
    block = rooms.empty(SHAPE)
    address = block.ctypes.data
    block[1] = 3.0
    series = pl.Series("kept", block[1])
    del block
    other = rooms.empty(SHAPE)
    other[:] = 7.0
    assert other.ctypes.data != address
    assert (series == 3.0).all()
    del series
    again = rooms.empty(SHAPE)
    assert again.ctypes.data == address
    assert (other == 7.0).all()


def test_results_are_never_changed_by_later_ones() -> None:
    rng = np.random.default_rng(1)
    bars = [pl.DataFrame({"close": rng.normal(100.0, 1.0, rooms.LARGE // 8)}) for _ in range(3)]
    wanted: indicators.Wanted = {"fast": ("sma", {"window": 3}), "band": "bollinger"}
    first = indicators.compute_many(wanted, bars[0])
    copy = first.select(pl.all() * 1.0)
    column = first["band.upper"].slice(10)
    for frame in bars[1:]:
        indicators.compute_many(wanted, frame)
        frame.select(indicators.expressions.sma("close", 3))
    assert first.equals(copy)
    del first
    indicators.compute_many(wanted, bars[1])
    assert column.equals(copy["band.upper"].slice(10))


def test_what_lies_idle_has_a_limit() -> None:
    rooms._idle.clear()
    blocks = [rooms.empty((rooms.KEPT // 8 // 4,)) for _ in range(6)]
    assert len({block.ctypes.data for block in blocks}) == 6
    blocks.clear()
    assert sum(map(len, rooms._idle)) <= rooms.KEPT
    rooms._idle.clear()
