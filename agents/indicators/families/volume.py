"""What trading volume says about a price: volume itself, prices weighted by it, and running totals."""

from __future__ import annotations

from typing import Annotated

from agents.indicators.families.averages import AVERAGES, ema, sma
from agents.indicators.families.averages import average as average_of
from agents.indicators.families.basics import cumulative_sum, typical_price
from agents.indicators.families.parts import previous
from agents.indicators.families.price import average_price
from agents.indicators.families.volatility import zscore
from agents.indicators.graph import Line, carried, change, lag, ratio, rolling, sign, where
from agents.indicators.registry import LONGEST, Factor, LongWindow, Range, Window, indicator
from agents.kernels import price as levels
from agents.kernels import recursive, windows
from agents.kernels import volume as kernels
from data.contracts.errors import InvalidInput

Anchor = Annotated[int, Range(0, LONGEST)]
Period = Annotated[int, Range(0, LONGEST)]
Fast = Annotated[int, Range(1, LONGEST, ("fastperiod",))]
Slow = Annotated[int, Range(1, LONGEST, ("slowperiod",))]
POSITIVE = (0.0, float("inf"))


def _fast_below_slow(fast: int, slow: int, **_: object) -> None:
    if fast >= slow:
        raise InvalidInput(f"fast must be below slow, not {fast} and {slow}")


@indicator(family="volume", unit="volume", talib="OBV", source="Granville; TA-Lib OBV")
def obv(close: Line, volume: Line) -> Line:
    """On-balance volume, starting at the first bar's volume like TA-Lib.

    Formula: adds volume on a rising close, takes it off on a falling one.
    """
    return carried(recursive.obv, close, volume, carry=2)


@indicator(family="volume", unit="none", bounds=(0.0, 100.0), talib="MFI", source="Quong and Soudack; TA-Lib MFI")
def mfi(high: Line, low: Line, close: Line, volume: Line, window: Window = 14) -> Line:
    """Money flow index. 50 where no money flowed either way (TA-Lib: 0).

    Formula: 100 * inflow / (inflow + outflow) of typical price * volume over `window` bars.
    """
    return rolling(windows.mfi, high, low, close, volume, window, reach=window)


@indicator(family="volume", unit="price", source="rolling window of the classic VWAP")
def vwap(high: Line, low: Line, close: Line, volume: Line, window: Window = 20) -> Line:
    """Volume-weighted average of the typical price over the last `window` bars; NaN where nothing was traded.

    Formula: sum(typical * volume) / sum(volume).

    TA-Lib's VWAP, which begins with the history, is `anchored_vwap`.
    """
    return rolling(windows.vwap, high, low, close, volume, window, reach=window - 1)


@indicator(family="volume", unit="price", talib="VWAP", source="Berkowitz, Logue and Noser (1988); TA-Lib VWAP")
def anchored_vwap(high: Line, low: Line, close: Line, volume: Line, anchor: Anchor = 0, period: Period = 0) -> Line:
    """Volume-weighted average of the typical price since bar number `anchor` of the history.

    Formula: sum(typical * volume) / sum(volume), both since the anchor.

    With `period` it begins anew every `period` bars after the anchor: 390 gives the session VWAP of charting sites on
    one-minute bars of full sessions. Until something was traded it is the typical price (TA-Lib: 0).
    """
    return _anchored(high, low, close, volume, anchor, period)[0]


@indicator(
    family="volume",
    unit="price",
    outputs=("upper", "middle", "lower"),
    source="TradingView VWAP with standard deviation bands",
)
def vwap_bands(
    high: Line,
    low: Line,
    close: Line,
    volume: Line,
    multiplier: Factor = 1.0,
    anchor: Anchor = 0,
    period: Period = 0,
) -> tuple[Line, ...]:
    """Anchored VWAP plus and minus `multiplier` volume-weighted standard deviations of the typical price.

    Formula: VWAP ± multiplier * sqrt(sum(volume * (typical - VWAP)^2) / sum(volume)), since the anchor.

    Anchor and period as in `anchored_vwap`.
    """
    middle, spread = _anchored(high, low, close, volume, anchor, period)
    reach = spread * multiplier
    return middle + reach, middle, middle - reach


@indicator(family="volume", unit="price", source="usual definition, over a window; TradingView TWAP")
def twap(open_: Line, high: Line, low: Line, close: Line, window: Window = 20) -> Line:
    """Time-weighted average price: mean of the bars' mean prices, whatever was traded.

    Formula: SMA((open + high + low + close) / 4).
    """
    return sma(average_price(open_, high, low, close), window)


@indicator(
    family="volume",
    unit="price",
    outputs=("poc", "value_area_high", "value_area_low"),
    source="Steidlmayer and Koy, Markets and Market Logic (1986); value area grown as by TradingView",
)
def volume_profile(
    high: Line,
    low: Line,
    volume: Line,
    window: Window = 60,
    bins: Annotated[int, Range(2, 1_000)] = 24,
    percent: Annotated[float, Range(0.0, 100.0)] = 70.0,
) -> tuple[Line, ...]:
    """Volume profile of the last `window` bars: price of most volume and the area that holds `percent` of it.

    Formula: the window's range in `bins` equal bins, each bar's volume spread evenly over its own range; poc = middle
    of the fullest bin; the value area grows from it by the fuller neighbour until it holds `percent` of the volume.

    Of equally full bins the lowest is the poc, and the area grows upwards. A bar without a range lies in one bin. All
    three are the price itself where the window has no range, NaN where it has no volume.
    """
    return rolling(kernels.profile, high, low, volume, window, bins, percent, reach=window - 1, outputs=3, guarded=True)


@indicator(
    family="volume",
    unit="move",
    outputs=("macd", "signal", "hist"),
    source="Hawkins, Volume-weighted MACD, in Dormeier, Investing with Volume Analysis (2011)",
)
def volume_weighted_macd(
    close: Line,
    volume: Line,
    fast: Fast = 12,
    slow: Slow = 26,
    signal: Annotated[int, Range(1, LONGEST, ("signalperiod",))] = 9,
) -> tuple[Line, ...]:
    """MACD of volume-weighted averages: fast minus slow, its exponential average, and their difference.

    Formula: macd = VWMA(fast) - VWMA(slow), VWMA = SMA(close * volume) / SMA(volume); signal = EMA(macd, signal).

    A window without volume takes the plain average of its closes.
    """
    line = _weighted(close, volume, fast) - _weighted(close, volume, slow)
    trigger = ema(line, signal)
    return line, trigger, line - trigger


@indicator(
    family="volume", unit="none", talib="PVO", check=_fast_below_slow, source="TA-Lib PVO; Stock.Indicators GetPvo"
)
def pvo(volume: Line, fast: Fast = 12, slow: Slow = 26, average: Annotated[str, AVERAGES] = "ema") -> Line:
    """Percentage volume oscillator: fast average of volume above the slow one, in per cent of the slow one.

    Formula: 100 * (EMA(volume, fast) - EMA(volume, slow)) / EMA(volume, slow).

    0 where nothing was traded. The usual signal line is ema(pvo, 9).
    """
    return _oscillator(volume, fast, slow, average)


@indicator(
    family="volume",
    unit="none",
    check=_fast_below_slow,
    source="TradingView Volume Oscillator; Achelis, Technical Analysis from A to Z",
)
def volume_oscillator(volume: Line, fast: Fast = 5, slow: Slow = 10, average: Annotated[str, AVERAGES] = "ema") -> Line:
    """Volume oscillator: fast average of volume above the slow one, in per cent; `pvo` with TradingView's windows.

    Formula: 100 * (average(volume, fast) - average(volume, slow)) / average(volume, slow).

    0 where nothing was traded. Achelis uses simple averages ("sma").
    """
    return _oscillator(volume, fast, slow, average)


@indicator(family="volume", unit="none", bounds=POSITIVE, talib="RVOL", source="TA-Lib RVOL")
def rvol(volume: Line, window: Window = 20) -> Line:
    """Relative volume: volume against the mean of the `window` bars before.

    Formula: volume / SMA(volume) of the bar before.

    NaN where nothing was traded before.
    """
    return ratio(volume, lag(sma(volume, window), 1))


@indicator(family="volume", unit="none", source="usual definition")
def volume_zscore(volume: Line, window: LongWindow = 20) -> Line:
    """Distance of volume from its mean in population standard deviations; NaN where it did not vary.

    Formula: (volume - mean) / stddev.
    """
    return zscore(volume, window)


@indicator(family="volume", unit="money", bounds=POSITIVE, source="usual definition")
def dollar_volume(close: Line, volume: Line, window: Window = 20) -> Line:
    """Average money traded per bar: what a position can be measured against.

    Formula: SMA(close * volume).
    """
    return sma(close * volume, window)


@indicator(
    family="volume", unit="mixed", bounds=POSITIVE, source="Amihud, Journal of Financial Markets 5 (2002), 31-56"
)
def amihud(close: Line, volume: Line, window: Window = 20) -> Line:
    """Amihud's illiquidity: how far a million of money traded moves the price, as a fraction, on average.

    Formula: 1,000,000 * SMA(|close / close before - 1| / (close * volume)).

    NaN while the window holds a bar without volume.
    """
    move = abs(ratio(close, lag(close, 1)) - 1.0)
    return sma(ratio(move, close * volume) * 1e6, window)


@indicator(
    family="volume", unit="none", bounds=(1.0, 4.0), source="Macek, Price Volume Rank, Stocks & Commodities 12 (1994)"
)
def price_volume_rank(close: Line, volume: Line) -> Line:
    """Price-volume rank: 1 price and volume up, 2 price up, 3 neither up, 4 volume up alone.

    Formula: 1 or 2 where close >= close before, 3 or 4 where it fell; 1 and 4 where volume >= volume before.
    """
    rises, more = change(close) >= 0.0, change(volume) >= 0.0
    return where(rises, 2.0 - more, 3.0 + more)


@indicator(family="volume", unit="volume", source="TradingView Net Volume, by the bar")
def net_volume(close: Line, volume: Line) -> Line:
    """Volume with the sign of the close's change.

    Formula: volume * sign(close - close before).
    """
    return sign(change(close)) * volume


@indicator(
    family="volume", unit="none", bounds=(-1.0, 1.0), source="O'Neil's up/down volume ratio over 50 days, as a balance"
)
def up_down_volume(close: Line, volume: Line, window: Window = 50) -> Line:
    """Volume of rising bars against that of falling ones over the last `window` changes, between -1 and 1.

    Formula: (up - down) / (up + down), up and down = sums of volume where the close rose and where it fell.

    0 where neither traded. The ratio up / down that screens show is (1 + x) / (1 - x); it has no value while nothing
    fell, which is why the balance is given.
    """
    step = change(close)
    up, down = sma((step > 0.0) * volume, window), sma((step < 0.0) * volume, window)
    return ratio(up - down, up + down, otherwise=0.0)


@indicator(
    family="volume",
    unit="mixed",
    bounds=POSITIVE,
    talib="MARKETFI",
    source="Williams, Trading Chaos (1995); TA-Lib MARKETFI",
)
def market_facilitation(high: Line, low: Line, volume: Line) -> Line:
    """Market facilitation index: how far the price went per unit of volume.

    Formula: (high - low) / volume.

    0 where nothing was traded, as TA-Lib.
    """
    return ratio(high - low, volume, otherwise=0.0)


@indicator(family="volume", unit="none", talib="NVI", source="Dysart; Fosback, Stock Market Logic (1976); TA-Lib NVI")
def nvi(close: Line, volume: Line) -> Line:
    """Negative volume index: follows the price only on bars whose volume fell; begins at 1000.

    Formula: nvi *= close / close before, where volume < volume before.
    """
    return _index(close, previous(volume) > volume)


@indicator(family="volume", unit="none", talib="PVI", source="Dysart; Fosback, Stock Market Logic (1976); TA-Lib PVI")
def pvi(close: Line, volume: Line) -> Line:
    """Positive volume index: follows the price only on bars whose volume rose; begins at 1000.

    Formula: pvi *= close / close before, where volume > volume before.
    """
    return _index(close, volume > previous(volume))


@indicator(family="volume", unit="volume", talib="PVT", source="TA-Lib PVT; TradingView Price Volume Trend")
def pvt(close: Line, volume: Line) -> Line:
    """Price-volume trend: running sum of volume times relative change; begins at 0.

    Formula: pvt += volume * (close / close before - 1).
    """
    before = previous(close)
    return cumulative_sum(ratio(close - before, before, otherwise=0.0) * volume)


def _anchored(high: Line, low: Line, close: Line, volume: Line, anchor: int, period: int) -> tuple[Line, ...]:
    price = typical_price(high, low, close)
    return carried(kernels.anchored, price, volume, anchor, period, carry=4, warmup=anchor, outputs=2, guarded=True)


def _weighted(close: Line, volume: Line, window: int) -> Line:
    """Volume-weighted average; the plain one where nothing was traded."""
    traded = sma(volume, window)
    return where(traded > 0.0, ratio(sma(close * volume, window), traded, otherwise=0.0), sma(close, window))


def _oscillator(volume: Line, fast: int, slow: int, average: str) -> Line:
    base = average_of(volume, slow, average)
    return ratio(average_of(volume, fast, average) - base, base, otherwise=0.0) * 100.0


def _index(close: Line, counted: Line) -> Line:
    growth = (ratio(close, previous(close), otherwise=1.0) - 1.0) * counted
    return carried(levels.compound, growth + 1.0, carry=2) * 1000.0
