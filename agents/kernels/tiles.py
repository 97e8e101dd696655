"""Columns turned around in registers: eight bars of eight symbols, so that one `Eight` holds a bar of each symbol.

Columns lie symbol by symbol. A tile of 8 x 8 is loaded as eight vectors, one symbol each, and goes through three layers
of shuffles, which costs about a tenth of a nanosecond a bar; then a recurrence advances eight symbols in one operation.
`above`, `equal` and `magnitude` take floats as well as `Eight`: a formula is written once, and gives a symbol the same
bits alone and among eight.

`columns`: a tuple of contiguous float64 columns. `at` (8,) int64: a row of each lane. `room`: (n,) float64 of scratch.
Nothing is checked: rows lie inside the columns; only `fetch` may go astray.
Modules that use this pass it on, and `vectors`: `decorators(__file__, *tiles.SOURCES)`.
"""

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic as _intrinsic
from numba.extending import lower_builtin, overload, type_callable

from agents.kernels import vectors
from agents.kernels.vectors import WIDTH, Eight, EightType, size_of, where_above, where_equal

SOURCES = (__file__, vectors.__file__)
FETCHED = 64  # values that one `fetch` asks for: as many as a tile takes, so that reading and asking keep step
_INT, _LONG = ir.IntType(32), ir.IntType(64)
_tuple_of: Any = types.UniTuple  # without types of their own
_typed: Any = type_callable
_lowered: Any = lower_builtin
_declared: Any = cgutils.get_or_insert_function
intrinsic: Any = _intrinsic  # its type stub speaks of what it is called with inside kernels as if it were Python
_VECTOR = ir.VectorType(ir.DoubleType(), WIDTH)
_ADDRESS = ir.IntType(8).as_pointer()
_LINE = 8  # values in a cache line
# The layers of the transposition: how far apart the two rows are that meet, and what of their 16 values makes the new.
_LAYERS = (
    (1, (0, 8, 2, 10, 4, 12, 6, 14), (1, 9, 3, 11, 5, 13, 7, 15)),
    (2, (0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)),
    (4, (0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15)),
)


@intrinsic
def turn_in(typing: Any, columns: Any, at: Any, row: Any, room: Any) -> Any:
    """Eight bars from at + row of every column into `room`: eight times what `eights` reads."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        parts, target = _columns(context, builder, signature, given, 0), _data(context, builder, signature, given, 3)
        for number, data in enumerate(parts):
            rows = [_load(builder, data, place) for place in _places(context, builder, signature, given, 1, 2)]
            for bar, vector in enumerate(_turned(builder, rows)):
                _store(builder, vector, target, _LONG((bar * len(parts) + number) * WIDTH))
        return context.get_dummy_value()

    return types.void(columns, at, types.intp, room), emit


@intrinsic
def turn_out(typing: Any, room: Any, columns: Any, at: Any, row: Any) -> Any:
    """Eight bars from `room`, as `keep_eights` leaves them, to at + row of every column."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        parts, source = _columns(context, builder, signature, given, 1), _data(context, builder, signature, given, 0)
        for number, data in enumerate(parts):
            bars = [_load(builder, source, _LONG((bar * len(parts) + number) * WIDTH)) for bar in range(WIDTH)]
            places = _places(context, builder, signature, given, 2, 3)
            for vector, place in zip(_turned(builder, bars), places, strict=True):
                _store(builder, vector, data, place)
        return context.get_dummy_value()

    return types.void(room, columns, at, types.intp), emit


@intrinsic
def across(typing: Any, columns: Any, at: Any, row: Any) -> Any:
    """The bar at + row of every column: a tuple of `Eight`."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        found = []
        for data in _columns(context, builder, signature, given, 0):
            vector = ir.Constant(_VECTOR, ir.Undefined)
            for lane, place in enumerate(_places(context, builder, signature, given, 1, 2)):
                vector = builder.insert_element(vector, builder.load(builder.gep(data, [place])), _INT(lane))
            found.append(vector)
        return context.make_tuple(builder, signature.return_type, found)

    return _tuple_of(Eight, len(columns))(columns, at, types.intp), emit


@intrinsic
def eights(typing: Any, room: Any, first: Any, like: Any) -> Any:
    """As many `Eight` as `like` has entries, one after the other from `first`."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        data = _data(context, builder, signature, given, 0)
        found = [_load(builder, data, builder.add(given[1], _LONG(i * WIDTH))) for i in range(len(like))]
        return context.make_tuple(builder, signature.return_type, found)

    return _tuple_of(Eight, len(like))(room, types.intp, like), emit


@intrinsic
def keep_eights(typing: Any, room: Any, first: Any, like: Any, values: Any) -> Any:
    """The opposite of `eights`, for as many of `values` as `like` has entries."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        data = _data(context, builder, signature, given, 0)
        for i in range(len(like)):
            _store(builder, builder.extract_value(given[3], i), data, builder.add(given[1], _LONG(i * WIDTH)))
        return context.get_dummy_value()

    return types.void(room, types.intp, like, values), emit


@intrinsic
def singles(typing: Any, room: Any, lane: Any, like: Any) -> Any:
    """What `eights` from 0 would give, of one lane: a tuple of floats."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        data = _data(context, builder, signature, given, 0)
        places = [builder.add(given[1], _LONG(i * WIDTH)) for i in range(len(like))]
        found = [builder.load(builder.gep(data, [place])) for place in places]
        return context.make_tuple(builder, signature.return_type, found)

    return _tuple_of(types.float64, len(like))(room, types.intp, like), emit


@intrinsic
def keep_singles(typing: Any, room: Any, lane: Any, values: Any) -> Any:
    """The opposite of `singles`."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        data = _data(context, builder, signature, given, 0)
        for i in range(len(values)):
            place = builder.add(given[1], _LONG(i * WIDTH))
            builder.store(builder.extract_value(given[2], i), builder.gep(data, [place]))
        return context.get_dummy_value()

    return types.void(room, types.intp, values), emit


@intrinsic
def bar_of(typing: Any, columns: Any, row: Any) -> Any:
    """One row of every column: a tuple of floats."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        parts = _columns(context, builder, signature, given, 0)
        found = [builder.load(builder.gep(data, [given[1]])) for data in parts]
        return context.make_tuple(builder, signature.return_type, found)

    return _tuple_of(types.float64, len(columns))(columns, types.intp), emit


@intrinsic
def keep_bar(typing: Any, columns: Any, row: Any, values: Any) -> Any:
    """The opposite of `bar_of`; values beyond the last column are left out."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        for i, data in enumerate(_columns(context, builder, signature, given, 0)):
            builder.store(builder.extract_value(given[2], i), builder.gep(data, [given[1]]))
        return context.get_dummy_value()

    return types.void(columns, types.intp, values), emit


@intrinsic
def hide(typing: Any, columns: Any, row: Any, seen: Any, warmups: Any) -> Any:
    """NaN into one row of the columns whose warm-up, entry by entry of `warmups`, is more than `seen` bars."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        for i, data in enumerate(_columns(context, builder, signature, given, 0)):
            place = builder.gep(data, [given[1]])
            hidden = builder.icmp_signed("<", given[2], builder.extract_value(given[3], i))
            nothing = ir.Constant(ir.DoubleType(), float("nan"))
            builder.store(builder.select(hidden, nothing, builder.load(place)), place)
        return context.get_dummy_value()

    return types.void(columns, types.intp, types.intp, _tuple_of(types.intp, len(warmups))), emit


@intrinsic
def fetch(typing: Any, columns: Any, row: Any) -> Any:
    """Ask for the next `FETCHED` rows of every column.

    Also for columns that are about to be written: the request made for that (prefetchw) measured no gain here.
    """

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [_ADDRESS, _INT, _INT, _INT])
        ask = _declared(builder.module, kind, "llvm.prefetch.p0")
        for data in _columns(context, builder, signature, given, 0):
            for line in range(0, FETCHED, _LINE):
                place = builder.gep(data, [builder.add(given[1], _LONG(line))])
                # 1: into the second cache; eight lanes of what is ahead would crowd the first
                builder.call(ask, [builder.bitcast(place, _ADDRESS), _INT(0), _INT(1), _INT(1)])
        return context.get_dummy_value()

    return types.void(columns, types.intp), emit


def above(left: Any, right: Any, then: Any, otherwise: Any) -> Any:
    """`then` where left > right, `otherwise` elsewhere, as where one of the two is NaN."""
    return then if left > right else otherwise


def equal(left: Any, right: Any, then: Any, otherwise: Any) -> Any:
    """`then` where left == right, `otherwise` elsewhere, as where one of the two is NaN."""
    return then if left == right else otherwise


def magnitude(value: Any) -> Any:
    """Absolute value."""
    return abs(value)


@overload(above, strict=False)
def _above(left: Any, right: Any, then: Any, otherwise: Any) -> Any:
    if Eight in (left, right, then, otherwise):
        return lambda left, right, then, otherwise: where_above(
            _eight(left), _eight(right), _eight(then), _eight(otherwise)
        )
    return lambda left, right, then, otherwise: then if left > right else otherwise


@overload(equal, strict=False)
def _equal(left: Any, right: Any, then: Any, otherwise: Any) -> Any:
    if Eight in (left, right, then, otherwise):
        return lambda left, right, then, otherwise: where_equal(
            _eight(left), _eight(right), _eight(then), _eight(otherwise)
        )
    return lambda left, right, then, otherwise: then if left == right else otherwise


@overload(magnitude, strict=False)
def _magnitude(value: Any) -> Any:
    if value is Eight:
        return lambda value: size_of(value)  # noqa: PLW0108 - Numba compiles the lambda
    return lambda value: abs(value)  # noqa: PLW0108


@intrinsic
def _eight(typing: Any, value: Any) -> Any:
    """An `Eight`, of one number if need be."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        if signature.args[0] is Eight:
            return given[0]
        single = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), given[0], _INT(0))
        return builder.shuffle_vector(single, single, ir.Constant(ir.VectorType(_INT, WIDTH), [0] * WIDTH))

    return Eight(Eight if value is Eight else types.float64), emit


@_typed(operator.neg)
def _negative_type(context: Any) -> Any:
    return lambda value: Eight if value is Eight else None


@_lowered(operator.neg, EightType)
def _negative(context: Any, builder: Any, signature: Any, given: Any) -> Any:
    return builder.fneg(given[0])


def _data(context: Any, builder: Any, signature: Any, given: Any, number: int) -> Any:
    return context.make_array(signature.args[number])(context, builder, given[number]).data


def _columns(context: Any, builder: Any, signature: Any, given: Any, number: int) -> list[Any]:
    """Where the columns of a tuple begin."""
    kinds = signature.args[number].types
    return [
        context.make_array(kind)(context, builder, builder.extract_value(given[number], i)).data
        for i, kind in enumerate(kinds)
    ]


def _places(context: Any, builder: Any, signature: Any, given: Any, at: int, row: int) -> list[Any]:
    rows = _data(context, builder, signature, given, at)
    return [builder.add(builder.load(builder.gep(rows, [_LONG(lane)])), given[row]) for lane in range(WIDTH)]


def _load(builder: Any, data: Any, place: Any) -> Any:
    return builder.load(builder.bitcast(builder.gep(data, [place]), _VECTOR.as_pointer()), align=8)


def _store(builder: Any, vector: Any, data: Any, place: Any) -> None:
    builder.store(vector, builder.bitcast(builder.gep(data, [place]), _VECTOR.as_pointer()), align=8)


def _turned(builder: Any, rows: list[Any]) -> list[Any]:
    """Entry i of row j becomes entry j of row i."""
    for apart, *picked in _LAYERS:
        masks = [ir.Constant(ir.VectorType(_INT, WIDTH), list(entries)) for entries in picked]
        turned = list(rows)
        for i in (i for i in range(WIDTH) if not i & apart):
            turned[i] = builder.shuffle_vector(rows[i], rows[i + apart], masks[0])
            turned[i + apart] = builder.shuffle_vector(rows[i], rows[i + apart], masks[1])
        rows = turned
    return rows
