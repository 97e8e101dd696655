"""Volume that flows in and out: accumulation and distribution by where and how a bar closed."""

from __future__ import annotations

from typing import Annotated

from agents.indicators.families.averages import AVERAGES, ema, sma, wilder
from agents.indicators.families.averages import average as average_of
from agents.indicators.families.basics import cumulative_sum, median_price, typical_price
from agents.indicators.families.parts import decay, previous, withheld
from agents.indicators.families.price import log_return
from agents.indicators.families.volatility import stddev
from agents.indicators.graph import Line, carried, change, clip, lag, maximum, minimum, ratio, sign, where
from agents.indicators.registry import LONGEST, Choice, Factor, LongWindow, Range, Window, indicator
from agents.kernels import volume as kernels

Fast = Annotated[int, Range(1, LONGEST, ("fastperiod",))]
Slow = Annotated[int, Range(1, LONGEST, ("slowperiod",))]
SHARE = (-1.0, 1.0)


@indicator(family="volume", unit="none", source="Chaikin's money flow multiplier; Stock.Indicators GetAdl")
def close_location(high: Line, low: Line, close: Line) -> Line:
    """Where a bar closed in its range: 1 at the high, -1 at the low (Chaikin's money flow multiplier).

    Formula: ((close - low) - (high - close)) / (high - low).

    0 where the bar has no range.
    """
    return ratio((close - low) - (high - close), high - low, otherwise=0.0)


@indicator(family="volume", unit="volume", talib="AD", source="Chaikin; TA-Lib AD")
def ad(high: Line, low: Line, close: Line, volume: Line) -> Line:
    """Chaikin's accumulation/distribution line: running sum of volume weighted by where each bar closed.

    Formula: ad += volume * ((close - low) - (high - close)) / (high - low).

    A bar without a range adds nothing.
    """
    return cumulative_sum(close_location(high, low, close) * volume)


@indicator(family="volume", unit="volume", talib="ADOSC", source="Chaikin; TA-Lib ADOSC")
def adosc(high: Line, low: Line, close: Line, volume: Line, fast: Fast = 3, slow: Slow = 10) -> Line:
    """Chaikin oscillator: fast minus slow exponential average of the accumulation/distribution line.

    Formula: EMA(ad, fast) - EMA(ad, slow).

    As in TA-Lib both averages are seeded with the first value of the line, not with a mean.
    """
    line, warmup = ad(high, low, close, volume), max(fast, slow) - 1
    return decay(line, 2.0 / (fast + 1.0), warmup) - decay(line, 2.0 / (slow + 1.0), warmup)


@indicator(family="volume", unit="none", bounds=SHARE, talib="CMF", source="Chaikin; TA-Lib CMF")
def cmf(high: Line, low: Line, close: Line, volume: Line, window: Window = 20) -> Line:
    """Chaikin money flow: share of the window's volume that closed high in its bars less that which closed low.

    Formula: sum(close_location * volume) / sum(volume).

    0 where nothing was traded.
    """
    flow = sma(close_location(high, low, close) * volume, window)
    return clip(ratio(flow, sma(volume, window), otherwise=0.0), *SHARE)


@indicator(family="volume", unit="money", talib="EFI", source="Elder, Trading for a Living (1993), sec. 32; TA-Lib EFI")
def force(close: Line, volume: Line, window: Window = 13, smoothing: Annotated[str, AVERAGES] = "ema") -> Line:
    """Elder's force index: exponential average of the close's change times volume.

    Formula: EMA((close - close before) * volume).

    Elder's short one has window 2; window 1 is the raw force. Stock.Indicators' default is 2.
    """
    return average_of(change(close) * volume, window, smoothing)


@indicator(
    family="volume",
    unit="mixed",
    source="Arms, Volume Cycles in the Stock Market (1983); StockCharts Ease of Movement",
)
def ease_of_movement(
    high: Line, low: Line, volume: Line, window: Window = 14, scale: Annotated[float, Range(1e-9, 1e15)] = 1e8
) -> Line:
    """Ease of movement: how far the middle of the bar moved for its range and volume, averaged.

    Formula: SMA((middle - middle before) * (high - low) / (volume / scale)), middle = (high + low) / 2.

    A bar without volume counts as 0. Only a matter of unit: TradingView's scale is 10,000 like Tulip's, whose emv is
    the raw value (window 1).
    """
    ease = ratio(change(median_price(high, low)) * (high - low), volume, otherwise=0.0)
    return sma(ease * scale, window)


@indicator(
    family="volume",
    unit="volume",
    outputs=("oscillator", "signal"),
    source="Klinger, Identifying Trends with Volume Analysis, Stocks & Commodities 15 (1997); Stock.Indicators GetKvo",
)
def kvo(
    high: Line,
    low: Line,
    close: Line,
    volume: Line,
    fast: Fast = 34,
    slow: Slow = 55,
    signal: Annotated[int, Range(1, LONGEST, ("signalperiod",))] = 13,
    variant: Annotated[str, Choice(("klinger", "tradingview"))] = "klinger",
) -> tuple[Line, ...]:
    """Klinger volume oscillator: fast minus slow exponential average of the volume force, and its average.

    Formula: EMA(vf, fast) - EMA(vf, slow), vf = 100 * volume * |2 * (range / summed range - 1)| * trend; signal = EMA
    of it. The trend is 1 where high + low + close rises, else -1; ranges are summed while it lasts.

    vf is 0 where nothing moved. Books and programs write |2 * (range / sum) - 1| as often: this is Stock.Indicators'
    reading. Variant "tradingview" has vf = volume * trend, a standing typical price counting as rising.
    """
    if variant == "tradingview":
        pull = where(change(typical_price(high, low, close)) >= 0.0, volume, -volume)
    else:
        pull = carried(kernels.klinger_force, high, low, close, volume, carry=3, warmup=2, guarded=True)
    line = ema(pull, fast) - ema(pull, slow)
    return line, ema(line, signal)


@indicator(
    family="price", unit="move", talib="WAD", source="Williams; Achelis, Technical Analysis from A to Z; TA-Lib WAD"
)
def wad(high: Line, low: Line, close: Line) -> Line:
    """Williams' accumulation/distribution: running sum of the close's way from the true low or true high; no volume.

    Formula: adds close - min(low, close before) on a rising close, close - max(high, close before) on a falling one.
    """
    before = previous(close)
    rise, fall = close - minimum(low, before), close - maximum(high, before)
    return cumulative_sum((close > before) * rise + (before > close) * fall)


@indicator(
    family="volume",
    unit="none",
    bounds=(-100.0, 100.0),
    source="Khalil and Steckler, In the Volume Zone, Stocks & Commodities 29 (2011)",
)
def vzo(close: Line, volume: Line, window: Window = 14) -> Line:
    """Volume zone oscillator: average volume signed by the close's change, in per cent of average volume.

    Formula: 100 * EMA(volume * sign(close - close before)) / EMA(volume).

    Both averages begin at the second bar. 0 where nothing was traded.
    """
    signed = ema(sign(change(close)) * volume, window)
    return clip(ratio(signed, ema(withheld(volume, 1), window), otherwise=0.0) * 100.0, -100.0, 100.0)


@indicator(
    family="volume",
    unit="none",
    source="Katsanos, Using Money Flow to Stay with the Trend, Stocks & Commodities 22 (2004); LazyBear's script",
)
def vfi(
    high: Line,
    low: Line,
    close: Line,
    volume: Line,
    window: LongWindow = 130,
    cutoff: Factor = 0.2,
    limit: Factor = 2.5,
    smooth: Window = 3,
) -> Line:
    """Volume flow indicator: volume signed by moves of the typical price that matter, spikes of volume cut off.

    Formula: EMA(sum(v) / average, smooth); average = SMA(volume) of the bar before; v = ± min(volume, limit * average)
    where the typical price moved by more than cutoff * close * stddev(30) of its log changes, else 0.

    0 where nothing was traded before.
    """
    typical = typical_price(high, low, close)
    least = stddev(log_return(typical), 30) * close * cutoff
    average, move = lag(sma(volume, window), 1), change(typical)
    counted = (move > least) - (move < -least)
    flow = sma(counted * minimum(volume, average * limit), window) * float(window)
    return ema(ratio(flow, average, otherwise=0.0), smooth)


@indicator(family="volume", unit="none", bounds=SHARE, source="Twiggs, Incredible Charts, Twiggs Money Flow")
def twiggs_money_flow(high: Line, low: Line, close: Line, volume: Line, window: Window = 21) -> Line:
    """Twiggs money flow: Chaikin's with true ranges, so that gaps count, and Wilder's averages.

    Formula: Wilder(volume * ((close - tl) - (th - close)) / (th - tl)) / Wilder(volume), th = max(high, close before),
    tl = min(low, close before).

    0 where nothing was traded. Both averages begin at the second bar.
    """
    before = lag(close, 1)
    place = close_location(maximum(high, before), minimum(low, before), close)
    flow = ratio(wilder(place * volume, window), wilder(withheld(volume, 1), window), otherwise=0.0)
    return clip(flow, *SHARE)
