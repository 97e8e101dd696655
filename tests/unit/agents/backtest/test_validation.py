"""Plans of folds: nothing that trains is near what is tested, and every bar is tested as often as promised."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agents.backtest.validation import Combinations, combinatorial, walk_forward
from data.contracts.errors import InvalidInput


def test_two_years_train_and_half_a_year_tests() -> None:
    folds = walk_forward(1_259, train=504, test=126, purge=5)
    assert [fold.test for fold in folds] == [range(b, min(b + 126, 1_259)) for b in range(509, 1_259, 126)]
    assert folds[0].train == range(504)
    assert folds[-1].train == range(630, 1_134)
    assert [fold.partial for fold in folds] == [False] * 5 + [True]
    assert len(folds[-1].test) == 120


def test_anchored_trains_begin_at_the_first_bar_and_end_where_the_rolling_ones_do() -> None:
    rolling = walk_forward(900, train=300, test=100, purge=3, embargo=2)
    anchored = walk_forward(900, train=300, test=100, purge=3, embargo=2, anchored=True)
    assert [fold.test for fold in anchored] == [fold.test for fold in rolling]
    assert [fold.train for fold in anchored] == [range(fold.train.stop) for fold in rolling]


@given(
    st.integers(2, 400), st.integers(1, 200), st.integers(1, 90), st.integers(0, 20), st.integers(0, 20), st.booleans()
)
def test_tests_follow_each_other_to_the_last_bar_and_trains_keep_away(
    bars: int, train: int, test: int, purge: int, embargo: int, anchored: bool
) -> None:
    assume(bars > train + purge + embargo)
    folds = walk_forward(bars, train=train, test=test, purge=purge, embargo=embargo, anchored=anchored)
    assert [i for fold in folds for i in fold.test] == list(range(train + purge + embargo, bars))
    for number, fold in enumerate(folds):
        assert fold.number == number
        assert fold.test.start - fold.train[-1] == purge + embargo + 1
        assert len(fold.train) == (train + number * test if anchored else train)
        assert fold.partial == (len(fold.test) < test)
        assert not fold.partial or number == len(folds) - 1


def test_a_history_that_just_fits_is_one_fold_of_one_bar() -> None:
    (fold,) = walk_forward(16, train=10, test=4, purge=3, embargo=2)
    assert (fold.train, fold.test, fold.partial) == (range(10), range(15, 16), True)
    with pytest.raises(InvalidInput, match="at least 16 bars and there are 15"):
        walk_forward(15, train=10, test=4, purge=3, embargo=2)


@pytest.mark.parametrize("wrong", [{"train": 0}, {"test": 0}, {"purge": -1}, {"embargo": -1}])
def test_a_number_out_of_range_is_named(wrong: dict[str, int]) -> None:
    asked = {"train": 10, "test": 10, "purge": 0, "embargo": 0, **wrong}
    with pytest.raises(InvalidInput, match=f"{next(iter(wrong))} must be at least"):
        walk_forward(100, train=asked["train"], test=asked["test"], purge=asked["purge"], embargo=asked["embargo"])


def test_six_groups_by_two_are_the_fifteen_splits_and_five_paths_of_the_book() -> None:
    """López de Prado (2018), fig. 12.1 and 12.2: which split tests which group on which path."""
    plan = combinatorial(600, groups=6, test_groups=2)
    assert len(plan.splits) == 15
    assert plan.splits[0].groups == (0, 1)
    assert plan.splits[14].groups == (4, 5)
    assert plan.paths == (
        (0, 0, 1, 2, 3, 4),
        (1, 5, 5, 6, 7, 8),
        (2, 6, 9, 9, 10, 11),
        (3, 7, 10, 12, 12, 13),
        (4, 8, 11, 13, 14, 14),
    )
    assert plan.splits[0].train == (range(200, 600),)


def test_purge_guards_both_sides_of_a_test_and_embargo_what_follows() -> None:
    plan = combinatorial(60, groups=6, test_groups=2, purge=2, embargo=3)
    split = next(split for split in plan.splits if split.groups == (1, 3))
    assert split.test == (range(10, 20), range(30, 40))
    assert split.train == (range(8), range(25, 28), range(45, 60))


@given(st.integers(10, 150), st.integers(2, 7), st.integers(1, 3), st.integers(0, 12), st.integers(0, 12))
def test_no_train_is_near_a_test_and_every_path_is_a_whole_history(
    bars: int, groups: int, test_groups: int, purge: int, embargo: int
) -> None:
    assume(test_groups < groups)
    try:
        plan = combinatorial(bars, groups=groups, test_groups=test_groups, purge=purge, embargo=embargo)
    except InvalidInput as error:
        assert "leave nothing to train on" in str(error)  # noqa: PT017
        assert purge + embargo > 0
        return
    _assert_trains_keep_away(plan, bars, purge, embargo)
    assert [i for group in plan.groups for i in group] == list(range(bars))
    assert max(map(len, plan.groups)) - min(map(len, plan.groups)) <= 1
    assert len(plan.splits) == math.comb(groups, test_groups)
    assert len(plan.paths) == math.comb(groups - 1, test_groups - 1)
    used = [(split, group) for path in plan.paths for group, split in enumerate(path)]
    assert sorted(used) == sorted((n, g) for n, split in enumerate(plan.splits) for g in split.groups)


def _assert_trains_keep_away(plan: Combinations, bars: int, purge: int, embargo: int) -> None:
    for split in plan.splits:
        tested = {i for part in split.test for i in part}
        trained = {i for part in split.train for i in part}
        allowed = {i for i in range(bars) if not any(j in tested for j in range(i - purge - embargo, i + purge + 1))}
        assert trained == allowed
        assert all(part for part in split.train)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"bars": 100, "groups": 1}, "groups must be at least 2"),
        ({"bars": 100, "test_groups": 0}, "test_groups must be at least 1"),
        ({"bars": 100, "purge": -1}, "purge must be at least 0"),
        ({"bars": 100, "groups": 4, "test_groups": 4}, "leave none to train on"),
        ({"bars": 5}, "there are 5: take fewer groups"),
        ({"bars": 1_000, "groups": 40, "test_groups": 20}, "the limit is 10,000"),
        ({"bars": 20, "groups": 2, "test_groups": 1, "purge": 10}, "leave nothing to train on"),
    ],
)
def test_plans_that_cannot_be_are_refused_with_the_reason(arguments: dict[str, int], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        combinatorial(**arguments)
