"""Where a price is heading: what is made of averages, their differences and their rates of change."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, TypeAlias

from agents.indicators.families.averages import AVERAGES, Average, Averages, average, ema, sma, wma
from agents.indicators.families.basics import highest, lowest, rolling_sum, true_range, typical_price
from agents.indicators.families.momentum import roc
from agents.indicators.families.volatility import donchian, stddev
from agents.indicators.graph import Line, carried, change, clip, lag, ratio, rolling
from agents.indicators.registry import LONGEST, Choice, Factor, LongWindow, Range, Window, indicator
from agents.kernels import directional, moments, newest, recursive
from data.contracts.errors import InvalidInput


@indicator(family="statistics", unit="move", talib="LINEARREG_SLOPE", source="TA-Lib LINEARREG_SLOPE")
def linreg_slope(close: Line, window: LongWindow = 14) -> Line:
    """Slope of the least-squares line through the window, in price units per bar.

    Formula: cov(bar number, value) / var(bar number).
    """
    return rolling(moments.linreg_slope, close, window, reach=window - 1)


def _fast_below_slow(fast: int, slow: int, **_: object) -> None:
    if fast >= slow:
        raise InvalidInput(f"fast must be below slow, not {fast} and {slow}")


Fast: TypeAlias = Annotated[int, Range(1, LONGEST, ("fastperiod",))]
Slow: TypeAlias = Annotated[int, Range(2, LONGEST, ("slowperiod",))]
Signal: TypeAlias = Annotated[int, Range(1, LONGEST, ("signalperiod",))]
Bars: TypeAlias = Annotated[int, Range(1, LONGEST)]


@indicator(
    family="trend",
    unit="move",
    outputs=("macd", "signal", "hist"),
    talib="MACD",
    check=_fast_below_slow,
    source="Appel; TA-Lib MACD",
)
def macd(
    close: Line,
    fast: Fast = 12,
    slow: Slow = 26,
    signal: Signal = 9,
) -> tuple[Line, ...]:
    """Fast minus slow exponential average, its signal line and their difference, seeded like TA-Lib.

    Formula: macd = EMA(fast) - EMA(slow); signal = EMA(macd); hist = macd - signal.

    Both averages start at bar `slow`, so the fast one skips the first slow - fast values.
    """
    return carried(
        recursive.macd,
        close,
        fast,
        slow,
        signal,
        carry=4,
        outputs=3,
        warmup=slow + signal - 2,
        newest=newest.macd,
    )


@indicator(
    family="trend",
    unit="none",
    outputs=("adx", "plus_di", "minus_di"),
    bounds=(0.0, 100.0),
    talib=("ADX", "PLUS_DI", "MINUS_DI"),
    source="Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib ADX, PLUS_DI, MINUS_DI",
)
def adx(high: Line, low: Line, close: Line, window: LongWindow = 14) -> tuple[Line, ...]:
    """Average directional index with the plus and minus directional indicators.

    Formula: di = 100 * Wilder(move) / Wilder(true range); adx = Wilder mean of 100 * |plus - minus| / (plus + minus).
    """
    warmup = (2 * window - 1, window, window)
    return carried(recursive.adx, high, low, close, window, carry=5, outputs=3, warmup=warmup, newest=newest.adx)


@indicator(
    family="trend",
    unit="move",
    outputs=("macd", "signal", "hist"),
    talib="MACDFIX",
    source="Appel; TA-Lib MACDFIX",
)
def macdfix(close: Line, signal: Signal = 9) -> tuple[Line, ...]:
    """MACD of 12 and 26 bars with Appel's own, rounded smoothing factors 0.15 and 0.075.

    Formula: macd = EMA(12 bars, 0.15) - EMA(26 bars, 0.075); signal = EMA(macd); hist = macd - signal.

    Seeded like `macd`.
    """
    fast = _exponential(late(close, 14), 12, 0.15)
    return _with_signal(fast - _exponential(close, 26, 0.075), ema, signal)


@indicator(
    family="trend",
    unit="move",
    outputs=("macd", "signal", "hist"),
    talib="MACDEXT",
    check=_fast_below_slow,
    source="Appel; TA-Lib MACDEXT",
)
def macdext(
    close: Line,
    fast: Fast = 12,
    fast_kind: Annotated[str, Averages(AVERAGES.names, ("fastmatype",))] = "sma",
    slow: Slow = 26,
    slow_kind: Annotated[str, Averages(AVERAGES.names, ("slowmatype",))] = "sma",
    signal: Signal = 9,
    signal_kind: Annotated[str, Averages(AVERAGES.names, ("signalmatype",))] = "sma",
) -> tuple[Line, ...]:
    """MACD with a kind of moving average of one's choice for each of its three lines.

    Formula: macd = average(fast) - average(slow); signal = average(macd); hist = macd - signal.

    The averages start together, so that a recursive fast one skips the bars that the slow one needs more.
    """
    a, b = average(close, fast, fast_kind), average(close, slow, slow_kind)
    line = average(late(close, b.warmup - a.warmup), fast, fast_kind)
    line = line - average(late(close, a.warmup - b.warmup), slow, slow_kind)
    return _with_signal(line, lambda values, window: average(values, window, signal_kind), signal)


@indicator(family="momentum", unit="move", talib="APO", check=_fast_below_slow, source="TA-Lib APO")
def apo(
    close: Line,
    fast: Fast = 12,
    slow: Slow = 26,
    kind: Average = "ema",
) -> Line:
    """Absolute price oscillator: fast less slow moving average.

    Formula: average(fast) - average(slow).

    Each average starts with its own first value, as in TA-Lib (in `macd` they start together). TA-Lib exchanges a fast
    average that is slower than the slow one; here it is refused.
    """
    return average(close, fast, kind) - average(close, slow, kind)


@indicator(family="momentum", unit="none", talib="PPO", check=_fast_below_slow, source="Appel; TA-Lib PPO")
def ppo(
    close: Line,
    fast: Fast = 12,
    slow: Slow = 26,
    kind: Average = "ema",
) -> Line:
    """Percentage price oscillator: fast less slow moving average in per cent of the slow one.

    Formula: 100 * (average(fast) - average(slow)) / average(slow).

    Averages as in `apo`. 0 where the slow one is 0.
    """
    base = average(close, slow, kind)
    return 100.0 * ratio(average(close, fast, kind) - base, base, otherwise=0.0)


@indicator(family="momentum", unit="none", talib="TRIX", source="Hutson (1983); TA-Lib TRIX, Stock.Indicators GetTrix")
def trix(close: Line, window: Window = 30) -> Line:
    """Rate of change, in per cent, of a triple exponential average.

    Formula: ROC(EMA(EMA(EMA(close))), 1).
    """
    return roc(ema(ema(ema(close, window), window), window), 1)


@indicator(family="trend", unit="move", talib="DPO", source="TA-Lib DPO; StockCharts")
def dpo(
    close: Line,
    window: LongWindow = 20,
    form: Annotated[str, Choice(("centred", "present"))] = "centred",
) -> Line:
    """Detrended price oscillator: price less simple average, one of them taken from earlier, which shows cycles.

    Formula: n = window / 2 + 1, rounded down; centred: close[n bars ago] - SMA(close, window);
    present: close - SMA(close, window)[n bars ago].

    "centred" is TA-Lib's: price and middle of the average are of the same age. Charts write that number at the bar of
    the earlier price, where it would speak of the future. "present" is TradingView's default.
    """
    bars, mean = window // 2 + 1, sma(close, window)
    return lag(close, bars) - mean if form == "centred" else close - lag(mean, bars)


@indicator(family="momentum", unit="move", talib="QSTICK", source="Chande; TA-Lib QSTICK")
def qstick(open_: Line, close: Line, window: Window = 10) -> Line:
    """Qstick: mean body of the last candles, positive when closes stand above opens.

    Formula: SMA(close - open).
    """
    return sma(close - open_, window)


@indicator(
    family="momentum", unit="none", talib="COPPOCK", source="Coppock, Barron's (15 October 1962); TA-Lib COPPOCK"
)
def coppock(
    close: Line,
    window: Annotated[int, Range(1, LONGEST, ("wmaperiod",))] = 10,
    fast: Annotated[int, Range(1, LONGEST, ("roc1period",))] = 11,
    slow: Annotated[int, Range(1, LONGEST, ("roc2period",))] = 14,
) -> Line:
    """Coppock curve: weighted average of two rates of change; made for monthly bars of an index.

    Formula: WMA(ROC(fast) + ROC(slow), window).
    """
    return wma(roc(close, fast) + roc(close, slow), window)


@indicator(
    family="momentum",
    unit="none",
    bounds=(-100.0, 100.0),
    talib="TSI",
    source="Blau, Technical Analysis of Stocks & Commodities (November 1991); TA-Lib TSI",
)
def tsi(
    close: Line,
    slow: Annotated[int, Range(1, LONGEST, ("firstperiod",))] = 25,
    fast: Annotated[int, Range(1, LONGEST, ("secondperiod",))] = 13,
) -> Line:
    """True strength index: change of the price, smoothed twice, in per cent of its size smoothed the same way.

    Formula: 100 * EMA(EMA(change, slow), fast) / EMA(EMA(|change|, slow), fast).

    0 where the price has never moved.
    """
    step = change(close)
    net, path = (ema(ema(line, slow), fast) for line in (step, abs(step)))
    return clip(100.0 * ratio(net, path, otherwise=0.0), -100.0, 100.0)


@indicator(
    family="momentum",
    unit="none",
    outputs=("pmo", "signal"),
    source="Swenlin (DecisionPoint); Stock.Indicators GetPmo",
)
def pmo(
    close: Line,
    window: LongWindow = 35,
    smooth: Annotated[int, Range(2, LONGEST)] = 20,
    signal: Signal = 10,
) -> tuple[Line, ...]:
    """Price momentum oscillator: rate of change of one bar, smoothed twice, times ten, with its signal line.

    Formula: pmo = S(10 * S(ROC(close, 1), window), smooth), S with gain 2 / window instead of 2 / (window + 1);
    signal = EMA(pmo, signal).

    Each average is seeded with the plain mean of its first values.
    """
    inner = _exponential(roc(close, 1), window, 2.0 / window) * 10.0
    line = _exponential(inner, smooth, 2.0 / smooth)
    return line, ema(line, signal)


@indicator(
    family="momentum",
    unit="none",
    outputs=("kst", "signal"),
    source="Pring, Technical Analysis of Stocks & Commodities (September 1992); TradingView Know Sure Thing",
)
def kst(
    close: Line,
    roc1: Bars = 10,
    roc2: Bars = 15,
    roc3: Bars = 20,
    roc4: Bars = 30,
    smooth1: Bars = 10,
    smooth2: Bars = 10,
    smooth3: Bars = 10,
    smooth4: Bars = 15,
    signal: Signal = 9,
) -> tuple[Line, ...]:
    """Know sure thing: weighted sum of four smoothed rates of change, with its signal line.

    Formula: kst = sum of i * SMA(ROC(roc i), smooth i), i = 1 … 4; signal = SMA(kst, signal).
    """
    terms = [
        sma(roc(close, bars), smooth) * float(i)
        for i, (bars, smooth) in enumerate(((roc1, smooth1), (roc2, smooth2), (roc3, smooth3), (roc4, smooth4)), 1)
    ]
    line = terms[0] + terms[1] + terms[2] + terms[3]
    return line, sma(line, signal)


@indicator(
    family="trend",
    unit="none",
    bounds=(0.0, 100.0),
    check=_fast_below_slow,
    source="Schaff (1999); pandas-ta stc, TradingView Schaff Trend Cycle",
)
def stc(
    close: Line,
    window: LongWindow = 10,
    fast: Annotated[int, Range(1, LONGEST)] = 23,
    slow: Annotated[int, Range(2, LONGEST)] = 50,
    factor: Annotated[float, Range(0.0, 1.0)] = 0.5,
) -> Line:
    """Schaff trend cycle: MACD put twice through a smoothed stochastic, 0 to 100.

    Formula: m = EMA(fast) - EMA(slow); place(x) = 100 * (x - lowest) / (highest - lowest) over `window` bars;
    s(x) += factor * (place(x) - s(x)); stc = s(s(m)).

    A window without range repeats the place before (0 at the beginning). Each s starts at its first place.
    """
    line = ema(close, fast) - ema(close, slow)
    for _ in range(2):
        line = carried(
            directional.smoothed_place, line, lowest(line, window), highest(line, window), factor, carry=3, guarded=True
        )
    return clip(line, 0.0, 100.0)


@indicator(
    family="trend",
    unit="none",
    bounds=(0.0, math.inf),
    talib="MASSI",
    source="Dorsey, Technical Analysis of Stocks & Commodities (June 1992); TA-Lib MASSI",
)
def mass_index(
    high: Line,
    low: Line,
    fast: Annotated[int, Range(1, LONGEST, ("fastperiod",))] = 9,
    slow: Annotated[int, Range(1, LONGEST, ("slowperiod",))] = 25,
) -> Line:
    """Mass index: sum of how much the smoothed bar range stands above its own average; a bulge above 27 warns.

    Formula: sum over `slow` bars of EMA(high - low, fast) / EMA(EMA(high - low, fast), fast).

    A bar counts 1 where there was no range at all, as in TA-Lib.
    """
    inner = ema(high - low, fast)
    return rolling_sum(ratio(inner, ema(inner, fast), otherwise=1.0), slow)


@indicator(
    family="trend",
    unit="price",
    outputs=("tenkan", "kijun", "senkou_a", "senkou_b", "chikou"),
    source="Hosoda (1969); Stock.Indicators GetIchimoku",
)
def ichimoku(
    high: Line,
    low: Line,
    close: Line,
    tenkan: Bars = 9,
    kijun: Bars = 26,
    senkou: Bars = 52,
    displacement: Annotated[int, Range(0, LONGEST)] = 26,
) -> tuple[Line, ...]:
    """Ichimoku cloud: middles of three ranges, the cloud of two of them drawn ahead, and the price to compare with.

    Formula: middle(n) = (highest high + lowest low) / 2; tenkan = middle(tenkan); kijun = middle(kijun);
    senkou_a = ((tenkan + kijun) / 2)[displacement bars ago]; senkou_b = middle(senkou)[displacement bars ago];
    chikou = close[displacement bars ago].

    A row holds what stands over that bar on the chart: the cloud there was known `displacement` bars before. The
    chikou span is today's close drawn `displacement` bars back; charts and Stock.Indicators therefore write a later
    close into an earlier row. Here it is turned round: `chikou` is the earlier price that today's close is compared
    with. TradingView displaces by 25, counting the present bar.
    """
    turn, base, span = (donchian(high, low, window).middle for window in (tenkan, kijun, senkou))
    ahead = (turn + base) / 2.0
    return turn, base, lag(ahead, displacement), lag(span, displacement), lag(close, displacement)


@indicator(
    family="momentum",
    unit="move",
    outputs=("bull", "bear"),
    talib="ERI",
    source="Elder, Trading for a Living (1993); TA-Lib ERI, Stock.Indicators GetElderRay",
)
def elder_ray(high: Line, low: Line, close: Line, window: Window = 13) -> tuple[Line, ...]:
    """Elder-ray: how far the high (bulls) and the low (bears) stand above the exponential average.

    Formula: bull = high - EMA(close); bear = low - EMA(close).
    """
    middle = ema(close, window)
    return high - middle, low - middle


@indicator(
    family="trend",
    unit="none",
    bounds=(-1.0, 1.0),
    check=_fast_below_slow,
    source="Elder, Come Into My Trading Room (2002)",
)
def elder_impulse(
    close: Line,
    window: Window = 13,
    fast: Fast = 12,
    slow: Slow = 26,
    signal: Signal = 9,
) -> Line:
    """Elder's impulse system: 1 where average and MACD histogram both rise, -1 where both fall, else 0.

    Formula: sign of change(EMA(close, window)) where change(MACD histogram) has the same sign.
    """
    trend, force = change(ema(close, window)), change(macd(close, fast, slow, signal).hist)
    return (trend > 0.0) * (force > 0.0) - (trend < 0.0) * (force < 0.0)


@indicator(
    family="momentum",
    unit=("none", "move"),
    outputs=("on", "momentum"),
    source="Carter, Mastering the Trade (2005); TradingView Squeeze Momentum (LazyBear)",
)
def ttm_squeeze(
    high: Line,
    low: Line,
    close: Line,
    window: LongWindow = 20,
    deviations: Factor = 2.0,
    multiplier: Factor = 1.5,
) -> tuple[Line, ...]:
    """TTM squeeze: whether Bollinger's bands lie inside Keltner's (volatility is pent up), and the momentum.

    Formula: on = deviations * stddev(close) < multiplier * SMA(true range);
    momentum = end of the least-squares line through close - ((highest high + lowest low) / 2 + SMA(close)) / 2.

    Both bands have the simple average as their middle, population deviation as in TA-Lib and TradingView. LazyBear's
    script uses Keltner's multiplier for both bands; here each has its own.
    """
    pent_up = stddev(close, window, deviations) < sma(true_range(high, low, close), window) * multiplier
    away = close - (donchian(high, low, window).middle + sma(close, window)) / 2.0
    return pent_up, sma(away, window) + linreg_slope(away, window) * ((window - 1) / 2.0)


@indicator(
    family="momentum",
    unit="none",
    outputs=("wt1", "wt2"),
    source="WaveTrend Oscillator (LazyBear, TradingView)",
)
def wavetrend(
    high: Line,
    low: Line,
    close: Line,
    window: Window = 10,
    smooth: Bars = 21,
    signal: Signal = 4,
) -> tuple[Line, ...]:
    """WaveTrend: distance of the typical price from its average in units of its mean distance, smoothed, and a signal.

    Formula: c = (typical - EMA(typical)) / (0.015 * EMA(|typical - EMA(typical)|)); wt1 = EMA(c, smooth);
    wt2 = SMA(wt1, signal).

    A price that has never left its average counts as 0. Averages are seeded like TA-Lib's; TradingView seeds with the
    first value, which fades.
    """
    typical = typical_price(high, low, close)
    away = typical - ema(typical, window)
    line = ema(ratio(away, ema(abs(away), window) * 0.015, otherwise=0.0), smooth)
    return line, sma(line, signal)


def late(line: Line, bars: int) -> Line:
    """The line without its first `bars` values."""
    return rolling(directional.late, line, bars, reach=bars) if bars > 0 else line


def _exponential(line: Line, window: int, gain: float) -> Line:
    """Exponential average with that gain, seeded with the mean of `window` values."""
    return carried(directional.exponential, line, window, gain, carry=2, warmup=window - 1)


def _with_signal(line: Line, smooth: Callable[[Line, int], Line], window: int) -> tuple[Line, ...]:
    """A line, its average and their difference, all from the bar where the average begins."""
    trigger = smooth(line, window)
    line = late(line, trigger.warmup - line.warmup)
    return line, trigger, line - trigger
