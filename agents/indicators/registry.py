"""The one place where an indicator is declared: a decorated function is its NumPy function, its Polars
expression, its panel path, its streaming path, its row in the docs and its entry in the tests.

Adding an indicator = one kernel, one function with `@indicator(...)`, one golden file.
"""

from __future__ import annotations

import difflib
import inspect
import math
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NoReturn, TypeAlias, get_type_hints

import numpy as np
import polars as pl

from agents.indicators.columns import INPUTS, Input, to_floats
from agents.indicators.ragged import Ragged, State, continued
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput

LONGEST = 100_000  # bars; TA-Lib's own limit

Family = Literal["trend", "momentum", "volatility", "volume"]
Warmup = Callable[..., int | tuple[int, ...]]


@dataclass(frozen=True)
class Range:
    """What a parameter may be, and the other names it answers to."""

    low: float
    high: float
    aliases: tuple[str, ...] = ()


Window: TypeAlias = Annotated[int, Range(1, LONGEST, ("timeperiod",))]
LongWindow: TypeAlias = Annotated[int, Range(2, LONGEST, ("timeperiod",))]
Factor: TypeAlias = Annotated[float, Range(0.0, 1_000.0)]


@dataclass(frozen=True)
class Param:
    """One parameter as a caller sees it."""

    name: str
    default: float
    range: Range

    def check(self, owner: str, value: object) -> float:
        """The value as the kernel takes it. Raises InvalidInput for another type or outside the range."""
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise InvalidInput(f"{owner} {self.name} must be a number, not {value!r}", indicator=owner)
        whole = isinstance(self.default, int)
        if whole and value != int(value if np.isfinite(value) else 0):
            raise InvalidInput(f"{owner} {self.name} must be a whole number, not {value!r}", indicator=owner)
        if not self.range.low <= value <= self.range.high:
            unit = " bars" if whole else ""
            raise InvalidInput(
                f"{owner} {self.name} must lie between {self.range.low:g} and {self.range.high:g}{unit}, not {value!r}",
                indicator=owner,
            )
        return int(value) if whole else float(value)


@dataclass(frozen=True)
class Indicator:
    """A pure function of bars. Call it with arrays; `expression` gives the Polars form.

    warmup_of:  parameters -> rows that are NaN at the head of each symbol, one number or one per output.
    bounds:     closed interval of every finite value; None = unbounded.
    carry:      rows of float64 state per symbol; 0 = a function of the last bars alone.
    """

    name: str
    family: Family
    inputs: tuple[Input, ...]
    params: tuple[Param, ...]
    outputs: tuple[str, ...]
    warmup_of: Warmup
    bounds: tuple[float, float] | None
    carry: int
    source: str
    description: str
    check: Callable[..., None] | None
    kernel: Callable[..., None]
    line_type: Callable[..., Any]

    def __reduce__(self) -> tuple[Callable[[str], Indicator], tuple[str]]:
        return get, (self.name,)

    def __call__(self, *values: Any, **named: Any) -> Any:
        """Values for one symbol: input columns in the order of `inputs`, then parameters by position or name.

        Shapes: n inputs -> (n,) float64, or a NamedTuple of them; the first `warmup` values are NaN.
        NaN: functions of a window forget a NaN input when it leaves the window, recursive ones stay NaN.
        Raises: InvalidInput for columns of different lengths, unknown or impossible parameters.
        """
        columns, params = values[: len(self.inputs)], values[len(self.inputs) :]
        if len(columns) < len(self.inputs) or any(np.ndim(column) != 1 for column in columns):
            self.refuse_columns()
        return self.run(Ragged.single([to_floats(column) for column in columns]), self.bind(params, named))

    def refuse_columns(self) -> NoReturn:
        """Raise InvalidInput that says which columns are needed."""
        raise InvalidInput(f"{self.name} needs these columns first: {', '.join(self.inputs)}", indicator=self.name)

    def bind(self, positional: Sequence[object], named: Mapping[str, object]) -> dict[str, float]:
        """Every parameter by its own name, checked. Raises InvalidInput naming what is wrong."""
        if len(positional) > len(self.params):
            raise InvalidInput(f"{self.name} takes {len(self.params)} parameters, not {len(positional)}")
        given: dict[str, object] = {param.name: value for param, value in zip(self.params, positional, strict=False)}
        for name, value in named.items():
            param = next((p for p in self.params if name == p.name or name in p.range.aliases), None)
            if param is None:
                known = ", ".join(p.name for p in self.params) or "none"
                raise InvalidInput(f"{self.name} has no parameter {name!r}; it has: {known}", indicator=self.name)
            if param.name in given and given[param.name] != value:
                raise InvalidInput(f"{self.name} was given {param.name} twice", indicator=self.name)
            given[param.name] = value
        bound = {p.name: p.check(self.name, given[p.name]) if p.name in given else p.default for p in self.params}
        if self.check is not None:
            self.check(**bound)
        return bound

    def warmups(self, params: Mapping[str, float]) -> tuple[int, ...]:
        """Rows that are NaN at the head of each symbol, per output."""
        rows = self.warmup_of(**params)
        return rows if isinstance(rows, tuple) else (rows,) * len(self.outputs)

    def run(self, data: Ragged, params: Mapping[str, float], out: Floats | None = None) -> Any:
        """Values for every row of checked data; `out` (outputs, N) is written to and returned as the result."""
        block = np.empty((len(self.outputs), data.rows)) if out is None else out
        carry = np.zeros((self.carry, data.symbols))
        self._fill(data, carry, params, block)
        return self._lines(block)

    def resume(self, state: State | None, data: Ragged, params: Mapping[str, float]) -> tuple[Any, State]:
        """Values for new rows only, and the state after them. `state` None = nothing came before."""
        keep = 1 if self.carry else max(self.warmups(params))
        identity = f"{self.name}({', '.join(f'{name}={value}' for name, value in params.items())})"
        whole, after = continued(state, data, keep=keep, carry_rows=self.carry, identity=identity)
        block = np.empty((len(self.outputs), whole.rows))
        self._fill(whole, after.carry, params, block)
        fresh = whole.fresh_rows()
        return self._lines(block if fresh is None else block[:, fresh]), after

    def expression(self, *values: str | pl.Expr | float, **named: object) -> pl.Expr:
        """The same values as a Polars expression, right under `.over("symbol")`; several outputs make a struct.

        Columns come first, as names or expressions; left out, they are open, high, low, close, volume themselves.
        """
        given = [value for value in values if isinstance(value, str | pl.Expr)]
        params = self.bind([value for value in values if not isinstance(value, str | pl.Expr)], named)
        if given and len(given) != len(self.inputs):
            self.refuse_columns()
        columns = [pl.col(c) if isinstance(c, str) else c for c in (given or self.inputs)]

        def values_of(series: Sequence[pl.Series]) -> pl.Series:
            lines = self.run(Ragged.single([to_floats(s) for s in series]), params)
            if len(self.outputs) == 1:
                return pl.Series(self.name, lines)
            return pl.DataFrame(dict(zip(self.outputs, lines, strict=True))).to_struct(self.name)

        kind: pl.DataType | type[pl.DataType] = pl.Float64
        if len(self.outputs) > 1:
            kind = pl.Struct(dict.fromkeys(self.outputs, pl.Float64))
        return pl.map_batches(columns, values_of, return_dtype=kind, returns_scalar=False).alias(self.name)

    def row(self) -> dict[str, Any]:
        """The catalogue entry, JSON-able; `warmup` is for the default parameters, until all outputs stand."""
        defaults = {p.name: p.default for p in self.params}
        return {
            "name": self.name,
            "family": self.family,
            "inputs": list(self.inputs),
            "params": {p.name: {"default": p.default, "low": p.range.low, "high": p.range.high} for p in self.params},
            "outputs": list(self.outputs),
            "warmup": max(self.warmups(defaults)),
            "bounds": [edge if math.isfinite(edge) else None for edge in self.bounds] if self.bounds else None,
            "engine": "numba",
            "repaints": False,
            "source": self.source,
            "description": self.description,
        }

    def _fill(self, data: Ragged, carry: Floats, params: Mapping[str, float], block: Floats) -> None:
        if block.shape != (len(self.outputs), data.rows) or not block.flags.c_contiguous or block.dtype != np.float64:
            raise InvalidInput(
                f"{self.name} needs out as a contiguous float64 array ({len(self.outputs)}, {data.rows})"
            )
        memory = (data.order(), data.starts, carry) if self.carry else ()
        self.kernel(*data.columns, data.offsets, *memory, *params.values(), *block)

    def _lines(self, block: Floats) -> Any:
        return block[0] if len(self.outputs) == 1 else self.line_type(*block)


_REGISTRY: dict[str, Indicator] = {}


def indicator(
    *,
    family: Family,
    inputs: tuple[Input, ...],
    warmup: Warmup,
    source: str,
    outputs: tuple[str, ...] = (),
    bounds: tuple[float, float] | None = None,
    carry: int = 0,
    check: Callable[..., None] | None = None,
) -> Callable[[Callable[..., Callable[..., None]]], Indicator]:
    """Declare an indicator by a function's name, annotated parameters and first docstring paragraph.

    The function is called once, at import, without arguments, and returns the kernel.
    """

    def declare(function: Callable[..., Callable[..., None]]) -> Indicator:
        name = function.__name__
        hints = get_type_hints(function, include_extras=True)
        params = tuple(
            Param(p.name, p.default, hints[p.name].__metadata__[0])
            for p in inspect.signature(function).parameters.values()
        )
        if name in _REGISTRY:
            raise InvalidInput(f"two indicators are called {name!r}; rename one")
        if tuple(sorted(inputs, key=INPUTS.index)) != inputs:
            raise InvalidInput(f"{name}: inputs must be in the order {', '.join(INPUTS)}")
        lines = outputs or (name,)
        entry = Indicator(
            name=name,
            family=family,
            inputs=inputs,
            params=params,
            outputs=lines,
            warmup_of=warmup,
            bounds=bounds,
            carry=carry,
            source=source,
            description=inspect.cleandoc(function.__doc__ or "").split("\n\n")[0].replace("\n", " "),
            check=check,
            kernel=function(),
            line_type=namedtuple(name.title().replace("_", ""), lines),
        )
        _REGISTRY[name] = entry
        return entry

    return declare


def get(name: str) -> Indicator:
    """The indicator of that name. Raises InvalidInput naming close matches for an unknown one."""
    if name in _REGISTRY:
        return _REGISTRY[name]
    close = difflib.get_close_matches(name.lower(), _REGISTRY, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(sorted(_REGISTRY))}"
    raise InvalidInput(f"there is no indicator {name!r}; {hint}", indicator=name)


def registered() -> dict[str, Indicator]:
    """Every indicator by name, in alphabetical order."""
    return dict(sorted(_REGISTRY.items()))
