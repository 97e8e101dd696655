"""Sharpe statistics against the worked examples of the papers, scipy and statsmodels."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.backtest.sharpe import (
    SAMPLE,
    Track,
    average_correlation,
    corrected,
    deflated_sharpe,
    effective_trials,
    expected_maximum_sharpe,
    minimum_track_record,
    probabilistic_sharpe,
    sampled,
    sharpe_interval,
    track,
)
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput

OUTSIDERS = json.loads((Path(__file__).parents[3] / "golden" / "statistics" / "outsiders.json").read_text())
SERIES = sorted(OUTSIDERS["series"])
CORRECTIONS: Any = ["bonferroni", "holm", "benjamini_hochberg", "benjamini_yekutieli"]


@pytest.mark.parametrize("name", SERIES)
def test_a_track_has_the_skew_and_kurtosis_of_scipy(name: str) -> None:
    returns = np.array(OUTSIDERS["series"][name])
    found = track(returns)
    assert found is not None
    assert found.skew == pytest.approx(OUTSIDERS["moments"][name]["skew"], rel=1e-11)
    assert found.kurtosis == pytest.approx(OUTSIDERS["moments"][name]["kurtosis"], rel=1e-11)
    assert found.sharpe == pytest.approx(returns.mean() / returns.std(ddof=1), rel=1e-12)
    assert found.bars == returns.size


def test_the_risk_free_rate_is_taken_off_every_bar() -> None:
    returns = np.array(OUTSIDERS["series"]["noise"])
    with_rate, without = track(returns, rf=0.0002), track(returns - 0.0002)
    assert with_rate is not None
    assert without is not None
    assert with_rate.sharpe == pytest.approx(without.sharpe, rel=1e-12)


@pytest.mark.parametrize("returns", [np.zeros(0), np.array([0.01, 0.02]), np.zeros(50), np.full(50, 0.001)])
def test_returns_that_never_vary_or_are_too_few_have_no_track(returns: Floats) -> None:
    assert track(returns) is None


def test_a_return_that_is_missing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="cut the warm-up off"):
        track(np.array([np.nan, 0.01, 0.02, 0.03]))


def test_probabilistic_sharpe_gives_the_hedge_fund_of_the_paper() -> None:
    """Bailey and López de Prado (2012): 24 months, 0.458 each; 0.982 if it were normal, 0.913 with skew and tails."""
    assert probabilistic_sharpe(Track(24, 0.458)) == pytest.approx(0.982, abs=5e-4)
    assert probabilistic_sharpe(Track(24, 0.458, -2.448, 10.164)) == pytest.approx(0.913, abs=5e-4)


@pytest.mark.parametrize(("a_year", "years"), [(250, 2.73), (52, 2.83), (12, 3.24)])
def test_minimum_track_record_gives_the_years_of_the_paper(a_year: int, years: float) -> None:
    """Bailey and López de Prado (2012): a Sharpe ratio of 2 that must be above 1 at 95 %, from normal returns."""
    record = Track(1_000, 2.0 / math.sqrt(a_year))
    bars = minimum_track_record(record, benchmark=1.0 / math.sqrt(a_year))
    assert bars is not None
    assert bars / a_year == pytest.approx(years, abs=5e-3)


def test_minimum_track_record_of_a_skewed_fund_is_the_one_of_the_paper() -> None:
    """Bailey and López de Prado (2012): monthly, skew -0.72, kurtosis 5.78: 4.99 years instead of 3.24."""
    bars = minimum_track_record(Track(60, 2.0 / math.sqrt(12), -0.72, 5.78), benchmark=1.0 / math.sqrt(12))
    assert bars is not None
    assert bars / 12 == pytest.approx(4.99, abs=5e-3)


@pytest.mark.parametrize("confidence", [0.6, 0.9, 0.999])
def test_a_track_of_the_minimum_length_is_believed_with_just_that_confidence(confidence: float) -> None:
    bars = minimum_track_record(Track(60, 0.02, -1.0, 6.0), benchmark=0.005, confidence=confidence)
    assert bars is not None
    enough = probabilistic_sharpe(Track(math.ceil(bars), 0.02, -1.0, 6.0), benchmark=0.005)
    short = probabilistic_sharpe(Track(math.floor(bars), 0.02, -1.0, 6.0), benchmark=0.005)
    assert enough is not None
    assert short is not None
    assert short < confidence <= enough


def test_no_length_makes_a_track_better_than_what_it_is_below() -> None:
    assert minimum_track_record(Track(100, 0.1), benchmark=0.1) is None


@pytest.mark.parametrize(
    ("sharpe", "bars", "error"),
    [(0.5, 12, 0.306), (0.5, 60, 0.137), (1.0, 60, 0.158), (2.0, 250, 0.110), (3.0, 500, 0.105)],
)
def test_error_of_normal_returns_is_the_table_of_lo(sharpe: float, bars: int, error: float) -> None:
    """Lo, The Statistics of Sharpe Ratios (2002), table 1, which divides by n and not by n - 1."""
    assert Track(bars + 1, sharpe).error == pytest.approx(error, abs=6e-4)


def test_the_interval_holds_the_ratio_in_its_middle_and_widens_with_confidence() -> None:
    record = Track(250, 0.1, -0.5, 5.0)
    narrow, wide = sharpe_interval(record, 0.8), sharpe_interval(record, 0.95)
    assert narrow is not None
    assert wide is not None
    assert sum(wide) / 2 == pytest.approx(record.sharpe)
    assert (wide[1] - wide[0]) / 2 == pytest.approx(1.959964 * record.error, rel=1e-6)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize("bars", [0, 1])
def test_without_two_bars_nothing_is_said_about_a_ratio(bars: int) -> None:
    record = Track(bars, 0.2)
    assert sharpe_interval(record) is None
    assert probabilistic_sharpe(record) is None
    assert minimum_track_record(record) is None
    assert deflated_sharpe(record, 10, 0.01) is None


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_confidence_in_per_cent_is_refused(confidence: float) -> None:
    with pytest.raises(InvalidInput, match=r"0\.95"):
        sharpe_interval(Track(100, 0.1), confidence)


def test_deflated_sharpe_gives_the_worked_example_of_the_paper() -> None:
    """Bailey and López de Prado (2014): 2.5 a year, best of 100 (of 46: 0.9505), five years of 250 days, V = 1/2."""
    record, variance = Track(1_250, 2.5 / math.sqrt(250), -3.0, 10.0), 0.5 / 250
    assert expected_maximum_sharpe(100, variance) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(record, 100, variance) == pytest.approx(0.9004, abs=5e-5)
    assert deflated_sharpe(record, 46, variance) == pytest.approx(0.9505, abs=5e-4)


@pytest.mark.parametrize(("trials", "most"), [(10, 1.53875), (100, 2.50759), (1_000, 3.24144)])
def test_expected_maximum_is_near_the_exact_one_of_normal_numbers(trials: int, most: float) -> None:
    """Harter (1961) has the exact means of the largest of N normal numbers; the formula is good to 2.5 %."""
    assert expected_maximum_sharpe(trials, 1.0) == pytest.approx(most, rel=0.025)


def test_more_trials_always_expect_more_down_to_the_mean_of_a_single_one() -> None:
    values = [expected_maximum_sharpe(n, 0.01, mean=-0.02) for n in (1, 1.01, 1.5, 2, 10, 1e3, 1e6, 1e12, 1e18)]
    assert values[:2] == [-0.02, -0.02]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(-0.02 + 0.1 * 8.8, abs=0.02)


def test_one_trial_is_not_deflated_and_many_need_their_variance() -> None:
    record = Track(500, 0.08, -0.4, 4.0)
    assert deflated_sharpe(record, 1, None) == probabilistic_sharpe(record)
    assert deflated_sharpe(record, 2, None) is None


@pytest.mark.parametrize(("trials", "variance"), [(0.0, 1.0), (10.0, -1.0), (math.nan, 1.0), (10.0, math.nan)])
def test_a_count_of_trials_that_cannot_be_is_refused(trials: float, variance: float) -> None:
    with pytest.raises(InvalidInput, match="one trial or more"):
        expected_maximum_sharpe(trials, variance)


def test_average_correlation_is_the_mean_of_numpys_matrix() -> None:
    rng = np.random.default_rng(5)
    returns = rng.normal(size=(7, 400)) + 0.8 * rng.normal(size=400)
    matrix = np.corrcoef(returns)
    expected = (matrix.sum() - 7) / 42
    assert average_correlation(returns) == pytest.approx(expected, rel=1e-12)
    still = np.vstack([returns, np.full((2, 400), 0.001)])
    assert average_correlation(still) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("rows", [0, 1])
def test_fewer_than_two_trials_are_not_alike(rows: int) -> None:
    assert average_correlation(np.random.default_rng(1).normal(size=(rows, 50))) is None


def test_effective_trials_go_from_one_to_all() -> None:
    assert effective_trials(1_000, 1.0) == 1.0
    assert effective_trials(1_000, 0.0) == effective_trials(1_000, -0.3) == effective_trials(1_000, None) == 1_000
    assert effective_trials(100, 0.5) == 50.5


def test_a_sample_says_what_all_trials_say() -> None:
    rng = np.random.default_rng(11)
    common = rng.normal(size=(3, 300))
    returns = rng.normal(size=(4_000, 300)) + common[np.arange(4_000) // 1_334]
    chosen = sampled(np.arange(4_000), 4_000)
    everything, part = average_correlation(returns), average_correlation(returns[chosen])
    assert everything is not None
    assert abs(chosen.sum() - SAMPLE) < 4 * math.sqrt(SAMPLE)
    assert part == pytest.approx(everything, abs=0.02)


@given(st.integers(0, 2**62), st.integers(1, 1_000))
def test_a_trial_is_sampled_or_not_wherever_it_is_asked_about(first: int, size: int) -> None:
    ids = np.arange(first, first + size)
    whole = sampled(ids, 2_000)
    assert np.array_equal(np.concatenate([sampled(ids[:3], 2_000), sampled(ids[3:], 2_000)]), whole)
    assert sampled(ids, SAMPLE).all()


@pytest.mark.parametrize(("seed", "first"), [(0, 0xE220A8397B1DCDAF), (1234567, 6457827717110365317)])
def test_the_sample_is_drawn_by_the_numbers_of_splitmix64(seed: int, first: int) -> None:
    """The first number of the public generator for both seeds, to its first 40 bits."""
    assert not sampled(np.array([seed]), 2**40, first >> 24).any()
    assert sampled(np.array([seed]), 2**40, (first >> 24) + 1).all()


@pytest.mark.parametrize("method", CORRECTIONS)
def test_corrections_are_those_of_statsmodels(method: Any) -> None:
    case = OUTSIDERS["corrections"]
    np.testing.assert_allclose(corrected(np.array(case["p_values"]), method), case[method], rtol=1e-12)


@pytest.mark.parametrize("method", CORRECTIONS)
def test_no_tests_need_no_correction_and_one_stays_as_it_is(method: Any) -> None:
    assert corrected(np.zeros(0), method).size == 0
    assert corrected(np.array([0.04]), method) == pytest.approx([0.04])


def test_p_values_that_are_none_and_unknown_corrections_are_refused() -> None:
    with pytest.raises(InvalidInput, match="leave out"):
        corrected(np.array([0.1, np.nan]), "holm")
    unknown: Any = "sidak"
    with pytest.raises(InvalidInput, match="benjamini_yekutieli"):
        corrected(np.array([0.1]), unknown)
