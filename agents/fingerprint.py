"""What a result's bits depend on besides its inputs: this code, and how this machine calculates.

Part of every result id, so that an id stands for bits. `doctor` shows the numeric fingerprint of a node.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numpy as np

from agents.indicators import compute
from data.contracts.panel import Panel

_BARS = 600
_PROBED = (
    *("adx", "atr", "bollinger", "cci", "ema", "linreg_slope", "macd", "mfi", "obv", "rsi", "sma", "stddev"),
    *("stochastic", "vwap", "wma", "yang_zhang", "zscore"),
)


@cache
def numeric_fingerprint() -> str:
    """Hash of what indicators of every kind of arithmetic give on a fixed probe: equal on nodes with equal results.

    Sums, moments, recursions, extremes, roots, logarithms. Not all indicators: compiling them all would take minutes.
    """
    panel, sha = _probe(), hashlib.sha256()
    for name in _PROBED:
        found = compute(name, panel)
        for column in found if isinstance(found, tuple) else (found,):
            sha.update(f"{name}:".encode() + np.ascontiguousarray(column).tobytes())
    return sha.hexdigest()[:16]


def code_version(folder: Path = Path(__file__).parent) -> str:
    """Hash of every source that a result can depend on: the code and the data files of `agents`."""
    sha = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".yaml")):
        sha.update(f"{path.relative_to(folder).as_posix()}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return sha.hexdigest()[:16]


def _probe() -> Panel:
    """A fixed price path made with integers only, so that it is the same on every machine."""
    state, steps = 12345, []
    for _ in range(_BARS):
        state = (1103515245 * state + 12345) % 2**31
        steps.append(state % 401 - 200)
    close = 100.0 + np.cumsum(np.array(steps, dtype=np.int64)) / 128.0 + 64.0
    spread = 1.0 + (np.arange(_BARS) % 7) / 8.0
    return Panel(
        symbols=("PROBE",),
        offsets=np.array([0, _BARS], np.int64),
        ts=np.arange(_BARS, dtype=np.int64) * 86_400_000_000,
        open=close - 0.25,
        high=close + spread,
        low=close - spread,
        close=close,
        volume=(1000 + np.arange(_BARS) % 97).astype(np.float64),
        gap=np.zeros(_BARS, np.bool_),
    )
