"""Stops and lines that trail a price and change sides when it breaks them."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from agents.indicators.families.averages import sma
from agents.indicators.families.basics import highest, lowest, median_price
from agents.indicators.families.volatility import atr
from agents.indicators.graph import Line, carried, lag, where
from agents.indicators.graph import maximum as larger
from agents.indicators.registry import LONGEST, Factor, Range, Unit, Window, indicator
from agents.kernels import stops

Acceleration: TypeAlias = Annotated[float, Range(0.0, 1_000.0)]
WILDER = "Wilder, New Concepts in Technical Trading Systems (1978)"
SIDED: tuple[Unit, Unit] = ("price", "none")


@indicator(family="trend", unit="price", talib="SAR", source=f"{WILDER}; TA-Lib SAR")
def psar(high: Line, low: Line, acceleration: Acceleration = 0.02, maximum: Acceleration = 0.2) -> Line:
    """Parabolic stop and reverse: a stop that runs after the trend ever faster and turns when it is touched.

    Formula: stop += gain * (extreme - stop), never beyond the last two bars; gain += acceleration with each new
    extreme, at most `maximum`; touched, the stop goes to the extreme and the trend turns.

    The first two bars decide the first direction, as in TA-Lib. `sarext` tells the side by its sign.
    """
    gain = min(acceleration, maximum)
    return _parabolic(high, low, 0.0, 0.0, gain, gain, maximum, gain, gain, maximum)[0]


@indicator(family="trend", unit="mixed", talib="SAREXT", source=f"{WILDER}; TA-Lib SAREXT")
def sarext(
    high: Line,
    low: Line,
    start: Annotated[float, Range(-1e9, 1e9, ("startvalue",))] = 0.0,
    offset: Annotated[float, Range(0.0, 1_000.0, ("offsetonreverse",))] = 0.0,
    first_long: Annotated[float, Range(0.0, 1_000.0, ("accelerationinitlong",))] = 0.02,
    step_long: Annotated[float, Range(0.0, 1_000.0, ("accelerationlong",))] = 0.02,
    maximum_long: Annotated[float, Range(0.0, 1_000.0, ("accelerationmaxlong",))] = 0.2,
    first_short: Annotated[float, Range(0.0, 1_000.0, ("accelerationinitshort",))] = 0.02,
    step_short: Annotated[float, Range(0.0, 1_000.0, ("accelerationshort",))] = 0.02,
    maximum_short: Annotated[float, Range(0.0, 1_000.0, ("accelerationmaxshort",))] = 0.2,
) -> Line:
    """Parabolic stop and reverse with its own accelerations for each side; negative while the trend is down.

    Formula: as `psar`, times -1 in a downtrend; a reversal moves the new stop away by the share `offset`.

    `start` above 0 begins long at that level, below 0 short, 0 lets the first two bars decide. A bar without range that
    lies on the stop does not touch it: a price that stands still would turn the trend on every bar (as in TA-Lib).
    """
    level, side = _parabolic(
        high,
        low,
        start,
        offset,
        min(first_long, maximum_long),
        min(step_long, maximum_long),
        maximum_long,
        min(first_short, maximum_short),
        min(step_short, maximum_short),
        maximum_short,
    )
    return level * side


@indicator(
    family="trend",
    unit=SIDED,
    outputs=("value", "direction"),
    talib="SUPERTREND",
    source="Seban; TA-Lib SUPERTREND",
)
def supertrend(
    high: Line,
    low: Line,
    close: Line,
    window: Window = 10,
    multiplier: Factor = 3.0,
) -> tuple[Line, ...]:
    """SuperTrend: a band of average true ranges around the middle of the bar that only closes in on the price.

    Formula: bands = (high + low) / 2 ± multiplier * ATR(window), each kept unless it comes closer or the close before
    was beyond it; value = lower band while direction is 1, upper band while it is -1.

    The direction is 1 at first, as in TA-Lib; TradingView and Stock.Indicators begin at -1 and write the direction with
    the other sign. TA-Lib's direction is 0 where this one is still NaN.
    """
    middle, reach = median_price(high, low), atr(high, low, close, window) * multiplier
    return carried(stops.between_bands, close, middle + reach, middle - reach, carry=4, outputs=2, guarded=True)


@indicator(
    family="trend",
    unit=SIDED,
    outputs=("value", "direction"),
    source="Vervoort, Technical Analysis of Stocks & Commodities (June 2009); TradingView UT Bot",
)
def atr_trailing_stop(
    high: Line,
    low: Line,
    close: Line,
    window: Window = 5,
    multiplier: Factor = 3.5,
) -> tuple[Line, ...]:
    """Trailing stop a number of average true ranges behind the close, turning when a close crosses it.

    Formula: d = multiplier * ATR(window); above the stop it is max(stop, close - d), below it min(stop, close + d);
    crossed, it starts anew at close ∓ d.

    Begins below the close. direction is 1 where the close is not below the stop, else -1.
    """
    reach = atr(high, low, close, window) * multiplier
    return carried(stops.trailing, close, reach, carry=2, outputs=2, guarded=True)


@indicator(
    family="trend",
    unit=SIDED,
    outputs=("value", "direction"),
    source=f"{WILDER}, volatility system; TradingView Volatility Stop",
)
def volatility_stop(
    high: Line,
    low: Line,
    close: Line,
    window: Window = 20,
    multiplier: Factor = 2.0,
) -> tuple[Line, ...]:
    """Volatility stop: average true ranges behind the best close since the trend turned.

    Formula: value = max(value, highest close - multiplier * ATR(window)) while up; min(value, lowest close + …) while
    down; a close beyond it turns the trend, and extremes and stop start anew at that close.

    Begins up once the average true range exists; TradingView begins at the first bar with the plain true range.
    """
    reach = atr(high, low, close, window) * multiplier
    return carried(stops.behind_extreme, close, reach, carry=5, outputs=2, guarded=True)


@indicator(
    family="trend",
    unit="price",
    outputs=("long", "short"),
    source="LeBeau; Stock.Indicators GetChandelier, TradingView Chandelier Exit",
)
def chandelier_exit(
    high: Line,
    low: Line,
    close: Line,
    window: Window = 22,
    multiplier: Factor = 3.0,
) -> tuple[Line, ...]:
    """Chandelier exit: average true ranges below the highest high (long) and above the lowest low (short).

    Formula: long = highest high - multiplier * ATR; short = lowest low + multiplier * ATR, over `window` bars.
    """
    reach = atr(high, low, close, window) * multiplier
    return highest(high, window) - reach, lowest(low, window) + reach


@indicator(
    family="trend",
    unit="price",
    outputs=("long", "short"),
    source="Chande and Kroll, The New Technical Trader (1994); TradingView Chande Kroll Stop",
)
def chande_kroll_stop(
    high: Line,
    low: Line,
    close: Line,
    window: Window = 10,
    multiplier: Factor = 1.0,
    smooth: Annotated[int, Range(1, LONGEST)] = 9,
) -> tuple[Line, ...]:
    """Chande Kroll stop: the best of the last chandelier stops on either side.

    Formula: long = highest over `smooth` bars of (highest high - multiplier * ATR); short = lowest of
    (lowest low + multiplier * ATR); highest, lowest and ATR over `window` bars.

    long is the stop of a long position; TradingView labels the two the other way round.
    """
    stop = chandelier_exit(high, low, close, window, multiplier)
    return highest(stop.long, smooth), lowest(stop.short, smooth)


@indicator(
    family="trend",
    unit=SIDED,
    outputs=("value", "direction"),
    source="Krausz, W. D. Gann Treasure Discovered (1998)",
)
def gann_hilo(high: Line, low: Line, close: Line, window: Window = 3) -> tuple[Line, ...]:
    """Gann HiLo activator: average of the lows before while the trend is up, of the highs while it is down.

    Formula: direction = 1 after a close above SMA(high)[1 bar ago], -1 after one below SMA(low)[1 bar ago];
    value = SMA(low)[1 bar ago] while direction is 1, else SMA(high)[1 bar ago].

    The direction is 1 until a close says otherwise.
    """
    top, bottom = lag(sma(high, window), 1), lag(sma(low, window), 1)
    broken = (close > top) - (close < bottom)
    direction = carried(stops.hold, broken, broken, broken >= -1.0, carry=2, guarded=True)
    return where(direction > 0.0, bottom, top), direction


@indicator(
    family="trend",
    unit=("price", "none", "price", "price"),
    outputs=("value", "direction", "upper", "lower"),
    source="HalfTrend (everget, TradingView)",
)
def half_trend(
    high: Line,
    low: Line,
    close: Line,
    window: Window = 2,
    multiplier: Factor = 2.0,
    atr_window: Annotated[int, Range(1, LONGEST)] = 100,
) -> tuple[Line, ...]:
    """HalfTrend: a line that moves with the trend only, and a channel of half average true ranges around it.

    Formula: up, value = max(value, lowest low of `window` bars), until SMA(high) falls below the highest such low and
    the close below the low before; down likewise; upper, lower = value ± multiplier * ATR(atr_window) / 2.

    On a turn the line stays where it was for one bar. The trend is up at first. The channel begins with its average
    true range.
    """
    line, direction = carried(
        stops.half_trend,
        high,
        low,
        close,
        highest(high, window),
        lowest(low, window),
        sma(high, window),
        sma(low, window),
        carry=5,
        outputs=2,
        guarded=True,
    )
    reach = atr(high, low, close, atr_window) * (multiplier / 2.0)
    return line, direction, line + reach, line - reach


@indicator(
    family="levels",
    unit="price",
    outputs=("upper", "lower"),
    source="Williams' fractals; Stock.Indicators GetFcb",
)
def fcb(high: Line, low: Line, window: Annotated[int, Range(1, LONGEST, ("span",))] = 2) -> tuple[Line, ...]:
    """Fractal chaos bands: the last high and the last low that stood out from `window` bars on either side.

    Formula: upper = high of the last bar that is above the `window` bars before and after it; lower likewise with lows.

    A fractal counts from the bar that confirms it, `window` bars later. Before the first one the bands are the highest
    high and the lowest low of the first 2 * window + 1 bars (Stock.Indicators: no value).
    """
    upper, lower = (_last_fractal(line, window) for line in (high, -low))
    return upper, -lower


def _last_fractal(line: Line, wings: int) -> Line:
    middle, sides = lag(line, wings), larger(lag(highest(line, wings), wings + 1), highest(line, wings))
    return carried(stops.hold, middle > sides, middle, highest(line, 2 * wings + 1), carry=2, guarded=True)


def _parabolic(high: Line, low: Line, *params: float) -> tuple[Line, ...]:
    return carried(stops.parabolic, high, low, *params, carry=5, outputs=2, warmup=1, guarded=True)
