"""Indicators that remember everything since the first bar, over a whole panel: averages that decay, and sums.

All but two rest on one step, `level += (value - level) * gain`: gain 1/1, 1/2, ... 1/window while seeding (a plain
mean, as TA-Lib seeds), then constant (2 / (window + 1), or Wilder's 1 / window). A single series cannot go faster than
the latency of that step, so eight symbols advance in one vector (`stepping`), all levels of an indicator in one pass;
each symbol's own order of operations (`steps`) is the same in every group, block and cut, and so are its bits.

What is carried from call to call is `carry`, rows of (S,): the count of bars seen, then one level per average.
`starts` (S,) says how many rows at the head of each symbol were consumed by earlier calls and only stand there as
"the bar before"; their outputs are not defined. All zeros = from the beginning.
`order` (S,) is the order in which symbols are taken, short ones first, so that eight neighbours end together.

Shapes: inputs and outputs (N,), offsets (S+1,). A NaN input makes the rest of its symbol NaN.
"""

from agents.kernels import stepping, steps
from agents.kernels.compiling import decorators
from agents.kernels.stepping import advance
from agents.kernels.types import Floats, Ints
from agents.kernels.vectors import WIDTH

LANES = WIDTH
_jit, _ = decorators(__file__, *stepping.SOURCES, *steps.SOURCES)


@_jit
def ema(values: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, window: int, out: Floats) -> None:
    """Exponential mean, seeded with the plain mean of `window` values; warm-up window - 1. carry (2, S)."""
    params, plan = steps.ema_terms(window)
    advance(steps.mean, steps.mean_shown, (values,), (out,), offsets, order, starts, carry, (0.0,), params, plan)


@_jit
def fading(values: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, gain: float, out: Floats) -> None:
    """Exponential mean that begins with the first value. No warm-up. carry (2, S)."""
    advance(
        steps.mean, steps.mean_shown, (values,), (out,), offsets, order, starts, carry, (0.0,), (1, gain), (1, (0,))
    )


@_jit
def wilder(values: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, window: int, out: Floats) -> None:
    """Wilder's mean, seeded with the plain mean of `window` values; warm-up window - 1. carry (2, S)."""
    params, plan = steps.wilder_terms(window)
    advance(steps.mean, steps.mean_shown, (values,), (out,), offsets, order, starts, carry, (0.0,), params, plan)


@_jit
def macd(
    values: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    fast: int,
    slow: int,
    signal: int,
    line: Floats,
    trigger: Floats,
    gap: Floats,
) -> None:
    """Fast minus slow exponential mean, its own exponential mean, and their difference. carry (4, S).

    Seeded like TA-Lib: both means start at the same bar, so the fast one skips the first slow - fast values.
    Warm-up of all three: slow + signal - 2.
    """
    params, plan = steps.macd_terms(fast, slow, signal)
    outs, levels = (line, trigger, gap), (0.0, 0.0, 0.0)
    advance(steps.macd, steps.macd_shown, (values,), outs, offsets, order, starts, carry, levels, params, plan)


@_jit
def wilder_rsi(
    close: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, window: int, out: Floats
) -> None:
    """Relative strength index, Wilder smoothing, 0..100; 50 while the price has never moved. carry (3, S).

    Warm-up `window`. Ratio first: 100 * gain / total can exceed 100.
    """
    params, plan = steps.later_terms(window)
    advance(steps.rsi, steps.rsi_shown, (close,), (out,), offsets, order, starts, carry, (0.0, 0.0), params, plan)


@_jit
def atr(
    high: Floats,
    low: Floats,
    close: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    window: int,
    out: Floats,
) -> None:
    """Wilder's average true range, seeded with the mean of `window` ranges; warm-up `window`. carry (2, S)."""
    params, plan = steps.later_terms(window)
    advance(
        steps.atr, steps.mean_shown, (high, low, close), (out,), offsets, order, starts, carry, (0.0,), params, plan
    )


@_jit
def adx(
    high: Floats,
    low: Floats,
    close: Floats,
    offsets: Ints,
    order: Ints,
    starts: Ints,
    carry: Floats,
    window: int,
    strength: Floats,
    plus: Floats,
    minus: Floats,
) -> None:
    """Wilder's directional movement: ADX and the two directional indicators, 0..100. carry (5, S).

    Seeded like TA-Lib: the sums over the first window - 1 moves are the means of `window` with a first move of 0.
    Warm-up: ADX 2 * window - 1, the indicators `window`. 0 where there is no range or no direction.
    """
    params, plan = steps.adx_terms(window)
    inputs, outs, levels = (high, low, close), (strength, plus, minus), (0.0, 0.0, 0.0, 0.0)
    advance(steps.adx, steps.adx_shown, inputs, outs, offsets, order, starts, carry, levels, params, plan)


@_jit
def obv(close: Floats, volume: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, out: Floats) -> None:
    """On-balance volume: volume added on rising closes, taken off on falling ones; starts at the first volume.

    No warm-up. carry (2, S).
    """
    advance(steps.obv, steps.mean_shown, (close, volume), (out,), offsets, order, starts, carry, (0.0,), (), (1, (0,)))


@_jit
def total(values: Floats, offsets: Ints, order: Ints, starts: Ints, carry: Floats, out: Floats) -> None:
    """Sum of all values so far. No warm-up. carry (2, S)."""
    advance(steps.total, steps.mean_shown, (values,), (out,), offsets, order, starts, carry, (0.0,), (), (1, (0,)))
