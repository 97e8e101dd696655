"""Oscillators made of prices of a few bars: ranges, bodies, distances from an average or a line."""

from __future__ import annotations

from typing import Annotated

from agents.indicators.families.averages import Average, average, ema, linreg, sma, swma
from agents.indicators.families.basics import highest, lowest, median_price, true_range
from agents.indicators.families.momentum import Signal, Smoothing, rsi, share
from agents.indicators.families.trend import linreg_slope
from agents.indicators.families.volatility import stddev
from agents.indicators.graph import Line, carried, change, clip, lag, maximum, minimum, ratio, rolling
from agents.indicators.registry import LONGEST, Choice, LongWindow, Range, Window, indicator
from agents.kernels import momentum as kernels

Fast = Annotated[int, Range(1, LONGEST, ("fastperiod",))]
Slow = Annotated[int, Range(1, LONGEST, ("slowperiod",))]


@indicator(
    family="momentum",
    unit="none",
    bounds=(-100.0, 100.0),
    talib="CMO",
    source="Chande and Kroll, The New Technical Trader (1994); TA-Lib CMO",
)
def cmo(close: Line, window: Window = 14, smoothing: Smoothing = "wilder") -> Line:
    """Chande momentum oscillator: rises less falls over all moves, in per cent; 0 where nothing moved.

    Formula: 100 * (gain - loss) / (gain + loss) = 2 * RSI - 100.

    smoothing: wilder (TA-Lib CMO), sma (Chande's own sums, as TradingView and cmou), ema.
    """
    line: Line = rsi(close, window, smoothing)
    return line * 2.0 - 100.0


@indicator(
    family="momentum",
    unit="none",
    bounds=(-100.0, 100.0),
    talib="CMOU",
    source="Chande and Kroll, The New Technical Trader (1994); TA-Lib CMOU",
)
def cmou(close: Line, window: Window = 14) -> Line:
    """Chande momentum oscillator as Chande wrote it, of plain sums; 0 where nothing moved.

    Formula: 100 * (sum of rises - sum of falls) / (sum of rises + sum of falls).
    """
    line: Line = cmo(close, window, "sma")
    return line


@indicator(
    family="momentum",
    unit="none",
    bounds=(0.0, 100.0),
    talib="ULTOSC",
    source="Larry Williams, Technical Analysis of Stocks & Commodities 3:4 (1985); TA-Lib ULTOSC",
)
def ultimate(
    high: Line,
    low: Line,
    close: Line,
    fast: Annotated[int, Range(1, LONGEST, ("timeperiod1",))] = 7,
    middle: Annotated[int, Range(1, LONGEST, ("timeperiod2",))] = 14,
    slow: Annotated[int, Range(1, LONGEST, ("timeperiod3",))] = 28,
) -> Line:
    """Ultimate oscillator: buying pressure over three windows, the shortest heaviest; 50 without range (TA-Lib: 0).

    Formula: 100 * (4 a + 2 b + c) / 7, each = sum(close - true low) / sum(true range) over its window.
    """
    pressure, reach = close - minimum(low, lag(close, 1)), true_range(high, low, close)
    a, b, c = (ratio(sma(pressure, n), sma(reach, n), otherwise=0.5) for n in (fast, middle, slow))
    return clip((a * 4.0 + b * 2.0 + c) * 100.0 / 7.0, 0.0, 100.0)


@indicator(family="momentum", unit="none", bounds=(-1.0, 1.0), talib="BOP", source="Livshin (2001); TA-Lib BOP")
def bop(open_: Line, high: Line, low: Line, close: Line) -> Line:
    """Balance of power: the bar's body as a share of its range; 0 for a bar without range. Often averaged over 14.

    Formula: (close - open) / (high - low).
    """
    return ratio(close - open_, high - low, otherwise=0.0)


@indicator(family="momentum", unit="move", talib="AO", source="Bill Williams, Trading Chaos (1995); TA-Lib AO")
def awesome(high: Line, low: Line, fast: Fast = 5, slow: Slow = 34) -> Line:
    """Awesome oscillator: fast less slow simple average of the median price.

    Formula: SMA(median, fast) - SMA(median, slow), median = (high + low) / 2.
    """
    middle = median_price(high, low)
    line: Line = sma(middle, fast) - sma(middle, slow)
    return line


@indicator(family="momentum", unit="none", source="Bill Williams, Trading Chaos (1995); Stock.Indicators GetAwesome")
def awesome_percent(high: Line, low: Line, fast: Fast = 5, slow: Slow = 34) -> Line:
    """Awesome oscillator in per cent of the median price.

    Formula: 100 * AO / ((high + low) / 2).
    """
    return ratio(awesome(high, low, fast, slow) * 100.0, median_price(high, low))


@indicator(family="momentum", unit="move", talib="AC", source="Bill Williams, New Trading Dimensions (1998); TA-Lib AC")
def accelerator(high: Line, low: Line, fast: Fast = 5, slow: Slow = 34, signal: Signal = 5) -> Line:
    """Accelerator oscillator: the awesome oscillator less its simple average.

    Formula: AO - SMA(AO, signal).
    """
    line: Line = awesome(high, low, fast, slow)
    return line - sma(line, signal)


@indicator(
    family="momentum",
    unit="none",
    bounds=(0.0, 100.0),
    talib="IMI",
    source="Chande and Kroll, The New Technical Trader (1994); TA-Lib IMI",
)
def imi(open_: Line, close: Line, window: Window = 14) -> Line:
    """Intraday momentum index: an RSI of the bars' bodies; 50 without bodies.

    Formula: 100 * sum(rising bodies) / sum(all bodies).
    """
    body = close - open_
    return share(sma(maximum(body, 0.0), window), sma(maximum(-body, 0.0), window))


@indicator(
    family="momentum",
    unit="none",
    bounds=(0.0, 1.0),
    talib="ER",
    source="Kaufman, Trading Systems and Methods (1995); TA-Lib ER",
)
def efficiency_ratio(close: Line, window: Window = 10) -> Line:
    """Kaufman's efficiency ratio: way made good as a share of the way gone; 0 for a price at rest (TA-Lib: 1).

    Formula: |change over window| / sum of |change of a bar|.
    """
    way: Line = sma(abs(change(close)), window)
    return minimum(ratio(abs(change(close, window)), way * float(window), otherwise=0.0), 1.0)


@indicator(
    family="momentum",
    unit="none",
    outputs=("fisher", "trigger"),
    source="Ehlers, Technical Analysis of Stocks & Commodities 20:11 (2002); TradingView Fisher Transform",
)
def fisher(high: Line, low: Line, window: Window = 9) -> tuple[Line, ...]:
    """Ehlers' Fisher transform of the median price's place in its range, and itself a bar before; 0 without range.

    Formula: v = 0.66 * (place - 0.5) + 0.67 * v before, beyond ±0.99: ±0.999; fisher = ln((1 + v) / (1 - v)) / 2
    + fisher before / 2; trigger = fisher before.

    Begins with v = fisher = 0. Ehlers' article has window=10.
    """
    middle = median_price(high, low)
    top, bottom = highest(middle, window), lowest(middle, window)
    spot = ratio(middle - bottom, top - bottom, otherwise=0.5) - 0.5
    line = carried(kernels.fisher, spot, carry=3, guarded=True)
    return line, lag(line, 1)


@indicator(
    family="momentum",
    unit="none",
    outputs=("rvgi", "signal"),
    source="Ehlers, Technical Analysis of Stocks & Commodities 20:1 (2002); TradingView Relative Vigor Index",
)
def rvgi(open_: Line, high: Line, low: Line, close: Line, window: Window = 10) -> tuple[Line, ...]:
    """Relative vigor index and its signal: bodies against ranges, averaged over four bars; 0 without ranges.

    Formula: sum(S(close - open)) / sum(S(high - low)) over `window` bars; signal = S(rvgi); S = weights 1 2 2 1 / 6.
    """
    body, reach = sma(swma(close - open_, 4), window), sma(swma(high - low, 4), window)
    line = ratio(body, reach, otherwise=0.0)
    return line, swma(line, 4)


@indicator(family="momentum", unit="none", source="Mark Johnson; TradingView Pretty Good Oscillator")
def pretty_good(high: Line, low: Line, close: Line, window: Window = 14) -> Line:
    """Pretty good oscillator: distance of the close from its average in average true ranges; 0 without ranges.

    Formula: (close - SMA(close)) / EMA(true range).

    pandas-ta divides by an EMA of the ATR instead, which smooths twice.
    """
    return ratio(close - sma(close, window), ema(true_range(high, low, close), window), otherwise=0.0)


@indicator(family="momentum", unit="none", bounds=(0.0, 100.0), source="traditional Japanese; pandas-ta psl")
def psychological_line(close: Line, window: Window = 12) -> Line:
    """Per cent of the last `window` bars that closed higher than the one before.

    Formula: 100 * count(close > close before) / window.

    pandas-ta counts the first bar as no rise and so begins a bar earlier.
    """
    line: Line = sma(close > lag(close, 1), window)
    return line * 100.0


@indicator(family="momentum", unit="none", source="traditional; pandas-ta bias")
def bias(close: Line, window: Window = 26, kind: Average = "sma") -> Line:
    """Distance of the close from its moving average, in per cent of the average (pandas-ta: a fraction).

    Formula: 100 * (close - average) / average.

    Also known as the Kairi relative index. kind: which average.
    """
    middle = average(close, window, kind)
    return ratio((close - middle) * 100.0, middle)


@indicator(family="momentum", unit="none", source="Nison, Beyond Candlesticks (1994)")
def disparity_index(close: Line, window: Window = 14, kind: Average = "sma") -> Line:
    """Disparity index: distance of the close from its moving average, in per cent; `bias` with Nison's window.

    Formula: 100 * (close - average) / average.
    """
    line: Line = bias(close, window, kind)
    return line


@indicator(family="momentum", unit="none", source="Chande and Kroll, The New Technical Trader (1994)")
def cfo(
    close: Line, window: LongWindow = 14, forecast: Annotated[str, Choice(("now", "next", "previous"))] = "now"
) -> Line:
    """Chande forecast oscillator: distance of the close from its regression line, in per cent of the close.

    Formula: 100 * (close - line) / close, the least-squares line through the last `window` closes.

    forecast: now = the line at this bar; next = a bar ahead (pandas-ta, MetaStock's TSF); previous = what the line of
    the bar before said about this one (Tulip and TA-Lib FOSC). NaN for a close of 0.
    """
    line: Line = linreg(close, window)
    if forecast != "now":
        line = line + linreg_slope(close, window)
    return ratio((close - (lag(line, 1) if forecast == "previous" else line)) * 100.0, close)


@indicator(
    family="momentum",
    unit="none",
    bounds=(-1.0, 1.0),
    source="Ehlers, Technical Analysis of Stocks & Commodities 38:5 (2020); pandas-ta cti",
)
def cti(close: Line, window: LongWindow = 12) -> Line:
    """Correlation trend indicator: correlation of the close with a rising straight line; 0 for a flat price.

    Formula: corr(close, bar number) = slope * stddev(bar number) / stddev(close) over `window` bars.
    """
    slope: Line = linreg_slope(close, window)
    return clip(ratio(slope * ((window * window - 1) / 12.0) ** 0.5, stddev(close, window), otherwise=0.0), -1.0, 1.0)


@indicator(
    family="momentum",
    unit="none",
    bounds=(0.0, 100.0),
    source="Altman, Technical Analysis of Stocks & Commodities 11:2 (1993)",
)
def rmi(
    close: Line,
    window: Window = 20,
    momentum: Annotated[int, Range(1, LONGEST)] = 5,
    smoothing: Smoothing = "wilder",
) -> Line:
    """Relative momentum index: an RSI of changes over `momentum` bars; 50 where nothing moved.

    Formula: 100 * gain / (gain + loss), averages of max(± change over `momentum` bars, 0).
    """
    step = change(close, momentum)
    rises, falls = maximum(step, 0.0), maximum(-step, 0.0)
    return share(average(rises, window, smoothing), average(falls, window, smoothing))


@indicator(
    family="momentum", unit="none", bounds=(0.0, 1.0), source="DeMark, The New Science of Technical Analysis (1994)"
)
def demarker(high: Line, low: Line, window: Window = 14) -> Line:
    """DeMarker: rises of the high against falls of the low; 0.5 where neither moved so.

    Formula: SMA(max(high - high before, 0)) / (that + SMA(max(low before - low, 0))).
    """
    up, down = sma(maximum(change(high), 0.0), window), sma(maximum(-change(low), 0.0), window)
    return ratio(up, up + down, otherwise=0.5)


@indicator(
    family="momentum",
    unit="none",
    bounds=(0.0, 100.0),
    source="Ehlers, Cybernetic Analysis for Stocks and Futures (2004), ch. 14",
)
def laguerre_rsi(close: Line, gamma: Annotated[float, Range(0.0, 0.999)] = 0.5) -> Line:
    """RSI over the four stages of a Laguerre filter; 50 where they are equal. Ehlers' own scale is 0 … 1.

    Formula: 100 * sum of rises from stage to stage / sum of all steps; stage 0 = (1 - gamma) * close + gamma * before,
    stage k = stage k-1 before - gamma * (stage k-1 - stage k before).

    All stages begin at the first close (Ehlers: at 0, which takes long to decay).
    """
    return carried(kernels.laguerre_rsi, close, gamma, carry=5, warmup=1, guarded=True)


@indicator(family="momentum", unit="none", bounds=(0.0, 100.0), source="Jurik RSX as published for TradingView")
def rsx(close: Line, window: Window = 14) -> Line:
    """Jurik's RSX: an RSI of moves smoothed three times, nearly without lag; 50 while nothing has moved.

    Formula: 50 * (F(F(F(move))) / F(F(F(|move|))) + 1), F = 1.5 E - 0.5 E(E), E += (value - E) * 3 / (window + 2).

    The filters begin at the first move; pandas-ta leaves out the first `window` bars and says 50 during the warm-up.
    """
    return carried(kernels.rsx, close, window, carry=14, warmup=window, guarded=True)


@indicator(
    family="volatility",
    unit="price",
    outputs=("upper", "lower"),
    source="Widner, Technical Analysis of Stocks & Commodities 13:7 (1995)",
)
def projection_bands(high: Line, low: Line, window: LongWindow = 14) -> tuple[Line, ...]:
    """Projection bands: the window's highs and lows carried to this bar along their regression slopes; the outermost.

    Formula: upper = max(high[i bars ago] + i * slope of high); lower = min(low[i bars ago] + i * slope of low).
    """
    rising, falling = linreg_slope(high, window), linreg_slope(low, window)
    return rolling(kernels.projection_bands, high, low, rising, falling, window, reach=window - 1, warmup=0, outputs=2)


@indicator(
    family="momentum",
    unit="none",
    source="Widner, Technical Analysis of Stocks & Commodities 13:7 (1995)",
)
def projection_oscillator(high: Line, low: Line, close: Line, window: LongWindow = 14) -> Line:
    """Place of the close between the projection bands, in per cent; 50 where they meet.

    Formula: 100 * (close - lower) / (upper - lower).
    """
    upper, lower = projection_bands(high, low, window)
    return ratio(close - lower, upper - lower, otherwise=0.5) * 100.0
