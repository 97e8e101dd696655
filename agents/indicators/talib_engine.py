"""TA-Lib's own functions for what has no kernel here: its 61 candlestick patterns and its vector arithmetic.

Each is an indicator like any other, marked `engine="talib"`: parameters, panels, Polars, pieces. TA-Lib keeps running
totals over a history, so a value depends on all of it; a history that goes on is computed again from its first bar.
A NaN begins a history anew. Warm-up is TA-Lib's lookback: NaN here where TA-Lib writes 0 for a whole number.

TA-Lib itself is loaded when the first of them is built: the tables below spare every other process that.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from agents.indicators.graph import WHOLE, Line, rolling
from agents.indicators.registry import LONGEST, Family, Param, Range, Unit, register

_CANDLES = {
    "2CROWS": "Two Crows",
    "3BLACKCROWS": "Three Black Crows",
    "3INSIDE": "Three Inside Up/Down",
    "3LINESTRIKE": "Three-Line Strike",
    "3OUTSIDE": "Three Outside Up/Down",
    "3STARSINSOUTH": "Three Stars In The South",
    "3WHITESOLDIERS": "Three Advancing White Soldiers",
    "ABANDONEDBABY": "Abandoned Baby",
    "ADVANCEBLOCK": "Advance Block",
    "BELTHOLD": "Belt-hold",
    "BREAKAWAY": "Breakaway",
    "CLOSINGMARUBOZU": "Closing Marubozu",
    "CONCEALBABYSWALL": "Concealing Baby Swallow",
    "COUNTERATTACK": "Counterattack",
    "DARKCLOUDCOVER": "Dark Cloud Cover",
    "DOJI": "Doji",
    "DOJISTAR": "Doji Star",
    "DRAGONFLYDOJI": "Dragonfly Doji",
    "ENGULFING": "Engulfing Pattern",
    "EVENINGDOJISTAR": "Evening Doji Star",
    "EVENINGSTAR": "Evening Star",
    "GAPSIDESIDEWHITE": "Up/Down-gap side-by-side white lines",
    "GRAVESTONEDOJI": "Gravestone Doji",
    "HAMMER": "Hammer",
    "HANGINGMAN": "Hanging Man",
    "HARAMI": "Harami Pattern",
    "HARAMICROSS": "Harami Cross Pattern",
    "HIGHWAVE": "High-Wave Candle",
    "HIKKAKE": "Hikkake Pattern",
    "HIKKAKEMOD": "Modified Hikkake Pattern",
    "HOMINGPIGEON": "Homing Pigeon",
    "IDENTICAL3CROWS": "Identical Three Crows",
    "INNECK": "In-Neck Pattern",
    "INVERTEDHAMMER": "Inverted Hammer",
    "KICKING": "Kicking",
    "KICKINGBYLENGTH": "Kicking - bull/bear determined by the longer marubozu",
    "LADDERBOTTOM": "Ladder Bottom",
    "LONGLEGGEDDOJI": "Long Legged Doji",
    "LONGLINE": "Long Line Candle",
    "MARUBOZU": "Marubozu",
    "MATCHINGLOW": "Matching Low",
    "MATHOLD": "Mat Hold",
    "MORNINGDOJISTAR": "Morning Doji Star",
    "MORNINGSTAR": "Morning Star",
    "ONNECK": "On-Neck Pattern",
    "PIERCING": "Piercing Pattern",
    "RICKSHAWMAN": "Rickshaw Man",
    "RISEFALL3METHODS": "Rising/Falling Three Methods",
    "SEPARATINGLINES": "Separating Lines",
    "SHOOTINGSTAR": "Shooting Star",
    "SHORTLINE": "Short Line Candle",
    "SPINNINGTOP": "Spinning Top",
    "STALLEDPATTERN": "Stalled Pattern",
    "STICKSANDWICH": "Stick Sandwich",
    "TAKURI": "Takuri (Dragonfly Doji with very long lower shadow)",
    "TASUKIGAP": "Tasuki Gap",
    "THRUSTING": "Thrusting Pattern",
    "TRISTAR": "Tristar Pattern",
    "UNIQUE3RIVER": "Unique 3 River",
    "UPSIDEGAP2CROWS": "Upside Gap Two Crows",
    "XSIDEGAP3METHODS": "Upside/Downside Gap Three Methods",
}
_PENETRATION = {  # how far the last candle must reach into the first one's body, as a share of it
    "ABANDONEDBABY": 0.3,
    "DARKCLOUDCOVER": 0.5,
    "EVENINGDOJISTAR": 0.3,
    "EVENINGSTAR": 0.3,
    "MATHOLD": 0.5,
    "MORNINGDOJISTAR": 0.3,
    "MORNINGSTAR": 0.3,
}
_OF_ONE = {
    "ACOS": "Inverse cosine, radians; NaN outside -1..1",
    "ASIN": "Inverse sine, radians; NaN outside -1..1",
    "ATAN": "Inverse tangent, radians",
    "CEIL": "Smallest whole number not below the value",
    "COS": "Cosine",
    "COSH": "Hyperbolic cosine",
    "EXP": "e to the value",
    "FLOOR": "Largest whole number not above the value",
    "LN": "Natural logarithm",
    "LOG10": "Logarithm to base 10",
    "SIN": "Sine",
    "SINH": "Hyperbolic sine",
    "SQRT": "Square root",
    "TAN": "Tangent",
    "TANH": "Hyperbolic tangent",
}
_OF_TWO = {
    "ADD": "Sum of two series",
    "SUB": "Difference of two series",
    "MULT": "Product of two series",
    "DIV": "Quotient of two series",
}
_EXTREMES: dict[str, tuple[tuple[str, ...], str]] = {
    "MAXINDEX": (
        ("maxindex",),
        "Row number, from the first bar of the symbol, of the highest of the last `window` values",
    ),
    "MININDEX": (
        ("minindex",),
        "Row number, from the first bar of the symbol, of the lowest of the last `window` values",
    ),
    "MINMAX": (("min", "max"), "Lowest and highest of the last `window` values"),
    "MINMAXINDEX": (
        ("min_index", "max_index"),
        "Row numbers of the lowest and the highest of the last `window` values",
    ),
}
_OHLC = ("open", "high", "low", "close")


class _Function:
    """A TA-Lib function as a window kernel: `(*columns, offsets, *params, *outputs)`."""

    def __init__(self, name: str) -> None:
        import talib
        from talib import abstract

        functions: Any = abstract  # makes its names as they are asked for
        self.__name__ = f"talib_{name.lower()}"
        self._call: Callable[..., Any] = getattr(talib, name)
        self._abstract = functions.Function(name)
        self.takes = sum(len(_listed(names)) for names in self._abstract.input_names.values())

    def __call__(self, *arguments: Any) -> None:
        wanted = len(self._abstract.parameters)
        columns, offsets = arguments[: self.takes], arguments[self.takes]
        params = arguments[self.takes + 1 : self.takes + 1 + wanted]
        rooms = arguments[self.takes + 1 + wanted :]
        blank = self.lookback(params)
        for s in range(offsets.size - 1):
            lo, hi = offsets[s], offsets[s + 1]
            if lo == hi:
                continue
            found = self._call(*(column[lo:hi] for column in columns), *params)
            for room, line in zip(rooms, found if len(rooms) > 1 else (found,), strict=True):
                room[lo:hi] = line
                room[lo : min(hi, lo + blank)] = np.nan

    def lookback(self, params: tuple[float, ...]) -> int:
        """Rows without a value, as TA-Lib counts them."""
        self._abstract.parameters = dict(zip(self._abstract.parameters, params, strict=True))
        return int(self._abstract.lookback)


@functools.cache
def _function(name: str) -> _Function:
    """One object per function: equal nodes must name the same kernel."""
    return _Function(name)


def _listed(names: Any) -> list[str]:
    return list(names) if isinstance(names, list | tuple) else [names]


def _declare(
    name: str,
    family: Family,
    text: str,
    *,
    formula: str,
    inputs: tuple[str, ...],
    params: tuple[Param, ...] = (),
    outputs: tuple[str, ...] = (),
    bounds: tuple[float, float] | None = None,
    unit: Unit = "mixed",
) -> None:
    def build(*columns: Line, **given: float) -> Line | tuple[Line, ...]:
        function = _function(name)
        values = tuple(given.values())
        warmup = function.lookback(values)
        return rolling(
            function, *columns, *values, reach=WHOLE, outputs=max(1, len(outputs)), warmup=warmup, guarded=True
        )

    register(
        name=name.lower(),
        family=family,
        inputs=inputs,
        params=params,
        outputs=outputs or (name.lower(),),
        bounds=bounds,
        unit=unit,
        engine="talib",
        repaints=False,
        talib=(name,),
        source=f"TA-Lib {name}",
        text=f"{text}.\n\nFormula: {formula}",
        check=None,
        build=build,
    )


for _name, _title in _CANDLES.items():
    _declare(
        f"CDL{_name}",
        "candles",
        f"Candlestick pattern: {_title}",
        formula="100 where it is bullish, -100 bearish, 0 elsewhere; 200 and -200 where TA-Lib confirms one.",
        inputs=_OHLC,
        params=(Param("penetration", _PENETRATION[_name], Range(0.0, 1.0)),) if _name in _PENETRATION else (),
        bounds=(-200.0, 200.0),
        unit="none",
    )
for _name, _title in _OF_ONE.items():
    _declare(_name, "math", _title, formula=f"TA-Lib's {_name} of each value.", inputs=("close",))
for _name, _title in _OF_TWO.items():
    _declare(_name, "math", _title, formula=f"TA-Lib's {_name}, bar by bar.", inputs=("close", "other"))
for _name, (_outputs, _title) in _EXTREMES.items():
    _declare(
        _name,
        "math",
        _title,
        formula="the last one where several are equal.",
        inputs=("close",),
        params=(Param("window", 30, Range(2, LONGEST, ("timeperiod",))),),
        outputs=_outputs if len(_outputs) > 1 else (),
        unit="price" if _name == "MINMAX" else "bars",
    )
