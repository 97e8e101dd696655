"""Which bars train and which test: walk-forward folds and combinatorial purged cross-validation, as index arithmetic.

Purge: bars beside a test whose outcome reaches into it, or into which its outcomes reach, train nothing: as many as the
longest horizon of a label. Embargo: more bars, because what follows is still like what was tested.

    walk-forward, rolling (anchored: every train begins at bar 0)         . left out    T train    t test

        TTTTTTTTTT...tttt
            TTTTTTTTTT...tttt              between train and test: purge + embargo
                TTTTTTTTTT...tt            the last test may be shorter, and says so

    combinatorial, 6 groups of which 2 test

        TTTTTT..tttt.....TTTTTT..tttt.....TTTT     before a test: purge; after it: purge + embargo

Bars are counted from 0; ranges are half-open.
Source: López de Prado, Advances in Financial Machine Learning (2018), ch. 7 (purge, embargo), 12 (combinations, paths).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

from data.contracts.errors import InvalidInput

MOST_SPLITS = 10_000


@dataclass(frozen=True, slots=True)
class Fold:
    """One step of a walk-forward. partial: its test is shorter than was asked for, because the bars end."""

    number: int
    train: range
    test: range
    partial: bool


@dataclass(frozen=True, slots=True)
class Split:
    """One choice of test groups. test: one range per group, oldest first; train: what is left, without empty ranges."""

    groups: tuple[int, ...]
    train: tuple[range, ...]
    test: tuple[range, ...]


@dataclass(frozen=True, slots=True)
class Combinations:
    """All choices of test groups, and the paths that can be put together from them.

    paths: each a whole history out of sample; `paths[p][g]` is the number of the split that tests group g of path p.
    Every tested group of every split is on exactly one path.
    """

    groups: tuple[range, ...]
    splits: tuple[Split, ...]
    paths: tuple[tuple[int, ...], ...]


def walk_forward(
    bars: int, *, train: int, test: int, purge: int = 0, embargo: int = 0, anchored: bool = False
) -> tuple[Fold, ...]:
    """Folds whose tests follow each other without a gap, from the first bar with a whole train before it to the last.

    Raises: InvalidInput naming the number that is out of range, or how many bars are missing.
    """
    _check(train=(train, 1), test=(test, 1), purge=(purge, 0), embargo=(embargo, 0))
    gap = purge + embargo
    if bars <= train + gap:
        raise InvalidInput(
            f"a train of {train} bars, {gap} left out and a test need at least {train + gap + 1} bars and there are "
            f"{bars}: shorten the train or load a longer history",
            bars=bars,
        )
    folds = []
    for number, begin in enumerate(range(train + gap, bars, test)):
        end = min(begin + test, bars)
        until = begin - gap
        folds.append(
            Fold(number, range(0 if anchored else until - train, until), range(begin, end), end - begin < test)
        )
    return tuple(folds)


def combinatorial(
    bars: int, *, groups: int = 6, test_groups: int = 2, purge: int = 0, embargo: int = 0
) -> Combinations:
    """Every choice of `test_groups` out of `groups` stretches of bars as equal as they can be.

    Raises: InvalidInput naming the number that is out of range, too many splits, or a split that leaves nothing to
            train on.
    """
    _check(groups=(groups, 2), test_groups=(test_groups, 1), purge=(purge, 0), embargo=(embargo, 0))
    if test_groups >= groups:
        raise InvalidInput(f"{test_groups} of {groups} groups to test leave none to train on: test fewer")
    if bars < groups:
        raise InvalidInput(f"{groups} groups need at least as many bars and there are {bars}: take fewer groups")
    count = math.comb(groups, test_groups)
    if count > MOST_SPLITS:
        raise InvalidInput(
            f"{test_groups} of {groups} groups are {count:,} splits and the limit is {MOST_SPLITS:,}: take fewer groups"
        )
    stretches = tuple(range(g * bars // groups, (g + 1) * bars // groups) for g in range(groups))
    splits = []
    for chosen in combinations(range(groups), test_groups):
        tests = tuple(stretches[g] for g in chosen)
        left = _left(bars, tests, purge, purge + embargo)
        if not left:
            raise InvalidInput(
                f"a purge of {purge} and an embargo of {embargo} bars around groups {chosen} leave nothing to train on:"
                " take fewer groups or a longer history"
            )
        splits.append(Split(chosen, left, tests))
    tested = [[number for number, split in enumerate(splits) if g in split.groups] for g in range(groups)]
    return Combinations(stretches, tuple(splits), tuple(zip(*tested, strict=True)))


def _left(bars: int, tests: tuple[range, ...], before: int, after: int) -> tuple[range, ...]:
    """What the tests leave, less so many bars before and after each."""
    begins = [0, *(test.stop + after for test in tests)]
    ends = [*(test.start - before for test in tests), bars]
    return tuple(range(begin, end) for begin, end in zip(begins, ends, strict=True) if begin < end)


def _check(**limits: tuple[int, int]) -> None:
    for name, (value, least) in limits.items():
        if value < least:
            raise InvalidInput(f"{name} must be at least {least} and is {value}", **{name: value})
