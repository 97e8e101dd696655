"""What the last few bars add up to, for every bar of a column, in one pass; `windows` and `moments` say what is added.

Doubling: a summary of 1, 2, 4, 8 ... bars, each made of two of the one before, one `span` of bars apart, and the
window put together from the powers of two it holds, the largest newest. Nothing is carried from bar to bar, so a
value depends on its window alone (same bits wherever the window stands) and errors do not grow with the history.
A window of w bars costs about log2(w) steps for eight bars at once, in registers up to 16 bars (see `vectors`).
Longer spans lie whole registers back, in a ring.

A summary is a pair of `Eight`. What a window does not use of it costs nothing: LLVM leaves it out.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats
from agents.kernels.vectors import load, shifted, splat, store

Pair: TypeAlias = tuple[Any, Any]
_, _part = decorators(__file__)


@_part
def ring(window: int) -> Floats:
    """Room for the summaries that `over_windows` looks back at."""
    return np.empty(8 * window)


def over_windows(
    begin: Callable[..., Pair], double: Callable[..., Pair], join: Callable[..., Pair], finish: Callable[..., None]
) -> Callable[..., None]:
    """A part `run(inputs, outs, params, window, room)` made of four others; room = `ring(window)`.

    begin(inputs, i):                      the summaries of bars i .. i + 7, each alone
    double(older, newer, span):            of two windows of `span` bars, the older ending where the newer begins
    join(older, newer, done, span):        likewise, the older of `done` < span bars
    finish(inputs, outs, params, i, total): stores what the windows that end at i .. i + 7 give; for the first
                                           window - 1 bars that is of no meaning, and past the last there are some
    Shapes: inputs and outs are tuples of columns, the first input says how many rows there are.
    """

    @_part
    def short(state: Any, now: Pair, window: int) -> Any:
        """The state after these bars, their summary of the largest power of two up to 16 bars, and the window's."""
        alone1, now2, now4, now8, total1, total2, total4, total8, total8_before = state
        total = now
        if window >= 2:
            older, before, alone1, total1 = _ago1(alone1, now), _ago2(total1, total), now, total
            now = double(older, now, 1)
            if window & 2:
                total = join(before, now, 1, 2) if window & 1 else now
            if window >= 4:
                older, before, now2, total2 = _ago2(now2, now), _ago4(total2, total), now, total
                now = double(older, now, 2)
                if window & 4:
                    total = join(before, now, window & 3, 4) if window & 3 else now
                if window >= 8:
                    older, before, now4, total4 = _ago4(now4, now), total4, now, total
                    now = double(older, now, 4)
                    if window & 8:
                        total = join(before, now, window & 7, 8) if window & 7 else now
                    if window >= 16:
                        older, before, now8, total8_before, total8 = now8, total8_before, now, total8, total
                        now = double(older, now, 8)
                        if window & 16:
                            total = join(before, now, window & 15, 16) if window & 15 else now
        return (alone1, now2, now4, now8, total1, total2, total4, total8, total8_before), now, total

    @_part
    def long(i: int, now: Pair, total: Pair, window: int, room: Floats) -> Pair:
        """The window's summary from that of 16 bars and that of the newest window & 31."""
        span = 16
        while 2 * span <= window:
            slots = span // 4  # of 4 Eights each; the newest lies where the one of 2 * span rows ago lay
            here, half = _slot(i, slots), _slot(i - span, slots)
            older, before = _recall(room, half), _recall(room, here + 16)
            _keep(room, here, now)
            _keep(room, here + 16, total)
            now = double(older, now, span)
            span *= 2
            if window & span:
                done = window & (span - 1)
                total = join(before, now, done, span) if done else now
        return total

    @_part
    def run(inputs: Any, outs: Any, params: Any, window: int, room: Floats) -> None:
        nothing = splat(-0.0), splat(-0.0)
        # summaries of 1, 2, 4, 8 bars, eight rows ago; of the newest window & 1, 3, 7, 15; of the last, 16 rows ago
        state = nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing
        if window < 32:  # a loop of its own: nothing in it goes through memory
            for i in range(0, inputs[0].size, 8):
                state, now, total = short(state, begin(inputs, i), window)
                finish(inputs, outs, params, i, total)
        else:
            for i in range(0, inputs[0].size, 8):
                state, now, total = short(state, begin(inputs, i), window)
                finish(inputs, outs, params, i, long(i, now, total, window, room))

    return run


@_part
def _ago1(before: Pair, now: Pair) -> Pair:
    return shifted(1, before[0], now[0]), shifted(1, before[1], now[1])


@_part
def _ago2(before: Pair, now: Pair) -> Pair:
    return shifted(2, before[0], now[0]), shifted(2, before[1], now[1])


@_part
def _ago4(before: Pair, now: Pair) -> Pair:
    return shifted(4, before[0], now[0]), shifted(4, before[1], now[1])


@_part
def _slot(row: int, slots: int) -> int:
    """Where the ring of the level with that many slots keeps this row; shorter levels lie before it."""
    return 32 * (slots - 4 + (row // 8 & slots - 1))


@_part
def _recall(room: Floats, place: int) -> Pair:
    return load(room, place), load(room, place + 8)


@_part
def _keep(room: Floats, place: int, pair: Pair) -> None:
    store(room, place, pair[0])
    store(room, place + 8, pair[1])
