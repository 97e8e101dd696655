"""How results show themselves in a notebook: a card of HTML with pictures, and one line where only text will do.

No script, nothing fetched, and every text that came from a person is escaped. Colours follow the text's own colour, so
a card fits a light and a dark notebook. A card is small (tens of kilobytes at most, whatever the result holds), and
equal results give equal cards: no ids of this code, no paths, no times of the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from agents.backtest import charts
from agents.backtest.report import WORDS, belief, equity_chart, number, table, tile, tiles, under_chart

if TYPE_CHECKING:
    from agents.backtest.result import Result
    from agents.backtest.strategy import Strategy

WIDTH = 720  # pixels of a picture in a card
HEADLINE = ("total_return", "sharpe", "max_drawdown", "trades")
# Nested rules: what a notebook shows beside the card keeps its own looks.
_STYLE = (
    ".gs-card{--text:currentColor;--faint:color-mix(in srgb,currentColor 72%,transparent);"
    "--line:color-mix(in srgb,currentColor 16%,transparent);--strong:color-mix(in srgb,currentColor 45%,transparent);"
    "--up:#1181c0;--down:#cf5429;--gold:#a5790f;max-width:760px;padding:8px 0;font-size:13px;line-height:18px;"
    "font-variant-numeric:tabular-nums;"
    "h4{font-size:15px;margin:0}p{margin:2px 0 8px;color:var(--faint)}h5{font-size:13px;margin:12px 0 2px}"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(118px,1fr));gap:8px 16px;margin:8px 0}"
    ".tiles b{display:block;font-size:17px;line-height:22px}.tiles span,.tiles small{color:var(--faint)}"
    ".tiles small{display:block;font-size:11px;line-height:14px}"
    "table{border-collapse:collapse;margin:0;font-size:12px}th,td{padding:2px 10px;text-align:right;border:0;"
    "border-top:1px solid var(--line)}th{font-weight:500;color:var(--faint)}"
    "th:first-child,td:first-child,td:has(code),td.text{text-align:left}code{font-size:12px}"
)


@dataclass(frozen=True)
class Chart:
    """A picture: a notebook shows it, `save` keeps it."""

    svg: str

    def save(self, path: str | Path) -> Path:
        """Write it as an SVG file that stands alone, light and dark; returns where it lies."""
        target = Path(path)
        target.write_text(charts.alone(self.svg) + "\n", encoding="utf-8")
        return target

    def _repr_html_(self) -> str:
        return card(self.svg)

    def __repr__(self) -> str:
        return 'a chart: a notebook shows it, .save("chart.svg") writes it'


def result_card(result: Result) -> str:
    """A backtest: its numbers beside the benchmark's, equity, drawdown, and how far to believe it."""
    return card(
        head(_named(result.name, result.context.get("params", {})), span(result), result.warnings),
        tiles(result),
        equity_chart(result, width=WIDTH),
        under_chart(result, width=WIDTH),
        belief_tiles(result.context),
    )


def result_line(result: Result) -> str:
    """A backtest in one line."""
    name = _named(result.name, result.context.get("params", {}))
    return f"{name}: {headline(result.metrics)}; {span(result)}"


def result_chart(result: Result) -> Chart:
    """The equity curve beside the benchmark's."""
    return Chart(equity_chart(result, width=WIDTH))


def strategy_card(strategy: Strategy, values: Mapping[str, object] | None = None) -> str:
    """A strategy: its parameters (with `values`, where it is bound to some) and its rules."""
    titles = ("parameter", "value" if values else "default", "allowed", "")
    rows = [
        (
            f"<code>{escape(one.name)}</code>",
            plain((values or {}).get(one.name, one.default)),
            "a symbol" if one.kind == "symbol" else f"{plain(one.low)} to {plain(one.high)}",
            escape(one.description),
        )
        for one in strategy.params
    ]
    rules = [(escape(key), f"<code>{escape(one.text)}</code>") for key, one in strategy.expressions.items()]
    return card(
        head(strategy.name, strategy.description, ()),
        table(titles, rows) if rows else "",
        "<h5>Rules</h5>",
        table((), rules),
    )


def strategy_line(strategy: Strategy, values: Mapping[str, object] | None = None) -> str:
    """A strategy in one line."""
    named = {one.name: one.default for one in strategy.params} | dict(values or {})
    rules = "; ".join(f"{key}: {one.text}" for key, one in strategy.expressions.items())
    return f"{_named(strategy.name, named)} {rules}"


def card(*parts: str) -> str:
    """Pieces of HTML as one card."""
    return f'<div class="gs-card"><style>{_STYLE}{charts.STYLE}}}</style>{"".join(parts)}</div>'


def head(name: str, about: str, warnings: Iterable[str]) -> str:
    """What a card is about, and what its reader must know."""
    said = "".join(f"<p>⚠ {escape(text)}</p>" for text in warnings)
    return f"<h4>{escape(name)}</h4><p>{escape(about)}</p>{said}"


def _named(name: str, values: Mapping[str, object]) -> str:
    said = ", ".join(name if value is None else f"{name}={value}" for name, value in values.items())
    return f"{name}({said})" if said else name


def span(result: Result) -> str:
    """How many symbols, how long, from when to when."""
    data = result.context["data"]
    return f"{data['symbols']:,} symbols, {result.equity.height:,} sessions, {_dates(result.equity['ts'])}"


def _dates(ts: pl.Series) -> str:
    return f"{ts[0]:%Y-%m-%d} to {ts[-1]:%Y-%m-%d}"


def headline(metrics: Mapping[str, float | None]) -> str:
    """The metrics that fit in a line."""
    return ", ".join(f"{WORDS[name][0]} {value_of(name, metrics[name])}" for name in HEADLINE)


def value_of(metric: str, value: float | None) -> str:
    """A metric as people read it."""
    return number(value, WORDS[metric][1])


def spaced(name: str) -> str:
    """A key in words."""
    return name.replace("_", " ")


def plain(value: object) -> str:
    """A parameter's value; None where there is none."""
    if value is None:
        return "must be given"
    if isinstance(value, float) and not np.isfinite(value):
        return "any"
    return escape(f"{value:g}" if isinstance(value, float) else str(value))


def belief_tiles(context: Mapping[str, Any], *more: tuple[str, str]) -> str:
    """How far a Sharpe ratio can be believed; more: further names and values."""
    rows = [*belief(context), *more]
    found = "".join(tile(word, value) for word, value in rows) or "It is too short or too still a track to say."
    return f'<h5>How far to believe the Sharpe ratio</h5><div class="tiles">{found}</div>'
