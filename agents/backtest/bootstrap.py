"""Resampled histories: intervals of a track's metrics, and whether the best of many candidates beats nothing at all.

Stationary bootstrap: a history is drawn again as blocks of random length that begin anywhere and wrap around, so that
what depends on neighbouring bars survives. Randomness is the Generator that is passed in: the same one, the same bits.
Source: Politis and Romano, The Stationary Bootstrap (1994).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np

from agents.kernels.compiling import decorators
from data.contracts.arrays import Floats, Ints
from data.contracts.errors import InvalidInput

SHORTEST = 10  # bars of the shortest history that is drawn again
DRAWS = 1_000
FEWEST_DRAWS = 200  # fewer say little about the ends of an interval
MOST_DRAWN = 30_000_000  # bars of all draws together: about a second
MOST_STEPS = 2_000_000_000  # of a test for data snooping: about two seconds
_NEGLIGIBLE = 1e-12  # weight of a lag that is not worth its sum
_jit, _part = decorators(__file__)

Interval = tuple[float, float]


@dataclass(frozen=True)
class Intervals:
    """Percentile intervals over the draws; the ends are values of draws.

    sharpe: annualised; None where a draw never varies. cagr: -1 for a draw that loses everything. max_drawdown <= 0.
    """

    draws: int
    block: float
    sharpe: Interval | None
    cagr: Interval
    max_drawdown: Interval


@dataclass(frozen=True)
class Snooping:
    """P-values of "no candidate is better than the benchmark", in steps of 1 / draws.

    reality_check: White's; its statistic is the largest mean excess, so wild and hopeless candidates weaken it.
    lower, consistent, upper: Hansen's, on studentised means; `consistent` is to be read, the others bound it.
    None where no candidate varies.
    """

    candidates: int
    draws: int
    reality_check: float
    lower: float | None
    consistent: float | None
    upper: float | None


def repeatable() -> np.random.Generator:
    """The same random numbers every time: results of the same length are drawn from alike, by any version of this code.

    So they can be repeated, and two of them compared without the luck of the draw.
    """
    return np.random.default_rng(0)


def affordable_draws(bars: int) -> int | None:
    """How many draws of a history take about a second at most; None for one too short or too long to draw from."""
    draws = min(DRAWS, MOST_DRAWN // max(bars, 1))
    return draws if bars >= SHORTEST and draws >= FEWEST_DRAWS else None


def affordable_candidates(bars: int, block: float, draws: int) -> int:
    """How many candidates `snooping` tests in about two seconds; at least one."""
    lags = min(bars, math.ceil(-math.log(_NEGLIGIBLE) * block))
    return max(1, int(MOST_STEPS / (bars * (lags + draws))))


def optimal_block_length(returns: Floats) -> float:
    """Mean length of blocks, in bars, at which the stationary bootstrap's error of the mean's variance is smallest.

    Edges:  at least 1; at most ceil(min(3 sqrt(n), n / 3)); 1 for returns that never vary.
    Source: Politis and White (2004) with the correction of Patton, Politis and White (2009), and the rule for the
            largest lag of Patton's program: twice the first lag from which max(5, log10 n) autocorrelations are small.
    """
    _check_history(returns)
    n = returns.size
    away = returns - returns.mean()
    if returns.min() == returns.max():
        return 1.0
    run = max(5, int(math.log10(n)))
    longest = min(math.ceil(math.sqrt(n)) + run, n - 1)
    covariance = np.array([float((away[lag:] * away[: n - lag]).sum()) / n for lag in range(longest + 1)])
    small = np.abs(covariance / covariance[0]) < 2.0 * math.sqrt(math.log10(n) / n)
    quiet = [lag for lag in range(1, longest - run + 1) if small[lag : lag + run].all()]
    lags = np.arange(1, min(2 * quiet[0], longest) + 1 if quiet else longest + 1)
    weights = np.minimum(1.0, 2.0 * (1.0 - lags / lags[-1]))
    density = covariance[0] + 2.0 * float((weights * covariance[lags]).sum())
    slope = 2.0 * float((weights * lags * covariance[lags]).sum())
    most = math.ceil(min(3.0 * math.sqrt(n), n / 3.0))
    if density == 0.0:
        return float(most)
    return float(min(max((slope / density) ** 2 * n, 1.0) ** (1.0 / 3.0), most))


def stationary_draw(bars: int, block: float, rng: np.random.Generator) -> Ints:
    """Which bar stands at each place of one drawn history, (bars,), for blocks of `block` bars on average."""
    _check_block(block)
    places: Ints = rng.integers(bars, size=bars)
    _continue_blocks(places, rng.random(bars), 1.0 / block)
    return places


def intervals(
    returns: Floats,
    rng: np.random.Generator,
    *,
    annualisation: float,
    draws: int = DRAWS,
    block: float | None = None,
    confidence: float = 0.95,
) -> Intervals:
    """How far Sharpe ratio, growth and drawdown would have scattered had the same kind of bars come in other order.

    Shapes: returns (n,), fractions per bar. `block`: mean length, `optimal_block_length` when not given.
    Raises: InvalidInput for fewer than `SHORTEST` bars, returns that are not finite, and arguments out of range.
    """
    _check_history(returns)
    _check_draws(draws)
    if not 0.0 < confidence < 1.0:
        raise InvalidInput("confidence lies between 0 and 1, for example 0.95", confidence=confidence)
    if not annualisation > 0.0:
        raise InvalidInput("the bars of a year must be above 0, for example 252", annualisation=annualisation)
    length = optimal_block_length(returns) if block is None else block
    out = np.empty((draws, 3))
    for draw in range(draws):
        _measure(returns, stationary_draw(returns.size, length, rng), out[draw])
    tail = round((1.0 - confidence) / 2.0, 12)  # 0.025, not 0.025000000000000022, which is the next draw
    low, high = np.quantile(out, [tail, 1.0 - tail], axis=0, method="inverted_cdf")
    years, root = returns.size / annualisation, math.sqrt(annualisation)
    defined = not np.isnan(out[:, 0]).any()
    return Intervals(
        draws=draws,
        block=length,
        sharpe=(float(low[0]) * root, float(high[0]) * root) if defined else None,
        cagr=(float(low[1]) ** (1.0 / years) - 1.0, float(high[1]) ** (1.0 / years) - 1.0),
        max_drawdown=(float(low[2]), float(high[2])),
    )


def snooping(excess: Iterable[Floats], rng: np.random.Generator, *, block: float, draws: int = DRAWS) -> Snooping:
    """White's reality check and Hansen's test for superior predictive ability, in one pass over chunks of candidates.

    Every candidate that was tried belongs in it: a test of only the best ones takes their luck for granted and finds
    skill in noise. All chunks meet the same drawn histories, whose counts of bars are kept: draws x bars x 4 bytes.

    Shapes: each chunk (n, k): k candidates' bar returns above the benchmark's, over the same n bars.
            `block`: mean length, for example `optimal_block_length` of the benchmark.
    Raises: InvalidInput for no candidate, chunks of other lengths, or values that are not finite.
    Source: White, A Reality Check for Data Snooping (2000); Hansen, A Test for Superior Predictive Ability (2005), with
            its variance of the mean under the stationary bootstrap, and its test statistics that are never below 0.
    """
    _check_draws(draws)
    _check_block(block)
    chunks = iter(excess)
    first = next(chunks, None)
    if first is None:
        raise InvalidInput("a test for data snooping needs at least one candidate")
    n = first.shape[0]
    counts = np.zeros((draws, n), dtype=np.int32)
    for draw in range(draws):
        counts[draw] = np.bincount(stationary_draw(n, block, rng), minlength=n)
    candidates, plain, studentised = 0, -math.inf, -math.inf
    drawn_plain, drawn = np.full(draws, -np.inf), np.zeros((draws, 3))
    for chunk in chain([first], chunks):
        if chunk.ndim != 2 or chunk.shape[0] != n:
            raise InvalidInput(
                "all candidates must cover the same bars, one row per bar", expected=n, shape=chunk.shape
            )
        if chunk.shape[1] == 0:
            continue
        for candidate in chunk.T:
            _check_history(candidate)
        rows = np.ascontiguousarray(chunk)
        means = rows.sum(axis=0) / n
        varying = rows.min(axis=0) < rows.max(axis=0)
        errors = np.where(varying, np.sqrt(_variance_of_mean(rows - means, 1.0 / block)), 0.0)
        _draw_maxima(rows, means, errors, counts, drawn_plain, drawn)
        candidates += chunk.shape[1]
        plain = max(plain, float(means.max()))
        varying = errors > 0.0  # blocks may cancel each other out
        studentised = max(studentised, float((means[varying] / errors[varying]).max(initial=-np.inf)))
    if candidates == 0:
        raise InvalidInput("a test for data snooping needs at least one candidate")
    p = (drawn >= studentised).mean(axis=0)  # a best below the benchmark has 1: no draw is below 0
    defined = studentised > -math.inf
    return Snooping(
        candidates=candidates,
        draws=draws,
        reality_check=float((drawn_plain >= plain).mean()),
        lower=float(p[0]) if defined else None,
        consistent=float(p[1]) if defined else None,
        upper=float(p[2]) if defined else None,
    )


def _check_history(returns: Floats) -> None:
    if returns.size < SHORTEST:
        raise InvalidInput(f"a history that is drawn again needs {SHORTEST} bars or more", bars=returns.size)
    if not np.isfinite(returns).all():
        raise InvalidInput(
            "a history that is drawn again needs a finite return for every bar: cut the warm-up off first"
        )


def _check_block(block: float) -> None:
    if not (block >= 1.0 and math.isfinite(block)):
        raise InvalidInput("blocks are at least 1 bar long on average", block=block)


def _check_draws(draws: int) -> None:
    if draws < 1:
        raise InvalidInput("at least one history must be drawn; 1,000 is usual", draws=draws)


@_jit
def _continue_blocks(places: Ints, chance: Floats, stop: float) -> None:
    """Places that do not begin a block follow the one before, around the end."""
    for i in range(1, places.size):
        if chance[i] > stop:
            places[i] = places[i - 1] + 1 if places[i - 1] + 1 < places.size else 0


@_jit
def _measure(returns: Floats, places: Ints, out: Floats) -> None:
    """Sharpe ratio per bar (NaN if it never varies), growth and largest drawdown of one draw, into out (3,)."""
    n = places.size
    total, equity, peak, deepest = 0.0, 1.0, 1.0, 0.0
    lowest = highest = returns[places[0]]
    for place in places:
        step = returns[place]
        total += step
        lowest, highest = min(lowest, step), max(highest, step)
        equity *= max(1.0 + step, 0.0)
        peak = max(peak, equity)
        deepest = min(deepest, equity / peak - 1.0)
    mean, squares = total / n, 0.0
    for place in places:
        squares += (returns[place] - mean) ** 2
    out[0] = mean / np.sqrt(squares / (n - 1)) if lowest < highest else np.nan
    out[1], out[2] = equity, deepest


@_jit
def _variance_of_mean(away: Floats, stop: float) -> Floats:
    """Variance of each candidate's mean over all possible draws; Politis and Romano (1994), lemma 1."""
    n, k = away.shape
    out = np.zeros(k)
    for lag in range(n):
        share = lag / n
        weight = (1.0 - share) * (1.0 - stop) ** lag + share * (1.0 - stop) ** (n - lag) if lag else 0.5
        if weight > _NEGLIGIBLE:
            for t in range(n - lag):
                for j in range(k):
                    out[j] += 2.0 * weight * away[t, j] * away[t + lag, j]
    for j in range(k):
        out[j] = max(out[j], 0.0) / n / n
    return out


@_jit
def _draw_maxima(rows: Floats, means: Floats, errors: Floats, counts: Ints, plain: Floats, drawn: Floats) -> None:
    """Raise plain (draws,) and drawn (draws, 3) to the largest statistics of these candidates in every draw.

    How far a candidate's own mean is taken off is what the three columns differ in: never below zero; unless it is so
    low that it cannot matter; always.
    """
    n, k = rows.shape
    hopeless = -np.sqrt(2.0 * np.log(np.log(n)))
    means_drawn = np.empty(k)
    for draw in range(counts.shape[0]):
        means_drawn[:] = 0.0
        for t in range(n):
            times = float(counts[draw, t])
            if times > 0.0:
                for j in range(k):
                    means_drawn[j] += times * rows[t, j]
        for j in range(k):
            mean, error = means[j], errors[j]
            moved = means_drawn[j] / n
            plain[draw] = max(plain[draw], moved - mean)
            if error > 0.0:
                drawn[draw, 0] = max(drawn[draw, 0], (moved - max(mean, 0.0)) / error)
                drawn[draw, 1] = max(drawn[draw, 1], (moved - (mean if mean >= hopeless * error else 0.0)) / error)
                drawn[draw, 2] = max(drawn[draw, 2], (moved - mean) / error)
