"""Bits against the columns they stand for, and positions against a loop that visits every bar."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.backtest.sweep_program import Rule, groups
from agents.expr.conditions import Above, Always, And, AtLeast, Condition, Crosses, Equal, Not, Or, line_of
from agents.indicators.graph import column
from agents.indicators.plans import Plan
from agents.indicators.ragged import Ragged
from agents.kernels import segments, windows
from agents.kernels.masks import BITS, PADDING
from agents.kernels.means import many_means
from agents.kernels.segments import positions
from data.contracts.arrays import Bools, Floats

A, B = column("high"), column("low")
LEAVES: tuple[Condition, ...] = (
    Above(A, B), Above(B, A), AtLeast(A, B), Equal(A, B), Crosses(A, B), Crosses(B, A),
    Above(A, 1.0), Above(1.0, A), AtLeast(A, 1.0), Crosses(A, 1.0), Crosses(1.0, A), Equal(B, 2.0),
    Above(A, float("nan")), Always(True), Always(False),
)  # fmt: skip


def conditions() -> st.SearchStrategy[Condition]:
    return st.recursive(
        st.sampled_from(LEAVES),
        lambda inner: st.builds(Not, inner) | st.builds(And, inner, inner) | st.builds(Or, inner, inner),
        max_leaves=6,
    )


def as_bits(wanted: list[Condition], values: dict[str, Floats], offsets: list[int]) -> Bools:
    """Each condition where it is true, by the program a sweep would run: (conditions, N)."""
    (group,) = groups(
        [Rule(condition, short_enter=Always(True)) for condition in wanted],
        most_lines=64, most_rows=1 << 20, bars_only=True,
    )  # fmt: skip
    edges = np.array(offsets, np.int64)
    rows = offsets[-1]
    lines = np.full(len(group.lines) * rows + PADDING, 7.0)
    for number, line in enumerate(group.lines):
        lines[number * rows : (number + 1) * rows] = values[line.node.name]
    words = (int(np.diff(edges).max()) + BITS - 1) // BITS
    table, out = np.empty((group.height, words), np.uint64), np.empty((len(wanted), rows), np.bool_)
    short = np.empty(len(group.lines) * words * BITS, np.float32)
    segments.decisions(
        lines, len(group.lines), edges, group.pairs, group.value_pairs, group.values, group.ops,
        np.ascontiguousarray(group.bar_rows[:, 0]), group.bounds, 0, table, short, out,
    )  # fmt: skip
    return out


def as_columns(wanted: list[Condition], values: dict[str, Floats], offsets: list[int]) -> Bools:
    found = []
    for condition in wanted:
        plan = Plan([line_of(condition)])
        given = {**values, "close": np.ones(offsets[-1])}  # `Always` reads any column
        columns = [given[name] for name in plan.inputs]
        with np.errstate(invalid="ignore"):
            found.append(plan.run(Ragged.of(columns, np.array(offsets)))[0] == 1.0)
    return np.array(found)


@settings(max_examples=60, deadline=None)
@given(st.lists(conditions(), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_a_condition_holds_on_the_same_bars_as_bits_and_as_a_column(wanted: list[Condition], seed: int) -> None:
    rng = np.random.default_rng(seed)
    offsets = [0, 1, 66, 66 + 64, 66 + 64 + int(rng.integers(1, 200))]
    values = {
        name: rng.choice([0.0, 1.0, 2.0, np.nan], offsets[-1], p=[0.3, 0.3, 0.3, 0.1]) for name in ("high", "low")
    }
    np.testing.assert_array_equal(as_bits(wanted, values, offsets), as_columns(wanted, values, offsets))


def test_numbers_that_differ_only_beyond_single_precision_are_told_apart() -> None:
    """Lines are compared as float32 first, where 1 and 1 + 1e-12 are one number, and 1e300 is infinite."""
    base = np.tile([1.0, 3.0, 1e300, -1e300, 1e-300, np.inf], 40)
    step = np.random.default_rng(3).choice([-1.0, 0.0, 1.0], base.size)
    values = {"high": base, "low": base * (1.0 + 1e-12 * step)}
    with np.errstate(invalid="ignore"):
        above, equal = as_bits([Above(A, B), Equal(A, B)], values, [0, base.size])
    np.testing.assert_array_equal(above, values["high"] > values["low"])
    np.testing.assert_array_equal(equal, values["high"] == values["low"])
    assert above.any()
    assert equal.any()


def bar_by_bar(enter: Bools, leave: Bools) -> list[int]:
    found, held = [], False
    for i in range(enter.size):
        if (held and leave[i]) or (not held and enter[i] and not leave[i]):
            held = not held
            found.append(i)
    return found


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 400), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.integers(0, 2**32 - 1))
def test_positions_from_words_are_those_of_a_walk_over_the_bars(n: int, often: float, rarely: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    enter, leave = rng.random(n) < often, rng.random(n) < rarely
    words = (n + BITS - 1) // BITS
    garbage = rng.random((2, words * BITS)) < 0.5  # behind the last bar a mask may hold anything
    garbage[0, :n], garbage[1, :n] = enter, leave
    masks = np.packbits(garbage, axis=1, bitorder="little").view(np.uint64)
    found = np.empty(words * BITS + 2 * BITS, np.int64)
    count = positions(masks[0], masks[1], n, found)
    assert found[:count].tolist() == bar_by_bar(enter, leave)


@pytest.mark.parametrize(
    "windows_asked", [[1], [2, 3, 4], [*range(1, 70)], [127, 128, 129, 255, 256, 257, 600], [5000]]
)
def test_many_means_at_once_have_the_bits_of_one_by_one(windows_asked: list[int]) -> None:
    offsets = np.array([0, 1, 1, 5, 205, 9_500])
    values = np.random.default_rng(5).normal(50.0, 9.0, 9_500)
    values.flags.writeable = False
    found = np.empty(len(windows_asked) * values.size)
    many_means(values, offsets, np.array(windows_asked), found)
    for window, mean in zip(windows_asked, found.reshape(-1, values.size), strict=True):
        expected = np.empty(values.size)
        windows.sma(values, offsets, window, expected)
        np.testing.assert_array_equal(mean, expected)
