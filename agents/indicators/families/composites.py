"""Oscillators made of other oscillators, mostly of the RSI and the stochastic."""

from __future__ import annotations

from typing import Annotated

from agents.indicators.families.averages import ema, linreg, sma, wma
from agents.indicators.families.momentum import Signal, place, roc, rocp, rsi
from agents.indicators.families.volatility import rvi, stddev
from agents.indicators.graph import Line, carried, change, exp, ratio, rolling
from agents.indicators.registry import LONGEST, LongWindow, Range, Window, indicator
from agents.kernels import momentum as kernels
from data.contracts.errors import InvalidInput

Smooth = Annotated[int, Range(1, LONGEST)]


@indicator(family="momentum", unit="bars", source="Connors, streak of Connors RSI; Stock.Indicators GetConnorsRsi")
def streak(close: Line) -> Line:
    """How many bars in a row the value has risen (+) or fallen (-); 0 at the first bar and where it did not change.

    Formula: rise: max(streak, 0) + 1; fall: min(streak, 0) - 1.
    """
    return carried(kernels.streak, close, carry=2, guarded=True)


@indicator(
    family="momentum",
    unit="none",
    bounds=(0.0, 100.0),
    source="Connors and Alvarez, An Introduction to ConnorsRSI (2012); Stock.Indicators GetConnorsRsi",
)
def connors_rsi(
    close: Line,
    window: Annotated[int, Range(1, LONGEST, ("rsi_window", "timeperiod"))] = 3,
    streak_window: Annotated[int, Range(1, LONGEST)] = 2,
    rank_window: Annotated[int, Range(1, LONGEST)] = 100,
) -> Line:
    """Connors RSI: mean of a short RSI, the RSI of the streak of rises and falls, and the rank of the last change.

    Formula: (RSI(close, window) + RSI(streak, streak_window) + rank) / 3; rank = per cent of the `rank_window` changes
    (in per cent) before this one that were smaller.

    TradingView's rank also counts equal changes.
    """
    rank = rolling(kernels.share_below, roc(close, 1), rank_window, reach=rank_window, guarded=True)
    return (rsi(close, window) + rsi(streak(close), streak_window) + rank) / 3.0


@indicator(
    family="momentum",
    unit="none",
    outputs=("qqe", "trail"),
    source="Livshin, quantitative qualitative estimation; TradingView and pandas-ta qqe",
)
def qqe(
    close: Line,
    window: Window = 14,
    smooth: Smooth = 5,
    factor: Annotated[float, Range(0.0, 1_000.0)] = 4.236,
) -> tuple[Line, ...]:
    """Quantitative qualitative estimation: a smoothed RSI and a stop that trails it at a multiple of its own range.

    Formula: qqe = EMA(RSI(window), smooth); reach = factor * EMA(EMA(|change of qqe|)), both over 2 * window - 1 bars;
    trail = the highest qqe - reach since qqe crossed above it, or the lowest qqe + reach since qqe crossed below.

    Averages are seeded with a simple average. Begins on the rising side.
    """
    line: Line = ema(rsi(close, window), smooth)
    spread = ema(ema(abs(change(line)), 2 * window - 1), 2 * window - 1) * factor
    return line, carried(kernels.qqe_trail, line, spread, carry=7, guarded=True)


@indicator(family="momentum", unit="none", source="Brown, Technical Analysis for the Trading Professional (1999)")
def derivative_oscillator(
    close: Line, window: Window = 14, smooth: Smooth = 5, smooth_again: Smooth = 3, signal: Signal = 9
) -> Line:
    """Derivative oscillator: an RSI smoothed twice, less its simple average.

    Formula: s - SMA(s, signal), s = EMA(EMA(RSI(window), smooth), smooth_again).
    """
    line: Line = ema(ema(rsi(close, window), smooth), smooth_again)
    return line - sma(line, signal)


@indicator(family="momentum", unit="none", source="Dorsey, Technical Analysis of Stocks & Commodities 13:9 (1995)")
def inertia(
    close: Line,
    window: LongWindow = 20,
    rvi_window: Smooth = 14,
    deviation_window: Annotated[int, Range(2, LONGEST)] = 10,
) -> Line:
    """Inertia: end of the least-squares line through the relative volatility index; above 50 = rising.

    Formula: linreg(RVI(close, rvi_window, deviation_window), window).

    pandas-ta takes the deviation over rvi_window bars and an exponential average instead of Wilder's.
    """
    line: Line = linreg(rvi(close, rvi_window, deviation_window), window)
    return line


@indicator(family="momentum", unit="none", bounds=(0.0, 100.0), source="Bressert, double smoothed stochastic")
def dss_bressert(high: Line, low: Line, close: Line, window: Window = 10, smooth: Smooth = 9) -> Line:
    """Double smoothed stochastic: the stochastic of a smoothed stochastic, smoothed; 50 without range.

    Formula: EMA(stochastic(x, window), smooth), x = EMA(stochastic(close, window), smooth).
    """
    once: Line = ema(place(high, low, close, window), smooth)
    twice: Line = ema(place(once, once, once, window), smooth)
    return twice


@indicator(
    family="momentum",
    unit="none",
    bounds=(-1.0, 1.0),
    source="Leibfarth, Technical Analysis of Stocks & Commodities 26:8 (2008)",
)
def premier_stochastic(high: Line, low: Line, close: Line, window: Window = 8, smooth: Smooth = 5) -> Line:
    """Premier stochastic oscillator: a smoothed stochastic squeezed into -1 … 1; 0 without range.

    Formula: (e^s - 1) / (e^s + 1), s = EMA(EMA(0.1 * (raw %K - 50), smooth), smooth).
    """
    return _squeeze(ema(ema((place(high, low, close, window) - 50.0) * 0.1, smooth), smooth))


@indicator(
    family="momentum",
    unit="none",
    bounds=(-1.0, 1.0),
    source="Ehlers, Technical Analysis of Stocks & Commodities 22:5 (2004)",
)
def inverse_fisher_rsi(close: Line, window: Window = 5, smooth: Smooth = 9) -> Line:
    """Inverse Fisher transform of a smoothed RSI: pushes it to -1 or 1.

    Formula: tanh(v), v = WMA(0.1 * (RSI(window) - 50), smooth).
    """
    return _squeeze(wma((rsi(close, window) - 50.0) * 0.1, smooth) * 2.0)


def _squeeze(line: Line) -> Line:
    """(e^x - 1) / (e^x + 1)."""
    return 1.0 + ratio(-2.0, exp(line) + 1.0)


def _shortest_below_longest(shortest: int, longest: int, **_: float) -> None:
    if shortest > longest:
        raise InvalidInput(
            f"dynamic_momentum shortest must not exceed longest, not {shortest} and {longest}",
            indicator="dynamic_momentum",
        )


@indicator(
    family="momentum",
    unit="none",
    bounds=(0.0, 100.0),
    check=_shortest_below_longest,
    source="Chande and Kroll, The New Technical Trader (1994)",
)
def dynamic_momentum(
    close: Line,
    window: Window = 14,
    volatility_window: Annotated[int, Range(1, LONGEST)] = 5,
    mean_window: Annotated[int, Range(1, LONGEST)] = 10,
    shortest: Annotated[int, Range(1, LONGEST)] = 5,
    longest: Annotated[int, Range(1, LONGEST)] = 30,
) -> Line:
    """Dynamic momentum index: an RSI of plain sums whose length shrinks when the price becomes more volatile.

    Formula: length = int(window / (stddev / SMA(stddev))), between shortest and longest; rises / all moves in per cent.

    A price that has not moved has the longest length and gives 50. Chande's book has 3 for shortest.
    """
    spread: Line = stddev(close, volatility_window)
    length = ratio(sma(spread, mean_window) * float(window), spread, otherwise=float(longest))
    return rolling(kernels.rsi_of_varying_length, close, length, shortest, longest, reach=longest, guarded=True)


@indicator(
    family="momentum",
    unit="none",
    outputs=("ratio", "change"),
    source="Stock.Indicators GetPrs",
)
def price_relative_strength(close: Line, other: Line, window: Window = 20) -> tuple[Line, ...]:
    """Price as a multiple of another one (an index, a pair), and how much more it has changed over `window` bars.

    Formula: ratio = close / other; change = change of close - change of other, both as fractions.

    NaN where the other price, or a price at the start of the window, is 0.
    """
    return ratio(close, other), rocp(close, window) - rocp(other, window)
