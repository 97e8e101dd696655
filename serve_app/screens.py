"""The service behind scans by expression: opens nothing but bars, asks agents only when the expression speaks of them.

Everything is computed in this process; the newest bar of a universe takes a fraction of a second. `remember` keeps what
was found in a file of the home, for the difference to the next run; nothing else is stored.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from agents.backtest.past_hits import HORIZON, LEVEL, PastHits, past_hits, stays
from agents.expr import AgentVotes, Expression, evaluate, parse
from agents.expr.screens import Answers, Screened, answers, check_questions, pick, preset
from data.contracts.errors import InvalidInput
from data.contracts.panel import from_micros
from data.last_scans import LastScans, Seen, Since
from data.market.dates import TS, check_as_of
from data.market.dates import as_of as moment_of
from data.market.source import Bars, choose_universe
from data.market.universe import Universe


@dataclass(frozen=True)
class ScreenRequest:
    """What a user asks for; None takes the default."""

    expression: str  # or @ and the name of a screen
    by: str | None = None  # the screen's own ranking, else symbol order
    universe: str | None = None  # @sp500 in the sample, every symbol of a file
    as_of: str | None = None  # the newest session
    calendar: str = "XNYS"  # whose session a date means
    history: bool = False  # also what followed past hits


@dataclass(frozen=True)
class History:
    """What followed the past hits of the symbols that were found, and what correction for all symbols leaves of it.

    tested:  symbols with a past hit whose outcome is known: so many tests were made at once.
    columns: per hit, None = there is none: past_hits (outcome known), past_apart (of them at least `HORIZON` bars
             apart, the only ones tested), up_rate (share of them followed by a rise: close[t + 5] above open[t + 1]),
             base_rate (the same after any bar), p_value (two-sided, exact), p_bh, p_holm (corrected).
    """

    tested: int
    columns: dict[str, tuple[float | int | None, ...]]

    @classmethod
    def of(cls, found: PastHits, symbols: tuple[str, ...], hits: tuple[str, ...]) -> History:
        """The rows of the hits; the correction is for all symbols."""
        place = {symbol: row for row, symbol in enumerate(symbols)}
        rows = [place[symbol] for symbol in hits]
        rates = {
            "up_rate": found.rate,
            "base_rate": found.base_rate,
            "p_value": found.p_value,
            "p_bh": found.corrected("benjamini_hochberg"),
            "p_holm": found.corrected("holm"),
        }
        counts = {"past_hits": found.hits, "past_apart": found.apart}
        return cls(
            int(found.tested.sum()),
            {
                **{name: tuple(int(column[row]) for row in rows) for name, column in counts.items()},
                **{name: tuple(_cell(float(column[row])) for row in rows) for name, column in rates.items()},
            },
        )

    def staying(self, column: str) -> int:
        """How many hits are at or below the level by that column of p-values."""
        return stays([math.nan if value is None else value for value in self.columns[column]])

    @property
    def verdict(self) -> str:
        """In plain words: how many hits stay."""
        hits, before, left, strict = len(self.columns["p_value"]), *map(self.staying, ("p_value", "p_bh", "p_holm"))
        if not hits:
            return "no hit, so nothing to test"
        if not left:
            some = f"; {before} would without it" if before else ""
            return f"none of {hits} hits stays after correction for {self.tested} symbols{some}"
        stay = "stays" if left == 1 else "stay"
        return (
            f"{left} of {hits} hits {stay} after correction for {self.tested} symbols (Benjamini-Hochberg, "
            f"{LEVEL:.0%}); {strict} by Holm, {before} without correction"
        )

    def document(self) -> dict[str, Any]:
        """As one JSON object."""
        return {
            "horizon": HORIZON,
            "level": LEVEL,
            "tested": self.tested,
            "stay": {
                "uncorrected": self.staying("p_value"),
                "benjamini_hochberg": self.staying("p_bh"),
                "holm": self.staying("p_holm"),
            },
            "verdict": self.verdict,
        }


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
    data_hash: Callable[[], str]  # content hash of the bars that were asked; takes longer than a small scan
    history: History | None = None

    def rows(self) -> list[dict[str, object]]:
        """One row per hit, ranked: symbol, as_of, new, and every number that was compared; unknown is None."""
        columns = {name: tuple(map(_cell, column)) for name, column in self.found.values.items()} | self._history
        return [
            {"symbol": symbol, "as_of": self.as_of.isoformat(), "new": new}
            | {name: column[i] for name, column in columns.items()}
            for i, (symbol, new) in enumerate(zip(self.found.symbols, self.found.new, strict=True))
        ]

    def table(self) -> pl.DataFrame:
        """The same as a frame of symbol, ts, new and numbers; its columns and types do not depend on the hits."""
        known = {name: [None if math.isnan(x) else x for x in column] for name, column in self.found.values.items()}
        past = {name: pl.Int64() if name.startswith("past_") else pl.Float64() for name in self._history}
        when = pl.Series("ts", [self.as_of] * len(self.found.symbols), dtype=TS)
        return pl.DataFrame(
            {"symbol": self.found.symbols, "ts": when, "new": self.found.new, **known, **self._history},
            schema={"symbol": pl.String, "ts": TS, "new": pl.Boolean, **dict.fromkeys(known, pl.Float64), **past},
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
            **({} if self.history is None else {"history": self.history.document()}),
        }

    @property
    def _history(self) -> dict[str, tuple[float | int | None, ...]]:
        return {} if self.history is None else self.history.columns


def run_screen(bars: Bars, request: ScreenRequest) -> Screen:
    """Ask every symbol of the universe. Raises InvalidInput for bad expressions, universes and dates."""
    when, by = parsed(request)
    universe = choose_universe(bars, request.universe)
    moment = from_micros(int(bars.panel.ts.max()))
    if request.as_of is not None:
        moment = moment_of(request.as_of, request.calendar)
        check_as_of(bars.panel, moment)
    whole = bars.panel.until(moment)
    there = set(whole.symbols)
    held = [symbol for symbol in universe.symbols if symbol in there]
    if not held:
        raise nobody(moment)
    session = int(whole.ts.max())
    panel = whole.select(held).until(session)
    votes = AgentVotes(panel)
    past = past_hits(evaluate({"now": when}, panel, {}, votes)["now"], panel) if request.history else None
    return screen_of(
        when,
        by,
        universe,
        bars.source,
        session,
        answers(when, panel, votes, by=by),
        bars.quarantined.of(panel.symbols, session).summary(),
        lambda: panel.content_hash,
        past,
    )


def screen_of(
    when: Expression,
    by: Expression | None,
    universe: Universe,
    source: str,
    session: int,
    found: Answers,
    quarantined: dict[str, object],
    data_hash: Callable[[], str],
    past: PastHits | None,
) -> Screen:
    """The scan that these answers make; session: bar time of the newest one."""
    picked = pick(found, by=by, session=session)
    return Screen(
        when,
        by,
        universe.id,
        source,
        from_micros(session),
        len(found.symbols),
        tuple(sorted({*universe.symbols, *universe.missing} - set(found.symbols))),
        picked,
        quarantined,
        data_hash,
        None if past is None else History.of(past, found.symbols, picked.symbols),
    )


def remember(home: Path, screen: Screen) -> Since | None:
    """Keep what was found; what is different from the last run of this expression and universe on other bars.

    Raises: GoldenSignalsError as `LastScans.remember`.
    """
    seen = Seen(screen.when.text, screen.universe, screen.as_of, screen.data_hash(), screen.found.symbols)
    return LastScans(home).remember(seen)


def parsed(request: ScreenRequest) -> tuple[Expression, Expression | None]:
    """What to look for and what to rank by. Raises InvalidInput where a scan cannot ask that."""
    if request.expression.startswith("@"):
        known = preset(request.expression)
        when, by = known.when, known.by if request.by is None else parse(request.by)
    else:
        when, by = parse(request.expression), None if request.by is None else parse(request.by)
    check_questions(when, by)
    return when, by


def nobody(moment: datetime) -> InvalidInput:
    """The refusal of a date before the first bar of every symbol asked for."""
    return InvalidInput(f"none of these symbols has a bar by {moment:%Y-%m-%d %H:%M} UTC; choose a later date")


def _cell(value: float) -> float | None:
    return value if math.isfinite(value) else None
