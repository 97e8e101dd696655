"""How fast a price moves and how far it has gone: oscillators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from agents.indicators.registry import LONGEST, Range, Window, indicator
from agents.kernels import recursive, windows

Kernel = Callable[..., None]


@indicator(
    family="momentum",
    inputs=("close",),
    warmup=lambda window: window,
    bounds=(0.0, 100.0),
    carry=3,
    source="Wilder, New Concepts in Technical Trading Systems (1978), sec. VI; TA-Lib RSI",
)
def rsi(window: Window = 14) -> Kernel:
    """Relative strength index, Wilder smoothing. A price that has never moved gives 50 (TA-Lib: 0)."""
    return recursive.wilder_rsi


@indicator(
    family="momentum",
    inputs=("high", "low", "close"),
    outputs=("k", "d"),
    warmup=lambda window, smooth, signal: window + smooth + signal - 3,
    bounds=(0.0, 100.0),
    source="Lane; TA-Lib STOCH with simple averages",
)
def stochastic(
    window: Annotated[int, Range(1, LONGEST, ("fastk_period", "timeperiod"))] = 5,
    smooth: Annotated[int, Range(1, LONGEST, ("slowk_period",))] = 3,
    signal: Annotated[int, Range(1, LONGEST, ("slowd_period",))] = 3,
) -> Kernel:
    """Slow stochastic %K and %D. A window without any range gives 50 (TA-Lib: 0)."""
    return windows.stochastic


@indicator(
    family="momentum", inputs=("high", "low", "close"), warmup=lambda window: window - 1, source="Lambert; TA-Lib CCI"
)
def cci(window: Window = 14) -> Kernel:
    """Commodity channel index. A window in which nothing varied gives 0."""
    return windows.cci


@indicator(family="momentum", inputs=("close",), warmup=lambda window: window, source="TA-Lib ROC")
def roc(window: Window = 10) -> Kernel:
    """Rate of change against `window` bars ago, in per cent; NaN where that value was 0 (TA-Lib: 0)."""
    return windows.roc
