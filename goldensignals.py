"""What a quant imports: `import goldensignals as gs`.

gs.load_bars(...)                   bars from files or frames, as one Polars frame; gs.sample_bars() the bundled ones
gs.rsi("close", 14)                 every indicator as a Polars expression …
gs.indicators.rsi(close, 14)        … and as a function of NumPy arrays or Polars Series
gs.signals(bars, agents=["trend"])  the consensus of the agents, per symbol, with their votes; gs.explain says why
gs.scan("rsi(14) < 30", bars)       the symbols for which an expression is true now, or as of a date
gs.strategy(enter="…", exit="…")    a strategy from expressions
gs.backtest("sma_cross", bars, …)   one strategy on past bars; gs.sweep(…) many sets of its parameters
gs.walk_forward("sma_cross", bars, …)   chosen on past bars, tested on those after
gs.cross_validate("sma_cross", bars, …) on every combination of stretches: how much the answer depends on them
gs.connect("http://host:8000", …)   a client of a server: the same calls there, and its signals as they happen

Names are resolved at first use: importing this module loads nothing else.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date, datetime

    import polars as pl

    from agents import indicators as indicators
    from agents.agent import Agent
    from agents.backtest.catalogue import strategy as strategy
    from data.contracts.errors import Conflict as Conflict
    from data.contracts.errors import Forbidden as Forbidden
    from data.contracts.errors import GoldenSignalsError as GoldenSignalsError
    from data.contracts.errors import InvalidInput as InvalidInput
    from data.contracts.errors import NotFound as NotFound
    from data.contracts.errors import TemporarilyUnavailable as TemporarilyUnavailable
    from data.contracts.errors import TooMany as TooMany
    from data.contracts.errors import Unauthenticated as Unauthenticated
    from data.contracts.panel import Panel
    from data.contracts.signals import Signal
    from data.market.load import load_bars as load_bars
    from data.market.sample import sample_bars as sample_bars
    from serve_app.client.client import connect as connect
    from serve_app.local import backtest as backtest
    from serve_app.local import cross_validate as cross_validate
    from serve_app.local import sweep as sweep
    from serve_app.local import walk_forward as walk_forward

_ERRORS = (
    *("Conflict", "Forbidden", "GoldenSignalsError", "InvalidInput", "NotFound", "TemporarilyUnavailable"),
    *("TooMany", "Unauthenticated"),
)
_HOMES = {
    "backtest": "serve_app.local",
    "connect": "serve_app.client.client",
    "cross_validate": "serve_app.local",
    "load_bars": "data.market.load",
    "sample_bars": "data.market.sample",
    "strategy": "agents.backtest.catalogue",
    "sweep": "serve_app.local",
    "walk_forward": "serve_app.local",
    **dict.fromkeys(_ERRORS, "data.contracts.errors"),
}
__all__ = [  # noqa: PLE0604  the errors are names too
    "backtest",
    "connect",
    "cross_validate",
    "explain",
    "indicators",
    "load_bars",
    "sample_bars",
    "scan",
    "signals",
    "strategy",
    "sweep",
    "walk_forward",
    *_ERRORS,
]


def signals(bars: object, agents: Sequence[str] | None = None, *, progress: bool = True) -> pl.DataFrame:
    """The consensus of the agents at the newest bar of every symbol, computed in this process.

    bars:     what `load_bars` returns, or daily bars that it accepts (a path, a Polars, pandas or Arrow frame).
    agents:   names; None asks all of them.
    progress: False = quiet; else work of more than a second says so, on a terminal and in a notebook.
    Returns:  one row per symbol, the strongest first: symbol, as_of, action, score, probability (null until it is
              calibrated), calibrated, strength, agreement, votes (agent, score, confidence, weight), entry, stop,
              target, warnings, signal_id, input_hash. Symbols without a bar in the newest session are left out.
    Raises:   InvalidInput for unknown agents and bars that cannot be used.
    """
    from serve_app.client.tables import signal_table
    from serve_app.progress import shown

    with shown("signals", "", progress):
        _, _, found = _decided(bars, agents)
        return signal_table(found)


def explain(symbol: str, bars: object, agents: Sequence[str] | None = None) -> pl.DataFrame:
    """Why the agents voted as they did on a symbol at its newest bar: the votes behind its row in `signals`.

    bars, agents: as in `signals`.
    Returns:      one row per agent that voted: agent, score, confidence, weight, reason. Who abstained is not there.
    Raises:       InvalidInput as `signals`, and for a symbol without a signal.
    """
    import polars as pl

    from data.contracts.errors import InvalidInput

    asked, panel, signals = _decided(bars, agents)
    found = next((signal for signal in signals if signal.symbol == symbol), None)
    if found is None:
        raise InvalidInput(f"{symbol!r} has no signal at the newest bar; gs.signals(bars) lists those that have one")
    rows = [
        {**vote.model_dump(), "reason": asked[vote.agent].explain(panel, symbol, found.as_of).text}
        for vote in found.votes
    ]
    numbers = dict.fromkeys(("score", "confidence", "weight"), pl.Float64)
    return pl.DataFrame(rows, schema={"agent": pl.String, **numbers, "reason": pl.String})


def _decided(bars: object, agents: Sequence[str] | None) -> tuple[dict[str, Agent[Any]], Panel, list[Signal]]:
    """The agents that were asked, what they saw, and the signals, the strongest first."""
    from agents.consensus import ConsensusParams, decide, ranked
    from agents.registry import roster
    from data.market.load import load_bars
    from data.market.quality import is_loaded
    from data.market.source import choose_universe, with_context

    asked = roster(agents)
    found = with_context("frame", bars if is_loaded(bars) else load_bars(bars))
    panel = found.panel.until(int(found.panel.ts.max()))
    decision = decide(
        panel,
        [agent.evaluate(panel).take(panel.last_rows) for agent in asked],
        rows=panel.last_rows,
        asked=asked,
        missing=(),
        universe=choose_universe(found, None).id,
        params=ConsensusParams(),
    )
    return {agent.name: agent for agent in asked}, panel, ranked(decision.signals)


def scan(
    expression: str,
    bars: object,
    *,
    by: str | None = None,
    universe: str | None = None,
    as_of: str | date | datetime | None = None,
    top: int | None = None,
    history: bool = False,
    progress: bool = True,
) -> pl.DataFrame:
    """The symbols for which an expression is true at the newest bar; docs/expressions.md has the language.

    expression: such as "rsi(14) < 30 and close > sma(200)", or "@oversold" for a screen that is kept under a name.
    bars:       as in `signals`.
    by:         an expression that ranks the hits, the largest first; else a screen's own, else by symbol.
    universe:   "A,B,C", "@sp500" or a file with one symbol a line; None = every symbol of the bars.
    as_of:      a date (its session included) or a time; None = the newest session.
    history:    also what followed past hits: past_hits, past_apart (five bars apart or more, the ones tested), up_rate,
                base_rate, p_value, and p_bh, p_holm: corrected for all symbols, so below 0.05 there is worth a look.
    progress:   as in `signals`.
    Returns:    symbol, ts, new (it was not true on the bar before), and every number that was compared, by its text.
    Raises:     InvalidInput that names the place in the expression, the symbol or the date that cannot be used.
    """
    from data.contracts.errors import InvalidInput
    from data.market.load import load_bars
    from data.market.quality import is_loaded
    from data.market.source import with_context
    from serve_app.progress import shown
    from serve_app.screens import ScreenRequest, run_screen

    if top is not None and top < 1:
        raise InvalidInput(f"top is how many hits to keep, at least 1, not {top}")
    moment = as_of if as_of is None or isinstance(as_of, str) else as_of.isoformat()
    with shown("scan", "", progress):
        found = with_context("frame", bars if is_loaded(bars) else load_bars(bars))
        table = run_screen(found, ScreenRequest(expression, by, universe, moment, history=history)).table()
    return table if top is None else table.head(top)


def __getattr__(name: str) -> Any:
    if name == "indicators":
        return importlib.import_module("agents.indicators")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    expressions = importlib.import_module("agents.indicators").expressions
    try:
        return getattr(expressions, name)
    except AttributeError:
        raise AttributeError(f"goldensignals has no {name!r}; indicators: {', '.join(dir(expressions))}") from None


def __dir__() -> list[str]:
    return sorted([*__all__, *dir(importlib.import_module("agents.indicators").expressions)])
