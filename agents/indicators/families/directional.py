"""Whether there is a trend and which way it points: directional movement, Aroon, vortex, straightness."""

from __future__ import annotations

import math
from typing import Annotated

from agents.indicators.families.averages import ema, sma, wilder
from agents.indicators.families.basics import highest, lowest, rolling_sum, true_range
from agents.indicators.families.trend import adx
from agents.indicators.graph import Line, change, clip, lag, log, maximum, minimum, ratio, rolling, sign, sqrt
from agents.indicators.registry import LONGEST, Choice, LongWindow, Range, Window, indicator
from agents.kernels import directional

WILDER = "Wilder, New Concepts in Technical Trading Systems (1978)"


@indicator(family="trend", unit="move", bounds=(0.0, math.inf), talib="PLUS_DM", source=f"{WILDER}; TA-Lib PLUS_DM")
def plus_dm(high: Line, low: Line, window: LongWindow = 14) -> Line:
    """Plus directional movement: Wilder's running sum of how far bars reached above the bar before.

    Formula: up = high - high before where that is positive and above low before - low, else 0;
    s += up - s / window.

    Seeded like TA-Lib: the first sum is that of window - 1 moves.
    """
    return wilder(_moves(high, low)[0], window) * float(window)


@indicator(family="trend", unit="move", bounds=(0.0, math.inf), talib="MINUS_DM", source=f"{WILDER}; TA-Lib MINUS_DM")
def minus_dm(high: Line, low: Line, window: LongWindow = 14) -> Line:
    """Minus directional movement: Wilder's running sum of how far bars reached below the bar before.

    Formula: down = low before - low where that is positive and above high - high before, else 0;
    s += down - s / window.

    Seeded like TA-Lib: the first sum is that of window - 1 moves.
    """
    return wilder(_moves(high, low)[1], window) * float(window)


@indicator(family="trend", unit="none", bounds=(0.0, 100.0), talib="DX", source=f"{WILDER}; TA-Lib DX")
def dx(high: Line, low: Line, close: Line, window: LongWindow = 14) -> Line:
    """Directional movement index: how one-sided the directional movement is, before ADX averages it.

    Formula: 100 * |plus_di - minus_di| / (plus_di + minus_di).

    0 where there was no directional movement at all; TA-Lib repeats the value before.
    """
    moved = adx(high, low, close, window)
    return 100.0 * ratio(abs(moved.plus_di - moved.minus_di), moved.plus_di + moved.minus_di, otherwise=0.0)


@indicator(family="trend", unit="none", bounds=(0.0, 100.0), talib="ADXR", source=f"{WILDER}; TA-Lib ADXR")
def adxr(
    high: Line,
    low: Line,
    close: Line,
    window: LongWindow = 14,
    distance: Annotated[str, Choice(("talib", "wilder"))] = "talib",
) -> Line:
    """Average directional index rating: mean of the present ADX and an earlier one.

    Formula: (adx + adx[n bars ago]) / 2, n = window - 1 ("talib") or window ("wilder", his text and TradingView).
    """
    strength = wilder(dx(high, low, close, window), window)
    return (strength + lag(strength, window - 1 if distance == "talib" else window)) / 2.0


@indicator(
    family="trend",
    unit="none",
    outputs=("down", "up", "oscillator"),
    bounds=(-100.0, 100.0),
    talib=("AROON", "AROONOSC"),
    source="Chande (1995); TA-Lib AROON, AROONOSC",
)
def aroon(high: Line, low: Line, window: LongWindow = 14) -> tuple[Line, ...]:
    """Aroon: how recently the lowest low and the highest high of the last `window` + 1 bars were made.

    Formula: up = 100 * (window - bars since the highest high) / window; down likewise; oscillator = up - down.

    Of equal extremes the latest counts, as in TA-Lib and TradingView.
    """
    up, down = (
        (float(window) - rolling(directional.since_highest, line, window + 1, reach=window, guarded=True))
        * 100.0
        / float(window)
        for line in (high, -low)
    )
    return down, up, up - down


@indicator(
    family="trend",
    unit="none",
    outputs=("plus", "minus"),
    bounds=(0.0, math.inf),
    talib="VORTEX",
    source="Botes and Siepman, Technical Analysis of Stocks & Commodities (January 2010); TA-Lib VORTEX",
)
def vortex(high: Line, low: Line, close: Line, window: LongWindow = 14) -> tuple[Line, ...]:
    """Vortex indicator: upward and downward movement between neighbouring bars, in units of the true range.

    Formula: plus = sum(|high - low before|) / sum(true range); minus = sum(|low - high before|) / sum(true range).

    0 where the price stood still, as in TA-Lib.
    """
    reach = sma(true_range(high, low, close), window)
    plus, minus = abs(high - lag(low, 1)), abs(low - lag(high, 1))
    return ratio(sma(plus, window), reach, otherwise=0.0), ratio(sma(minus, window), reach, otherwise=0.0)


@indicator(
    family="trend",
    unit="none",
    outputs=("high", "low"),
    source="Poulos, Technical Analysis of Stocks & Commodities (February 1991 and September 1992)",
)
def random_walk_index(
    high: Line,
    low: Line,
    close: Line,
    window: Annotated[int, Range(2, 1_000, ("timeperiod",))] = 14,
) -> tuple[Line, ...]:
    """Random walk index: how far prices went up and down, against what a random walk would do in that time.

    Formula: high = max over n = 2 … window of (high - low[n bars ago]) / (ATR(n) * sqrt(n));
    low = max of (high[n bars ago] - low) / (ATR(n) * sqrt(n)); ATR(n) = plain mean of the last n true ranges.

    Above 1: more than chance. 0 where nothing moved. Some packages take `window` alone for n, or Wilder's average true
    range; this is Poulos' own maximum. The work per bar grows with the window.
    """
    return rolling(
        directional.random_walk,
        high,
        low,
        true_range(high, low, close),
        window,
        reach=window,
        warmup=window - 1,  # the first true range is not used
        outputs=2,
    )


@indicator(family="trend", unit="none", bounds=(0.0, 1.0), talib="VHF", source="White (1991); TA-Lib VHF")
def vhf(close: Line, window: LongWindow = 28) -> Line:
    """Vertical horizontal filter: net range of the window against the path through it; high in trends.

    Formula: (highest close - lowest close) / sum(|close - close before|), over `window` bars and changes.

    0 where the price stood still, as in TA-Lib.
    """
    path = rolling_sum(abs(change(close)), window)
    return clip(ratio(highest(close, window) - lowest(close, window), path, otherwise=0.0), 0.0, 1.0)


@indicator(
    family="regime",
    unit="none",
    bounds=(0.0, 100.0),
    source="Dreiss; Stock.Indicators GetChop, TradingView Choppiness Index",
)
def choppiness(
    high: Line,
    low: Line,
    close: Line,
    window: LongWindow = 14,
    extremes: Annotated[str, Choice(("true", "plain"))] = "true",
) -> Line:
    """Choppiness index: 100 where the price went nowhere on a long path, near 0 in a straight trend.

    Formula: 100 * log(sum(true range) / (highest true high - lowest true low)) / log(window),
    true high = max(high, close before), true low = min(low, close before).

    100 where the price stood still (Stock.Indicators: no value). extremes="plain" takes highs and lows as they are, as
    TradingView does; a gap at the head of the window may then lead above 100 and is held there.
    """
    if extremes == "true":
        high_edge, low_edge = maximum(high, lag(close, 1)), minimum(low, lag(close, 1))
    else:
        high_edge, low_edge = high, low
    reach = highest(high_edge, window) - lowest(low_edge, window)
    path = ratio(rolling_sum(true_range(high, low, close), window), reach, otherwise=float(window))
    return clip(log(path) * (100.0 / math.log(window)), 0.0, 100.0)


@indicator(
    family="trend",
    unit="none",
    bounds=(0.0, 100.0),
    source="Pee, Technical Analysis of Stocks & Commodities (June 2002)",
)
def trend_intensity(
    close: Line,
    window: Window = 60,
    smooth: Annotated[int, Range(1, LONGEST)] = 30,
) -> Line:
    """Trend intensity index: share of the distances from a long average that lie above it.

    Formula: 100 * up / (up + down), sums over `smooth` bars of close - SMA(close, window) above and below 0.

    50 where the price never left its average.
    """
    away = close - sma(close, window)
    up, down = sma(maximum(away, 0.0), smooth), sma(maximum(-away, 0.0), smooth)
    return 100.0 * ratio(up, up + down, otherwise=0.5)


@indicator(
    family="trend",
    unit="mixed",
    bounds=(-100.0, 100.0),
    source="Hannula, Technical Analysis of Stocks & Commodities (January 1994)",
)
def polarized_fractal_efficiency(
    close: Line,
    window: Window = 10,
    smooth: Annotated[int, Range(1, LONGEST)] = 5,
) -> Line:
    """Polarized fractal efficiency: straight distance over the path walked, with the sign of the change, averaged.

    Formula: EMA(sign * 100 * sqrt(d^2 + window^2) / sum(sqrt(step^2 + 1)), smooth), d = close - close[window bars ago],
    step = close - close before, sign that of d (0 where d is 0).

    Price units and bars are mixed in the distances, so the values depend on the price's scale.
    """
    whole, step = change(close, window), change(close)
    path = rolling_sum(sqrt(step * step + 1.0), window)
    straight = sqrt(whole * whole + float(window * window))
    return ema(clip(sign(whole) * 100.0 * ratio(straight, path), -100.0, 100.0), smooth)


def _moves(high: Line, low: Line) -> tuple[Line, ...]:
    """Upward and downward directional moves; 0 on the first bar."""
    return rolling(directional.moves, high, low, reach=1, warmup=0, outputs=2)
