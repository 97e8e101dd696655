"""How fast a price moves and how far it has gone: rates of change, RSI and stochastic with their variants."""

from __future__ import annotations

from typing import Annotated

from agents.indicators.families.averages import Averages, average
from agents.indicators.families.basics import highest, lowest
from agents.indicators.graph import Line, carried, change, clip, lag, maximum, pointwise, ratio, rolling, sqrt, where
from agents.indicators.registry import LONGEST, Choice, Range, Window, indicator
from agents.kernels import newest, points, recursive, windows

CALM = ("sma", "ema", "wma", "trima", "wilder")  # averages that stay between the values they are made of
Smoothing = Annotated[str, Choice(("wilder", "sma", "ema"))]
KAverage = Annotated[str, Averages(CALM, ("slowk_matype",))]
DAverage = Annotated[str, Averages(CALM, ("slowd_matype", "fastd_matype"))]
Signal = Annotated[int, Range(1, LONGEST, ("signalperiod",))]


def since(line: Line, other: Line) -> Line:
    """`line` from where `other` has values, too."""
    return where(pointwise(points.constant, other, 1.0), line, line)


def share(part: Line, rest: Line) -> Line:
    """part / (part + rest) in per cent, both at least 0; 50 where both are 0."""
    return ratio(part, part + rest, otherwise=0.5) * 100.0


@indicator(
    family="momentum",
    unit="none",
    bounds=(0.0, 100.0),
    talib="RSI",
    source="Wilder, New Concepts in Technical Trading Systems (1978), sec. VI; TA-Lib RSI",
)
def rsi(close: Line, window: Window = 14, smoothing: Smoothing = "wilder") -> Line:
    """Relative strength index. A price that has not moved gives 50 (TA-Lib: 0).

    Formula: 100 * gain / (gain + loss), averages of rises and falls over `window` bars.

    smoothing: wilder (Wilder, TA-Lib, TradingView's default), sma (Cutler's RSI: forgets after `window` bars), ema.
    """
    if smoothing == "wilder":
        return carried(recursive.wilder_rsi, close, window, carry=3, warmup=window, newest=newest.wilder_rsi)
    step = change(close)
    rises, falls = maximum(step, 0.0), maximum(-step, 0.0)
    return share(average(rises, window, smoothing), average(falls, window, smoothing))


@indicator(
    family="momentum",
    unit="none",
    outputs=("k", "d"),
    bounds=(0.0, 100.0),
    talib="STOCH",
    source="Lane; TA-Lib STOCH",
)
def stochastic(
    high: Line,
    low: Line,
    close: Line,
    window: Annotated[int, Range(1, LONGEST, ("fastk_period", "timeperiod"))] = 5,
    smooth: Annotated[int, Range(1, LONGEST, ("slowk_period",))] = 3,
    signal: Annotated[int, Range(1, LONGEST, ("slowd_period",))] = 3,
    smoothing: KAverage = "sma",
    signal_average: DAverage = "sma",
) -> tuple[Line, ...]:
    """Slow stochastic %K and %D. A window without any range gives 50 (TA-Lib: 0).

    Formula: raw = 100 * (close - lowest) / (highest - lowest); k = average(raw, smooth); d = average(k, signal).

    smoothing, signal_average: TA-Lib's slowk_matype and slowd_matype, those that do not overshoot. TradingView's
    default is window=14, smooth=1, signal=3; Stock.Indicators' is 14, 3, 3 (its %J: see kdj).
    """
    if smoothing == signal_average == "sma":
        return rolling(
            windows.stochastic, high, low, close, window, smooth, signal, reach=window + smooth + signal - 3, outputs=2
        )
    k = average(place(high, low, close, window), smooth, smoothing)
    d = average(k, signal, signal_average)
    return since(k, d), d


def place(high: Line, low: Line, close: Line, window: int) -> Line:
    """Raw %K: where the close stands in the window's range, 0 … 100; 50 without any range."""
    raw, _ = rolling(windows.stochastic, high, low, close, window, 1, 1, reach=window - 1, outputs=2)
    return raw


@indicator(
    family="momentum",
    unit="none",
    outputs=("k", "d"),
    bounds=(0.0, 100.0),
    talib="STOCHF",
    source="Lane; TA-Lib STOCHF",
)
def stochf(
    high: Line,
    low: Line,
    close: Line,
    window: Annotated[int, Range(1, LONGEST, ("fastk_period", "timeperiod"))] = 5,
    signal: Annotated[int, Range(1, LONGEST, ("fastd_period",))] = 3,
    signal_average: DAverage = "sma",
) -> tuple[Line, ...]:
    """Fast stochastic: raw %K and its average %D. A window without any range gives 50 (TA-Lib: 0).

    Formula: k = 100 * (close - lowest) / (highest - lowest); d = average(k, signal).
    """
    lines: tuple[Line, ...] = stochastic(high, low, close, window, 1, signal, "sma", signal_average)
    return lines


@indicator(
    family="momentum",
    unit="none",
    outputs=("k", "d"),
    bounds=(0.0, 100.0),
    talib="STOCHRSI",
    source="Chande and Kroll, The New Technical Trader (1994); TA-Lib STOCHRSI",
)
def stoch_rsi(
    close: Line,
    window: Window = 14,
    stoch_window: Annotated[int, Range(1, LONGEST, ("fastk_period",))] = 5,
    smooth: Annotated[int, Range(1, LONGEST)] = 1,
    signal: Annotated[int, Range(1, LONGEST, ("fastd_period",))] = 3,
    signal_average: DAverage = "sma",
) -> tuple[Line, ...]:
    """Stochastic of the RSI. An RSI that has not moved within its window gives 50 (TA-Lib: 0).

    Formula: stochastic(RSI(close, window), stoch_window, smooth, signal).

    TradingView's and Stock.Indicators' default is 14, 14, 3, 3. Chande's own StochRSI is k / 100.
    """
    strength = rsi(close, window)
    lines: tuple[Line, ...] = stochastic(
        strength, strength, strength, stoch_window, smooth, signal, "sma", signal_average
    )
    return lines


@indicator(
    family="momentum",
    unit="none",
    outputs=("k", "d", "j"),
    talib="KDJ",
    source="George Lane's stochastic as used in East Asia; TA-Lib KDJ",
)
def kdj(
    high: Line,
    low: Line,
    close: Line,
    window: Annotated[int, Range(1, LONGEST, ("fastk_period", "timeperiod"))] = 9,
    smooth: Annotated[int, Range(1, LONGEST, ("slowk_period",))] = 3,
    signal: Annotated[int, Range(1, LONGEST, ("slowd_period",))] = 3,
    smoothing: Smoothing = "wilder",
) -> tuple[Line, ...]:
    """Stochastic with a third line, %J, that runs ahead. A window without any range gives 50 (TA-Lib: 0).

    Formula: k = average(raw %K, smooth); d = average(k, signal); j = 3 k - 2 d.

    smoothing: wilder (TA-Lib; seeded with a simple average, Chinese terminals begin at 50), sma, ema.
    """
    k = average(place(high, low, close, window), smooth, smoothing)
    d = average(k, signal, smoothing)
    return since(k, d), d, k * 3.0 - d * 2.0


@indicator(family="momentum", unit="none", bounds=(-100.0, 0.0), talib="WILLR", source="Larry Williams; TA-Lib WILLR")
def williams_r(high: Line, low: Line, close: Line, window: Window = 14) -> Line:
    """Williams %R: distance of the close from the window's high. A window without any range gives -50 (TA-Lib: 0).

    Formula: -100 * (highest - close) / (highest - lowest).
    """
    top, bottom = highest(high, window), lowest(low, window)
    return ratio(top - close, top - bottom, otherwise=0.5) * -100.0


@indicator(
    family="momentum",
    unit="none",
    outputs=("smi", "signal"),
    bounds=(-100.0, 100.0),
    talib="SMI",
    source="Blau, Technical Analysis of Stocks & Commodities 11:1 (1993); TA-Lib SMI",
)
def smi(
    high: Line,
    low: Line,
    close: Line,
    window: Window = 13,
    fast: Annotated[int, Range(1, LONGEST, ("fastperiod",))] = 2,
    slow: Annotated[int, Range(1, LONGEST, ("slowperiod",))] = 25,
    signal: Signal = 9,
) -> tuple[Line, ...]:
    """Stochastic momentum index: distance of the close from the middle of its range, smoothed twice; 0 without range.

    Formula: 100 * EMA(EMA(close - middle, slow), fast) / (EMA(EMA(range, slow), fast) / 2); signal = EMA(smi).

    Averages are seeded with a simple average (TA-Lib). Stock.Indicators seeds with the first value and has signal=3;
    the two agree once the seed has decayed.
    """
    top, bottom = highest(high, window), lowest(low, window)
    away, half = close - (top + bottom) / 2.0, (top - bottom) / 2.0
    smooth, reach = average(average(away, slow, "ema"), fast, "ema"), average(average(half, slow, "ema"), fast, "ema")
    line = clip(ratio(smooth, reach, otherwise=0.0), -1.0, 1.0) * 100.0
    trigger = average(line, signal, "ema")
    return since(line, trigger), trigger


@indicator(family="momentum", unit="none", talib="CCI", source="Lambert; TA-Lib CCI")
def cci(high: Line, low: Line, close: Line, window: Window = 14) -> Line:
    """Commodity channel index. A window in which nothing varied gives 0.

    Formula: (typical - SMA(typical)) / (0.015 * mean absolute deviation), typical = (high + low + close) / 3.
    """
    return rolling(windows.cci, high, low, close, window, reach=window - 1)


@indicator(family="momentum", unit="none", talib="ROC", source="TA-Lib ROC")
def roc(close: Line, window: Window = 10) -> Line:
    """Rate of change against `window` bars ago, in per cent; NaN where that value was 0 (TA-Lib: 0).

    Formula: 100 * (value / value[window bars ago] - 1).
    """
    return rolling(windows.roc, close, window, reach=window)


@indicator(family="momentum", unit="none", talib="ROCP", source="TA-Lib ROCP")
def rocp(close: Line, window: Window = 10) -> Line:
    """Rate of change against `window` bars ago as a fraction; NaN where that value was 0 (TA-Lib: 0).

    Formula: (value - value[window bars ago]) / value[window bars ago].
    """
    before = lag(close, window)
    return ratio(close - before, before)


@indicator(family="momentum", unit="none", talib="ROCR", source="TA-Lib ROCR")
def rocr(close: Line, window: Window = 10) -> Line:
    """Value as a multiple of the one `window` bars ago; NaN where that value was 0 (TA-Lib: 0).

    Formula: value / value[window bars ago].
    """
    return ratio(close, lag(close, window))


@indicator(family="momentum", unit="none", talib="ROCR100", source="TA-Lib ROCR100")
def rocr100(close: Line, window: Window = 10) -> Line:
    """Value in per cent of the one `window` bars ago; NaN where that value was 0 (TA-Lib: 0).

    Formula: 100 * value / value[window bars ago].
    """
    line: Line = rocr(close, window)
    return line * 100.0


@indicator(family="momentum", unit="move", talib="MOM", source="TA-Lib MOM")
def mom(close: Line, window: Window = 10) -> Line:
    """Momentum: the change over `window` bars.

    Formula: value - value[window bars ago].
    """
    return change(close, window)


@indicator(
    family="momentum",
    unit="none",
    outputs=("roc", "average", "upper", "lower"),
    source="Appel and Hitschler, Stock Market Trading Systems (1980), ROC with bands; Stock.Indicators GetRocWb",
)
def roc_bands(
    close: Line,
    window: Window = 20,
    smooth: Annotated[int, Range(1, LONGEST)] = 5,
    band_window: Annotated[int, Range(1, LONGEST)] = 5,
) -> tuple[Line, ...]:
    """Rate of change in per cent, its exponential average, and bands at its own recent size.

    Formula: average = EMA(ROC(window), smooth); upper, lower = ± sqrt(mean of ROC^2 over band_window bars).

    All four begin together. Stock.Indicators seeds the average the same way.
    """
    speed: Line = roc(close, window)
    mean = average(speed, smooth, "ema")
    size = sqrt(average(speed * speed, band_window, "sma"))
    all_known = mean + size
    return since(speed, all_known), since(mean, all_known), since(size, all_known), -since(size, all_known)
