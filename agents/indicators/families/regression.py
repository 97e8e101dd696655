"""Least-squares lines through the last bars: where they end, how steep they are, how well they fit."""

from __future__ import annotations

import math
from typing import Annotated

from agents.indicators.families.averages import linreg, sma
from agents.indicators.families.trend import linreg_slope
from agents.indicators.families.volatility import stddev
from agents.indicators.graph import Line, arctan, clip, lag, ratio, rolling, sqrt
from agents.indicators.registry import LONGEST, Choice, LongWindow, Range, indicator
from agents.kernels import regression

BANDS = ("upper", "middle", "lower")
Deviations = Annotated[float, Range(0.0, 1_000.0)]


@indicator(family="statistics", unit="price", talib="LINEARREG_INTERCEPT", source="TA-Lib LINEARREG_INTERCEPT")
def linreg_intercept(close: Line, window: LongWindow = 14) -> Line:
    """Height of the least-squares line at the oldest bar of its window.

    Formula: SMA(value) - slope * (window - 1) / 2.

    Stock.Indicators' intercept in GetSlope is the height at the first bar of the whole history instead.
    """
    return sma(close, window) - linreg_slope(close, window) * (0.5 * (window - 1))


@indicator(
    family="statistics", unit="mixed", bounds=(-90.0, 90.0), talib="LINEARREG_ANGLE", source="TA-Lib LINEARREG_ANGLE"
)
def linreg_angle(close: Line, window: LongWindow = 14) -> Line:
    """Angle of the least-squares line in degrees, one bar as wide as one unit of price is high.

    Formula: atan(slope) * 180 / pi.
    """
    return arctan(linreg_slope(close, window)) * (180.0 / math.pi)


@indicator(family="trend", unit="price", talib="TSF", source="TA-Lib TSF")
def tsf(close: Line, window: LongWindow = 14) -> Line:
    """Time series forecast: the least-squares line drawn on to the next bar.

    Formula: SMA(value) + slope * (window + 1) / 2.
    """
    return sma(close, window) + linreg_slope(close, window) * (0.5 * (window + 1))


@indicator(family="momentum", unit="none", talib="FOSC", source="Chande; Tulip fosc; TA-Lib FOSC")
def fosc(close: Line, window: LongWindow = 5) -> Line:
    """Forecast oscillator: how far the price is from what the bars before it forecast, in per cent of the price.

    Formula: 100 * (value - TSF one bar before) / value; NaN where the value is 0.
    """
    return ratio(close - lag(tsf(close, window), 1), close) * 100.0


@indicator(family="statistics", unit="none", bounds=(0.0, 1.0), source="Stock.Indicators GetSlope, column RSquared")
def r_squared(close: Line, window: LongWindow = 14) -> Line:
    """Share of the variance of the window that lies on its least-squares line; NaN where nothing varied.

    Formula: (slope * stddev(bar number) / stddev(value))^2.
    """
    steps = math.sqrt((float(window) * window - 1.0) / 12.0)
    correlation = ratio(linreg_slope(close, window) * steps, stddev(close, window))
    return clip(correlation * correlation, 0.0, 1.0)


@indicator(
    family="statistics", unit="move", bounds=(0.0, float("inf")), source="textbook definition; TradeStation StdError"
)
def standard_error(close: Line, window: Annotated[int, Range(3, LONGEST, ("timeperiod",))] = 14) -> Line:
    """Standard error of the least-squares line: how far the bars of the window lie from it.

    Formula: sqrt(sum((value - line)^2) / (window - 2)).
    """
    return sqrt(_residual_squares(close, window) / (window - 2))


@indicator(family="trend", unit="price", outputs=BANDS, source="TradingView Linear Regression Channel; Raff (1991)")
def linreg_channel(
    close: Line,
    window: Annotated[int, Range(3, LONGEST, ("timeperiod",))] = 100,
    deviations: Deviations = 2.0,
    width: Annotated[str, Choice(("residual", "standard_error", "raff"))] = "residual",
) -> tuple[Line, ...]:
    """Linear regression channel: the end of the least-squares line plus and minus `deviations` of its residuals.

    Formula: LINEARREG ± deviations * d; d = sqrt(mean((value - line)^2)).

    `standard_error` divides by window - 2 instead of window; `raff` takes the largest distance of a bar from the line
    (Raff's channel, usual with deviations = 1). Each value is the end of the channel that could be drawn at that bar;
    on a chart the newest channel is drawn back over the window, which repaints.
    """
    middle = linreg(close, window)
    if width == "raff":
        mean, slope = sma(close, window), linreg_slope(close, window)
        spread = rolling(regression.furthest_residual, close, mean, slope, window, reach=window - 1, warmup=0)
    else:
        spread = sqrt(_residual_squares(close, window) / (window if width == "residual" else window - 2))
    return middle + spread * deviations, middle, middle - spread * deviations


@indicator(family="trend", unit="price", outputs=BANDS, source="Stock.Indicators GetStdDevChannels")
def stdev_channels(close: Line, window: LongWindow = 20, deviations: Deviations = 2.0) -> tuple[Line, ...]:
    """Standard deviation channels: end of the least-squares line plus and minus deviations of the values themselves.

    Formula: LINEARREG ± deviations * stddev(value), population deviation about the mean.

    Stock.Indicators cuts the history into windows counted back from the newest bar and draws one line through each,
    so its past values change with every new bar. Here every bar has the end of its own line, and nothing repaints;
    the two are equal at the last bar of each of its windows.
    """
    middle, spread = linreg(close, window), stddev(close, window) * deviations
    return middle + spread, middle, middle - spread


@indicator(
    family="statistics",
    unit=("move", "variance", "none"),
    outputs=("mad", "mse", "mape"),
    bounds=(0.0, float("inf")),
    source="Stock.Indicators GetSmaAnalysis",
)
def mean_error(close: Line, window: LongWindow = 20) -> tuple[Line, ...]:
    """Errors of the simple moving average over its own window: mean absolute, mean squared and mean relative.

    Formula: mad = mean |value - SMA|; mse = mean (value - SMA)^2; mape = mean |value - SMA| / |value|.

    mape is a fraction, not per cent, and NaN while a value of the window is 0.
    """
    mean, deviation = sma(close, window), stddev(close, window)
    absolute, relative = rolling(regression.mean_distances, close, mean, window, reach=window - 1, warmup=0, outputs=2)
    return absolute, deviation * deviation, relative


def _residual_squares(close: Line, window: int) -> Line:
    mean, slope = sma(close, window), linreg_slope(close, window)
    return rolling(regression.residual_squares, close, mean, slope, window, reach=window - 1, warmup=0)
