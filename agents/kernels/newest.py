"""Only the newest value of each symbol, from its whole history: the steps of `recursive`, in the same order, so to the
same bits, but nothing is stored on the way. For scans.

One compiled call takes any number of chains (`Chain`: which step, over which columns, with which numbers), eight
symbols at a time: a column is fetched from memory once, and every chain reads it from the caches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.kernels import stepping, steps
from agents.kernels.compiling import decorators
from agents.kernels.stepping import advance_group, scratch_of
from agents.kernels.types import Floats, Ints
from agents.kernels.vectors import WIDTH

COLUMNS = 6  # distinct inputs of one call
_MEAN, _RSI, _MACD, _ATR, _ADX = range(5)
_LEVELS, _OUTPUTS, _INPUTS, _NUMBERS = 4, 3, 3, 6  # room of a chain, whatever it uses of it
_KIND, _READY, _WARMUPS, _SLOTS, _FACTS = 0, 1, 2, 5, 8  # its whole numbers, and how many
_jit, _part = decorators(__file__, *stepping.SOURCES, *steps.SOURCES)


@dataclass(frozen=True, slots=True)
class Chain:
    """A step with its numbers.

    kind: names the step. numbers: its params. ready: bars after which nothing is seeding. warmups: one per output.
    """

    kind: int
    numbers: tuple[float, ...]
    ready: int
    warmups: tuple[int, ...]


def ema(window: int) -> Chain:
    """See `recursive.ema`."""
    return _chain(_MEAN, steps.ema_terms, window)


def wilder(window: int) -> Chain:
    """See `recursive.wilder`."""
    return _chain(_MEAN, steps.wilder_terms, window)


def wilder_rsi(window: int) -> Chain:
    """See `recursive.wilder_rsi`."""
    return _chain(_RSI, steps.later_terms, window)


def atr(window: int) -> Chain:
    """See `recursive.atr`."""
    return _chain(_ATR, steps.later_terms, window)


def adx(window: int) -> Chain:
    """See `recursive.adx`."""
    return _chain(_ADX, steps.adx_terms, window)


def macd(fast: int, slow: int, signal: int) -> Chain:
    """See `recursive.macd`."""
    return _chain(_MACD, steps.macd_terms, fast, slow, signal)


def newest(
    columns: Sequence[Floats], offsets: Ints, order: Ints, chains: Sequence[Chain], slots: Sequence[Sequence[int]]
) -> Floats:
    """The newest outputs of every chain.

    Shapes: columns up to `COLUMNS` of (N,) read-only; offsets (S+1,); order (S,) symbols by length; slots: per chain,
            which of the columns are its inputs -> (chains, 3, S); NaN where a symbol is still warming up, or empty.
    """
    facts, numbers = np.zeros((len(chains), _FACTS), np.int64), np.zeros((len(chains), _NUMBERS))
    for i, (chain, wanted) in enumerate(zip(chains, slots, strict=True)):
        facts[i, _KIND], facts[i, _READY] = chain.kind, chain.ready
        facts[i, _WARMUPS : _WARMUPS + len(chain.warmups)] = chain.warmups
        facts[i, _SLOTS : _SLOTS + len(wanted)] = wanted
        numbers[i, : len(chain.numbers)] = chain.numbers
    results = np.empty((len(chains), _OUTPUTS, offsets.size - 1))
    carries = np.zeros((len(chains), 1 + _LEVELS, offsets.size - 1))
    filled = [*columns, *[columns[0]] * (COLUMNS - len(columns))]
    _run(*filled, offsets, order, facts, numbers, carries, results)
    return results


def _chain(kind: int, terms: Any, *params: int) -> Chain:
    numbers, (ready, warmups) = terms.py_func(*params)
    return Chain(kind, numbers, ready, warmups)


@_jit
def _run(
    a: Floats,
    b: Floats,
    c: Floats,
    d: Floats,
    e: Floats,
    f: Floats,
    offsets: Ints,
    order: Ints,
    facts: Ints,
    numbers: Floats,
    carries: Floats,
    results: Floats,
) -> None:
    """All chains over eight symbols, then over the next: the second chain finds what it reads in the caches."""
    columns, starts = (a, b, c, d, e, f), np.zeros(offsets.size - 1, np.int64)
    scratch = scratch_of(_LEVELS, _INPUTS, 0)
    for group in range(0, order.size, WIDTH):
        for i in range(len(facts)):
            kind, plan, carry = facts[i, _KIND], (facts[i, _READY], ()), carries[i]
            x, y, z = columns[facts[i, _SLOTS]], columns[facts[i, _SLOTS + 1]], columns[facts[i, _SLOTS + 2]]
            one, three, params = (x,), (x, y, z), (int(numbers[i, 0]), numbers[i, 1])
            if kind == _MEAN:
                zeros1 = (0.0,)
                advance_group(
                    steps.mean,
                    steps.mean_shown,
                    one,
                    (),
                    group,
                    offsets,
                    order,
                    starts,
                    carry,
                    zeros1,
                    params,
                    plan,
                    scratch,
                )
            elif kind == _RSI:
                zeros2 = (0.0, 0.0)
                advance_group(
                    steps.rsi,
                    steps.rsi_shown,
                    one,
                    (),
                    group,
                    offsets,
                    order,
                    starts,
                    carry,
                    zeros2,
                    params,
                    plan,
                    scratch,
                )
            elif kind == _MACD:
                spans = (int(numbers[i, 0]), int(numbers[i, 1]), int(numbers[i, 2]))
                six = (*spans, numbers[i, 3], numbers[i, 4], numbers[i, 5])
                zeros3 = (0.0, 0.0, 0.0)
                advance_group(
                    steps.macd,
                    steps.macd_shown,
                    one,
                    (),
                    group,
                    offsets,
                    order,
                    starts,
                    carry,
                    zeros3,
                    six,
                    plan,
                    scratch,
                )
            elif kind == _ATR:
                zeros1 = (0.0,)
                advance_group(
                    steps.atr,
                    steps.mean_shown,
                    three,
                    (),
                    group,
                    offsets,
                    order,
                    starts,
                    carry,
                    zeros1,
                    params,
                    plan,
                    scratch,
                )
            else:
                zeros4 = (0.0, 0.0, 0.0, 0.0)
                advance_group(
                    steps.adx,
                    steps.adx_shown,
                    three,
                    (),
                    group,
                    offsets,
                    order,
                    starts,
                    carry,
                    zeros4,
                    params,
                    plan,
                    scratch,
                )
    for i in range(len(facts)):
        for s in range(offsets.size - 1):
            levels = (carries[i, 1, s], carries[i, 2, s], carries[i, 3, s], carries[i, 4, s])
            shown = _shown(facts[i, _KIND], levels)
            for j in range(_OUTPUTS):
                known = offsets[s + 1] - offsets[s] > facts[i, _WARMUPS + j]
                results[i, j, s] = shown[j] if known else np.nan


@_part
def _shown(kind: int, levels: Any) -> Any:
    """Three outputs, whatever the chain has."""
    if kind == _RSI:
        share = steps.rsi_shown(levels)[0]
        return share, share, share
    if kind == _MACD:
        return steps.macd_shown(levels)
    if kind == _ADX:
        return steps.adx_shown(levels)
    return levels[0], levels[0], levels[0]
