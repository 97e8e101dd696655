"""How far a Sharpe ratio can be believed: its error, its length of track, and how many were tried before it.

Every ratio here is per bar, and never annualised: the caller divides an annual one by the square root of its bars a
year. None means undefined: a track that is shorter than `SHORTEST` bars or never varies, and what each function names.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np

from data.contracts.arrays import Bools, Floats, Ints
from data.contracts.errors import InvalidInput

SHORTEST = 3  # bars of the shortest track with a skew
SAMPLE = 256  # trials whose returns are kept to see how alike they are
EULER = 0.5772156649015329
_NORMAL = NormalDist()

Correction = Literal["bonferroni", "holm", "benjamini_hochberg", "benjamini_yekutieli"]


@dataclass(frozen=True, slots=True)
class Track:
    """What is known of a track record.

    sharpe: mean over deviation (ddof 1) of its bar returns. skew, kurtosis: of the sample itself (ddof 0); a normal
    one has 0 and 3.
    """

    bars: int
    sharpe: float
    skew: float = 0.0
    kurtosis: float = 3.0

    @property
    def error(self) -> float:
        """Standard error of the ratio for independent returns that need not be normal; NaN below two bars.

        Source: Mertens (2002), which for normal returns is Lo (2002); n - 1 as in Bailey and López de Prado (2012).
        """
        spread = 1.0 - self.skew * self.sharpe + (self.kurtosis - 1.0) / 4.0 * self.sharpe**2
        return math.sqrt(max(spread, 0.0) / (self.bars - 1)) if self.bars > 1 else math.nan


def track(returns: Floats, rf: float = 0.0) -> Track | None:
    """The track of bar returns above `rf` per bar; None when there are too few or they never vary.

    Shapes: returns (n,), fractions.
    Raises: InvalidInput for returns that are not finite.
    """
    if not np.isfinite(returns).all():
        raise InvalidInput("a track record needs a finite return for every bar: cut the warm-up off first")
    if returns.size < SHORTEST or returns.min() == returns.max():
        return None
    away = returns - returns.mean()
    squares = away * away
    variance = float(squares.mean())
    deviation = math.sqrt(variance * returns.size / (returns.size - 1))
    return Track(
        bars=returns.size,
        sharpe=(float(returns.mean()) - rf) / deviation,
        skew=float((squares * away).mean()) / variance**1.5,
        kurtosis=float((squares * squares).mean()) / variance**2,
    )


def probabilistic_sharpe(record: Track, benchmark: float = 0.0) -> float | None:
    """Probability that the true Sharpe ratio is above `benchmark`, given the length, skew and tails of the record.

    Edges:  None where the standard error is 0 or there is none.
    Source: Bailey and López de Prado, The Sharpe Ratio Efficient Frontier (2012), eq. 11.
    """
    return _NORMAL.cdf((record.sharpe - benchmark) / record.error) if record.error > 0.0 else None


def minimum_track_record(record: Track, benchmark: float = 0.0, confidence: float = 0.95) -> float | None:
    """Bars after which a Sharpe ratio like this one would be above `benchmark` with that confidence.

    Edges:  None where the ratio is not above the benchmark: no length would do.
    Source: Bailey and López de Prado (2012), eq. 13.
    """
    _check_confidence(confidence)
    if not record.sharpe > benchmark or math.isnan(record.error):
        return None
    z = _NORMAL.inv_cdf(confidence)
    return 1.0 + (record.bars - 1) * (record.error * z / (record.sharpe - benchmark)) ** 2


def sharpe_interval(record: Track, confidence: float = 0.95) -> tuple[float, float] | None:
    """Two-sided normal interval of the true Sharpe ratio. None where there is no standard error."""
    _check_confidence(confidence)
    if math.isnan(record.error):
        return None
    half = _NORMAL.inv_cdf(0.5 + confidence / 2.0) * record.error
    return record.sharpe - half, record.sharpe + half


def expected_maximum_sharpe(trials: float, variance: float, mean: float = 0.0) -> float:
    """The best Sharpe ratio to expect of `trials` independent ones without skill.

    Units:  variance and mean are of the trials' Sharpe ratios. Mean 0 is the published hypothesis "no skill"; the
            mean of the trials themselves asks whether the best is more than the luckiest of its family.
    Edges:  one trial, or a fraction more, has nothing to choose from: `mean`.
    Raises: InvalidInput for fewer than one trial or a negative variance.
    Source: Bailey and López de Prado, The Deflated Sharpe Ratio (2014), eq. 1.
    """
    if not trials >= 1.0 or not variance >= 0.0:
        raise InvalidInput("the best of N needs one trial or more and a variance of 0 or more", trials=trials)
    if trials == 1.0:
        return mean
    # inv_cdf(1 - p) written as -inv_cdf(p), which keeps its digits for a million trials
    lift = -(1.0 - EULER) * _NORMAL.inv_cdf(1.0 / trials) - EULER * _NORMAL.inv_cdf(1.0 / (trials * math.e))
    return mean + math.sqrt(variance) * max(lift, 0.0)


def deflated_sharpe(record: Track, trials: float, variance: float | None) -> float | None:
    """Probability that the true Sharpe ratio of the best of `trials` is above what luck alone makes of the best.

    Units:  variance of the trials' Sharpe ratios; None where there is only one trial.
    Edges:  None where more than one trial has no variance, or the record no standard error. One trial: the
            probabilistic Sharpe ratio.
    Source: Bailey and López de Prado (2014), eq. 2.
    """
    if variance is None and trials > 1.0:
        return None
    return probabilistic_sharpe(record, expected_maximum_sharpe(trials, variance or 0.0))


def sampled(ids: Ints, trials: int, size: int = SAMPLE) -> Bools:
    """Which of these trials belong to the sample whose returns are kept: about `size` of the `trials` of a sweep.

    A trial's id alone decides, so it is known before it is computed, on every worker, in any order and chunking.
    """
    if trials <= size:
        return np.ones(ids.size, dtype=np.bool_)
    return _mixed(ids) < np.uint64(2**64 * size // trials)


def average_correlation(returns: Floats) -> float | None:
    """Mean correlation over all pairs of trials.

    Shapes: returns (trials, bars). Trials that never vary are left out.
    Edges:  None for fewer than two trials that vary.
    """
    varying = returns[returns.min(axis=1) < returns.max(axis=1)] if returns.size else returns
    count: int = varying.shape[0]
    if count < 2:
        return None
    away = varying - varying.mean(axis=1, keepdims=True)
    # The correlations sum up to the squared length of the sum of the standardised trials: no matrix of pairs.
    together = (away / np.sqrt((away * away).sum(axis=1, keepdims=True))).sum(axis=0)
    return (float((together * together).sum()) - count) / (count * (count - 1))


def effective_trials(trials: int, correlation: float | None) -> float:
    """How many independent trials `trials` are worth that are on average that much alike.

    `correlation`: `average_correlation` of all of them, or of the sample that `sampled` chose: the mean over a random
    sample of trials has no bias, whatever the number of trials.
    Edges:  None and negative correlations take nothing off.
    Source: Bailey and López de Prado (2014), appendix 3: linear between one (all the same) and all (unrelated).
    """
    alike = min(max(correlation or 0.0, 0.0), 1.0)
    return alike + (1.0 - alike) * trials


def corrected(p_values: Floats, method: Correction) -> Floats:
    """P-values that allow for how many there are; compare them with the level that one test would have.

    bonferroni, holm: chance of any false find, for tests that depend on each other in any way. benjamini_hochberg:
    share of false among the finds, for independent or positively dependent tests. benjamini_yekutieli: likewise, any
    dependence.
    Shapes: (n,) -> (n,), in the order given.
    Raises: InvalidInput for values outside [0, 1] and unknown methods.
    Source: Holm (1979); Benjamini and Hochberg (1995); Benjamini and Yekutieli (2001).
    """
    if not ((p_values >= 0.0) & (p_values <= 1.0)).all():
        raise InvalidInput("p-values lie between 0 and 1: leave out the tests that have none")
    n = p_values.size
    order = np.argsort(p_values, kind="stable")
    ascending, rank = p_values[order], np.arange(1, n + 1)
    if method == "bonferroni":
        adjusted = ascending * n
    elif method == "holm":
        adjusted = np.maximum.accumulate(ascending * (n + 1 - rank))
    elif method in ("benjamini_hochberg", "benjamini_yekutieli"):
        extra = float((1.0 / rank).sum()) if method == "benjamini_yekutieli" else 1.0
        adjusted = np.minimum.accumulate((ascending * n * extra / rank)[::-1])[::-1]
    else:
        raise InvalidInput(f"there is no correction {method!r}: take one of {', '.join(get_args(Correction))}")
    out = np.empty(n)
    out[order] = np.minimum(adjusted, 1.0)
    return out


def _check_confidence(confidence: float) -> None:
    if not 0.0 < confidence < 1.0:
        raise InvalidInput("confidence lies between 0 and 1, for example 0.95", confidence=confidence)


def _mixed(ids: Ints) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    """SplitMix64 of each id: neighbours on a grid end up anywhere. Source: Steele, Lea and Flood (2014)."""
    x = ids.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
