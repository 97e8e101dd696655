"""Parts of indicators that are none themselves: other seeds of averages, the bar before the first."""

from __future__ import annotations

from agents.indicators.graph import Line, carried, lag, rolling
from agents.kernels import price as kernels


def previous(line: Line) -> Line:
    """The value of the bar before; at the first bar (and behind a NaN) its own."""
    return rolling(kernels.previous, line, reach=1, warmup=0, guarded=True)


def withheld(line: Line, bars: int) -> Line:
    """The same values, the first `bars` of them withheld: what is averaged of it is seeded later."""
    return line + lag(line, bars) * 0.0 if bars else line


def decay(line: Line, gain: float, warmup: int = 0) -> Line:
    """An exponential mean seeded with the first value: level += (value - level) * gain."""
    return carried(kernels.decay, line, float(gain), warmup, carry=2, warmup=warmup)
