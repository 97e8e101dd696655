"""What a quant imports: `import goldensignals as gs`.

gs.load_bars(...)                   bars from files or frames, as one Polars frame
gs.rsi("close", 14)                 every indicator as a Polars expression …
gs.indicators.rsi(close, 14)        … and as a function of NumPy arrays or Polars Series
gs.signals(bars, agents=["trend"])  the consensus of the agents, per symbol, with their votes
gs.connect("http://host:8000", …)   a client of a server: the same calls there, and its signals as they happen

Names are resolved at first use: importing this module loads nothing else.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from agents import indicators as indicators
    from data.contracts.errors import Conflict as Conflict
    from data.contracts.errors import Forbidden as Forbidden
    from data.contracts.errors import GoldenSignalsError as GoldenSignalsError
    from data.contracts.errors import InvalidInput as InvalidInput
    from data.contracts.errors import NotFound as NotFound
    from data.contracts.errors import TemporarilyUnavailable as TemporarilyUnavailable
    from data.contracts.errors import TooMany as TooMany
    from data.contracts.errors import Unauthenticated as Unauthenticated
    from data.market.load import load_bars as load_bars
    from serve_app.client.client import connect as connect

_ERRORS = (
    *("Conflict", "Forbidden", "GoldenSignalsError", "InvalidInput", "NotFound", "TemporarilyUnavailable"),
    *("TooMany", "Unauthenticated"),
)
_HOMES = {
    "connect": "serve_app.client.client",
    "load_bars": "data.market.load",
    **dict.fromkeys(_ERRORS, "data.contracts.errors"),
}
__all__ = [  # noqa: PLE0604  the errors are names too
    "connect",
    "indicators",
    "load_bars",
    "signals",
    *_ERRORS,
]


def signals(bars: object, agents: Sequence[str] | None = None) -> pl.DataFrame:
    """The consensus of the agents at the newest bar of every symbol, computed in this process.

    bars:    what `load_bars` returns, or daily bars that it accepts (a path, a Polars, pandas or Arrow frame).
    agents:  names; None asks all of them.
    Returns: one row per symbol, the strongest first: symbol, as_of, action, score, probability (null until calibrated),
             calibrated, strength, agreement, votes (agent, score, confidence, weight), entry, stop, target, warnings,
             signal_id, input_hash. Symbols without a bar in the newest session are left out.
    Raises:  InvalidInput for unknown agents and bars that cannot be used.
    """
    from agents.consensus import ConsensusParams, decide, ranked
    from agents.registry import roster
    from data.market.load import load_bars
    from data.market.quality import is_loaded
    from data.market.source import choose_universe, with_context
    from serve_app.client.tables import signal_table

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
    return signal_table(ranked(decision.signals))


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
