"""Streamed cross-validation against the plain matrix form written from the paper."""

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.backtest.overfitting import (
    Best,
    Chunk,
    Overfitting,
    Ranks,
    best_in_sample,
    block_edges,
    block_sums,
    cross_validated,
    overfitting,
    ranks_out_of_sample,
)
from data.contracts.arrays import Floats, Ints
from data.contracts.errors import InvalidInput


def plain(returns: Floats, blocks: int) -> tuple[list[float], list[float], list[float], list[int]]:
    """The paper's procedure on the whole matrix (trials, bars): logits, best inside, its outside, the best."""
    edges = block_edges(returns.shape[1], blocks)
    parts = [returns[:, a:b] for a, b in pairwise(edges)]
    logits, inside, outside, chosen = [], [], [], []
    for half in combinations(range(blocks), blocks // 2):
        within = sharpe(np.hstack([parts[b] for b in half]))
        without = sharpe(np.hstack([parts[b] for b in range(blocks) if b not in half]))
        best = int(np.argmax(within))
        rank = (without < without[best]).sum() + ((without == without[best]).sum() + 1) / 2
        share = rank / (returns.shape[0] + 1)
        logits.append(math.log(share / (1 - share)))
        inside.append(float(within[best]))
        outside.append(float(without[best]))
        chosen.append(best)
    return logits, inside, outside, chosen


def sharpe(returns: Floats) -> Floats:
    spread = returns.std(axis=1, ddof=1)
    varying = returns.min(axis=1) < returns.max(axis=1)
    return np.where(varying, returns.mean(axis=1) / np.where(varying, spread, 1.0), -np.inf)


def chunks_of(returns: Floats, blocks: int, cuts: tuple[int, ...] = ()) -> tuple[Ints, list[Chunk]]:
    edges = block_edges(returns.shape[1], blocks)
    pieces = np.split(np.arange(returns.shape[0]), cuts)
    return edges, [Chunk(ids, *block_sums(returns[ids], edges)) for ids in pieces]


def streamed(returns: Floats, blocks: int, cuts: tuple[int, ...] = ()) -> Overfitting:
    found = cross_validated(*chunks_of(returns, blocks, cuts))
    assert found is not None
    return found


@pytest.mark.parametrize(("trials", "bars", "blocks"), [(40, 200, 10), (1_100, 157, 10), (3, 64, 4), (2, 40, 2)])
def test_two_passes_give_what_the_whole_matrix_gives(trials: int, bars: int, blocks: int) -> None:
    rng = np.random.default_rng(trials)
    returns = rng.normal(0.0002, 0.01, (trials, bars)) + 0.004 * rng.normal(size=(trials, 1)) * rng.random(bars)
    logits, inside, outside, _ = plain(returns, blocks)
    found = streamed(returns, blocks, cuts=(1, trials // 2))
    assert found.trials == trials
    assert found.splits == math.comb(blocks, blocks // 2)
    assert found.logits.tolist() == logits
    np.testing.assert_allclose(found.inside, inside, rtol=1e-9)
    np.testing.assert_allclose(found.outside, outside, rtol=1e-9, atol=1e-12)
    assert found.pbo == np.mean(np.array(logits) <= 0.0)
    assert found.probability_of_loss == np.mean(np.array(outside) < 0.0)
    if found.splits > 2:
        slope, intercept = np.polyfit(inside, outside, 1)
        assert found.slope == pytest.approx(slope, rel=1e-8)
        assert found.intercept == pytest.approx(intercept, rel=1e-8)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.integers(0, 60), max_size=4))
def test_chunks_of_any_size_in_any_order_give_the_same_bits(seed: int, cuts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.0, 0.01, (60, 48))
    returns[rng.integers(60, size=20)] = returns[rng.integers(60, size=20)]  # twins
    returns[rng.integers(60, size=5)] = 0.0  # never traded
    edges, chunks = chunks_of(returns, 6, tuple(sorted(cuts)))
    whole = streamed(returns, 6)
    mixed = [chunks[i] for i in rng.permutation(len(chunks))]
    best = reduce(Best.joined, [best_in_sample(edges, chunk) for chunk in mixed])
    found = overfitting(best, reduce(Ranks.joined, [ranks_out_of_sample(edges, chunk, best) for chunk in mixed[::-1]]))
    assert found is not None
    for ours, theirs in zip(
        (found.logits, found.inside, found.outside), (whole.logits, whole.inside, whole.outside), strict=True
    ):
        assert ours.tobytes() == theirs.tobytes()
    assert replace(found, logits=0, inside=0, outside=0) == replace(whole, logits=0, inside=0, outside=0)  # type: ignore[arg-type]


def test_of_equal_trials_the_one_with_the_smallest_id_is_the_best() -> None:
    returns = np.tile(np.random.default_rng(3).normal(0.001, 0.01, 80), (4, 1))
    edges = block_edges(80, 4)
    sums, squares = block_sums(returns, edges)
    best = best_in_sample(edges, Chunk(np.array([9, 4, 7, 5]), sums, squares))
    assert set(best.ids.tolist()) == {4}
    later = best_in_sample(edges, Chunk(np.array([2, 3, 8, 6]), sums, squares))
    assert set(best.joined(later).ids.tolist()) == set(later.joined(best).ids.tolist()) == {2}
    # a rank among equals is the middle one: exactly the median
    assert streamed(returns, 4).logits.tolist() == [0.0] * 6


def test_noise_is_overfitted_about_half_the_time_and_skill_hardly_ever() -> None:
    found = [streamed(np.random.default_rng(s).normal(0.0, 0.01, (100, 500)), 10).pbo for s in range(30)]
    assert 0.4 < float(np.mean(found)) < 0.6
    returns = np.random.default_rng(2).normal(0.0, 0.01, (100, 500))
    returns[41] += 0.004
    skilled = streamed(returns, 10)
    assert skilled.pbo == 0.0
    assert skilled.probability_of_loss == 0.0


def test_a_trial_that_was_lucky_in_one_half_is_found_out() -> None:
    returns = np.random.default_rng(8).normal(0.0, 0.01, (50, 400))
    edges = block_edges(400)
    for trial in range(50):  # each was very good in one block and bad in the nine others
        returns[trial] -= 0.002
        block = trial % 10
        returns[trial, edges[block] : edges[block + 1]] += 0.03
    found = streamed(returns, 10)
    assert found.pbo > 0.9
    assert found.probability_of_loss > 0.5


def test_trials_that_never_vary_are_below_all_others() -> None:
    returns = np.random.default_rng(4).normal(-0.005, 0.01, (6, 60))
    returns[2], returns[5] = 0.0, 0.003
    found = streamed(returns, 6)
    logits, _, _, chosen = plain(returns, 6)
    assert not {2, 5} & set(chosen)
    assert found.logits.tolist() == logits


def test_what_rounding_leaves_of_no_variance_is_none() -> None:
    returns = np.repeat(np.random.default_rng(4).uniform(0.0, 0.02, (500, 1)), 60, axis=1)
    returns[7] = np.random.default_rng(5).normal(-0.005, 0.01, 60)
    found = cross_validated(*chunks_of(returns, 6))
    assert found is not None
    assert (np.abs(found.inside) < 2.0).all()


def test_a_best_that_stood_still_out_of_sample_ranks_last_and_is_no_loss() -> None:
    returns = np.random.default_rng(4).normal(-0.001, 0.01, (5, 80))
    returns[3] = 0.0
    returns[3, :20] = np.random.default_rng(5).normal(0.02, 0.001, 20)
    found = streamed(returns, 4)
    still = found.outside == -np.inf
    assert still.sum() == 3  # the splits that have block 0 in the sample
    assert (found.logits[still] == math.log((1 / 6) / (5 / 6))).all()
    assert found.probability_of_loss <= 0.5


def test_nothing_to_choose_from_gives_no_probability() -> None:
    assert cross_validated(*chunks_of(np.zeros((5, 40)), 4)) is None


def test_returns_of_a_stable_large_mean_keep_their_digits() -> None:
    returns = 0.01 + np.random.default_rng(6).normal(0.0, 1e-5, (20, 100))
    logits, inside, _, _ = plain(returns, 10)
    found = streamed(returns, 10)
    np.testing.assert_allclose(found.inside, inside, rtol=1e-8)
    assert found.logits.tolist() == logits


def test_an_iterator_is_refused_because_it_can_be_read_once() -> None:
    edges, chunks = chunks_of(np.random.default_rng(1).normal(size=(4, 40)), 4)

    def once() -> Iterator[Chunk]:
        yield from chunks

    with pytest.raises(InvalidInput, match="read twice"):
        cross_validated(edges, once())


def test_passes_over_different_trials_are_refused() -> None:
    edges, chunks = chunks_of(np.random.default_rng(1).normal(size=(6, 40)), 4, (2,))
    best = reduce(Best.joined, [best_in_sample(edges, chunk) for chunk in chunks])
    with pytest.raises(InvalidInput, match="same trials"):
        overfitting(best, ranks_out_of_sample(edges, chunks[0], best))


@pytest.mark.parametrize(("bars", "blocks"), [(100, 9), (100, 0), (100, 18), (19, 10)])
def test_blocks_that_cannot_be_cut_are_refused(bars: int, blocks: int) -> None:
    with pytest.raises(InvalidInput, match="blocks"):
        block_edges(bars, blocks)


def test_blocks_differ_by_one_bar_at_most() -> None:
    sizes = np.diff(block_edges(1_259))
    assert sizes.sum() == 1_259
    assert set(sizes.tolist()) == {125, 126}


def test_chunks_that_do_not_fit_or_are_not_finite_are_refused() -> None:
    edges, (chunk,) = chunks_of(np.random.default_rng(1).normal(size=(3, 40)), 4)
    with pytest.raises(InvalidInput, match="sums and squares of"):
        best_in_sample(edges, replace(chunk, sums=chunk.sums[:, :3]))
    with pytest.raises(InvalidInput, match="count from 0"):
        best_in_sample(edges, replace(chunk, ids=chunk.ids - 1))
    with pytest.raises(InvalidInput, match="warm-up"):
        best_in_sample(edges, replace(chunk, squares=chunk.squares * np.nan))
    with pytest.raises(InvalidInput, match="same bars"):
        block_sums(np.zeros((2, 39)), edges)
    with pytest.raises(InvalidInput, match="at least two trials"):
        cross_validated(edges, [])
    with pytest.raises(InvalidInput, match="at least two trials"):
        cross_validated(edges, [replace(chunk, ids=chunk.ids[:1], sums=chunk.sums[:1], squares=chunk.squares[:1])])
