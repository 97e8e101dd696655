"""Cycles in a price, over a whole panel: TA-Lib's Hilbert transform, Ehlers' two-pole filters, a sine over the window.

Memories of one symbol after the other; what is carried stands in `carry` (K, S), row 0 being the count of bars seen.
Shapes: inputs and outputs (N,), offsets (S+1,). The inputs hold no NaN, except that `two_pole` and `mean_of_cycle`
carry one through.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

LONGEST_CYCLE = 50  # bars; the Hilbert transform looks for cycles of 6 to 50
HILBERT_ROWS = 31  # rows of carry of `dominant_cycle`
_jit, _part = decorators(__file__)


@_jit
def dominant_cycle(
    smooth: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    skip: int,
    inphase: Floats,
    quadrature: Floats,
    period: Floats,
) -> None:
    """Hilbert transform of a smoothed price and the length of its dominant cycle in bars, as TA-Lib.

    The first `skip` values are left out: TA-Lib begins at the 10th for some of its functions, at the 35th for others.
    carry (HILBERT_ROWS, S): count; the last six of each of four filters; Q2, I2, Re, Im, period, smoothed period.
    """
    for s in range(offsets.size - 1):
        delays, state = carry[1:25, s], carry[25:31, s]
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            seen = carry[0, s]
            carry[0, s] += 1.0
            if seen < skip:
                inphase[i] = quadrature[i] = period[i] = np.nan
                continue
            scale = 0.075 * state[4] + 0.54
            detrender = _hilbert(delays[0:6], smooth[i]) * scale
            early = delays[8]  # the detrender three bars ago
            q1 = _hilbert(delays[6:12], detrender) * scale
            ji = _hilbert(delays[12:18], early) * scale
            jq = _hilbert(delays[18:24], q1) * scale
            _push(delays[0:6], smooth[i])
            _push(delays[6:12], detrender)
            _push(delays[12:18], early)
            _push(delays[18:24], q1)
            _measure(early - jq, q1 + ji, state)
            inphase[i], quadrature[i], period[i] = early, q1, state[5]


@_jit
def cycle_phase(
    smooth: Floats, period: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, out: Floats
) -> None:
    """Phase of the dominant cycle in degrees, -45 to 315, as TA-Lib: a discrete Fourier term over one cycle of bars.

    Bars before the first period count as 0. Over a full cycle, prices are taken as distances from the newest: the sums
    are the same, a flat price gives exactly 0 and leaves the phase as it was. Needs the LONGEST_CYCLE bars before.
    carry (2, S): count, phase.
    """
    for s in range(offsets.size - 1):
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            carry[0, s] += 1.0
            bars = int(period[i] + 0.5)
            known = min(bars, int(carry[0, s]))
            base = smooth[i] if known == bars else 0.0
            real = imaginary = 0.0
            for j in range(known):
                angle = j * (2.0 * np.pi) / bars
                real += np.sin(angle) * (smooth[i - j] - base)
                imaginary += np.cos(angle) * (smooth[i - j] - base)
            phase = carry[1, s]
            if real == 0.0 and imaginary == 0.0:
                out[i] = phase
                continue
            if imaginary != 0.0:
                phase = np.degrees(np.arctan(real / imaginary))
            else:
                phase += 90.0 if real > 0.0 else -90.0
            phase += 90.0 + (360.0 / period[i] if period[i] != 0.0 else 0.0)
            if imaginary < 0.0:
                phase += 180.0
            if phase > 315.0:
                phase -= 360.0
            out[i] = carry[1, s] = phase


@_jit
def mean_of_cycle(price: Floats, period: Floats, offsets: Ints, out: Floats) -> None:
    """Mean of the price over the last `period` bars, rounded, at most LONGEST_CYCLE; the price for less than 1."""
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        for i in range(lo, hi):
            bars = min(int(period[i] + 0.5), i - lo + 1) if period[i] == period[i] else 0
            total = 0.0
            for j in range(bars):
                total += price[i - j]
            out[i] = total / bars if bars > 0 else price[i] + (period[i] - period[i])


@_jit
def cycle_mode(
    phase: Floats, period: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, out: Floats
) -> None:
    """1 = trend, 0 = cycle, as TA-Lib: half a cycle without a crossing of the two sines, or a phase that runs oddly.

    carry (4, S): count, bars in trend, phase, 1 once there is one.
    """
    for s in range(offsets.size - 1):
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            carry[0, s] += 1.0
            sine, lead = _sines(phase[i])
            old_sine, old_lead = _sines(carry[2, s])
            if carry[3, s] == 0.0:
                old_sine = old_lead = 0.0
            trend = 1.0
            if (sine > lead and old_sine <= old_lead) or (sine < lead and old_sine >= old_lead):
                carry[1, s] = trend = 0.0
            carry[1, s] += 1.0
            if carry[1, s] < 0.5 * period[i]:
                trend = 0.0
            step = phase[i] - carry[2, s]
            if period[i] != 0.0 and 0.67 * 360.0 / period[i] < step < 1.5 * 360.0 / period[i]:
                trend = 0.0
            carry[2, s], carry[3, s] = phase[i], 1.0
            out[i] = trend


@_jit
def sines(phase: Floats, sine: Floats, lead: Floats) -> None:
    """Sine of a phase in degrees, and the sine 45 degrees ahead."""
    for i in range(phase.size):
        sine[i], lead[i] = _sines(phase[i])


@_jit
def mama(
    price: Floats,
    inphase: Floats,
    quadrature: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    fast: float,
    slow: float,
    adaptive: Floats,
    following: Floats,
) -> None:
    """Averages whose gain follows the speed of the phase, from 0 at the first bar, as TA-Lib. carry (4, S)."""
    for s in range(offsets.size - 1):
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            carry[0, s] += 1.0
            phase = np.degrees(np.arctan(quadrature[i] / inphase[i])) if inphase[i] != 0.0 else 0.0
            step = max(carry[1, s] - phase, 1.0)
            gain = max(fast / step, slow) if step > 1.0 else fast
            carry[1, s] = phase
            carry[2, s] = gain * price[i] + (1.0 - gain) * carry[2, s]
            carry[3, s] = 0.5 * gain * carry[2, s] + (1.0 - 0.5 * gain) * carry[3, s]
            adaptive[i], following[i] = carry[2, s], carry[3, s]


@_jit
def two_pole(
    level: Floats,
    push: Floats,
    first: Floats,
    before: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    seeds: int,
    one: float,
    two: float,
    out: Floats,
) -> None:
    """y = level + push + one * (y before - level) + two * (y two bars before - level).

    The first `seeds` values are those of `first`; `before` stands in front of them. carry (3, S): count and two y.
    Written as distances from the level: a level that does not move is followed exactly.
    """
    for s in range(offsets.size - 1):
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            if carry[0, s] == 0.0:
                carry[1, s] = before[i]
            if carry[0, s] < seeds:
                now = first[i]
            else:
                now = level[i] + push[i] + one * (carry[1, s] - level[i]) + two * (carry[2, s] - level[i])
            carry[2, s] = carry[1, s]
            carry[1, s] = out[i] = now
            carry[0, s] += 1.0


@_jit
def peak(values: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, decay: float, out: Floats) -> None:
    """Largest distance from 0, fading by the factor `decay` per bar. carry (2, S)."""
    for s in range(offsets.size - 1):
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            carry[0, s] += 1.0
            carry[1, s] = max(carry[1, s] * decay, abs(values[i]))
            out[i] = carry[1, s]


@_jit
def sine_moments(values: Floats, offsets: Ints, window: int, squares: Floats, cosine: Floats, sine: Floats) -> None:
    """Of the distances from the window's mean: sum of squares, and sums of products with a cosine and a sine.

    The two waves have one cycle in the window and begin at the newest bar. Warm-up window - 1.
    """
    waves = np.empty((2, window))
    for j in range(window):
        waves[0, j], waves[1, j] = np.cos(2.0 * np.pi * j / window), np.sin(2.0 * np.pi * j / window)
    for s in range(offsets.size - 1):
        lo, hi = offsets[s], offsets[s + 1]
        for i in range(lo, min(hi, lo + window - 1)):
            squares[i] = cosine[i] = sine[i] = np.nan
        for i in range(lo + window - 1, hi):
            mean = square = with_cosine = with_sine = 0.0
            for j in range(window):
                mean += values[i - j] - values[i]
            mean /= window
            for j in range(window):
                away = values[i - j] - values[i] - mean
                square += away * away
                with_cosine += away * waves[0, j]
                with_sine += away * waves[1, j]
            squares[i], cosine[i], sine[i] = square, with_cosine, with_sine


@_jit
def forward_angle(
    real: Floats,
    imaginary: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    calm: float,
    angle: Floats,
    state: Floats,
) -> None:
    """Angle of a phasor in degrees that never turns back, and 1 or -1 while it moves by less than `calm` per bar.

    Ehlers' conventions; 0 in the state = a cycle. carry (2, S): count, angle.
    """
    for s in range(offsets.size - 1):
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            opening, before = carry[0, s] == 0.0, carry[1, s]
            now = 90.0 + np.degrees(np.arctan(real[i] / imaginary[i])) if imaginary[i] != 0.0 else 0.0
            if imaginary[i] > 0.0:
                now -= 180.0
            if not opening and before - now < 270.0 and now < before:
                now = before
            still = not opening and abs(now - before) < calm
            state[i] = (-1.0 if now < 0.0 else 1.0) if still else 0.0
            angle[i] = carry[1, s] = now
            carry[0, s] += 1.0


@_part
def _hilbert(delays: Floats, now: float) -> float:
    """Ehlers' four-tap Hilbert transform; delays[0] is the bar before."""
    found: float = ((0.0962 * now - 0.0962 * delays[5]) - 0.5769 * delays[3]) + 0.5769 * delays[1]
    return found


@_part
def _push(delays: Floats, now: float) -> None:
    for j in range(5, 0, -1):
        delays[j] = delays[j - 1]
    delays[0] = now


@_part
def _measure(i2: float, q2: float, state: Floats) -> None:
    """Homodyne discriminator: state = Q2, I2, Re, Im, period, smoothed period."""
    q2 = 0.2 * q2 + 0.8 * state[0]
    i2 = 0.2 * i2 + 0.8 * state[1]
    state[2] = 0.2 * (i2 * state[1] + q2 * state[0]) + 0.8 * state[2]
    state[3] = 0.2 * (i2 * state[0] - q2 * state[1]) + 0.8 * state[3]
    state[0], state[1] = q2, i2
    before = now = state[4]
    if state[3] != 0.0 and state[2] != 0.0:
        now = 360.0 / np.degrees(np.arctan(state[3] / state[2]))
    now = max(min(now, 1.5 * before), 0.67 * before)
    now = min(max(now, 6.0), 50.0)
    state[4] = 0.2 * now + 0.8 * before
    state[5] = 0.33 * state[4] + 0.67 * state[5]


@_part
def _sines(phase: float) -> tuple[float, float]:
    return np.sin(np.radians(phase)), np.sin(np.radians(phase + 45.0))
