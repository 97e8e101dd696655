"""Prices made of prices: averages of one bar, returns, falls from the record, Heikin-Ashi candles, Renko bricks."""

from __future__ import annotations

from typing import Annotated

from agents.indicators.families.basics import true_range
from agents.indicators.families.volatility import atr
from agents.indicators.graph import Line, carried, lag, log, maximum, minimum, pointwise, ratio
from agents.indicators.registry import LONGEST, Choice, Range, Window, indicator
from agents.kernels import points
from agents.kernels import price as kernels

BRICK = ("open", "close", "direction", "bricks")
STARTS = Choice(("multiple", "close"))


@indicator(family="price", unit="price", talib="AVGPRICE", source="TA-Lib AVGPRICE")
def average_price(open_: Line, high: Line, low: Line, close: Line) -> Line:
    """Mean of the four prices of a bar (OHLC4).

    Formula: (open + high + low + close) / 4.
    """
    return (high + low + close + open_) / 4.0


@indicator(family="price", unit="price", talib="WCLPRICE", source="TA-Lib WCLPRICE")
def weighted_close(high: Line, low: Line, close: Line) -> Line:
    """Mean of a bar's high, low and close, the close counted twice (HLCC4).

    Formula: (high + low + 2 * close) / 4.
    """
    return (high + low + close * 2.0) / 4.0


@indicator(
    family="price",
    unit="price",
    outputs=("open", "high", "low", "close"),
    talib="HA",
    source="Valcu, Using the Heikin-Ashi technique, Stocks & Commodities 22 (2004); TA-Lib HA",
)
def heikin_ashi(open_: Line, high: Line, low: Line, close: Line) -> tuple[Line, ...]:
    """Heikin-Ashi candles: each opens in the middle of the one before and closes at the bar's mean price.

    Formula: close = (open + high + low + close) / 4; open = (open + close of the Heikin-Ashi candle before) / 2, at
    first (open + close) / 2 of the bar; high and low include both.
    """
    end = average_price(open_, high, low, close)
    begin = carried(kernels.heikin_open, open_, close, end, carry=2)
    return begin, maximum(high, maximum(begin, end)), minimum(low, minimum(begin, end)), end


@indicator(family="price", unit="none", source="usual definition")
def log_return(close: Line, window: Window = 1) -> Line:
    """Logarithm of the price against `window` bars ago; adds up over time.

    Formula: ln(close / close[window bars ago]).

    NaN where either price is not positive.
    """
    return log(ratio(close, lag(close, window)))


@indicator(family="price", unit="none", source="usual definition")
def percent_return(close: Line, window: Window = 1) -> Line:
    """Gain against `window` bars ago, as a fraction: 0.01 is one per cent. `roc` is the same in per cent.

    Formula: close / close[window bars ago] - 1.

    NaN where the price before was 0.
    """
    return ratio(close, lag(close, window)) - 1.0


@indicator(family="price", unit="none", source="usual definition")
def cumulative_return(close: Line) -> Line:
    """Gain since the first bar, as a fraction.

    Formula: close / first close - 1.
    """
    return ratio(close, carried(kernels.first, close, carry=2, guarded=True)) - 1.0


@indicator(family="price", unit="none", source="usual definition")
def drawdown(close: Line) -> Line:
    """Fall from the highest close since the first bar, a fraction: 0 at a record, -0.2 a fifth below it.

    Formula: close / max(close so far) - 1.
    """
    return ratio(close, carried(kernels.record, close, carry=2, guarded=True)) - 1.0


@indicator(family="price", unit="none", source="usual definition")
def overnight_return(open_: Line, close: Line) -> Line:
    """Gap from the close before to the open, as a fraction.

    Formula: open / close before - 1.
    """
    return ratio(open_, lag(close, 1)) - 1.0


@indicator(family="price", unit="none", source="usual definition")
def intraday_return(open_: Line, close: Line) -> Line:
    """Gain from open to close of a bar, as a fraction.

    Formula: close / open - 1.
    """
    return ratio(close, open_) - 1.0


@indicator(family="volatility", unit="none", bounds=(0.0, float("inf")), source="usual definition")
def true_range_percent(high: Line, low: Line, close: Line) -> Line:
    """True range in per cent of the close before.

    Formula: 100 * true range / close before.
    """
    return ratio(true_range(high, low, close), lag(close, 1)) * 100.0


@indicator(
    family="price",
    unit="mixed",
    outputs=BRICK,
    source="Nison, Beyond Candlesticks (1994), ch. 8; Stock.Indicators ToRenko on closes",
)
def renko(
    close: Line, brick: Annotated[float, Range(1e-9, 1e9)] = 1.0, start: Annotated[str, STARTS] = "multiple"
) -> tuple[Line, ...]:
    """Renko bricks of a fixed size on closes: the last brick after each bar, and how many bricks the bar added.

    Formula: each `brick` that the close lies beyond the last brick adds one; a turn needs a move beyond its far edge.

    `direction` is 1, -1, or 0 before the first brick; `bricks` is negative for falling ones. A chart of bricks is
    the rows where `bricks` is not 0, abs(bricks) of them each, ending at `close`. The first edge is the first close
    rounded to a multiple of the brick (variant "close": the close itself). A close within 1e-9 bricks of an edge has
    reached it. On an absolute scale: choose the brick for the price, or use `renko_atr`.
    """
    sizes = pointwise(points.constant, close, float(brick))
    return bricks_of(close, sizes, start)


@indicator(
    family="price", unit=("price", "price", "none", "none"), outputs=BRICK, source="Stock.Indicators ToRenko on closes"
)
def renko_atr(
    high: Line, low: Line, close: Line, window: Annotated[int, Range(1, LONGEST, ("timeperiod",))] = 14
) -> tuple[Line, ...]:
    """Renko bricks whose size is the average true range at the bar that adds them; columns as `renko`.

    Formula: renko with brick = ATR(window) of the same bar, starting at the first bar that has one.

    Stock.Indicators and TradingView size all bricks of a chart by its last average true range, which redraws the past
    with every bar and looks ahead; for their picture pass that number to `renko` as the brick.
    """
    return bricks_of(close, atr(high, low, close, window), "close")


@indicator(family="candles", unit="none", bounds=(0.0, 1.0), source="Stock.Indicators GetDoji")
def doji(open_: Line, close: Line, percent: Annotated[float, Range(0.0, 100.0)] = 0.1) -> Line:
    """1 where a bar closed within `percent` per cent of its open, else 0.

    Formula: |1 - open / close| <= percent / 100.

    TA-Lib's CDLDOJI asks for a small body beside recent ranges instead.
    """
    return abs(1.0 - ratio(open_, close)) * 100.0 <= percent


def bricks_of(close: Line, sizes: Line, start: str) -> tuple[Line, ...]:
    """The columns of `renko` for bricks of the size that stands at each bar."""
    rounded = int(start == "multiple")
    return carried(kernels.renko, close, sizes, rounded, carry=4, outputs=4, guarded=True)
