"""The service behind scans by expression: opens nothing but bars, asks agents only when the expression speaks of them.

Everything is computed in this process and nothing is stored; the newest bar of a universe takes a fraction of a second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from agents.expr import AgentVotes, Expression, parse
from agents.expr.screens import Screened, preset, screen
from data.contracts.errors import InvalidInput
from data.contracts.panel import from_micros
from data.market.dates import TS, check_as_of
from data.market.dates import as_of as moment_of
from data.market.source import Bars, choose_universe


@dataclass(frozen=True)
class ScreenRequest:
    """What a user asks for; None takes the default."""

    expression: str  # or @ and the name of a screen
    by: str | None = None  # the screen's own ranking, else symbol order
    universe: str | None = None  # @sp500 in the sample, every symbol of a file
    as_of: str | None = None  # the newest session
    calendar: str = "XNYS"  # whose session a date means


@dataclass(frozen=True)
class Screen:
    """A finished scan by expression and what it was made from."""

    when: Expression
    by: Expression | None
    universe: str
    source: str
    as_of: datetime
    asked: int  # symbols of the universe that have bars
    missing: tuple[str, ...]  # symbols of the universe that have none
    found: Screened
    quarantined: dict[str, object]

    def rows(self) -> list[dict[str, object]]:
        """One row per hit, ranked: symbol, as_of, new, and every number that was compared; unknown is None."""
        columns = self.found.values
        return [
            {"symbol": symbol, "as_of": self.as_of.isoformat(), "new": new}
            | {name: _cell(column[i]) for name, column in columns.items()}
            for i, (symbol, new) in enumerate(zip(self.found.symbols, self.found.new, strict=True))
        ]

    def table(self) -> pl.DataFrame:
        """The same as a frame of symbol, ts, new and numbers; its columns and types do not depend on the hits."""
        known = {name: [None if math.isnan(x) else x for x in column] for name, column in self.found.values.items()}
        when = pl.Series("ts", [self.as_of] * len(self.found.symbols), dtype=TS)
        return pl.DataFrame(
            {"symbol": self.found.symbols, "ts": when, "new": self.found.new, **known},
            schema={"symbol": pl.String, "ts": TS, "new": pl.Boolean, **dict.fromkeys(known, pl.Float64)},
        )

    def document(self, top: int | None = None) -> dict[str, Any]:
        """All of it as one JSON object; `top` shortens the hits, not the counts."""
        found = self.found
        return {
            "as_of": self.as_of.isoformat(),
            "expression": self.when.text,
            "by": None if self.by is None else self.by.text,
            "source": self.source,
            "universe": self.universe,
            "symbols": self.asked,
            "matched": len(found.symbols),
            "matches": self.rows()[:top],
            "left": list(found.left),
            "unknown": list(found.unknown),
            "stale": list(found.stale),
            "missing": list(self.missing),
            "quarantined": self.quarantined,
        }


def run_screen(bars: Bars, request: ScreenRequest) -> Screen:
    """Ask every symbol of the universe. Raises InvalidInput for bad expressions, universes and dates."""
    when, by = _parsed(request)
    universe = choose_universe(bars, request.universe)
    moment = from_micros(int(bars.panel.ts.max()))
    if request.as_of is not None:
        moment = moment_of(request.as_of, request.calendar)
        check_as_of(bars.panel, moment)
    whole = bars.panel.until(moment)
    held = [symbol for symbol in universe.symbols if symbol in set(whole.symbols)]
    if not held:
        raise InvalidInput(f"none of these symbols has a bar by {moment:%Y-%m-%d %H:%M} UTC; choose a later date")
    session = int(whole.ts.max())
    panel = whole.select(held).until(session)
    return Screen(
        when,
        by,
        universe.id,
        bars.source,
        from_micros(session),
        len(held),
        tuple(sorted({*universe.symbols, *universe.missing} - set(held))),
        screen(when, panel, AgentVotes(panel), by=by, session=session),
        bars.quarantined.of(panel.symbols, session).summary(),
    )


def _parsed(request: ScreenRequest) -> tuple[Expression, Expression | None]:
    if request.expression.startswith("@"):
        known = preset(request.expression)
        return known.when, known.by if request.by is None else parse(request.by)
    return parse(request.expression), None if request.by is None else parse(request.by)


def _cell(value: float) -> float | None:
    return value if math.isfinite(value) else None
