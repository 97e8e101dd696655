"""Statistics of the last few bars of one series: moments, ranks, information, memory."""

from __future__ import annotations

import math
from typing import Annotated

from agents.indicators.families.averages import sma
from agents.indicators.families.basics import highest, lowest, rolling_sum
from agents.indicators.families.pairs import sums_of
from agents.indicators.families.volatility import stddev
from agents.indicators.graph import Line, change, clip, lag, log, maximum, ratio, rolling, sqrt, where
from agents.indicators.registry import LONGEST, Choice, LongWindow, Range, Window, indicator
from agents.kernels import ranks
from agents.kernels import statistics as kernels
from data.contracts.errors import InvalidInput

Divisor = Annotated[str, Choice(("population", "sample"))]
Ranked = Annotated[str, Choice(("nearest", "linear"))]


@indicator(family="statistics", unit="variance", bounds=(0.0, float("inf")), talib="VAR", source="TA-Lib VAR")
def variance(close: Line, window: Window = 5, kind: Divisor = "population") -> Line:
    """Variance of the last `window` values.

    Formula: mean((value - mean)^2), times window / (window - 1) for kind="sample".

    TA-Lib's nbdev has no effect there and is not a parameter here. One value alone has variance 0 in both kinds.
    """
    deviation: Line = stddev(close, window)
    return deviation * deviation * (window / max(window - 1, 1) if kind == "sample" else 1.0)


@indicator(family="statistics", unit="none", source="Joanes and Gill, The Statistician 47 (1998); pandas rolling skew")
def skew(close: Line, window: Annotated[int, Range(3, LONGEST)] = 30, kind: Divisor = "sample") -> Line:
    """Skewness of the last `window` values: above 0 with a long tail upwards; 0 where nothing varied.

    Formula: g = (sum d^3 / n) / (sum d^2 / n)^1.5, d = value - mean; sample: g * sqrt(n (n - 1)) / (n - 2).

    sample: pandas, Excel SKEW, pandas-ta. population: Excel SKEW.P, SciPy's default.
    """
    squares, cubes, _ = rolling(kernels.shape, close, window, reach=window - 1, outputs=3)
    spread = squares / window
    unbiased = math.sqrt(window * (window - 1.0)) / (window - 2.0) if kind == "sample" else 1.0
    return ratio(cubes / window, spread * sqrt(spread), otherwise=0.0) * unbiased


@indicator(
    family="statistics", unit="none", source="Joanes and Gill, The Statistician 47 (1998); pandas rolling kurtosis"
)
def kurtosis(close: Line, window: Annotated[int, Range(4, LONGEST)] = 30, kind: Divisor = "sample") -> Line:
    """Excess kurtosis of the last `window` values: above 0 with tails heavier than the normal; 0 where nothing varied.

    Formula: g = (sum d^4 / n) / (sum d^2 / n)^2 - 3, d = value - mean;
    sample: (n - 1) ((n + 1) g + 6) / ((n - 2)(n - 3)).

    sample: pandas (which says -3 where nothing varied), Excel KURT, pandas-ta. population: SciPy's default.
    """
    squares, _, fourths = rolling(kernels.shape, close, window, reach=window - 1, outputs=3)
    spread = squares / window
    excess = ratio(fourths / window, spread * spread, otherwise=3.0) - 3.0
    if kind == "population":
        return excess
    unbiased = (excess * (window + 1.0) + 6.0) * ((window - 1.0) / ((window - 2.0) * (window - 3.0)))
    return where(squares > 0.0, unbiased, 0.0)


@indicator(
    family="statistics",
    unit="none",
    bounds=(0.0, float("inf")),
    source="Jarque and Bera, Economics Letters 6 (1980), 255-259",
)
def jarque_bera(close: Line, window: Annotated[int, Range(4, LONGEST)] = 60) -> Line:
    """Jarque and Bera's test of normality on the log returns of the window: above 6 it is rejected at 5 per cent.

    Formula: n / 6 * (skew^2 + kurtosis^2 / 4), population forms. 0 where nothing varied.
    """
    step = _log_return(close)
    lean: Line = skew(step, window, "population")
    tails: Line = kurtosis(step, window, "population")
    return (lean * lean + tails * tails / 4.0) * (window / 6.0)


@indicator(family="statistics", unit="price", source="Tukey, Exploratory Data Analysis (1977); pandas rolling median")
def median(close: Line, window: Window = 30) -> Line:
    """Middle of the last `window` values, the mean of the two middle ones for an even count.

    Formula: the value with as many below as above.
    """
    return rolling(ranks.quantile, close, window, 0.5, 1, reach=window - 1, guarded=True)


@indicator(family="statistics", unit="price", talib="PERCENTILE", source="TA-Lib PERCENTILE")
def percentile(
    close: Line,
    window: Window = 30,
    percent: Annotated[float, Range(0.0, 100.0, ("percentile",))] = 50.0,
    kind: Ranked = "nearest",
) -> Line:
    """The value below which `percent` per cent of the last `window` values lie.

    Formula: nearest: the value of rank ceil(percent / 100 * window); linear: between the two nearest of
    percent / 100 * (window - 1), counted from 0.

    nearest is TA-Lib's and TradingView's percentile_nearest_rank; linear is NumPy's and Excel's.
    """
    return rolling(
        ranks.quantile, close, window, percent / 100.0, int(kind == "linear"), reach=window - 1, guarded=True
    )


@indicator(family="statistics", unit="none", bounds=(0.0, 100.0), talib="PERCENTRANK", source="TA-Lib PERCENTRANK")
def percent_rank(
    close: Line, window: Window = 100, kind: Annotated[str, Choice(("below", "at_most"))] = "below"
) -> Line:
    """Per cent of the `window` values before that lie below the present one.

    Formula: 100 * count(value before < value) / window; at_most: <= instead of <.

    below is TA-Lib's and Stock.Indicators' (in Connors RSI); at_most is TradingView's ta.percentrank.
    """
    less, equal = rolling(ranks.standing, close, window + 1, reach=window, outputs=2, guarded=True)
    count = less + equal - 1.0 if kind == "at_most" else less
    return count * (100.0 / window)


@indicator(family="statistics", unit="none", bounds=(1.0, float("inf")), source="pandas rolling rank, method average")
def rolling_rank(close: Line, window: Window = 30) -> Line:
    """Place of the present value among the last `window`, 1 = lowest; equal values share their mean place.

    Formula: count(value < now) + (count(value = now) + 1) / 2.
    """
    less, equal = rolling(ranks.standing, close, window, reach=window - 1, outputs=2, guarded=True)
    return less + (equal + 1.0) / 2.0


@indicator(family="statistics", unit="move", bounds=(0.0, float("inf")), source="Hampel, JASA 69 (1974), 383-393")
def median_deviation(close: Line, window: Window = 30) -> Line:
    """Median absolute deviation (MAD): a spread that outliers hardly touch; times 1.4826 it estimates a normal's sigma.

    Formula: median(|value - median(value)|).
    """
    return rolling(ranks.median_deviation, close, window, reach=window - 1, guarded=True)


@indicator(family="statistics", unit="none", source="Shannon (1948); pandas-ta-classic entropy")
def entropy(
    close: Line,
    window: LongWindow = 10,
    base: Annotated[float, Range(1.0001, 1_000.0)] = 2.0,
    shares: Annotated[str, Choice(("window", "running"))] = "window",
) -> Line:
    """Shannon entropy of the shares that values have in the sum of their window; log(window) where all are equal.

    Formula: sum over the window of -p log(p) / log(base), p = value / sum of the window.

    shares="running" takes each share of the sum of the `window` values up to its own bar, as pandas-ta 0.3 does; such
    shares need not add up to 1. Values must be positive.
    """
    whole = rolling_sum(close, window)
    if shares == "window":
        return (log(whole) - ratio(rolling_sum(close * log(close), window), whole)) / math.log(base)
    share = ratio(close, whole)
    return sma(share * log(share), window) * (-window / math.log(base))


@indicator(
    family="statistics", unit="none", bounds=(-1.0, 1.0), source="Box and Jenkins, Time Series Analysis (1970), sec. 2"
)
def autocorrelation(close: Line, window: LongWindow = 30, delay: Annotated[int, Range(1, LONGEST)] = 1) -> Line:
    """Correlation of the log returns of the window with those `delay` bars earlier; 0 where nothing varied.

    Formula: correlation(r, r[delay bars ago]) over `window` pairs, each side with its own mean (pandas autocorr).
    """
    step = _log_return(close)
    return sums_of(step, lag(step, delay), window).correlation()


@indicator(
    family="statistics",
    unit="none",
    source="Hurst, Trans. ASCE 116 (1951); Mandelbrot and Wallis, Water Resources Research 5 (1969)",
)
def hurst(close: Line, window: Annotated[int, Range(16, 10_000)] = 128) -> Line:
    """Hurst exponent of log returns by rescaled ranges: 0.5 no memory, above persistent, below mean reverting.

    Formula: least-squares slope of log(R/S) on log(n), n = window, window // 2, window // 4 … at least 8; R/S is the
    mean, over the stretches of n bars counted back from the newest, of the range of summed distances from the mean
    over the population deviation.

    No correction for short samples: white noise gives about 0.6 at 128 bars. 0.5 where nothing varied.
    """
    return rolling(kernels.rescaled_range, _log_return(close), window, reach=window - 1, guarded=True)


@indicator(family="statistics", unit="none", bounds=(1.0, 2.0), source="Ehlers, Fractal Adaptive Moving Average (2005)")
def fractal_dimension(high: Line, low: Line, window: Annotated[int, Range(2, LONGEST)] = 30) -> Line:
    """Fractal dimension of the price path from ranges: near 1 for a straight trend, near 2 for a jagged one.

    Formula: (log(N1 + N2) - log(N3)) / log 2; N1, N2 ranges of the newer and the older half per bar of a half,
    N3 range of both per bar. An odd window is rounded down.

    1.5, the dimension of a random walk, where there was no range; at least 1, where a jump makes the quotient smaller.
    """
    half = window // 2
    newer = highest(high, half) - lowest(low, half)
    whole = highest(high, 2 * half) - lowest(low, 2 * half)
    parts = (newer + lag(newer, half)) / half
    return clip(log(maximum(ratio(parts, whole / (2.0 * half), otherwise=2.0**1.5), 2.0)) / math.log(2.0), 1.0, 2.0)


def _horizon_below_window(window: int, horizon: int) -> None:
    if horizon >= window:
        raise InvalidInput(f"variance_ratio horizon must be below window; {horizon} and {window} are not")


@indicator(
    family="statistics",
    unit="none",
    outputs=("ratio", "z"),
    source="Lo and MacKinlay, Review of Financial Studies 1 (1988), 41-66",
    check=_horizon_below_window,
)
def variance_ratio(
    close: Line, window: Annotated[int, Range(4, LONGEST)] = 120, horizon: Annotated[int, Range(2, LONGEST)] = 5
) -> tuple[Line, ...]:
    """Variance of `horizon`-bar log returns over `horizon` times that of one bar: 1 for a random walk, above it trends.

    Formula: ratio = (sum (r_q - q m)^2 / k) / (sum (r - m)^2 / (n - 1)), k = q (n - q + 1)(1 - q / n), n = window,
    q = horizon, m the mean of r; z = (ratio - 1) / sqrt(2 (2 q - 1)(q - 1) / (3 q n)).

    Overlapping returns, unbiased variances, z for constant variance. 1 and 0 where nothing varied.
    """
    count = window - horizon + 1
    step, leap = _log_return(close), change(log(close), horizon)
    mean, drift = sma(step, window), sma(leap, count)
    off = drift - mean * float(horizon)
    single = variance(step, window) * (window / (window - 1.0))
    several = (variance(leap, count) + off * off) * (1.0 / (horizon * (1.0 - horizon / window)))
    found = ratio(several, single, otherwise=1.0)
    return found, (found - 1.0) / math.sqrt(2.0 * (2.0 * horizon - 1.0) * (horizon - 1.0) / (3.0 * horizon * window))


@indicator(
    family="statistics",
    unit="bars",
    bounds=(0.0, 1e6),
    source="Uhlenbeck and Ornstein (1930); Chan, Algorithmic Trading (2013), ch. 2",
)
def half_life(
    close: Line, window: Annotated[int, Range(3, LONGEST)] = 100, longest: Annotated[float, Range(1.0, 1e6)] = 1_000.0
) -> Line:
    """Bars in which half of a distance from the mean is gone, by a fit of changes to levels; at most `longest`.

    Formula: -log(2) / b, b the least-squares slope of value - value before on value before.

    A price that does not come back (b >= 0, or nothing varied) gives `longest`.
    """
    slope = sums_of(lag(close, 1), change(close), window).slope()
    life = ratio(-math.log(2.0), slope, otherwise=longest)
    return clip(where(slope < 0.0, life, longest), 0.0, longest)


def _log_return(close: Line) -> Line:
    return change(log(close))
