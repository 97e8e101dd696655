"""Averages and filters that remember everything and are not one constant gain, over a whole panel.

Before the first bar the price is taken to have stood at the first price: no filter starts from 0. All are written as
steps from the level before, so that a constant price gives that price exactly.

Shapes: inputs and outputs (N,), offsets (S+1,), starts (S,), carry (K, S) as in `recursive`; row 0 counts bars.
NaN: a NaN input makes the rest of its symbol NaN.
"""

import numpy as np

from agents.kernels.compiling import decorators
from agents.kernels.types import Floats, Ints

_jit, _ = decorators(__file__)


@_jit
def switch(bars: Floats, shorter: Floats, longer: Floats, window: float, out: Floats) -> None:
    """`longer` where `bars` reaches `window`, else `shorter`: a row of these chooses an average by its window."""
    for i in range(out.size):
        known = bars[i] + shorter[i] + longer[i]
        out[i] = (longer[i] if bars[i] >= window else shorter[i]) + (known - known)


@_jit
def follow(
    values: Floats,
    seed: Floats,
    gains: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    out: Floats,
) -> None:
    """level += (value - level) * gain, a gain for every bar; the level before the first bar is its `seed`. carry 2."""
    for s in range(starts.size):
        first, end = offsets[s] + starts[s], offsets[s + 1]
        level = carry[1, s]
        if carry[0, s] == 0.0 and end > first:
            level = seed[first]
        for i in range(first, end):
            level += (values[i] - level) * gains[i]
            out[i] = level
        carry[0, s] += end - first
        carry[1, s] = level


@_jit
def frama(
    price: Floats,
    seed: Floats,
    newer: Floats,
    older: Floats,
    whole: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    out: Floats,
) -> None:
    """A level that follows the price by the fractal dimension of its window. carry 3: count, level, dimension.

    newer, older, whole: range per bar of the two halves of the window and of all of it; where one of them is 0 the
    dimension stays what it was (1 at the beginning, a straight line). `seed` is the level before the first bar.
    """
    for s in range(starts.size):
        first, end = offsets[s] + starts[s], offsets[s + 1]
        level, dimension = carry[1, s], carry[2, s]
        if carry[0, s] == 0.0 and end > first:
            level, dimension = seed[first], 1.0
        for i in range(first, end):
            if newer[i] > 0.0 and older[i] > 0.0 and whole[i] > 0.0:
                dimension = np.log2((newer[i] + older[i]) / whole[i])
            gain = np.exp(-4.6 * (dimension - 1.0))
            level += (price[i] - level) * min(max(gain, 0.01), 1.0)
            out[i] = level
        carry[0, s] += end - first
        carry[1, s], carry[2, s] = level, dimension


@_jit
def mcginley(
    values: Floats,
    seed: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    window: int,
    factor: float,
    out: Floats,
) -> None:
    """level += (value - level) / (factor * window * (value / level)^4), never further than the value. carry 2.

    The first output is `seed`.
    """
    for s in range(starts.size):
        first, end = offsets[s] + starts[s], offsets[s + 1]
        level = carry[1, s]
        for i in range(first, end):
            if carry[0, s] == 0.0 and i == first:
                level = seed[first] + (values[first] - values[first])
            else:
                share = values[i] / level if level != 0.0 else 0.0
                level += (values[i] - level) / max(1.0, factor * window * (share * share) * (share * share))
            out[i] = level
        carry[0, s] += end - first
        carry[1, s] = level


@_jit
def holt_winters(
    values: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    level_gain: float,
    speed_gain: float,
    bend_gain: float,
    out: Floats,
) -> None:
    """Level, speed and acceleration, each smoothed; the output is where they point to. carry 4."""
    for s in range(starts.size):
        first, end = offsets[s] + starts[s], offsets[s + 1]
        level, speed, bend = carry[1, s], carry[2, s], carry[3, s]
        if carry[0, s] == 0.0 and end > first:
            level = values[first]
        for i in range(first, end):
            ahead = level + speed + 0.5 * bend
            now = ahead + level_gain * (values[i] - ahead)
            faster = speed + bend + speed_gain * (now - level - (speed + bend))
            bend += bend_gain * (faster - speed - bend)
            level, speed = now, faster
            out[i] = level + speed + 0.5 * bend
        carry[0, s] += end - first
        carry[1, s], carry[2, s], carry[3, s] = level, speed, bend


@_jit
def low_pass(
    values: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    b0: float,
    b1: float,
    b2: float,
    b3: float,
    a2: float,
    a3: float,
    out: Floats,
) -> None:
    """y = b0 x + b1 x[1] + b2 x[2] + b3 x[3] + a1 y[1] + a2 y[2] + a3 y[3] with all coefficients adding up to 1.

    a1 follows from that. carry 7: count, x[1..3], y[1..3].
    """
    for s in range(starts.size):
        first, end = offsets[s] + starts[s], offsets[s + 1]
        x1, x2, x3 = carry[1, s], carry[2, s], carry[3, s]
        y1, y2, y3 = carry[4, s], carry[5, s], carry[6, s]
        if carry[0, s] == 0.0 and end > first:
            x1 = x2 = x3 = y1 = y2 = y3 = values[first]
        for i in range(first, end):
            x = values[i]
            forward = b0 * (x - y1) + b1 * (x1 - y1) + b2 * (x2 - y1) + b3 * (x3 - y1)
            y = y1 + (forward + a2 * (y2 - y1) + a3 * (y3 - y1))
            x1, x2, x3 = x, x1, x2
            y1, y2, y3 = y, y1, y2
            out[i] = y
        carry[0, s] += end - first
        carry[1, s], carry[2, s], carry[3, s] = x1, x2, x3
        carry[4, s], carry[5, s], carry[6, s] = y1, y2, y3


@_jit
def laguerre(
    values: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, damping: float, out: Floats
) -> None:
    """Ehlers' Laguerre filter: four all-pass stages, averaged 1 : 2 : 2 : 1. carry 5: count, stages."""
    for s in range(starts.size):
        first, end = offsets[s] + starts[s], offsets[s + 1]
        p0, p1, p2, p3 = carry[1, s], carry[2, s], carry[3, s], carry[4, s]
        if carry[0, s] == 0.0 and end > first:
            p0 = p1 = p2 = p3 = values[first]
        for i in range(first, end):
            q0 = values[i] + damping * (p0 - values[i])
            q1 = p0 + damping * (p1 - q0)
            q2 = p1 + damping * (p2 - q1)
            q3 = p2 + damping * (p3 - q2)
            p0, p1, p2, p3 = q0, q1, q2, q3
            out[i] = p0 + (2.0 * (p1 - p0) + 2.0 * (p2 - p0) + (p3 - p0)) / 6.0
        carry[0, s] += end - first
        carry[1, s], carry[2, s], carry[3, s], carry[4, s] = p0, p1, p2, p3


@_jit
def kalman(
    values: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, process: float, noise: float, out: Floats
) -> None:
    """Kalman filter of a level that wanders with variance `process` per bar, seen with variance `noise`. carry 3.

    Begins at the first value with the variance of one observation.
    """
    for s in range(starts.size):
        first, end = offsets[s] + starts[s], offsets[s + 1]
        level, doubt = carry[1, s], carry[2, s]
        for i in range(first, end):
            if carry[0, s] == 0.0 and i == first:
                level, doubt = values[i], noise
            else:
                doubt += process
                gain = doubt / (doubt + noise)
                level += (values[i] - level) * gain
                doubt *= 1.0 - gain
            out[i] = level
        carry[0, s] += end - first
        carry[1, s], carry[2, s] = level, doubt
