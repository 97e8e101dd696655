"""How research looks in a terminal: the card of a backtest, the list of runs. Fractions become per cent here only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from pathlib import Path

    from agents.backtest.result import Result

_PER_CENT = ("total_return", "cagr", "volatility", "max_drawdown", "win_rate", "expectancy", "exposure")
_WHOLE = ("trades", "max_drawdown_duration")
_LINES = (
    ("total_return", "cagr", "volatility", "max_drawdown", "max_drawdown_duration"),
    ("sharpe", "sortino", "calmar", "omega", "sqn"),
    ("trades", "win_rate", "profit_factor", "expectancy", "exposure"),
    ("turnover", "fees_paid", "break_even_bps"),
)
_METRICS = tuple(name for names in _LINES for name in names)
_SYMBOLS_SHOWN = 10
_SETS_SHOWN = 10


class BacktestCard:
    """The metrics, how far the Sharpe ratio can be believed, the benchmark, and the symbols that did best and worst."""

    def __init__(self, result: Result) -> None:
        self._result = result

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        result, context = self._result, self._result.context
        data = context["data"]
        params = ", ".join(f"{name}={value}" for name, value in context.get("params", {}).items())
        yield Text.assemble(
            (result.name, "bold"), f"({params})  {data['symbols']} symbols, {data['sessions']} sessions"
        )
        yield Text(f"{data['first'][:10]} to {data['last'][:10]}, {data['frame']} bars", style="dim")
        yield from metric_tables(result.metrics)
        yield Text(sharpe_words(context))
        other = context.get("benchmark")
        if other:
            yield Text(
                f"buy and hold of the same: {_value('total_return', other.get('total_return'))} in all, "
                f"Sharpe {_value('sharpe', other.get('sharpe'))}"
            )
        if len(result.by_symbol) > 1:
            yield _symbols(result.by_symbol)
        for name, why in result.reasons.items():
            yield Text(f"{name.replace('_', ' ')} is undefined: {why}", style="dim")
        for warning in result.warnings:
            yield Text(warning, style="yellow")
        yield Text(
            f"run {result.result_id[:12]}; `goldensignals runs report {result.result_id[:12]}` draws it", style="dim"
        )


class SweepCard:
    """The best sets, and how much of them is luck."""

    def __init__(self, summary: Mapping[str, Any], folder: Path) -> None:
        self._summary, self._folder = summary, folder

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        found, context = self._summary, self._summary["context"]
        yield Text.assemble((found["strategy"], "bold"), f"  {found['sets']:,} sets on {found['symbols']:,} symbols")
        yield Text(f"ranked by the {found['ranking']}; portfolio: all symbols together", style="dim")
        table = Table(box=None, header_style="dim", pad_edge=False)
        shown = [name for name in found["top"][0] if name not in ("set", "portfolio")]
        for name in (*shown, "portfolio return", "portfolio sharpe"):
            table.add_column(name.replace("_", " "), justify="right")
        for row in found["top"][:_SETS_SHOWN]:
            whole = row.get("portfolio", {})
            together = (_value(name, whole.get(name)) if whole else "" for name in ("total_return", "sharpe"))
            table.add_row(*(_cell(name, row[name]) for name in shown), *together)
        yield table
        yield Text(sharpe_words(context))
        if context.get("effective_trials") is not None:
            yield Text(
                f"the trials are alike: worth about {context['effective_trials']:,.0f} independent ones", style="dim"
            )
        if context.get("plateau") is not None:
            yield Text(
                f"plateau {context['plateau']:.0%}: what the {context['plateau_neighbours']} sets one step beside "
                "the best one keep of it"
            )
        if context.get("spa") is not None:
            yield Text(
                f"if no set beat buy and hold, one of {context['spa_candidates']:,} would look this good with a chance "
                f"of {context['spa']:.1%} (SPA; reality check {context['reality_check']:.1%})"
            )
        if context.get("pbo") is not None:
            yield Text(
                f"probability of overfitting {context['pbo']:.0%}: "
                "how often the best in sample falls below the median out of it"
            )
        yield Text(f"run {found['result_id'][:12]}; every trial lies in {self._folder}", style="dim")


class RunTable:
    """Runs, the newest first."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self._rows:
            yield Text("there are no runs yet; make one: goldensignals backtest sma_cross --symbols AAPL")
            return
        table = Table(box=None, header_style="dim", pad_edge=False)
        for title in ("run", "kind", "what", "when"):
            table.add_column(title, no_wrap=title != "what")
        for title in ("return", "sharpe", "drawdown", "trades"):
            table.add_column(title, justify="right", no_wrap=True)
        for row in self._rows:
            numbers = (_value(name, row[name]) for name in ("total_return", "sharpe", "max_drawdown", "trades"))
            table.add_row(row["result_id"][:12], row["kind"], row["title"], row["created_at"][:16], *numbers)
        yield table


def metric_tables(metrics: Mapping[str, float | None]) -> Iterator[Table]:
    """All metrics, a few to a line."""
    for names in _LINES:
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 3, 0, 0))
        for name in names:
            table.add_column(name.replace("_", " "), justify="right", min_width=12)
        table.add_row(*(_value(name, metrics[name]) for name in names))
        yield table


def sharpe_words(context: Mapping[str, Any]) -> str:
    """How far the Sharpe ratio can be believed."""
    trials = context.get("trials")
    if trials is None or context.get("psr") is None:
        return "Sharpe ratio: too short or too still to say how far it can be believed"
    times = "the first trial" if trials == 1 else f"after {trials:,} trials"
    need = context.get("min_track_bars")
    length = "no length of track would do" if need is None else f"95 % sure after {need:,} bars"
    dsr = context.get("dsr")
    luck = "" if dsr is None else f"; above luck {dsr:.0%} ({times} of its family here)"
    low, high = context.get("sharpe_low"), context.get("sharpe_high")
    scatter = "" if low is None or high is None else f"\n90 % of its bars drawn again: Sharpe {low:.2f} to {high:.2f}"
    return f"chance that the true Sharpe ratio is above 0: {context['psr']:.0%}, {length}{luck}{scatter}"


def _symbols(by_symbol: Mapping[str, Mapping[str, float | None]]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("symbol")
    for name in ("total_return", "sharpe", "max_drawdown", "trades"):
        table.add_column(name.replace("_", " "), justify="right")
    order = sorted(by_symbol, key=lambda symbol: (-(by_symbol[symbol]["total_return"] or 0.0), symbol))
    shown = order if len(order) <= _SYMBOLS_SHOWN else [*order[: _SYMBOLS_SHOWN // 2], *order[-_SYMBOLS_SHOWN // 2 :]]
    for symbol in shown:
        table.add_row(
            symbol, *(_value(c, by_symbol[symbol][c]) for c in ("total_return", "sharpe", "max_drawdown", "trades"))
        )
    if len(order) > len(shown):
        table.caption = f"the best and the worst of {len(order)}"
    return table


def _cell(name: str, value: object) -> str:
    return _value(name, value) if name in _METRICS and (value is None or isinstance(value, int | float)) else str(value)


def _value(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    if name in _PER_CENT:
        return f"{value:.1%}"
    return f"{value:,.0f}" if name in _WHOLE else f"{value:,.2f}"
