"""Moving averages: what most other indicators are made of. `average` is any of them by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from agents.indicators.graph import Line, carried, change, lag, minimum, pointwise, ratio, rolling
from agents.indicators.registry import LONGEST, Choice, LongWindow, Range, Window, get, indicator
from agents.kernels import adaptive, moments, newest, recursive, weighted, windows
from data.contracts.errors import InvalidInput

ShortWindow = Annotated[int, Range(1, 1_000, ("timeperiod",))]
_TALIB = {
    **dict(enumerate(("sma", "ema", "wma", "dema", "tema", "trima", "kama", "mama", "t3", "hma", "none"))),
    12: "zlema",
    13: "wilder",
}


@dataclass(frozen=True)
class Averages(Choice):
    """Moving averages by name, or by TA-Lib's number (`MA_Type`)."""

    def check(self, owner: str, name: str, default: float | str, value: object) -> str:
        """The average's name. Raises InvalidInput naming all of them for anything else."""
        if isinstance(value, int) and not isinstance(value, bool):
            value = _TALIB.get(value, f"number {value}")
        return super().check(owner, name, default, value)


AVERAGES = Averages((*_TALIB.values(), "linreg", "alma"), ("matype",))
Average = Annotated[str, AVERAGES]


@indicator(family="trend", unit="price", talib="SMA", source="TA-Lib SMA")
def sma(close: Line, window: Window = 30) -> Line:
    """Simple moving average. A constant price gives that price exactly.

    Formula: mean of the last `window` values.
    """
    return rolling(windows.sma, close, window, reach=window - 1)


@indicator(family="trend", unit="price", talib="EMA", source="TA-Lib EMA")
def ema(close: Line, window: Window = 30, seed: Annotated[str, Choice(("sma", "first"))] = "sma") -> Line:
    """Exponential moving average, seeded with the simple average of the first `window` values.

    Formula: e += (value - e) * 2 / (window + 1).

    seed: sma (TA-Lib, TradingView), or first: it begins with the first value and has no warm-up (pandas, Tulip).
    """
    if seed == "first":
        return carried(recursive.fading, close, 2.0 / (window + 1.0), carry=2)
    return carried(recursive.ema, close, window, carry=2, warmup=window - 1, newest=newest.ema)


@indicator(family="trend", unit="price", talib="WMA", source="TA-Lib WMA")
def wma(close: Line, window: Window = 30) -> Line:
    """Linearly weighted moving average, the newest value heaviest.

    Formula: sum of i * value[i] / sum of i, i = 1 … window.
    """
    return rolling(moments.wma, close, window, reach=window - 1)


@indicator(
    family="trend",
    unit="price",
    talib="RMA",
    source="Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib RMA",
)
def wilder(close: Line, window: Window = 30) -> Line:
    """Wilder's smoothed moving average (RMA, SMMA, MMA), seeded with the simple average of the first `window` values.

    Formula: w += (value - w) / window.
    """
    return carried(recursive.wilder, close, window, carry=2, warmup=window - 1, newest=newest.wilder)


@indicator(
    family="trend",
    unit="price",
    talib="DEMA",
    source="Mulloy, Technical Analysis of Stocks & Commodities 12:1 (1994); TA-Lib DEMA",
)
def dema(close: Line, window: Window = 30) -> Line:
    """Double exponential moving average: an exponential one with its own lag taken off.

    Formula: 2 * EMA - EMA(EMA).

    Each average is seeded with the simple average of the first `window` values that it gets, as TA-Lib does.
    Stock.Indicators seeds both at the same bar; the two agree once the seeds have decayed.
    """
    once = ema(close, window)
    return once * 2.0 - ema(once, window)


@indicator(
    family="trend",
    unit="price",
    talib="TEMA",
    source="Mulloy, Technical Analysis of Stocks & Commodities 12:2 (1994); TA-Lib TEMA",
)
def tema(close: Line, window: Window = 30) -> Line:
    """Triple exponential moving average: an exponential one with its lag taken off twice.

    Formula: 3 * EMA - 3 * EMA(EMA) + EMA(EMA(EMA)), seeded like `dema`.
    """
    once = ema(close, window)
    twice = ema(once, window)
    return (once - twice) * 3.0 + ema(twice, window)


@indicator(family="trend", unit="price", talib="TRIMA", source="TA-Lib TRIMA")
def trima(close: Line, window: Window = 30) -> Line:
    """Triangular moving average: the middle of the window is heaviest.

    Formula: SMA(SMA(value, (window + 1) // 2), window // 2 + 1).
    """
    return sma(sma(close, (window + 1) // 2), window // 2 + 1)


@indicator(family="trend", unit="price", source="TradingView ta.swma; pandas-ta swma")
def swma(close: Line, window: Window = 4) -> Line:
    """Symmetrically weighted moving average; TradingView's is the one of 4 bars, weights 1, 2, 2, 1.

    Formula: weights 1, 2, 3 … 3, 2, 1 over `window` bars; the same as `trima`.
    """
    return trima(close, window)


@indicator(
    family="trend",
    unit="price",
    talib="KAMA",
    source="Kaufman, Smarter Trading (1995); TA-Lib KAMA; fast and slow as Stock.Indicators GetKama",
)
def kama(
    close: Line,
    window: LongWindow = 30,
    fast: Annotated[int, Range(1, LONGEST, ("fastperiod",))] = 2,
    slow: Annotated[int, Range(1, LONGEST, ("slowperiod",))] = 30,
) -> Line:
    """Kaufman's adaptive moving average: fast where the price goes straight, slow where it goes to and fro.

    Formula: k += (value - k) * (er * (2 / (fast + 1) - 2 / (slow + 1)) + 2 / (slow + 1))^2,
    er = |change over window| / sum of |changes|.

    Begins with the value before its first bar. Where nothing moved er is 1, as in TA-Lib.
    """
    slowest = 2.0 / (slow + 1.0)
    straight, path = abs(change(close, window)) / window, sma(abs(change(close)), window)
    efficiency = minimum(ratio(straight, path, otherwise=1.0), 1.0)
    gain = efficiency * (2.0 / (fast + 1.0) - slowest) + slowest
    return carried(adaptive.follow, close, lag(close, 1), gain * gain, carry=2)


@indicator(
    family="trend",
    unit="price",
    talib="T3",
    source="Tillson, Technical Analysis of Stocks & Commodities 16:1 (1998); TA-Lib T3",
)
def t3(close: Line, window: Window = 5, factor: Annotated[float, Range(0.0, 1.0, ("vfactor",))] = 0.7) -> Line:
    """Tillson's T3: three generalised double exponential averages in a row, smooth with little lag.

    Formula: GD(GD(GD(value))), GD = EMA + factor * (EMA - EMA(EMA)), on six nested averages seeded one after the other.
    """
    nested = [close]
    for _ in range(6):
        nested.append(ema(nested[-1], window))
    level = nested[3:]
    while len(level) > 1:
        level = [once + (once - twice) * factor for once, twice in pairwise(level)]
    return level[0]


@indicator(family="trend", unit="price", talib="HMA", source="Hull (2005); TA-Lib HMA")
def hma(close: Line, window: LongWindow = 20) -> Line:
    """Hull moving average: weighted averages put together so that the lag nearly cancels.

    Formula: WMA(2 * WMA(value, window // 2) - WMA(value, window), floor(sqrt(window))).
    """
    return wma(wma(close, window // 2) * 2.0 - wma(close, window), math.isqrt(window))


@indicator(
    family="trend",
    unit="price",
    talib="ZLEMA",
    source="Ehlers and Way, Technical Analysis of Stocks & Commodities 28:12 (2010); TA-Lib ZLEMA",
)
def zlema(close: Line, window: Window = 30) -> Line:
    """Zero-lag exponential moving average: an exponential one of the value plus its change over the lag.

    Formula: EMA(2 * value - value[(window - 1) // 2 bars ago]).
    """
    bars = (window - 1) // 2
    return ema(close * 2.0 - lag(close, bars), window)


@indicator(family="trend", unit="price", talib="VWMA", source="TA-Lib VWMA")
def vwma(close: Line, volume: Line, window: Window = 30) -> Line:
    """Moving average weighted by volume; NaN where nothing was traded in the window.

    Formula: SMA(value * volume) / SMA(volume).
    """
    return ratio(sma(close * volume, window), sma(volume, window))


@indicator(
    family="trend",
    unit="price",
    source="Legoux and Kouzis Loukas (2009); TradingView ta.alma, Stock.Indicators GetAlma",
)
def alma(
    close: Line,
    window: Window = 9,
    offset: Annotated[float, Range(0.0, 1.0)] = 0.85,
    sigma: Annotated[float, Range(0.01, 1_000.0)] = 6.0,
    peak: Annotated[str, Choice(("exact", "floor"))] = "exact",
) -> Line:
    """Arnaud Legoux moving average: Gaussian weights whose peak lies near the newest bar.

    Formula: weights exp(-(i - m)^2 / (2 s^2)), m = offset * (window - 1), s = window / sigma, i = 0 the oldest.

    peak: exact, or floor: m rounded down (TradingView's floor=true, Tulip).
    """
    middle = offset * (window - 1)
    middle = math.floor(middle) + 0.0 if peak == "floor" else middle
    return rolling(weighted.bell, close, window, middle, window / sigma, reach=window - 1)


@indicator(family="trend", unit="price", source="pandas-ta sinwma")
def sine_wma(close: Line, window: Window = 14) -> Line:
    """Sine weighted moving average: half a sine wave over the window, the middle heaviest.

    Formula: weights sin(i * pi / (window + 1)), i = 1 … window.
    """
    return rolling(weighted.sine, close, window, reach=window - 1)


@indicator(family="trend", unit="price", source="pandas-ta pwma")
def pascal_wma(close: Line, window: ShortWindow = 10) -> Line:
    """Moving average weighted by a row of Pascal's triangle, close to a Gaussian around the middle of the window.

    Formula: weights binomial(window - 1, i), i = 0 … window - 1.
    """
    return rolling(weighted.pascal, close, window, reach=window - 1)


@indicator(family="trend", unit="price", source="pandas-ta fwma")
def fibonacci_wma(close: Line, window: ShortWindow = 10) -> Line:
    """Moving average weighted by Fibonacci numbers, the newest value heaviest.

    Formula: weights 1, 1, 2, 3, 5 … over `window` bars.
    """
    return rolling(weighted.fibonacci, close, window, reach=window - 1)


@indicator(family="trend", unit="price", talib="LINEARREG", source="TA-Lib LINEARREG")
def linreg(close: Line, window: LongWindow = 14) -> Line:
    """End of the least-squares line through the window (LSMA, end point moving average EPMA).

    Formula: SMA(value) + slope * (window - 1) / 2.

    TradingView's ta.linreg and ta.lsma with offset 0, Stock.Indicators' GetEpma and the newest `Line` of GetSlope.
    """
    return sma(close, window) + rolling(moments.linreg_slope, close, window, reach=window - 1) * (0.5 * (window - 1))


@indicator(family="trend", unit="price", talib="MA", source="TA-Lib MA")
def ma(close: Line, window: Window = 30, kind: Average = "sma") -> Line:
    """Moving average of any kind, by name or TA-Lib's number; other parameters of the kind at their defaults.

    Formula: SMA, EMA, WMA … of the value.

    As in TA-Lib a window of 1 is the value itself for every kind, `none` is it for every window, and `mama` has no
    window.
    """
    return average(close, window, kind)


def _shortest_first(shortest: int, longest: int, kind: str) -> None:
    if shortest > longest:
        raise InvalidInput(f"mavp shortest must not exceed longest: {shortest} and {longest}", indicator="mavp")


@indicator(family="trend", unit="price", talib="MAVP", check=_shortest_first, source="TA-Lib MAVP")
def mavp(
    close: Line,
    other: Line,
    shortest: Annotated[int, Range(1, 200, ("minperiod",))] = 2,
    longest: Annotated[int, Range(1, 200, ("maxperiod",))] = 30,
    kind: Annotated[str, Averages(("sma", "ema", "wma", "trima", "hma"), ("matype",))] = "sma",
) -> Line:
    """Moving average whose window is given bar by bar in `other`, for example by the length of a cycle.

    Formula: average of close over w bars, w = other cut to a whole number and held between shortest and longest.

    An exponential average of w bars is the one that has run since the first bar. TA-Lib starts it anew at the end of
    the longest warm-up, so the two differ until that seed has decayed. All windows from shortest to longest are
    computed: keep them close together.
    """
    chosen = average(close, shortest, kind)
    for window in range(shortest + 1, longest + 1):
        chosen = pointwise(adaptive.switch, other, chosen, average(close, window, kind), float(window))
    return chosen


def average(line: Line, window: int, kind: str) -> Line:
    """The moving average called `kind`, one of `AVERAGES`."""
    return line if window == 1 else _BY_NAME[kind](line, window)


_BY_NAME: dict[str, Callable[[Line, int], Line]] = {
    "sma": sma,
    "ema": ema,
    "wma": wma,
    "dema": dema,
    "tema": tema,
    "trima": trima,
    "kama": kama,
    "mama": lambda line, _: get("mama")(line)[0],  # by name: its module is made of these averages
    "t3": t3,
    "hma": hma,
    "none": lambda line, _: line,
    "zlema": zlema,
    "wilder": wilder,
    "linreg": linreg,
    "alma": alma,
}
