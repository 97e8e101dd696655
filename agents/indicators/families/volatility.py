"""How much a price moves: true ranges, deviations, and the bands made of them."""

from __future__ import annotations

from math import sqrt
from typing import Annotated

from agents.indicators.families.averages import AVERAGES, ema, sma, wilder
from agents.indicators.families.averages import average as average_of
from agents.indicators.families.basics import highest, true_range, typical_price
from agents.indicators.families.parts import previous, withheld
from agents.indicators.graph import Line, carried, change, maximum, minimum, ratio, rolling, where
from agents.indicators.graph import sqrt as root
from agents.indicators.registry import LONGEST, Choice, Factor, LongWindow, Range, Window, indicator
from agents.kernels import moments, newest, recursive, windows
from data.contracts.errors import InvalidInput

Deviations = Annotated[float, Range(0.0, 1_000.0, ("nbdev", "nbdevup", "nbdevdn"))]
AtrWindow = Annotated[int, Range(1, LONGEST, ("atrperiod",))]
DIVISOR = Choice(("population", "sample"))
SMOOTHING = Choice(("wilder", "sma", "ema", "wma", "tradingview"))
BANDS = ("upper", "middle", "lower")


def _sample_of_two(window: int, divisor: str, **_: object) -> None:
    if divisor == "sample" and window < 2:
        raise InvalidInput("a sample deviation needs a window of at least 2 bars", window=window)


@indicator(
    family="volatility",
    unit="price",
    outputs=BANDS,
    talib="BBANDS",
    check=_sample_of_two,
    source="Bollinger, Bollinger on Bollinger Bands (2001); TA-Lib BBANDS",
)
def bollinger(
    close: Line,
    window: Window = 20,
    deviations: Deviations = 2.0,
    average: Annotated[str, AVERAGES] = "sma",
    divisor: Annotated[str, DIVISOR] = "population",
) -> tuple[Line, ...]:
    """Bollinger bands: a moving average plus and minus `deviations` standard deviations of the window.

    Formula: average(close) ± deviations * stddev(close).

    As in TA-Lib the deviation is that around the window's mean, whatever the average. TradingView's bands are the
    default ones (population deviation).
    """
    wide = deviations * _divisor(window, divisor)
    if average == "sma":
        return rolling(moments.bollinger, close, window, wide, reach=window - 1, outputs=3)
    middle, reach = average_of(close, window, average), stddev(close, window, wide)
    return middle + reach, middle, middle - reach


@indicator(
    family="volatility",
    unit="none",
    source="Bollinger (2001), ch. 8; TradingView Bollinger Bands %b; Stock.Indicators GetBollingerBands",
)
def bollinger_percent_b(close: Line, window: LongWindow = 20, deviations: Deviations = 2.0) -> Line:
    """Place of the close between the Bollinger bands: 0 at the lower, 1 at the upper one.

    Formula: (close - lower) / (upper - lower).

    0.5 where the bands coincide.
    """
    upper, _, lower = bollinger(close, window, deviations)
    return ratio(close - lower, upper - lower, otherwise=0.5)


@indicator(
    family="volatility",
    unit="none",
    source="Bollinger (2001), ch. 8; Stock.Indicators GetBollingerBands (width)",
)
def bollinger_width(close: Line, window: LongWindow = 20, deviations: Deviations = 2.0) -> Line:
    """Distance between the Bollinger bands as a fraction of the middle.

    Formula: (upper - lower) / middle.

    TradingView's Bollinger BandWidth is 100 times that.
    """
    upper, middle, lower = bollinger(close, window, deviations)
    return ratio(upper - lower, middle)


@indicator(
    family="volatility",
    unit="move",
    bounds=(0.0, float("inf")),
    talib="ATR",
    source="Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib ATR",
)
def atr(
    high: Line, low: Line, close: Line, window: Window = 14, smoothing: Annotated[str, SMOOTHING] = "wilder"
) -> Line:
    """Average true range, Wilder smoothing, seeded with the mean of the first `window` true ranges.

    Formula: Wilder mean of max(high - low, |high - close before|, |low - close before|).

    Variants: "sma", "ema" and "wma" average the same ranges in another way. "tradingview" is Wilder's with the range of
    the first bar (high - low) counted, as ta.atr does: it begins a bar earlier and soon agrees with the default.
    """
    if smoothing == "wilder":
        return carried(recursive.atr, high, low, close, window, carry=2, warmup=window, newest=newest.atr)
    if smoothing == "tradingview":
        before = previous(close)
        return wilder(maximum(high, before) - minimum(low, before), window)
    return average_of(true_range(high, low, close), window, smoothing)


@indicator(family="volatility", unit="none", bounds=(0.0, float("inf")), talib="NATR", source="TA-Lib NATR")
def natr(
    high: Line, low: Line, close: Line, window: Window = 14, smoothing: Annotated[str, SMOOTHING] = "wilder"
) -> Line:
    """Average true range in per cent of the close (ATR%), comparable between prices.

    Formula: 100 * ATR / close.

    NaN where the close is 0 (TA-Lib: 0). Variants: as `atr`.
    """
    return ratio(atr(high, low, close, window, smoothing), close) * 100.0


@indicator(family="volatility", unit="price", outputs=BANDS, talib="DONCHIAN", source="Donchian; TA-Lib DONCHIAN")
def donchian(high: Line, low: Line, window: Window = 20) -> tuple[Line, ...]:
    """Donchian channel: highest high, lowest low and their midpoint, the present bar included.

    Formula: upper = max(high), lower = min(low), middle = (upper + lower) / 2, over `window` bars.
    """
    return rolling(windows.donchian, high, low, window, reach=window - 1, outputs=3)


@indicator(
    family="volatility",
    unit="price",
    outputs=BANDS,
    talib="KC",
    source="Keltner, How to Make Money in Commodities (1960); Raschke's form; TA-Lib KC",
)
def keltner(
    high: Line,
    low: Line,
    close: Line,
    window: Window = 20,
    multiplier: Annotated[float, Range(0.0, 1_000.0, ("nbdev",))] = 2.0,
    atr_window: AtrWindow = 10,
    variant: Annotated[str, Choice(("talib", "close", "original"))] = "talib",
) -> tuple[Line, ...]:
    """Keltner channel: exponential average of the typical price plus and minus `multiplier` average true ranges.

    Formula: EMA(typical, window) ± multiplier * ATR(atr_window).

    As in TA-Lib both averages are seeded with the values that end at the first bar shown. Variant "close" is the one of
    TradingView, StockCharts and Stock.Indicators: EMA of the close, each average seeded at its own beginning. Variant
    "original" is Keltner's own: SMA(typical, window) ± multiplier * SMA(high - low, window), his window 10 and
    multiplier 1; it has no use for `atr_window`.
    """
    if variant == "original":
        middle, reach = sma(typical_price(high, low, close), window), sma(high - low, window)
    elif variant == "close":
        middle, reach = ema(close, window), atr(high, low, close, atr_window)
    else:
        begin = max(window - 1, atr_window)
        middle = ema(withheld(typical_price(high, low, close), begin - (window - 1)), window)
        reach = wilder(withheld(true_range(high, low, close), begin - atr_window), atr_window)
    return middle + reach * multiplier, middle, middle - reach * multiplier


@indicator(
    family="volatility",
    unit="price",
    outputs=BANDS,
    source="Stoller, STARC bands; Achelis, Technical Analysis from A to Z; Stock.Indicators GetStarcBands",
)
def starc(
    high: Line, low: Line, close: Line, window: Window = 6, multiplier: Factor = 2.0, atr_window: AtrWindow = 15
) -> tuple[Line, ...]:
    """STARC bands (Stoller average range channel): simple average plus and minus `multiplier` average true ranges.

    Formula: SMA(close, window) ± multiplier * ATR(atr_window).
    """
    middle, reach = sma(close, window), atr(high, low, close, atr_window) * multiplier
    return middle + reach, middle, middle - reach


@indicator(family="volatility", unit="price", outputs=("upper", "lower"), source="TradingView ATR Bands")
def atr_bands(high: Line, low: Line, close: Line, window: Window = 14, multiplier: Factor = 3.0) -> tuple[Line, ...]:
    """The close plus and minus `multiplier` average true ranges: where a stop or a target would lie.

    Formula: close ± multiplier * ATR(window).
    """
    reach = atr(high, low, close, window) * multiplier
    return close + reach, close - reach


@indicator(family="volatility", unit="price", outputs=BANDS, source="Fitschen, Aberration; pandas-ta aberration")
def aberration(high: Line, low: Line, close: Line, window: Window = 5, atr_window: AtrWindow = 15) -> tuple[Line, ...]:
    """Aberration channel: simple average of the typical price plus and minus one average true range.

    Formula: SMA(typical, window) ± ATR(atr_window).
    """
    middle, reach = sma(typical_price(high, low, close), window), atr(high, low, close, atr_window)
    return middle + reach, middle, middle - reach


@indicator(
    family="volatility",
    unit=("mixed", "price", "mixed"),
    outputs=BANDS,
    talib="ACCBANDS",
    source="Headley, Big Trends in Trading (2002); TA-Lib ACCBANDS",
)
def accbands(high: Line, low: Line, close: Line, window: Window = 20, multiplier: Factor = 4.0) -> tuple[Line, ...]:
    """Acceleration bands: averages of high and low, each moved outwards by the relative range of its bar.

    Formula: upper = SMA(high * (1 + w)), lower = SMA(low * (1 - w)), w = multiplier * (high - low) / (high + low),
    middle = SMA(close).
    """
    wide = ratio(high - low, high + low, otherwise=0.0) * multiplier
    return sma(high + high * wide, window), sma(close, window), sma(low - low * wide, window)


@indicator(
    family="volatility",
    unit="move",
    bounds=(0.0, float("inf")),
    talib="STDDEV",
    check=_sample_of_two,
    source="TA-Lib STDDEV",
)
def stddev(
    close: Line,
    window: Window = 5,
    deviations: Annotated[float, Range(0.0, 1_000.0, ("nbdev",))] = 1.0,
    divisor: Annotated[str, DIVISOR] = "population",
) -> Line:
    """Population standard deviation (divisor `window`) times `deviations`.

    Formula: deviations * sqrt(mean((value - mean)^2)).

    Variant "sample" has divisor window - 1, as pandas; it needs a window of 2.
    """
    return rolling(moments.stddev, close, window, deviations * _divisor(window, divisor), reach=window - 1)


@indicator(family="statistics", unit="none", source="Stock.Indicators GetStdDev")
def zscore(close: Line, window: LongWindow = 20) -> Line:
    """Distance from the window's mean in population standard deviations; NaN where nothing varied.

    Formula: (value - mean) / stddev.
    """
    return rolling(moments.zscore, close, window, reach=window - 1)


@indicator(
    family="volatility",
    unit="none",
    bounds=(0.0, 100.0),
    talib="RVI",
    source="Dorsey, The Relative Volatility Index, Stocks & Commodities 11 (1993); TA-Lib RVI",
)
def rvi(
    close: Line,
    window: Window = 14,
    deviation_window: Annotated[int, Range(2, LONGEST, ("stddevperiod",))] = 10,
    smoothing: Annotated[str, Choice(("wilder", "ema", "sma", "wma"))] = "wilder",
) -> Line:
    """Relative volatility index: share of the deviation that falls on bars that closed higher.

    Formula: 100 * up / (up + down), averages of stddev(close, deviation_window) on rising and on falling bars.

    50 where nothing varied. Not the relative vigor index, which also goes by RVI. TradingView smooths with "ema".
    """
    spread, step = stddev(close, deviation_window), change(close)
    up = average_of(where(step > 0.0, spread, 0.0), window, smoothing)
    down = average_of(where(step < 0.0, spread, 0.0), window, smoothing)
    return ratio(up, up + down, otherwise=0.5) * 100.0


@indicator(
    family="volatility",
    unit="none",
    bounds=(0.0, 100.0),
    source="Martin and McCann, The Investor's Guide to Fidelity Funds (1989); TradingView Ulcer Index",
)
def ulcer(close: Line, window: Window = 14) -> Line:
    """Ulcer index: root mean square of the falls, in per cent, from the highest close of the last `window` bars.

    Formula: sqrt(mean(d^2)), d = 100 * (close / max(close) - 1).

    Each bar's fall is measured from the highest of its own window (StockCharts, TradingView), so the warm-up is
    2 * window - 2.
    """
    fall = (ratio(close, highest(close, window)) - 1.0) * 100.0
    return root(sma(fall * fall, window))


def _divisor(window: int, divisor: str) -> float:
    """What turns a population deviation into the one asked for."""
    return sqrt(window / (window - 1.0)) if divisor == "sample" else 1.0
