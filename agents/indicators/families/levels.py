"""Levels that earlier bars leave behind, and the bars that break, fill or respect them."""

from __future__ import annotations

from typing import Annotated

from agents.indicators.families.basics import highest, lowest
from agents.indicators.graph import Line, carried, lag, pointwise, ratio, where
from agents.indicators.registry import LONGEST, Choice, LongWindow, Range, Window, indicator
from agents.kernels import levels

PIVOTS = ("standard", "classic", "fibonacci", "woodie", "camarilla", "demark")
PIVOT_OUTPUTS = ("pp", "r1", "r2", "r3", "r4", "s1", "s2", "s3", "s4")
Kind = Annotated[str, Choice(PIVOTS)]


@indicator(
    family="levels",
    unit="price",
    outputs=PIVOT_OUTPUTS,
    source="floor traders' pivots; formulas of Stock.Indicators GetPivotPoints and TradingView Pivot Points Standard",
)
def pivot_points(
    open_: Line, high: Line, low: Line, close: Line, window: Window = 21, kind: Kind = "standard"
) -> tuple[Line, ...]:
    """Pivot point with four resistances and four supports, from the last whole block of `window` bars.

    Formula: pp = (high + low + close) / 3; standard: r1 = 2 pp - low, r2 = pp + range, r3 = r1 + range, r4 = r3 + pp -
    low, supports mirrored; classic: r3, r4 = pp + 2, 3 range; fibonacci: pp + 0.382, 0.618, 1 range; woodie: pp = (high
    + low + 2 open of this block) / 4, r4 = r3 + range; camarilla: close + 1.1 range / 12, 6, 4, 2; demark: pp = (high +
    low + close + x) / 4, x = low, high or close as the block fell, rose or ended where it began.

    Blocks are counted from the first bar of the history, not by the calendar: 5 bars for about a week, 21 for a month.
    Fibonacci has three levels and DeMark one; the outermost stands in for the others. Standard is TradingView's
    Traditional; Stock.Indicators' camarilla takes the close for pp, ours and TradingView's the mean of the three.
    """
    return pivots_of(kind, *blocks(open_, high, low, close, window))


@indicator(
    family="levels",
    unit="price",
    outputs=PIVOT_OUTPUTS,
    source="Stock.Indicators GetRollingPivots; formulas as pivot_points",
)
def rolling_pivots(
    open_: Line,
    high: Line,
    low: Line,
    close: Line,
    window: Window = 20,
    offset: Annotated[int, Range(0, LONGEST)] = 0,
    kind: Kind = "standard",
) -> tuple[Line, ...]:
    """Pivot point with four resistances and supports, made anew at each bar from the `window` bars before it.

    Formula: as pivot_points, with the first open, highest high, lowest low and last close of the `window` bars that end
    `offset` bars before the previous one; woodie takes this bar's open.
    """
    top, bottom = lag(highest(high, window), 1 + offset), lag(lowest(low, window), 1 + offset)
    return pivots_of(kind, lag(open_, window + offset), top, bottom, lag(close, 1 + offset), open_)


@indicator(
    family="levels",
    unit="price",
    outputs=("pivot", "top", "bottom"),
    source="Ochoa, Secrets of a Pivot Boss (2010)",
)
def central_pivot_range(open_: Line, high: Line, low: Line, close: Line, window: Window = 21) -> tuple[Line, ...]:
    """Central pivot range of the last whole block of `window` bars, blocks counted from the first bar.

    Formula: pivot = (high + low + close) / 3; the edges are (high + low) / 2 and 2 pivot - (high + low) / 2.
    """
    _, high_before, low_before, close_before, _ = blocks(open_, high, low, close, window)
    pivot, middle = (high_before + low_before + close_before) / 3.0, (high_before + low_before) / 2.0
    half = abs(pivot - middle)
    return pivot, pivot + half, pivot - half


@indicator(
    family="levels",
    unit="price",
    outputs=("open", "high", "low", "close"),
    source="previous day, week or month high and low of trading platforms",
)
def previous_period(open_: Line, high: Line, low: Line, close: Line, window: Window = 21) -> tuple[Line, ...]:
    """Open, high, low and close of the last whole block of `window` bars, blocks counted from the first bar.

    Formula: first open, max(high), min(low), last close of bars (k - 1) * window … k * window - 1.

    With `window` 1 it is the bar before. Nothing is known of the calendar: 5 daily bars are about a week.
    """
    return blocks(open_, high, low, close, window)[:4]


@indicator(
    family="levels",
    unit=("none", "none", "price"),
    outputs=("size", "filled", "level"),
    source="Edwards and Magee, Technical Analysis of Stock Trends (1948), ch. 12",
)
def gaps(high: Line, low: Line, close: Line, smallest: Annotated[float, Range(0.0, 1_000.0)] = 0.0) -> tuple[Line, ...]:
    """Gaps between a bar and the one before, and the bars that fill them; the newest gap is the one remembered.

    Formula: up: (low - high before) / |close before| if low > high before; down: (high - low before) / |close before|,
    negative, if high < low before; filled when a low (high) reaches the high (low) before the gap.

    `size` is a fraction, 0 where there is none or it is under `smallest`; `filled` is 1 at the bar that fills a gap up,
    -1 for a gap down; `level` is where the open gap is filled, the close itself when none is open.
    """
    return carried(levels.gaps, high, low, close, smallest, carry=3, warmup=1, outputs=3, guarded=True)


@indicator(family="levels", unit="none", source="overnight gap in per cent, as screeners show it")
def opening_gap(open_: Line, close: Line) -> Line:
    """Distance of the open from the close before, in per cent; NaN where that close was 0.

    Formula: 100 * (open - close before) / close before.
    """
    before = lag(close, 1)
    return ratio(open_ - before, before) * 100.0


@indicator(family="levels", unit="move", source="three-bar imbalance of ICT traders; LuxAlgo Fair Value Gap")
def fair_value_gap(high: Line, low: Line) -> Line:
    """Height of the gap that a bar leaves between the bars around it, known at the later one; negative when falling.

    Formula: low - high[2] if positive; -(low[2] - high) if that gap is; else 0.
    """
    up, down = low - lag(high, 2), lag(low, 2) - high
    return where(up > 0.0, up, where(down > 0.0, -down, 0.0))


@indicator(
    family="levels",
    unit=("none", "price", "price"),
    outputs=("signal", "upper", "lower"),
    source="Donchian's channel rule",
)
def breakout(high: Line, low: Line, close: Line, window: Window = 20) -> tuple[Line, ...]:
    """Close beyond the range of the `window` bars before: 1 above, -1 below, 0 within, and the range itself.

    Formula: signal = 1 if close > upper, -1 if close < lower; upper = max(high), lower = min(low), this bar left out.
    """
    upper, lower = lag(highest(high, window), 1), lag(lowest(low, window), 1)
    return where(close > upper, 1.0, where(close < lower, -1.0, 0.0)), upper, lower


@indicator(
    family="levels",
    unit="none",
    bounds=(-1.0, 1.0),
    source="Faith, Way of the Turtle (2007), system 1 on closes",
)
def donchian_breakout(high: Line, low: Line, close: Line, window: Window = 20, exit_window: Window = 10) -> Line:
    """Position of the channel breakout system: 1 long, -1 short, 0 out; it holds until the shorter channel breaks.

    Formula: 1 on close > max(high, window), -1 on close < min(low, window); a long ends on close < min(low,
    exit_window), a short on close > max(high, exit_window); this bar is left out of every channel.
    """
    entries = lag(highest(high, window), 1), lag(lowest(low, window), 1)
    exits = lag(highest(high, exit_window), 1), lag(lowest(low, exit_window), 1)
    return carried(levels.channel_position, close, *entries, *exits, carry=2, guarded=True)


@indicator(family="levels", unit="none", bounds=(0.0, 1.0), source="Crabel, Day Trading with Short Term Price Patterns")
def inside_bar(high: Line, low: Line) -> Line:
    """1 where a bar lies strictly within the one before, else 0.

    Formula: high < high before and low > low before.
    """
    return (high < lag(high, 1)) * (low > lag(low, 1))


@indicator(family="levels", unit="none", bounds=(0.0, 1.0), source="Edwards and Magee; outside day")
def outside_bar(high: Line, low: Line) -> Line:
    """1 where a bar reaches strictly beyond both ends of the one before, else 0.

    Formula: high > high before and low < low before.
    """
    return (high > lag(high, 1)) * (low < lag(low, 1))


@indicator(
    family="levels",
    unit="none",
    bounds=(0.0, 1.0),
    source="Crabel, Day Trading with Short Term Price Patterns (1990): NR4, NR7",
)
def narrow_range(high: Line, low: Line, window: LongWindow = 7) -> Line:
    """1 where a bar's range is strictly the narrowest of `window` bars (NR7; NR4 with 4), else 0.

    Formula: high - low < min(high - low of the window - 1 bars before).
    """
    reach = high - low
    return reach < lag(lowest(reach, window - 1), 1)


@indicator(
    family="levels",
    unit="none",
    outputs=("from_high", "from_low"),
    source="distance from the 52-week high and low of stock screeners",
)
def high_low_52w(high: Line, low: Line, close: Line, window: Window = 252) -> tuple[Line, ...]:
    """Distance of the close from the highest high and the lowest low of `window` bars, in per cent; 252 = a year.

    Formula: 100 * (close - max(high)) / max(high); 100 * (close - min(low)) / min(low); 0 where the divisor is 0.
    """
    top, bottom = highest(high, window), lowest(low, window)
    return ratio(close - top, top, otherwise=0.0) * 100.0, ratio(close - bottom, bottom, otherwise=0.0) * 100.0


@indicator(
    family="levels",
    unit="bars",
    outputs=("setup", "countdown"),
    source="DeMark, The New Science of Technical Analysis (1994); Perl, DeMark Indicators (2008)",
)
def td_sequential(
    high: Line,
    low: Line,
    close: Line,
    setup: Annotated[int, Range(2, LONGEST)] = 9,
    countdown: Annotated[int, Range(2, LONGEST)] = 13,
    lookback: Annotated[int, Range(1, LONGEST)] = 4,
) -> tuple[Line, ...]:
    """TD sequential: setup and countdown, positive while prices rise (a sell is prepared), negative while they fall.

    Formula: setup = closes in a row above (below) the close `lookback` bars before, 1 to `setup`; countdown = closes at
    or above the high (at or below the low) two bars before, from the bar that completes a setup on.

    After a whole setup the count begins again at 1. A whole setup on the other side replaces a running countdown, one
    on the same side leaves it; at `countdown` it is over. The rules of perfection, bar 8 against bar 13 and recycling,
    which Perl's book makes optional, are left out.
    """
    before, highs, lows = lag(close, lookback), lag(high, 2), lag(low, 2)
    return carried(levels.td_counts, close, before, highs, lows, setup, countdown, carry=4, outputs=2, guarded=True)


@indicator(
    family="levels",
    unit=("price", "price", "none"),
    outputs=("upper", "lower", "signal"),
    source="Darvas, How I Made $2,000,000 in the Stock Market (1960)",
)
def darvas_box(high: Line, low: Line, close: Line, confirm: Annotated[int, Range(1, LONGEST)] = 3) -> tuple[Line, ...]:
    """Darvas box, and 1 at the close that leaves it upwards, -1 downwards.

    Formula: upper = a high not exceeded for `confirm` bars, lower = the lowest low since its bar, not undercut for
    `confirm` bars.

    A box stands from the bar that confirms both edges; the last one is shown until the next is confirmed, and the first
    bar's high and low before any. A close outside ends it, and the search begins anew at that bar.
    """
    return carried(levels.darvas, high, low, close, confirm, carry=8, outputs=3, guarded=True)


def blocks(open_: Line, high: Line, low: Line, close: Line, window: int) -> tuple[Line, ...]:
    """Open, high, low and close of the last whole block, and the open of the running one."""
    return carried(levels.blocks, open_, high, low, close, window, carry=9, warmup=window, outputs=5, guarded=True)


def pivots_of(kind: str, *prices: Line) -> tuple[Line, ...]:
    """Pivot levels of a period: its open, high, low and close, and the open of what follows it."""
    return pointwise(levels.pivots, *prices, PIVOTS.index(kind), outputs=9)
