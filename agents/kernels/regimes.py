"""Memories that say which state a market is in, over a whole panel, one symbol after the other.

What is carried stands in `carry` (K, S), row 0 being the count of bars seen. No value uses a later bar: states are
filtered, not smoothed. Shapes: inputs and outputs (N,), offsets (S+1,). The inputs hold no NaN.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

_jit, _ = decorators(__file__)


@_jit
def market_state(
    price: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    rise: float,
    fall: float,
    state: Floats,
    extreme: Floats,
) -> None:
    """1 = bull, -1 = bear, 0 = not yet known; and the peak of the bull or the trough of the bear.

    A bear begins `fall` below the peak, a bull `rise` above the trough (fractions). Before the first of the two both
    extremes are followed and the peak is given. carry (4, S): count, state, peak, trough.
    """
    for s in range(offsets.size - 1):
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            now = price[i]
            if carry[0, s] == 0.0:
                carry[2, s] = carry[3, s] = now
            carry[0, s] += 1.0
            carry[2, s], carry[3, s] = max(carry[2, s], now), min(carry[3, s], now)
            if carry[1, s] >= 0.0 and now <= carry[2, s] * (1.0 - fall):
                carry[1, s], carry[3, s] = -1.0, now
            elif carry[1, s] <= 0.0 and now >= carry[3, s] * (1.0 + rise):
                carry[1, s], carry[2, s] = 1.0, now
            state[i] = carry[1, s]
            extreme[i] = carry[3, s] if carry[1, s] < 0.0 else carry[2, s]


@_jit
def underwater(
    price: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, depth: Floats, bars: Floats, worst: Floats
) -> None:
    """Distance from the highest price so far (a fraction, 0 or less), bars since it, and the deepest since it.

    carry (4, S): count, peak, bars since, deepest.
    """
    for s in range(offsets.size - 1):
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            if carry[0, s] == 0.0 or price[i] >= carry[1, s]:
                carry[1, s], carry[2, s], carry[3, s] = price[i], 0.0, 0.0
            else:
                carry[2, s] += 1.0
            carry[0, s] += 1.0
            away = price[i] - carry[1, s]
            depth[i] = away / carry[1, s] if away != 0.0 else 0.0
            carry[3, s] = min(carry[3, s], depth[i])
            bars[i], worst[i] = carry[2, s], carry[3, s]


@_jit
def two_states(
    step: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    calm: float,
    wild: float,
    stay_calm: float,
    stay_wild: float,
    out: Floats,
) -> None:
    """Filtered probability that a step was drawn from the wild one of two normal laws of mean 0 (Hamilton 1989).

    Begins with the stationary probability. carry (2, S): count, probability.
    """
    leave_calm, leave_wild = 1.0 - stay_calm, 1.0 - stay_wild
    for s in range(offsets.size - 1):
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            if carry[0, s] == 0.0:
                prior = leave_calm / (leave_calm + leave_wild)
            else:
                prior = carry[1, s] * stay_wild + (1.0 - carry[1, s]) * leave_calm
            carry[0, s] += 1.0
            a, b = step[i] / calm, step[i] / wild
            against = (1.0 - prior) * (wild / calm) * np.exp(0.5 * (b * b - a * a))  # likelihoods over the wild one's
            out[i] = carry[1, s] = prior / (prior + against)


@_jit
def cusum(step: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, threshold: float, out: Floats) -> None:
    """1 or -1 at a bar at which the steps since the last such bar have drifted `threshold` up or down, else 0.

    carry (3, S): count, drift up, drift down.
    """
    for s in range(offsets.size - 1):
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            carry[0, s] += 1.0
            up, down = max(0.0, carry[1, s] + step[i]), min(0.0, carry[2, s] + step[i])
            event = -1.0 if down < -threshold else 1.0 if up > threshold else 0.0
            carry[1, s] = 0.0 if event > 0.0 else up
            carry[2, s] = 0.0 if event < 0.0 else down
            out[i] = event


@_jit
def page_hinkley(
    values: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    slack: float,
    threshold: float,
    alarm: Floats,
    up: Floats,
    down: Floats,
) -> None:
    """Page and Hinkley's test for a changed mean: 1 risen, -1 fallen, 0 no change; and its two statistics.

    Distances from the mean since the last alarm, less `slack`, are summed; an alarm when a sum stands more than
    `threshold` beyond its extreme. An alarm begins anew. carry (5, S): count, bars, mean, two sums.
    """
    for s in range(offsets.size - 1):
        for i in range(offsets[s] + starts[s], offsets[s + 1]):
            carry[0, s] += 1.0
            carry[1, s] += 1.0
            carry[2, s] += (values[i] - carry[2, s]) / carry[1, s]
            away = values[i] - carry[2, s]
            carry[3, s] = max(0.0, carry[3, s] + away - slack)
            carry[4, s] = max(0.0, carry[4, s] - away - slack)
            up[i], down[i] = carry[3, s], carry[4, s]
            alarm[i] = 1.0 if carry[3, s] > threshold else -1.0 if carry[4, s] > threshold else 0.0
            if alarm[i] != 0.0:
                carry[1:5, s] = 0.0
