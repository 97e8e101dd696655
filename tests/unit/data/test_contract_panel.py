"""A part of a panel is the panel of that part, its hash follows every value, and it travels without being copied."""

import hashlib
import pickle
import struct
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.contracts.errors import InvalidInput
from data.contracts.panel import (
    COLUMNS,
    DatedSeries,
    Panel,
    RunningDigests,
    content_hash,
    from_micros,
    to_micros,
)

DAY = 86_400_000_000
LETTERS = "ABCDEFGH"


def make(days: Sequence[Sequence[int]], *, seed: int = 1, symbols: str = LETTERS) -> Panel:
    """One symbol per list of days; what a bar holds depends on symbol, day and seed only, so parts can be made anew."""
    rows = [(symbols[s], day) for s, row in enumerate(days) for day in row]
    value: dict[str, Any] = {
        name: np.array([(ord(symbol) * 131 + day * 17 + seed * 7 + c) % 1009 / 8.0 for symbol, day in rows])
        for c, name in enumerate(COLUMNS)
    }
    return Panel(
        symbols=tuple(symbols[: len(days)]),
        offsets=np.concatenate([[0], np.cumsum([len(row) for row in days])]).astype(np.int64),
        ts=np.array([day * DAY for _, day in rows], dtype=np.int64),
        **value,
        gap=np.array([(ord(symbol) + day) % 5 == 0 for symbol, day in rows], dtype=np.bool_),
        context={"vix": DatedSeries("vix", DAY * np.arange(40, dtype=np.int64), {"close": np.arange(40) / 4.0})},
    )


def equal(a: Panel, b: Panel) -> bool:
    arrays = ("offsets", "ts", *COLUMNS, "gap")
    return (
        (a.symbols, a.frame, a.adjust) == (b.symbols, b.frame, b.adjust)
        and all(np.array_equal(getattr(a, name), getattr(b, name)) for name in arrays)
        and {k: v.digest for k, v in a.context.items()} == {k: v.digest for k, v in b.context.items()}
    )


some_days = st.lists(
    st.lists(st.integers(0, 30), min_size=1, max_size=12, unique=True).map(sorted), min_size=1, max_size=len(LETTERS)
)


@pytest.fixture
def panel() -> Panel:
    return make([[1, 2, 3, 4], [2, 3], [1, 4, 5], [5]])


# -- parts ------------------------------------------------------------------------------------------------------


@given(some_days, st.data())
def test_selected_symbols_are_the_panel_built_from_them_alone(days: list[list[int]], data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.integers(0, len(days) - 1), min_size=1))
    names = "".join(LETTERS[s] for s in sorted(chosen))
    scratch = make([days[s] for s in sorted(chosen)], symbols=names)
    found = make(days).select(data.draw(st.permutations(names)))
    assert equal(found, scratch)
    assert found.content_hash == scratch.content_hash


@given(some_days, st.integers(-1, 31))
def test_the_panel_until_a_day_is_the_panel_built_from_those_days(days: list[list[int]], last: int) -> None:
    kept = [(LETTERS[s], [day for day in row if day <= last]) for s, row in enumerate(days)]
    kept = [(symbol, row) for symbol, row in kept if row]
    found = make(days).until(last * DAY)
    scratch = make([row for _, row in kept], symbols="".join(symbol for symbol, _ in kept)).until(last * DAY)
    assert equal(found, scratch)
    assert found.content_hash == scratch.content_hash


@given(some_days, st.data())
def test_neighbouring_symbols_are_views_of_the_panel(days: list[list[int]], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(days) - 1))
    last = data.draw(st.integers(first + 1, len(days)))
    whole = make(days)
    part = whole.slice(first, last)
    assert part.offsets[0] == 0
    assert part.offsets[-1] == len(part)
    for name in ("ts", *COLUMNS, "gap"):
        assert np.shares_memory(getattr(part, name), getattr(whole, name))
    assert part.digests == whole.digests[first:last]


@given(some_days, st.integers(-1, 31), st.integers(-1, 31))
def test_the_panel_between_two_days_is_the_panel_built_from_those_days(
    days: list[list[int]], after: int, until: int
) -> None:
    kept = [(LETTERS[s], [day for day in row if after < day <= until]) for s, row in enumerate(days)]
    kept = [(symbol, row) for symbol, row in kept if row]
    found = make(days).between(after * DAY, until * DAY)
    scratch = make([row for _, row in kept], symbols="".join(symbol for symbol, _ in kept)).until(until * DAY)
    assert equal(found, scratch)


def test_one_symbol_is_cut_by_time_without_a_copy(panel: Panel) -> None:
    one = panel.of("A")
    assert np.shares_memory(one.until(2 * DAY).close, panel.close)
    assert one.until(2 * DAY).ts.tolist() == [DAY, 2 * DAY]


def test_a_moment_includes_the_bar_that_closes_at_it(panel: Panel) -> None:
    assert int(panel.until(from_micros(4 * DAY)).ts.max()) == 4 * DAY
    assert int(panel.until(from_micros(4 * DAY - 1)).ts.max()) == 3 * DAY


def test_context_that_became_known_later_is_cut_too(panel: Panel) -> None:
    series = panel.until(10 * DAY).context["vix"]
    assert int(series.known_at[-1]) == 10 * DAY
    assert series.values["close"].size == series.known_at.size == 11


def test_symbols_without_a_bar_so_far_are_dropped(panel: Panel) -> None:
    assert panel.until(DAY).symbols == ("A", "C")
    assert panel.until(0).symbols == ()
    assert len(panel.until(0)) == 0
    assert panel.until(0).offsets.tolist() == [0]


@pytest.mark.parametrize("symbol", ["", "AA", "Z", "a"])
def test_an_unknown_symbol_is_named(panel: Panel, symbol: str) -> None:
    for ask in (panel.index, panel.of, lambda name: panel.select(["A", name])):
        with pytest.raises(InvalidInput, match=f"no symbol '{symbol}'"):
            ask(symbol)


def test_last_rows_are_the_newest_bars_and_sessions_are_shared(panel: Panel) -> None:
    assert (panel.ts[panel.last_rows] // DAY).tolist() == [4, 3, 5, 5]
    assert (panel.sessions // DAY).tolist() == [1, 2, 3, 4, 5]


# -- identity ---------------------------------------------------------------------------------------------------


@given(st.sampled_from(("ts", *COLUMNS, "gap")), st.integers(0, 9), st.data())
def test_the_hash_changes_with_any_value(name: str, row: int, data: st.DataObject) -> None:
    panel = make([[1, 2, 3, 4], [2, 3], [1, 4, 5], [5]])
    column = getattr(panel, name).copy()
    if name == "gap":
        column[row] = not column[row]
    elif name == "ts":
        column[row] += 1
    else:
        column[row] = np.nextafter(column[row], data.draw(st.sampled_from([-np.inf, np.inf])))
    changed = replace(panel, **{name: column})
    owner = int(np.searchsorted(panel.offsets, row, side="right")) - 1
    assert changed.content_hash != panel.content_hash
    assert [a == b for a, b in zip(changed.digests, panel.digests, strict=True)] == [s != owner for s in range(4)]


@given(some_days, st.lists(st.integers(-1, 31), max_size=5).map(sorted))
def test_a_history_hashed_piece_by_piece_has_the_digests_of_the_whole(days: list[list[int]], cuts: list[int]) -> None:
    whole, running = make(days), RunningDigests()
    moments = [-1, *cuts, 31]
    for after, until in pairwise(moments):
        running.add(whole.between(after * DAY, until * DAY))
        so_far = whole.until(until * DAY)
        assert running.of(so_far.symbols) == so_far.digests
    assert content_hash(whole.frame, whole.adjust, running.of(whole.symbols)) == whole.content_hash


def test_the_digest_of_a_symbol_is_the_plain_hash_of_its_name_and_rows(panel: Panel) -> None:
    """Written out once more with the standard library alone: a reader elsewhere can check a stored hash."""
    for symbol, digest in zip(panel.symbols, panel.digests, strict=True):
        one = panel.of(symbol)
        columns = [one.ts.tolist(), *(getattr(one, name).tolist() for name in COLUMNS), one.gap.tolist()]
        rows = b"".join(struct.pack("<q5d?", *row) for row in zip(*columns, strict=True))
        name = symbol.encode()
        assert digest == hashlib.sha256(f"s{len(name)};".encode() + name + rows).hexdigest()


def test_the_hash_changes_with_frame_adjustment_names_and_borders(panel: Panel) -> None:
    borders = replace(panel, offsets=np.array([0, 5, 6, 9, 10]))
    variants = [
        replace(panel, frame="1h"),
        replace(panel, adjust="none"),
        replace(panel, symbols=("A", "B", "C", "E")),
        borders,
    ]
    assert len({panel.content_hash, *(variant.content_hash for variant in variants)}) == 5


def test_the_hash_does_not_depend_on_how_the_arrays_lie(panel: Panel) -> None:
    spread = np.repeat(panel.close, 2)[::2]
    assert not spread.flags.c_contiguous
    assert replace(panel, close=spread).content_hash == panel.content_hash


@given(st.integers(0, 39), st.floats(0.25, 4.0))
def test_the_digest_of_a_series_changes_with_any_value(row: int, step: float) -> None:
    series = DatedSeries("vix", np.arange(40, dtype=np.int64), {"close": np.zeros(40)})
    close, known = series.values["close"].copy(), series.known_at.copy()
    close[row] += step
    known[row:] += 1
    changed = [
        DatedSeries("vix", series.known_at, {"close": close}),
        DatedSeries("vix", known, series.values),
        DatedSeries("rates", series.known_at, series.values),
        DatedSeries("vix", series.known_at, {"open": series.values["close"]}),
    ]
    assert len({series.digest, *(other.digest for other in changed)}) == 5


def test_a_fact_is_used_from_the_moment_it_became_known() -> None:
    series = DatedSeries("vix", np.array([10, 20, 20, 30], dtype=np.int64), {"close": np.arange(4.0)})
    assert series.index_at(np.array([9, 10, 19, 20, 35], dtype=np.int64)).tolist() == [-1, 0, 0, 2, 3]


# -- transport --------------------------------------------------------------------------------------------------


def test_a_pickle_carries_every_array_out_of_band(panel: Panel) -> None:
    buffers: list[pickle.PickleBuffer] = []
    text = pickle.dumps(panel, protocol=5, buffer_callback=buffers.append)
    shared = [buffer.raw() for buffer in buffers]
    arrays = [panel.offsets, panel.ts, *(getattr(panel, name) for name in COLUMNS), panel.gap]
    assert sum(part.nbytes for part in shared) >= sum(array.nbytes for array in arrays)
    back: Panel = pickle.loads(text, buffers=[part.toreadonly() for part in shared])  # noqa: S301  our own bytes
    assert equal(back, panel)
    assert back.content_hash == panel.content_hash
    assert np.shares_memory(back.close, np.frombuffer(shared[_at(shared, panel.close)], dtype=np.float64))
    assert not back.close.flags.writeable


def test_times_survive_the_way_to_microseconds_and_back() -> None:
    moment = datetime(2018, 2, 7, 21, 0, 0, 123457, tzinfo=UTC)
    assert from_micros(to_micros(moment)) == moment
    with pytest.raises(InvalidInput, match="has no time zone"):
        to_micros(moment.replace(tzinfo=None))


def _at(buffers: Sequence[memoryview], array: np.ndarray[tuple[int], np.dtype[np.float64]]) -> int:
    return next(i for i, part in enumerate(buffers) if part.tobytes() == array.tobytes())
