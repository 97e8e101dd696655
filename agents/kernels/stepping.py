"""Runs the step of an indicator over a ragged panel: one symbol alone, or eight in one vector (see `tiles`).

Each symbol goes through the same steps in the same order either way. Groups of eight take the rows all of them have,
eight bars at a time; rows of a seeding that the symbols are not in together, and what is left of longer ones, follow
alone. Fewer than eight fill up with copies of one of them, which write the same values to the same places.

Memory wants long runs, and eight lanes of several columns at once are more streams than a CPU watches: while one burst
of bars is computed, the next is asked for lane by lane. That alone made some kernels twice as fast.
"""

from typing import Any

import numpy as np

from agents.kernels import tiles
from agents.kernels.compiling import decorators
from agents.kernels.tiles import (
    FETCHED,
    across,
    bar_of,
    eights,
    fetch,
    hide,
    keep_bar,
    keep_eights,
    keep_singles,
    singles,
    turn_in,
    turn_out,
)
from agents.kernels.types import Floats, Ints
from agents.kernels.vectors import WIDTH

SOURCES = (__file__, *tiles.SOURCES)
BURST = 256  # bars of a lane that are asked for together: 2 KiB of every column
FEW = 2  # so many symbols are quicker one after the other than in a vector
_MANY = 1 << 62
_, _part = decorators(__file__, *tiles.SOURCES)


@_part
def advance(
    step: Any,
    shown: Any,
    columns: Any,
    outs: Any,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    zeros: Any,
    params: Any,
    plan: Any,
) -> None:
    """Take every symbol from where `carry` left it to its end; step, shown, params and plan: see `steps`.

    zeros: one 0.0 per level. outs: may be none (`()`); then `carry` alone is the result.
    """
    scratch = scratch_of(len(zeros), len(columns), len(outs))
    for group in range(0, order.size, WIDTH):
        advance_group(step, shown, columns, outs, group, offsets, order, starts, carry, zeros, params, plan, scratch)


@_part
def advance_group(
    step: Any,
    shown: Any,
    columns: Any,
    outs: Any,
    group: int,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    zeros: Any,
    params: Any,
    plan: Any,
    scratch: Any,
) -> None:
    """What `advance` does, for the (up to) eight symbols from order[group] on."""
    ready, warmups = plan
    at, ends, seen, later, live, levels, room, made = scratch
    lanes, together = min(WIDTH, order.size - group), True
    for lane in range(lanes):
        s, ahead = order[group + lane], order[min(group + WIDTH + lane, order.size - 1)]
        at[lane], ends[lane], later[lane] = offsets[s] + starts[s], offsets[s + 1], offsets[ahead] + starts[ahead]
        live[lane], seen[lane] = True, np.int64(carry[0, s])
        together = together and seen[lane] == seen[0]
        for j in range(len(zeros)):
            levels[j * WIDTH + lane] = carry[j + 1, s]
    while True:
        busy, rows = 0, _MANY
        for lane in range(lanes):
            busy += live[lane] and ends[lane] - at[lane] >= WIDTH
        for lane in range(lanes):
            if live[lane]:
                last = busy <= FEW or ends[lane] - at[lane] < WIDTH
                goal = at[lane] if together else min(ends[lane], at[lane] + max(0, ready - seen[lane]))
                goal = ends[lane] if last else goal
                _alone(step, shown, columns, outs, lane, at, goal, seen, levels, zeros, params, ready)
                if last:
                    live[lane] = False
                    for j in range(len(zeros)):
                        carry[j + 1, order[group + lane]] = levels[j * WIDTH + lane]
                else:
                    rows = min(rows, (ends[lane] - at[lane]) // WIDTH * WIDTH)
        if busy <= FEW:
            break
        _fill(lanes, live, at, seen, levels, len(zeros))
        if together and seen[0] < ready:
            first, count = min(rows, (ready - seen[0] + WIDTH - 1) // WIDTH * WIDTH), seen[0]
            _beside(step, shown, columns, outs, at, seen, first, count, later, levels, room, made, zeros, params)
            rows -= first
        _beside(step, shown, columns, outs, at, seen, rows, None, later, levels, room, made, zeros, params)
    for lane in range(lanes):
        s = order[group + lane]
        row, end, before = offsets[s] + starts[s], offsets[s + 1], np.int64(carry[0, s])
        for i in range(min(end - row, ready - before)):
            hide(outs, row + i, before + i, warmups)
        carry[0, s] += end - row


@_part
def scratch_of(levels: int, columns: int, outs: int) -> Any:
    """Room for `advance_group`, of that many levels, columns and outs or fewer."""
    at, ends = np.zeros(WIDTH, np.int64), np.zeros(WIDTH, np.int64)
    seen, later, live = np.zeros(WIDTH, np.int64), np.zeros(WIDTH, np.int64), np.zeros(WIDTH, np.bool_)
    room, made = _room(WIDTH * WIDTH * columns), _room(WIDTH * WIDTH * outs)
    return at, ends, seen, later, live, _room(WIDTH * levels), room, made


@_part
def _room(size: int) -> Floats:
    """Scratch in which eight values never straddle two cache lines."""
    whole = np.zeros(size + WIDTH)
    first = (-whole.ctypes.data // whole.itemsize) % WIDTH
    return whole[first : first + size]


@_part
def _fill(lanes: int, live: Any, at: Ints, seen: Ints, levels: Floats, count: int) -> None:
    """Put copies of a busy lane into those that have nothing to do."""
    source = 0
    for lane in range(lanes):
        if live[lane]:
            source = lane
    for lane in range(WIDTH):
        if lane >= lanes or not live[lane]:
            at[lane], seen[lane] = at[source], seen[source]
            for j in range(0, count * WIDTH, WIDTH):
                levels[j + lane] = levels[j + source]


@_part
def _alone(
    step: Any,
    shown: Any,
    columns: Any,
    outs: Any,
    lane: int,
    at: Ints,
    goal: int,
    seen: Ints,
    levels: Floats,
    zeros: Any,
    params: Any,
    ready: int,
) -> None:
    """One lane up to the row `goal`: all levels in one loop, so that the latency of one hides that of the others."""
    i, count, state = at[lane], seen[lane], singles(levels, lane, zeros)
    seen[lane] += goal - i
    at[lane] = goal
    while i < goal and count < ready:
        count += 1
        state = step(state, bar_of(columns, i), bar_of(columns, i - 1 if count > 1 else i), count, params)
        keep_bar(outs, i, shown(state))
        i += 1
    if i < goal:
        before = bar_of(columns, i - 1)
        for row in range(i, goal):
            now = bar_of(columns, row)
            state = step(state, now, before, None, params)
            before = now
            keep_bar(outs, row, shown(state))
    keep_singles(levels, lane, state)


@_part
def _beside(
    step: Any,
    shown: Any,
    columns: Any,
    outs: Any,
    at: Ints,
    seen: Ints,
    rows: int,
    count: Any,
    later: Ints,
    levels: Floats,
    room: Floats,
    made: Floats,
    zeros: Any,
    params: Any,
) -> None:
    """All lanes, `rows` of them (a multiple of eight); count: bars that all have seen, None when none is seeding."""
    back = 1
    if count is not None:
        back = min(1, count)
    state, before = eights(levels, 0, zeros), across(columns, at, -back)
    for row in range(0, rows, WIDTH):
        ahead = _upcoming(row, rows, at, later)
        fetch(columns, ahead)
        fetch(outs, ahead)
        turn_in(columns, at, row, room)
        for bar in range(WIDTH):
            now = eights(room, bar * WIDTH * len(columns), columns)
            if count is None:
                state = step(state, now, before, None, params)
            else:
                state = step(state, now, before, count + row + bar + 1, params)
            before = now
            keep_eights(made, bar * WIDTH * len(outs), outs, shown(state))
        turn_out(made, outs, at, row)
    keep_eights(levels, 0, zeros, state)
    for lane in range(WIDTH):
        at[lane] += rows
        seen[lane] += rows


@_part
def _upcoming(row: int, rows: int, at: Ints, later: Ints) -> int:
    """What to `fetch` beside the tile at `row`: lane by lane the burst after this one, or the first one of `later`."""
    tile, burst = row % BURST // WIDTH, row - row % BURST + BURST
    lane, part = tile * FETCHED // BURST, tile * FETCHED % BURST
    return int(part + (at[lane] + burst if burst < rows else later[lane]))
