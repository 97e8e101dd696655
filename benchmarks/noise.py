"""`python -m benchmarks.noise`: what the honest statistics say of the best of 1,000 strategies without skill.

200 seeds, 1,000 trials each, 1,260 bars (five years, daily), no costs, in four families:

    normal      independent normal returns
    fat         independent Student t returns with 4 degrees of freedom
    clusters    20 groups of 50; within a group the returns correlate by 0.8
    rules       1,000 moving-average crosses, long or flat, all on one random walk without drift

"found" is the share of seeds whose best trial has a deflated Sharpe ratio above 0.95: at most 5 % may. "kept" is the
share of seeds in which that holds for a planted trial with a true Sharpe ratio of 3 a year, and it is the best: at
least 90 % must. Both for three ways to count trials: raw; effective (`sharpe.effective_trials`, from a sample of 256);
and participation, the participation ratio of the correlations' eigenvalues, often used and shown for comparison.
PBO beside them; then reality check and SPA, on all trials and, wrongly, on the best 50 alone; then
the time of PBO over a million trials. Prints tables and writes `results/noise.json`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import reduce

import numpy as np

from agents.backtest import sharpe
from agents.backtest.bootstrap import snooping
from agents.backtest.overfitting import (
    Best,
    Chunk,
    Ranks,
    best_in_sample,
    block_edges,
    block_sums,
    cross_validated,
    overfitting,
    ranks_out_of_sample,
)
from benchmarks.measure import machine, write
from data.contracts.arrays import Floats

SEEDS, TRIALS, BARS, YEAR = 200, 1_000, 1_260, 252
TRUE_SHARPE, VOLATILITY, LEVEL = 3.0, 0.01, 0.95
DRAWS, BLOCK, TOP = 200, 2.0, 50
LONGEST = 250  # bars of the slowest average: its warm-up comes before the first bar
MILLION, CHUNK = 1_000_000, 50_000
COUNTS = ("raw", "effective", "participation")
PLANTED = TRIALS - 1

Family = Callable[[np.random.Generator], Floats]


def main() -> None:
    """Run everything, print and write."""
    facts = machine(("numpy", "numba"))
    document: dict[str, object] = {
        "machine": facts,
        "what": f"best of {TRIALS} trials, {SEEDS} seeds, {BARS} daily bars; planted: Sharpe {TRUE_SHARPE:g} a year",
        "families": {name: _family(family) for name, family in FAMILIES.items()},
        "snooping": _snooping(),
        "pbo_of_a_million_trials_s": _speed(),
    }
    print(document["snooping"], document["pbo_of_a_million_trials_s"], write("noise", document), sep="\n")


def normal(rng: np.random.Generator) -> Floats:
    return rng.normal(0.0, VOLATILITY, (TRIALS, BARS))


def fat(rng: np.random.Generator) -> Floats:
    return VOLATILITY * math.sqrt(0.5) * rng.standard_t(4, (TRIALS, BARS))


def clusters(rng: np.random.Generator) -> Floats:
    common = np.repeat(rng.normal(0.0, VOLATILITY, (20, BARS)), TRIALS // 20, axis=0)
    return math.sqrt(0.8) * common + math.sqrt(0.2) * normal(rng)


def rules(rng: np.random.Generator) -> Floats:
    market = rng.normal(0.0, VOLATILITY, LONGEST + BARS)
    sums = np.concatenate([[0.0], np.cumsum(np.cumprod(1.0 + market))])
    averages = np.zeros((LONGEST + 1, BARS))  # of the bars up to the one before each
    for window in range(2, LONGEST + 1):
        averages[window] = (sums[LONGEST:-1] - sums[LONGEST - window : -1 - window]) / window
    fast, slow = rng.integers(2, 100, TRIALS), rng.integers(100, LONGEST + 1, TRIALS)
    return np.where(averages[fast] > averages[slow], market[LONGEST:], 0.0)


FAMILIES: dict[str, Family] = {"normal": normal, "fat": fat, "clusters": clusters, "rules": rules}


def _family(family: Family) -> dict[str, object]:
    found, kept = dict.fromkeys(COUNTS, 0), dict.fromkeys(COUNTS, 0)
    noise_pbo, planted_pbo, counts = [], [], []
    for seed in range(SEEDS):
        returns, planted = _histories(family, seed)
        _, deflated, trials = _deflated(returns)
        counts.append(trials)
        for name in COUNTS:
            found[name] += deflated[name] > LEVEL
        noise_pbo.append(_pbo(returns))
        returns[PLANTED] = planted
        best, deflated, _ = _deflated(returns)
        for name in COUNTS:
            kept[name] += best == PLANTED and deflated[name] > LEVEL
        planted_pbo.append(_pbo(returns))
    result: dict[str, object] = {
        name: {
            "trials": round(float(np.median([trials[name] for trials in counts])), 1),
            "found": found[name] / SEEDS,
            "kept": kept[name] / SEEDS,
        }
        for name in COUNTS
    }
    result["pbo"] = {"noise": round(float(np.mean(noise_pbo)), 3), "planted": round(float(np.mean(planted_pbo)), 3)}
    print(family.__name__, result, flush=True)
    return result


def _histories(family: Family, seed: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng([seed, 2024])
    return family(rng), rng.normal(TRUE_SHARPE / np.sqrt(YEAR) * VOLATILITY, VOLATILITY, BARS)


def _deflated(returns: Floats) -> tuple[int, dict[str, float], dict[str, float]]:
    """The best trial; its deflated Sharpe ratio for each way to count; the counts, of trials that vary."""
    varying = np.flatnonzero(returns.min(axis=1) < returns.max(axis=1))
    ratios = returns[varying].mean(axis=1) / returns[varying].std(axis=1, ddof=1)
    best = int(varying[np.argmax(ratios)])
    record = sharpe.track(returns[best])
    if record is None:
        raise ValueError("the best trial varies by its choice")
    sample = returns[varying][sharpe.sampled(varying, varying.size)]
    squared = _squared_correlation(sample)
    counts = {
        "raw": float(varying.size),
        "effective": sharpe.effective_trials(varying.size, sharpe.average_correlation(sample)),
        "participation": varying.size / (1.0 + (varying.size - 1) * squared),
    }
    variance = float(ratios.var(ddof=1))
    return best, {name: sharpe.deflated_sharpe(record, n, variance) or 0.0 for name, n in counts.items()}, counts


def _squared_correlation(sample: Floats) -> float:
    """Mean squared correlation of pairs, less what series without any have by chance."""
    pairs = np.asarray(np.corrcoef(sample))[np.triu_indices(sample.shape[0], 1)]
    chance = 1.0 / (BARS - 1)
    return max((float((pairs * pairs).mean()) - chance) / (1.0 - chance), 0.0)


def _pbo(returns: Floats) -> float:
    edges = block_edges(BARS)
    found = cross_validated(edges, [Chunk(np.arange(TRIALS), *block_sums(returns, edges))])
    if found is None:
        raise ValueError("a family of trials that all stand still says nothing")
    return found.pbo


def _snooping() -> dict[str, dict[str, float]]:
    """Share of seeds with a p-value of at most 5 %: noise, noise with one planted, the best of the noise alone."""
    cases = ("noise", "planted", f"best {TOP} of the noise alone")
    shares = {case: {"reality_check": 0.0, "consistent": 0.0} for case in cases}
    for seed in range(SEEDS):
        noise, planted = _histories(normal, seed)
        best = noise[np.argsort(noise.mean(axis=1))[-TOP:]]
        with_skill = np.vstack([noise[:PLANTED], planted[None]])
        for case, returns in zip(cases, (noise, with_skill, best), strict=True):
            rng = np.random.default_rng([seed, 2025])
            tested = snooping([np.ascontiguousarray(returns.T)], rng, block=BLOCK, draws=DRAWS)
            shares[case]["reality_check"] += (tested.reality_check <= 1.0 - LEVEL) / SEEDS
            if tested.consistent is None:
                raise ValueError("candidates that all stand still say nothing")
            shares[case]["consistent"] += (tested.consistent <= 1.0 - LEVEL) / SEEDS
    return {case: {name: round(share, 3) for name, share in found.items()} for case, found in shares.items()}


def _speed() -> float:
    """Seconds of wall time of both passes over a million trials in chunks, 252 splits each, one thread."""
    rng, edges = np.random.default_rng(1), block_edges(BARS)
    size = BARS // 10
    chunks = []
    for first in range(0, MILLION, CHUNK):
        sums = rng.normal(0.0, VOLATILITY * np.sqrt(size), (CHUNK, 10))
        squares = VOLATILITY**2 * rng.chisquare(size - 1, (CHUNK, 10)) + sums * sums / size
        chunks.append(Chunk(np.arange(first, first + CHUNK), sums, squares))
    began = time.perf_counter()
    best = reduce(Best.joined, (best_in_sample(edges, chunk) for chunk in chunks))
    overfitting(best, reduce(Ranks.joined, (ranks_out_of_sample(edges, chunk, best) for chunk in chunks)))
    return round(time.perf_counter() - began, 2)


if __name__ == "__main__":
    main()
