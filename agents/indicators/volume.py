"""What trading volume says about a price."""

from __future__ import annotations

from collections.abc import Callable

from agents.indicators.registry import Window, indicator
from agents.kernels import recursive, windows

Kernel = Callable[..., None]


@indicator(family="volume", inputs=("close", "volume"), warmup=lambda: 0, carry=2, source="Granville; TA-Lib OBV")
def obv() -> Kernel:
    """On-balance volume, starting at the first bar's volume like TA-Lib."""
    return recursive.obv


@indicator(
    family="volume",
    inputs=("high", "low", "close", "volume"),
    warmup=lambda window: window,
    bounds=(0.0, 100.0),
    source="Quong and Soudack; TA-Lib MFI",
)
def mfi(window: Window = 14) -> Kernel:
    """Money flow index. 50 where no money flowed either way (TA-Lib: 0)."""
    return windows.mfi


@indicator(
    family="volume",
    inputs=("high", "low", "close", "volume"),
    warmup=lambda window: window - 1,
    source="rolling window of the classic VWAP",
)
def vwap(window: Window = 20) -> Kernel:
    """Volume-weighted average of the typical price over the last `window` bars; NaN where nothing was traded."""
    return windows.vwap
