"""A guided search tries new, allowed sets only, learns from what it is told, and repeats itself exactly."""

import numpy as np
import pytest

from agents.backtest.catalogue import builtin
from agents.backtest.grid import Axis, Grid
from agents.backtest.picking import Everything, Guide, Guided, Picker
from agents.backtest.rules import Rules
from agents.backtest.search import Search
from data.contracts.arrays import Floats, Ints
from data.contracts.errors import InvalidInput
from data.market.source import SAMPLE, open_bars


def crosses(where: str | None = None, seed: int = 0) -> Grid:
    axes = (Axis.of("fast", "2:42"), Axis.of("slow", "200,20,50,40,60,80,100,120,140,160"))
    return Grid(builtin("sma_cross"), axes, where, seed=seed)


def hill(grid: Grid, positions: Ints) -> Floats:
    """Best at fast 30, slow 120."""
    columns = grid.columns(positions)
    return -(((columns["fast"] - 30) / 10) ** 2) - ((columns["slow"] - 120) / 40) ** 2


def rounds(picker: Picker, grid: Grid, sign: float = 1.0) -> list[Ints]:
    found = []
    while (positions := picker.ask()).size:
        found.append(positions)
        picker.tell(positions, sign * hill(grid, positions))
    return found


def test_everything_is_the_whole_grid_once() -> None:
    grid = crosses()
    (only,) = rounds(Everything(grid), grid)
    np.testing.assert_array_equal(only, grid.positions)


@pytest.mark.parametrize("seed", [0, 7])
def test_a_guided_search_finds_the_top_of_a_hill_with_a_part_of_the_sets(seed: int) -> None:
    grid = crosses(where="slow > 2 * fast", seed=seed)
    batches = rounds(Guided(grid, Guide(90, 15), larger_is_better=True), grid)
    tried = np.concatenate(batches)
    assert [batch.size for batch in batches] == [15] * 6
    assert all((np.diff(batch) > 0).all() for batch in batches)
    assert np.unique(tried).size == 90
    assert np.isin(tried, grid.positions).all()
    best = tried[hill(grid, tried).argmax()]
    ranks = np.argsort(-hill(grid, grid.positions), kind="stable")
    assert best in grid.positions[ranks[:3]]
    assert hill(grid, batches[-1]).mean() > hill(grid, batches[0]).mean()


def test_smaller_may_be_better() -> None:
    grid = crosses()
    first = rounds(Guided(grid, Guide(60, 15), larger_is_better=True), grid)
    second = rounds(Guided(grid, Guide(60, 15), larger_is_better=False), grid, sign=-1.0)
    assert [batch.tolist() for batch in first] == [batch.tolist() for batch in second]


def test_the_same_seed_asks_the_same_and_another_one_does_not() -> None:
    asked = [rounds(Guided(crosses(seed=seed), Guide(40, 20), larger_is_better=True), crosses()) for seed in (1, 1, 2)]
    as_lists = [[batch.tolist() for batch in one] for one in asked]
    assert as_lists[0] == as_lists[1] != as_lists[2]


def test_when_few_sets_are_left_all_of_them_are_tried_once() -> None:
    grid = Grid(builtin("sma_cross"), (Axis.of("fast", "5,10"), Axis.of("slow", "20:80:10")))
    tried = np.concatenate(rounds(Guided(grid, Guide(500, 5), larger_is_better=True), grid))
    np.testing.assert_array_equal(np.sort(tried), grid.positions)


def test_symbols_and_undefined_values_are_searched_too() -> None:
    other = builtin("pairs_zscore")
    symbol = next(param.name for param in other.params if param.kind == "symbol")
    window = next(param.name for param in other.params if param.kind == "number")
    grid = Grid(other, (Axis.of(symbol, "A,B,C"), Axis.of(window, "10:40:2")))
    picker = Guided(grid, Guide(24, 8), larger_is_better=True)
    tried = []
    while (positions := picker.ask()).size:
        tried.append(positions)
        values = np.where(grid.columns(positions)[symbol] == "B", 1.0, np.nan)
        picker.tell(positions, values)
    assert np.unique(np.concatenate(tried)).size == 24
    latest = grid.columns(tried[-1])[symbol]
    assert (latest == "B").sum() > 8 / 3


def test_a_search_that_is_guided_is_another_question() -> None:
    panel = open_bars(SAMPLE).panel.select(["GE"])
    panel = panel.until(int(panel.ts.max()))
    whole = Search(crosses(), panel, "one", Rules())
    guided = Search(crosses(), panel, "one", Rules(), guide=Guide(70, 25))
    assert "search" not in whole.spec
    assert guided.spec["search"]["trials"] == 70
    assert guided.result_id != whole.result_id
    assert (guided.total, guided.chunk_count) == (70, 3)
    assert guided.estimate.seconds < whole.estimate.seconds
    assert guided.estimate.backtests == 70
    with pytest.raises(InvalidInput, match="leave out the sample"):
        Search(Grid(builtin("sma_cross"), crosses().axes, sample=20), panel, "one", Rules(), guide=Guide(70))


@pytest.mark.parametrize(("trials", "batch"), [(0, 5), (5_001, 5), (50, 0)])
def test_numbers_out_of_range_are_refused(trials: int, batch: int) -> None:
    with pytest.raises(InvalidInput, match="a guided search"):
        Guide(trials, batch)
