"""How much a price moves: bands, ranges and estimators of volatility."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from agents.indicators.registry import LONGEST, Factor, LongWindow, Range, Window, indicator
from agents.kernels import moments, recursive, windows

Kernel = Callable[..., None]
Deviations = Annotated[float, Range(0.0, 1_000.0, ("nbdev", "nbdevup", "nbdevdn"))]


@indicator(
    family="volatility",
    inputs=("close",),
    outputs=("upper", "middle", "lower"),
    warmup=lambda window, deviations: window - 1,
    source="Bollinger; TA-Lib BBANDS with a simple average",
)
def bollinger(window: Window = 20, deviations: Deviations = 2.0) -> Kernel:
    """Bollinger bands: simple average plus and minus `deviations` population standard deviations."""
    return moments.bollinger


@indicator(
    family="volatility",
    inputs=("high", "low", "close"),
    warmup=lambda window: window,
    bounds=(0.0, float("inf")),
    carry=2,
    source="Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib ATR",
)
def atr(window: Window = 14) -> Kernel:
    """Average true range, Wilder smoothing, seeded with the mean of the first `window` true ranges."""
    return recursive.atr


@indicator(
    family="volatility",
    inputs=("high", "low"),
    outputs=("upper", "middle", "lower"),
    warmup=lambda window: window - 1,
    source="Donchian; TA-Lib MAX and MIN",
)
def donchian(window: Window = 20) -> Kernel:
    """Donchian channel: highest high, lowest low and their midpoint, the present bar included."""
    return windows.donchian


@indicator(
    family="volatility",
    inputs=("high", "low", "close"),
    outputs=("upper", "middle", "lower"),
    warmup=lambda window, multiplier, atr_window: max(window - 1, atr_window),
    carry=4,
    source="Raschke's form of Keltner's channel; Stock.Indicators GetKeltner",
)
def keltner(
    window: Window = 20, multiplier: Factor = 2.0, atr_window: Annotated[int, Range(1, LONGEST)] = 10
) -> Kernel:
    """Keltner channel: exponential average of the close plus and minus `multiplier` average true ranges."""
    return recursive.keltner


@indicator(
    family="volatility",
    inputs=("close",),
    warmup=lambda window, deviations: window - 1,
    bounds=(0.0, float("inf")),
    source="TA-Lib STDDEV",
)
def stddev(window: Window = 5, deviations: Annotated[float, Range(0.0, 1_000.0, ("nbdev",))] = 1.0) -> Kernel:
    """Population standard deviation (divisor `window`) times `deviations`."""
    return moments.stddev


@indicator(
    family="volatility", inputs=("close",), warmup=lambda window: window - 1, source="Stock.Indicators GetStdDev"
)
def zscore(window: LongWindow = 20) -> Kernel:
    """Distance from the window's mean in population standard deviations; NaN where nothing varied."""
    return moments.zscore


@indicator(
    family="volatility",
    inputs=("open", "high", "low", "close"),
    warmup=lambda window, periods: window,
    bounds=(0.0, float("inf")),
    source="Yang and Zhang, Journal of Business 73 (2000), 477-491",
)
def yang_zhang(window: LongWindow = 20, periods: Annotated[float, Range(1.0, 1e9)] = 252.0) -> Kernel:
    """Yang-Zhang volatility of log returns, a fraction per year of `periods` bars (1 = per bar)."""
    return moments.yang_zhang
