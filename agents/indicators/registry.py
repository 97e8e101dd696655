"""The one place where an indicator is declared: a decorated function is its NumPy function, its Polars
expression, its panel path, its streaming path, its row in the docs and its entry in the tests.

    @indicator(family="momentum", unit="none", talib="TRIX", source="Hutson; TA-Lib TRIX")
    def trix(close: Line, window: Window = 30) -> Line:
        \"""Rate of change, in per cent, of a triple exponential average.

        Formula: ROC(EMA(EMA(EMA(close))), 1).
        \"""
        return roc(ema(ema(ema(close, window), window), window), 1)

The body names its inputs (open_, high, low, close, volume, other), then its parameters, and returns the lines it is
made of. It is called once per parameter set; nothing is computed until a `Plan` runs the lines.
"""

from __future__ import annotations

import difflib
import inspect
import math
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NoReturn, TypeAlias, get_args, get_type_hints

import numpy as np

from agents.indicators.columns import INPUTS, Input, to_floats
from agents.indicators.graph import WHOLE, Line, column
from agents.indicators.plans import Plan
from agents.indicators.ragged import Ragged, State
from data.contracts.arrays import Floats
from data.contracts.errors import InvalidInput

LONGEST = 100_000  # bars; TA-Lib's own limit

Family = Literal[
    "trend",
    "momentum",
    "volatility",
    "volume",
    "price",
    "statistics",
    "cycles",
    "regime",
    "levels",
    "patterns",
    "candles",
    "math",
]
Engine = Literal["numba", "talib"]
Unit = Literal["price", "move", "variance", "volume", "money", "none", "bars", "mixed"]
FAMILIES: tuple[Family, ...] = get_args(Family)
_KEPT_PLANS = 256  # per indicator


@dataclass(frozen=True)
class Range:
    """What a number may be, and the other names the parameter answers to."""

    low: float
    high: float
    aliases: tuple[str, ...] = ()

    def check(self, owner: str, name: str, default: float | str, value: object) -> float:
        """The value as the kernel takes it. Raises InvalidInput for another type or outside the range."""
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise InvalidInput(f"{owner} {name} must be a number, not {value!r}", indicator=owner)
        whole = isinstance(default, int)
        if whole and value != int(value if np.isfinite(value) else 0):
            raise InvalidInput(f"{owner} {name} must be a whole number, not {value!r}", indicator=owner)
        if not self.low <= value <= self.high:
            unit = " bars" if whole else ""
            raise InvalidInput(
                f"{owner} {name} must lie between {self.low:g} and {self.high:g}{unit}, not {value!r}", indicator=owner
            )
        return int(value) if whole else float(value)


@dataclass(frozen=True)
class Choice:
    """Which of several variants, by name; TA-Lib's number (the position) is understood too."""

    names: tuple[str, ...]
    aliases: tuple[str, ...] = ()

    def check(self, owner: str, name: str, default: float | str, value: object) -> str:
        """The variant's name. Raises InvalidInput naming the variants for anything else."""
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(self.names):
            return self.names[value]
        if value not in self.names:
            known = ", ".join(self.names)
            raise InvalidInput(f"{owner} {name} must be one of {known}, not {value!r}", indicator=owner)
        return str(value)


Window: TypeAlias = Annotated[int, Range(1, LONGEST, ("timeperiod",))]
LongWindow: TypeAlias = Annotated[int, Range(2, LONGEST, ("timeperiod",))]
Factor: TypeAlias = Annotated[float, Range(0.0, 1_000.0)]


@dataclass(frozen=True)
class Param:
    """One parameter as a caller sees it."""

    name: str
    default: float | str
    range: Range | Choice

    def row(self) -> dict[str, Any]:
        """JSON-able: default, and low and high or the choices."""
        if isinstance(self.range, Choice):
            return {"default": self.default, "low": None, "high": None, "choices": list(self.range.names)}
        return {"default": self.default, "low": self.range.low, "high": self.range.high, "choices": None}


@dataclass(frozen=True)
class Indicator:
    """A pure function of bars. Call it with arrays, or inside another indicator with lines.

    bounds:   closed interval of every finite value; None = unbounded.
    units:    per output. What multiplies and what adds when all prices (or volumes) do: "price" a level, "move" a
              difference of prices, "variance" its square, "volume", "money" price * volume, "none" a ratio, "bars" a
              count, "mixed" nothing simple.
    repaints: a value may be about an earlier bar than the one it stands at; it still never changes afterwards.
    talib:    TA-Lib's functions of the same values, in the order of `outputs`.
    """

    name: str
    family: Family
    inputs: tuple[Input, ...]
    params: tuple[Param, ...]
    outputs: tuple[str, ...]
    bounds: tuple[float, float] | None
    units: tuple[Unit, ...]
    engine: Engine
    repaints: bool
    talib: tuple[str, ...]
    source: str
    description: str
    formula: str
    notes: str
    check: Callable[..., None] | None
    build: Callable[..., Any]
    line_type: Callable[..., Any]
    plans: dict[tuple[object, ...], Plan] = field(default_factory=dict, compare=False, repr=False)

    def __reduce__(self) -> tuple[Callable[[str], Indicator], tuple[str]]:
        return get, (self.name,)

    def __call__(self, *values: Any, **named: Any) -> Any:
        """Values for one symbol: input columns in the order of `inputs`, then parameters by position or name.

        Shapes: n inputs -> (n,) float64, or a NamedTuple of them; the first `warmup` values are NaN. Lines give lines.
        NaN: functions of a window forget a NaN input when it leaves the window, recursive ones stay NaN.
        Raises: InvalidInput for columns of different lengths, unknown or impossible parameters.
        """
        columns, params = values[: len(self.inputs)], values[len(self.inputs) :]
        if len(columns) == len(self.inputs) and all(isinstance(given, Line) for given in columns):
            return self._shaped(self.lines(columns, self.bind(params, named)))
        if len(columns) < len(self.inputs) or any(np.ndim(given) != 1 for given in columns):
            self.refuse_columns()
        data = Ragged.single([to_floats(given) for given in columns])
        return self.run(data, self.bind(params, named))

    def refuse_columns(self) -> NoReturn:
        """Raise InvalidInput that says which columns are needed."""
        raise InvalidInput(f"{self.name} needs these columns first: {', '.join(self.inputs)}", indicator=self.name)

    def bind(self, positional: Sequence[object], named: Mapping[str, object]) -> dict[str, Any]:
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
        bound = {
            p.name: p.range.check(self.name, p.name, p.default, given[p.name]) if p.name in given else p.default
            for p in self.params
        }
        if self.check is not None:
            self.check(**bound)
        return bound

    def lines(self, columns: Sequence[Line], params: Mapping[str, Any]) -> tuple[Line, ...]:
        """What it is made of; `params` as `bind` returns them."""
        made = self.build(*columns, **params)
        return tuple(made) if isinstance(made, tuple) else (made,)

    def plan(self, params: Mapping[str, Any]) -> Plan:
        """Its lines over the input columns themselves, kept for the parameter sets used last."""
        key = tuple(params.values())
        plan = self.plans.get(key)
        if plan is None:
            if len(self.plans) >= _KEPT_PLANS:
                self.plans.clear()
            plan = self.plans[key] = Plan(self.lines([column(name) for name in self.inputs], params))
        return plan

    def warmups(self, params: Mapping[str, Any]) -> tuple[int, ...]:
        """Rows that are NaN at the head of each symbol, per output."""
        return tuple(line.warmup for line in self.plan(params).lines)

    def remembers(self, params: Mapping[str, Any]) -> bool:
        """Whether a value depends on the whole history before it."""
        return any(line.history >= WHOLE for line in self.plan(params).lines)

    def run(self, data: Ragged, params: Mapping[str, Any], out: Floats | None = None) -> Any:
        """Values for every row of checked data; `out` (outputs, N) is written to and returned as the result."""
        plan = self.plan(params)
        return self._shaped(plan.run(self._needed(plan, data), out))

    def resume(self, state: State | None, data: Ragged, params: Mapping[str, Any]) -> tuple[Any, State]:
        """Values for new rows only, and the state after them. `state` None = nothing came before."""
        plan = self.plan(params)
        block, after = plan.resume(state, self._needed(plan, data))
        return self._shaped(block), after

    def row(self) -> dict[str, Any]:
        """The catalogue entry, JSON-able; `warmup` is for the default parameters, until all outputs stand."""
        return {
            "name": self.name,
            "family": self.family,
            "inputs": list(self.inputs),
            "params": {p.name: p.row() for p in self.params},
            "outputs": list(self.outputs),
            "warmup": max(self.warmups({p.name: p.default for p in self.params})),
            "bounds": [edge if math.isfinite(edge) else None for edge in self.bounds] if self.bounds else None,
            "units": list(self.units),
            "engine": self.engine,
            "repaints": self.repaints,
            "source": self.source,
            "description": self.description,
            "formula": self.formula,
            "notes": self.notes,
        }

    def _needed(self, plan: Plan, data: Ragged) -> Ragged:
        if plan.inputs == self.inputs:
            return data
        by_name: dict[str, Floats] = dict(zip(self.inputs, data.columns, strict=True))
        return Ragged(tuple(by_name[name] for name in plan.inputs), data.offsets)

    def _shaped(self, lines: Any) -> Any:
        return lines[0] if len(self.outputs) == 1 else self.line_type(*lines)


_REGISTRY: dict[str, Indicator] = {}


def indicator(
    *,
    family: Family,
    unit: Unit | tuple[Unit, ...],
    source: str,
    outputs: tuple[str, ...] = (),
    bounds: tuple[float, float] | None = None,
    talib: str | tuple[str, ...] = (),
    repaints: bool = False,
    check: Callable[..., None] | None = None,
) -> Callable[[Callable[..., Any]], Indicator]:
    """Declare an indicator by a function: its name, its annotated arguments, its docstring, the lines it returns.

    The docstring's first paragraph is the description; a paragraph that begins with "Formula:" is the formula; the
    others are notes (edges, variants, where and why it differs from other libraries).
    """

    def declare(function: Callable[..., Any]) -> Indicator:
        hints = get_type_hints(function, include_extras=True)
        arguments = list(inspect.signature(function).parameters.values())
        inputs = tuple(p.name.rstrip("_") for p in arguments if hints[p.name] is Line)
        params = tuple(
            Param(p.name, p.default, hints[p.name].__metadata__[0]) for p in arguments if hints[p.name] is not Line
        )
        return register(
            name=function.__name__,
            family=family,
            inputs=inputs,
            params=params,
            outputs=outputs or (function.__name__,),
            bounds=bounds,
            unit=unit,
            engine="numba",
            repaints=repaints,
            talib=(talib,) if isinstance(talib, str) else talib,
            source=source,
            text=inspect.cleandoc(function.__doc__ or ""),
            check=check,
            build=function,
        )

    return declare


def register(
    *,
    name: str,
    family: Family,
    inputs: tuple[str, ...],
    params: tuple[Param, ...],
    outputs: tuple[str, ...],
    bounds: tuple[float, float] | None,
    unit: Unit | tuple[Unit, ...],
    engine: Engine,
    repaints: bool,
    talib: tuple[str, ...],
    source: str,
    text: str,
    check: Callable[..., None] | None,
    build: Callable[..., Any],
) -> Indicator:
    """Enter an indicator under its name; `indicator` is the usual way. Raises InvalidInput for a name that is taken."""
    if name in _REGISTRY:
        raise InvalidInput(f"two indicators are called {name!r}; rename one")
    known: tuple[Input, ...] = tuple(found for found in INPUTS if found in inputs)
    if known != inputs:
        raise InvalidInput(f"{name}: inputs must be in the order {', '.join(INPUTS)}")
    first, *others = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    entry = Indicator(
        name=name,
        family=family,
        inputs=known,
        params=params,
        outputs=outputs,
        bounds=bounds,
        units=unit if isinstance(unit, tuple) else (unit,) * len(outputs),
        engine=engine,
        repaints=repaints,
        talib=talib,
        source=source,
        description=first,
        formula=next((part[8:].strip() for part in others if part.startswith("Formula:")), ""),
        notes=" ".join(part for part in others if not part.startswith("Formula:")),
        check=check,
        build=build,
        line_type=namedtuple(name.title().replace("_", ""), outputs),
    )
    _REGISTRY[name] = entry
    return entry


def get(name: str) -> Indicator:
    """The indicator of that name, or of TA-Lib's name in lower case where TA-Lib's function is one of ours.

    Raises InvalidInput naming close matches for an unknown one.
    """
    if name in _REGISTRY:
        return _REGISTRY[name]
    for entry in _REGISTRY.values():
        if name.upper() in entry.talib:
            return entry
    close = difflib.get_close_matches(name.lower(), _REGISTRY, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else "goldensignals indicators lists them all"
    raise InvalidInput(f"there is no indicator {name!r}; {hint}", indicator=name)


def registered() -> dict[str, Indicator]:
    """Every indicator by name, in alphabetical order."""
    return dict(sorted(_REGISTRY.items()))
