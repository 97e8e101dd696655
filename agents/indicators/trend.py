"""Where a price is heading: moving averages and what is made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from agents.indicators.registry import LONGEST, LongWindow, Range, Window, indicator
from agents.kernels import moments, recursive, windows
from data.contracts.errors import InvalidInput

Kernel = Callable[..., None]


@indicator(family="trend", inputs=("close",), warmup=lambda window: window - 1, source="TA-Lib SMA")
def sma(window: Window = 30) -> Kernel:
    """Simple moving average. A constant price gives that price exactly."""
    return windows.sma


@indicator(family="trend", inputs=("close",), warmup=lambda window: window - 1, carry=2, source="TA-Lib EMA")
def ema(window: Window = 30) -> Kernel:
    """Exponential moving average, seeded with the simple average of the first `window` values."""
    return recursive.ema


@indicator(family="trend", inputs=("close",), warmup=lambda window: window - 1, source="TA-Lib WMA")
def wma(window: Window = 30) -> Kernel:
    """Linearly weighted moving average, the newest value heaviest."""
    return moments.wma


@indicator(family="trend", inputs=("close",), warmup=lambda window: window - 1, source="TA-Lib LINEARREG_SLOPE")
def linreg_slope(window: LongWindow = 14) -> Kernel:
    """Slope of the least-squares line through the window, in price units per bar."""
    return moments.linreg_slope


def _fast_below_slow(fast: int, slow: int, signal: int) -> None:
    if fast >= slow:
        raise InvalidInput(f"macd fast must be below slow, not {fast} and {slow}", indicator="macd")


@indicator(
    family="trend",
    inputs=("close",),
    outputs=("macd", "signal", "hist"),
    warmup=lambda fast, slow, signal: slow + signal - 2,
    carry=4,
    check=_fast_below_slow,
    source="Appel; TA-Lib MACD",
)
def macd(
    fast: Annotated[int, Range(1, LONGEST, ("fastperiod",))] = 12,
    slow: Annotated[int, Range(2, LONGEST, ("slowperiod",))] = 26,
    signal: Annotated[int, Range(1, LONGEST, ("signalperiod",))] = 9,
) -> Kernel:
    """Fast minus slow exponential average, its signal line and their difference, seeded like TA-Lib."""
    return recursive.macd


@indicator(
    family="trend",
    inputs=("high", "low", "close"),
    outputs=("adx", "plus_di", "minus_di"),
    warmup=lambda window: (2 * window - 1, window, window),
    bounds=(0.0, 100.0),
    carry=5,
    source="Wilder, New Concepts in Technical Trading Systems (1978); TA-Lib ADX, PLUS_DI, MINUS_DI",
)
def adx(window: LongWindow = 14) -> Kernel:
    """Average directional index with the plus and minus directional indicators."""
    return recursive.adx
