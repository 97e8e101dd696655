"""Comparisons and logic on 64 bars at a time, and the bars at which a position opens or closes.

A mask is a row of uint64 words: bit b of word w speaks of bar 64 w + b of one symbol. Bits behind the last bar are
undefined. A comparison with NaN is false, so a condition is two masks, what is true and what is false;
`agents.backtest.sweep_program` works out which of them is needed.

Shapes: table (rows, W) uint64; lines (L * N + PADDING,) float64, line l of the block at l * N; words W.
"""

from typing import Any, TypeAlias

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from agents.kernels.compiling import decorators
from agents.kernels.types import Bools, Floats, Ints

Words: TypeAlias = NDArray[np.uint64]
Singles: TypeAlias = NDArray[np.float32]

BITS = 64
PADDING = 64  # numbers behind the last line, which the last word may read
AND, OR, NOT_ABOVE, CROSS, NO_CROSS = range(5)
_ONE, _TOP = np.uint64(1), np.uint64(63)
_DOUBLES, _WORD = ir.VectorType(ir.DoubleType(), BITS), ir.IntType(BITS)
_WIDTHS = {types.float32: ir.VectorType(ir.FloatType(), BITS), types.float64: _DOUBLES}
_emitted: Any = intrinsic  # its own type asks callers for the first argument as well
_, _part = decorators(__file__)


@_emitted
def above(typing: Any, column: Any, i: Any, other: Any, j: Any) -> Any:
    """Bit b: column[i + b] > other[j + b]. Reads 64 numbers of each, whatever lies there."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        left = _doubles(context, builder, signature.args[0], given[0], given[1])
        right = _doubles(context, builder, signature.args[2], given[2], given[3])
        return builder.bitcast(builder.fcmp_ordered(">", left, right), _WORD)

    return types.uint64(column, i, other, j), emit


@_emitted
def beyond(typing: Any, column: Any, i: Any, value: Any, sign: Any) -> Any:
    """Bit b: column[i + b] > value, or < value where `sign` is negative."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        left = _doubles(context, builder, signature.args[0], given[0], given[1])
        first = builder.insert_element(ir.Constant(_DOUBLES, ir.Undefined), given[2], ir.IntType(32)(0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), BITS), [0] * BITS)
        right = builder.shuffle_vector(first, first, zeros)
        more, less = (builder.bitcast(builder.fcmp_ordered(test, left, right), _WORD) for test in "><")
        return builder.select(builder.icmp_signed("<", given[3], given[3].type(0)), less, more)

    return types.uint64(column, i, types.float64, sign), emit


@_emitted
def is_number(typing: Any, column: Any, i: Any) -> Any:
    """Bit b: column[i + b] is not NaN."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        values = _doubles(context, builder, signature.args[0], given[0], given[1])
        return builder.bitcast(builder.fcmp_ordered("ord", values, values), _WORD)

    return types.uint64(column, i), emit


@_emitted
def shorten(typing: Any, column: Any, i: Any, out: Any, j: Any) -> Any:
    """out[j + b] = column[i + b], rounded to float32, for 64 numbers."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        values = _doubles(context, builder, signature.args[0], given[0], given[1])
        place = builder.gep(context.make_array(signature.args[2])(context, builder, given[2]).data, [given[3]])
        width = _WIDTHS[types.float32]
        builder.store(builder.fptrunc(values, width), builder.bitcast(place, width.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(column, i, out, j), emit


@_emitted
def lowest_bit(typing: Any, word: Any) -> Any:
    """Number of the lowest bit that is set; 64 when none is."""
    return types.int64(types.uint64), lambda context, builder, signature, given: builder.cttz(
        given[0], ir.IntType(1)(0)
    )


@_emitted
def highest_bit(typing: Any, number: Any) -> Any:
    """Number of the highest bit that is set, of an int64 that is not 0."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.sub(_WORD(BITS - 1), builder.ctlz(given[0], ir.IntType(1)(1)))

    return types.int64(types.int64), emit


@_emitted
def bits_of(typing: Any, word: Any) -> Any:
    """How many bits are set."""
    return types.int64(types.uint64), lambda context, builder, signature, given: builder.ctpop(given[0])


@_part
def compare(
    lines: Floats, short: Singles, rows: int, start: int, words: int, pairs: Ints, first: int, last: int, table: Words
) -> None:
    """For pairs (a, b, row) of lines: a > b into `row`, b > a into the row after it.

    Rounding keeps the order, or makes two numbers equal: `short` decides all that differs in float32, at half the
    price, and words in which two known numbers are equal there are compared again in full.
    """
    for p in range(first, last):
        a, b, row = pairs[p, 0], pairs[p, 1], pairs[p, 2]
        for w in range(words):
            i, j = (a * words + w) * BITS, (b * words + w) * BITS
            more, less = above(short, i, short, j), above(short, j, short, i)
            if table[2 + a, w] & table[2 + b, w] & ~(more | less) != np.uint64(0):
                i, j = a * rows + start + BITS * w, b * rows + start + BITS * w
                more, less = above(lines, i, lines, j), above(lines, j, lines, i)
            table[row, w], table[row + 1, w] = more, less


@_part
def compare_values(
    lines: Floats, rows: int, start: int, words: int, pairs: Ints, values: Floats, first: int, last: int, table: Words
) -> None:
    """For pairs (a, row) of a line and its value: a > value into `row`, value > a into the row after it."""
    for p in range(first, last):
        a, row, value = pairs[p, 0] * rows + start, pairs[p, 1], values[p]
        for w in range(words):
            more, less = beyond(lines, a + BITS * w, value, 1), beyond(lines, a + BITS * w, value, -1)
            table[row, w], table[row + 1, w] = more, less


@_part
def read(lines: Floats, rows: int, start: int, words: int, count: int, table: Words, short: Singles) -> None:
    """Row 0: all true. Row 1: all false. Row 2 + l: where line l is a number. short (count * 64 W,): float32 of all."""
    for w in range(words):
        table[0, w] = ~np.uint64(0)
        table[1, w] = np.uint64(0)
    for line in range(count):
        at, to = line * rows + start, line * words * BITS
        for w in range(words):
            table[2 + line, w] = is_number(lines, at + BITS * w)
            shorten(lines, at + BITS * w, short, to + BITS * w)


@_part
def combine(ops: Ints, first: int, last: int, words: int, table: Words) -> None:
    """Steps (code, row, x, y, z) over whole rows, in order. A step reads rows that are there already.

    AND, OR: x and y, x or y.     NOT_ABOVE: not x, where y and z are known.
    CROSS:    x now, not x but known (y, z) on the bar before.
    NO_CROSS: not x, where y and z are known now and on the bar before.
    """
    for o in range(first, last):
        code, row, x, y, z = ops[o, 0], ops[o, 1], ops[o, 2], ops[o, 3], ops[o, 4]
        if code == AND:
            for w in range(words):
                table[row, w] = table[x, w] & table[y, w]
        elif code == OR:
            for w in range(words):
                table[row, w] = table[x, w] | table[y, w]
        elif code == NOT_ABOVE:
            for w in range(words):
                table[row, w] = table[y, w] & table[z, w] & ~table[x, w]
        elif code == CROSS:
            table[row, 0] = table[x, 0] & ((table[y, 0] & table[z, 0] & ~table[x, 0]) << _ONE)
            for w in range(1, words):
                now = table[y, w] & table[z, w] & ~table[x, w]
                before = table[y, w - 1] & table[z, w - 1] & ~table[x, w - 1]
                table[row, w] = table[x, w] & ((now << _ONE) | (before >> _TOP))
        else:
            table[row, 0] = _both(table, y, z, 0) & (_both(table, y, z, 0) << _ONE) & ~table[x, 0]
            for w in range(1, words):
                now, before = _both(table, y, z, w), _both(table, y, z, w - 1)
                table[row, w] = now & ((now << _ONE) | (before >> _TOP)) & ~table[x, w]


@_part
def turns(enter: Words, leave: Words, words: int, out: Ints) -> int:
    """Bars at which a long position is decided on and given up, in turn; returns how many. out (64 W + 4,).

    Held or not is a carry: `enter` makes one, `leave` ends it, all other bars pass it on. So the additions of a CPU
    decide 64 bars at once. Where both hold nothing is bought, and what is held is sold.
    """
    count, carry = 0, np.uint64(0)
    for w in range(words):
        buys = enter[w] & ~leave[w]
        passes = ~leave[w]
        held = (passes + buys + carry) ^ passes ^ buys  # bit b: held before the decision of bar b
        carry = (buys | (passes & held)) >> _TOP
        turn = (buys & ~held) | (leave[w] & held)
        base, found = BITS * w, bits_of(turn)
        for k in range(4):  # more than there are: those are written over
            out[count + k] = base + lowest_bit(turn)
            turn &= turn - _ONE
        k = 4
        while turn != np.uint64(0):
            out[count + k] = base + lowest_bit(turn)
            turn &= turn - _ONE
            k += 1
        count += found
    return count


@_part
def expand(row: Words, out: Bools) -> None:
    """A mask as one truth per bar."""
    for i in range(out.size):
        out[i] = (row[i >> 6] >> np.uint64(i & 63)) & _ONE != np.uint64(0)


@_part
def _both(table: Words, y: int, z: int, w: int) -> Any:
    return table[y, w] & table[z, w]


def _doubles(context: Any, builder: Any, kind: Any, column: Any, first: Any) -> Any:
    place, width = builder.gep(context.make_array(kind)(context, builder, column).data, [first]), _WIDTHS[kind.dtype]
    return builder.load(builder.bitcast(place, width.as_pointer()), align=kind.dtype.bitwidth // 8)
