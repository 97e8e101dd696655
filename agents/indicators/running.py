"""Runs one node over columns of many symbols: from its inputs' first value, around NaN, and from where it stopped.

Kernels stay simple because of it: a guarded one never sees NaN. A window starts anew behind a NaN; a memory has no
value from a NaN on, for good, also when the history goes on in a later call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from agents.indicators.graph import Node
from agents.indicators.ragged import Memory
from agents.kernels import points
from data.contracts.arrays import Bools, Floats, Ints


def run_fresh(node: Node, columns: Sequence[Floats], offsets: Ints, out: Sequence[Floats]) -> None:
    """Fill `out` (one (N,) per output) from the first bar on."""
    counts = np.diff(offsets)
    carry = np.zeros((node.carry, counts.size))
    _run(node, columns, offsets, out, carry, np.zeros_like(counts), np.minimum(node.skip, counts))


def run_on(
    node: Node, memory: Memory, seen: Ints, columns: Sequence[Floats], offsets: Ints, out: Sequence[Floats]
) -> Memory:
    """Fill `out` for new rows that follow what `memory` holds; returns the memory after them."""
    whole, edges = memory.before(columns, offsets)
    ahead, carry = np.diff(memory.tail_offsets), memory.carry.copy()
    head = np.clip(node.skip - (seen - ahead), 0, np.diff(edges))
    rooms = [np.empty(edges[-1]) for _ in out]
    _run(node, [read_only(column) for column in whole], edges, rooms, carry, ahead, head)
    fresh = np.arange(offsets[-1]) + np.repeat(memory.tail_offsets[1:], np.diff(offsets))
    for room, target in zip(rooms, out, strict=True):
        target[:] = room[fresh]
    return memory.after(whole, edges, carry, node.reach)


def warm() -> None:
    """Compile, or load from the cache, the helpers of this module."""
    offsets, heads, column = np.array([0, 2]), np.array([1]), np.ones(2)
    points.nan_after(offsets, heads, read_only(column))
    points.blank(offsets, heads, column)


def read_only(values: Floats) -> Floats:
    """A view that cannot be written to: the one form in which kernels take inputs, so that each is compiled once."""
    view = values.view()
    view.flags.writeable = False
    return view


def _run(
    node: Node, columns: Sequence[Floats], offsets: Ints, out: Sequence[Floats], carry: Floats, ahead: Ints, head: Ints
) -> None:
    """ahead: remembered rows at the head of each symbol; head: rows there in which an input has no value yet."""
    kernel: Any = node.kernel
    if node.kind == "window":
        if not node.guarded:
            kernel(*columns, offsets, *node.params, *out)
        elif any(points.nan_after(offsets, head, column) for column in columns):
            _window_between_nans(node, columns, offsets, out)
        else:
            kernel(*columns, _split_heads(offsets, head), *node.params, *out)
        if head.any():  # the kernel counted its warm-up from the first bar, or knew nothing of the rows of `head`
            counts = np.diff(offsets)
            for room, warmup in zip(out, node.warmups, strict=True):
                points.blank(offsets, np.where(head > 0, np.minimum(head + warmup - node.skip, counts), 0), room)
        return
    starts = np.maximum(ahead, head)
    if node.guarded and (
        np.isnan(carry[0]).any() or any(points.nan_after(offsets, starts, column) for column in columns)
    ):
        _memory_until_nan(node, columns, offsets, out, carry, starts)
    else:
        kernel(*columns, offsets, by_length(offsets), starts, carry, *node.params, *out)
    _blank(offsets, starts, out)


def _window_between_nans(node: Node, columns: Sequence[Floats], offsets: Ints, out: Sequence[Floats]) -> None:
    """Each run of bars without NaN is a history of its own."""
    kernel: Any = node.kernel
    known = _known(columns)
    kernel(*columns, np.union1d(offsets, np.flatnonzero(known[1:] != known[:-1]) + 1), *node.params, *out)
    for room in out:
        room[~known] = np.nan


def _memory_until_nan(
    node: Node, columns: Sequence[Floats], offsets: Ints, out: Sequence[Floats], carry: Floats, starts: Ints
) -> None:
    """Each symbol up to its first NaN; what follows is a piece of its own that nothing is computed for."""
    kernel: Any = node.kernel
    symbols, ends = starts.size, offsets[1:]
    first = offsets[:-1] + starts
    stops = np.where(np.isnan(carry[0]), first, ends)
    bad = np.flatnonzero(~_known(columns))
    owner = np.searchsorted(offsets, bad, side="right") - 1
    live = bad >= first[owner]
    np.minimum.at(stops, owner[live], bad[live])
    edges, begins = np.empty(2 * symbols + 1, np.int64), np.empty(2 * symbols, np.int64)
    edges[0:-1:2], edges[1::2], edges[-1] = offsets[:-1], stops, offsets[-1]
    begins[0::2], begins[1::2] = starts, ends - stops
    pieces = np.zeros((carry.shape[0], 2 * symbols))
    pieces[:, 0::2] = carry
    kernel(*columns, edges, by_length(edges), begins, pieces, *node.params, *out)
    carry[:] = pieces[:, 0::2]
    carry[0, stops < ends] = np.nan
    for symbol in np.flatnonzero(stops < ends):
        for room in out:
            room[stops[symbol] : ends[symbol]] = np.nan


def _known(columns: Sequence[Floats]) -> Bools:
    known = np.ones(columns[0].size, np.bool_)
    for column in columns:
        known &= ~np.isnan(column)
    return known


def _split_heads(offsets: Ints, head: Ints) -> Ints:
    """Offsets in which the rows of `head` are symbols of their own."""
    if not head.any():
        return offsets
    edges = np.empty(2 * head.size + 1, np.int64)
    edges[0:-1:2], edges[1::2], edges[-1] = offsets[:-1], offsets[:-1] + head, offsets[-1]
    return edges


def _blank(offsets: Ints, rows: Ints, out: Sequence[Floats]) -> None:
    if rows.any():
        for room in out:
            points.blank(offsets, rows, room)


def by_length(offsets: Ints) -> Ints:
    """Symbols by number of rows, so that those advanced side by side end together."""
    return np.argsort(np.diff(offsets), kind="stable")
