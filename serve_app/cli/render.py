"""How signals look in a terminal: the ranked table of a scan, the card of one symbol. Fits the width it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from cluster.scan import Found
    from data.contracts.signals import Vote
    from serve_app.scans import Scanned

_MARKS = {"BUY": ("▲ BUY", "bold cyan"), "SELL": ("▼ SELL", "bold red"), "HOLD": ("– HOLD", "dim")}
_STRONG, _WEAK = 0.5, 0.1  # |score| from which a vote is drawn filled, and from which it has a side
_NAMES_FROM, _LEVELS_FROM = 120, 96  # columns of the terminal
_SKIPPED_SHOWN = 5


class ScanTable:
    """The strongest signals with the main reason of each, and what a reader must know about the rest."""

    def __init__(self, scanned: Scanned, top: int, quarantined: Mapping[str, object]) -> None:
        self._scanned, self._quarantined = scanned, quarantined
        self._found = scanned.ranked()
        self._rows = [(found, scanned.top_reason(found.signal)) for found in self._found[:top]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        spec, result = self._scanned.spec, self._scanned.result
        counts = {action: sum(f.signal.action == action for f in self._found) for action in _MARKS}
        agents = ", ".join(agent.name for agent in spec.agents)
        yield Text(f"{len(self._found)} symbols at {result.as_of:%a %-d %b %Y %H:%M} UTC, universe {spec.universe}")
        yield Text(f"▲ {counts['BUY']} buy   – {counts['HOLD']} hold   ▼ {counts['SELL']} sell")
        yield Text(f"votes in this order: {agents}; ▲▼ strong, △▽ mild, · near 0, ○ abstains", style="dim")
        yield Text("probability: uncalibrated, not yet measured out of sample", style="dim")
        yield self._table(options.max_width)
        total, reasons = self._quarantined["total"], self._quarantined["by_reason"]
        assert isinstance(reasons, dict)
        listed = ", ".join(f"{reason} {count}" for reason, count in reasons.items())
        yield Text(f"{total} rows of the bars are quarantined{': ' if listed else ''}{listed}", style="dim")
        if result.skipped:
            few = "; ".join(f"{symbol}: {why}" for symbol, why in list(result.skipped.items())[:_SKIPPED_SHOWN])
            yield Text(f"{len(result.skipped)} symbols have no signal: {few}", style="yellow")
        new = sum(f.new for f in self._found)
        timing = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in result.seconds.items())
        yield Text(f"{new} new, {len(self._found) - new} already stored; {timing}", style="dim")

    def _table(self, width: int) -> Table:
        from data.market.sample import companies

        names = dict(companies().select("symbol", "name").iter_rows()) if width >= _NAMES_FROM else {}
        table = Table(box=None, header_style="dim", pad_edge=False)
        table.add_column("", justify="right", no_wrap=True)
        table.add_column("symbol", no_wrap=True)
        if names:
            table.add_column("name", no_wrap=True, max_width=24, style="dim")
        table.add_column("action", no_wrap=True)
        table.add_column("score", justify="right", no_wrap=True)
        table.add_column("agree", justify="right", no_wrap=True)
        table.add_column("votes", no_wrap=True)
        if width >= _LEVELS_FROM:
            table.add_column("stop", justify="right", no_wrap=True)
            table.add_column("target", justify="right", no_wrap=True)
        table.add_column("why", ratio=1)
        for rank, (found, why) in enumerate(self._rows, start=1):
            s = found.signal
            cells: list[Text | str] = [str(rank), Text(s.symbol, style="bold")]
            cells += [str(names.get(s.symbol, ""))] if names else []
            cells += [Text(*_MARKS[s.action]), _signed(s.score), f"{s.agreement:.0%}"]
            cells.append(Text("").join(_vote(vote) for vote in s.votes))
            cells += [_price(s.stop), _price(s.target)] if width >= _LEVELS_FROM else []
            cells.append(why + (f" ({'; '.join(s.warnings)})" if s.warnings else ""))
            table.add_row(*cells)
        return table


class SignalCard:
    """One signal: action, levels, and every vote with its reason."""

    def __init__(self, found: Found, reasons: Mapping[str, str]) -> None:
        self._found, self._reasons = found, reasons

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        s = self._found.signal
        yield Text.assemble((s.symbol, "bold"), "  ", _MARKS[s.action], f"  at {s.as_of:%a %-d %b %Y %H:%M} UTC")
        yield Text(f"score {_signed(s.score)}   agreement {s.agreement:.0%}   {s.horizon} bars ahead")
        yield Text("probability: uncalibrated, not yet measured out of sample", style="dim")
        if s.entry is not None:
            yield Text(f"entry {_price(s.entry)}   stop {_price(s.stop)}   target {_price(s.target)}")
        table = Table(box=None, header_style="dim", pad_edge=False)
        for title in ("agent", "score", "confidence", "weight", "why" if self._reasons else ""):
            table.add_column(title, justify="left" if title in ("agent", "why") else "right")
        for vote in s.votes:
            numbers = ("abstains", "", "")
            if vote.score is not None:
                numbers = (_signed(vote.score), f"{vote.confidence:.2f}", f"{vote.weight:.2f}")
            table.add_row(vote.agent, *numbers, self._reasons.get(vote.agent, ""))
        yield table
        if s.missing:
            yield Text(f"missing: {', '.join(s.missing)}", style="yellow")
        for warning in s.warnings:
            yield Text(warning, style="yellow")
        yield Text(f"{s.signal_id[:12]} revision {self._found.revision}, input {s.input_hash[:12]}", style="dim")


def _vote(vote: Vote) -> Text:
    """One character an agent; its shape says the side, colour only repeats it."""
    if vote.score is None:
        return Text("○", style="dim")
    if abs(vote.score) < _WEAK:
        return Text("·", style="dim")
    strong = abs(vote.score) >= _STRONG
    if vote.score > 0:
        return Text("▲" if strong else "△", style="cyan")
    return Text("▼" if strong else "▽", style="red")


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _price(value: float | None) -> str:
    return "—" if value is None else f"{value:.2f}" if value >= 4 else f"{value:.4f}"
