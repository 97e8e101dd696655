"""The tear sheet: one HTML page to send to a colleague. No network, no script, light and dark, printable.

Charts are SVG drawn here (`agents.backtest.charts`); every text that came from a person is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from agents.backtest import charts
from agents.backtest.charts import MINUS

if TYPE_CHECKING:
    from agents.backtest.result import Result

ROLLING = 126  # bars
MOST_MARKS = 2_000  # trades drawn
NONE = "—"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WORDS = {
    "total_return": ("Total return", "%"),
    "cagr": ("CAGR", "%"),
    "volatility": ("Volatility, yearly", "%"),
    "sharpe": ("Sharpe", "2"),
    "sortino": ("Sortino", "2"),
    "calmar": ("Calmar", "2"),
    "omega": ("Omega", "2"),
    "max_drawdown": ("Max drawdown", "%"),
    "max_drawdown_duration": ("Longest drawdown, bars", "0"),
    "win_rate": ("Win rate", "%"),
    "profit_factor": ("Profit factor", "2"),
    "expectancy": ("Expectancy, per trade", "%2"),
    "sqn": ("SQN", "2"),
    "trades": ("Trades", "0"),
    "exposure": ("Exposure", "%"),
    "turnover": ("Turnover, per year", "2"),
    "fees_paid": ("Fees paid", "0"),
    "break_even_bps": ("Break-even, bps", "1"),
    "excess_return": ("Excess total return", "%"),
    "beta": ("Beta", "2"),
    "alpha": ("Alpha, yearly", "%"),
    "correlation": ("Correlation", "2"),
    "tracking_error": ("Tracking error, yearly", "%"),
    "information_ratio": ("Information ratio", "2"),
}
HEADLINE = ("total_return", "cagr", "sharpe", "max_drawdown", "volatility", "break_even_bps", "trades", "exposure")
STYLE = """
:root{color-scheme:light dark;--bg:#f5f6f8;--surface:#fff;--line:#dde0e4;--strong:#888c94;--text:#181c23;
--muted:#4c515a;--faint:#646972;--up:#066aa7;--down:#b53b16;--warn:#876207;--warnbg:#fef4ce;--gold:#ab7d0c}
@media (prefers-color-scheme:dark){:root{--bg:#0a0c10;--surface:#101317;--line:#272a30;--strong:#5f636c;
--text:#ebedef;--muted:#abb0b7;--faint:#898e96;--up:#49c2f1;--down:#f4754e;--warn:#e4cb4d;--warnbg:#322b0f;
--gold:#ecc45c}}@media print{:root{--bg:#fff;--surface:#fff;--line:#dde0e4;--strong:#888c94;--text:#181c23;
--muted:#4c515a;--faint:#646972;--up:#066aa7;--down:#b53b16;--warn:#876207;--warnbg:#fef4ce;--gold:#ab7d0c}
section{break-inside:avoid}}*{box-sizing:border-box}html{font-variant-numeric:tabular-nums}body{margin:0;
padding:24px;background:var(--bg);color:var(--text);font:13px/18px Inter,system-ui,sans-serif}main{
max-width:1120px;margin:0 auto;display:grid;align-items:start;grid-template-columns:repeat(2,minmax(0,1fr));
gap:12px}header,.wide{grid-column:1/-1}h1{font-size:20px;line-height:26px;font-weight:600;margin:0;
overflow-wrap:anywhere}h2{font-size:13px;line-height:18px;font-weight:600;margin:0 0 8px}p{margin:4px 0;
max-width:76ch;color:var(--muted)}section{background:var(--surface);border:1px solid var(--line);
border-radius:8px;padding:12px;min-width:0;overflow-x:auto}.tiles{display:grid;
grid-template-columns:repeat(auto-fit,minmax(120px,1fr));gap:12px}.tiles b{display:block;font-size:20px;
line-height:26px;font-weight:600}.tiles span{color:var(--muted)}.tiles small{display:block;font-size:12px;
color:var(--faint)}table{border-collapse:collapse;width:100%}th,td{padding:3px 8px;text-align:right;
border-top:1px solid var(--line)}th{font-weight:500;color:var(--muted)}th:first-child,td:first-child{
text-align:left;padding-left:0}td.text{text-align:left;overflow-wrap:anywhere}thead th{border-top:0}.warn{
background:var(--warnbg);color:var(--warn);border-radius:6px;padding:6px 10px;margin:8px 0 0;max-width:none}
.months td{min-width:46px;white-space:nowrap}
.wide svg{min-width:640px}.months td,.months th{text-align:center}code{
font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:12px;overflow-wrap:anywhere}
@media (max-width:760px){main{grid-template-columns:minmax(0,1fr)}body{padding:12px}}
"""


def page(result: Result) -> str:
    """The whole page. Equal results give equal text."""
    data, beside = result.context["data"], result.context["benchmark"]
    curves = result.equity
    ts = curves["ts"].to_physical().to_numpy()
    equity = curves["equity"].to_numpy()
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>{escape(result.name)}: backtest</title><style>{STYLE}{charts.STYLE}</style></head><body><main>",
            _head(result, data),
            _section("Result", tiles(result), wide=True),
            _section("Equity", equity_chart(result), wide=True),
            _section("Under the last peak", under_chart(result), wide=True),
            _section(f"Sharpe of the last {ROLLING} bars", _rolling_chart(ts, equity, result), wide=True),
            _section("Return by month (UTC)", _months(result.context["monthly"]), wide=True),
            _section("Trades: return against bars held", _scatter(result.trades)),
            _section("Total return against the fee per side", _cost_chart(result)),
            _section("Deepest drawdowns", _drawdowns(result.context["drawdowns"])),
            _section("Beside the benchmark", _beside(beside)),
            _section("How far to believe the Sharpe ratio", _belief(result.context)),
            _section("All metrics", _metrics(result)),
            _section("Rules and data", _facts(result, data)),
            "</main></body></html>\n",
        ]
    )


def number(value: float | None, kind: str) -> str:
    """A number as people read it: kind "%" is per cent, "%2" finer, else its decimals; None is a dash."""
    if value is None:
        return NONE
    text = f"{value:.{kind[1:] or 1}%}" if kind.startswith("%") else f"{value:,.{kind}f}"
    if not text.strip("-0.,%"):
        text = text.removeprefix("-")  # what rounds to zero has no sign
    return text.replace("%", "\u202f%").replace("-", MINUS)


def _head(result: Result, data: dict[str, Any]) -> str:
    span = f"{data['first'][:10]} to {data['last'][:10]}"
    params = ", ".join(f"{name}={value}" for name, value in result.context.get("params", {}).items())
    facts = f"{data['symbols']:,} symbols, {data['bars']:,} bars of {data['frame']}, {span}"
    facts = "; ".join(part for part in (params, facts, f"run {result.result_id}" if result.result_id else "") if part)
    warnings = "".join(f'<p class="warn">⚠ {escape(text)}</p>' for text in result.warnings)
    return f"<header><h1>{escape(result.name)}</h1><p>{escape(facts)}</p>{warnings}</header>"


def _section(title: str, body: str, *, wide: bool = False) -> str:
    return f"<section{' class=wide' if wide else ''}><h2>{escape(title)}</h2>{body}</section>"


def tiles(result: Result) -> str:
    """The numbers people look at first; beside each the benchmark's, or why there is none."""
    beside = result.context["benchmark"]
    found = []
    for key in HEADLINE:
        word, kind = WORDS[key]
        why = result.reasons.get(key)
        theirs = f"benchmark {number(beside[key], kind)}" if beside and key in beside else ""
        found.append(tile(word, number(result.metrics[key], kind), why or theirs))
    return f'<div class="tiles">{"".join(found)}</div>'


def tile(word: str, value: str, small: str = "") -> str:
    """One number under its name."""
    return f"<div><span>{escape(word)}</span><b>{escape(value)}</b><small>{escape(small)}</small></div>"


def equity_chart(result: Result, *, width: int = charts.WIDTH, marks: Sequence[int] = ()) -> str:
    """Equity at each close, beside the benchmark where there is one; marks: see `charts.over_time`."""
    curves, beside = result.equity, result.context["benchmark"]
    cash = float(result.context["rules"]["cash"])
    lines = [charts.Line(curves["equity"].to_numpy(), "ours", "strategy", "name")]
    if beside is not None:
        other = curves["benchmark"].to_numpy()
        scaled = other if beside["kind"] == "buy_and_hold" else other / other[0] * cash
        lines.append(charts.Line(scaled, "theirs", "benchmark", "other"))
    return charts.over_time(
        curves["ts"].to_physical().to_numpy(),
        lines,
        height=260,
        text=lambda v: number(v, "0"),
        level=cash,
        title="Equity at each close",
        width=width,
        marks=marks,
    )


def under_chart(result: Result, *, width: int = charts.WIDTH) -> str:
    """How far each close lies under the highest before it."""
    return charts.over_time(
        result.equity["ts"].to_physical().to_numpy(),
        [charts.Line(result.equity["drawdown"].to_numpy(), "under", "", "name", filled=True)],
        height=130,
        text=lambda v: number(v, "%"),
        level=0.0,
        title="Drawdown at each close",
        width=width,
    )


def _rolling_chart(ts: Any, equity: Any, result: Result) -> str:
    if equity.size <= ROLLING or equity.min() <= 0.0:
        return f"<p>It needs more than {ROLLING} bars and an equity above zero.</p>"
    gains = equity[1:] / equity[:-1] - 1.0
    windows = np.lib.stride_tricks.sliding_window_view(gains, ROLLING)
    spread = windows.std(axis=1, ddof=1)
    year = result.context["annualisation"]
    excess = windows.mean(axis=1) - result.context["rules"]["risk_free"] / year
    sharpe = np.full(equity.size, np.nan)
    sharpe[ROLLING:] = np.where(spread > 1e-12, excess / np.where(spread > 1e-12, spread, 1.0) * year**0.5, np.nan)
    line = charts.Line(sharpe, "ours", "", "name")
    return charts.over_time(ts, [line], height=130, text=lambda v: number(v, "1"), level=0.0, title="Rolling Sharpe")


def _months(found: list[dict[str, Any]]) -> str:
    cells = {(row["year"], row["month"]): row["return"] for row in found}
    largest = max((abs(value) for value in cells.values() if value is not None), default=0.0) or 1.0
    rows = []
    for year in sorted({year for year, _ in cells}):
        row, whole = [], 1.0
        for month in range(1, 13):
            value = cells.get((year, month))
            whole *= 1.0 + (value or 0.0)
            tone = "" if value is None else _tone(value / largest)
            row.append(f"<td{tone}>{number(value, '%') if (year, month) in cells else ''}</td>")
        rows.append(f"<tr><th>{year}</th>{''.join(row)}<td><b>{number(whole - 1.0, '%')}</b></td></tr>")
    head = "".join(f"<th>{name}</th>" for name in (*MONTHS, "Year"))
    return f'<table class="months"><thead><tr><th></th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _tone(share: float) -> str:
    """A background from the direction's colour; the sign before the number says the same."""
    if share == 0.0:
        return ""
    side = "up" if share > 0.0 else "down"
    return f' style="background:color-mix(in oklab,var(--{side}) {min(abs(share), 1.0) * 45:.0f}%,transparent)"'


def _scatter(trades: pl.DataFrame) -> str:
    if trades.is_empty():
        return "<p>There were no trades.</p>"
    step = -(-trades.height // MOST_MARKS)
    shown = trades.gather_every(step)
    note = f"<p>{shown.height:,} of {trades.height:,} trades, evenly through time.</p>" if step > 1 else ""
    return note + charts.scatter(
        shown["bars"].to_numpy(),
        shown["return"].to_numpy(),
        text=lambda v: number(v, "%"),
        title="Return of each trade against the bars it was held",
    )


def _cost_chart(result: Result) -> str:
    points = result.context["cost_curve"]
    return charts.curve(
        np.array([bps for bps, _ in points], np.float64),
        np.array([value for _, value in points], np.float64),
        mark=float(result.context["rules"]["fees"]) * 1e4,
        text=lambda v: number(v, "%"),
        title="Total return at other fees, in basis points",
    )


def _drawdowns(found: list[dict[str, Any]]) -> str:
    if not found:
        return "<p>The equity never fell below an earlier close.</p>"
    rows = [
        [
            number(row["depth"], "%"),
            row["peak"][:10],
            row["trough"][:10],
            (row["recovery"] or "not yet")[:10],
            str(row["bars"]),
        ]
        for row in found
    ]
    return table(("Depth", "Peak", "Trough", "Recovered", "Bars"), rows)


def _beside(beside: dict[str, Any] | None) -> str:
    if beside is None:
        return "<p>No benchmark was asked for.</p>"
    what = "The same symbols, even shares, bought at the first fill and kept, at the same costs."
    rows = [
        [WORDS[key][0], number(value, WORDS[key][1]), escape(beside["reasons"].get(key, ""))]
        for key, value in beside.items()
        if key in WORDS
    ]
    return f"<p>{what if beside['kind'] == 'buy_and_hold' else 'A given equity curve.'}</p>" + table((), rows)


def _belief(context: Mapping[str, Any]) -> str:
    rows = [*belief(context), *_drawn(context)]
    if not rows:
        return "<p>It is too short or too still a track, or nobody has asked.</p>"
    return table((), [[word, value] for word, value in rows])


def belief(context: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What `single.judgement` and a search have added, in words; docs/statistics.md says what each number means.

    The interval from drawn histories is not among them: the page has it beside the metrics.
    """
    if context.get("psr") is None:
        return []
    edges, year = context["sharpe_interval_per_bar"], context.get("annualisation")  # a sweep's context has no year
    interval = [number(edge * year**0.5, "2") for edge in edges] if edges and year else [NONE]
    rows = [
        ("Chance that it is above 0 (PSR)", number(context["psr"], "%")),
        ("Chance that it is above luck (DSR)", number(context["dsr"], "%")),
        ("Parameter sets of this family tried", number(context["trials"], "0")),
        ("… worth so many independent ones", number(context.get("effective_trials"), "0")),
        ("Interval of 95 %, yearly", " to ".join(interval)),
        ("Bars after which it is above 0 with 95 %", number(context["min_track_bars"], "0")),
        ("Probability of overfitting (PBO)", number(context.get("pbo"), "%")),
        ("Neighbours of the best set, as a share of it", number(context.get("plateau"), "2")),
    ]
    return [row for row in rows if row[1] != NONE]


def _drawn(context: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The same from drawn histories."""
    low, high = context.get("sharpe_low"), context.get("sharpe_high")
    return [] if low is None else [("90 % of drawn histories", f"{number(low, '2')} to {number(high, '2')}")]


def _metrics(result: Result) -> str:
    rows = [
        [WORDS[key][0], number(value, WORDS[key][1]), escape(result.reasons.get(key, ""))]
        for key, value in result.metrics.items()
    ]
    return table((), rows)


def _facts(result: Result, data: dict[str, Any]) -> str:
    rules = {name: value for name, value in result.context["rules"].items() if value is not None}
    facts = {**rules, "bars_of_a_year": result.context["annualisation"], **data}
    return table((), [[escape(name), f"<code>{escape(str(value))}</code>"] for name, value in facts.items()])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already; without a head the third column is text."""
    top = f"<thead><tr>{''.join(f'<th>{word}</th>' for word in head)}</tr></thead>" if head else ""
    body = "".join(
        "<tr>"
        + "".join(f"<td{' class=text' if i == 2 and not head else ''}>{cell}</td>" for i, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f"<table>{top}<tbody>{body}</tbody></table>"
