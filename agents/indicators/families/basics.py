"""Building blocks that other indicators share: prices of a bar, ranges, extremes, sums."""

from __future__ import annotations

from agents.indicators.families.averages import sma
from agents.indicators.graph import Line, carried, pointwise, rolling
from agents.indicators.registry import Window, indicator
from agents.kernels import points, recursive, windows


@indicator(family="price", unit="price", talib="TYPPRICE", source="TA-Lib TYPPRICE")
def typical_price(high: Line, low: Line, close: Line) -> Line:
    """Typical price of a bar.

    Formula: (high + low + close) / 3.
    """
    return pointwise(points.typical, high, low, close)


@indicator(family="price", unit="price", talib="MEDPRICE", source="TA-Lib MEDPRICE")
def median_price(high: Line, low: Line) -> Line:
    """Middle of a bar's range.

    Formula: (high + low) / 2.
    """
    return (high + low) / 2.0


@indicator(
    family="volatility", unit="move", bounds=(0.0, float("inf")), talib="TRANGE", source="Wilder (1978); TA-Lib TRANGE"
)
def true_range(high: Line, low: Line, close: Line) -> Line:
    """True range: a bar's range, with the gap from the close before. The first bar has none.

    Formula: max(high - low, |high - close before|, |low - close before|).
    """
    return rolling(windows.true_range, high, low, close, reach=1)


@indicator(family="math", unit="price", talib="MAX", source="TA-Lib MAX")
def highest(close: Line, window: Window = 30) -> Line:
    """Largest of the last `window` values.

    Formula: max(value).
    """
    return rolling(windows.highest, close, window, reach=window - 1)


@indicator(family="math", unit="price", talib="MIN", source="TA-Lib MIN")
def lowest(close: Line, window: Window = 30) -> Line:
    """Smallest of the last `window` values.

    Formula: min(value).
    """
    return rolling(windows.lowest, close, window, reach=window - 1)


@indicator(family="math", unit="mixed", talib="SUM", source="TA-Lib SUM")
def rolling_sum(close: Line, window: Window = 30) -> Line:
    """Sum of the last `window` values; its error does not grow with the history.

    Formula: window * SMA(value).
    """
    return sma(close, window) * float(window)


@indicator(family="math", unit="mixed", talib="CUMSUM", source="TA-Lib CUMSUM")
def cumulative_sum(close: Line) -> Line:
    """Sum of all values since the first bar.

    Formula: sum(value).
    """
    return carried(recursive.total, close, carry=2)
