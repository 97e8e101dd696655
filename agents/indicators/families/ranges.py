"""Volatility from ranges and returns: averages of ranges, and estimators of the deviation of returns."""

from __future__ import annotations

from math import log as logarithm
from math import sqrt as root
from typing import Annotated

from agents.indicators.families.averages import ema, sma
from agents.indicators.families.basics import highest, lowest, true_range
from agents.indicators.families.parts import decay
from agents.indicators.families.price import log_return, percent_return
from agents.indicators.families.volatility import DIVISOR, atr, stddev
from agents.indicators.graph import Line, lag, log, maximum, minimum, ratio, rolling, sqrt
from agents.indicators.registry import LONGEST, Choice, LongWindow, Range, Window, indicator
from agents.kernels import moments
from agents.kernels import volatility as kernels

Periods = Annotated[float, Range(1.0, 1e9)]
POSITIVE = (0.0, float("inf"))


@indicator(family="volatility", unit="move", bounds=POSITIVE, talib="ADR", source="TA-Lib ADR")
def adr(high: Line, low: Line, window: Window = 14) -> Line:
    """Average range of a bar, gaps left out.

    Formula: SMA(high - low).
    """
    return sma(high - low, window)


@indicator(family="volatility", unit="none", bounds=POSITIVE, source="Qullamaggie's ADR%, as charting sites show it")
def adr_percent(high: Line, low: Line, window: Window = 20) -> Line:
    """Average range of a bar in per cent of its low.

    Formula: 100 * (SMA(high / low) - 1).
    """
    return (sma(ratio(high, low), window) - 1.0) * 100.0


@indicator(
    family="volatility",
    unit="none",
    talib="CVI",
    source="Chaikin; Achelis, Technical Analysis from A to Z; TA-Lib CVI",
)
def cvi(
    high: Line, low: Line, window: Window = 10, roc_window: Annotated[int, Range(1, LONGEST, ("rocperiod",))] = 10
) -> Line:
    """Chaikin's volatility: change, in per cent, of the exponential average of the range over `roc_window` bars.

    Formula: 100 * (EMA(high - low) / EMA(high - low)[roc_window bars ago] - 1).

    0 where the average range before was 0.
    """
    wide = ema(high - low, window)
    before = lag(wide, roc_window)
    return ratio(wide - before, before, otherwise=0.0) * 100.0


@indicator(
    family="volatility",
    unit="move",
    outputs=("thermometer", "average"),
    bounds=POSITIVE,
    source="Elder, Come Into My Trading Room (2002), ch. 5",
)
def thermometer(high: Line, low: Line, window: Window = 22) -> tuple[Line, ...]:
    """Elder's market thermometer: how far a bar sticks out of the one before, and the exponential average of that.

    Formula: max(high - high before, low before - low, 0); average = EMA(thermometer, window).

    0 for an inside bar, as in the book; pandas-ta takes absolute distances, which count those too.
    """
    heat = maximum(maximum(high - lag(high, 1), lag(low, 1) - low), 0.0)
    return heat, ema(heat, window)


@indicator(
    family="volatility",
    unit="none",
    bounds=POSITIVE,
    source="Schwager, Technical Analysis (1995); Investopedia, Volatility Ratio",
)
def volatility_ratio(high: Line, low: Line, close: Line, window: Window = 14) -> Line:
    """True range of the bar against the average true range of the `window` bars before it; above 2 = a wide bar.

    Formula: true range / ATR(window) of the bar before.

    1 where nothing moved before.
    """
    return ratio(true_range(high, low, close), lag(atr(high, low, close, window), 1), otherwise=1.0)


@indicator(family="volatility", unit="mixed", source="Gopalakrishnan, Stocks & Commodities 19 (2001)")
def gapo(high: Line, low: Line, window: LongWindow = 5) -> Line:
    """Gopalakrishnan range index: logarithm of the window's range, in units of the logarithm of its length.

    Formula: ln(max(high) - min(low)) / ln(window).

    NaN where the window has no range.
    """
    return log(highest(high, window) - lowest(low, window)) / logarithm(window)


@indicator(family="volatility", unit="move", bounds=POSITIVE, talib="AVGDEV", source="TA-Lib AVGDEV")
def avgdev(close: Line, window: Window = 14) -> Line:
    """Mean absolute deviation from the window's mean.

    Formula: mean(|value - mean|).
    """
    return rolling(kernels.mean_distance, close, sma(close, window), window, reach=window - 1, warmup=0)


@indicator(
    family="volatility",
    unit="none",
    bounds=POSITIVE,
    source="Hull, Options, Futures and Other Derivatives, sec. 15.4; TradingView Historical Volatility",
)
def historical_volatility(
    close: Line,
    window: LongWindow = 20,
    periods: Periods = 252.0,
    divisor: Annotated[str, DIVISOR] = "sample",
    returns: Annotated[str, Choice(("log", "percent"))] = "log",
) -> Line:
    """Standard deviation of returns, a fraction per year of `periods` bars (1 = per bar).

    Formula: sqrt(periods) * stddev(ln(close / close before)).

    Divisor window - 1 ("sample"); TradingView uses "population" with window 10 and shows per cent. Tulip's volatility
    uses "population" of "percent" returns.
    """
    moves = log_return(close) if returns == "log" else percent_return(close)
    return stddev(moves, window, divisor=divisor) * root(periods)


@indicator(
    family="volatility",
    unit="none",
    bounds=POSITIVE,
    source="Andersen and Bollerslev, International Economic Review 39 (1998), 885-905",
)
def realised_volatility(close: Line, window: Window = 20, periods: Periods = 252.0) -> Line:
    """Close-to-close volatility with the mean return taken as 0, a fraction per year of `periods` bars.

    Formula: sqrt(periods * mean(ln(close / close before)^2)).
    """
    moves = log_return(close)
    return sqrt(sma(moves * moves, window) * periods)


@indicator(
    family="volatility",
    unit="none",
    bounds=POSITIVE,
    source="RiskMetrics Technical Document (1996), sec. 5.2",
)
def ewma_volatility(
    close: Line, decay_factor: Annotated[float, Range(0.0, 0.9999999)] = 0.94, periods: Periods = 252.0
) -> Line:
    """RiskMetrics volatility: exponentially weighted root mean square of returns, a fraction per year.

    Formula: v = decay_factor * v + (1 - decay_factor) * ln(close / close before)^2; sqrt(periods * v).

    Seeded with the first squared return; it takes some 1 / (1 - decay_factor) bars to forget it.
    """
    moves = log_return(close)
    return sqrt(decay(moves * moves, 1.0 - decay_factor) * periods)


@indicator(
    family="volatility",
    unit="none",
    bounds=POSITIVE,
    source="Parkinson, Journal of Business 53 (1980), 61-65",
)
def parkinson(high: Line, low: Line, window: Window = 20, periods: Periods = 252.0) -> Line:
    """Parkinson's volatility from the ranges of bars, a fraction per year of `periods` bars.

    Formula: sqrt(periods * mean(ln(high / low)^2) / (4 ln 2)).
    """
    wide = log(ratio(high, low))
    return sqrt(sma(wide * wide, window) * (periods / (4.0 * logarithm(2.0))))


@indicator(
    family="volatility",
    unit="none",
    bounds=POSITIVE,
    source="Garman and Klass, Journal of Business 53 (1980), 67-78",
)
def garman_klass(
    open_: Line,
    high: Line,
    low: Line,
    close: Line,
    window: Window = 20,
    periods: Periods = 252.0,
    overnight: Annotated[str, Choice(("ignored", "included"))] = "ignored",
) -> Line:
    """Garman-Klass volatility from open, high, low and close, a fraction per year of `periods` bars.

    Formula: sqrt(periods * mean(ln(high / low)^2 / 2 - (2 ln 2 - 1) ln(close / open)^2)).

    Variant "included" adds ln(open / close before)^2 to each bar (Yang and Zhang's extension for opening gaps).
    A negative mean, which no real range gives, counts as 0.
    """
    wide, body = log(ratio(high, low)), log(ratio(close, open_))
    variance = wide * wide * 0.5 - body * body * (2.0 * logarithm(2.0) - 1.0)
    if overnight == "included":
        gap = log(ratio(open_, lag(close, 1)))
        variance = variance + gap * gap
    return sqrt(maximum(sma(variance, window), 0.0) * periods)


@indicator(
    family="volatility",
    unit="none",
    bounds=POSITIVE,
    source="Rogers and Satchell, Annals of Applied Probability 1 (1991), 504-512",
)
def rogers_satchell(
    open_: Line, high: Line, low: Line, close: Line, window: Window = 20, periods: Periods = 252.0
) -> Line:
    """Rogers-Satchell volatility, which a trend does not inflate, a fraction per year of `periods` bars.

    Formula: sqrt(periods * mean(ln(high / open) ln(high / close) + ln(low / open) ln(low / close))).
    """
    above = log(ratio(high, open_)) * log(ratio(high, close))
    below = log(ratio(low, open_)) * log(ratio(low, close))
    return sqrt(maximum(sma(above + below, window), 0.0) * periods)


@indicator(
    family="volatility",
    unit="none",
    bounds=POSITIVE,
    source="Yang and Zhang, Journal of Business 73 (2000), 477-491",
)
def yang_zhang(
    open_: Line, high: Line, low: Line, close: Line, window: LongWindow = 20, periods: Periods = 252.0
) -> Line:
    """Yang-Zhang volatility of log returns, a fraction per year of `periods` bars (1 = per bar).

    Formula: sqrt(periods * (var(overnight) + k var(open to close) + (1 - k) RS)),
    k = 0.34 / (1.34 + (n + 1) / (n - 1)).
    """
    return rolling(moments.yang_zhang, open_, high, low, close, window, periods, reach=window)


@indicator(family="volatility", unit="none", bounds=POSITIVE, source="Markowitz, Portfolio Selection (1959), ch. 9")
def semi_deviation(close: Line, window: LongWindow = 20, periods: Periods = 252.0) -> Line:
    """Deviation of the log returns below their mean, a fraction per year of `periods` bars.

    Formula: sqrt(periods * mean(min(r - mean(r), 0)^2)), r = ln(close / close before).
    """
    moves = log_return(close)
    low = rolling(kernels.semideviation, moves, sma(moves, window), window, reach=window - 1, warmup=0)
    return low * root(periods)


@indicator(
    family="volatility",
    unit="none",
    bounds=POSITIVE,
    source="Sortino and van der Meer, Journal of Portfolio Management 17 (1991), 27-31",
)
def downside_volatility(
    close: Line, window: Window = 20, target: Annotated[float, Range(-1.0, 1.0)] = 0.0, periods: Periods = 252.0
) -> Line:
    """Deviation of the log returns below `target` (per bar), a fraction per year of `periods` bars.

    Formula: sqrt(periods * mean(min(r - target, 0)^2)), r = ln(close / close before); bars above it count as 0.
    """
    short = minimum(log_return(close) - target, 0.0)
    return sqrt(sma(short * short, window) * periods)


@indicator(
    family="volatility",
    unit="none",
    bounds=(-1.0, 0.0),
    source="usual definition, over a window",
)
def max_drawdown(close: Line, window: Window = 252) -> Line:
    """Deepest fall from a peak to a later close inside the last `window` bars, a fraction: -0.2 = a fifth lost.

    Formula: min over i <= j of close[j] / close[i] - 1.

    Prices are taken to be positive.
    """
    return rolling(kernels.max_drawdown, close, window, reach=window - 1, guarded=True)
