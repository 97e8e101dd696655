"""The work below the agents: the kernels they call, TA-Lib's 61 patterns, and TA-Lib's C for the same indicators."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from agents.agent import Agent
from agents.indicators import get
from agents.indicators.columns import to_ragged
from data.contracts.arrays import Floats
from data.contracts.panel import Panel

IndicatorCall = tuple[str, dict[str, Any]]
# Ours -> TA-Lib's function of the same formula; both take their inputs in the same order, `window` is `timeperiod`.
TALIB = {
    "adx": "ADX",
    "atr": "ATR",
    "ema": "EMA",
    "linreg_slope": "LINEARREG_SLOPE",
    "mfi": "MFI",
    "obv": "OBV",
    "roc": "ROC",
    "rsi": "RSI",
    "sma": "SMA",
    "stddev": "STDDEV",
    "wma": "WMA",
}


def indicator_calls(agents: Sequence[Agent[Any]]) -> list[IndicatorCall]:
    """The indicators that these agents read, as often as they read them."""
    wanted = [one for agent in agents for one in agent.indicators.values()]
    return [(one, {}) if isinstance(one, str) else (one[0], dict(one[1])) for one in wanted]


class RawWork:
    """The same bars and parameters, ready to run; every method returns seconds of wall time."""

    def __init__(self, panel: Panel, calls: Sequence[IndicatorCall]) -> None:
        import talib

        self._kernels = []
        for name, params in calls:
            entry = get(name)
            out = np.zeros((len(entry.outputs), len(panel)))
            self._kernels.append((entry, to_ragged(panel, entry.inputs), entry.bind((), params), out))
        parts = [panel.slice(s, s + 1) for s in range(len(panel.symbols))]
        self._prices = [(p.open, p.high, p.low, p.close) for p in parts]
        names = [name for name in vars(talib) if name.startswith("CDL")]
        self._patterns: list[Callable[..., Any]] = [inspect.unwrap(getattr(talib, name)) for name in names]
        self.shared = sorted({name for name, _ in calls if name in TALIB})
        self.ours_only = sorted({name for name, _ in calls if name not in TALIB})
        self._talib: list[tuple[Callable[..., Any], dict[str, Any], list[list[Floats]]]] = []
        for name, params in calls:
            if name in TALIB:
                columns = [[getattr(part, column) for column in get(name).inputs] for part in parts]
                window = {"timeperiod": params["window"]} if "window" in params else {}
                self._talib.append((inspect.unwrap(getattr(talib, TALIB[name])), window, columns))

    @property
    def patterns(self) -> int:
        """TA-Lib's pattern functions."""
        return len(self._patterns)

    def kernels(self, *, shared_only: bool = False) -> float:
        """Every kernel call once, outputs written to arrays that exist."""
        began = time.perf_counter()
        for entry, data, params, out in self._kernels:
            if not shared_only or entry.name in TALIB:
                entry.run(data, params, out)
        return time.perf_counter() - began

    def candlesticks(self) -> float:
        """Every pattern function on every symbol, outputs dropped."""
        began = time.perf_counter()
        for prices in self._prices:
            for pattern in self._patterns:
                pattern(*prices)
        return time.perf_counter() - began

    def talib(self) -> float:
        """TA-Lib for those of the indicators that it has, symbol by symbol, outputs dropped."""
        began = time.perf_counter()
        for function, window, symbols in self._talib:
            for columns in symbols:
                function(*columns, **window)
        return time.perf_counter() - began
