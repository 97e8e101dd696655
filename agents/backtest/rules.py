"""What a backtest assumes about the market and the account: fills, costs, limits, the year.

Rates are fractions; `Rules.of` also reads "5bps" and "0.1%", which is how people write them.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Literal, get_args

from data.contracts.errors import InvalidInput

Fill = Literal["next_open", "close"]
Mode = Literal["independent", "portfolio"]

UNITS = {"bps": 1e-4, "bp": 1e-4, "%": 1e-2, "": 1.0}
SUSPICIOUS = 0.05  # a bare rate above this was most likely meant in bps or per cent
_RATES = ("fees", "slippage")
_SHARED_CASH_ONLY = ("max_positions", "rank", "rebalance", "max_exposure")


@dataclass(frozen=True, slots=True)
class Rules:
    """The assumptions of one backtest.

    cash:          money at the start, shared by the symbols or split evenly between them (`mode`).
    fees:          per side, fraction of the traded value.      fee_per_share, fee_per_trade: in money, per side.
    slippage:      fraction of the price, against the trader; targets do not pay it.
    fill:          "next_open", or "close" of the bar of the decision, which is optimistic.
    leverage:      largest `size`, a fraction of equity.        borrow: yearly rate on what is short, by calendar day.
    volume_limit:  largest share of the fill bar's volume that an entry may take.
    mode:          "independent": every symbol has its own cash; "portfolio": they share it, and then
      max_positions: at one time;  rank: the expression whose largest values come first;  rebalance: sessions between
      resizings;  max_exposure: gross value of positions over equity (default: leverage).
    risk_free:     yearly rate.    annualisation: bars of a year; None = by the bars (see `bars_of_a_year`).
    Raises: InvalidInput naming the field and what it may be.
    """

    cash: float = 100_000.0
    fees: float = 0.0
    slippage: float = 0.0
    fill: Fill = "next_open"
    leverage: float = 1.0
    borrow: float = 0.0
    fee_per_share: float = 0.0
    fee_per_trade: float = 0.0
    volume_limit: float | None = None
    mode: Mode = "independent"
    max_positions: int | None = None
    rank: str | None = None
    rebalance: int | None = None
    max_exposure: float | None = None
    risk_free: float = 0.0
    annualisation: float | None = None

    def __post_init__(self) -> None:
        _choice("fill", self.fill, get_args(Fill))
        _choice("mode", self.mode, get_args(Mode))
        _number("cash", self.cash, above=0.0)
        for name in _RATES:
            _number(name, getattr(self, name), least=0.0, below=1.0)
        for name in ("borrow", "fee_per_share", "fee_per_trade"):
            _number(name, getattr(self, name), least=0.0)
        _number("leverage", self.leverage, least=1.0)
        _number("risk_free", self.risk_free, above=-1.0)
        for name in ("volume_limit", "max_exposure", "annualisation"):
            if getattr(self, name) is not None:
                _number(name, getattr(self, name), above=0.0)
        for name in ("max_positions", "rebalance"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise InvalidInput(f"{name} is a whole number of at least 1, not {value!r}", field=name)
        idle = [name for name in _SHARED_CASH_ONLY if getattr(self, name) is not None]
        if self.mode == "independent" and idle:
            raise InvalidInput(f'{", ".join(idle)}: only with shared cash; add mode="portfolio"', fields=idle)

    @classmethod
    def of(cls, given: Mapping[str, object]) -> Rules:
        """Rules from what a person wrote: numbers, or texts such as "5bps", "0.1%", "100000".

        Raises: InvalidInput for an unknown name (with the closest known one), and for a rate without a unit above
        0.05: nobody pays 5 of 1, they mean 5 bps.
        """
        known = {field.name: str(field.type) for field in fields(cls)}
        for name in given:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
                raise InvalidInput(f"there is no rule {name!r}; {hint}", field=name)
        return cls(**{name: _read(name, known[name], value) for name, value in given.items()})  # type: ignore[arg-type]

    def facts(self) -> dict[str, object]:
        """The rules as plain values, for a record."""
        return asdict(self)


def rate(value: float | str, name: str = "fees") -> float:
    """A rate as a fraction: 0.0005, "0.0005", "5bps" and "0.05%" are the same.

    Raises: InvalidInput when it cannot be read, and without a unit above 0.05.
    """
    match = re.fullmatch(r"\s*([0-9.eE+-]+)\s*(bps|bp|%|)\s*", str(value))
    try:
        number, unit = float(match[1] if match else ""), match[2] if match else ""
    except ValueError:
        raise InvalidInput(f'{name} cannot be {value!r}; write "5bps", "0.05%" or 0.0005', field=name) from None
    if not unit and number > SUSPICIOUS:
        raise InvalidInput(
            f'{name} of {value} would be {number:.0%} of the traded value; did you mean "{number:g}bps"? '
            f'If not, write "{number * 100:g}%"',
            field=name,
        )
    return number * UNITS[unit]


def _read(name: str, kind: str, value: object) -> object:
    if name in _RATES and isinstance(value, int | float | str) and not isinstance(value, bool):
        return rate(value, name)
    if not isinstance(value, str) or "str" in kind or kind in ("Fill", "Mode"):
        return value
    if name == "borrow" or name == "risk_free":
        return rate(value, name) if value.strip().endswith(("%", "bps", "bp")) else _float(name, value)
    return _whole(name, value) if "int" in kind else _float(name, value)


def _float(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidInput(f"{name} is a number, not {text!r}", field=name) from None


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidInput(f"{name} is a whole number of at least 1, not {text!r}", field=name) from None


def _choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InvalidInput(f"{name} is one of {', '.join(choices)}, not {value!r}", field=name)


def _number(
    name: str, value: object, *, least: float = -math.inf, above: float = -math.inf, below: float = math.inf
) -> None:
    wanted = [f"{word} {limit:g}" for word, limit in (("at least", least), ("above", above)) if limit > -math.inf]
    wanted += [f"below {below:g}"] if below < math.inf else []
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not (math.isfinite(value) and value >= least and value > above and value < below)
    ):
        raise InvalidInput(f"{name} is a number {' and '.join(wanted)}, not {value!r}", field=name)
