"""Two series beside each other: correlation, regression of one on the other, risk against a benchmark.

`close` is the series that is asked about, `other` the one it is held against: a market, a benchmark, a second leg.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from agents.indicators.families.averages import sma
from agents.indicators.graph import Line, change, clip, lag, log, ratio, rolling, sqrt, where
from agents.indicators.registry import LONGEST, Choice, LongWindow, Range, Window, indicator
from agents.kernels import pairs

Divisor = Annotated[str, Choice(("population", "sample"))]
Periods = Annotated[float, Range(1.0, 1e9)]


@dataclass(frozen=True, slots=True)
class Sums:
    """Moments of a window of pairs (x, y): means, sums of squares, and sum of products of distances from them."""

    mean_x: Line
    mean_y: Line
    squares_x: Line
    squares_y: Line
    products: Line

    def slope(self) -> Line:
        """Of y on x; 0 where x did not vary."""
        return ratio(self.products, self.squares_x, otherwise=0.0)

    def correlation(self) -> Line:
        """-1 … 1; 0 where one of the two did not vary."""
        return clip(ratio(self.products, sqrt(self.squares_x) * sqrt(self.squares_y), otherwise=0.0), -1.0, 1.0)


def sums_of(x: Line, y: Line, window: int) -> Sums:
    """Moments of the last `window` pairs."""
    return Sums(*rolling(pairs.pair_moments, x, y, window, reach=window - 1, outputs=5))


def percent_change(line: Line) -> Line:
    """Change against the bar before, as a fraction."""
    return ratio(change(line), lag(line, 1))


@indicator(family="statistics", unit="none", bounds=(-1.0, 1.0), talib="CORREL", source="Pearson; TA-Lib CORREL")
def correlation(close: Line, other: Line, window: Window = 30) -> Line:
    """Correlation of the values of two series; 0 where one of them did not vary.

    Formula: sum (x - mean x)(y - mean y) / sqrt(sum (x - mean x)^2 * sum (y - mean y)^2).

    Of prices, as TA-Lib, TradingView and Stock.Indicators; give returns for that of returns.
    """
    return sums_of(close, other, window).correlation()


@indicator(
    family="statistics", unit="none", bounds=(0.0, 1.0), source="coefficient of determination; Stock.Indicators R2"
)
def correlation_squared(close: Line, other: Line, window: Window = 30) -> Line:
    """Share of one series' variance that a line through the other explains (R squared).

    Formula: correlation^2.
    """
    found = sums_of(close, other, window).correlation()
    return found * found


@indicator(family="statistics", unit="variance", source="textbook definition; NumPy cov")
def covariance(close: Line, other: Line, window: Window = 30, kind: Divisor = "population") -> Line:
    """Covariance of the values of two series.

    Formula: sum (x - mean x)(y - mean y) / window; sample: / (window - 1).

    One pair alone has covariance 0 in both kinds.
    """
    return sums_of(close, other, window).products / (max(window - 1, 1) if kind == "sample" else window)


@indicator(
    family="statistics", unit="none", bounds=(-1.0, 1.0), source="Spearman (1904), mean ranks for equal values; SciPy"
)
def spearman(close: Line, other: Line, window: LongWindow = 30) -> Line:
    """Rank correlation: how far two series rise and fall together, whatever the sizes; 0 where one did not vary.

    Formula: correlation of the ranks within the window.
    """
    return rolling(pairs.spearman, close, other, window, reach=window - 1, guarded=True)


@indicator(family="statistics", unit="none", bounds=(-1.0, 1.0), source="Kendall, Biometrika 33 (1945), tau-b; SciPy")
def kendall(close: Line, other: Line, window: Annotated[int, Range(2, 1_000)] = 20) -> Line:
    """Kendall's tau-b: pairs of bars in the same order less those in opposite order; 0 where one did not vary.

    Formula: (same - opposite) / sqrt(pairs apart in x * pairs apart in y).
    """
    return rolling(pairs.kendall, close, other, window, reach=window - 1, guarded=True)


@indicator(family="statistics", unit="none", bounds=(-1.0, 1.0), source="Box and Jenkins, Time Series Analysis (1970)")
def cross_correlation(
    close: Line, other: Line, window: LongWindow = 30, delay: Annotated[int, Range(0, LONGEST)] = 1
) -> Line:
    """Correlation of log returns with those of the other series `delay` bars earlier: whether it leads.

    Formula: correlation(r, r_other[delay bars ago]). 0 where one did not vary.
    """
    step, led = change(log(close)), change(log(other))
    return sums_of(step, lag(led, delay) if delay else led, window).correlation()


@indicator(family="statistics", unit="none", source="Sharpe (1964); Stock.Indicators GetBeta, TA-Lib BETA")
def beta(close: Line, other: Line, window: Window = 5) -> Line:
    """Slope of a series' returns on those of the market, `other`; 0 where the market did not move.

    Formula: covariance(r, r_market) / variance(r_market), r = value / value before - 1, over `window` returns.

    TA-Lib's BETA names the market first: its BETA(market, stock) is beta(stock, market) here.
    """
    return sums_of(percent_change(other), percent_change(close), window).slope()


@indicator(
    family="statistics",
    unit="none",
    outputs=("up", "down", "ratio", "convexity"),
    source="Bawa and Lindenberg (1977); Stock.Indicators GetBeta, type All",
)
def beta_sides(close: Line, other: Line, window: LongWindow = 50) -> tuple[Line, ...]:
    """Beta over the window's bars with a rising market, over those with a falling one, and how the two differ.

    Formula: up, down = slope over the returns with r_market > 0, < 0; ratio = up / down; convexity = (up - down)^2.

    A side without two different market returns has beta 0; ratio is 0 where down is.
    """
    mine, market = percent_change(close), percent_change(other)
    sides = []
    for chosen in (market > 0.0, market < 0.0):
        x, y = market * chosen, mine * chosen
        every, share = sums_of(x, y, window), sma(chosen, window)
        # Rows that are left out count as (0, 0); the moments of the others follow from those of all.
        rest = ratio(1.0 - share, share, otherwise=0.0) * float(window)
        products = every.products - every.mean_x * every.mean_y * rest
        squares = every.squares_x - every.mean_x * every.mean_x * rest
        alone = share * float(window) < 1.5
        sides.append(where(alone, 0.0, ratio(products, squares, otherwise=0.0)))
    up, down = sides
    return up, down, ratio(up, down, otherwise=0.0), (up - down) * (up - down)


@indicator(family="statistics", unit="none", source="Jensen, Journal of Finance 23 (1968), 389-416")
def alpha(close: Line, other: Line, window: LongWindow = 60, periods: Periods = 252.0) -> Line:
    """Jensen's alpha: mean return beyond what beta to the market explains, a fraction per year of `periods` bars.

    Formula: periods * (mean r - beta * mean r_market), returns over the riskless rate or with that rate 0.
    """
    sums = sums_of(percent_change(other), percent_change(close), window)
    return (sums.mean_y - sums.slope() * sums.mean_x) * periods


@indicator(
    family="statistics",
    unit="none",
    bounds=(0.0, float("inf")),
    source="Grinold and Kahn, Active Portfolio Management (1999)",
)
def tracking_error(close: Line, other: Line, window: LongWindow = 60, periods: Periods = 252.0) -> Line:
    """Sample deviation of the returns beyond the benchmark's, a fraction per year of `periods` bars.

    Formula: sqrt(periods) * sample stddev(r - r_other).
    """
    _, spread = _active(close, other, window)
    return spread * math.sqrt(periods)


@indicator(family="statistics", unit="none", source="Grinold and Kahn, Active Portfolio Management (1999)")
def information_ratio(close: Line, other: Line, window: LongWindow = 60, periods: Periods = 252.0) -> Line:
    """Mean return beyond the benchmark's over its tracking error; 0 where that error is 0.

    Formula: sqrt(periods) * mean(r - r_other) / sample stddev(r - r_other).
    """
    mean, spread = _active(close, other, window)
    return ratio(mean, spread, otherwise=0.0) * math.sqrt(periods)


@indicator(
    family="statistics",
    unit=("mixed", "none", "none"),
    outputs=("spread", "beta", "zscore"),
    source="Gatev, Goetzmann, Rouwenhorst (2006); Chan, Algorithmic Trading (2013), ch. 3",
)
def pair_spread(
    close: Line,
    other: Line,
    window: Annotated[int, Range(3, LONGEST)] = 60,
    prices: Annotated[str, Choice(("plain", "log"))] = "plain",
) -> tuple[Line, ...]:
    """Spread of a pair with the hedge ratio of the window, and how many deviations it is from its mean.

    Formula: beta = least-squares slope of close on other; spread = close - beta * other;
    zscore = (spread - mean) / population stddev of the window's spreads under the present beta.

    prices: plain, or their logarithms. beta is 0 where other did not move, zscore where the fit leaves no deviation.
    """
    x, y = (log(other), log(close)) if prices == "log" else (other, close)
    sums = sums_of(x, y, window)
    slope = sums.slope()
    left = (sums.squares_y - slope * sums.products) / float(window)
    left = where(left > sums.squares_y * (1e-14 / window), left, 0.0)  # a perfect fit leaves rounding dust
    away = (y - sums.mean_y) - slope * (x - sums.mean_x)
    return y - slope * x, slope, ratio(away, sqrt(left), otherwise=0.0)


@indicator(
    family="regime",
    unit="none",
    bounds=(0.0, float("inf")),
    source="Kritzman and Li, Financial Analysts Journal 66:5 (2010), for two assets",
)
def turbulence(close: Line, other: Line, window: Annotated[int, Range(3, LONGEST)] = 250) -> Line:
    """How unusual the present returns of two assets are together: squared Mahalanobis distance from the window before.

    Formula: (r - mean)' inverse(population covariance) (r - mean) / 2, over the `window` returns before this bar.

    About 1 on average in quiet times. 0 where the two did not move or moved as one.
    """
    step, second = percent_change(close), percent_change(other)
    sums = sums_of(lag(step, 1), lag(second, 1), window)
    a, b = step - sums.mean_x, second - sums.mean_y
    xx, yy, xy = sums.squares_x, sums.squares_y, sums.products
    spread = xx * yy - xy * xy
    distance = a * a * yy - a * b * xy * 2.0 + b * b * xx
    found = ratio(distance, spread, otherwise=0.0) * (0.5 * window)
    return where(spread > xx * yy * 1e-12, clip(found, 0.0, float("inf")), 0.0)


def _active(close: Line, other: Line, window: int) -> tuple[Line, Line]:
    """Mean and sample deviation of the returns beyond the other's."""
    beyond = percent_change(close) - percent_change(other)
    sums = sums_of(beyond, beyond, window)
    return sums.mean_x, sqrt(sums.squares_x / float(window - 1))
