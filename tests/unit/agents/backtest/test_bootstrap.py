"""Resampling against arch, number by number from the same seeds, and against what is known of the truth."""

import json
from pathlib import Path

import numpy as np
import pytest

from agents.backtest.bootstrap import (
    affordable_candidates,
    affordable_draws,
    intervals,
    optimal_block_length,
    snooping,
    stationary_draw,
)
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput

ARCH = json.loads((Path(__file__).parents[3] / "golden" / "statistics" / "outsiders.json").read_text())
SERIES = sorted(ARCH["series"])
PANELS = sorted(ARCH["snooping"])


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", SERIES)
def test_block_lengths_are_those_of_arch(name: str) -> None:
    returns = np.array(ARCH["series"][name])
    assert optimal_block_length(returns) == pytest.approx(ARCH["block_length"][name], rel=1e-10)


def test_longer_memory_asks_for_longer_blocks() -> None:
    def remembering(share: float) -> Floats:
        noise, out = rng(3).normal(size=2_000), np.zeros(2_000)
        for t in range(1, 2_000):
            out[t] = share * out[t - 1] + noise[t]
        return out

    lengths = [optimal_block_length(remembering(share)) for share in (0.3, 0.6, 0.9)]
    assert lengths == sorted(lengths)
    assert lengths[0] > 3.0
    assert optimal_block_length(remembering(0.999)) <= 135.0  # ceil(3 sqrt(2000))


def test_returns_that_never_vary_are_drawn_bar_by_bar() -> None:
    assert optimal_block_length(np.full(40, 0.001)) == 1.0


@pytest.mark.parametrize("bars", range(10, 30))
def test_short_histories_have_a_block_length_within_bounds(bars: int) -> None:
    assert 1.0 <= optimal_block_length(rng(bars).normal(size=bars)) <= np.ceil(bars / 3)


def test_a_draw_is_the_draw_of_arch() -> None:
    case = ARCH["draw"]
    drawn = stationary_draw(len(case["places"]), case["block"], rng(case["seed"]))
    assert drawn.tolist() == case["places"]


def test_blocks_are_as_long_as_asked_for_and_every_bar_is_as_likely() -> None:
    counts, starts, generator = np.zeros(500), 0, rng(9)
    for _ in range(2_000):
        places = stationary_draw(500, 20.0, generator)
        counts += np.bincount(places, minlength=500)
        starts += int((np.diff(places) % 500 != 1).sum())
    assert 2_000 * 499 / starts == pytest.approx(20.0, rel=0.01)
    assert counts.min() > 0.8 * 2_000
    assert counts.max() < 1.2 * 2_000


@pytest.mark.parametrize("name", SERIES)
def test_intervals_are_those_of_arch(name: str) -> None:
    case = ARCH["draws"]
    found = intervals(
        np.array(ARCH["series"][name]),
        rng(case["seed"]),
        annualisation=252,
        draws=case["draws"],
        block=case["block"],
    )
    theirs = case["values"][name]
    assert found.sharpe == pytest.approx([end * 252**0.5 for end in theirs["sharpe"]], rel=1e-9)
    assert found.max_drawdown == pytest.approx(theirs["max_drawdown"], rel=1e-9)
    assert found.cagr == pytest.approx([end ** (252 / 300) - 1.0 for end in theirs["growth"]], rel=1e-9)
    assert (found.draws, found.block) == (case["draws"], case["block"])


def test_ninety_per_cent_intervals_hold_the_true_sharpe_ratio_in_about_that_many_histories() -> None:
    held = 0
    for seed in range(200):
        returns = rng(1_000 + seed).normal(0.001, 0.01, 500)
        sharpe = intervals(returns, rng(seed), annualisation=252, draws=300, confidence=0.9).sharpe
        assert sharpe is not None
        held += sharpe[0] <= 0.1 * 252**0.5 <= sharpe[1]
    assert 0.83 <= held / 200 <= 0.96


def test_a_draw_that_never_varies_leaves_the_sharpe_ratio_without_an_interval() -> None:
    returns = np.zeros(60)
    returns[30] = 0.05
    found = intervals(returns, rng(), annualisation=252, draws=200)
    assert found.sharpe is None
    assert found.cagr[0] == 0.0
    assert found.max_drawdown == (0.0, 0.0)


def test_losing_everything_is_a_drawdown_of_one_and_never_more() -> None:
    returns = rng().normal(0.0, 0.01, 50)
    returns[20] = -1.5
    found = intervals(returns, rng(), annualisation=252, draws=200)
    assert found.cagr[0] == -1.0
    assert found.max_drawdown[0] == -1.0


@pytest.mark.parametrize("name", PANELS)
def test_snooping_p_values_are_those_of_arch(name: str) -> None:
    case = ARCH["snooping"][name]
    settings = ARCH["draws"]
    excess = np.array(case["excess"])
    found = snooping([excess], rng(settings["seed"]), block=settings["block"], draws=settings["draws"])
    assert found.reality_check == case["reality_check"]
    assert (found.lower, found.consistent, found.upper) == (case["lower"], case["consistent"], case["upper"])
    assert found.candidates == excess.shape[1]


def test_the_three_p_values_differ_where_candidates_are_hopeless() -> None:
    case = ARCH["snooping"]["hopeless"]
    assert case["lower"] < case["consistent"] < case["upper"] < case["reality_check"]


def test_chunks_of_candidates_give_the_bits_of_the_whole_matrix() -> None:
    excess = rng(4).normal(0.0, 0.01, (120, 30))
    whole = snooping([excess], rng(), block=5.0, draws=200)
    pieces = snooping(
        iter([excess[:, 20:], excess[:, :0], excess[:, :1], excess[:, 1:20]]), rng(), block=5.0, draws=200
    )
    assert pieces == whole


def test_noise_is_called_skill_about_as_often_as_the_level_says() -> None:
    found = [snooping([rng(1_000 + s).normal(0.0, 0.01, (150, 20))], rng(s), block=2.0, draws=200) for s in range(150)]
    assert np.mean([case.consistent is not None and case.consistent <= 0.1 for case in found]) < 0.19
    assert np.mean([case.reality_check <= 0.1 for case in found]) < 0.19


def test_testing_only_the_best_ones_finds_skill_in_noise() -> None:
    """Why every candidate belongs in the test: the ten best of 200 look significant without the other 190."""
    fooled = honest = 0
    for seed in range(40):
        excess = rng(1_000 + seed).normal(0.0, 0.01, (150, 200))
        best = np.argsort(excess.mean(axis=0))[-10:]
        fooled += snooping([excess[:, best]], rng(seed), block=2.0, draws=100).reality_check <= 0.05
        honest += snooping([excess], rng(seed), block=2.0, draws=100).reality_check <= 0.05
    assert fooled > 20
    assert honest <= 5


def test_candidates_that_are_all_worse_than_the_benchmark_beat_it_with_no_probability() -> None:
    found = snooping([rng(2).normal(-0.01, 0.01, (100, 8))], rng(), block=3.0, draws=100)
    assert (found.reality_check, found.lower, found.consistent, found.upper) == (1.0, 1.0, 1.0, 1.0)


def test_candidates_that_never_vary_have_no_studentised_test() -> None:
    found = snooping([np.full((50, 3), -0.001)], rng(), block=3.0, draws=50)
    assert (found.lower, found.consistent, found.upper) == (None, None, None)
    skilled = rng(2).normal(0.01, 0.01, (50, 2))
    still = np.tile(rng(5).uniform(-0.01, 0.01, 20), (50, 1))
    mixed = snooping([still, skilled], rng(), block=3.0, draws=50)
    assert mixed.consistent == snooping([skilled], rng(), block=3.0, draws=50).consistent == 0.0


def test_what_cannot_be_drawn_again_is_refused() -> None:
    good = rng().normal(size=40)
    with pytest.raises(InvalidInput, match="10 bars or more"):
        intervals(good[:9], rng(), annualisation=252)
    with pytest.raises(InvalidInput, match="warm-up"):
        optimal_block_length(np.append(good, np.nan))
    with pytest.raises(InvalidInput, match="at least 1 bar"):
        intervals(good, rng(), annualisation=252, block=0.5)
    with pytest.raises(InvalidInput, match="at least one history"):
        intervals(good, rng(), annualisation=252, draws=0)
    with pytest.raises(InvalidInput, match=r"0\.95"):
        intervals(good, rng(), annualisation=252, confidence=95)
    with pytest.raises(InvalidInput, match="above 0"):
        intervals(good, rng(), annualisation=0)
    for nothing in ([], [np.zeros((40, 0))]):
        with pytest.raises(InvalidInput, match="at least one candidate"):
            snooping(nothing, rng(), block=2.0, draws=10)
    with pytest.raises(InvalidInput, match="same bars"):
        snooping([good[:, None], good[:30, None]], rng(), block=2.0, draws=10)


def test_no_history_takes_for_ever_to_draw_again() -> None:
    assert affordable_draws(9) is None
    assert affordable_draws(1_259) == 1_000
    assert affordable_draws(100_000) == 300
    assert affordable_draws(1_000_000) is None
    assert affordable_candidates(1_259, 5.0, 1_000) > 1_000
    assert affordable_candidates(100_000, 60.0, 300) < 30
    assert affordable_candidates(10_000_000, 900.0, 1_000) == 1
