"""What one bar does to an indicator that remembers: written once, for a symbol alone and for eight in one vector.

`x(levels, now, before, count, params)` gives the levels after a bar. now, before: this row of every input and the one
ahead of it; count: bars seen with this one, None once every seeding is over. `x_shown(levels)` gives the outputs.
`x_terms(...)` gives params, and what `stepping.advance` calls the plan: bars after which nothing is seeding, warm-ups.
Levels, rows and outputs are tuples of floats or of `Eight`. Definitions, seeds and edges: see `recursive`.
"""

from typing import Any

from agents.kernels import tiles
from agents.kernels.compiling import decorators
from agents.kernels.tiles import above, equal, magnitude

SOURCES = (__file__, *tiles.SOURCES)
_, _part = decorators(*SOURCES)


@_part
def ema_terms(window: int) -> Any:
    """Exponential mean."""
    return (window, 2.0 / (window + 1.0)), (window, (window - 1,))


@_part
def wilder_terms(window: int) -> Any:
    """Wilder's mean."""
    return (window, 1.0 / window), (window, (window - 1,))


@_part
def macd_terms(fast: int, slow: int, signal: int) -> Any:
    """MACD: fast, slow and signal mean."""
    warmup = slow + signal - 2
    params = (fast, slow, signal, 2.0 / (fast + 1.0), 2.0 / (slow + 1.0), 2.0 / (signal + 1.0))
    return params, (warmup + 1, (warmup, warmup, warmup))


@_part
def later_terms(window: int) -> Any:
    """Of what speaks of a bar and the one before: Wilder's mean from the second bar on."""
    return (window, 1.0 / window), (window + 1, (window,))


@_part
def adx_terms(window: int) -> Any:
    """Directional movement."""
    return (window, 1.0 / window), (2 * window, (2 * window - 1, window, window))


@_part
def _smooth(level: Any, value: Any, count: Any, late: int, window: int, gain: float) -> Any:
    """The step all averages share; the first `late` bars are not theirs."""
    if count is None:
        return level + (value - level) * gain
    number = count - late
    if number > window:
        return level + (value - level) * gain
    return level + (value - level) / float(number) if number > 0 else level


@_part
def mean(levels: Any, now: Any, before: Any, count: Any, params: Any) -> Any:
    """A mean that decays."""
    window, gain = params
    return (_smooth(levels[0], now[0], count, 0, window, gain),)


@_part
def mean_shown(levels: Any) -> Any:
    """The only level, as it is."""
    return levels


@_part
def macd(levels: Any, now: Any, before: Any, count: Any, params: Any) -> Any:
    """Fast mean, slow mean, mean of their difference."""
    fast, slow, signal, quick, calm, follow = params
    a = _smooth(levels[0], now[0], count, slow - fast, fast, quick)
    b = _smooth(levels[1], now[0], count, 0, slow, calm)
    return a, b, _smooth(levels[2], a - b, count, slow - 1, signal, follow)


@_part
def macd_shown(levels: Any) -> Any:
    """Line, trigger and gap."""
    line = levels[0] - levels[1]
    return line, levels[2], line - levels[2]


@_part
def rsi(levels: Any, now: Any, before: Any, count: Any, params: Any) -> Any:
    """Means of rises and of falls."""
    window, gain = params
    step = now[0] - before[0]  # of the first bar, which has none before it, nothing is used
    rise, fall = above(0.0, step, 0.0, step), above(step, 0.0, 0.0, -step)
    return _smooth(levels[0], rise, count, 1, window, gain), _smooth(levels[1], fall, count, 1, window, gain)


@_part
def rsi_shown(levels: Any) -> Any:
    """Their share, 0..100."""
    both = levels[0] + levels[1]
    return (equal(both, 0.0, 50.0, 100.0 * (levels[0] / both)),)


@_part
def atr(levels: Any, now: Any, before: Any, count: Any, params: Any) -> Any:
    """Mean of the true range."""
    window, gain = params
    return (_smooth(levels[0], _true_range(now, before), count, 1, window, gain),)


@_part
def _true_range(now: Any, before: Any) -> Any:
    high, low, close = now[0], now[1], before[2]
    rise, fall, reach = magnitude(high - close), magnitude(low - close), high - low
    reach = above(rise, reach, rise, reach)
    known = rise + low  # a NaN compares as false and would be lost: carry it over
    return above(fall, reach, fall, reach) + (known - known)


@_part
def adx(levels: Any, now: Any, before: Any, count: Any, params: Any) -> Any:
    """Means of up moves, down moves, ranges and strength of direction."""
    window, gain = params
    rise, fall = now[0] - before[0], before[1] - now[1]
    none = (rise + fall) - (rise + fall)  # 0, and NaN where a price is
    up, down = (
        above(rise, fall, above(rise, 0.0, rise, none), none),
        above(fall, rise, above(fall, 0.0, fall, none), none),
    )
    reach = _true_range(now, before)
    if count is not None:
        first = 0.0 if count == 1 else 1.0  # the first bar has not moved, whatever it holds
        up, down, reach = above(first, 0.0, up, 0.0), above(first, 0.0, down, 0.0), above(first, 0.0, reach, 0.0)
    a = _smooth(levels[0], up, count, 0, window, gain)
    b = _smooth(levels[1], down, count, 0, window, gain)
    c = _smooth(levels[2], reach, count, 0, window, gain)
    strength = equal(a + b, 0.0, 0.0, 100.0 * (magnitude(a - b) / (a + b)))
    return a, b, c, _smooth(levels[3], strength, count, window, window, gain)


@_part
def adx_shown(levels: Any) -> Any:
    """ADX and the two indicators."""
    scale = equal(levels[2], 0.0, 0.0, 100.0 / levels[2])
    rising, falling = levels[0] * scale, levels[1] * scale  # one division for both may round up past 100
    return levels[3], above(rising, 100.0, 100.0, rising), above(falling, 100.0, 100.0, falling)


@_part
def obv(levels: Any, now: Any, before: Any, count: Any, params: Any) -> Any:
    """Signed volume, summed."""
    move, volume = now[0] - before[0], now[1]
    signed = above(move, 0.0, volume, move - move)  # 0, and NaN where a price is
    signed = above(0.0, move, -volume, signed)
    if count is not None:
        signed = above(1.0 if count == 1 else 0.0, 0.0, volume, signed)
    return (levels[0] + signed,)


@_part
def total(levels: Any, now: Any, before: Any, count: Any, params: Any) -> Any:
    """Sum."""
    return (levels[0] + now[0],)
