"""Cycles by Hilbert transform, as TA-Lib has them: period, phase, sine, and whether there is a cycle at all.

All begin with zeros in their filters, so their first values carry a transient of TA-Lib's own making. TA-Lib starts
the transform at the 10th smoothed price for the first three and `mama`, at the 35th for the others; so do we.
"""

from __future__ import annotations

from typing import Annotated

from agents.indicators.families.averages import wma
from agents.indicators.graph import Line, carried, lag, pointwise, ratio, rolling, where
from agents.indicators.registry import Range, indicator
from agents.kernels import cycles as kernels
from data.contracts.errors import InvalidInput

_SOURCE = "Ehlers, Rocket Science for Traders (2001)"
_EARLY, _LATE = 9, 34  # smoothed prices before the transform begins


@indicator(
    family="cycles",
    unit="mixed",
    bounds=(0.0, 50.0),
    talib="HT_DCPERIOD",
    source=f"{_SOURCE}, ch. 7; TA-Lib HT_DCPERIOD",
)
def ht_dcperiod(close: Line) -> Line:
    """Length of the dominant cycle in bars, 6 to 50, by Hilbert transform and homodyne discriminator, smoothed.

    Formula: 360 / atan(Im / Re) of the smoothed phasor, limited to 0.67 … 1.5 times the one before, then smoothed.
    """
    _, _, period = _transform(close, _EARLY)
    return _later(period, 20)


@indicator(
    family="cycles",
    unit="mixed",
    outputs=("inphase", "quadrature"),
    talib="HT_PHASOR",
    source=f"{_SOURCE}, ch. 6; TA-Lib HT_PHASOR",
)
def ht_phasor(close: Line) -> tuple[Line, ...]:
    """In-phase and quadrature component of the price's cycle.

    Formula: detrender three bars ago, and the Hilbert transform of the detrender.
    """
    inphase, quadrature, _ = _transform(close, _EARLY)
    return _later(inphase, 20), _later(quadrature, 20)


@indicator(
    family="cycles",
    unit="mixed",
    bounds=(-45.0, 315.0),
    talib="HT_DCPHASE",
    source=f"{_SOURCE}, ch. 9; TA-Lib HT_DCPHASE",
)
def ht_dcphase(close: Line) -> Line:
    """Phase of the dominant cycle in degrees, -45 to 315.

    Formula: atan(sum sin * price / sum cos * price) over one dominant cycle, plus 90 and the lag of the smoothing.

    A flat price leaves the phase as it was; TA-Lib's then follows rounding dust.
    """
    return _later(_phase(close), 26)


@indicator(
    family="cycles",
    unit="mixed",
    outputs=("sine", "lead"),
    bounds=(-1.0, 1.0),
    talib="HT_SINE",
    source=f"{_SOURCE}, ch. 9; TA-Lib HT_SINE",
)
def ht_sine(close: Line) -> tuple[Line, ...]:
    """Sine of the dominant cycle's phase, and the sine 45 degrees ahead; they cross at the turns of a cycle.

    Formula: sin(phase), sin(phase + 45).
    """
    sine, lead = pointwise(kernels.sines, _later(_phase(close), 26), outputs=2)
    return sine, lead


@indicator(family="cycles", unit="mixed", talib="HT_TRENDLINE", source=f"{_SOURCE}, ch. 10; TA-Lib HT_TRENDLINE")
def ht_trendline(close: Line) -> Line:
    """Instantaneous trend line: the price without its dominant cycle.

    Formula: t = mean of one dominant cycle of prices; (4 t + 3 t[1] + 2 t[2] + t[3]) / 10.
    """
    return _later(_trendline(close), 23)


@indicator(family="cycles", unit="mixed", bounds=(0.0, 1.0), source=f"{_SOURCE}, ch. 11; TA-Lib HT_TRENDMODE")
def ht_trendmode(close: Line) -> Line:
    """1 while the price trends, 0 while it cycles.

    Formula: 0 for half a dominant cycle after the sines cross or while the phase moves at the cycle's speed, unless
    the smoothed price is 1.5 per cent or more from the trend line; else 1.

    NaN in the warm-up, where TA-Lib writes 0.
    """
    _, _, period = _transform(close, _LATE)
    mode = carried(kernels.cycle_mode, _phase(close), period, carry=4, guarded=True)
    line = _trendline(close)
    away = abs(ratio(wma(close, 4) - line, line, otherwise=0.0))
    return _later(where(away >= 0.015, 1.0, mode), 23)


def _fast_above_slow(fast: float, slow: float) -> None:
    if fast < slow:
        raise InvalidInput(f"mama fast must not be below slow; {fast:g} and {slow:g} are")


@indicator(
    family="cycles",
    unit="mixed",
    outputs=("mama", "fama"),
    talib="MAMA",
    source="Ehlers, MESA Adaptive Moving Averages (2001); TA-Lib MAMA",
    check=_fast_above_slow,
)
def mama(
    close: Line,
    fast: Annotated[float, Range(0.01, 0.99, ("fastlimit",))] = 0.5,
    slow: Annotated[float, Range(0.01, 0.99, ("slowlimit",))] = 0.05,
) -> tuple[Line, ...]:
    """MESA adaptive moving average and the one that follows it: quick when the phase turns, slow otherwise.

    Formula: gain = fast / phase step in degrees, between slow and fast; mama += gain (price - mama);
    fama += gain / 2 (mama - fama).

    Both averages start at 0, as TA-Lib's. TA-Lib takes limits that are the wrong way round; they are refused here.
    """
    inphase, quadrature, _ = _transform(close, _EARLY)
    adaptive, following = carried(
        kernels.mama, close, inphase, quadrature, fast, slow, carry=4, outputs=2, guarded=True
    )
    return _later(adaptive, 20), _later(following, 20)


def _transform(close: Line, skip: int) -> tuple[Line, ...]:
    """In-phase, quadrature and smoothed period from the 4th + `skip` bar on."""
    return carried(
        kernels.dominant_cycle,
        wma(close, 4),
        skip,
        carry=kernels.HILBERT_ROWS,
        warmup=skip,
        outputs=3,
        guarded=True,
    )


def _phase(close: Line) -> Line:
    _, _, period = _transform(close, _LATE)
    return carried(kernels.cycle_phase, wma(close, 4), period, carry=2, reach=kernels.LONGEST_CYCLE, guarded=True)


def _trendline(close: Line) -> Line:
    _, _, period = _transform(close, _LATE)
    mean = rolling(kernels.mean_of_cycle, close, period, reach=kernels.LONGEST_CYCLE, warmup=0)
    return (mean * 4.0 + lag(mean, 1) * 3.0 + lag(mean, 2) * 2.0 + lag(mean, 3)) / 10.0


def _later(line: Line, bars: int) -> Line:
    """The same with `bars` more rows of warm-up."""
    return where(lag(line, bars) * 0.0 < 1.0, line, line)
