"""Eight rows of a column as one value of a kernel, so that a pass keeps what it needs in SIMD registers.

Numba's own loops reach a row before the present one through memory: each step of a window is a pass that loads
vectors which straddle cache lines and stores what the next step loads again. Here the rows before come out of the two
registers that hold them (`shifted`), and a whole window is one pass. LLVM splits an `Eight` where registers are
narrower, with the same bits; nothing is contracted or reordered.

    now = load(values, i)               rows i .. i + 7; what lies outside the column is 0
    both = 0.5 * (shifted(1, before, now) + now)
    store(out, i, both)                 what lies outside the column is left out

Modules that use this pass it on: `decorators(__file__, vectors.__file__)`.
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.datamodel.models import PrimitiveModel
from numba.extending import intrinsic, lower_builtin, register_model, type_callable

WIDTH = 8
_DOUBLE, _INT, _LONG = ir.DoubleType(), ir.IntType(32), ir.IntType(64)
_VECTOR = ir.VectorType(_DOUBLE, WIDTH)
_MASK = ir.VectorType(ir.IntType(1), WIDTH)
_emitted: Callable[..., Any] = intrinsic  # a caller leaves the first argument out, which Numba's annotations do not say
_literal: Callable[..., Any] = intrinsic(prefer_literal=True)


class EightType(types.Type):
    """Numba's type of eight float64."""

    def __init__(self) -> None:
        super().__init__("Eight")


Eight: Any = EightType()


@register_model(EightType)
class _Model(PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)  # type: ignore[no-untyped-call]


@_emitted
def load(typing: Any, column: Any, first: Any) -> Any:
    """Rows first .. first + 7 of a contiguous float64 column; 0 for those it does not have."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        place, size = _place(context, builder, signature, given)
        with builder.if_else(_inside(builder, given[1], size), likely=True) as (inner, edge):
            with inner:
                whole, from_inner = builder.load(place, align=8), builder.block
            with edge:
                read = _declared(builder, "llvm.masked.load.v8f64.p0", _VECTOR, [place.type, _INT, _MASK, _VECTOR])
                nothing = ir.Constant(_VECTOR, [0.0] * WIDTH)
                part = builder.call(read, [place, _INT(8), _known(builder, given[1], size), nothing])
                from_edge = builder.block
        found = builder.phi(_VECTOR)
        found.add_incoming(whole, from_inner)
        found.add_incoming(part, from_edge)
        return found

    return Eight(column, types.intp), emit


@_emitted
def load_whole(typing: Any, column: Any, first: Any) -> Any:
    """As `load`, unchecked: the caller knows that the column has all eight rows."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.load(_place(context, builder, signature, given)[0], align=8)

    return Eight(column, types.intp), emit


@_emitted
def store(typing: Any, column: Any, first: Any, value: Any) -> Any:
    """Rows first .. first + 7 of a contiguous float64 column; those it does not have are left out."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        place, size = _place(context, builder, signature, given)
        with builder.if_else(_inside(builder, given[1], size), likely=True) as (inner, edge):
            with inner:
                builder.store(given[2], place, align=8)
            with edge:
                write = _declared(
                    builder, "llvm.masked.store.v8f64.p0", ir.VoidType(), [_VECTOR, place.type, _INT, _MASK]
                )
                builder.call(write, [given[2], place, _INT(8), _known(builder, given[1], size)])
        return context.get_dummy_value()

    return types.void(column, types.intp, Eight), emit


@_emitted
def splat(typing: Any, number: Any) -> Any:
    """The same float64 eight times."""

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return _splat(builder, given[0])

    return Eight(types.float64), emit


@_literal
def shifted(typing: Any, rows: Any, before: Any, now: Any) -> Any:
    """What stood `rows` (a literal, 1 .. 7) before each row of `now`; `before` are the eight rows ahead of it."""
    picked = [WIDTH - rows.literal_value + lane for lane in range(WIDTH)]

    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.shuffle_vector(given[1], given[2], ir.Constant(ir.VectorType(_INT, WIDTH), picked))

    return Eight(rows, Eight, Eight), emit


@_emitted
def where_above(typing: Any, left: Any, right: Any, then: Any, otherwise: Any) -> Any:
    """`then` where left > right, `otherwise` elsewhere, as where one of the two is NaN."""
    return Eight(Eight, Eight, Eight, Eight), _choice(">")


@_emitted
def where_equal(typing: Any, left: Any, right: Any, then: Any, otherwise: Any) -> Any:
    """`then` where left == right, `otherwise` elsewhere, as where one of the two is NaN."""
    return Eight(Eight, Eight, Eight, Eight), _choice("==")


@_emitted
def root(typing: Any, value: Any) -> Any:
    """Square root."""
    return Eight(Eight), _function("llvm.sqrt.v8f64")


@_emitted
def size_of(typing: Any, value: Any) -> Any:
    """Absolute value."""
    return Eight(Eight), _function("llvm.fabs.v8f64")


def _choice(test: str) -> Any:
    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        left, right, then, otherwise = given
        return builder.select(builder.fcmp_ordered(test, left, right), then, otherwise)

    return emit


def _function(name: str) -> Any:
    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.call(_declared(builder, name, _VECTOR, [_VECTOR]), given)

    return emit


def _operation(symbol: Any, name: str) -> None:
    def emit(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        sides = [
            value if kind is Eight else _splat(builder, context.cast(builder, value, kind, types.float64))
            for value, kind in zip(given, signature.args, strict=True)
        ]
        return getattr(builder, name)(*sides)

    def result(context: Any) -> Any:
        def of(left: Any, right: Any) -> Any:
            known = (left is Eight or right is Eight) and all(
                kind is Eight or isinstance(kind, types.Float) for kind in (left, right)
            )
            return Eight if known else None

        return of

    type_callable(symbol)(result)
    for sides in ((EightType, EightType), (EightType, types.Float), (types.Float, EightType)):
        lower_builtin(symbol, *sides)(emit)  # type: ignore[no-untyped-call]


for _symbol, _name in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _operation(_symbol, _name)


def _splat(builder: Any, number: Any) -> Any:
    single = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), number, _INT(0))
    return builder.shuffle_vector(single, single, ir.Constant(ir.VectorType(_INT, WIDTH), [0] * WIDTH))


def _place(context: Any, builder: Any, signature: Any, given: Any) -> Any:
    column = context.make_array(signature.args[0])(context, builder, given[0])
    place = builder.gep(column.data, [given[1]])
    return builder.bitcast(place, _VECTOR.as_pointer()), builder.extract_value(column.shape, 0)


def _inside(builder: Any, first: Any, size: Any) -> Any:
    last = builder.add(first, _LONG(WIDTH - 1))
    return builder.and_(builder.icmp_signed(">=", first, _LONG(0)), builder.icmp_signed("<", last, size))


def _known(builder: Any, first: Any, size: Any) -> Any:
    longs = ir.VectorType(_LONG, WIDTH)

    def wide(number: Any) -> Any:
        single = builder.insert_element(ir.Constant(longs, ir.Undefined), number, _INT(0))
        return builder.shuffle_vector(single, single, ir.Constant(ir.VectorType(_INT, WIDTH), [0] * WIDTH))

    rows = builder.add(wide(first), ir.Constant(longs, list(range(WIDTH))))
    return builder.icmp_unsigned("<", rows, wide(size))


def _declared(builder: Any, name: str, result: Any, given: list[Any]) -> Any:
    found = builder.module.globals.get(name)
    return found or ir.Function(builder.module, ir.FunctionType(result, given), name)
