"""A grid names its sets by position, tries what its constraints allow, and refuses what cannot be tried."""

import numpy as np
import pytest

from agents.backtest.catalogue import builtin
from agents.backtest.grid import MOST, Axis, Grid
from data.contracts.errors import InvalidInput

CROSS = builtin("sma_cross")


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ("5:9", (5, 6, 7, 8)),
        ("20:200:60", (20, 80, 140)),
        ("0.5:2:0.5", (0.5, 1.0, 1.5)),
        ("0.1:0.4:0.1", (0.1, 0.2, 0.1 + 2 * 0.1)),  # ends before 0.4, though 0.1 * 4 > 0.4 in binary
        ("10,20,50", (10, 20, 50)),
        ("7", (7,)),
        ("GE,KO", ("GE", "KO")),
        (range(3, 6), (3, 4, 5)),
        ([1.5, 2.5], (1.5, 2.5)),
        (np.arange(2, 4), (2, 3)),
        (4, (4,)),
    ],
)
def test_values_are_read_as_people_write_them(given: object, values: tuple[object, ...]) -> None:
    assert Axis.of("x", given).values == values


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("50:5", "no value to try"),
        ("1:2:3:4", "first:end"),
        ("1:9:0", "step must be above 0"),
        ("a:b", "a range has numbers"),
        ("5,5", "twice"),
        ("1:1e12", "at most"),
        ("nan", "cannot read"),
        ("", "cannot read"),
        ([], "no value to try"),
        ([True], "no value of a parameter"),
        (object(), "no range or list"),
    ],
)
def test_values_that_cannot_be_tried_are_refused_by_name(given: object, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        Axis.of("fast", given)


def test_every_allowed_combination_is_tried_once_the_last_axis_fastest() -> None:
    grid = Grid(CROSS, (Axis.of("fast", "2:5"), Axis.of("slow", "3:5")))
    assert grid.combinations == 6
    assert [(s.values["fast"], s.values["slow"]) for s in grid.sets(grid.positions)] == [(2, 3), (2, 4), (3, 4)]
    assert grid.positions.tolist() == [0, 1, 3]


def test_a_set_keeps_its_position_whatever_else_is_constrained() -> None:
    axes = (Axis.of("fast", "2:8"), Axis.of("slow", "3:30"))
    wide, narrow = Grid(CROSS, axes), Grid(CROSS, axes, where="slow >= 2 * fast and not slow == 20")
    assert set(narrow.positions) < set(wide.positions)
    both = narrow.columns(narrow.positions)
    assert (both["slow"] >= 2 * both["fast"]).all()
    assert 20 not in both["slow"]


def test_parameters_that_are_not_swept_have_their_default() -> None:
    grid = Grid(CROSS, (Axis.of("fast", "5,10"),), where="slow - fast > 1")
    defaults = {param.name: param.default for param in CROSS.params}
    assert {s.values["slow"] for s in grid.sets(grid.positions)} == {defaults["slow"]}


def test_a_sample_is_chosen_by_its_seed_alone() -> None:
    axes = (Axis.of("fast", "2:200"), Axis.of("slow", "3:400"))
    first, again, other = (Grid(CROSS, axes, sample=50, seed=seed).positions for seed in (1, 1, 2))
    assert first.size == 50
    assert (np.diff(first) > 0).all()
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert set(first) <= set(Grid(CROSS, axes).positions)


def test_a_sample_larger_than_the_grid_is_the_grid() -> None:
    axes = (Axis.of("fast", "2:5"), Axis.of("slow", "6:9"))
    assert np.array_equal(Grid(CROSS, axes, sample=100).positions, Grid(CROSS, axes).positions)


@pytest.mark.parametrize(
    ("axes", "where", "words"),
    [
        ((("nope", "1:5"),), None, "no parameter 'nope'"),
        ((("fast", "0:5"),), None, "between 1 and"),
        ((("fast", "0.5,1.5"),), None, "between 1 and|whole number"),
        ((("fast", "100:200"), ("slow", "20:50")), None, "fast < slow.*nowhere"),
        ((("fast", "5:9"),), "fast > 100", "nowhere"),
        ((("fast", "5:9"),), "close > 3", "parameters"),
        ((("fast", "5:9"),), "fast +", "where|cannot|end"),
    ],
)
def test_a_grid_that_cannot_be_tried_is_refused_before_any_work(
    axes: tuple[tuple[str, str], ...], where: str | None, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        Grid(CROSS, tuple(Axis.of(*axis) for axis in axes), where)


def test_a_trillion_sets_are_refused_at_once() -> None:
    axes = (Axis.of("fast", "1:2000"), Axis.of("slow", "2:5000"), Axis.of("fast", "1:2000"))
    with pytest.raises(InvalidInput, match=f"at most {MOST:,}"):
        Grid(CROSS, axes)


def test_a_grid_survives_being_written_down() -> None:
    grid = Grid(CROSS, (Axis.of("fast", "2:50"), Axis.of("slow", "60:90:5")), "slow > 3 * fast", 20, 7)
    assert Grid.of(CROSS, grid.facts()) == grid


def test_neighbours_are_one_step_away_in_the_order_of_values() -> None:
    grid = Grid(builtin("sma_cross"), (Axis.of("fast", "20,5,10"), Axis.of("slow", "50:90:10")))

    def around(fast: int, slow: int) -> set[tuple[int, int]]:
        every = grid.columns(np.arange(grid.combinations))
        own = int(np.flatnonzero((every["fast"] == fast) & (every["slow"] == slow))[0])
        found = grid.neighbours(own)
        assert (np.diff(found) > 0).all()
        return set(zip(every["fast"][found].tolist(), every["slow"][found].tolist(), strict=True))

    assert around(10, 60) == {(f, s) for f in (5, 10, 20) for s in (50, 60, 70)} - {(10, 60)}
    assert around(20, 80) == {(20, 70), (10, 70), (10, 80)}


def test_symbols_have_no_neighbours() -> None:
    other = builtin("pairs_zscore")
    symbol = next(param.name for param in other.params if param.kind == "symbol")
    assert Grid(other, (Axis.of(symbol, "A,B,C"),)).neighbours(1).size == 0
